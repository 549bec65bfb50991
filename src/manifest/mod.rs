//! Manifests: a tree of text becomes what is wanted, or everything that is wrong with it.
//!
//! In reading order: [`load()`] goes through files and documents; `yaml` gives each value its place;
//! `tree` fills in variables; `layer` lays the documents of overlays over those below them;
//! `native` and `blueprint` read the two forms through one table of settings; `check` looks at all
//! documents together. The way back is [`print()`], [`export()`] and [`edit()`], and [`schema()`]
//! describes the form. Values from outside (environment, files) are not read here; that is the room `secret`.

mod load;

mod blueprint;
mod foreign;
mod layer;
mod native;
mod overlay_schema;

mod group;
mod lifecycle;
mod variable;

mod setting;

mod check;
mod draft;

mod reader;
mod scalar;
mod suggest;
mod tree;
mod yaml;
mod yaml_values;

mod located;
mod placed;

mod conceal;
mod edit;
mod export;
mod exportable;
mod places;
mod print;
mod schema;

pub use blueprint::blueprint_schema;
pub use conceal::conceal;
pub use edit::{EditedFile, Replacement, edit};
pub use export::export;
pub use load::{Loaded, load};
pub use located::Located;
pub use overlay_schema::overlay_schema;
pub use placed::{Placed, PlacedContent, placed};
pub use places::print_with_places;
pub use print::{SCHEMA_LINE, print, print_each, print_noted, unprinted};
pub use reader::quoted;
pub use schema::schema;
pub use suggest::nearest;
pub use yaml_values::{documents, to_yaml};

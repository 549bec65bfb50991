//! Stoker: the GitOps agent for the StackBlaze PaaS.
//!
//! # As a library
//!
//! [`project`] is the door: [`project::ProjectParts`] opens a project, and the
//! [`project::OpenProject`] it gives plans, applies, follows deployments, and makes an agent's
//! passes. Whatever manifests declare is written through it alone, by the program as by an embedder.
//! `examples/embed.rs` plans a stack and applies it.
//!
//! # Features
//!
//! All are on by default. Without them (`default-features = false`) the library holds what
//! plans and applies, and compiles neither a command line, nor a server, nor an emulator.
//!
//! | Feature | Rooms | Brings |
//! |---|---|---|
//! | `cli` | `cli`, `telemetry`, and the program | all the others, clap, the terminal |
//! | `agent` | `daemon`, `rules` | a server, mail, templates, watches, an expression language |
//! | `sandbox` | `emulator`, `sandbox` | a server |
//! | `simulate` | `simulation` | `agent`, `sandbox`, and the test clock of tokio |
//!
//! # What is stable
//!
//! Semantic versioning holds for [`project`], for what its functions take and return, and for what
//! makes that: [`source`] and [`manifest`] read manifests, [`secret`] finds their values, [`model`]
//! and [`plan`] hold the data, [`api`] and [`store`] the way to the platform and the place of the
//! state, [`clock`] the time, [`render`] the texts. The other rooms can be read and tested, and may
//! change with any version: `owner`, `emulator`, `budget`, `ledger`, `import`, `status`, `remote`,
//! `rules`, `sandbox`, `shared`, `etcd`, `follow`, `apply`, `reconcile`, `telemetry`, `daemon`,
//! `simulation` and `cli`. What scripts read of the program (exit codes, documents, words) is stable
//! by itself.
//!
#![doc = include_str!("../ARCHITECTURE.md")]

pub mod api;
pub mod apply;
pub mod budget;
#[cfg(feature = "cli")]
pub mod cli;
pub mod clock;
#[cfg(feature = "agent")]
pub mod daemon;
#[cfg(feature = "sandbox")]
pub mod emulator;
pub mod etcd;
pub mod follow;
pub mod import;
pub mod ledger;
pub mod manifest;
pub mod model;
pub mod owner;
pub mod plan;
pub mod project;
pub mod reconcile;
pub mod remote;
pub mod render;
#[cfg(feature = "agent")]
pub mod rules;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod secret;
pub mod shared;
#[cfg(feature = "simulate")]
pub mod simulation;
pub mod source;
pub mod status;
pub mod store;
#[cfg(feature = "cli")]
pub mod telemetry;

//! The page of the documentation is made of the table.

use super::super::words::{Fate, MappingKind};

/// The tables of the page, one for each mapping.
fn tables() -> String {
    let mut text = String::new();
    for place in MappingKind::ALL {
        let heading = match place {
            MappingKind::Top => "At the top".to_owned(),
            MappingKind::Reference => {
                "In `envVars.fromDatabase`, `envVars.fromService`, `envVars.fromCache`".to_owned()
            }
            MappingKind::Database => {
                "In `databases`, `caches`, and `services` of the type of a database".to_owned()
            }
            MappingKind::Group => "In `envVarGroups`, `envGroups`".to_owned(),
            other => format!("In `{}`", other.path()),
        };
        text += &format!("### {heading}\n\n| Word | Becomes |\n|---|---|\n");
        for (word, fate) in place.words() {
            match fate {
                Fate::Home(home) => text += &format!("| `{word}` | {home} |\n"),
                Fate::Without(reason) => text += &format!("| `{word}` | left out: {reason} |\n"),
            }
        }
        text += "\n";
    }
    text
}

#[test]
fn the_page_of_the_documentation_is_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/blueprint.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, rest) = page.split_once("## The words\n\n").unwrap();
    assert_eq!(rest.trim_end(), tables().trim_end(), "write it as:\n{}", tables());
}

//! What is refused, and in which words: nothing held back looks like "nothing to do", nothing edited
//! like what was reviewed, nothing unseen like what is read.

use super::commands::{Machine};

fn services(names: &[&str]) -> String {
    let document = |name: &&str| {
        format!(
            "---\napiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{name: {name}}}\n\
             spec: {{type: web, image: nginx, port: 8080}}\n"
        )
    };
    names.iter().map(document).collect()
}

#[test]
fn no_form_of_output_shows_what_is_not_seen() {
    let machine = Machine::new();
    let tricky = services(&["a"]).replace("port: 8080", "startCommand: \"a\u{202e}b\u{200b}c\"");
    machine.write("a.yaml", &tricky);
    let mut outputs = Vec::new();
    for command in ["render a.yaml", "render a.yaml -o json", "validate a.yaml"] {
        outputs.push((command, machine.run(command).says(0, &[])));
    }
    let commands = ["plan a.yaml", "plan a.yaml -o yaml", "plan a.yaml -o json", "apply a.yaml -y"];
    let afterwards = ["export", "describe service/a -o yaml", "describe service/a"];
    for command in commands.into_iter().chain(afterwards) {
        outputs.push((command, machine.run(&format!("{command} --sandbox")).says(0, &[])));
    }
    for (command, ran) in outputs {
        let text = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!text.contains(['\u{202e}', '\u{200b}']), "{command}: {text}");
    }
    machine.run("plan a.yaml --sandbox").says(0, &["No changes."]);
}

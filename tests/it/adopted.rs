//! `stoker adopt --all`: what is declared and lives is handed over at once, and nothing else is.

use crate::commands::Machine;

fn service(name: &str) -> String {
    format!(
        "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n\
         spec: {{ type: web, image: nginx }}\n---\n"
    )
}

/// The rows of what is ours, as the platform is asked.
fn owned(machine: &Machine) -> Vec<(String, String)> {
    let ran = machine.run("get services --sandbox");
    let rows = ran.stdout.lines().skip(1).map(|row| {
        let cells: Vec<&str> = row.split("   ").filter(|cell| !cell.is_empty()).collect();
        (cells[0].trim().to_owned(), cells[3].trim().to_owned())
    });
    rows.filter(|(_, owned)| owned != "—").collect()
}

fn rows(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(key, owned)| ((*key).to_owned(), (*owned).to_owned())).collect()
}

/// A machine before a platform where `a`, `b` and `c` live and are not ours, and `d` does not live.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.write("all.yaml", &["a", "b", "c"].map(service).concat());
    machine.run("apply all.yaml --sandbox -y").says(0, &[]);
    machine.run("release service/a service/b service/c --sandbox").says(0, &[]);
    machine
}

#[test]
fn what_is_declared_and_lives_is_adopted_after_one_answer_and_nothing_else() {
    let machine = machine();
    machine.write("all.yaml", &["a", "b", "d"].map(service).concat());
    let adopt = "adopt --all --from all.yaml --sandbox";
    machine.run(adopt).says(64, &["service/a", "service/b", "not a terminal", "--auto-approve"]);
    assert_eq!(owned(&machine), []);
    let ran = machine.run(&format!("{adopt} -y"));
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert_eq!(owned(&machine), rows(&[("service/a", "adopted"), ("service/b", "adopted")]));
    machine.run(&format!("{adopt} -y")).says(0, &["Nothing that is declared and lives is left"]);
}

#[test]
fn what_was_taken_over_by_its_name_is_handed_over_and_what_was_created_stays_created() {
    let machine = machine();
    machine.write("all.yaml", &["a", "d"].map(service).concat());
    machine.run("apply all.yaml --sandbox -y").says(0, &[]);
    assert_eq!(owned(&machine), rows(&[("service/a", "named"), ("service/d", "created")]));
    machine.run("adopt --all --from all.yaml --sandbox -y").says(0, &["service/a is ours now"]);
    assert_eq!(owned(&machine), rows(&[("service/a", "adopted"), ("service/d", "created")]));
}

#[test]
fn all_and_a_name_are_wrong_usage_and_so_are_neither_and_manifests_without_all() {
    let machine = Machine::new();
    for wrong in ["adopt", "adopt --all service/a", "adopt service/a --from all.yaml"] {
        assert_eq!(machine.run(&format!("{wrong} --sandbox")).exit, 64, "{wrong}");
    }
}

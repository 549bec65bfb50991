//! Projects, overlays and variables, as a person uses them, and what the laws say of them.

use crate::commands::Machine;

/// Begins a document of a service.
fn service(name: &str) -> String {
    format!("apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {{ name: {name} }}\n")
}

/// A machine on which six services and a protected database live, all ours.
fn living() -> Machine {
    let machine = Machine::new();
    let mut base = "apiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: { name: main }\n\
        spec: { type: postgres, plan: standard }\nlifecycle: { protect: true }\n"
        .to_owned();
    for index in 0..6 {
        let head = service(&format!("s{index}"));
        base += &format!("---\n{head}spec: {{ type: web, image: nginx, plan: starter }}\n");
    }
    machine.write("base.yaml", &base);
    machine.run("apply base.yaml --sandbox -y").says(0, &["7 done"]);
    machine
}

#[test]
fn what_a_layer_leaves_out_is_absent_and_the_fuse_counts_it() {
    let machine = living();
    let left_out = |count: usize| {
        let omit = |index| format!("{}omit: true\n", service(&format!("s{index}")));
        (0..count).map(omit).collect::<Vec<_>>().join("---\n")
    };
    machine.write("over.yaml", &left_out(1));
    let plan = "plan base.yaml --overlay over.yaml --sandbox";
    machine.run(plan).says(0, &["service/s0  delete blocked", "pruning is off"]);
    machine.run(&format!("{plan} --prune")).says(0, &["1 to destroy"]);
    machine.write("over.yaml", &left_out(5));
    let ran = machine.run(&format!("{plan} --prune"));
    ran.says(0, &["5 deletes, and one run may do", "none is done", "0 to destroy"]);
}

#[test]
fn what_is_protected_and_left_out_by_a_layer_is_not_deleted() {
    let machine = living();
    let omit = "apiVersion: stackblaze.cloud/v1\nkind: Database\nmetadata: { name: main }\n\
                omit: true\n";
    machine.write("over.yaml", omit);
    let plan = "plan base.yaml --overlay over.yaml --sandbox --prune --max-deletes 9";
    machine.run(plan).says(0, &["database/main  delete blocked", "0 to destroy"]);
}

#[test]
fn a_layer_that_cannot_be_used_refuses_the_whole_and_nothing_is_written() {
    let machine = living();
    machine.write("over.yaml", &format!("{}spec: {{ port: 1 }}\n", service("s00")));
    for command in ["plan", "apply -y", "drift"] {
        let ran = machine.run(&format!("{command} base.yaml --overlay over.yaml --sandbox"));
        ran.says(65, &["overlay-nothing", "over.yaml:1", "nothing was written"]);
    }
    machine.run("plan base.yaml --overlay base.yaml --sandbox").says(65, &["in it and in what"]);
    machine.run("plan base.yaml --overlay gone --sandbox").says(65, &["no such file"]);
    machine.run("plan base.yaml --sandbox").says(0, &["No changes."]);
}

#[test]
fn a_secret_in_a_layer_is_shown_nowhere() {
    let machine = Machine::new();
    machine.write("base.yaml", &format!("{}spec: {{ type: web, image: nginx }}\n", service("api")));
    let spec = |port: &str| {
        format!(
            "{}spec:\n  envVars:\n    - {{ key: API_PASSWORD, value: CANARY-in-a-layer }}\n  \
             port: {port}\n",
            service("api")
        )
    };
    let layered = "base.yaml --overlay over.yaml";
    for port in ["3000", "many"] {
        machine.write("over.yaml", &spec(port));
        for command in [
            "validate",
            "render",
            "render --places",
            "plan --sandbox -o json",
            "why service/api.port --sandbox",
            "apply --sandbox -y",
        ] {
            let (command, flags) = command.split_once(' ').unwrap_or((command, ""));
            let ran = match command {
                "why" => machine.run(&format!("why {flags}")),
                _ => machine.run(&format!("{command} {layered} {flags}")),
            };
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("CANARY"), "{command} {flags}: {said}");
        }
    }
}

#[test]
fn an_agent_keeps_what_its_layers_come_to() {
    let machine = Machine::new();
    machine.write(
        "base.yaml",
        &format!("{}spec: {{ type: web, image: nginx, port: \"${{PORT}}\" }}\n", service("api")),
    );
    machine.write("over.yaml", &format!("{}spec: {{ plan: pro }}\n", service("api")));
    machine.write("vars.yaml", "PORT: 3000\n");
    machine.write(
        "stoker.yaml",
        "sandbox: true\nlisten: off\nonce: true\npaths: [base.yaml]\noverlays: [over.yaml]\n\
         varsFile: vars.yaml\nvars: { PORT: 4000 }\n",
    );
    machine.run("run").says(0, &[]);
    machine.run("describe service/api --live").says(0, &["pro", "4000"]);
    machine.run("plan base.yaml").says(0, &["No changes."]);
    machine.run("plan base.yaml --var PORT=5000").says(0, &["4000 -> 5000"]);
    machine.write("over.yaml", "kind: Service\n");
    machine.run("run").says(65, &[]);
}

/// Two projects of one repository, each in a sandbox of its own.
const PROJECTS: &str = "\
sandbox: true
paths: [base.yaml]
projects:
  - name: dev
    vars: { PORT: 3000 }
  - name: prod
    vars: { PORT: 80 }
    overlays: [over.yaml]
";

fn projects() -> Machine {
    let machine = Machine::new();
    machine.write(
        "base.yaml",
        &format!("{}spec: {{ type: web, image: nginx, port: \"${{PORT}}\" }}\n", service("api")),
    );
    machine.write("over.yaml", &format!("{}spec: {{ plan: pro }}\n", service("api")));
    machine.write("stoker.yaml", PROJECTS);
    machine
}

#[test]
fn a_project_is_meant_by_its_name_in_every_command() {
    let machine = projects();
    machine.run("apply --project dev -y").says(0, &["1 done", "3000"]);
    machine.run("plan --project dev").says(0, &["No changes."]);
    machine.run("plan --project prod").says(0, &["1 to add", "pro", "80"]);
    machine.run("apply --project prod -y").says(0, &["1 done"]);
    for command in
        ["get", "drift", "export", "doctor", "deployments service/api", "why service/api.port"]
    {
        machine.run(&format!("{command} --project prod")).says(0, &[]);
    }
    machine.run("validate --project prod").says(0, &["Valid: 1 resource."]);
    machine.run("run --once --listen off --project dev").says(0, &[]);
    let mut by_variable = machine.command("render");
    by_variable.env("STOKER_PROJECT", "prod");
    crate::commands::Ran::of(by_variable).says(0, &["plan: pro", "port: 80"]);
}

#[test]
fn a_name_that_is_not_there_or_is_missing_is_wrong_usage_and_never_another_project() {
    let machine = projects();
    for command in [
        "plan",
        "apply -y",
        "drift",
        "validate",
        "export",
        "doctor",
        "logs service/api",
        "run --once",
    ] {
        let ran = machine.run(&format!("{command} --project pord"));
        ran.says(64, &["list no project `pord`", "did you mean `prod`?"]);
    }
    for command in [
        "plan base.yaml --var PORT=1 --out plan.json",
        "apply base.yaml --var PORT=1 -y",
        "export",
        "logs service/api",
    ] {
        let ran = machine.run(command);
        ran.says(64, &["several projects", "dev, prod", "--project"]);
    }
}

/// A token goes to the project that names it (S5).
#[test]
fn a_project_never_takes_the_token_of_the_environment() {
    let machine = projects();
    machine.write(
        "stoker.yaml",
        "apiUrl: http://127.0.0.1:9\nprojects:\n  - { name: dev, tokenEnv: DEV_TOKEN }\n  - { name: prod, tokenEnv: PROD_TOKEN }\n",
    );
    let mut command = machine.command("export --project prod");
    command.env("STACKBLAZE_TOKEN", "sb_live_other").env("DEV_TOKEN", "sb_live_dev");
    let ran = crate::commands::Ran::of(command).says(3, &["PROD_TOKEN"]);
    assert!(!ran.stderr.contains("127.0.0.1"), "{}", ran.stderr);
}

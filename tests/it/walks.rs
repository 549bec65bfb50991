//! The console blocks of pages are run, in order, as a new user would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One command of a page, and what it should print.
struct Typed {
    command: String,
    expected: String,
}

/// Reads the console blocks: `$ ` begins a command, the rest is its stdout, in which `...` on a
/// line stands for any lines.
fn typed(page: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        match line {
            "```console" => is_inside = true,
            "```" => is_inside = false,
            _ if !is_inside => {}
            _ => match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => {
                    commands.push(Typed { command: command.to_owned(), expected: String::new() });
                }
                (None, Some(last)) => last.expected += &format!("{line}\n"),
                (None, None) => panic!("output without a command: {line}"),
            },
        }
    }
    commands
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// A folder in which a page is walked, and where state is kept.
struct Place {
    home: PathBuf,
    folder: PathBuf,
    state: Option<String>,
}

impl Place {
    /// A folder without anything, in a home without anything.
    fn bare(home: &Path) -> Self {
        Self { home: home.to_owned(), folder: home.to_owned(), state: None }
    }

    /// Runs a script as a shell of a new user would.
    fn run(&self, script: &str) -> Output {
        let binary = Path::new(env!("CARGO_BIN_EXE_stoker")).parent().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(&self.folder).env_clear();
        command.env("PATH", format!("{}:/usr/bin:/bin", binary.display())).env("HOME", &self.home);
        command.envs(self.state.iter().map(|state| ("STOKER_STATE", state)));
        command.output().unwrap()
    }
}

/// Reads a page.
fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the blocks of shell of a text, in a list or not.
fn scripts(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut is_inside = false;
    for line in text.lines().map(str::trim) {
        match line {
            "```sh" => {
                is_inside = true;
                blocks.push(String::new());
            }
            "```" => is_inside = false,
            _ if is_inside => blocks.last_mut().unwrap().extend([line, "\n"]),
            _ => {}
        }
    }
    blocks
}

fn walk(name: &str, place: &Place) {
    let commands = typed(&page(name));
    assert!(commands.len() > 5, "{name} lost its walk");
    for Typed { command, expected } in commands {
        let ran = place.run(&command);
        let stdout = String::from_utf8(ran.stdout).unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.status.success(), "{name}: $ {command}\n{stdout}{stderr}");
        snapbox::assert_data_eq!(stdout.as_str(), expected.as_str());
    }
}

/// Makes a clone that holds the manifests, and says what git sees of it afterwards.
fn clone(directory: &Path) -> Place {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let folder = directory.join("clone");
    copy(&manifests, &folder.join("manifests"));
    let home = directory.join("home");
    std::fs::create_dir(&home).unwrap();
    let clone = Place { home, folder, state: None };
    let ran = clone.run(
        "git init -q . && git add . && \
         git -c user.name=a -c user.email=a@example.org commit -qm manifests",
    );
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    clone
}

#[test]
fn the_readme_shows_what_a_new_user_sees_and_leaves_the_clone_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let clone = clone(directory.path());
    // What was tried before the walk stays as it is, too.
    assert!(clone.run("stoker apply --sandbox --auto-approve").status.success());
    let readme = page("README.md");
    let begun = scripts(&readme).into_iter().find(|block| block.contains("STOKER_STATE")).unwrap();
    let ran = clone.run(&format!("{begun}pwd\necho $STOKER_STATE"));
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).unwrap();
    let (folder, state) = said.trim().split_once('\n').unwrap();
    let place =
        Place { home: clone.home.clone(), folder: folder.into(), state: Some(state.to_owned()) };
    walk("README.md", &place);
    let seen = clone.run("git status --porcelain --ignored; stoker plan --sandbox | head -1");
    assert_eq!(String::from_utf8(seen.stdout).unwrap(), "No changes. 5 unchanged.\n");
}

#[test]
fn a_resource_lives_as_its_page_tells() {
    let directory = tempfile::tempdir().unwrap();
    walk("docs/lifecycle.md", &Place::bare(directory.path()));
}

#[test]
fn the_forms_for_programs_are_read_as_their_page_tells() {
    if !Path::new("/usr/bin/jq").is_file() {
        // The examples are for who has it; the schemas are held without.
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    copy(&manifests, &directory.path().join("manifests"));
    walk("docs/json.md", &Place::bare(directory.path()));
}

#[test]
fn secrets_are_listed_and_rotate_as_their_page_tells() {
    let directory = tempfile::tempdir().unwrap();
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    copy(&manifests, &directory.path().join("manifests"));
    walk("docs/secrets.md", &Place::bare(directory.path()));
}

#[test]
fn one_repository_keeps_many_environments_as_its_page_tells() {
    let directory = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/environments");
    let place = Place::bare(directory.path());
    let copied = place.run(&format!("cp -r '{}/.' .", example.display()));
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    walk("docs/environments.md", &place);
}

/// What lives on an account before anybody heard of Stoker.
const POPULATED: &str = "apiVersion: stackblaze.cloud/v1
kind: EnvGroup
metadata: { name: shared }
spec: { envVars: [{ key: LOG_LEVEL, value: info }, { key: SESSION_KEY, value: canary-of-a-group }] }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: main }
spec: { type: postgres, version: '16', plan: standard }
---
apiVersion: stackblaze.cloud/v1
kind: Database
metadata: { name: cache }
spec: { type: redis, plan: starter }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: web }
spec:
  type: web
  repo: github.com/acme/shop
  plan: standard
  envGroups: [shared]
  envVars:
    - { key: GREETING, value: hello }
    - { key: STRIPE_KEY, value: canary-of-a-service }
    - { key: DATABASE_URL, fromDatabase: { name: main, property: connectionString } }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: mailer }
spec: { type: worker, image: nginx, envGroups: [shared], scaling: { minInstances: 1, maxInstances: 3 } }
---
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: cleanup }
spec: { type: cron, schedule: '30 3 * * *', image: nginx }
";

#[test]
fn the_part_with_a_real_account_holds_on_one_that_is_full() {
    let (machine, mut sandbox, url) = crate::commands::served("");
    machine.write("all.yaml", POPULATED);
    let account = format!("STACKBLAZE_API_URL={url} STACKBLAZE_TOKEN=sb_live_emulator");
    let others = Place::bare(&machine.path("others"));
    std::fs::create_dir(&others.folder).unwrap();
    let made = others.run(&format!("{account} stoker apply ../all.yaml -y --wait"));
    let directory = tempfile::tempdir().unwrap();
    let place = Place::bare(directory.path());
    let readme = page("README.md");
    let (_, part) = readme.split_once("## With a real account").unwrap();
    let (part, _) = part.split_once("5. Or leave it running.").unwrap();
    let blocks = scripts(part);
    // Each block goes on where the one before it ended.
    let mut ran = Vec::new();
    for (at, block) in blocks.iter().enumerate() {
        let folder = if at > 1 { "cd shop\n" } else { "" };
        let block = block.replace("export STACKBLAZE_TOKEN=sb_live_…\n", "");
        ran.push(place.run(&format!("set -e\nexport {account}\n{folder}{block}")));
    }
    let adopted = place.run(&format!(
        "export {account}\ncd shop\nstoker adopt service/web && \
         stoker plan --detailed-exitcode && stoker get service/web"
    ));
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let texts: Vec<String> = ran
        .iter()
        .map(|ran| {
            let all = [ran.stdout.as_slice(), ran.stderr.as_slice()].concat();
            let text = String::from_utf8(all).unwrap();
            assert!(ran.status.success(), "{:?}: {text}", ran.status);
            text
        })
        .collect();
    assert_eq!(texts.len(), 4, "{texts:#?}");
    let planned = "0 to add, 0 to change, 0 to destroy, 6 to adopt";
    assert!(texts[1].contains(planned) && readme.contains(planned), "{}", texts[1]);
    let manifests = std::fs::read_to_string(place.folder.join("shop/manifests/live.yaml")).unwrap();
    assert!(manifests.contains("GREETING") && manifests.contains("STRIPE_KEY"), "{manifests}");
    for text in texts.iter().chain([&manifests]) {
        assert!(!text.contains("canary-of"), "a secret is shown: {text}");
    }
    let said = String::from_utf8_lossy(&adopted.stdout);
    assert!(adopted.status.success(), "{said}{}", String::from_utf8_lossy(&adopted.stderr));
    assert!(said.contains("No changes.") && said.contains("adopted"), "{said}");
}

//! Stoker as a step of a pipeline: what it leaves for GitHub Actions, and the scripts in `deploy/`
//! that put a plan on a pull request, run against a code host that is played here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A step of GitHub Actions: a directory with one manifest and the runner's files.
struct Step(tempfile::TempDir);

const SERVICE: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: {name: api}\n\
    spec: {type: web, image: nginx}\n";

impl Step {
    fn with(manifest: &str) -> Self {
        let step = Self(tempfile::tempdir().unwrap());
        std::fs::write(step.at("api.yaml"), manifest).unwrap();
        step
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the binary as a step, and returns its exit code with what it printed on stderr.
    fn stoker(&self, arguments: &str) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().stdin(Stdio::null()).current_dir(self.0.path());
        command.env("GITHUB_ACTIONS", "true");
        command.env("GITHUB_STEP_SUMMARY", self.at("summary"));
        command.env("GITHUB_OUTPUT", self.at("outputs"));
        command.args(arguments.split_whitespace()).arg("--state").arg(self.at("state"));
        let ran = command.output().unwrap();
        (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap())
    }

    fn read(&self, name: &str) -> String {
        read(&self.at(name))
    }

    /// Returns the value of an output, as the runner reads its file.
    fn output(&self, name: &str) -> Option<String> {
        let text = self.read("outputs");
        let mut lines = text.lines();
        let mut value = None;
        while let Some((found, mark)) = lines.next().and_then(|line| line.split_once("<<")) {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != mark).collect();
            if found == name {
                value = Some(block.join("\n"));
            }
        }
        value
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn a_plan_goes_into_the_steps_summary_and_outputs_in_whatever_form_it_is_printed() {
    for form in ["text", "json", "markdown"] {
        let step = Step::with(SERVICE);
        let (exit, _) = step.stoker(&format!("plan api.yaml --sandbox -o {form}"));
        assert_eq!(exit, 0);
        assert!(step.read("summary").starts_with(stoker::render::MARKER), "{form}");
        assert_eq!(step.output("add").as_deref(), Some("1"), "{form}");
        assert_eq!(step.output("pending").as_deref(), Some("true"), "{form}");
    }
}

#[test]
fn an_apply_adds_what_became_of_the_plan() {
    for form in ["text", "json"] {
        let step = Step::with(SERVICE);
        let (exit, stderr) = step.stoker(&format!("apply api.yaml --sandbox -y -o {form}"));
        assert_eq!(exit, 0, "{stderr}");
        let summary = step.read("summary");
        assert_eq!(summary.matches(stoker::render::MARKER).count(), 1, "{summary}");
        assert!(summary.ends_with("### Applied&#58; 1 done.\n\n"), "{summary}");
    }
}

#[test]
fn a_mistake_is_put_beside_its_line_and_a_failure_above_the_log() {
    let step = Step::with(&SERVICE.replace("type: web", "type: wbe"));
    let (exit, stderr) = step.stoker("validate api.yaml");
    assert_eq!(exit, 65);
    assert!(
        stderr.contains("::error file=api.yaml,line=4,col=14,title=service-type::"),
        "{stderr}"
    );
    assert_eq!(stderr.matches("::error ").count(), 1, "{stderr}");

    let step = Step::with(SERVICE);
    let (exit, stderr) = step.stoker("plan api.yaml -o json");
    assert_ne!(exit, 0);
    assert!(stderr.lines().any(|line| line.starts_with("::error title=")), "{stderr}");
}

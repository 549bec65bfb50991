//! Plans a stack and applies it, against an emulator in this process: the library without the
//! command line.
//!
//! ```text
//! cargo run --example embed
//! ```

use std::sync::Arc;

use stoker::api::{Endpoint, Token};
use stoker::apply::Execution;
use stoker::clock::Clock;
use stoker::emulator::{self, Emulator, EmulatorConfig};
use stoker::manifest;
use stoker::model::Desired;
use stoker::plan::Policy;
use stoker::project::ProjectParts;
use stoker::render::{Estimate, plan_as_text, report_as_text};
use stoker::sandbox::{SANDBOX_ENDPOINT, SandboxTransport, emulator_clock};
use stoker::secret::{self, Finders, FingerprintKey, FoundValues};
use stoker::source::Tree;

const STACK: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: hello }
spec: { type: web, runtime: node, repo: github.com/acme/hello, port: 3000 }
";

#[expect(clippy::print_stdout, reason = "an example prints")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let platform = Emulator::new(EmulatorConfig::default(), emulator_clock(&Clock::system()));
    let directory = tempfile::tempdir()?;
    let project = ProjectParts::new(
        Endpoint::parse(SANDBOX_ENDPOINT)?,
        Token::parse(emulator::TOKEN)?,
        Arc::new(SandboxTransport::new(platform)),
        directory.path().into(),
    )
    .open()?;
    let planned = project.plan(desired()?, &Policy::default()).await?;
    print!("{}", plan_as_text(&planned.plan, &Estimate::default()).to_plain());
    let report = project.apply(&planned, Execution::default()).await?;
    print!("{}", report_as_text(&report).to_plain());
    project.close();
    Ok(())
}

/// Reads the stack and finds the values of its variables.
fn desired() -> Result<Desired, Box<dyn std::error::Error>> {
    let tree = Tree::from_texts([("stack.yaml", STACK)]);
    let loaded = manifest::load(&tree);
    let declared = loaded.desired.ok_or_else(|| format!("{:?}", loaded.diagnostics))?;
    let key = FingerprintKey::ephemeral()?;
    let found = FoundValues::of(&declared, &tree, &Finders::of_environment(&|_| None));
    let resolved = secret::resolve(declared, &tree, &found, &key);
    resolved.map_err(|diagnostics| format!("{diagnostics:?}").into())
}

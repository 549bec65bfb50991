//! Plans a stack against an emulator in this process: the library without the command line.
//!
//! ```text
//! cargo run --example embed
//! ```

use std::sync::Arc;

use stoker::api::{Client, ClientConfig, ClientParts, Dialect, Endpoint, Recollection, Token};
use stoker::budget::{self, Millis};
use stoker::clock::Clock;
use stoker::emulator::{self, Emulator};
use stoker::ledger::Ledger;
use stoker::model::Inventory;
use stoker::plan::{Policy, plan};
use stoker::reconcile::refresh;
use stoker::render::{Estimate, plan_as_text};
use stoker::sandbox::{SANDBOX_ENDPOINT, SandboxTransport, emulator_clock};
use stoker::secret::{self, Finders, FingerprintKey, FoundValues};
use stoker::source::Tree;
use stoker::{manifest, model::Desired};

const STACK: &str = "
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: hello }
spec: { type: web, runtime: node, repo: github.com/acme/hello, port: 3000 }
";

#[expect(clippy::print_stdout, reason = "an example prints")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clock = Clock::system();
    let emulator = Emulator::new(emulator::EmulatorConfig::default(), emulator_clock(&clock));
    let now = Millis(u64::try_from(clock.now().as_millisecond())?);
    let client = Client::new(ClientParts {
        endpoint: Endpoint::parse(SANDBOX_ENDPOINT)?,
        token: Token::parse(emulator::TOKEN)?,
        transport: Arc::new(SandboxTransport::new(emulator)),
        ledger: Arc::new(Ledger::in_memory(budget::BudgetConfig::default(), now)),
        clock: clock.clone(),
        dialect: Dialect::default(),
        config: ClientConfig::default(),
    });
    let snapshot = refresh(
        &client.reader(),
        desired()?.into(),
        Inventory::default().into(),
        &clock,
        &mut Recollection::default(),
    )
    .await?;
    let paper = plan_as_text(&plan(&snapshot, &Policy::default()), &Estimate::default());
    print!("{}", paper.to_plain());
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

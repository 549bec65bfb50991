//! The command line: the only room that prints, and the only one that reads the environment.
//!
//! One file a command. Each turns flags into settings, calls the rooms below, and prints.

mod environment;
mod exit;
mod failure;
mod values;

mod arguments;
mod called;
mod settings;

mod interrupt;
mod output;
mod run;
mod session;
mod world;

mod ask;
mod endings;
mod find;
mod manifests;
mod planning;
mod progress;
mod saved;

mod apply;
mod destroy;
mod drift;
mod export;
mod offline;
mod ownership;
mod plan;

mod deploy;
mod deployments;
mod describe;
mod doctor;
mod facts;
mod get;
mod logs;
mod meta;
mod metrics;
mod rights;
mod rollback;
mod sandbox;
mod simulate;
mod wait;

use std::process::ExitCode;

use crate::telemetry;

use arguments::{Command, LogForm};
pub use environment::Environment;
pub use exit::Exit;
use failure::Failure;
use interrupt::Interrupt;
use run::Run;

/// Runs the program as the process was called, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_the_process();
    let arguments = match called::parse(&environment) {
        Ok(arguments) => arguments,
        Err(error) => return called::wrongly(&error, &environment),
    };
    let run = match Run::new(environment, &arguments.global) {
        Ok(run) => run,
        Err(failure) => {
            Run::bare(&arguments.global).output.failure(&failure);
            return failure.exit.into();
        }
    };
    start_log(&run);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("failed to start: {error}");
            run.output.failure(&Failure::new(Exit::Failed, "runtime", message));
            return Exit::Failed.into();
        }
    };
    let exit = match runtime.block_on(until_interrupted(&run, &arguments.command)) {
        Ok(exit) => exit,
        Err(failure) => {
            run.output.failure(&failure);
            failure.exit
        }
    };
    // What still runs is a connection nobody reads from any more.
    runtime.shutdown_background();
    exit.into()
}

fn start_log(run: &Run) {
    let level = match run.global.verbose {
        0 => telemetry::Level::Warnings,
        1 => telemetry::Level::Debug,
        _ => telemetry::Level::Trace,
    };
    let form = match run.global.log_format {
        LogForm::Json => telemetry::Form::Json,
        LogForm::Text if run.output.colours_stderr() => telemetry::Form::Coloured,
        LogForm::Text => telemetry::Form::Plain,
    };
    telemetry::start(level, form);
}

/// Runs a command. A signal ends it where it stands, except those that end in an orderly way by
/// themselves: they finish and record what is in flight.
async fn until_interrupted(run: &Run, command: &Command) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen()?;
    let ends_itself = match command {
        Command::Apply(_) | Command::Destroy(_) | Command::Sandbox(_) => true,
        // A probe cleans up after itself.
        Command::Doctor(doctor) => doctor.probe,
        _ => false,
    };
    tokio::select! {
        ended = dispatch(run, command, &interrupt) => ended,
        exit = interrupt.came(), if !ends_itself => Ok(exit),
    }
}

async fn dispatch(run: &Run, command: &Command, interrupt: &Interrupt) -> Result<Exit, Failure> {
    match command {
        Command::Plan(command) => plan::run(run, command).await,
        Command::Apply(command) => apply::run(run, command, interrupt).await,
        Command::Drift(command) => drift::run(run, command).await,
        Command::Validate(sources) => offline::validate(run, sources),
        Command::Render(sources) | Command::Convert(sources) => offline::print(run, sources),
        Command::Schema => offline::schema(run),
        Command::Export(command) => export::run(run, command).await,
        Command::Adopt(command) => ownership::adopt(run, command).await,
        Command::Release(command) => ownership::release(run, command).await,
        Command::Destroy(command) => destroy::run(run, command, interrupt).await,
        Command::Get(command) => get::run(run, command).await,
        Command::Describe(command) => describe::run(run, command).await,
        Command::Deploy(command) => deploy::run(run, command).await,
        Command::Deployments(command) => deployments::run(run, command).await,
        Command::Rollback(command) => rollback::run(run, command).await,
        Command::Doctor(command) => doctor::run(run, command, interrupt).await,
        Command::Logs(command) => logs::run(run, command).await,
        Command::Metrics(command) => metrics::run(run, command).await,
        Command::Sandbox(command) => sandbox::run(run, command, interrupt).await,
        Command::Simulate(command) => simulate::run(run, command).await,
        Command::Completions { shell } => meta::completions(run, *shell),
        Command::Man => meta::man(run),
        Command::Version => meta::version(run),
        Command::Wait(command) => wait::run(run, command).await,
    }
}

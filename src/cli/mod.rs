//! The command line: the only room that prints, and the only one that reads the environment.
//!
//! A command is a file or a folder. It turns flags into settings, calls the rooms below, and prints.

mod code;
mod environment;
mod exit;
mod failure;
mod labels;
mod until;
mod values;

mod arguments;
mod called;
mod character;
mod settings;

mod closing;
mod completion;
mod context;
mod forms;
mod github;
mod hold;
mod interrupt;
mod output;
mod place;
mod session;
mod size;
mod world;

mod ask;
mod beside;
mod endings;
mod find;
mod last_look;
mod manifests;
mod planning;
mod policies;
mod progress;
mod projects;
mod saved;

mod accept;
mod apply;
mod config;
mod destroy;
mod drift;
mod explain;
mod export;
mod import;
mod init;
mod offline;
mod ownership;
mod pass;
mod plan;
mod policy;

mod remote;
mod why;

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
mod rotate;
mod run;
mod sandbox;
mod secrets;
mod simulate;
mod state;
mod wait;
mod waits;

#[cfg(test)]
mod troubleshooting;

use std::process::ExitCode;
use std::sync::Arc;

use crate::telemetry;

use arguments::{Arguments, Command, LogForm, OutputFormat};
use character::Character;
use code::ErrorCode;
use context::Context;
pub use environment::Environment;
pub use exit::Exit;
use failure::Failure;
use interrupt::Interrupt;
use offline::Printing;

/// Runs the program as the process was called, and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_the_process();
    if completion::answered(&environment) {
        return Exit::Done.into();
    }
    let (arguments, given) = match called::parse(&environment) {
        Ok(called) => called,
        Err(error) => return called::wrongly(&error, &environment),
    };
    let made = if arguments.command.character().is_of_program {
        Ok(Context::of_program(environment, &arguments.global, given))
    } else {
        Context::new(environment, &arguments.global, given)
    };
    let context = match made {
        Ok(context) => context,
        Err(failure) => {
            let output = Context::bare(&arguments.global).output;
            output.diagnostics(&failure.diagnostics);
            output.failure(&failure);
            return failure.exit.into();
        }
    };
    start_log(&context, &arguments.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let message = format!("failed to start: {error}");
            context.output.failure(&Failure::new(ErrorCode::Runtime, message));
            return Exit::Failed.into();
        }
    };
    let exit = match runtime.block_on(until_interrupted(&context, &arguments)) {
        Ok(exit) => exit,
        Err(failure) => {
            context.output.failure(&failure);
            failure.exit
        }
    };
    context.close(&arguments.command, exit);
    // What still runs is a connection nobody reads from any more.
    runtime.shutdown_background();
    let exit = context.output.end(exit);
    telemetry::finish();
    exit.into()
}

fn start_log(context: &Context, command: &Command) {
    let level = match context.global.verbose {
        // Of what lives for months, the log is all that is left to read.
        0 if matches!(command, Command::Run(_)) => telemetry::LogLevel::Info,
        // Its agents meet every trouble there is: what they log of it is no news to anybody.
        0 if matches!(command, Command::Simulate(_)) => telemetry::LogLevel::Said,
        0 => telemetry::LogLevel::Warnings,
        1 => telemetry::LogLevel::Debug,
        _ => telemetry::LogLevel::Trace,
    };
    let is_watched = context.output.is_watched();
    let form = match context.global.log_format {
        LogForm::Json => telemetry::LogFormat::Json,
        // Who asks for more is looking for a fault, and wants every field.
        LogForm::Text if is_watched && context.global.verbose == 0 => {
            telemetry::LogFormat::Watched { is_coloured: context.output.colours_stderr() }
        }
        LogForm::Text if context.output.colours_stderr() => telemetry::LogFormat::Coloured,
        LogForm::Text => telemetry::LogFormat::Plain,
    };
    let delivery = match command {
        Command::Run(_) => telemetry::Backpressure::Queued,
        _ => telemetry::Backpressure::Direct,
    };
    telemetry::start(level, form, delivery);
}

/// Runs a command. A signal ends it where it stands, except those that end in an orderly way by
/// themselves: they finish and record what is in flight.
async fn until_interrupted(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let interrupt = Interrupt::listen(Arc::clone(&context.is_typing))?;
    let Character { ends_itself, .. } = arguments.command.character();
    // The agent waits as a matter of course, and shows its budget by other means.
    let tells_waits = !matches!(arguments.command, Command::Run(_));
    tokio::select! {
        ended = dispatch(context, arguments, &interrupt) => ended,
        never = waits::tell(context), if tells_waits => match never {},
        exit = interrupt.came(), if !ends_itself => Ok(exit),
    }
}

async fn dispatch(
    context: &Context,
    arguments: &Arguments,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let command = &arguments.command;
    let Character { name, is_data, is_of_all, .. } = command.character();
    if is_data && context.output.form() == OutputFormat::Markdown {
        return Err(offline::no_such_form(name, "markdown"));
    }
    if context.global.is_of_names() && !matches!(command, Command::Get(_)) {
        return Err(offline::no_such_form(name, "name").hint("`stoker get` prints names"));
    }
    if is_of_all && !context.unnamed_projects().is_empty() {
        let one = async |context: &Context| carry(context, arguments, interrupt).await;
        return projects::side_by_side(context, command, one).await;
    }
    carry(context, arguments, interrupt).await
}

async fn carry(
    context: &Context,
    arguments: &Arguments,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let Arguments { global, command } = arguments;
    match command {
        Command::Init(command) => init::run(context, command),
        Command::Plan(command) => plan::run(context, command).await,
        Command::Apply(apply) => apply::run(context, command, apply, interrupt).await,
        Command::Run(command) => run::run(context, global, command, interrupt).await,
        Command::Drift(command) => drift::run(context, command).await,
        Command::Accept(command) => accept::run(context, command).await,
        Command::Validate(command) => offline::validate(context, command),
        Command::Render(command) => offline::render(context, command),
        Command::Convert(sources) => offline::print(context, sources, Printing::Plain),
        Command::Schema(command) => offline::schema(context, command),
        Command::Explain(command) => explain::run(context, command),
        Command::Import(command) => import::run(context, command),
        Command::Export(command) => export::run(context, command).await,
        Command::Adopt(command) => ownership::adopt(context, command, interrupt).await,
        Command::Release(command) => ownership::release(context, command).await,
        Command::Destroy(command) => destroy::run(context, command, interrupt).await,
        Command::Get(get) => get::run(context, command, get).await,
        Command::Describe(command) => describe::run(context, command).await,
        Command::Events(command) => remote::events::run(context, command).await,
        Command::Why(command) => why::run(context, command).await,
        Command::Secrets(command) => secrets::run(context, command),
        Command::Rotate(command) => rotate::run(context, command).await,
        Command::Deploy(command) => deploy::run(context, command).await,
        Command::Deployments(command) => deployments::run(context, command).await,
        Command::Rollback(command) => rollback::run(context, command, interrupt).await,
        Command::Doctor(command) => doctor::run(context, command, interrupt).await,
        Command::Logs(command) => logs::run(context, command).await,
        Command::Metrics(command) => metrics::run(context, command).await,
        Command::Sandbox(command) => sandbox::run(context, command, interrupt).await,
        Command::Simulate(command) => simulate::run(context, command).await,
        Command::Completions { shell } => completion::script(context, *shell),
        Command::Man => meta::man(context),
        Command::Version => meta::version(context),
        Command::Config(command) => config::run(context, global, command),
        Command::State(command) => state::run(context, command).await,
        Command::Policy(command) => policy::run(context, command),
        Command::Wait(command) => wait::run(context, command).await,
        Command::Reconcile(command) => remote::steer::reconcile(context, command).await,
        Command::Suspend(command) => remote::steer::suspend(context, command).await,
        Command::Resume(command) => remote::steer::resume(context, command).await,
        Command::Pin(command) => remote::steer::pin(context, command).await,
        Command::Unpin(command) => remote::steer::unpin(context, command).await,
    }
}

//! Questions. Where nobody can answer, the run ends with the flag that does.

use std::io::BufRead as _;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupt;

/// What is asked.
pub enum Question<'a> {
    /// Whether to carry the plan out.
    Apply,
    /// Whether to carry the plans of all projects out.
    ApplyAll,
    /// Whether to do something that is named, with `--auto-approve` as the flag that answers.
    Go(&'a str),
    /// The name of the project whose resources are to be deleted.
    Destroy {
        /// The project's name.
        project: &'a str,
    },
}

impl Question<'_> {
    fn text(&self) -> String {
        match self {
            Self::Apply => "Apply these changes? Only `yes` is accepted: ".to_owned(),
            Self::ApplyAll => {
                "Apply these changes to all of these projects? Only `yes` is accepted: ".to_owned()
            }
            Self::Go(what) => format!("{what} Only `yes` is accepted: "),
            Self::Destroy { project } => {
                format!("Delete all of this? Type the project's name, {project:?}, to confirm: ")
            }
        }
    }

    fn answer(&self) -> &str {
        match self {
            Self::Apply | Self::ApplyAll | Self::Go(_) => "yes",
            Self::Destroy { project } => project,
        }
    }

    fn flag(&self) -> String {
        match self {
            Self::Apply | Self::ApplyAll | Self::Go(_) => "--auto-approve".to_owned(),
            Self::Destroy { project } => format!("--confirm {project:?}"),
        }
    }
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// The one that means yes.
    Yes,
    /// Any other: nothing is done, and the command ends so.
    No(Exit),
}

/// Asks. A signal is an answer as well, and ends the waiting at once.
///
/// # Errors
/// When nobody is there to answer; the hint names the flag.
pub async fn ask(
    context: &Context,
    question: &Question<'_>,
    interrupt: &Interrupt,
) -> Result<Consent, Failure> {
    if !context.output.can_ask() {
        return Err(Failure::usage("approval is needed, and stdin is not a terminal")
            .hint(format!("approve in advance with {}", question.flag())));
    }
    super::output::aside(&format!("\n{}", question.text()));
    // A thread of its own reads, and is left behind by a signal: nothing else can end it.
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let said = tokio::select! {
        read = read => read.ok().and_then(Result::ok).unwrap_or_default(),
        exit = interrupt.came() => {
            super::output::aside("\n");
            context.output.note("Nothing was changed.");
            return Ok(Consent::No(exit));
        }
    };
    if said.trim() == question.answer() {
        return Ok(Consent::Yes);
    }
    context.output.note("Nothing was changed.");
    Ok(Consent::No(Exit::Failed))
}

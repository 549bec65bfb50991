//! Questions. Where nobody can answer, the run ends with the flag that does.

use std::io::{BufRead as _, Write as _};

use super::context::Context;
use super::failure::Failure;

/// What is asked.
pub enum Question<'a> {
    /// Whether to carry the plan out.
    Apply,
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
            Self::Apply => "Apply these changes? Only `yes` is taken for yes: ".to_owned(),
            Self::Go(what) => format!("{what} Only `yes` is taken for yes: "),
            Self::Destroy { project } => {
                format!("Delete all of this? Type the project's name, {project:?}, to confirm: ")
            }
        }
    }

    fn answer(&self) -> &str {
        match self {
            Self::Apply | Self::Go(_) => "yes",
            Self::Destroy { project } => project,
        }
    }

    fn flag(&self) -> String {
        match self {
            Self::Apply | Self::Go(_) => "--auto-approve".to_owned(),
            Self::Destroy { project } => format!("--confirm {project:?}"),
        }
    }
}

/// Asks, and returns whether the answer was the one that means yes.
///
/// # Errors
/// When nobody is there to answer; the hint names the flag.
pub fn ask(context: &Context, question: &Question<'_>) -> Result<bool, Failure> {
    if !context.output.can_ask() {
        return Err(Failure::usage("an answer is needed, and this is not a terminal")
            .hint(format!("answer beforehand with {}", question.flag())));
    }
    let mut stderr = std::io::stderr().lock();
    let mut answer = String::new();
    let asked = write!(stderr, "\n{}", question.text()).and_then(|()| stderr.flush());
    let read = asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer));
    Ok(read.is_ok() && answer.trim() == question.answer())
}

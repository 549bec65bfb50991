//! What holds for a whole command, whatever it does: said here, once for each.

use super::arguments::{Command, ConfigCommand};

/// What holds for a whole command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Character {
    /// What it is called on the command line.
    pub name: &'static str,
    /// Whether it ends in an orderly way by itself when a signal comes, and records what is in
    /// flight. Any other ends where it stands.
    pub ends_itself: bool,
    /// Whether it prints data that has no Markdown: text instead would be no answer to what was
    /// asked for.
    pub is_data: bool,
    /// Whether it answers for all projects where several are listed and none is named.
    pub is_of_all: bool,
    /// Whether it says something of the program alone: settings that cannot be used do not hinder it.
    pub is_of_program: bool,
}

impl Character {
    const fn of(name: &'static str) -> Self {
        Self { name, ends_itself: false, is_data: false, is_of_all: false, is_of_program: false }
    }

    const fn ending_itself(self, ends_itself: bool) -> Self {
        Self { ends_itself, ..self }
    }

    const fn data(self) -> Self {
        Self { is_data: true, ..self }
    }

    const fn of_all(self, is_of_all: bool) -> Self {
        Self { is_of_all, ..self }
    }

    const fn of_program(self, is_of_program: bool) -> Self {
        Self { is_of_program, ..self }
    }
}

impl Command {
    /// Returns what holds for it as a whole.
    pub const fn character(&self) -> Character {
        let of = Character::of;
        match self {
            Self::Init(_) => of("init"),
            // A plan is saved for one project.
            Self::Plan(plan) => of("plan").of_all(plan.out.is_none()),
            Self::Apply(_) => of("apply").ending_itself(true),
            Self::Run(_) => of("run").ending_itself(true),
            Self::Drift(_) => of("drift").of_all(true),
            Self::Accept(_) => of("accept"),
            // A path that is typed is read as it is, without a project.
            Self::Validate(validate) => of("validate").of_all(validate.sources.paths.is_empty()),
            Self::Render(_) => of("render"),
            Self::Convert(_) => of("convert"),
            Self::Schema(_) => of("schema").of_program(true),
            Self::Explain(_) => of("explain").of_program(true),
            Self::Import(_) => of("import"),
            Self::Export(_) => of("export"),
            Self::Adopt(_) => of("adopt"),
            Self::Release(_) => of("release"),
            Self::Destroy(_) => of("destroy").ending_itself(true),
            Self::Get(_) => of("get").data(),
            Self::Describe(_) => of("describe").data(),
            Self::Events(_) => of("events").data(),
            Self::Why(_) => of("why").data(),
            // A path that is typed is read as it is, without a project.
            Self::Secrets(secrets) => of("secrets").of_all(secrets.sources.paths.is_empty()),
            Self::Rotate(_) => of("rotate"),
            Self::Deploy(_) => of("deploy"),
            Self::Deployments(_) => of("deployments").data(),
            Self::Rollback(_) => of("rollback"),
            // A probe cleans up after itself.
            Self::Doctor(doctor) => {
                of("doctor").data().ending_itself(doctor.probe).of_all(!doctor.probe)
            }
            Self::Logs(_) => of("logs").data(),
            Self::Metrics(_) => of("metrics").data(),
            Self::Sandbox(_) => of("sandbox").ending_itself(true),
            Self::Simulate(_) => of("simulate"),
            Self::Completions { shell: _ } => of("completions").of_program(true),
            Self::Man => of("man").of_program(true),
            Self::Version => of("version").of_program(true),
            Self::Config(config) => {
                of("config").of_program(matches!(config, ConfigCommand::Schema))
            }
            Self::State(_) => of("state").data(),
            Self::Policy(_) => of("policy"),
            Self::Wait(_) => of("wait"),
            Self::Reconcile(_) => of("reconcile"),
            Self::Suspend(_) => of("suspend"),
            Self::Resume(_) => of("resume"),
            Self::Pin(_) => of("pin"),
            Self::Unpin(_) => of("unpin"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::arguments::Arguments;

    #[test]
    fn a_command_has_the_name_that_it_is_called_by() {
        for command in Arguments::command().get_subcommands() {
            let name = command.get_name();
            let required = command.get_positionals().filter(|it| it.is_required_set());
            let words =
                required.map(|it| if it.get_id() == "shell" { "bash" } else { "service/a" });
            let call = ["stoker", name].into_iter().chain(words);
            if let Ok(arguments) = Arguments::try_parse_from(call) {
                assert_eq!(arguments.command.character().name, name);
            }
        }
    }
}

//! What every command is given: the surroundings, the settings that hold for all, and the paper.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;

use crate::api::Wait;

use super::arguments::{Command, Global, LogForm, OutputFormat};
use super::closing::Closing;
use super::environment::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::output::Output;
use super::settings::{GivenSettings, GlobalSettings, SettingsFile};

/// The surroundings and settings of one command.
pub struct Context {
    /// The process's surroundings.
    pub environment: Environment,
    /// The settings files, joined.
    pub file: SettingsFile,
    /// Which settings were given as flags or variables.
    pub given: GivenSettings,
    /// The settings of every command.
    pub global: GlobalSettings,
    /// Where it prints.
    pub output: Output,
    /// The request that waits for the budget.
    pub waits: watch::Sender<Option<Wait>>,
    /// Whether manifests are typed: nothing was begun yet, and a signal ends the run at once.
    pub is_typing: Arc<AtomicBool>,
    /// What closes a stream of records.
    pub closing: Closing,
}

impl Context {
    /// Resolves the settings of a command.
    ///
    /// # Errors
    /// When a settings file cannot be used.
    pub fn new(
        environment: Environment,
        flags: &Global,
        given: GivenSettings,
    ) -> Result<Self, Failure> {
        let file = SettingsFile::read(flags.config.as_deref(), &environment)?;
        let file = file.choose(flags.project.as_deref());
        Ok(Self::with(environment, file, flags, given))
    }

    /// Returns one for what is said of the program alone: no settings are read.
    #[must_use]
    pub fn of_program(environment: Environment, flags: &Global, given: GivenSettings) -> Self {
        Self::with(environment, SettingsFile::default(), flags, given)
    }

    /// Returns one with flags and defaults only, to say that the settings cannot be used.
    #[must_use]
    pub fn bare(flags: &Global) -> Self {
        // There is no log yet that it could be part of.
        let flags = Global { log_format: Some(LogForm::Text), ..flags.clone() };
        Self::of_program(Environment::default(), &flags, GivenSettings::default())
    }

    fn with(
        environment: Environment,
        file: SettingsFile,
        flags: &Global,
        given: GivenSettings,
    ) -> Self {
        let global = GlobalSettings::resolve(flags, &file, &environment);
        let output = Output::new(&global, &environment);
        Self::of(environment, file, given, global, output)
    }

    /// Refuses a call about one project that says not which, or names one that is not there.
    ///
    /// # Errors
    /// Then: it is wrong usage.
    pub fn check_project(&self) -> Result<(), Failure> {
        self.file.check_choice(self.global.project.as_deref())
    }

    /// Closes a stream of records, where one was asked for.
    pub fn close(&self, command: &Command, exit: Exit) {
        if self.output.form() == OutputFormat::Ndjson
            && let Some(records) = self.closing.records(command, exit)
        {
            self.output.text(&records);
        }
    }

    /// Returns the names of the projects where several are listed and none is named.
    #[must_use]
    pub fn unnamed_projects(&self) -> Vec<&str> {
        let projects = self.file.projects.as_deref().unwrap_or_default();
        if self.global.project.is_some() || projects.len() < 2 {
            return Vec::new();
        }
        projects.iter().filter_map(|keys| keys.name.as_deref()).collect()
    }

    /// Returns the surroundings of one of several projects, which print on this.
    #[must_use]
    pub fn of_project(&self, name: &str, output: Output) -> Self {
        let file = self.file.clone().choose(Some(name));
        let global = GlobalSettings { project: Some(name.to_owned()), ..self.global.clone() };
        let global = global.of_chosen(&file);
        let (environment, given) = (self.environment.clone(), self.given.clone());
        Self {
            waits: self.waits.clone(),
            is_typing: Arc::clone(&self.is_typing),
            ..Self::of(environment, file, given, global, output)
        }
    }

    fn of(
        environment: Environment,
        file: SettingsFile,
        given: GivenSettings,
        global: GlobalSettings,
        output: Output,
    ) -> Self {
        Self {
            environment,
            file,
            given,
            global,
            output,
            waits: watch::Sender::new(None),
            is_typing: Arc::default(),
            closing: Closing::default(),
        }
    }
}

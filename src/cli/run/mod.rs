//! `stoker run`: the agent as a process. It opens every project, serves, and ends in an orderly way.
//!
//! What a project's agent does is the daemon room's; here is what only a process has: settings,
//! tokens, signals, the service manager, and the exit code.

mod commons;
mod once;
mod orphans;
mod project;
mod renewal;
mod sandbox;
mod server;
mod service;
mod source;
mod webhook;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::daemon::agent::RunUntil;
use crate::daemon::server::{Projects, Pulse, Server};
use crate::daemon::{Systemd, SystemdEnvironment};
use crate::model::Name;
use crate::status::Trigger;

use super::arguments::{Global, RunCommand};
use super::code::ErrorCode;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::interrupt::Interrupt;
use super::settings::{Invocation, ProjectSettings, RunSettings, SettingsFile};

use commons::Commons;
use project::RunningProject;
use renewal::{Renewed, User};

/// Keeps every project until it is told to stop.
pub async fn run(
    context: &Context,
    global: &Global,
    command: &RunCommand,
    interrupt: &Interrupt,
) -> Result<Exit, Failure> {
    let settings = resolve(context, global, command, &context.file)
        .inspect_err(|failure| context.output.diagnostics(&failure.diagnostics))?;
    for warning in &settings.warnings {
        context.output.warn(warning);
    }
    // It ends with the program.
    drop(tokio::spawn(orphans::keep_burying()));
    if settings.is_once {
        return once::run(context, &settings, interrupt).await;
    }
    let agent = Process::open(context, &settings)?;
    agent.live(context, global, command, &settings, interrupt).await
}

/// Resolves the settings.
fn resolve(
    context: &Context,
    global: &Global,
    command: &RunCommand,
    file: &SettingsFile,
) -> Result<RunSettings, Failure> {
    let call =
        Invocation { global, given: &context.given, file, environment: &context.environment };
    RunSettings::resolve(&call, command)
}

/// The projects of the process, and what is said about it.
struct Process {
    commons: Arc<Commons>,
    projects: BTreeMap<Name, RunningProject>,
    systemd: Arc<Systemd>,
}

impl Process {
    /// Opens every project; nothing is sent yet.
    fn open(context: &Context, settings: &RunSettings) -> Result<Self, Failure> {
        let commons = Arc::new(Commons::new());
        let mut projects = BTreeMap::new();
        for project in &settings.projects {
            let opened = project::open(context, project, &commons)?;
            projects.insert(project.name.clone(), RunningProject::new(opened, &commons.clock)?);
        }
        let surroundings = SystemdEnvironment {
            notify_socket: context.environment.get("NOTIFY_SOCKET"),
            watchdog_usec: context.environment.get("WATCHDOG_USEC"),
            watchdog_pid: context.environment.get("WATCHDOG_PID"),
        };
        let systemd = Systemd::open(surroundings, std::process::id())
            .map_err(|error| Failure::new(ErrorCode::Systemd, format!("failed to {error}")))?;
        Ok(Self { commons, projects, systemd: Arc::new(systemd) })
    }

    async fn live(
        mut self,
        context: &Context,
        global: &Global,
        command: &RunCommand,
        settings: &RunSettings,
        interrupt: &Interrupt,
    ) -> Result<Exit, Failure> {
        let mut hangup = hangup()?;
        let mut renewed = Renewed::begin(context, settings)?;
        let served = self.served(&renewed);
        let (meters, bearer) = (self.commons.meters.clone(), renewed.bearer.clone());
        let server = server::bind(settings, &self.projects, served, meters, bearer).await?;
        self.announce(context, settings, &server);
        for kept in self.projects.values_mut() {
            kept.begin(context, RunUntil::Stopped)?;
        }
        self.systemd.ready();
        let (systemd, clock) = (Arc::clone(&self.systemd), self.commons.clock.clone());
        let pulses: Vec<Pulse> = self.projects.values().map(RunningProject::pulse).collect();
        let watched = self.projects.values().map(|kept| kept.handle.watch()).collect();
        let mut told = pin!(service::keep_told(&systemd, &pulses, watched, &clock));
        let (closing, closed) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(server.serve(async move {
            // Dropped or told, it is the end.
            let _ = closed.await;
        }));
        loop {
            tokio::select! {
                _ = interrupt.came() => break,
                due = renewed.due() => tokio::select! {
                    () = self.renew(context, settings, &renewed, due) => {}
                    () = &mut told => {}
                },
                // A loop may take its time to end in an orderly way, and is alive meanwhile.
                Some(()) = hangup.recv() => {
                    tokio::select! {
                        () = self.reload(context, global, command) => {}
                        () = &mut told => {}
                    }
                    renewed.watch(settings.agent_token.as_ref(), self.lived_by());
                }
                () = &mut told => {}
            }
        }
        self.systemd.stopping();
        tracing::info!("stopping: nothing new begins, and what is in flight is finished");
        for kept in self.projects.values_mut() {
            kept.stop();
        }
        for kept in self.projects.values_mut() {
            kept.ended().await;
        }
        drop(closing);
        // It ends by itself within seconds; a defect in it is no reason to wait.
        let _ = serving.await;
        Ok(interrupt.exit().unwrap_or(Exit::Done))
    }

    /// Joins what the server needs of each project.
    fn served(&self, renewed: &Renewed) -> Projects {
        let served = self
            .projects
            .iter()
            .map(|(name, kept)| (name.clone(), kept.served(renewed.webhooks.get(name).cloned())));
        served.collect()
    }

    /// Takes what stands in files by now. What cannot be used changes nothing.
    async fn renew(
        &mut self,
        context: &Context,
        settings: &RunSettings,
        renewed: &Renewed,
        due: Vec<User>,
    ) {
        for user in due {
            let (what, outcome) = match &user {
                User::Server => ("the server's token", renewed.server(context, settings)),
                User::Webhook(name) => {
                    let project = &self.projects[name].settings;
                    ("the webhook's secret", renewed.webhook(context, project))
                }
                User::Repository(name) => {
                    ("the repository's token", self.projects[name].sign_in_anew(context))
                }
                User::Project(name) => {
                    // It begins anew; what came of that is in the log already.
                    self.commons.forget_transports();
                    let project = self.projects[name].settings.clone();
                    self.reload_project(context, &project).await;
                    continue;
                }
            };
            match outcome {
                Ok(()) => tracing::info!("{what} changed, and was read again"),
                Err(Failure { message, .. }) => {
                    tracing::error!(
                        "{what} changed and cannot be used; the old one stays in use: {message}"
                    );
                }
            }
        }
    }

    /// Returns what each project lives by now.
    fn lived_by(&self) -> impl Iterator<Item = &ProjectSettings> {
        self.projects.values().map(|kept| &kept.settings)
    }

    fn announce(&self, context: &Context, settings: &RunSettings, server: &Server) {
        let noun = if self.projects.len() == 1 { "project" } else { "projects" };
        context
            .output
            .note(&format!("Managing {} {noun}. Ctrl-C stops the agent.", self.projects.len()));
        for address in server.addresses().unwrap_or_default() {
            context.output.note(&format!("The status is at http://{address}/"));
        }
        for project in &settings.projects {
            if let Some(address) = self.projects[&project.name].sandbox_address() {
                context.output.note(&format!(
                    "The sandbox of {} is at http://{address}/v1; its token is {}.",
                    project.name,
                    crate::emulator::TOKEN
                ));
            }
        }
    }

    /// Reads settings and tokens again (SIGHUP). A project whose new settings cannot be used goes
    /// on with the old ones, and says so.
    async fn reload(&mut self, context: &Context, global: &Global, command: &RunCommand) {
        self.systemd.reloading();
        self.commons.forget_transports();
        match self.read_again(context, global, command) {
            Ok(settings) => {
                for project in &settings.projects {
                    self.reload_project(context, project).await;
                }
                let is_new = |name: &Name| !self.projects.contains_key(name);
                if settings.projects.iter().any(|project| is_new(&project.name)) {
                    tracing::warn!("new projects are managed only after a restart");
                }
                for name in self.projects.keys() {
                    let is_listed = settings.projects.iter().any(|it| it.name == *name);
                    if !is_listed {
                        tracing::warn!(project = %name, "it is no longer listed; a restart ends it");
                    }
                }
                tracing::info!("settings and tokens were read again");
            }
            Err(failure) => {
                context.output.diagnostics(&failure.diagnostics);
                let message = failure.message;
                tracing::error!(
                    "the settings cannot be used, and the old ones stay in use: {message}"
                );
            }
        }
        self.systemd.ready();
    }

    fn read_again(
        &self,
        context: &Context,
        global: &Global,
        command: &RunCommand,
    ) -> Result<RunSettings, Failure> {
        let file = SettingsFile::read(global.config.as_deref(), &context.environment)?;
        let file = file.choose(global.project.as_deref());
        resolve(context, global, command, &file)
    }

    async fn reload_project(&mut self, context: &Context, settings: &ProjectSettings) {
        let Some(kept) = self.projects.get_mut(&settings.name) else {
            return;
        };
        let reloaded = kept.reload(context, settings, &self.commons).await;
        if let Err(failure) = reloaded {
            let project = settings.name.as_str();
            let message = failure.message;
            tracing::error!(project, "it continues with its old settings: {message}");
        }
        kept.handle.trigger(Trigger::Signal);
    }
}

fn hangup() -> Result<Signal, Failure> {
    signal(SignalKind::hangup()).map_err(|error| {
        Failure::new(ErrorCode::Signals, format!("failed to listen for signals: {error}"))
    })
}

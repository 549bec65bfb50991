//! One project of the process: what its agent is made of, and its life from start to end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::api::Token;
use crate::budget::{BudgetView, Lane, Millis};
use crate::clock::Clock;
use crate::daemon::agent::{Agent, AgentParts, RunUntil};
use crate::daemon::notify::{Notifier, Sink};
use crate::daemon::server::{self, BudgetNow, Pulse};
use crate::daemon::source::{Secrets, Source};
use crate::daemon::trigger::{FileWatch, poll};
use crate::daemon::webhook::Webhook;
use crate::daemon::{Bell, Handle, Seat, keeper};
use crate::project::{self, OpenProject, ProjectParts};
use crate::status::{PassRecord, Trigger};

use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::failure::Failure;
use super::super::hold;
use super::super::place::{Absent, StatePlace};
use super::super::session::{self, Purpose, Session};
use super::super::settings::{ProjectSettings, ProjectSource};
use super::commons::Commons;
use super::sandbox::Sandbox;
use super::source::{chosen, guard, repository_token, source};

/// How long files of secrets must be quiet where the manifests come from a repository.
const SECRETS_DEBOUNCE: Duration = Duration::from_millis(300);

/// Everything one project's life needs, opened and not begun.
pub struct Opened {
    settings: ProjectSettings,
    parts: AgentParts,
    session: Session,
    sinks: Vec<Sink>,
    sandbox: Option<Sandbox>,
    pulse: Pulse,
    commons: Arc<Commons>,
}

/// Opens a project: its state directory, its connection, its source. Nothing is sent.
///
/// # Errors
/// When a setting or a secret cannot be used.
pub fn open(
    context: &Context,
    settings: &ProjectSettings,
    commons: &Arc<Commons>,
) -> Result<Opened, Failure> {
    let pulse = Pulse::new(commons.clock.now());
    open_with(context, settings, commons, pulse, None)
}

fn open_with(
    context: &Context,
    settings: &ProjectSettings,
    commons: &Arc<Commons>,
    pulse: Pulse,
    sandbox: Option<Sandbox>,
) -> Result<Opened, Failure> {
    let (clock, meters) = (&commons.clock, &commons.meters);
    let is_sandbox = settings.connection.sandbox;
    let place = StatePlace::of(&settings.state, is_sandbox, &context.environment)?;
    session::make(&place.directory);
    let truth = place.open(&context.environment, Absent::Begin)?;
    let state = place.directory;
    let sandbox = match sandbox {
        None if is_sandbox => {
            let sandbox = Sandbox::open(&state, clock)?;
            guard(settings).iter().for_each(|guard| sandbox.stand_for(guard));
            Some(sandbox)
        }
        kept => kept,
    };
    let connection = settings.connection.clone();
    let parts = match &sandbox {
        Some(sandbox) => sandbox.parts(&state),
        None => {
            let transport = commons.transport(connection.ca_file.as_deref())?;
            session::over_network(&connection, token(context, settings)?, transport, &state)?
        }
    };
    let holder = hold::holder("run", clock.now());
    let parts = ProjectParts { clock: clock.clone(), holder, ..parts };
    let (purpose, lane) = (Purpose::Write, Lane::Converge);
    let session = Session::through(context, connection, truth, parts, purpose, lane)?;
    let told = settings.of_loop(project::seed());
    let name = told.name.clone();
    let (count, client) = (meters.clone(), session.project.client.clone());
    meters.count_requests_of(&name, move || client.tally());
    let (ledger, at) = (Arc::clone(&session.project.ledger), clock.clone());
    meters.read_budget_of(&name, move || {
        let BudgetView { limit, remaining, .. } = ledger.view(Millis::from(at.now())).ok()?;
        Some(BudgetNow { limit, remaining })
    });
    let beat = pulse.clone();
    let parts = AgentParts {
        settings: told,
        source: source(context, settings, &session.state)?,
        secrets: secrets(context, settings, &session)?,
        rules: settings.rules.clone(),
        project: session.project.clone(),
        observe: Arc::new(move |record: &PassRecord| count.observe_pass(&name, record)),
        beat: Arc::new(move |now| beat.beat(now)),
    };
    let ca_file = session.settings.ca_file.as_deref();
    let sinks = settings.notifications.iter();
    let sinks = sinks.map(|one| one.sink(&context.environment, ca_file));
    let sinks = sinks.collect::<Result<_, _>>().map_err(|reason| unusable(settings, &reason))?;
    let (settings, commons) = (settings.clone(), Arc::clone(commons));
    Ok(Opened { settings, parts, session, sinks, sandbox, pulse, commons })
}

fn token(context: &Context, settings: &ProjectSettings) -> Result<Token, Failure> {
    let denied = |reason: String| {
        let message = format!("the token of `{}`: {reason}", settings.name);
        Failure::new(ErrorCode::Authentication, message)
    };
    let source = settings.token.as_ref().ok_or_else(session::no_token)?;
    let text = source.read(&context.environment).map_err(denied)?;
    Token::parse(text.expose_secret()).map_err(|error| denied(format!("{source} {error}")))
}

fn secrets(
    context: &Context,
    settings: &ProjectSettings,
    session: &Session,
) -> Result<Secrets, Failure> {
    let environment = context.environment.clone();
    Ok(Secrets {
        environment: Arc::new(move |name: &str| environment.raw(name).map(str::to_owned)),
        allowed: Arc::new(settings.allowed.clone()),
        key: Arc::new(session.fingerprint_key()?),
    })
}

pub(super) fn unusable(settings: &ProjectSettings, reason: &str) -> Failure {
    Failure::usage(format!("the settings of `{}`: {reason}", settings.name))
        .hint("`stoker config view` shows where each setting comes from")
}

/// One project at work.
pub struct RunningProject {
    /// The agent from outside.
    pub handle: Handle,
    /// What it lives by: SIGHUP may have brought others than the process began with.
    pub settings: ProjectSettings,
    source: Arc<dyn Source>,
    seat: Arc<Mutex<Seat>>,
    opened: Option<Opened>,
    life: Option<Life>,
    pulse: Pulse,
}

/// What runs for one project, until it is stopped.
struct Life {
    stop: watch::Sender<bool>,
    agent: JoinHandle<std::io::Result<Option<PassRecord>>>,
    /// Closed when the agent has ended, in whatever way.
    over: watch::Receiver<()>,
    pollers: Vec<JoinHandle<()>>,
    notifying: Option<JoinHandle<()>>,
    /// Held as long as it lives.
    _watch: Option<FileWatch>,
    /// Its end is told to the ledger when it is dropped.
    _session: Session,
    sandbox: Option<Sandbox>,
}

impl RunningProject {
    /// Prepares a project's agent; it does not run yet.
    ///
    /// # Errors
    /// When what outlived the last agent cannot be read.
    pub fn new(opened: Opened, clock: &Clock) -> Result<Self, Failure> {
        let mut agent = Agent::new(opened.parts.clone()).map_err(|error| unreadable(&error))?;
        let (handle, seat) = Handle::new(agent.first_status());
        opened.pulse.beat(clock.now());
        let pulse = opened.pulse.clone();
        let seat = Arc::new(Mutex::new(seat));
        let (settings, source) = (opened.settings.clone(), Arc::clone(&opened.parts.source));
        Ok(Self { handle, settings, source, seat, opened: Some(opened), life: None, pulse })
    }

    /// Begins to keep the project.
    ///
    /// # Errors
    /// When nothing can be watched or told.
    pub fn begin(&mut self, context: &Context, until: RunUntil) -> Result<(), Failure> {
        let Some(opened) = self.opened.take() else {
            return Ok(());
        };
        let Opened { settings, parts, session, sinks, sandbox, pulse: _, commons } = opened;
        let (stop, stopped) = watch::channel(false);
        let bell = self.handle.bell.clone();
        let (watch, pollers) = triggers(context, &commons, &settings, &bell);
        let notifying = self.notify(&commons, sinks, &session, stopped.clone())?;
        let project = parts.settings.name.clone();
        let keeping = keeper::keep(parts, Arc::clone(&self.seat), stopped, until);
        let span = tracing::info_span!("project", project);
        let (running, over) = watch::channel(());
        let living = async move {
            let last = keeping.await;
            drop(running);
            last
        };
        let agent = tokio::spawn(living.instrument(span));
        self.life = Some(Life {
            stop,
            agent,
            over,
            pollers,
            notifying,
            _watch: watch,
            _session: session,
            sandbox,
        });
        Ok(())
    }

    fn notify(
        &self,
        commons: &Commons,
        sinks: Vec<Sink>,
        session: &Session,
        stopped: watch::Receiver<bool>,
    ) -> Result<Option<JoinHandle<()>>, Failure> {
        if sinks.is_empty() {
            return Ok(None);
        }
        let transport = commons.transport(session.settings.ca_file.as_deref())?;
        let OpenProject { state, clock, .. } = session.project.clone();
        let told = keeper::told(&state).map_err(|error| unreadable(&error))?;
        let name = self.handle.status().name.clone();
        let notifier = Notifier::start(&name, sinks, told, &transport, &clock);
        commons.meters.count_untold_of(&name, notifier.untold());
        let handle = self.handle.clone();
        Ok(Some(tokio::spawn(async move {
            keeper::notify(notifier, handle, &state, stopped).await;
        })))
    }

    /// Tells it to end.
    pub fn stop(&mut self) {
        if let Some(life) = &self.life {
            life.stop.send_replace(true);
        }
    }

    /// Waits until the agent has ended by itself; stops what else runs for it.
    pub async fn ended_by_itself(&mut self) -> Option<PassRecord> {
        if let Some(life) = &mut self.life {
            // Nothing is ever sent: an error says that the agent, which holds the sender, has ended.
            while life.over.changed().await.is_ok() {}
        }
        self.stop();
        self.ended().await
    }

    /// Waits until it has ended, and returns its last pass.
    pub async fn ended(&mut self) -> Option<PassRecord> {
        let Life { agent, pollers, notifying, sandbox, .. } = self.life.take()?;
        let last = match agent.await {
            Ok(Ok(last)) => last,
            Ok(Err(error)) => {
                tracing::error!(%error, "the agent could not be restarted");
                None
            }
            Err(_) => None,
        };
        for poller in pollers {
            poller.abort();
        }
        if let Some(notifying) = notifying {
            // It ends by itself within seconds; a defect in it is told in the log.
            let _ = notifying.await;
        }
        if let Some(sandbox) = sandbox {
            sandbox.end();
        }
        last
    }

    /// Goes on with new settings; the old ones stand when the new ones cannot be used.
    ///
    /// # Errors
    /// When they cannot.
    pub async fn reload(
        &mut self,
        context: &Context,
        settings: &ProjectSettings,
        commons: &Arc<Commons>,
    ) -> Result<(), Failure> {
        let sandbox = self.life.as_ref().and_then(|life| life.sandbox.clone());
        let opened = open_with(context, settings, commons, self.pulse.clone(), sandbox)?;
        self.stop();
        if let Some(life) = &mut self.life {
            // The world goes on under the new agent.
            life.sandbox = None;
        }
        self.ended().await;
        self.source = Arc::clone(&opened.parts.source);
        self.settings = opened.settings.clone();
        self.opened = Some(opened);
        self.begin(context, RunUntil::Stopped)
    }

    /// Reads the token of the repository again, and has it signed in at with that.
    ///
    /// # Errors
    /// When the new one cannot be used; then the old one stands.
    pub fn sign_in_anew(&self, context: &Context) -> Result<(), Failure> {
        repository_token(context, &self.settings)?.inspect(|token| self.source.renew(token));
        self.handle.trigger(Trigger::Signal);
        Ok(())
    }

    /// Returns its heartbeat.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Returns what the server needs of it.
    pub fn served(&self, webhook: Option<Webhook>) -> server::ServedProject {
        server::ServedProject::new(self.handle.clone(), self.pulse(), webhook)
    }

    /// Returns its state directory.
    pub fn state(&self) -> Option<&Path> {
        self.opened.as_ref().map(|opened| opened.session.state.as_path())
    }

    /// Returns where its sandbox is served, if it has one.
    pub fn sandbox_address(&self) -> Option<std::net::SocketAddr> {
        self.opened.as_ref()?.sandbox.as_ref().map(Sandbox::address)
    }
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::new(ErrorCode::State, format!("failed to read what the agent remembers: {error}"))
}

/// Begins what rings the bell by itself.
fn triggers(
    context: &Context,
    commons: &Commons,
    settings: &ProjectSettings,
    bell: &Bell,
) -> (Option<FileWatch>, Vec<JoinHandle<()>>) {
    let secrets = &settings.allowed.directories;
    let watch = |paths: &[PathBuf], debounce| {
        let begin = |watches| FileWatch::begin(&watches, paths, bell.clone(), debounce);
        let watched = commons.watches().and_then(begin);
        let watched = watched.map_err(|error| {
            context.output.warn(&format!(
                "changes of files are not reported ({error}); they are found by the next check, or \
                 with --poll"
            ));
        });
        watched.ok()
    };
    match &settings.source {
        ProjectSource::Files { poll: Some(every), .. } => {
            (None, vec![poll(*every, bell.clone(), Trigger::Files)])
        }
        ProjectSource::Files { paths, debounce, poll: None } => {
            let watched = [&chosen(paths)[..], &settings.tree.overlays, secrets].concat();
            (watch(&watched, *debounce), Vec::new())
        }
        ProjectSource::Repository(repository) => {
            let every = repository.poll;
            let polls = every.map(|every| poll(every, bell.clone(), Trigger::Git)).into_iter();
            let watch = if secrets.is_empty() { None } else { watch(secrets, SECRETS_DEBOUNCE) };
            (watch, polls.collect())
        }
    }
}

//! What the agent is told of one project: which it is, where its manifests are, what it may do.

use std::path::PathBuf;
use std::time::Duration;

use crate::daemon::settings::Settings;
use crate::daemon::window::{Window, WindowKind, Windows};
use crate::model::{Diagnostic, Name};
use crate::plan::Policy;
use crate::rules::Rules;
use crate::secret::AllowedSources;
use crate::status::Mode;

use super::super::arguments::RunCommand;
use super::super::environment::Environment;
use super::super::values::Span;
use super::allowed::pick_allowed;
use super::forms::{WebhookForm, WebhookProvider, WindowForm, WindowWord};
use super::notifications::{NotificationSettings, notifications};
use super::origin::Provenance;
use super::pick::{Picker, Row, pick};
use super::policies::pick_policies;
use super::secret::SecretSource;
use super::shared::{ConnectionSettings, asked, pick_permissions};
use super::source::{ProjectSource, pick_source};
use super::tree::TreeSettings;

/// One project, every value typed and checked.
#[derive(Clone, Debug)]
pub struct ProjectSettings {
    /// What it is called; `default` where there are no `projects`.
    pub name: Name,
    /// Its state directory, before a sandbox's own beneath it. No two projects share one.
    pub state: PathBuf,
    /// Where its token is; `None` in a sandbox, which has its own, and where there is none.
    pub token: Option<SecretSource>,
    /// How the API is reached.
    pub connection: ConnectionSettings,
    /// What a plan may hold.
    pub policy: Policy,
    /// Where the manifests come from.
    pub source: ProjectSource,
    /// What of them is read.
    pub tree: TreeSettings,
    /// What they may name outside their tree.
    pub allowed: AllowedSources,
    /// The policies that judge its plans.
    pub rules: Rules,
    /// How often the platform is looked at, at least.
    pub interval: Duration,
    /// Whether it writes.
    pub mode: Mode,
    /// When it may write.
    pub windows: Windows,
    /// Whether a failed deployment is rolled back.
    pub rolls_back: bool,
    /// How often one revision of a service is deployed before it is left alone.
    pub deploys_max: u32,
    /// The webhook that tells of news.
    pub webhook: Option<WebhookSettings>,
    /// Who is told when its state changes.
    pub notifications: Vec<NotificationSettings>,
    /// Each setting, its value and where it comes from.
    pub rows: Vec<Row>,
}

/// The webhook that tells the agent of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Who sends it.
    pub provider: WebhookProvider,
    /// What it is signed with.
    pub secret: SecretSource,
}

/// Why settings cannot be used, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    reason: String,
    place: Provenance,
}

impl SettingsProblem {
    pub(super) fn new(reason: impl Into<String>, place: Provenance) -> Self {
        Self { reason: reason.into(), place }
    }
}

impl From<(String, Provenance)> for SettingsProblem {
    fn from((reason, place): (String, Provenance)) -> Self {
        Self { reason, place }
    }
}

impl From<SettingsProblem> for Diagnostic {
    fn from(problem: SettingsProblem) -> Self {
        let SettingsProblem { reason, place } = problem;
        match place {
            Provenance::File(origin) => Self::error("setting", reason).at(origin),
            Provenance::Flag(name) | Provenance::Variable(name) => {
                Self::error("setting", format!("{name}: {reason}"))
            }
            Provenance::Default => Self::error("setting", reason),
        }
    }
}

/// Five minutes: drift is found while whoever caused it still remembers.
const INTERVAL: Span = Span(Duration::from_secs(300));

/// Shorter looks would leave no budget for anything else.
const INTERVAL_MIN: Duration = Duration::from_secs(10);

/// A day: the resync is what finds everything that hints missed.
const INTERVAL_MAX: Duration = Duration::from_secs(86_400);

/// Three: the first, one after a passing trouble, and one to be sure.
const DEPLOYS_MAX: u32 = 3;

impl ProjectSettings {
    /// Resolves one project. `name` and `state` were found beforehand, because all projects
    /// together are judged by them.
    pub(super) fn resolve(
        mut picker: Picker<'_>,
        command: &RunCommand,
        environment: &Environment,
        identity: Identity,
    ) -> Result<Self, SettingsProblem> {
        let Identity { name, state, state_place } = identity;
        let picked = &mut picker;
        picked.note("state", Some(state.display().to_string()), state_place);
        let connection = ConnectionSettings::pick(picked, &command.connection, environment);
        let token = pick_token(picked, environment, connection.sandbox)?;
        let source = pick_source(picked, command)?;
        let tree = TreeSettings::pick(picked, &command.sources.chosen)?;
        let allowed = pick_allowed(picked)?;
        let rules = pick_policies(picked, environment)?;
        let repo = match &source {
            ProjectSource::Repository(repository) => Some(repository.url.clone()),
            ProjectSource::Files { .. } => None,
        };
        let flags = &command.agent;
        let interval = pick!(picked, flags, interval, INTERVAL).0;
        within("interval", interval, INTERVAL_MIN, INTERVAL_MAX, picked)?;
        let observes = pick!(picked, flags, observe, false);
        let rolls_back = pick!(picked, flags, rollback_on_failure, false);
        let deploys_max = pick!(picked, flags, deploys_max, DEPLOYS_MAX);
        if !(1..=10).contains(&deploys_max) {
            return Err(SettingsProblem::new(
                "`deploysMax` must be between 1 and 10",
                picked.last_place(),
            ));
        }
        let policy = Policy {
            permissions: pick_permissions(picked, &command.planning),
            request: asked(&command.planning),
            ..Policy::default()
        };
        let windows = pick_windows(picked)?;
        let webhook = pick_webhook(picked)?;
        let notifications = pick_notifications(picked, repo.as_deref())?;
        Ok(Self {
            name,
            state,
            token,
            connection,
            policy,
            source,
            tree,
            allowed,
            rules,
            interval,
            mode: if observes { Mode::Observe } else { Mode::Repair },
            windows,
            rolls_back,
            deploys_max,
            webhook,
            notifications,
            rows: picker.into_rows(),
        })
    }
}

impl ProjectSettings {
    /// Returns what the project's loop is told; `seed` spreads several agents in time.
    #[must_use]
    pub fn of_loop(&self, seed: u64) -> Settings {
        Settings {
            name: self.name.as_str().to_owned(),
            mode: self.mode,
            policy: self.policy.clone(),
            interval: self.interval,
            rate: self.connection.rate,
            windows: self.windows.clone(),
            deploys_max: self.deploys_max,
            rollback_on_failure: self.rolls_back,
            seed,
        }
    }
}

/// Which project it is.
pub(super) struct Identity {
    pub name: Name,
    pub state: PathBuf,
    pub state_place: Provenance,
}

/// Finds where the token is. With `projects` each names its own: a token that all would share
/// belongs to one of them only.
fn pick_token(
    picker: &mut Picker<'_>,
    environment: &Environment,
    is_sandbox: bool,
) -> Result<Option<SecretSource>, SettingsProblem> {
    let found = match picker.own() {
        Some(keys) => {
            let place = |key: &str| picker.own_place(key);
            let source =
                SecretSource::of("token", keys.token_env.as_ref(), keys.token_file.as_ref())
                    .map_err(|reason| SettingsProblem::new(reason, place("tokenEnv")))?;
            match source {
                None if !is_sandbox => {
                    let reason = "the project has no token: write `tokenEnv` or `tokenFile`";
                    return Err(SettingsProblem::new(reason, place("name")));
                }
                None => None,
                Some(source @ SecretSource::Variable(_)) => Some((source, place("tokenEnv"))),
                Some(source @ SecretSource::File(_)) => Some((source, place("tokenFile"))),
            }
        }
        None => token_of_environment(environment),
    };
    let found = found.filter(|_| !is_sandbox);
    let shown = found.as_ref().map(|(source, _)| format!("(secret in {source})"));
    let place = found.as_ref().map_or(Provenance::Default, |(_, place)| place.clone());
    picker.note("token", shown, place);
    // Where the environment has none, nothing is wrong with the settings: whoever uses it says so.
    Ok(found.map(|(source, _)| source))
}

/// Finds the token of the one project that is not in a list.
fn token_of_environment(environment: &Environment) -> Option<(SecretSource, Provenance)> {
    let source = SecretSource::of_environment(environment, "STACKBLAZE_TOKEN")?;
    let name = match &source {
        SecretSource::Variable(name) => name.clone(),
        SecretSource::File(_) => "STACKBLAZE_TOKEN_FILE".to_owned(),
    };
    Some((source, Provenance::Variable(name)))
}

fn pick_windows(picker: &mut Picker<'_>) -> Result<Windows, SettingsProblem> {
    let own = picker.own().and_then(|keys| keys.windows.as_ref());
    let (forms, is_own) = match (own, picker.top().windows.as_ref()) {
        (Some(forms), _) => (forms, true),
        (None, Some(forms)) => (forms, false),
        (None, None) => {
            picker.note("windows", None, Provenance::Default);
            return Ok(Windows::default());
        }
    };
    if forms.is_empty() {
        let place = if is_own { picker.own_place("windows") } else { picker.top_place("windows") };
        picker.note("windows", None, place);
    }
    let mut windows = Vec::new();
    for (index, form) in forms.iter().enumerate() {
        let key = format!("windows[{index}]");
        let place = if is_own { picker.own_place(&key) } else { picker.top_place(&key) };
        let window = window(form).map_err(|reason| SettingsProblem::new(reason, place.clone()))?;
        picker.note(&key, Some(window.to_string()), place);
        windows.push(window);
    }
    Ok(windows.into())
}

fn window(form: &WindowForm) -> Result<Window, String> {
    let kind = match form.kind {
        WindowWord::Allow => WindowKind::Allow,
        WindowWord::Deny => WindowKind::Deny,
    };
    Window::new(kind, &form.schedule, form.duration.0, form.time_zone.as_deref().unwrap_or("UTC"))
}

fn pick_webhook(picker: &mut Picker<'_>) -> Result<Option<WebhookSettings>, SettingsProblem> {
    let own = picker.own().and_then(|keys| keys.webhook.as_ref());
    let (form, place) = match (own, picker.top().webhook.as_ref()) {
        (Some(form), _) => (form, picker.own_place("webhook")),
        (None, Some(form)) => (form, picker.top_place("webhook")),
        (None, None) => {
            picker.note("webhook", None, Provenance::Default);
            return Ok(None);
        }
    };
    let WebhookForm { provider, secret_env, secret_file } = form;
    let secret = SecretSource::of("secret", secret_env.as_ref(), secret_file.as_ref());
    let secret = secret.map_err(|reason| SettingsProblem::new(reason, place.clone()))?;
    let Some(secret) = secret else {
        // Anybody who finds the address could make the agent look without end.
        let reason = "a webhook needs `secretEnv` or `secretFile`: unsigned requests are refused";
        return Err(SettingsProblem::new(reason, place));
    };
    let shown = format!("{} (secret in {secret})", provider.as_str());
    picker.note("webhook", Some(shown), place);
    Ok(Some(WebhookSettings { provider: *provider, secret }))
}

fn pick_notifications(
    picker: &mut Picker<'_>,
    repo: Option<&str>,
) -> Result<Vec<NotificationSettings>, SettingsProblem> {
    let own = picker.own().and_then(|keys| keys.notifications.as_ref());
    let is_own = own.is_some();
    let forms = own.or(picker.top().notifications.as_ref());
    let place = |picker: &Picker<'_>, index: usize| {
        let key = format!("notifications[{index}]");
        if is_own { picker.own_place(&key) } else { picker.top_place(&key) }
    };
    let Some(forms) = forms else {
        picker.note("notifications", None, Provenance::Default);
        return Ok(Vec::new());
    };
    let all = notifications(forms, repo)
        .map_err(|(index, reason)| SettingsProblem::new(reason, place(picker, index)))?;
    for (index, one) in all.iter().enumerate() {
        let place = place(picker, index);
        picker.note(&format!("notifications[{index}]"), Some(one.name.clone()), place);
    }
    Ok(all)
}

/// Refuses a duration that is out of its range.
fn within(
    key: &str,
    value: Duration,
    min: Duration,
    max: Duration,
    picker: &Picker<'_>,
) -> Result<(), SettingsProblem> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    let reason = format!("`{key}` must be between {} and {}", Span(min), Span(max));
    Err(SettingsProblem::new(reason, picker.last_place()))
}

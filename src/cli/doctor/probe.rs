//! The probe: one throwaway service, what can be learned from it, and its end.
//!
//! It writes outside any plan, so it keeps the laws by itself: the intent is on disk before a
//! create leaves, no create is sent twice (S3), and only what answered 201 in this run, and still
//! answers by id as the same thing, is deleted (S1). Whatever happens between, it cleans up.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;

use crate::api::{
    Answers, Create, DeployTarget, Error, LOOK_AGE_MAX, Links, Lookup, Patch, TargetSight,
    WriteError, Writer,
};
use crate::model::{
    Applied, Coverage, FieldPath, FieldValue, Intent, Key, Kind, LiveObject, Remembered, RemoteId,
};
use crate::plan::bystanders;
use crate::store::Store;

use super::super::arguments::Connection;
use super::super::ask::{Consent, Question, ask};
use super::super::code::ErrorCode;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::find;
use super::super::interrupt::Interrupt;
use super::super::rights;
use super::super::session::{Purpose, Session};
use super::super::values::Assignment;
use super::judge::{Finding, Observed, PLAIN, PageProbe, Twin, judge, variable};
use super::throwaway::{fields, key};

/// The variable that the patch adds.
const ADDED: &str = "STOKER_PROBE_ADDED";

/// What is said where the probe's service is not the probe's any more.
const MOVED: &str = "this id belongs to another object now";

/// How often, and how long apart, something that may come or go late is looked at: a minute in all.
const LOOKS_MAX: u32 = 20;
const LOOK_PAUSE: Duration = Duration::from_secs(3);

/// How often the deployments are looked at for one that a patch brought.
const DEPLOYMENT_LOOKS_MAX: u32 = 3;

/// One probe under way.
struct Probe<'a> {
    session: &'a Session,
    writer: Writer,
    store: Store,
    key: Key,
    /// What lived before.
    bystanders: std::collections::BTreeSet<RemoteId>,
    /// What answered 201, and is to be deleted.
    made: Vec<LiveObject>,
    /// Whether a create has an open fate: then its intent stays.
    is_unsettled: bool,
    observed: Observed,
    stop: watch::Receiver<bool>,
}

/// What the probe found, and how it ended: it may have learned much and then failed.
pub struct Probed {
    /// What was found.
    pub findings: Vec<Finding>,
    /// How it ended; a failure to delete names what is left.
    pub ended: Result<Exit, Failure>,
}

/// Asks, probes, cleans up, and returns what was found.
///
/// # Errors
/// When the probe could not begin.
pub async fn run(
    context: &Context,
    connection: &Connection,
    session: &Session,
    is_approved: bool,
    interrupt: &Interrupt,
) -> Result<Probed, Failure> {
    check_limits(session)?;
    let (writer, project) = rights::writer(session).await?;
    let key = key()?;
    context.output.note(&format!(
        "The probe creates {key} in project {}, and tries to create a second one of that name; \
         both are deleted again. They may cost money for the minutes they live.",
        project.name
    ));
    if !is_approved
        && let Consent::No(exit) = ask(context, &Question::Go("Probe?"), interrupt).await?
    {
        return Ok(Probed { findings: Vec::new(), ended: Ok(exit) });
    }
    let store = session.hold(context, "doctor --probe").await?;
    let name = key.name.to_string();
    let observed = Observed { name, sent: fields(session, &key)?, ..Observed::default() };
    let stop = interrupt.stop();
    let made = Vec::new();
    let bystanders = std::collections::BTreeSet::new();
    let is_unsettled = false;
    let mut probe =
        Probe { session, writer, store, key, bystanders, made, is_unsettled, observed, stop };
    let learned = probe.learn(context, connection).await;
    let cleaned = probe.clean_up().await;
    probe.observed.limits = session.project.client.limits_last_seen();
    let findings = judge(&probe.observed, session.project.client.dialect());
    // What is left behind outweighs what was not learned, and that an interrupt.
    let ended = match (cleaned, interrupt.exit(), learned) {
        (Err(left), _, _) => Err(left),
        (Ok(()), Some(exit), _) => Ok(exit),
        (Ok(()), None, learned) => learned.map(|()| Exit::Done),
    };
    Ok(Probed { findings, ended })
}

/// Refuses limits that could end the run between a create and its delete.
fn check_limits(session: &Session) -> Result<(), Failure> {
    let settings = &session.settings;
    if settings.calls_max.is_none() && settings.timeout.is_none() {
        return Ok(());
    }
    Err(Failure::usage("a limit could keep the probe from deleting what it created")
        .hint("leave out --max-calls and --timeout"))
}

impl Probe<'_> {
    async fn learn(&mut self, context: &Context, connection: &Connection) -> Result<(), Failure> {
        self.check_name().await?;
        let created = self.create(1).await?;
        self.observed.created = Some(created.clone());
        self.step()?;
        self.observed.detailed = Some(self.details(&created).await?);
        let listing = self.session.reader.list(Kind::Service).await?;
        let mut listed = listing.objects.into_iter();
        self.observed.listed = listed.find(|object| object.id == created.id);
        self.step()?;
        self.learn_of_patches(&created).await?;
        self.step()?;
        self.learn_of_names().await?;
        self.step()?;
        self.learn_of_pages(context, connection).await
    }

    /// Makes sure, from a complete listing, that the name is free.
    async fn check_name(&mut self) -> Result<(), Failure> {
        let listing = self.session.reader.list_steadily(Kind::Service).await?;
        self.bystanders = bystanders(Kind::Service, &listing, self.store.inventory());
        let is_taken = listing.objects.iter().any(|it| it.name == self.key.name.as_str());
        match &listing.coverage {
            Coverage::Unknown(unknown) => Err(Failure::new(
                ErrorCode::IncompleteListing,
                format!("nothing was created: {}", find::trouble(Kind::Service, unknown)),
            )),
            Coverage::Complete if is_taken => {
                Err(Failure::new(ErrorCode::NameTaken, format!("{} already exists", self.key)))
            }
            Coverage::Complete => Ok(()),
        }
    }

    async fn create(&mut self, attempt: u32) -> Result<LiveObject, Failure> {
        let sent = self.observed.sent.clone();
        let applied = sent.iter().map(|(path, value)| (path.clone(), Applied::from(value)));
        let intent = Intent {
            started_at: self.session.project.clock.now(),
            attempt,
            applied: applied.collect(),
            remembered: Remembered::default(),
            depends_on: std::collections::BTreeSet::new(),
            bystanders: self.bystanders.clone(),
        };
        self.store.begin_intent(self.key.clone(), intent)?;
        let (links, answers) = (Links::default(), Answers::default());
        // Its name is nobody else's, so it does not matter how long before the POST the intent began,
        // nor when the lists were read.
        let leaving = || Ok(());
        let place = self.writer.reserve().await?;
        let leave = place.resting_on(self.session.project.clock.now(), LOOK_AGE_MAX);
        let (name, fields) = (&self.key.name, &sent);
        let create = Create { kind: Kind::Service, name, fields, links: &links, answers: &answers };
        match self.writer.create(leave, create, &leaving).await {
            Ok(object) => {
                self.made.push(object.clone());
                Ok(object)
            }
            Err(error) => {
                self.is_unsettled |= matches!(error, WriteError::Ambiguous(_));
                Err(error.error().clone().into())
            }
        }
    }

    async fn details(&self, object: &LiveObject) -> Result<LiveObject, Failure> {
        match self.session.reader.get(Kind::Service, &object.id).await? {
            Lookup::Found(details) => Ok(*details),
            Lookup::Gone => Err(Failure::new(ErrorCode::Gone, format!("{} disappeared", self.key))),
        }
    }

    async fn learn_of_patches(&mut self, object: &LiveObject) -> Result<(), Failure> {
        let (Some(added), Some(plain)) = (variable(ADDED), variable(PLAIN)) else { return Ok(()) };
        let before = self.session.reader.deployments(&object.id).await?.len();
        let value = FieldValue::Text("added".to_owned());
        self.patch(object, added, Some(value)).await?;
        self.observed.after_patch = Some(self.details(object).await?);
        let mut brought = 0;
        for look in 0..DEPLOYMENT_LOOKS_MAX {
            if look > 0 {
                self.pause().await?;
            }
            let after = self.session.reader.deployments(&object.id).await?.len();
            brought = after.saturating_sub(before);
            if brought > 0 {
                break;
            }
        }
        self.observed.deployments_added = Some(brought);
        self.patch(object, plain, None).await?;
        self.observed.after_removal = Some(self.details(object).await?);
        Ok(())
    }

    /// Sends a patch of one variable. Where a deploy is in progress it waits: a refused patch
    /// changed nothing, so it may be sent again.
    async fn patch(
        &mut self,
        object: &LiveObject,
        path: FieldPath,
        value: Option<FieldValue>,
    ) -> Result<(), Failure> {
        let key = match &path {
            FieldPath::Env(key) => key.clone(),
            FieldPath::Setting(_) => return Ok(()),
        };
        // Where the list replaces, this one is all there is: the same body either way.
        let whole = value.clone().map(|value| (key, value)).into_iter().collect();
        let changes = BTreeMap::from([(path, value)]);
        let (links, answers) = (&Links::default(), &Answers::default());
        let name = self.name_of(object);
        let target = DeployTarget { name: &name, ..DeployTarget::from(object) };
        for _ in 0..LOOKS_MAX {
            let patch = Patch { changes: &changes, env_whole: Some(&whole), links, answers };
            let TargetSight::Same(leave) = self.writer.look_at(target).await? else {
                return Err(Failure::new(ErrorCode::Moved, MOVED));
            };
            match self.writer.patch(leave, &object.id, patch).await {
                Ok(_) => return Ok(()),
                Err(WriteError::Busy(_) | WriteError::NotApplied(_)) => self.pause().await?,
                Err(error) => return Err(error.error().clone().into()),
            }
        }
        Err(Failure::new(ErrorCode::DeployInProgress, "a deploy has been in progress for minutes"))
    }

    async fn learn_of_names(&mut self) -> Result<(), Failure> {
        match self.create(2).await {
            Ok(_) => self.observed.twin = Some(Twin::Created),
            // A conflict, and nothing else, says that the name is taken.
            Err(failure)
                if failure.code == ErrorCode::RefusedByApi && failure.message.contains(" 409") =>
            {
                self.observed.twin = Some(Twin::Refused);
            }
            Err(failure) if self.is_unsettled => return Err(failure),
            Err(_) => {}
        }
        Ok(())
    }

    /// Lists again in pages of half the length, through a client of its own.
    async fn learn_of_pages(
        &mut self,
        context: &Context,
        flags: &Connection,
    ) -> Result<(), Failure> {
        let total = self.session.reader.list(Kind::Service).await?.objects.len();
        if total < 2 {
            return Ok(());
        }
        let mut flags = flags.clone();
        let half = total.div_ceil(2).to_string();
        flags.dialect.push(Assignment { key: "per_page".to_owned(), value: half });
        let other = Session::open_urgent(context, &flags, Purpose::Read)?;
        let listing = other.reader.list(Kind::Service).await?;
        self.observed.paging = Some(match &listing.coverage {
            Coverage::Complete if listing.pages > 1 => PageProbe::Honoured,
            Coverage::Complete => PageProbe::OnePage,
            Coverage::Unknown(unknown) => PageProbe::Odd(find::trouble(Kind::Service, unknown)),
        });
        Ok(())
    }

    /// Deletes all that answered 201, and forgets the intent when nothing is left.
    async fn clean_up(&mut self) -> Result<(), Failure> {
        let mut left = Vec::new();
        for object in std::mem::take(&mut self.made) {
            if let Err(reason) = self.delete(&object).await {
                left.push(format!("{} ({}): {reason}", self.key, object.id));
            }
        }
        if self.is_unsettled {
            left.push(format!("perhaps {}: its create got no answer", self.key));
        }
        if left.is_empty() {
            self.store.abandon_intent(self.key.clone())?;
            return Ok(());
        }
        Err(Failure::new(ErrorCode::LeftBehind, format!("left behind: {}", left.join("; ")))
            .hint(format!("`stoker get {}` shows whether it is there", self.key))
            .hint("delete it on the platform; until then it may cost money"))
    }

    /// Returns the name under which an object lives: the platform may have changed the one it was
    /// given (A22).
    fn name_of(&self, object: &LiveObject) -> String {
        let given = self.observed.detailed.as_ref().filter(|seen| seen.id == object.id);
        given.map_or_else(|| object.name.clone(), |seen| seen.name.clone())
    }

    /// Deletes one object, if it still answers by id as the very thing we made (S1).
    async fn delete(&mut self, object: &LiveObject) -> Result<(), String> {
        let name = self.name_of(object);
        let target = DeployTarget { name: &name, ..DeployTarget::from(object) };
        for look in 0..LOOKS_MAX {
            let leave = match self.writer.look_at(target).await {
                Ok(TargetSight::Same(leave)) => leave,
                Ok(TargetSight::Other) => return Err(MOVED.to_owned()),
                Ok(TargetSight::Gone) => return Ok(()),
                Err(error) => return Err(format!("failed to {error}")),
            };
            match self.writer.delete(leave, Kind::Service, &object.id).await {
                Ok(_) => break,
                Err(WriteError::Busy(_) | WriteError::NotApplied(_)) if look + 1 < LOOKS_MAX => {
                    self.rest().await;
                }
                Err(error) => return Err(format!("failed to {error}")),
            }
        }
        for _ in 0..LOOKS_MAX {
            match self.session.reader.get(Kind::Service, &object.id).await {
                Ok(Lookup::Gone) => {
                    self.observed.proven_gone.get_or_insert(true);
                    return Ok(());
                }
                Ok(Lookup::Found(_)) => self.rest().await,
                Err(error) if self.is_gone_without_code(&error, &object.id).await => {
                    self.observed.proven_gone.get_or_insert(false);
                    self.observed.is_gone_without_code = true;
                    return Ok(());
                }
                Err(error) => return Err(format!("failed to {error}")),
            }
        }
        self.observed.proven_gone = Some(false);
        Err("it was deleted, and the platform still returns it".to_owned())
    }

    /// Whether what was just deleted answers 404 without a code, and a whole list does not show it: of
    /// what this run made and deleted that is enough to say that nothing is left behind.
    async fn is_gone_without_code(&self, error: &Error, id: &RemoteId) -> bool {
        let is_404 = error.api().is_some_and(|error| error.status == 404);
        let listing = async { self.session.reader.list_steadily(Kind::Service).await };
        is_404 && listing.await.is_ok_and(|listing| listing.proves_gone(id))
    }

    /// Waits; ends early, with a failure, when somebody wants us to end.
    async fn pause(&mut self) -> Result<(), Failure> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.rest() => {}
            _ = stop.wait_for(|is_stopped| *is_stopped) => {}
        }
        self.step()
    }

    async fn rest(&self) {
        let now = self.session.project.clock.now();
        self.session.project.clock.sleep_until(now.checked_add(LOOK_PAUSE).unwrap_or(now)).await;
    }

    /// Goes on only while nobody wants us to end: nothing is dropped in the middle of a request.
    fn step(&self) -> Result<(), Failure> {
        if *self.stop.borrow() {
            return Err(Failure::new(ErrorCode::Interrupted, "interrupted"));
        }
        Ok(())
    }
}

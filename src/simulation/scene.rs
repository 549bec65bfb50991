//! What a simulation is about: manifests in several revisions, and the project they are for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::daemon::declare::declare;
use crate::daemon::source::{Reading, Secrets};
use crate::emulator::{self, Kind};
use crate::manifest;
use crate::model::{Desired, Diagnostic, FieldValue, Key, Kind as OurKind, Lifecycle, ValueSource};
use crate::plan::{Policy, Prune};
use crate::secret::FingerprintKey;
use crate::source::Tree;

use super::ears::Ears;
use super::revisions::{ManifestState, derive};

/// What the stand-in of every secret begins with.
const STAND_IN: &str = "st0ker-stand-in-";

/// Secrets shorter than this stand in innocent words, too, and cannot be looked for.
const SECRET_CHARS_MIN: usize = 8;

/// A small project with everything that a law is about.
const SMALL: &str = include_str!("small.yaml");

/// The state of the platform, by kind and name, without what differs from run to run.
pub(super) type FinalState = BTreeMap<(Kind, String), Vec<Value>>;

/// Manifests in several revisions, and the project they are for.
pub struct Scene {
    pub(super) revisions: Vec<ManifestState>,
    /// What lives on the platform before we come, as manifests.
    pub(super) live: Option<String>,
    /// The project as the manifests guard it, or the emulator's own.
    pub(super) project: emulator::ProjectConfig,
    pub(super) policy: Policy,
    /// Every value that must be seen in bodies only (S9).
    pub(super) secrets: Arc<Vec<String>>,
    /// What hears them.
    pub(super) ears: Ears,
    key: Arc<FingerprintKey>,
    ends: Mutex<BTreeMap<usize, Arc<FinalState>>>,
}

/// What a reading of the source gives, with what a wholly valid one declares.
#[derive(Clone)]
pub(super) struct Given {
    pub tree: Tree,
    pub desired: Option<Arc<Desired>>,
}

impl Scene {
    /// Returns the scene of the project's own tests.
    #[must_use]
    pub fn small() -> Self {
        let loaded = manifest::load(&Tree::from_texts([("small.yaml", SMALL)]));
        let desired = loaded.desired.expect("the small project is valid");
        Self::of(desired).expect("the small project has no hidden mistakes")
    }

    /// Makes a scene of manifests. Values that they only name are stood in for: a simulation has
    /// neither the environment nor the files of a machine, and needs no secret.
    ///
    /// # Errors
    /// Everything that is wrong with them, with places.
    pub fn of(desired: Desired<ValueSource>) -> Result<Self, Vec<Diagnostic>> {
        let mut project = emulator::ProjectConfig::default();
        if let Some(guard) = &desired.guard {
            project.name.clone_from(&guard.name);
            project.id = guard.id.clone().or(project.id);
        }
        let revisions = derive(desired);
        if revisions.is_empty() {
            let message = "nothing is declared, so there is nothing to simulate";
            return Err(vec![Diagnostic::error("nothing-declared", message)]);
        }
        let mut policy = Policy::default();
        policy.permissions.prune = Prune::Kinds(OurKind::ALL.into());
        let key = Arc::new(FingerprintKey::from_bytes([7; 32]));
        let mut scene = Self {
            revisions,
            live: None,
            project,
            policy,
            secrets: Arc::default(),
            ears: Ears::default(),
            key,
            ends: Mutex::default(),
        };
        scene.secrets = Arc::new(scene.find_secrets());
        scene.ears = Ears::for_secrets(scene.secrets.iter().map(String::as_str));
        Ok(scene)
    }

    /// Adds what lives on the platform before we come, as `stoker export` printed it.
    #[must_use]
    pub fn with_live(mut self, live: &Desired<ValueSource>) -> Self {
        self.live = Some(manifest::print(live));
        self
    }

    /// Returns how many revisions there are.
    #[must_use]
    pub fn revisions(&self) -> usize {
        self.revisions.len()
    }

    /// Returns a revision. A schedule may have been drawn for another scene: it is played as far as it
    /// goes.
    pub(super) fn revision(&self, number: usize) -> &ManifestState {
        &self.revisions[number % self.revisions.len()]
    }

    /// Returns what was done in each revision, for people.
    pub fn changes(&self) -> impl Iterator<Item = &str> {
        self.revisions.iter().map(|revision| revision.what.as_str())
    }

    /// Returns the revisions without overlays.
    pub(super) fn plain(&self) -> &[ManifestState] {
        let count = self.revisions.iter().take_while(|it| it.layers.is_none()).count();
        &self.revisions[..count]
    }

    /// Returns every resource that any revision without overlays declares.
    pub(super) fn keys(&self) -> BTreeSet<&Key> {
        self.plain().iter().flat_map(|revision| revision.desired.resources.keys()).collect()
    }

    /// Whether the manifests that declare a resource keep it from being deleted, all overlays aside:
    /// whether one of those was ever read is for the judge to say.
    pub(super) fn protects(&self, key: &Key) -> bool {
        let declared = self.plain().iter().filter_map(|it| it.desired.resources.get(key));
        declared.into_iter().any(|resource| keeps(&resource.lifecycle))
    }

    /// Whether the manifests that declare a database let it go without them.
    pub(super) fn may_prune(&self, key: &Key) -> bool {
        let mut declared = self.revisions.iter().filter_map(|it| it.desired.resources.get(key));
        declared.all(|resource| resource.lifecycle.prune == Some(true))
    }

    /// Returns how the values are found that manifests only name.
    pub(super) fn finders(&self) -> Secrets {
        let environment = |name: &str| Some(format!("{STAND_IN}{name}"));
        Secrets {
            environment: Arc::new(environment),
            allowed: Arc::default(),
            key: Arc::clone(&self.key),
        }
    }

    /// Returns what a revision gives. What it declares is what its one text says, whatever is made
    /// of its layers.
    pub(super) fn given(&self, state: &ManifestState) -> Given {
        let (base, overlays) = state.texts();
        let Given { tree, desired } = self.laid(base, &overlays);
        if overlays.is_empty() {
            return Given { tree, desired };
        }
        let digest = tree.digest().to_owned();
        let whole = self.reading(&state.text).desired;
        let desired = whole.map(|whole| Desired { digest, ..Arc::unwrap_or_clone(whole) });
        Given { tree, desired: desired.map(Arc::new) }
    }

    /// Returns what a text would give, were it all there is.
    pub(super) fn reading(&self, text: &str) -> Given {
        self.laid(text, &[])
    }

    /// Returns what a text would give with others laid over it, in order.
    pub(super) fn laid(&self, text: &str, overlays: &[&str]) -> Given {
        let overlays = overlays.iter().enumerate().map(|(index, text)| {
            let name = format!("overlay-{index}.yaml");
            let tree = Tree::from_texts([(name.as_str(), *text)]);
            (name, tree)
        });
        let tree = Tree::from_texts([("stack.yaml", text)])
            .with_overlays(overlays.collect())
            .expect("each layer is a file of its own");
        let reading = Reading { tree: tree.clone(), commit: None };
        let declared = declare(reading, &self.finders(), None).ok();
        let desired = declared.map(|declared| Arc::clone(&declared.desired));
        Given { tree, desired }
    }

    /// Returns how the platform ends with one revision only; it is worked out once.
    pub(super) fn end(
        &self,
        revision: usize,
        work_out: impl FnOnce() -> FinalState,
    ) -> Arc<FinalState> {
        let ends = || self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = ends().get(&revision) {
            return Arc::clone(known);
        }
        // Others may play on meanwhile, and may work out the same.
        let end = Arc::new(work_out());
        ends().insert(revision, Arc::clone(&end));
        end
    }

    fn find_secrets(&self) -> Vec<String> {
        let mut secrets = BTreeSet::from([STAND_IN.to_owned()]);
        for revision in &self.revisions {
            let Some(desired) = self.reading(&revision.text).desired else { continue };
            for field in desired.resources.values().flat_map(|it| it.fields.values()) {
                if let FieldValue::Secret(secret) = &field.value
                    && secret.expose().len() >= SECRET_CHARS_MIN
                    && !secret.expose().contains(STAND_IN)
                {
                    secrets.insert(secret.expose().to_owned());
                }
            }
        }
        secrets.into_iter().collect()
    }
}

/// Whether a manifest keeps its resource from being deleted.
pub(super) fn keeps(lifecycle: &Lifecycle) -> bool {
    lifecycle.protect || lifecycle.prune == Some(false) || !lifecycle.policies.delete
}

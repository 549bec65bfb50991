//! From manifests to states of them with overlays: what people lay over manifests as time goes by.
//!
//! Each state is made twice: as layers, which the program reads, and as one text that says the same,
//! by which the judge goes. No layer has a part in the second, so a mistake of theirs is seen.

use crate::manifest;
use crate::model::{
    Desired, EnvKey, FieldPath, FieldValue, Key, Kind, Lifecycle, Resource, ValueSource,
};
use crate::source::Tree;

use super::dice::Dice;
use super::revisions::{ManifestState, TOUCHED, of_kind, plan, printed, touched, without};
use super::scene::Scene;
use super::schedule::{Disturbance, Loss, ScheduledStep};
use super::trouble::{Family, Trouble};

/// How many resources are left out one at a time; each more makes the others rarer.
const LEFT_OUT_MAX: usize = 4;

/// The label that a selector looks for.
const LABEL: (&str, &str) = ("simulated", "selected");

/// The service that an overlay adds, with a secret that stands in that layer only.
const ADDED: &str = "\
apiVersion: stackblaze.cloud/v1
kind: Service
metadata: { name: simulated-addition }
spec:
  type: worker
  image: nginx
  envVars: [{ key: SIMULATED_TOKEN, value: Yq7-dKx2WvR9m-Tzb4 }]
";

/// What a state is read from, when it has layers.
#[derive(Clone, Debug)]
pub(super) struct LayerTexts {
    /// The manifests themselves.
    pub base: String,
    /// What lies over them, in order; at least one.
    pub overlays: Vec<String>,
}

/// What a person does with overlays.
struct Sketch {
    what: String,
    below: Desired<ValueSource>,
    overlays: Vec<String>,
    /// What all of it comes to.
    whole: Desired<ValueSource>,
}

/// Returns what could be laid over manifests.
pub(super) fn layered(base: &Desired<ValueSource>) -> Vec<ManifestState> {
    let mut sketches = vec![changing(base), selecting(base), protecting(base), taking_away(base)];
    for key in base.resources.keys().rev().take(LEFT_OUT_MAX) {
        sketches.push(leaving_out(base, &[key], format!("an overlay leaves {key} out")));
    }
    let most: Vec<&Key> = of_kind(base, Kind::Service).skip(1).collect();
    let what = "an overlay leaves all services out but one".to_owned();
    sketches.extend([leaving_out(base, &most, what), adding(base), one_over_another(base)]);
    sketches.push(letting_a_database_go(base));
    sketches.into_iter().flatten().filter_map(state).collect()
}

fn state(sketch: Sketch) -> Option<ManifestState> {
    let Sketch { what, below, overlays, whole } = sketch;
    let base = manifest::print(&below);
    let layers = Some(LayerTexts { base, overlays });
    Some(ManifestState { layers, ..printed(what, &whole)? })
}

/// Returns a document of a layer.
fn document(key: &Key, rest: &str) -> String {
    format!("{}metadata: {{ name: \"{}\" }}\n{rest}", head(key.kind), key.name)
}

fn head(kind: Kind) -> String {
    let kind = match kind {
        Kind::Service => "Service",
        Kind::Database => "Database",
        Kind::EnvGroup => "EnvGroup",
    };
    format!("apiVersion: stackblaze.cloud/v1\nkind: {kind}\n")
}

fn overlay(documents: &[String]) -> String {
    documents.join("---\n")
}

/// Returns a document that says of a service what `touched` does.
fn touching(resource: &Resource<ValueSource>) -> String {
    let rest = if resource.declares_env {
        format!("spec: {{ envVars: [{{ key: {TOUCHED}, value: \"1\" }}] }}\n")
    } else {
        "spec: { plan: simulated }\n".to_owned()
    };
    document(&resource.key, &rest)
}

fn changing(base: &Desired<ValueSource>) -> Option<Sketch> {
    let services: Vec<&Key> = of_kind(base, Kind::Service).collect();
    let documents: Vec<String> =
        services.iter().map(|key| touching(&base.resources[*key])).collect();
    let (whole, what) = (touched(base, &services), "an overlay changes every service".to_owned());
    let below = base.clone();
    (!documents.is_empty()).then(|| Sketch {
        what,
        below,
        overlays: vec![overlay(&documents)],
        whole,
    })
}

fn labelled(base: &Desired<ValueSource>, keys: &[Key]) -> Desired<ValueSource> {
    let mut desired = base.clone();
    for key in keys {
        if let Some(resource) = desired.resources.get_mut(key) {
            resource.labels.insert(LABEL.0.to_owned(), LABEL.1.to_owned());
        }
    }
    desired
}

fn selected(kind: Kind, rest: &str) -> String {
    format!("{}select: {{ {}: {} }}\n{rest}", head(kind), LABEL.0, LABEL.1)
}

/// Two services have a label, and the overlay changes these by it.
fn selecting(base: &Desired<ValueSource>) -> Option<Sketch> {
    let keys: Vec<Key> = of_kind(base, Kind::Service).take(2).cloned().collect();
    let below = labelled(base, &keys);
    let mut whole = below.clone();
    for key in &keys {
        plan(whole.resources.get_mut(key)?, "simulated");
    }
    let overlays = vec![selected(Kind::Service, "spec: { plan: simulated }\n")];
    let what = "an overlay changes two services by their label".to_owned();
    (!keys.is_empty()).then_some(Sketch { what, below, overlays, whole })
}

/// One database has a label, and the overlay lets that one go when it is declared no longer.
fn letting_a_database_go(base: &Desired<ValueSource>) -> Option<Sketch> {
    let key = of_kind(base, Kind::Database).next()?.clone();
    let mut below = labelled(base, std::slice::from_ref(&key));
    for resource in below.resources.values_mut().filter(|it| it.key.kind == Kind::Database) {
        resource.lifecycle.prune = None;
    }
    let mut whole = below.clone();
    whole.resources.get_mut(&key)?.lifecycle.prune = Some(true);
    let overlays = vec![selected(Kind::Database, "lifecycle: { prune: true }\n")];
    let what = format!("an overlay lets {key} go by its label");
    Some(Sketch { what, below, overlays, whole })
}

fn protecting(base: &Desired<ValueSource>) -> Option<Sketch> {
    let is_plain = |key: &&Key| base.resources[*key].lifecycle == Lifecycle::default();
    let key = of_kind(base, Kind::Service).filter(is_plain).last()?;
    let mut whole = base.clone();
    whole.resources.get_mut(key)?.lifecycle.protect = true;
    let overlays = vec![document(key, "lifecycle: { protect: true }\n")];
    let what = format!("an overlay protects {key}");
    Some(Sketch { what, below: base.clone(), overlays, whole })
}

/// Returns a variable of a service with a plain value.
fn variable(resource: &Resource<ValueSource>) -> Option<EnvKey> {
    resource.fields.iter().find_map(|(path, field)| match (path, &field.value) {
        (FieldPath::Env(key), ValueSource::Value(FieldValue::Text(_))) => Some(key.clone()),
        (FieldPath::Env(_) | FieldPath::Setting(_), _) => None,
    })
}

fn removing(key: &EnvKey) -> String {
    format!("spec: {{ envVars: [{{ key: \"{}\", value: null }}] }}\n", key.as_str())
}

fn taking_away(base: &Desired<ValueSource>) -> Option<Sketch> {
    let mut services = of_kind(base, Kind::Service);
    let (key, variable) = services.find_map(|key| Some((key, variable(&base.resources[key])?)))?;
    let mut whole = base.clone();
    whole.resources.get_mut(key)?.fields.remove(&FieldPath::Env(variable.clone()));
    let overlays = vec![document(key, &removing(&variable))];
    let what = format!("an overlay takes {} away from {key}", variable.as_str());
    Some(Sketch { what, below: base.clone(), overlays, whole })
}

fn leaving_out(base: &Desired<ValueSource>, keys: &[&Key], what: String) -> Option<Sketch> {
    let whole = without(base, keys)?;
    let gone = base.resources.keys().filter(|key| !whole.resources.contains_key(*key));
    let documents: Vec<String> = gone.map(|key| document(key, "omit: true\n")).collect();
    Some(Sketch { what, below: base.clone(), overlays: vec![overlay(&documents)], whole })
}

fn adding(base: &Desired<ValueSource>) -> Option<Sketch> {
    let added = manifest::load(&Tree::from_texts([("added.yaml", ADDED)])).desired?;
    let mut whole = base.clone();
    whole.resources.extend(added.resources);
    let is_new = whole.resources.len() > base.resources.len();
    let what = "an overlay adds a service with a secret".to_owned();
    let (below, overlays) = (base.clone(), vec![ADDED.to_owned()]);
    is_new.then_some(Sketch { what, below, overlays, whole })
}

/// What the first overlay changes, the second takes away again, or leaves out.
fn one_over_another(base: &Desired<ValueSource>) -> Option<Sketch> {
    let services: Vec<&Key> = of_kind(base, Kind::Service).collect();
    let first = services.iter().find(|key| base.resources[**key].declares_env)?;
    let left_out = services.iter().rev().find(|key| *key != first)?;
    let lower = changing(base)?;
    let touched_key = EnvKey::new(TOUCHED).ok()?;
    let upper = leaving_out(&lower.whole, &[left_out], String::new())?;
    let mut whole = upper.whole;
    let mut documents = upper.overlays;
    if let Some(resource) = whole.resources.get_mut(*first) {
        resource.fields.remove(&FieldPath::Env(touched_key.clone()));
        documents.push(document(first, &removing(&touched_key)));
    }
    let overlays = [lower.overlays, vec![overlay(&documents)]].concat();
    let what = format!("an overlay over another changes {first} back and leaves {left_out} out");
    Some(Sketch { what, below: lower.below, overlays, whole })
}

/// Lets people work with overlays in one seed of four: some commits are of revisions with them, and
/// more come. It has dice of its own: what else befalls a seed is the same with it and without.
pub(super) fn lay_over(
    steps: &mut Vec<ScheduledStep>,
    seed: u64,
    scene: &Scene,
    trouble: &Trouble,
) {
    let mut dice = Dice::new(seed.rotate_left(32));
    let layered: Vec<usize> = (scene.plain().len()..scene.revisions()).collect();
    // Where one service alone fails, what is committed says when the others are done.
    let is_unfair = |step: &ScheduledStep| matches!(step.what, Disturbance::AlwaysFails(_));
    if layered.is_empty() || !dice.one_in(4) || steps.iter().any(is_unfair) {
        return;
    }
    for step in steps.iter_mut() {
        if let Disturbance::Commit(revision) | Disturbance::Source(Loss::Half(revision, _)) =
            &mut step.what
            && dice.one_in(2)
        {
            *revision = *dice.pick(&layered).unwrap_or(revision);
        }
    }
    for _ in 0..dice.between(2, 5) {
        let at = dice.below(trouble.seconds * 1_000);
        let revision = *dice.pick(&layered).unwrap_or(&0);
        let what = if trouble.families.contains(&Family::Source) && dice.one_in(3) {
            let end = at + dice.between(5, 900) * 1_000;
            steps.push(ScheduledStep { at: end, what: Disturbance::Commit(revision) });
            Disturbance::Source(Loss::Torn(revision))
        } else {
            Disturbance::Commit(revision)
        };
        steps.push(ScheduledStep { at, what });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::judge::judge;
    use super::super::law::{Law, LawFindings};
    use super::super::play::play;
    use super::super::schedule::{PlatformBehaviour, Schedule, SourceKind};
    use super::*;
    use crate::source;

    #[test]
    fn layers_come_to_what_their_one_text_says() {
        let stacks = ["web-application", "shop", "blueprint-only"].map(|stack| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/stacks");
            let tree = source::load(&[root.join(stack)], None).unwrap();
            Scene::of(manifest::load(&tree).desired.unwrap()).unwrap()
        });
        for scene in stacks.iter().chain([&Scene::small()]) {
            let layered = &scene.revisions[scene.plain().len()..];
            assert!(layered.len() >= 4, "{}", layered.len());
            for state in layered {
                let (base, overlays) = state.texts();
                let loaded = manifest::load(&scene.laid(base, &overlays).tree);
                let what = format!("{}: {:#?}\n{overlays:?}", state.what, loaded.diagnostics);
                let printed = manifest::print(&loaded.desired.expect(&what));
                assert_eq!(printed, state.text, "{what}");
            }
        }
    }

    /// Finds a revision of the small scene by the beginning of what was done.
    fn revision(scene: &Scene, what: &str) -> usize {
        let mut all = scene.changes();
        all.position(|it| it.starts_with(what)).unwrap_or_else(|| panic!("no `{what}`"))
    }

    /// Plays steps five minutes apart; none of the laws is broken.
    #[track_caller]
    fn held(scene: &Arc<Scene>, steps: &[Disturbance]) -> LawFindings {
        let step = |(place, what): (u64, &Disturbance)| ScheduledStep {
            at: place * 300_000,
            what: what.clone(),
        };
        let schedule = Schedule {
            seed: 3,
            platform: PlatformBehaviour::default(),
            source: SourceKind::GitHold,
            seconds: 1_800,
            looks: 3,
            steps: (1..).zip(steps).map(step).collect(),
        };
        let findings = judge(scene, &play(scene, &schedule));
        assert_eq!(findings.broken().collect::<Vec<_>>(), [], "{}", schedule.line());
        findings
    }

    #[test]
    fn a_broken_overlay_deletes_nothing() {
        let scene = Arc::new(Scene::small());
        let added = revision(&scene, "an overlay adds");
        let steps = [Disturbance::Commit(added), Disturbance::Source(Loss::Torn(added))];
        assert!(held(&scene, &steps).of(Law::S6).at_risk > 0);
    }

    #[test]
    fn what_an_overlay_protects_stays_protected_without_it() {
        let scene = Arc::new(Scene::small());
        let protected = revision(&scene, "an overlay protects");
        let key = scene.revisions[protected].what.rsplit(' ').next().unwrap().to_owned();
        let most = revision(&scene, &format!("an overlay leaves {key} out"));
        let steps = [Disturbance::Commit(protected), Disturbance::Commit(most)];
        assert!(held(&scene, &steps).of(Law::S11).at_risk > 0);
    }

    #[test]
    fn a_selector_lets_go_only_what_it_selects() {
        let scene = Arc::new(Scene::small());
        let [selected, without] =
            ["an overlay lets", "without databases"].map(|what| revision(&scene, what));
        let steps = [Disturbance::Commit(selected), Disturbance::Commit(without)];
        assert!(held(&scene, &steps).of(Law::S7).at_risk > 0);
    }

    #[test]
    fn what_an_overlay_leaves_out_is_counted_by_the_fuse() {
        let scene = Arc::new(Scene::small());
        let most = revision(&scene, "an overlay leaves all services out");
        assert!(held(&scene, &[Disturbance::Commit(most)]).of(Law::S7).at_risk > 0);
    }

    #[test]
    fn seeds_with_overlays_are_drawn_and_the_rest_of_them_stays_as_it_was() {
        let scene = Scene::small();
        let first = scene.plain().len();
        let is_layered = |step: &ScheduledStep| match step.what {
            Disturbance::Commit(it) | Disturbance::Source(Loss::Half(it, _) | Loss::Torn(it)) => {
                it >= first
            }
            _ => false,
        };
        let trouble = Trouble::default();
        let drawn = (0..100).map(|seed| super::super::draw::draw(seed, &scene, &trouble));
        let layered = drawn.filter(|schedule| schedule.steps.iter().any(is_layered)).count();
        assert!((10..40).contains(&layered), "{layered}");
    }
}

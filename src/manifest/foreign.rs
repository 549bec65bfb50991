//! YAML that is plainly something else: whoever has it beside an app hears what it was taken for, and
//! how to name the manifests alone.

use super::tree::Yaml;

/// What may lie beside an app, by words that stand together at the top of such a file.
const KINDS: [(&[&str], &str); 17] = [
    (&["jobs", "on"], "a GitHub workflow"),
    (&["pipelines"], "the pipelines of Bitbucket"),
    (&["trigger", "pool"], "a pipeline of Azure"),
    (&["trigger", "steps"], "a pipeline of Azure"),
    (&["stages"], "a CI file"),
    (&["jobs", "version"], "a CI file"),
    (&["jobs", "workflows"], "a CI file"),
    (&["phases", "version"], "a CI file"),
    (&["steps"], "a CI file"),
    (&["apiVersion", "appVersion"], "a Helm chart"),
    (&["apiVersion", "dependencies"], "a Helm chart"),
    (&["apiVersion", "name", "version"], "a Helm chart"),
    (&["openapi"], "an OpenAPI description"),
    (&["swagger"], "an OpenAPI description"),
    (&["service", "provider"], "a Serverless file"),
    (&["site_name"], "a MkDocs file"),
    (&["packages"], "a workspace of pnpm"),
];

/// How to name the manifests alone.
pub(super) const APART: &str =
    "name only the manifests: `stoker plan PATH`, or `--path PATH` in a repository";

/// Returns what a document seems to be, and what to do about it; nothing when nobody can tell.
pub(super) fn hint(root: Yaml<'_, '_>) -> Option<String> {
    let services = root.get("services").and_then(Yaml::entries);
    if services.is_some() {
        let list = "services of a Blueprint are a list, or each has a `type`";
        return Some(format!("it looks like a Compose file ({list}); {APART}"));
    }
    let is_there = |word: &&str| root.get(word).is_some();
    let (_, what) = KINDS.iter().find(|(words, _)| words.iter().all(&is_there))?;
    Some(format!("it looks like {what}; {APART}"))
}

/// Returns what a native-looking document of another maker is, and what to do about it.
pub(super) fn of_another_maker(version: &str, kind: Option<&str>) -> Option<String> {
    let maker = version.split('/').next().unwrap_or_default();
    if maker.ends_with("kubero.dev") || matches!(kind, Some("KuberoApp" | "KuberoPipeline")) {
        let what = match kind {
            Some("KuberoPipeline") => "a pipeline of Kubero, which is a `kind: Project` here",
            Some(_) | None => "an app of Kubero, which is a `kind: Service` here",
        };
        return Some(format!("it is {what}; write it as that, or {APART}"));
    }
    let is_core = matches!(version, "v1" | "v2" | "apps/v1" | "batch/v1");
    let is_kubernetes = is_core || maker.ends_with(".io");
    is_kubernetes.then(|| format!("it looks like a manifest of Kubernetes; {APART}"))
}

/// Whether a document is one that SOPS has encrypted: values stand in it, and no manifest.
pub(super) fn is_encrypted(root: Yaml<'_, '_>) -> bool {
    let sops = root.get("sops").filter(|_| root.get("kind").is_none());
    sops.is_some_and(|sops| sops.get("mac").is_some())
}

/// Whether a text is filled in before it is YAML, as the templates of Helm are.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{") && text.contains("}}")
}

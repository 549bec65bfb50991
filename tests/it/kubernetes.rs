//! The pod that the Kustomize base and the Helm chart make: one writer, and no right it does not need.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::deploy::{STATE, USER, documents, output, read, root, yaml};

/// Asserts that a pod has one writer and may do nothing but reach out.
#[track_caller]
fn is_confined(set: &Value) {
    assert_eq!([&set["kind"], &set["spec"]["replicas"]], [&Value::from("StatefulSet"), &1.into()]);
    let pod = &set["spec"]["template"]["spec"];
    assert_eq!(pod["automountServiceAccountToken"], false);
    let context = &pod["securityContext"];
    assert_eq!(context["runAsNonRoot"], true);
    for key in ["runAsUser", "runAsGroup", "fsGroup"] {
        assert_eq!(context[key], USER, "{key}");
    }
    assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault");
    let [container] = &pod["containers"].as_array().unwrap()[..] else { panic!("one container") };
    let context = &container["securityContext"];
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]));
    assert!(context["capabilities"]["add"].is_null() && context["privileged"].is_null());
    for (probe, path) in
        [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]
    {
        assert_eq!(container[probe]["httpGet"]["path"], path);
    }
    assert!(container["resources"]["limits"]["memory"].is_string());
    let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace > 10, "SIGTERM may take 10 s");
    let mounts = container["volumeMounts"].as_array().unwrap();
    let writable = mounts.iter().filter(|mount| mount["readOnly"] != true);
    let writable: Vec<_> = writable.map(|mount| mount["mountPath"].as_str().unwrap()).collect();
    assert_eq!(writable, [STATE, "/tmp"]);
    // A part of a mount does not follow when its source changes.
    assert!(mounts.iter().all(|mount| mount["subPath"].is_null()));
    // The state has a claim, made for it or there already.
    let volumes = pod["volumes"].as_array().unwrap();
    let own = &set["spec"]["volumeClaimTemplates"][0]["metadata"]["name"];
    let given = volumes.iter().filter(|volume| volume["name"] == "state");
    let given: Vec<_> = given.map(|volume| &volume["persistentVolumeClaim"]["claimName"]).collect();
    assert!(own == "state" && given.is_empty() || given.len() == 1 && given[0].is_string());
}

#[test]
fn the_pod_of_the_base_is_confined() {
    is_confined(&yaml("deploy/kubernetes/base/statefulset.yaml"));
}

#[test]
fn the_chart_says_of_the_pod_what_the_base_says() {
    let lines = |path: &str| -> BTreeSet<String> {
        let text = read(path);
        text.lines().map(|line| line.trim().to_owned()).collect()
    };
    let chart = lines("deploy/helm/stoker/templates/statefulset.yaml");
    for line in lines("deploy/kubernetes/base/statefulset.yaml") {
        // What values decide, and how the base writes what the chart writes otherwise.
        let is_decided =
            ["#", "name: stoker", "serviceName:", "serviceAccountName:", "matchLabels:"]
                .into_iter()
                .chain(["image:", "args:", "resources:", "requests:", "limits:", "accessModes:"])
                .chain(["configMap:", "secret:"])
                .any(|start| line.starts_with(start));
        assert!(line.is_empty() || is_decided || chart.contains(&line), "the chart lacks: {line}");
    }
}

#[test]
fn kustomize_gives_a_confined_pod_with_ones_own_settings() {
    let arguments = ["kustomize", "deploy/kubernetes/example"];
    let Some(text) = output(Path::new("kubectl"), &arguments) else { return };
    let objects = documents(&text);
    let of_kind = |kind: &str| objects.iter().find(|object| object["kind"] == kind).unwrap();
    let set = of_kind("StatefulSet");
    is_confined(set);
    let settings = of_kind("ConfigMap");
    let volumes = set["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let volume = volumes.iter().find(|volume| volume["name"] == "config").unwrap();
    assert_eq!(volume["configMap"]["name"], settings["metadata"]["name"]);
    assert_eq!(settings["data"]["config.yaml"], read("deploy/kubernetes/example/config.yaml"));
    let labels = &set["spec"]["template"]["metadata"]["labels"];
    for selector in
        [&of_kind("Service")["spec"]["selector"], &set["spec"]["selector"]["matchLabels"]]
    {
        assert_eq!(selector, labels);
    }
    assert_eq!(&of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"], labels);
}

#[test]
fn helm_gives_a_confined_pod() {
    // Where `deploy/check --install` puts it.
    let installed = root().join("target/deploy-tools/helm");
    let helm = if installed.exists() { installed } else { PathBuf::from("helm") };
    let chart = "deploy/helm/stoker";
    for more in [
        "--set=config.repo=https://git.example.com/a.git",
        "--values=deploy/helm/stoker/full-values.yaml",
        "--values=deploy/helm/stoker/projects-values.yaml",
    ] {
        let Some(text) = output(&helm, &["template", "stoker", chart, more]) else { return };
        let objects = documents(&text);
        let kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
        assert!(!kinds.contains(&"PodDisruptionBudget"), "{kinds:?}");
        let sets: Vec<_> = objects.iter().filter(|it| it["kind"] == "StatefulSet").collect();
        assert_eq!(sets.len(), 1);
        is_confined(sets[0]);
    }
}

#[test]
fn what_the_chart_renders_are_settings_that_stoker_takes() {
    for (values, words) in [
        ("least", "https://git.example.com/a.git"),
        ("full", "in the file /run/secrets/stoker/webhook-secret"),
        ("projects", "in the file /run/secrets/stoker/shop"),
        ("manifests", "json"),
    ] {
        let rendered = documents(&read(&format!("deploy/helm/rendered/{values}.yaml")));
        let settings = rendered.iter().find_map(|object| object["data"]["config.yaml"].as_str());
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yaml");
        std::fs::write(&file, settings.unwrap()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.env_clear().env("HOME", directory.path()).current_dir(directory.path());
        let ran = command.args(["config", "view", "--config"]).arg(&file).output().unwrap();
        let printed = [ran.stdout, ran.stderr].map(|it| String::from_utf8(it).unwrap()).concat();
        assert!(ran.status.success() && printed.contains(words), "{values}: {printed}");
    }
}

#[test]
fn the_charts_values_are_as_its_schema_says() {
    let schema: Value =
        serde_json::from_str(&read("deploy/helm/stoker/values.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut values = yaml("deploy/helm/stoker/values.yaml");
    assert!(schema.is_valid(&values));
    let full = yaml("deploy/helm/stoker/full-values.yaml");
    for (key, value) in full.as_object().unwrap() {
        match (values[key].as_object_mut(), value.as_object()) {
            (Some(old), Some(new)) => old.extend(new.clone()),
            _ => values[key] = value.clone(),
        }
    }
    assert!(schema.is_valid(&values), "{:?}", schema.iter_errors(&values).next());
    values["token"] = "sb_test".into();
    assert!(!schema.is_valid(&values), "a token is no value of the chart");
}

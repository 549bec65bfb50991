//! The words of Compose that cannot be carried over, each with the reason.

use super::ComposeReader;
use crate::manifest::{Placed, nearest, quoted};

/// Words of a service that the platform has nothing for.
const SERVICE: &[(&str, &str)] = &[
    ("annotations", "the platform has no labels"),
    ("attach", "it is about a terminal"),
    ("blkio_config", LIMITS),
    ("cap_add", RIGHTS),
    ("cap_drop", RIGHTS),
    ("cgroup", RIGHTS),
    ("cgroup_parent", RIGHTS),
    ("configs", FILES),
    ("container_name", "the platform names what runs; the import recognises the name as a host"),
    ("cpu_count", LIMITS),
    ("cpu_percent", LIMITS),
    ("cpu_period", LIMITS),
    ("cpu_quota", LIMITS),
    ("cpu_rt_period", LIMITS),
    ("cpu_rt_runtime", LIMITS),
    ("cpu_shares", LIMITS),
    ("cpus", LIMITS),
    ("cpuset", LIMITS),
    ("credential_spec", RIGHTS),
    (
        "depends_on",
        "the platform starts services in no order, but creates what is referred to first",
    ),
    ("develop", "it is about a developer's machine"),
    ("device_cgroup_rules", RIGHTS),
    ("devices", "the platform offers no devices"),
    ("dns", NETWORK),
    ("dns_opt", NETWORK),
    ("dns_search", NETWORK),
    ("domainname", NETWORK),
    ("external_links", NETWORK),
    ("extra_hosts", NETWORK),
    ("gpus", "the platform offers no devices"),
    ("group_add", RIGHTS),
    ("hostname", "the platform names what runs; the import recognises the name as a host"),
    ("init", RIGHTS),
    ("ipc", RIGHTS),
    ("isolation", RIGHTS),
    ("label_file", "the platform has no labels"),
    ("labels", "the platform has no labels"),
    ("links", NETWORK),
    ("logging", "the platform keeps the logs"),
    ("mac_address", NETWORK),
    ("mem_limit", LIMITS),
    ("mem_reservation", LIMITS),
    ("mem_swappiness", LIMITS),
    ("memswap_limit", LIMITS),
    ("network_mode", NETWORK),
    ("networks", NETWORK),
    ("oom_kill_disable", LIMITS),
    ("oom_score_adj", LIMITS),
    ("pid", RIGHTS),
    ("pids_limit", LIMITS),
    ("platform", "the platform chooses the processor"),
    ("post_start", "the platform has no hooks other than `preDeployCommand`"),
    ("pre_stop", "the platform has no hooks other than `preDeployCommand`"),
    ("privileged", RIGHTS),
    ("pull_policy", "the platform decides when an image is pulled"),
    ("read_only", RIGHTS),
    ("runtime", RIGHTS),
    ("secrets", FILES),
    ("security_opt", RIGHTS),
    ("shm_size", LIMITS),
    ("stdin_open", "it is about a terminal"),
    ("stop_grace_period", "the platform decides how long a service may take to stop"),
    ("stop_signal", "the platform decides how a service is stopped"),
    ("storage_opt", LIMITS),
    ("sysctls", RIGHTS),
    ("tmpfs", "the platform has no disks in memory"),
    ("tty", "it is about a terminal"),
    ("ulimits", LIMITS),
    ("user", "the image decides which user its program runs as"),
    ("userns_mode", RIGHTS),
    ("uts", RIGHTS),
    ("volumes_from", "a disk belongs to one service"),
    ("working_dir", "the image decides on it; write `cd DIRECTORY &&` into `startCommand`"),
];

const LIMITS: &str = "the platform's `plan` says which resources a service may use";
const RIGHTS: &str = "the platform decides on the rights of what runs";
const NETWORK: &str = "a project has one network, and the platform manages it";
const FILES: &str = "the platform has no secret files";

/// Words of a service that have a home; they are read elsewhere.
const CARRIED: [&str; 14] = [
    "build",
    "command",
    "deploy",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "healthcheck",
    "image",
    "ports",
    "restart",
    "scale",
    "volumes",
];

/// What stands at the top beside services.
pub(super) fn top(reader: &mut ComposeReader<'_, '_>, root: &Placed) {
    for (key, value) in root.entries() {
        let why = match key.as_str() {
            "services" => continue,
            // Compose ignores the one, and leaves the other to others.
            "version" => {
                value.take();
                continue;
            }
            key if key.starts_with("x-") => {
                value.take();
                continue;
            }
            "volumes" => "its data is not moved; a service that mounts it gets a disk",
            "networks" => NETWORK,
            "secrets" | "configs" => FILES,
            "name" => "the token selects the project; `kind: Project` guards it",
            "include" => "other files are not followed; name them, too",
            _ => continue,
        };
        let leaves = value.entries();
        if leaves.is_empty() {
            reader.report.lose(value, key, why);
        }
        for (name, leaf) in leaves.iter().filter(|(_, leaf)| !leaf.is_nothing()) {
            reader.report.lose(leaf, &format!("{key}.{name}"), why);
        }
        value.take();
    }
}

/// Says of the words of a service which cannot be carried over.
pub(super) fn service(reader: &mut ComposeReader<'_, '_>, name: &str, service: &Placed) {
    for (key, value) in service.entries() {
        let path = format!("services.{name}.{key}");
        if key.starts_with("x-") || key == "profiles" || value.is_nothing() {
            value.take();
        } else if let Some((_, why)) = SERVICE.iter().find(|(word, _)| word == key) {
            reader.report.lose(value, &path, why);
        } else if !CARRIED.contains(&key.as_str()) {
            value.take();
            let known: Vec<&str> = SERVICE.iter().map(|(word, _)| *word).chain(CARRIED).collect();
            let hint = match nearest(key, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "Compose may refuse it".to_owned(),
            };
            let message = format!("`{}` is unknown, and is left out", quoted(&path));
            reader.report.mind(value.origin(), "unknown-field", message, &hint);
        }
    }
}

/// Says of the entries of a mapping below a service which cannot be carried over; those in `carried` have.
pub(super) fn below(
    reader: &mut ComposeReader<'_, '_>,
    value: &Placed,
    path: &str,
    carried: &[&str],
    why: &str,
) {
    for (key, value) in value.entries() {
        if key.starts_with("x-") || value.is_nothing() {
            value.take();
        } else if !carried.contains(&key.as_str()) {
            reader.report.lose(value, &format!("{path}.{key}"), why);
        }
    }
}

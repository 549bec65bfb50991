//! The usual names of settings in the API's objects (A3, A16).

use crate::model::{Kind, Setting};

/// A3 and A16: the usual names; nothing where the kind has no such setting.
///
/// The name, the variables and the env groups have forms of their own, but stand here as well, so
/// that a dialect can call them something else.
pub(super) const fn usual(kind: Kind, setting: Setting) -> Option<&'static str> {
    match kind {
        Kind::Service => service_field_name(setting),
        Kind::Database => database_field_name(setting),
        Kind::EnvGroup => match setting {
            Setting::Name => Some("name"),
            _ => None,
        },
    }
}

const fn service_field_name(setting: Setting) -> Option<&'static str> {
    Some(match setting {
        Setting::Name => "name",
        Setting::Type => "type",
        Setting::Runtime => "runtime",
        Setting::Repo => "repo",
        Setting::Branch => "branch",
        Setting::RootDir => "root_dir",
        Setting::DockerfilePath => "dockerfile_path",
        Setting::Image => "image",
        Setting::BuildCommand => "build_command",
        Setting::StartCommand => "start_command",
        Setting::PreDeployCommand => "pre_deploy_command",
        Setting::Port => "port",
        Setting::Plan => "plan",
        Setting::Region => "region",
        Setting::Schedule => "schedule",
        Setting::HealthCheckPath => "health_check_path",
        Setting::MinInstances => "scaling.min_instances",
        Setting::MaxInstances => "scaling.max_instances",
        Setting::TargetCpuPercent => "scaling.target_cpu_percent",
        Setting::DiskName => "disk.name",
        Setting::DiskMountPath => "disk.mount_path",
        Setting::DiskSizeGb => "disk.size_gb",
        Setting::AutoDeploy => "auto_deploy",
        Setting::Domains => "domains",
        Setting::EnvGroups => "env_groups",
        Setting::Version | Setting::StorageGb | Setting::DatabaseName | Setting::User => {
            return None;
        }
    })
}

const fn database_field_name(setting: Setting) -> Option<&'static str> {
    Some(match setting {
        Setting::Name => "name",
        Setting::Type => "type",
        Setting::Plan => "plan",
        Setting::Region => "region",
        Setting::Version => "version",
        Setting::StorageGb => "storage_gb",
        Setting::DatabaseName => "database_name",
        Setting::User => "user",
        _ => return None,
    })
}

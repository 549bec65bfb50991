//! Services: create, show, patch, delete (A3–A7).
//!
//! What a deployment does to them is in `deploy`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choice::{Fields, GroupNaming, Kind, Rename, Resolver};
use super::config::{DeletionMode, EmulatorConfig};
use super::deployment::DeploymentState;
use super::problem::ApiProblem;
use super::quirk;
use super::record::{Mutation, Verb};
use super::settings::{self, SettingRow};
use super::shelf::{Named, ReadMoment};
use super::variable::{self, PropertyReference, Variable, VariableSource};
use super::world::{Reply, World, check_name, required_text};

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) type_name: String,
    pub(crate) created: u64,
    pub(crate) replicas: u64,
    pub(crate) settings: Map<String, Value>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) deployments: Vec<DeploymentState>,
    /// The lines with which the next deployment fails.
    pub(crate) next_failure: Option<Vec<String>>,
    pub(crate) is_deleting: bool,
}

impl Named for Service {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Service {
    pub(crate) fn status(&self, now: u64) -> &'static str {
        match self.deployments.last() {
            _ if self.is_deleting => "deleting",
            Some(latest) if latest.is_running(now) => "deploying",
            Some(latest) if latest.has_failed(now) => "failed",
            Some(_) | None => "running",
        }
    }

    /// Writes the service: the seven fields of F5, and the settings where all is shown.
    pub(crate) fn show(&self, config: &EmulatorConfig, fields: Fields, now: u64) -> Value {
        let types = &config.type_names;
        let is_public = [&types.web, &types.site].contains(&&self.type_name);
        let url = is_public.then(|| format!("https://{}.stackblaze.app", self.name));
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": self.type_name,
            "status": self.status(now),
            "url": url,
            "replicas": self.replicas,
            "created_at": config.times.stored(self.created),
        });
        if fields == Fields::All {
            let mut held = Cow::Borrowed(&self.settings);
            if !config.quirks.is_empty() {
                quirk::swing(config, held.to_mut(), now);
            }
            for setting in settings::of_service() {
                if let Some(value) = held.get(setting.name) {
                    shown[setting.name] = value.clone();
                }
            }
            if let Some(variables) = variable::show(config, &self.variables) {
                shown["env_vars"] = variables;
            }
        }
        shown
    }

    /// Returns the text of a setting.
    pub(crate) fn text(&self, setting: &str) -> Option<&str> {
        self.settings.get(setting).and_then(Value::as_str)
    }

    /// Tells whether both run the same.
    fn runs_like(&self, other: &Self) -> bool {
        let same = |setting: &SettingRow| {
            self.settings.get(setting.name) == other.settings.get(setting.name)
        };
        self.variables == other.variables
            && settings::of_service().filter(|setting| setting.runs).all(same)
    }
}

impl World {
    pub(crate) fn create_service(
        &mut self,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let name = self.admit(Kind::Service, body, now)?;
        let type_name = required_text(body, "type")?;
        if !self.config.type_names.words().contains(&type_name.as_str()) {
            return Err(ApiProblem::invalid(format!("type {type_name} is unknown")));
        }
        let mut service = Service {
            id: self.random.identifier("svc"),
            name,
            type_name,
            created: self.told(now),
            replicas: 1,
            settings: Map::new(),
            variables: Vec::new(),
            deployments: Vec::new(),
            next_failure: None,
            is_deleting: false,
        };
        let ignored = self.configure(&mut service, body, &["name", "type"], now)?;
        let given = service.clone();
        quirk::hold(&self.config, &mut service);
        self.deploy(&mut service, None, now);
        let mut shown = self.answer_of_write(&service, given, now);
        shown["created_at"] = json!(self.config.times.answered(service.created));
        let effect = Mutation::new(Verb::Created, Kind::Service, &service.id, &service.name);
        self.services.insert(now, &service.id.clone(), service);
        Ok(self.single(201, "service", shown).with([effect]).ignoring(ignored))
    }

    /// Shows a service in the answer to a write: as it is held, or as it was sent.
    fn answer_of_write(&self, held: &Service, given: Service, now: u64) -> Value {
        let fields = self.config.detail_fields.services;
        if !self.config.echoes {
            return held.show(&self.config, fields, now);
        }
        let config = EmulatorConfig { quirks: Vec::new(), ..self.config.clone() };
        let deployments = held.deployments.clone();
        Service { deployments, ..given }.show(&config, fields, now)
    }

    pub(crate) fn get_service(&self, id: &str, view: ReadMoment) -> Result<Reply, ApiProblem> {
        let service =
            self.services.get(id, view).ok_or_else(|| ApiProblem::missing("service", id))?;
        let shown = service.show(&self.config, self.config.detail_fields.services, view.at);
        Ok(self.single(200, "service", shown))
    }

    pub(crate) fn patch_service(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let mut before = self.living_service(id, now)?;
        let mut after = before.clone();
        let ignored = self.configure(&mut after, body, &["name"], now)?;
        let given = after.clone();
        quirk::hold(&self.config, &mut after);
        let mut shown = before.settings.clone();
        quirk::swing(&self.config, &mut shown, now);
        // What a request does not speak of is no reason to deploy, whatever it shows.
        before.settings.extend(shown.into_iter().filter(|(field, _)| body.contains_key(field)));
        let mut effects = vec![Mutation::new(Verb::Patched, Kind::Service, id, &after.name)];
        // What it is given is compared with what it shows, so the same in another form deploys.
        if !self.config.deploy_after_patch && !given.runs_like(&before) {
            self.deploy(&mut after, None, now);
            effects.push(Mutation::new(Verb::Deployed, Kind::Service, id, &after.name));
        }
        let shown = self.answer_of_write(&after, given, now);
        self.put_service(after, now);
        Ok(self.single(200, "service", shown).with(effects).ignoring(ignored))
    }

    pub(crate) fn delete_service(&mut self, id: &str, now: u64) -> Result<Reply, ApiProblem> {
        let view = ReadMoment::of(now);
        let mut service = self
            .services
            .get(id, view)
            .cloned()
            .ok_or_else(|| ApiProblem::missing("service", id))?;
        let effect = Mutation::new(Verb::Deleted, Kind::Service, id, &service.name);
        match self.config.deletion {
            DeletionMode::Immediate => {
                self.services.remove(id, now);
                Ok(Reply::empty(204).with([effect]))
            }
            DeletionMode::Gradual { gone_after_ms } => {
                let first_time = !service.is_deleting;
                service.is_deleting = true;
                let shown = service.show(&self.config, self.config.detail_fields.services, now);
                if first_time {
                    self.put_service(service, now);
                    self.services.remove(id, now + gone_after_ms);
                }
                let effects = first_time.then_some(effect);
                Ok(self.single(202, "service", shown).with(effects))
            }
        }
    }

    /// Returns a service that can be changed: one that is not about to go.
    pub(crate) fn living_service(&self, id: &str, now: u64) -> Result<Service, ApiProblem> {
        match self.services.get(id, ReadMoment::of(now)) {
            Some(service) if service.is_deleting => {
                Err(ApiProblem::new(409, "service_deleting", "The service is being deleted"))
            }
            Some(service) => Ok(service.clone()),
            None => Err(ApiProblem::missing("service", id)),
        }
    }

    pub(crate) fn put_service(&mut self, service: Service, now: u64) {
        self.services.change(&service.id.clone(), now, |place| *place = service);
    }

    /// Applies the fields of a body, and returns those that nobody knows.
    fn configure(
        &self,
        service: &mut Service,
        body: &Map<String, Value>,
        handled: &[&str],
        now: u64,
    ) -> Result<Vec<String>, ApiProblem> {
        let before = service.clone();
        let mut unknown = Vec::new();
        for (field, value) in body {
            if settings::of_service().any(|setting| setting.name == field) {
                settings::merge(&mut service.settings, field, value);
            } else if field == "env_vars" {
                variable::apply(self.config.env_patch, &mut service.variables, value)?;
            } else if !handled.contains(&field.as_str()) {
                unknown.push(field.clone());
            }
        }
        if let Some(name) = body.get("name").filter(|name| name.as_str() != Some(&before.name)) {
            self.rename(service, name, now)?;
        }
        self.fill(&mut service.settings);
        settings::normalise(&self.config, &mut service.settings);
        self.check_settings(service, now)?;
        check_disk(&before, service)?;
        scale(service)?;
        self.judge_unknown(unknown)
    }

    fn rename(&self, service: &mut Service, name: &Value, now: u64) -> Result<(), ApiProblem> {
        let name = name.as_str().ok_or_else(|| ApiProblem::invalid("name must be a string"))?;
        check_name(name)?;
        match self.config.rename {
            Rename::Ignored => Ok(()),
            Rename::Refused => Err(ApiProblem::invalid("name cannot be changed")),
            Rename::Honoured => {
                let name = self.given_name(Kind::Service, name, now);
                self.check_unique(Kind::Service, &name, now)?;
                service.name = name;
                Ok(())
            }
        }
    }

    /// Fills in what the platform decides when nobody else does.
    fn fill(&self, settings: &mut Map<String, Value>) {
        settings.entry("plan").or_insert_with(|| json!("starter"));
        settings.entry("auto_deploy").or_insert_with(|| json!(true));
        if let Some(region) = &self.config.project.region {
            settings.entry("region").or_insert_with(|| json!(region));
        }
    }

    fn check_settings(&self, service: &Service, now: u64) -> Result<(), ApiProblem> {
        for setting in settings::of_service() {
            if let Some(value) = service.settings.get(setting.name) {
                settings::check(setting.name, setting.shape, value)?;
            }
        }
        if service.type_name == self.config.type_names.cron && service.text("schedule").is_none() {
            return Err(ApiProblem::invalid("a cron job must have a schedule"));
        }
        let groups = service.settings.get("env_groups").and_then(Value::as_array);
        for group in groups.into_iter().flatten().filter_map(Value::as_str) {
            self.check_group(group, now)?;
        }
        service.variables.iter().try_for_each(|variable| self.check_source(variable, now))
    }

    fn check_group(&self, group: &str, now: u64) -> Result<(), ApiProblem> {
        let exists = match self.config.env_groups {
            GroupNaming::Id => self.groups.get(group, ReadMoment::of(now)).is_some(),
            GroupNaming::Name => self.groups.has_name(group, ReadMoment::of(now)),
        };
        if !exists {
            let message = format!("env group {group} does not exist");
            return Err(ApiProblem::new(400, "unknown_env_group", message));
        }
        Ok(())
    }

    fn check_source(&self, variable: &Variable, now: u64) -> Result<(), ApiProblem> {
        let view = ReadMoment::of(now);
        let (what, exists, name) = match &variable.source {
            VariableSource::Value { .. } => return Ok(()),
            VariableSource::Database(PropertyReference { name, property: _, env_var_key: _ }) => {
                ("database", self.databases.has_name(name, view), name)
            }
            VariableSource::Service(PropertyReference { name, property: _, env_var_key: _ }) => {
                ("service", self.services.has_name(name, view), name)
            }
        };
        if self.config.resolve_references == Resolver::Agent {
            let message = format!("{} must have a value", variable.key);
            return Err(ApiProblem::new(400, "references_not_supported", message));
        }
        if !exists {
            let message = format!("{} refers to {what} {name}, which does not exist", variable.key);
            return Err(ApiProblem::new(400, &format!("unknown_{what}"), message));
        }
        Ok(())
    }
}

/// Disks only grow, and do not go.
fn check_disk(before: &Service, after: &Service) -> Result<(), ApiProblem> {
    let size = |service: &Service| {
        let disk = service.settings.get("disk");
        disk.and_then(|disk| disk.get("size_gb")).and_then(Value::as_u64).unwrap_or(0)
    };
    if size(after) < size(before) {
        let message = format!("a disk of {} GB cannot shrink", size(before));
        return Err(ApiProblem::new(400, "disk_cannot_shrink", message));
    }
    Ok(())
}

/// Keeps the replicas within the bounds of the scaling.
fn scale(service: &mut Service) -> Result<(), ApiProblem> {
    let Some(scaling) = service.settings.get("scaling") else {
        return Ok(());
    };
    let bound = |name: &str| scaling.get(name).and_then(Value::as_u64);
    let fewest = bound("min_instances").unwrap_or(1);
    let most = bound("max_instances").unwrap_or(fewest.max(1));
    if most < fewest {
        return Err(ApiProblem::invalid("scaling.max_instances is below scaling.min_instances"));
    }
    service.replicas = service.replicas.clamp(fewest, most);
    Ok(())
}

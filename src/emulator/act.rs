//! What people and other systems do without going through the API.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choice::{EnvPatch, GroupNaming, Kind};
use super::config::Access;
use super::group::Group;
use super::problem::ApiProblem;
use super::record::{Mutation, RecordEntry, RecordedEvent, Verb};
use super::service::Service;
use super::shelf::ReadMoment;
use super::variable;
use super::world::{Reply, World, check_name};

/// Something somebody does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Creates a thing from the body a `POST` would have.
    Create {
        /// Its kind.
        kind: Kind,
        /// Its fields.
        body: Value,
    },
    /// Deletes a thing, at once.
    Delete {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
    },
    /// Sets a field of a service, or unsets it.
    SetField {
        /// The service.
        id: String,
        /// The name of the setting.
        field: String,
        /// What it is to be.
        value: Option<Value>,
    },
    /// Sets a variable of a service or env group, or removes it; what uses it is deployed.
    SetVariable {
        /// A service or an env group.
        kind: Kind,
        /// Its id.
        id: String,
        /// The name of the variable.
        key: String,
        /// What it is to be.
        value: Option<String>,
    },
    /// Renames a thing.
    Rename {
        /// Its kind.
        kind: Kind,
        /// Its id.
        id: String,
        /// Its new name.
        name: String,
    },
    /// Rolls a service back.
    Rollback {
        /// The service.
        id: String,
    },
    /// Moves the replicas of a service, as the autoscaler does.
    Autoscale {
        /// The service.
        id: String,
        /// How many there are to be.
        replicas: u64,
    },
    /// Changes what a token may do, or revokes it.
    Limit {
        /// The token.
        token: String,
        /// What it may do from now on.
        access: Option<Access>,
    },
    /// Changes how many of a kind may exist.
    Quota {
        /// The kind.
        kind: Kind,
        /// The most there may be.
        most: Option<usize>,
    },
    /// Sets the platform's own clock: what it tells of the time is off by so much from now on. How
    /// long things take is not.
    SetClock {
        /// By how many milliseconds; less than nothing where it went back.
        off_ms: i64,
    },
    /// Lets the next deployment of a service fail.
    FailNext {
        /// The service.
        id: String,
        /// The last lines of its log.
        log: Vec<String>,
    },
}

impl World {
    /// Does what somebody does, and returns the id of what was created.
    pub(crate) fn act(&mut self, act: &Act, now: u64) -> Result<Option<String>, String> {
        let now = self.advance(now);
        let effects = self.perform_act(act, now).map_err(|problem| problem.message)?;
        let created = effects.iter().find(|effect| effect.verb == Verb::Created);
        let id = created.map(|effect| effect.id.clone());
        let event = RecordedEvent::Act(act.clone());
        self.record.push(RecordEntry { at: now, actor: "person".into(), event, effects });
        Ok(id)
    }

    fn perform_act(&mut self, act: &Act, now: u64) -> Result<Vec<Mutation>, ApiProblem> {
        match act {
            Act::Create { kind, body } => self.create(*kind, body, now),
            Act::Delete { kind, id } => self.remove(*kind, id, now),
            Act::SetField { id, field, value } => {
                let patch = Map::from_iter([(field.clone(), json!(value))]);
                known_only(self.patch_service(id, &patch, now)?)
            }
            Act::SetVariable { kind, id, key, value } => {
                let entries = json!([{"key": key, "value": value}]);
                self.set_variable(*kind, id, &entries, now)
            }
            Act::Rename { kind, id, name } => self.rename_thing(*kind, id, name, now),
            Act::Rollback { id } => Ok(self.rollback(id, now)?.effects),
            Act::Autoscale { id, replicas } => {
                self.change_service(id, now, |service| service.replicas = *replicas)
            }
            Act::FailNext { id, log } => {
                self.change_service(id, now, |service| service.next_failure = Some(log.clone()))?;
                Ok(Vec::new())
            }
            Act::SetClock { off_ms } => {
                self.clock_off_ms = *off_ms;
                Ok(Vec::new())
            }
            Act::Limit { token, access } => {
                match access {
                    Some(access) => self.config.tokens.insert(token.clone(), access.clone()),
                    None => self.config.tokens.remove(token),
                };
                Ok(Vec::new())
            }
            Act::Quota { kind, most } => {
                let quotas = &mut self.config.quotas;
                match kind {
                    Kind::Service => quotas.services = *most,
                    Kind::Database => quotas.databases = *most,
                    Kind::EnvGroup => quotas.env_groups = *most,
                }
                Ok(Vec::new())
            }
        }
    }

    fn create(&mut self, kind: Kind, body: &Value, now: u64) -> Result<Vec<Mutation>, ApiProblem> {
        let body =
            body.as_object().ok_or_else(|| ApiProblem::invalid("the body is not an object"))?;
        known_only(match kind {
            Kind::Service => self.create_service(body, now)?,
            Kind::Database => self.create_database(body, now)?,
            Kind::EnvGroup => self.create_group(body, now)?,
        })
    }

    fn remove(&mut self, kind: Kind, id: &str, now: u64) -> Result<Vec<Mutation>, ApiProblem> {
        let name = self.name_of(kind, id, now)?;
        match kind {
            Kind::Service => self.services.remove(id, now),
            Kind::Database => self.databases.remove(id, now),
            Kind::EnvGroup => self.groups.remove(id, now),
        }
        Ok(vec![Mutation::new(Verb::Deleted, kind, id, &name)])
    }

    fn rename_thing(
        &mut self,
        kind: Kind,
        id: &str,
        name: &str,
        now: u64,
    ) -> Result<Vec<Mutation>, ApiProblem> {
        self.name_of(kind, id, now)?;
        check_name(name)?;
        self.check_unique(kind, name, now)?;
        match kind {
            Kind::Service => self.services.change(id, now, |one| one.name = name.into()),
            Kind::Database => self.databases.change(id, now, |one| one.name = name.into()),
            Kind::EnvGroup => self.groups.change(id, now, |one| one.name = name.into()),
        };
        Ok(vec![Mutation::new(Verb::Patched, kind, id, name)])
    }

    fn set_variable(
        &mut self,
        kind: Kind,
        id: &str,
        entries: &Value,
        now: u64,
    ) -> Result<Vec<Mutation>, ApiProblem> {
        let name = self.name_of(kind, id, now)?;
        let mut effects = vec![Mutation::new(Verb::Patched, kind, id, &name)];
        let users = match kind {
            Kind::Service => {
                let mut service = self.living_service(id, now)?;
                variable::apply(EnvPatch::Merge, &mut service.variables, entries)?;
                self.put_service(service, now);
                vec![id.to_owned()]
            }
            Kind::EnvGroup => {
                let apply = |group: &mut Group| {
                    variable::apply(EnvPatch::Merge, &mut group.variables, entries)
                };
                self.groups.change(id, now, apply).transpose()?;
                self.users_of(id, &name, now)
            }
            Kind::Database => return Err(ApiProblem::invalid("a database has no variables")),
        };
        for user in users {
            let mut service = self.living_service(&user, now)?;
            effects.push(Mutation::new(Verb::Deployed, Kind::Service, &user, &service.name));
            self.deploy(&mut service, None, now);
            self.put_service(service, now);
        }
        Ok(effects)
    }

    /// Returns the services a group is attached to.
    fn users_of(&self, id: &str, name: &str, now: u64) -> Vec<String> {
        let attached = match self.config.env_groups {
            GroupNaming::Id => id,
            GroupNaming::Name => name,
        };
        let uses = |service: &&Service| {
            let groups = service.settings.get("env_groups").and_then(Value::as_array);
            !service.is_deleting && groups.is_some_and(|groups| groups.contains(&json!(attached)))
        };
        self.services
            .seen(ReadMoment::of(now))
            .filter(uses)
            .map(|service| service.id.clone())
            .collect()
    }

    fn change_service(
        &mut self,
        id: &str,
        now: u64,
        change: impl FnOnce(&mut Service),
    ) -> Result<Vec<Mutation>, ApiProblem> {
        let mut service = self.living_service(id, now)?;
        change(&mut service);
        let effect = Mutation::new(Verb::Patched, Kind::Service, id, &service.name);
        self.put_service(service, now);
        Ok(vec![effect])
    }

    fn name_of(&self, kind: Kind, id: &str, now: u64) -> Result<String, ApiProblem> {
        let view = ReadMoment::of(now);
        let name = match kind {
            Kind::Service => self.services.get(id, view).map(|one| &one.name),
            Kind::Database => self.databases.get(id, view).map(|one| &one.name),
            Kind::EnvGroup => self.groups.get(id, view).map(|one| &one.name),
        };
        name.cloned().ok_or_else(|| ApiProblem::missing(kind.singular(), id))
    }
}

/// A person sees what there is to set, so a field nobody knows is a mistake of the test.
fn known_only(reply: Reply) -> Result<Vec<Mutation>, ApiProblem> {
    let Reply { status: _, payload: _, effects, ignored } = reply;
    match ignored.first() {
        Some(field) => Err(ApiProblem::invalid(format!("there is no field {field}"))),
        None => Ok(effects),
    }
}

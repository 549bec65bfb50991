//! Env groups (A14): created and listed; through the API they never change and never go (F4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choice::{EnvPatch, Fields, Kind};
use super::config::EmulatorConfig;
use super::problem::ApiProblem;
use super::record::{Mutation, Verb};
use super::shelf::Named;
use super::variable::{self, Variable, VariableSource};
use super::world::{Reply, World};

/// One env group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) variables: Vec<Variable>,
    created: u64,
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Group {
    pub(crate) fn show(&self, config: &EmulatorConfig, fields: Fields) -> Value {
        let mut shown = json!({"id": self.id, "name": self.name});
        if fields == Fields::All
            && let Some(variables) = variable::show(config, &self.variables)
        {
            shown["env_vars"] = variables;
        }
        shown["created_at"] = json!(config.times.stored(self.created));
        shown
    }
}

impl World {
    pub(crate) fn create_group(
        &mut self,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let name = self.admit(Kind::EnvGroup, body, now)?;
        let mut variables = Vec::new();
        let entries = body.get("env_vars").unwrap_or(&Value::Null);
        variable::apply(EnvPatch::Replace, &mut variables, entries)?;
        if variables.iter().any(|one| !matches!(one.source, VariableSource::Value { .. })) {
            return Err(ApiProblem::invalid("an env group holds values only"));
        }
        let known = ["name", "env_vars"];
        let unknown = body.keys().filter(|field| !known.contains(&field.as_str())).cloned();
        let ignored = self.judge_unknown(unknown.collect())?;
        let created = self.told(now);
        let group = Group { id: self.random.identifier("evg"), name, variables, created };
        let mut shown = group.show(&self.config, Fields::All);
        shown["created_at"] = json!(self.config.times.answered(created));
        let effect = Mutation::new(Verb::Created, Kind::EnvGroup, &group.id, &group.name);
        self.groups.insert(now, &group.id.clone(), group);
        Ok(self.single(201, "envgroup", shown).with([effect]).ignoring(ignored))
    }
}

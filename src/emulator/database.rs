//! Databases (A16): created and deleted, never patched (F4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::choice::{Fields, Kind, Normalises};
use super::config::{DeletionMode, EmulatorConfig};
use super::problem::ApiProblem;
use super::record::{Mutation, Verb};
use super::settings;
use super::shelf::{Named, ReadMoment};
use super::world::{Reply, World, required_text};

/// The types the platform knows, each with what it calls it.
pub(crate) const TYPES: [(&str, &str); 8] = [
    ("postgresql", "postgresql"),
    ("postgres", "postgresql"),
    ("mariadb", "mariadb"),
    ("mysql", "mariadb"),
    ("valkey", "valkey"),
    ("redis", "valkey"),
    ("mongodb", "mongodb"),
    ("rabbitmq", "rabbitmq"),
];

/// One database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Database {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) settings: Map<String, Value>,
    created: u64,
    ready_at: u64,
    password: String,
    is_deleting: bool,
}

impl Named for Database {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Database {
    /// Writes the database; the connection string is in the details, once there is one.
    pub(crate) fn show(&self, config: &EmulatorConfig, fields: Fields, now: u64) -> Value {
        let status = match self.is_deleting {
            true => "deleting",
            false if now < self.ready_at => "creating",
            false => "available",
        };
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": self.setting("type"),
            "status": status,
            "created_at": config.times.stored(self.created),
        });
        if fields == Fields::All {
            for setting in &settings::DATABASE[1..] {
                shown[setting.name] = self.setting(setting.name).clone();
            }
            if status == "available" {
                shown["connection_string"] = json!(self.connection_string(config));
            }
        }
        shown
    }

    fn setting(&self, name: &str) -> &Value {
        self.settings.get(name).unwrap_or(&Value::Null)
    }

    fn connection_string(&self, config: &EmulatorConfig) -> String {
        let text = |name: &str| self.setting(name).as_str().unwrap_or_default().to_owned();
        let (scheme, user, database) = (text("type"), text("user"), text("database_name"));
        let host = format!("{}.{}.db.stackblaze.internal", self.id, config.project.name);
        format!("{scheme}://{user}:{}@{host}/{database}", self.password)
    }
}

impl World {
    pub(crate) fn create_database(
        &mut self,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let name = self.admit(Kind::Database, body, now)?;
        let type_name = required_text(body, "type")?;
        let Some((_, canonical)) = TYPES.iter().find(|(word, _)| *word == type_name) else {
            return Err(ApiProblem::invalid(format!("type {type_name} is unknown")));
        };
        let mut settings = Map::new();
        let mut unknown = Vec::new();
        for (field, value) in body {
            match settings::DATABASE.iter().find(|setting| setting.name == field) {
                Some(_) if value.is_null() => {}
                Some(setting) => {
                    settings::check(field, setting.shape, value)?;
                    settings.insert(field.clone(), value.clone());
                }
                None if field == "name" => {}
                None => unknown.push(field.clone()),
            }
        }
        let ignored = self.judge_unknown(unknown)?;
        if self.config.normalises != Normalises::Nothing {
            settings.insert("type".into(), json!(canonical));
        }
        self.complete(&mut settings, &name);
        let database = Database {
            id: self.random.identifier("db"),
            name,
            settings,
            created: self.told(now),
            ready_at: now + self.config.durations.database_ms,
            password: self.random.identifier("pw"),
            is_deleting: false,
        };
        let mut shown = database.show(&self.config, self.config.detail_fields.databases, now);
        shown["created_at"] = json!(self.config.times.answered(database.created));
        let effect = Mutation::new(Verb::Created, Kind::Database, &database.id, &database.name);
        self.databases.insert(now, &database.id.clone(), database);
        Ok(self.single(201, "database", shown).with([effect]).ignoring(ignored))
    }

    pub(crate) fn get_database(&self, id: &str, view: ReadMoment) -> Result<Reply, ApiProblem> {
        let database =
            self.databases.get(id, view).ok_or_else(|| ApiProblem::missing("database", id))?;
        let shown = database.show(&self.config, self.config.detail_fields.databases, view.at);
        Ok(self.single(200, "database", shown))
    }

    pub(crate) fn delete_database(&mut self, id: &str, now: u64) -> Result<Reply, ApiProblem> {
        let database = self
            .databases
            .get(id, ReadMoment::of(now))
            .ok_or_else(|| ApiProblem::missing("database", id))?;
        let first_time = !database.is_deleting;
        let effect = Mutation::new(Verb::Deleted, Kind::Database, id, &database.name);
        match self.config.deletion {
            DeletionMode::Immediate => {
                self.databases.remove(id, now);
                Ok(Reply::empty(204).with([effect]))
            }
            DeletionMode::Gradual { gone_after_ms } => {
                if first_time {
                    self.databases.change(id, now, |database| database.is_deleting = true);
                    self.databases.remove(id, now + gone_after_ms);
                }
                let mut reply = self.get_database(id, ReadMoment::of(now))?;
                reply.status = 202;
                Ok(reply.with(first_time.then_some(effect)))
            }
        }
    }

    /// Fills in what the platform decides when nobody else does.
    fn complete(&self, settings: &mut Map<String, Value>, name: &str) {
        for (field, value) in [
            ("version", json!("16")),
            ("plan", json!("starter")),
            ("region", json!(self.config.project.region)),
            ("storage_gb", json!(1)),
            ("database_name", json!(name)),
            ("user", json!(name)),
        ] {
            settings.entry(field).or_insert(value);
        }
    }
}

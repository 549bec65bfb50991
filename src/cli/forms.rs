//! The forms of output for programs: a closed set, each with a schema made of the type that is
//! printed, so that it cannot say anything else than the program does.

use clap::ValueEnum;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::remote::Status;
use crate::render::json::{SavedFailure, SavedPlan, Versioned};

use super::apply::ApplyDocument;
use super::closing::ClosingRecord;
use super::config::ConfigDocument;
use super::deploy::BegunDeployment;
use super::deployments::{DeploymentDocument, DeploymentsDocument};
use super::describe::LiveDocument;
use super::doctor::DoctorDocument;
use super::get::GetDocument;
use super::logs::LogDocument;
use super::meta::VersionDocument;
use super::metrics::MetricsDocument;
use super::offline::ValidateDocument;
use super::projects::{ProjectRecord, ProjectsDocument};
use super::remote::describe::KeptDocument;
use super::remote::events::EventsDocument;
use super::remote::steer::OrderDocument;
use super::sandbox::SandboxDocument;
use super::secrets::SecretsDocument;
use super::simulate::SimulationDocument;
use super::state::{StateListDocument, StateShowDocument, StateVerifyDocument};
use super::wait::WaitDocument;
use super::why::Explanation;

/// Makes the set: a variant with what prints it, its word, and the type that is printed.
macro_rules! forms {
    ($($(#[$about:meta])* $form:ident = $word:literal => $printed:ty,)+) => {
        /// A form of output for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub enum JsonForm {
            $($(#[$about])* #[value(name = $word)] $form,)+
        }

        impl JsonForm {
            /// Returns the JSON Schema (draft 2020-12) of the form.
            #[must_use]
            pub fn schema(self) -> Value {
                let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
                let schema = match self {
                    $(Self::$form => generator.into_root_schema_for::<$printed>(),)+
                };
                self.named(schema.to_value())
            }
        }
    };
}

forms! {
    /// A plan: `plan`, `drift`, and the file of `plan --out`
    Plan = "plan" => SavedPlan,
    /// What became of a plan: `apply`, `destroy`
    Report = "report" => Versioned<ApplyDocument>,
    /// The two lines that close `-o ndjson` of `plan`, `apply`, `drift` and `destroy`
    Closing = "closing" => ClosingRecord,
    /// Several projects side by side: `plan`, `drift`, `validate`, `get`, `secrets` and `doctor`, where
    /// the settings list several and none is named
    Projects = "projects" => Versioned<ProjectsDocument>,
    /// One line of the same with `-o ndjson`
    ProjectRecord = "project-record" => ProjectRecord<'static>,
    /// How a command failed: every command
    Error = "error" => Versioned<SavedFailure<'static>>,
    /// The projects of an agent: `run --once`, and `GET /api/status`
    Status = "status" => Status,
    /// What lives and what is ours: `get`
    Get = "get" => Versioned<GetDocument>,
    /// One resource, as a running agent knows it: `describe`
    Describe = "describe" => Versioned<KeptDocument>,
    /// One resource, as the platform tells it: `describe --live`, and `describe` without an agent
    DescribeLive = "describe-live" => Versioned<LiveDocument>,
    /// What happened: `events`
    Events = "events" => Versioned<EventsDocument>,
    /// Where values come from: `why`
    Why = "why" => Versioned<Explanation>,
    /// Every secret by name, and never a value: `secrets`
    Secrets = "secrets" => Versioned<SecretsDocument>,
    /// A deployment that was begun: `deploy`, `rollback`
    Deploy = "deploy" => Versioned<BegunDeployment>,
    /// The deployments of a service: `deployments KIND/NAME`
    Deployments = "deployments" => Versioned<DeploymentsDocument>,
    /// One deployment with its log: `deployments KIND/NAME ID`
    Deployment = "deployment" => Versioned<DeploymentDocument>,
    /// What a service wrote: `logs`
    Logs = "logs" => Versioned<LogDocument>,
    /// The metrics of a service: `metrics`
    Metrics = "metrics" => Versioned<MetricsDocument>,
    /// What was waited for: `wait`
    Wait = "wait" => Versioned<WaitDocument>,
    /// The answer to an order: `reconcile`, `suspend`, `resume`, `pin`, `unpin`
    Order = "order" => Versioned<OrderDocument>,
    /// Manifests that can be used: `validate`
    Validate = "validate" => Versioned<ValidateDocument>,
    /// What is well and what is not: `doctor`
    Doctor = "doctor" => Versioned<DoctorDocument>,
    /// Every setting and where it comes from: `config view`
    Config = "config" => Versioned<ConfigDocument>,
    /// Where the state is and who may write it: `state show`
    StateShow = "state-show" => Versioned<StateShowDocument>,
    /// What is remembered: `state list`
    StateList = "state-list" => Versioned<StateListDocument>,
    /// What was found when every record was read: `state verify`, and of the copy `state backup`
    StateVerify = "state-verify" => Versioned<StateVerifyDocument>,
    /// What a simulation found: `simulate`
    Simulate = "simulate" => Versioned<SimulationDocument>,
    /// Where the emulator listens: `sandbox`
    Sandbox = "sandbox" => Versioned<SandboxDocument>,
    /// What runs: `version`
    Version = "version" => Versioned<VersionDocument>,
}

impl JsonForm {
    /// Says in a schema which form it is of, and what prints that.
    fn named(self, mut schema: Value) -> Value {
        let shown = self.to_possible_value().expect("no form is hidden");
        let about = shown.get_help().map(ToString::to_string).unwrap_or_default();
        schema["title"] = json!(format!("stoker {}", shown.get_name()));
        schema["description"] = json!(about);
        schema
    }
}

#[cfg(test)]
mod page;

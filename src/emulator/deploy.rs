//! Deploying services: by hand, by a change, back to an earlier state; logs and metrics.

use serde_json::{Map, Value, json};

use super::calendar::iso;
use super::choice::Kind;
use super::deployment::{self, DeploymentState};
use super::problem::ApiProblem;
use super::quirk;
use super::random::mix;
use super::record::{Mutation, Verb};
use super::service::Service;
use super::shelf::ReadMoment;
use super::stream::{LogEvent, LogStream};
use super::world::{Payload, Reply, World};

/// The points of one series of metrics, a minute apart.
const METRIC_POINTS: u64 = 10;

/// How many lines of the past a log stream begins with when nothing is asked for.
const TAIL: usize = 100;

/// What the log of a deployment ends with that fails by a fault.
const FAILURE: [&str; 2] =
    ["error: the build ran into a fault", "the build ended with exit code 1"];

impl World {
    /// Begins a deployment; a running one gives way.
    ///
    /// Without a source the branch of the settings is built at its newest commit.
    pub(crate) fn deploy(
        &mut self,
        service: &mut Service,
        source: Option<(String, String)>,
        now: u64,
    ) {
        let source = source.unwrap_or_else(|| {
            let branch = service.text("branch").unwrap_or("main").to_owned();
            (branch, self.random.commit())
        });
        if let Some(latest) = service.deployments.last_mut().filter(|last| last.is_running(now)) {
            latest.cancel(now);
        }
        quirk::put_on(&self.config, service, &source.1);
        let id = self.random.identifier("dep");
        let mut deployment = DeploymentState::begin(id, source, &self.config.durations, now);
        deployment.created = self.told(now);
        if let Some(lines) = service.next_failure.take() {
            deployment.fail(lines);
        }
        service.deployments.push(deployment);
        deployment::forget(&mut service.deployments, now);
    }

    /// Lets the deployments fail that these effects began.
    pub(crate) fn fail_deployments(&mut self, effects: &[Mutation], now: u64) {
        for effect in effects.iter().filter(|effect| effect.kind == Kind::Service) {
            let Ok(mut service) = self.living_service(&effect.id, now) else { continue };
            let begun = self.told(now);
            let latest = service.deployments.last_mut();
            if let Some(latest) = latest.filter(|latest| latest.created == begun) {
                latest.fail(FAILURE.map(str::to_owned).into());
                self.put_service(service, now);
            }
        }
    }

    /// Deploys by hand (F6).
    pub(crate) fn post_deploy(
        &mut self,
        id: &str,
        body: &Map<String, Value>,
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let mut service = self.living_service(id, now)?;
        let branch = match body.get("branch") {
            None | Some(Value::Null) => None,
            Some(Value::String(branch)) => Some(branch.clone()),
            Some(_) => return Err(ApiProblem::invalid("branch must be a string")),
        };
        if !matches!(body.get("clear_cache"), None | Some(Value::Null | Value::Bool(_))) {
            return Err(ApiProblem::invalid("clear_cache must be true or false"));
        }
        let known = ["branch", "clear_cache"];
        let unknown = body.keys().filter(|field| !known.contains(&field.as_str())).cloned();
        let ignored = self.judge_unknown(unknown.collect())?;
        check_idle(&service, now)?;
        let source = branch.map(|branch| (branch, self.random.commit()));
        self.deploy(&mut service, source, now);
        Ok(self.deployed(service, Verb::Deployed, now).ignoring(ignored))
    }

    /// Deploys again what ran before the latest deployment.
    pub(crate) fn rollback(&mut self, id: &str, now: u64) -> Result<Reply, ApiProblem> {
        let mut service = self.living_service(id, now)?;
        check_idle(&service, now)?;
        let source = service
            .deployments
            .iter()
            .rev()
            .skip(1)
            .find(|deployment| deployment.has_succeeded(now))
            .map(|earlier| (earlier.branch.clone(), earlier.commit.clone()))
            .ok_or_else(|| {
                let message = "There is no earlier successful deployment";
                ApiProblem::new(409, "no_previous_deployment", message)
            })?;
        self.deploy(&mut service, Some(source), now);
        Ok(self.deployed(service, Verb::RolledBack, now))
    }

    pub(crate) fn get_deployment(
        &self,
        id: &str,
        deployment: &str,
        view: ReadMoment,
    ) -> Result<Reply, ApiProblem> {
        let service =
            self.services.get(id, view).ok_or_else(|| ApiProblem::missing("service", id))?;
        let found = service
            .deployments
            .iter()
            .find(|one| one.id == deployment)
            .ok_or_else(|| ApiProblem::missing("deployment", deployment))?;
        Ok(self.single(200, "deployment", found.details(&self.config, view.at)))
    }

    /// Opens the log (A10): the last lines, and what follows unless `follow=false`.
    pub(crate) fn logs(
        &self,
        id: &str,
        query: &[(String, String)],
        now: u64,
    ) -> Result<Reply, ApiProblem> {
        let service = self
            .services
            .get(id, ReadMoment::of(now))
            .ok_or_else(|| ApiProblem::missing("service", id))?;
        let mut tail = TAIL;
        let mut follows = true;
        for (name, value) in query {
            let wrong = |expected: &str| ApiProblem::invalid(format!("{name} must be {expected}"));
            match name.as_str() {
                "tail" => tail = value.parse().map_err(|_| wrong("a whole number"))?,
                "follow" => follows = value.parse().map_err(|_| wrong("true or false"))?,
                _ => {}
            }
        }
        let written = service.deployments.iter().flat_map(|deployment| deployment.log(now));
        let events: Vec<LogEvent> = written
            .map(|(at, line)| LogEvent { at, instance: "build".into(), message: line.into() })
            .collect();
        let skipped = events.len().saturating_sub(tail);
        let payload = Payload::Logs(LogStream {
            form: self.config.log_events,
            past: events.into_iter().skip(skipped).collect(),
            instance: format!("{id}-0"),
            interval_ms: follows.then_some(self.config.durations.log_interval_ms),
        });
        Ok(Reply { status: 200, payload, effects: Vec::new(), ignored: Vec::new() })
    }

    /// Measures a service (A11): invented, but the same for the same minute.
    pub(crate) fn metrics(&self, id: &str, now: u64) -> Result<Reply, ApiProblem> {
        let service = self
            .services
            .get(id, ReadMoment::of(now))
            .ok_or_else(|| ApiProblem::missing("service", id))?;
        let measure = |salt: u64, most: u64| -> Vec<Value> {
            let minute = now / 60_000;
            (minute.saturating_sub(METRIC_POINTS - 1)..=minute)
                .map(|minute| {
                    let value = mix(self.config.seed ^ service.created ^ salt ^ minute) % most;
                    json!({"timestamp": iso(minute * 60_000), "value": value})
                })
                .collect()
        };
        let (cpu, memory, requests) = (measure(1, 100), measure(2, 512), measure(3, 10_000));
        let latest = |series: &[Value]| series.last().map(|point| point["value"].clone());
        Ok(Reply::json(
            200,
            json!({
                "service_id": id,
                "replicas": service.replicas,
                "cpu_percent": latest(&cpu),
                "memory_mb": latest(&memory),
                "requests_per_minute": latest(&requests),
                "series": {"cpu_percent": cpu, "memory_mb": memory, "requests_per_minute": requests},
            }),
        ))
    }

    fn deployed(&mut self, service: Service, verb: Verb, now: u64) -> Reply {
        let effect = Mutation::new(verb, Kind::Service, &service.id, &service.name);
        let latest = service.deployments.last().expect("a deployment was just begun");
        let body = json!({
            "deployment_id": latest.id,
            "status": latest.status(now),
            "branch": latest.branch,
            "created_at": iso(latest.created),
        });
        self.put_service(service, now);
        Reply::json(202, body).with([effect])
    }
}

fn check_idle(service: &Service, now: u64) -> Result<(), ApiProblem> {
    if service.deployments.last().is_some_and(|latest| latest.is_running(now)) {
        let message = "A deployment of the service is already in progress";
        return Err(ApiProblem::new(409, "deploy_in_progress", message));
    }
    Ok(())
}

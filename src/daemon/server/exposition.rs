//! Metrics as text: which there are, what they mean, and by what they are told apart.
//!
//! Pure. No label holds an id or a message: each would make series without end. One holds a revision,
//! the one that is kept.

mod standing;

use std::collections::BTreeMap;
use std::fmt::Error;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::metrics::{BOUNDS, Passes};
use crate::api::RequestCounts;
use crate::status::paper::telling;
use crate::status::{ConditionType, Conditions, ProjectStatus, ResourceStatus, Truth};

/// How many requests the platform allows in a minute, and how many are left of this one.
#[derive(Clone, Copy, Debug)]
pub struct BudgetNow {
    /// How many it allows.
    pub limit: u32,
    /// How many are left.
    pub remaining: u32,
}

/// All that is told at one moment.
#[derive(Debug)]
pub(super) struct Scrape {
    /// By project.
    pub statuses: BTreeMap<String, Arc<ProjectStatus>>,
    /// By project.
    pub passes: BTreeMap<String, Passes>,
    /// By project.
    pub tallies: BTreeMap<String, RequestCounts>,
    /// By project, and then by sink: what reached nobody.
    pub untold: BTreeMap<String, BTreeMap<String, u64>>,
    /// By project: how the budget stands at this moment.
    pub budgets: BTreeMap<String, BudgetNow>,
}

/// Returns the text.
pub(super) fn text(scrape: Scrape) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(scrape));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a String takes everything that is written to it");
    text
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        self.build(&mut encoder)?;
        self.durations(&mut encoder)?;
        self.results(&mut encoder)?;
        self.requests(&mut encoder)?;
        self.resources(&mut encoder)?;
        self.drifted(&mut encoder)?;
        self.unknown(&mut encoder)?;
        self.unsettled(&mut encoder)?;
        self.standings(&mut encoder)?;
        self.budget(&mut encoder)?;
        self.last_success(&mut encoder)
    }
}

impl Scrape {
    fn build(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "The running version.";
        let mut metric = encoder.encode_descriptor("stoker_build", help, None, MetricType::Info)?;
        metric.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let (name, help) = ("stoker_reconcile_duration", "How long passes took.");
        let kind = MetricType::Histogram;
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (project, passes) in &self.passes {
            let Passes { results: _, buckets, seconds } = passes;
            let bounds = BOUNDS.iter().copied().chain([f64::INFINITY]);
            let counted: Vec<_> = bounds.zip(buckets.iter().copied()).collect();
            let count = buckets.iter().sum();
            let labels = [("project", project.as_str())];
            let mut one = metric.encode_family(&labels)?;
            one.encode_histogram::<NoLabelSet>(*seconds, count, &counted, None)?;
        }
        Ok(())
    }

    fn results(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let (name, help) = ("stoker_reconcile", "How many passes ended, by result.");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (project, passes) in &self.passes {
            for (result, count) in &passes.results {
                let labels = [("project", project.as_str()), ("result", result.as_str())];
                counter(&mut metric, &labels, *count)?;
            }
        }
        Ok(())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many requests were sent to the platform; code 0 is no answer.";
        let (name, kind) = ("stoker_api_requests", MetricType::Counter);
        let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
        for (project, tally) in &self.tallies {
            for ((method, route, code), count) in tally {
                let code = code.to_string();
                let labels = [
                    ("project", project.as_str()),
                    ("method", method.as_str()),
                    ("route", route),
                    ("code", code.as_str()),
                ];
                counter(&mut metric, &labels, *count)?;
            }
        }
        Ok(())
    }

    fn resources(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "One for each declared or owned resource, with its condition and the reason.";
        let kind = MetricType::Info;
        let mut metric = encoder.encode_descriptor("stoker_resource", help, None, kind)?;
        for (project, status) in &self.statuses {
            for resource in &status.resources {
                let (kind, name) = (resource.key.kind.to_string(), resource.key.name.as_str());
                let reason = telling(&resource.conditions).map(|it| it.reason.as_str());
                let reason = reason.unwrap_or_default();
                metric.encode_info(&[
                    ("project", project.as_str()),
                    ("kind", kind.as_str()),
                    ("name", name),
                    ("ready", truth(&resource.conditions)),
                    ("sync", resource.sync_status.as_str()),
                    ("health", resource.health_status.as_str()),
                    ("reason", reason),
                ])?;
            }
        }
        Ok(())
    }

    fn drifted(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many resources differ from their manifests though no manifest changed.";
        let is_drifted = |it: &&ResourceStatus| it.conditions.is_true(ConditionType::Drifted);
        self.each(encoder, ("stoker_drifted_resources", help), |status| {
            status.resources.iter().filter(is_drifted).count() as u64
        })
    }

    fn unknown(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help =
            "How many resources were not seen enough of to tell whether they are as declared.";
        let is_unknown = |it: &&ResourceStatus| truth(&it.conditions) == "unknown";
        self.each(encoder, ("stoker_unknown_resources", help), |status| {
            status.resources.iter().filter(is_unknown).count() as u64
        })
    }

    fn unsettled(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many declared values were never written and are not shown.";
        self.each(encoder, ("stoker_unsettled_values", help), |status| {
            status.resources.iter().map(|it| it.unsettled.len() as u64).sum()
        })
    }

    fn budget(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many requests the platform still allows in this minute.";
        self.each(encoder, ("stoker_api_budget_remaining", help), |status| {
            u64::from(self.budget_of(status).remaining)
        })?;
        let help = "How many requests the platform allows in a minute, as far as is known.";
        self.each(encoder, ("stoker_api_budget_limit", help), |status| {
            u64::from(self.budget_of(status).limit)
        })
    }

    /// Returns how the budget stands now; without a source, as it was last shown.
    fn budget_of(&self, status: &ProjectStatus) -> BudgetNow {
        let shown = || BudgetNow { limit: status.budget.limit, remaining: status.budget.remaining };
        self.budgets.get(&status.name).copied().unwrap_or_else(shown)
    }

    /// Writes a gauge that each project has one value of.
    fn each(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        value: impl Fn(&ProjectStatus) -> u64,
    ) -> Result<(), Error> {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (project, status) in &self.statuses {
            gauge(&mut metric, project, value(status))?;
        }
        Ok(())
    }

    fn last_success(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "When a check last found everything as declared and healthy.";
        let (name, kind) = ("stoker_last_success_timestamp", MetricType::Gauge);
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (project, status) in &self.statuses {
            let first = status.synced.as_ref().map(|revision| revision.at);
            if let Some(at) = status.seen_synced_at.max(first) {
                gauge(&mut metric, project, u64::try_from(at.as_second()).unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

fn counter(
    metric: &mut MetricEncoder<'_>,
    labels: &[(&str, &str)],
    count: u64,
) -> Result<(), Error> {
    metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&count, None)
}

fn gauge(metric: &mut MetricEncoder<'_>, project: &str, value: u64) -> Result<(), Error> {
    metric.encode_family(&[("project", project)])?.encode_gauge(&value)
}

fn truth(conditions: &Conditions) -> &'static str {
    match conditions.get(ConditionType::Ready).map(|condition| condition.status) {
        Some(Truth::True) => "true",
        Some(Truth::False) => "false",
        Some(Truth::Unknown) | None => "unknown",
    }
}

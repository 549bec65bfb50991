//! How projects stand, as metrics: sync and health, why, since when, and what was counted of it.

use std::collections::BTreeMap;
use std::fmt::Error;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{Scrape, counter, gauge};
use crate::status::{ProjectStatus, Truth};

/// How much of a commit or a digest a label holds: as much as people are shown.
const REVISION_CHARS: usize = 10;

/// How deployments end: those that never did stand as nought, so that the first one is an increase.
const DEPLOYMENT_ENDS: [&str; 4] = ["failed", "gone", "succeeded", "timed_out"];

impl Scrape {
    pub(super) fn standings(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        self.project(encoder)?;
        self.conditions(encoder)?;
        self.source(encoder)?;
        self.source_time(encoder)?;
        self.suspended(encoder)?;
        self.pending(encoder)?;
        self.blocked(encoder)?;
        self.repaired(encoder)?;
        self.deployments(encoder)?;
        self.notifications(encoder)
    }

    fn project(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Whether each project is as declared, and how what is declared does.";
        let kind = MetricType::Info;
        let mut metric = encoder.encode_descriptor("stoker_project", help, None, kind)?;
        for (project, status) in &self.statuses {
            metric.encode_info(&[
                ("project", project.as_str()),
                ("sync", status.sync_status.as_str()),
                ("health", status.health_status.as_str()),
            ])?;
        }
        Ok(())
    }

    fn conditions(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "The conditions of each project: 1 for the current status, with its reason.";
        let kind = MetricType::Gauge;
        let mut metric = encoder.encode_descriptor("stoker_condition", help, None, kind)?;
        for (project, status) in &self.statuses {
            for condition in status.conditions.iter() {
                let truth = match condition.status {
                    Truth::True => "true",
                    Truth::False => "false",
                    Truth::Unknown => "unknown",
                };
                let labels = [
                    ("project", project.as_str()),
                    ("type", condition.kind.as_str()),
                    ("status", truth),
                    ("reason", condition.reason.as_str()),
                ];
                metric.encode_family(&labels)?.encode_gauge(&1_u64)?;
            }
        }
        Ok(())
    }

    fn source(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "The current revision: the first digits of its commit, or of its digest.";
        let kind = MetricType::Info;
        let mut metric = encoder.encode_descriptor("stoker_source", help, None, kind)?;
        for (project, status) in &self.statuses {
            let Some(revision) = &status.source.revision else { continue };
            let word = revision.commit.as_deref().unwrap_or(&revision.digest);
            let word: String = word.chars().take(REVISION_CHARS).collect();
            metric.encode_info(&[("project", project.as_str()), ("revision", word.as_str())])?;
        }
        Ok(())
    }

    fn source_time(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "When the current revision was first read.";
        let (name, kind) = ("stoker_source_timestamp", MetricType::Gauge);
        let mut metric = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), kind)?;
        for (project, status) in &self.statuses {
            if let Some(revision) = &status.source.revision {
                let seconds = u64::try_from(revision.at.as_second()).unwrap_or_default();
                gauge(&mut metric, project, seconds)?;
            }
        }
        Ok(())
    }

    fn suspended(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "Whether a person has suspended the project.";
        self.each(encoder, ("stoker_suspended", help), |status| {
            u64::from(status.steering.suspension.is_some())
        })
    }

    fn pending(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many changes are left to do and not blocked.";
        self.each(encoder, ("stoker_pending_changes", help), |status| {
            status.pending.iter().filter(|change| change.blocked.is_none()).count() as u64
        })
    }

    fn blocked(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many changes are blocked, by reason.";
        let kind = MetricType::Gauge;
        let mut metric = encoder.encode_descriptor("stoker_blocked_changes", help, None, kind)?;
        for (project, status) in &self.statuses {
            for (reason, count) in blocked_by(status) {
                let labels = [("project", project.as_str()), ("reason", reason)];
                metric.encode_family(&labels)?.encode_gauge(&count)?;
            }
        }
        Ok(())
    }

    fn repaired(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many resources were set back, or created again, because they had drifted.";
        let (name, kind) = ("stoker_drift_repaired", MetricType::Counter);
        let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
        for (project, status) in &self.statuses {
            let labels = [("project", project.as_str())];
            counter(&mut metric, &labels, status.counts.drift_repaired)?;
        }
        Ok(())
    }

    fn deployments(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many deployments that were followed ended, by how.";
        let kind = MetricType::Counter;
        let mut metric = encoder.encode_descriptor("stoker_deployments", help, None, kind)?;
        for (project, status) in &self.statuses {
            for end in DEPLOYMENT_ENDS {
                let count = status.counts.deployments.get(end).copied().unwrap_or_default();
                counter(&mut metric, &[("project", project.as_str()), ("result", end)], count)?;
            }
        }
        Ok(())
    }

    fn notifications(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let help = "How many notifications were not delivered: refused, lost after three attempts, \
            or dropped.";
        let (name, kind) = ("stoker_notification_failures", MetricType::Counter);
        let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
        for (project, sinks) in &self.untold {
            for (sink, count) in sinks {
                let labels = [("project", project.as_str()), ("sink", sink.as_str())];
                counter(&mut metric, &labels, *count)?;
            }
        }
        Ok(())
    }
}

/// Counts what stands in the way, by the words of plans.
fn blocked_by(status: &ProjectStatus) -> BTreeMap<&str, u64> {
    let mut counts = BTreeMap::new();
    for blocked in status.pending.iter().filter_map(|change| change.blocked.as_ref()) {
        *counts.entry(blocked.reason.as_str()).or_default() += 1;
    }
    counts
}

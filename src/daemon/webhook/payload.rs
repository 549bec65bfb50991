//! What a webhook says happened, and whether it is a reason to look.
//!
//! Only names of references are read, and only to leave out what is surely about another branch.
//! A body that cannot be understood is a reason to look: the signature held.

use serde::Deserialize;
use serde_json::Value;

use super::Provider;

/// How many references one push may name; more, and it is a reason to look whichever they are.
const REFERENCES_MAX: usize = 1_000;

/// What happened, as far as a webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// References moved: their whole names, or none when it does not say which.
    Push {
        /// As `refs/heads/main`.
        references: Vec<String>,
    },
    /// Something that moves no reference, as a ping.
    Other,
}

/// What is done about a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookVerdict {
    /// It is a reason to look.
    Ring,
    /// It is about a reference the project does not follow.
    OtherReference,
    /// It is about nothing that moves a reference.
    OtherEvent,
}

/// Decides whether an occasion is a reason to look, for a project that follows a reference.
#[must_use]
pub fn decide(occasion: &Occasion, reference: Option<&str>) -> WebhookVerdict {
    match (occasion, reference) {
        (Occasion::Other, _) => WebhookVerdict::OtherEvent,
        (Occasion::Push { references }, Some(followed))
            if !references.is_empty() && references.iter().all(|moved| moved != followed) =>
        {
            WebhookVerdict::OtherReference
        }
        (Occasion::Push { references: _ }, _) => WebhookVerdict::Ring,
    }
}

impl Occasion {
    /// Reads what happened.
    pub(super) fn of(provider: Provider, event: Option<&str>, body: &[u8]) -> Self {
        let is_push = match provider {
            // Whoever signs for a generic one does it for one reason.
            Provider::Generic => true,
            Provider::GitHub | Provider::GitLab | Provider::Gitea | Provider::Bitbucket => {
                event.is_some_and(|event| provider.pushes().contains(&event))
            }
        };
        if is_push { Self::Push { references: references(body) } } else { Self::Other }
    }
}

/// The parts of all providers' bodies that name references; each leaves out those of the others.
#[derive(Deserialize)]
struct Payload {
    /// GitHub, GitLab, Gitea, generic.
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// Bitbucket's cloud.
    push: Option<Changes>,
    /// Bitbucket's data center.
    changes: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Changes {
    changes: Vec<Value>,
}

fn references(body: &[u8]) -> Vec<String> {
    let Ok(Payload { reference, push, changes }) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    if let Some(reference) = reference {
        return vec![reference];
    }
    let of_cloud = push.map(|push| push.changes.iter().map(of_cloud).collect());
    let of_data_center = || changes.map(|changes| changes.iter().map(of_data_center).collect());
    // One change that names none leaves open which it is about: then none is named.
    let named: Option<Vec<String>> = of_cloud.or_else(of_data_center).flatten();
    named.filter(|named| named.len() <= REFERENCES_MAX).unwrap_or_default()
}

/// Returns the reference a change in Bitbucket's cloud is about: `new`, or `old` when it was
/// deleted.
fn of_cloud(change: &Value) -> Option<String> {
    let named = ["new", "old"].into_iter().find_map(|side| change.get(side)?.as_object())?;
    let name = named.get("name")?.as_str()?;
    match named.get("type")?.as_str()? {
        "branch" | "named_branch" => Some(format!("refs/heads/{name}")),
        "tag" | "annotated_tag" => Some(format!("refs/tags/{name}")),
        _ => None,
    }
}

fn of_data_center(change: &Value) -> Option<String> {
    Some(change.get("ref")?.get("id")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(provider: Provider, event: &str, body: &str, expected: WebhookVerdict) {
        let occasion = Occasion::of(provider, Some(event), body.as_bytes());
        let verdict = decide(&occasion, Some("refs/heads/main"));
        assert_eq!(verdict, expected, "{provider} {event} {body}");
    }

    #[test]
    fn only_what_is_surely_about_something_else_is_no_reason_to_look() {
        use Provider::{Bitbucket, Generic, GitHub, GitLab, Gitea};
        use WebhookVerdict::{OtherEvent, OtherReference, Ring};
        for (provider, event, body, expected) in [
            (GitHub, "push", r#"{"ref":"refs/heads/main"}"#, Ring),
            (GitHub, "push", r#"{"ref":"refs/heads/next"}"#, OtherReference),
            (GitHub, "push", r#"{"ref":"refs/tags/main"}"#, OtherReference),
            (GitHub, "push", "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fnext%22%7D", Ring),
            (GitHub, "push", r#"{"ref":7}"#, Ring),
            (GitHub, "ping", r#"{"zen":"Keep it logically awesome."}"#, OtherEvent),
            (GitLab, "Push Hook", r#"{"ref":"refs/heads/main"}"#, Ring),
            (GitLab, "Tag Push Hook", r#"{"ref":"refs/tags/v1"}"#, OtherReference),
            (GitLab, "Issue Hook", "{}", OtherEvent),
            (Gitea, "push", r#"{"ref":"refs/heads/next"}"#, OtherReference),
            (Generic, "anything", "", Ring),
            (Generic, "anything", r#"{"ref":"refs/heads/next"}"#, OtherReference),
            (Bitbucket, "diagnostics:ping", r#"{"test":true}"#, OtherEvent),
        ] {
            check(provider, event, body, expected);
        }
        let cloud = |new: &str, old: &str| {
            format!(r#"{{"push":{{"changes":[{{"new":{new},"old":{old}}}]}}}}"#)
        };
        let main = r#"{"type":"branch","name":"main"}"#;
        let next = r#"{"type":"branch","name":"next"}"#;
        check(Bitbucket, "repo:push", &cloud(main, "null"), Ring);
        check(Bitbucket, "repo:push", &cloud(next, "null"), OtherReference);
        check(Bitbucket, "repo:push", &cloud("null", main), Ring);
        check(Bitbucket, "repo:push", &cloud("null", "null"), Ring);
        let data_center = r#"{"changes":[{"ref":{"id":"refs/heads/next"}}]}"#;
        check(Bitbucket, "repo:refs_changed", data_center, OtherReference);
    }

    #[test]
    fn a_project_that_follows_no_reference_looks_at_every_push() {
        let occasion = Occasion::Push { references: vec!["refs/heads/next".to_owned()] };
        assert_eq!(decide(&occasion, None), WebhookVerdict::Ring);
    }

    proptest! {
        #[test]
        fn whatever_a_body_holds_is_read_without_a_panic(
            body in prop_oneof![
                "\\PC{0,80}",
                r#"\{"(ref|push|changes)":(\[\]|\{\}|null|"x"|\{"changes":\[\{"new":null\}\]\})\}"#,
            ],
            provider in prop::sample::select(Provider::ALL.to_vec()),
        ) {
            let event = provider.pushes().first().copied();
            let occasion = Occasion::of(provider, event, body.as_bytes());
            prop_assert_ne!(decide(&occasion, None), WebhookVerdict::OtherReference);
        }
    }

    #[test]
    fn a_body_too_deep_to_be_read_is_a_reason_to_look_and_no_panic() {
        check(Provider::GitHub, "push", &"[".repeat(100_000), WebhookVerdict::Ring);
    }
}

//! What the probe saw, and what is said of it.

use super::*;
use crate::model::{Kind, RemoteId};

/// A service that shows these fields; `KEY=` is hidden.
fn object(fields: &[&str]) -> LiveObject {
    let field = |text: &&str| {
        let (path, value) = text.split_once('=').unwrap();
        let value = match value {
            "" => LiveValue::Hidden,
            text => LiveValue::Shown(FieldValue::Text(text.to_owned())),
        };
        (path.parse().unwrap(), value)
    };
    LiveObject {
        kind: Kind::Service,
        id: RemoteId::new("svc_1").unwrap(),
        name: "stoker-probe-1".to_owned(),
        created_at: None,
        status: None,
        url: None,
        replicas: None,
        fields: fields.iter().map(field).collect(),
        shows_env: true,
    }
}

fn check(observed: &Observed, fact: &str) -> String {
    let findings = judge(observed, &Dialect::default());
    let finding = findings.iter().find(|finding| finding.fact.starts_with(fact)).unwrap();
    match &finding.verdict {
        AssumptionVerdict::Confirmed => "confirmed".to_owned(),
        AssumptionVerdict::False { set } => format!("false {}", set.as_deref().unwrap_or("-")),
        AssumptionVerdict::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn what_was_not_seen_is_unknown() {
    let findings = judge(&Observed::default(), &Dialect::default());
    assert!(findings.iter().all(|finding| finding.verdict == AssumptionVerdict::Unknown));
}

#[test]
fn a_name_that_comes_back_as_another_is_told_wherever_it_is_shown() {
    let name = "stoker-probe-1".to_owned();
    let as_sent = Observed { name, created: Some(object(&[])), ..Observed::default() };
    assert_eq!(check(&as_sent, "a name"), "confirmed");
    let other = LiveObject { name: "stoker-probe-1-x".to_owned(), ..object(&[]) };
    let listed = Observed { listed: Some(other), ..as_sent };
    assert_eq!(check(&listed, "a name"), "false -");
    let mut dialect = Dialect::default();
    dialect.set("names_kept=true").unwrap();
    let set = judge(&listed, &dialect).into_iter().find_map(|finding| match finding.verdict {
        AssumptionVerdict::False { set } => set,
        AssumptionVerdict::Confirmed | AssumptionVerdict::Unknown => None,
    });
    assert_eq!(set.as_deref(), Some("names_kept=false"));
}

#[test]
fn a_variable_that_a_patch_did_not_name_tells_merge_from_replace() {
    let after =
        |fields: &[&str]| Observed { after_patch: Some(object(fields)), ..Observed::default() };
    let kept = format!("envVars.{PLAIN}=1");
    assert_eq!(check(&after(&[&kept]), "env_patch"), "confirmed");
    assert_eq!(check(&after(&["envVars.OTHER=1"]), "env_patch"), "false env_patch=replace");
}

#[test]
fn a_type_under_another_name_is_told_with_the_line_to_set() {
    let path = FieldPath::Setting(Setting::Type);
    let observed = Observed {
        sent: BTreeMap::from([(path, FieldValue::Text("web".to_owned()))]),
        detailed: Some(object(&["type=app"])),
        ..Observed::default()
    };
    assert_eq!(check(&observed, "type"), "false type_names.web=app");
}

#[test]
fn twins_silent_patches_and_odd_headers_are_false_with_what_to_set() {
    let observed = Observed {
        twin: Some(Twin::Created),
        deployments_added: Some(0),
        limits: Some(Limits { reset: Some("soon".to_owned()), ..Limits::default() }),
        paging: Some(PageProbe::Odd("svc_1 is in it twice".to_owned())),
        ..Observed::default()
    };
    assert_eq!(check(&observed, "names_unique"), "false names_unique=false");
    assert_eq!(check(&observed, "a patch starts a deployment"), "false deploy_after_patch=true");
    assert_eq!(check(&observed, "X-RateLimit"), "false -");
    assert_eq!(check(&observed, "page parameters"), "false -");
}

#[test]
fn an_unknown_mask_is_not_taken_for_a_hidden_secret() {
    let seen = |value: &str| Observed {
        detailed: Some(object(&[&format!("envVars.{SECRET}={value}")])),
        ..Observed::default()
    };
    assert_eq!(check(&seen(""), "a secret"), "confirmed");
    assert_eq!(check(&seen("xxx-xxx"), "a secret"), "false -");
}

#[test]
fn what_the_platform_puts_on_by_itself_is_told_with_the_line_to_set() {
    let seen = |fields: &[&str]| Observed { detailed: Some(object(fields)), ..Observed::default() };
    let own = format!("envVars.{PLAIN}=1");
    assert_eq!(check(&seen(&[&own]), "platform_env"), "confirmed");
    assert_eq!(check(&seen(&[&own, "envVars.STACKBLAZE_ID=1"]), "platform_env"), "confirmed");
    assert_eq!(
        check(&seen(&[&own, "envVars.PORT=1", "envVars.ADDON=1"]), "platform_env"),
        "false platform_env=PORT,STACKBLAZE_*,ADDON"
    );
}

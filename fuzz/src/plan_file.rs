//! Any bytes as a saved plan: read or refused, and what is read is written the same again.

use stoker::render::json::SavedPlan;

/// Reads a saved plan.
pub fn plan_file(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(plan) = SavedPlan::parse(text) else {
        return;
    };
    assert!(plan.format_version.split('.').next() == Some("1"), "{}", plan.format_version);
    let written = plan.to_json();
    assert!(!written.replace('\n', "").contains(char::is_control), "{written:?}");
    let again = SavedPlan::parse(&written).expect("what is written can be read");
    assert_eq!(again, plan);
    assert_eq!(plan.to_ndjson().lines().count(), plan.changes.len());
}

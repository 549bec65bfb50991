//! A plan in short, for tests: one line for each change.

use crate::model::*;
use crate::plan::*;

/// Prints a plan: action, key, why, what stands in the way, what comes first, then the fields.
pub fn print(plan: &Plan) -> String {
    let mut lines: Vec<String> = plan.changes.iter().map(print_change).collect();
    for it in &plan.unmanaged {
        lines.push(format!("unmanaged {}/{}#{}", it.kind, it.name, it.id));
    }
    lines.join("\n")
}

fn print_change(change: &Change) -> String {
    let mut line = format!("{:?} {}", change.action, change.key).to_lowercase();
    if let Some(claim) = change.adopts {
        line += &format!(" as {claim:?}").to_lowercase();
    }
    match change.reason {
        Reason::Requested | Reason::AlreadyLive | Reason::NotInDesired => {}
        reason => line += &format!(" ({reason:?})").to_lowercase(),
    }
    if let Some(blocked) = &change.blocked {
        line += &format!(" BLOCKED {}", blocked.reason.as_str());
        return line;
    }
    if !change.after.is_empty() {
        let keys: Vec<String> = change.after.iter().map(Key::to_string).collect();
        line += &format!(" after {}", keys.join(","));
    }
    if let Some(Step::Complete { fields, after, .. }) = change.steps.last() {
        let keys: Vec<String> = after.iter().map(Key::to_string).collect();
        let paths: Vec<String> = fields.keys().map(ToString::to_string).collect();
        line += &format!(" then after {}: {}", keys.join(","), paths.join(","));
    }
    if let Some(Step::MakeWay { id, becomes, name, precondition }) = change.steps.first() {
        line += &format!(" first {id} {} -> {name} for {becomes}", precondition.name);
    }
    let fields = change.fields.iter().map(print_field);
    let fields: Vec<String> = match change.action {
        Action::Create => Vec::new(),
        _ => fields.collect(),
    };
    if !fields.is_empty() {
        line += &format!(": {}", fields.join("; "));
    }
    line
}

fn print_field(field: &FieldChange) -> String {
    let path = field.path.to_string().replacen("envVars.", "env.", 1);
    let show = |value: &Option<FieldValue>| {
        value.as_ref().map_or_else(|| "-".to_owned(), FieldValue::to_string)
    };
    let values = if field.sensitive {
        // What is not in the plan cannot be shown by whoever prints it (S9).
        assert_eq!((&field.before, &field.after), (&None, &None), "{path}");
        "(secret)".to_owned()
    } else {
        format!("{} -> {}", show(&field.before), show(&field.after))
    };
    let sign = match field.action {
        FieldAction::Add => "+",
        FieldAction::Change => "",
        FieldAction::Remove => "-",
        FieldAction::Leave => "?",
    };
    format!("{sign}{path} {values} {:?}", field.reason).to_lowercase()
}

//! Faults in what an answer holds: applied to the finished body.

use serde_json::{Map, Value, json};

use super::fault::{Fault, WrongTotal};

/// An id that leads elsewhere when it is put into a path unquoted.
pub(crate) const HOSTILE_ID: &str = "../databases/db_1?x=%2e%2e#\u{1b}]0;owned\u{7}";

/// A name that writes on terminals, turns text around and is Markdown.
pub(crate) const HOSTILE_NAME: &str = "\u{1b}[2J\u{202e}evil\u{2066} `x` <script>alert(1)</script> [click](https://evil.example)\r\n# h";

/// Distorts a body as a fault says; most faults have nothing to do here.
pub(crate) fn distort(body: &mut Value, fault: &Fault) {
    match fault {
        Fault::NoId => for_each_object(body, &|object| {
            object.shift_remove("id");
            object.shift_remove("deployment_id");
        }),
        Fault::Malice => for_each_object(body, &|object| {
            replace(object, "id", json!(HOSTILE_ID));
            replace(object, "name", json!(HOSTILE_NAME));
        }),
        Fault::Strange => for_each_object(body, &|object| {
            replace(object, "status", json!("quiescing"));
            object.insert("x_beta".into(), json!({"nested": [1, null, {}]}));
        }),
        Fault::Total(wrong) => distort_total(body, *wrong),
        Fault::RenameKey => rename_key(body),
        Fault::Duplicate => duplicate(body),
        _ => {}
    }
}

fn distort_total(body: &mut Value, wrong: WrongTotal) {
    let Some(object) = body.as_object_mut().filter(|object| object.contains_key("total")) else {
        return;
    };
    match wrong {
        WrongTotal::Missing => {
            object.shift_remove("total");
        }
        WrongTotal::Wrong => {
            let more = object["total"].as_u64().unwrap_or(0) + 1;
            replace(object, "total", json!(more));
        }
        WrongTotal::Negative => replace(object, "total", json!(-1)),
    }
}

fn rename_key(body: &mut Value) {
    if list(body).is_none() {
        return;
    }
    if let Some(object) = body.as_object_mut() {
        let renamed = std::mem::take(object).into_iter().map(|(key, value)| match value {
            Value::Array(_) => ("items".into(), value),
            other => (key, other),
        });
        *object = renamed.collect();
    }
}

fn duplicate(body: &mut Value) {
    if let Some([first, .., last]) = list(body).map(Vec::as_mut_slice) {
        *last = first.clone();
    }
}

/// Returns the items, if the body is a list.
fn list(body: &mut Value) -> Option<&mut Vec<Value>> {
    let object = body.as_object_mut().filter(|object| object.contains_key("page"))?;
    object.values_mut().find_map(Value::as_array_mut)
}

/// Visits the items of a list, or the one object, in its wrapper or bare.
fn for_each_object(body: &mut Value, visit: &dyn Fn(&mut Map<String, Value>)) {
    if let Some(items) = list(body) {
        items.iter_mut().filter_map(Value::as_object_mut).for_each(visit);
    } else if let Some(object) = body.as_object_mut() {
        let is_wrapper = object.len() == 1 && object.values().all(Value::is_object);
        match object.values_mut().next().and_then(Value::as_object_mut) {
            Some(inner) if is_wrapper => visit(inner),
            _ => visit(object),
        }
    }
}

fn replace(object: &mut Map<String, Value>, field: &str, value: Value) {
    if let Some(place) = object.get_mut(field) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fault: &str, body: Value, expected: Value) {
        let mut body = body;
        distort(&mut body, &Fault::parse(fault).unwrap());
        assert_eq!(body, expected, "{fault}");
    }

    #[test]
    fn a_list_lies_as_it_is_told() {
        let list = || json!({"services": [{"id": "a"}, {"id": "b"}], "total": 2, "page": 1});
        for (fault, expected) in [
            ("total:missing", json!({"services": [{"id": "a"}, {"id": "b"}], "page": 1})),
            ("total:wrong", json!({"services": [{"id": "a"}, {"id": "b"}], "total": 3, "page": 1})),
            (
                "total:negative",
                json!({"services": [{"id": "a"}, {"id": "b"}], "total": -1, "page": 1}),
            ),
            ("rename-key", json!({"items": [{"id": "a"}, {"id": "b"}], "total": 2, "page": 1})),
            ("duplicate", json!({"services": [{"id": "a"}, {"id": "a"}], "total": 2, "page": 1})),
            ("no-id", json!({"services": [{}, {}], "total": 2, "page": 1})),
        ] {
            check(fault, list(), expected);
        }
    }

    #[test]
    fn one_object_lies_bare_or_in_its_wrapper() {
        check("no-id", json!({"id": "a", "port": 1}), json!({"port": 1}));
        check("no-id", json!({"service": {"id": "a"}}), json!({"service": {}}));
        check("no-id", json!({"deployment_id": "a", "status": "x"}), json!({"status": "x"}));
        check(
            "malice",
            json!({"id": "a", "name": "b"}),
            json!({"id": HOSTILE_ID, "name": HOSTILE_NAME}),
        );
        check(
            "strange",
            json!({"id": "a", "status": "running"}),
            json!({"id": "a", "status": "quiescing", "x_beta": {"nested": [1, null, {}]}}),
        );
    }
}

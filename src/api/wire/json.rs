//! JSON read tolerantly: numbers given as texts, wrappers, nested paths.

use serde_json::{Map, Value};

use crate::model::RemoteId;

/// A JSON object.
pub(in crate::api) type Object = Map<String, Value>;

/// Returns what a path such as `scaling.min_instances` leads to; below `null` everything is null.
pub(in crate::api) fn lookup<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    match (object.get(first)?, rest) {
        (value, None) => Some(value),
        (Value::Null, Some(_)) => Some(&Value::Null),
        (Value::Object(inner), Some(rest)) => lookup(inner, rest),
        (_, Some(_)) => None,
    }
}

/// Returns the objects that a path leads through, the outermost first.
pub(in crate::api) fn along<'a>(
    object: &'a Object,
    path: &'a str,
) -> impl Iterator<Item = &'a Object> {
    let mut steps = path.split('.');
    std::iter::successors(Some(object), move |object| object.get(steps.next()?)?.as_object())
}

/// Returns a text, or a number or boolean as a text.
pub(in crate::api) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns the text under a key.
pub(super) fn text_at(object: &Object, key: &str) -> Option<String> {
    object.get(key).and_then(text)
}

/// Returns a time under its usual name `…_at`, as `…At`, or as the bare word.
pub(super) fn time_at(object: &Object, word: &str) -> Option<String> {
    ["_at", "At", ""].into_iter().find_map(|end| {
        let mut fields = object.iter();
        fields.find(|(name, _)| name.strip_prefix(word) == Some(end)).and_then(|(_, it)| text(it))
    })
}

/// Returns a whole number, also when given as a text or as `3.0`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole(number: f64) -> Option<i64> {
    // Below 2^53 every whole number is itself; above, the text was not written by a counter.
    let is_exact = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    is_exact.then_some(number as i64)
}

/// Returns a number of things, which is not negative.
pub(in crate::api) fn whole_number(value: &Value) -> Option<u64> {
    integer(value).and_then(|number| u64::try_from(number).ok())
}

/// Returns a boolean, also when given as a text.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// Takes what a path leads to.
pub(in crate::api) fn take(object: &mut Object, path: &str) -> Option<Value> {
    match path.split_once('.') {
        Some((first, rest)) => take(object.get_mut(first)?.as_object_mut()?, rest),
        None => object.remove(path),
    }
}

/// Returns the object itself where it stands in an envelope, or is wrapped in its singular name (A2).
pub(in crate::api) fn unwrapped(
    mut object: Object,
    envelope: Option<&str>,
    singular: &str,
) -> Object {
    if let Some(Value::Object(inner)) = envelope.and_then(|path| take(&mut object, path)) {
        object = inner;
    }
    if object.contains_key("id") || object.contains_key("name") {
        return object;
    }
    match object.remove(singular) {
        Some(Value::Object(inner)) => inner,
        Some(other) => {
            object.insert(singular.to_owned(), other);
            object
        }
        None => object,
    }
}

/// Returns the id under the first of some keys that holds one.
pub(in crate::api) fn id_of(object: &Object, keys: &[&str]) -> Option<RemoteId> {
    let found = keys.iter().find_map(|key| object.get(*key).filter(|value| !value.is_null()))?;
    RemoteId::new(&text(found)?).ok()
}

/// Whether a page of a list says that there is more, or that there is not; nothing where it says
/// neither. It may say so in what stands beside its items, as `meta` or `pagination`.
///
/// Where `total` counts one page only, these would be the one sign of it.
pub(in crate::api) fn says_more(page: &Object) -> Option<bool> {
    let beside = page.values().filter_map(Value::as_object);
    let places = std::iter::once(page).chain(beside);
    let said = places.flat_map(|place| MORE.into_iter().filter_map(|key| place.get(key)));
    said.map(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    })
    .reduce(|one, other| one || other)
}

/// The fields by which a page says that there is more.
const MORE: [&str; 9] = [
    "has_more",
    "hasMore",
    "has_next",
    "next",
    "next_page",
    "nextPage",
    "next_cursor",
    "nextCursor",
    "next_page_token",
];

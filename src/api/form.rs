//! What one page of a list holds, in the form that the dialect says (A1).
//!
//! A page of another form is none: the reason says what is there instead, and nothing is guessed.

use serde_json::{Map, Value};

use super::dialect::{Dialect, ListForm};
use super::wire;

/// The most items of one list that are read: beyond it a `total` is a mistake, not a project.
pub(super) const ITEMS_MAX: u64 = 100_000;

/// One page.
pub(super) struct Page {
    pub number: u32,
    pub items: Vec<Map<String, Value>>,
    pub total: Option<u64>,
    /// Whether it says that there is more; nothing where it says neither.
    pub says_more: Option<bool>,
    /// The name of the next page, where lists go on by it.
    pub cursor: Option<String>,
}

/// Finds items and total of a page, and that it is the page asked for.
pub(super) fn understand(
    dialect: &Dialect,
    plural: &str,
    number: u32,
    body: Value,
) -> Result<Page, String> {
    match (dialect.list_form, body) {
        (ListForm::Array, Value::Array(values)) => {
            let items = objects(plural, values)?;
            Ok(Page { number, items, total: None, says_more: None, cursor: None })
        }
        (ListForm::Object, Value::Object(page)) => of_object(dialect, plural, number, page),
        (ListForm::Object, _) => Err("it is a list and no object".to_owned()),
        (ListForm::Array, _) => Err("it is an object and no list".to_owned()),
    }
}

fn of_object(
    dialect: &Dialect,
    plural: &str,
    number: u32,
    mut page: Map<String, Value>,
) -> Result<Page, String> {
    let says_more = wire::says_more(&page);
    let cursor = dialect.cursor_field().map(|field| cursor(&page, field)).transpose()?.flatten();
    // The one word that tells that a list has ended may be that there is no cursor.
    let is_end = dialect.cursor_field().is_some_and(|field| wire::lookup(&page, field).is_some());
    let says_more = says_more.or((is_end && cursor.is_none()).then_some(false));
    let mut total = total(dialect, &page)?;
    let values = match dialect.envelope().map(|path| (path, wire::take(&mut page, path))) {
        Some((_, Some(Value::Array(values)))) => values,
        Some((_, Some(Value::Object(mut inner)))) => {
            total = total.or(self::total(dialect, &inner)?);
            check_number(dialect, number, &inner)?;
            items_of(dialect, plural, &mut inner)?
        }
        Some((path, _)) => return Err(format!("`{path}` is missing, or holds no list")),
        None => items_of(dialect, plural, &mut page)?,
    };
    check_number(dialect, number, &page)?;
    if total.is_none() && dialect.total_required {
        return Err(format!("`{}` is missing", dialect.total_field));
    }
    if total == Some(values.len() as u64) && (says_more == Some(true) || cursor.is_some()) {
        return Err(format!("`{}` counts one page only", dialect.total_field));
    }
    Ok(Page { number, items: objects(plural, values)?, total, says_more, cursor })
}

fn total(dialect: &Dialect, page: &Map<String, Value>) -> Result<Option<u64>, String> {
    match wire::lookup(page, &dialect.total_field) {
        None | Some(Value::Null) => Ok(None),
        Some(total) => wire::whole_number(total)
            .filter(|total| *total <= ITEMS_MAX)
            .map(Some)
            .ok_or_else(|| format!("`{}` is no sensible number", dialect.total_field)),
    }
}

/// Returns the name of the next page; nothing where it says that there is none.
fn cursor(page: &Map<String, Value>, field: &str) -> Result<Option<String>, String> {
    let Some(value) = wire::lookup(page, field) else { return Ok(None) };
    let cursor = wire::text(value).filter(|cursor| !cursor.is_empty());
    match cursor {
        // No address is followed (S5).
        Some(address) if address.contains("://") => Err(format!("`{field}` is an address")),
        cursor => Ok(cursor),
    }
}

fn check_number(dialect: &Dialect, number: u32, page: &Map<String, Value>) -> Result<(), String> {
    let shown = page.get("page").and_then(wire::whole_number);
    let is_other = shown.is_some_and(|shown| shown != u64::from(number));
    if is_other && dialect.cursor_field().is_none() {
        return Err(format!("page {number} was asked for and another one came"));
    }
    Ok(())
}

fn items_of(
    dialect: &Dialect,
    plural: &str,
    page: &mut Map<String, Value>,
) -> Result<Vec<Value>, String> {
    let key = dialect.list_key(plural);
    match wire::take(page, key) {
        Some(Value::Array(values)) => Ok(values),
        _ => Err(format!("`{key}` is missing, or no list")),
    }
}

fn objects(plural: &str, values: Vec<Value>) -> Result<Vec<Map<String, Value>>, String> {
    let items = values.into_iter().map(|value| match value {
        Value::Object(item) => Ok(item),
        _ => Err(format!("an item of `{plural}` is no object")),
    });
    items.collect()
}

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
            Ok(Page { items, total: None, says_more: None, cursor: None })
        }
        (ListForm::Object, Value::Object(page)) => of_object(dialect, plural, number, page),
        (ListForm::Object, _) => Err("it is a list, not an object".to_owned()),
        (ListForm::Array, _) => Err("it is an object, not a list".to_owned()),
    }
}

fn of_object(
    dialect: &Dialect,
    plural: &str,
    number: u32,
    mut page: Map<String, Value>,
) -> Result<Page, String> {
    let says_more = says_more(dialect, plural, &page);
    let mut told = Told::by(dialect, number, &page)?;
    let values = match dialect.envelope().map(|path| (path, wire::take(&mut page, path))) {
        Some((_, Some(Value::Array(values)))) => values,
        Some((_, Some(Value::Object(mut inner)))) => {
            told = told.or(Told::by(dialect, number, &inner)?);
            items_of(dialect, plural, &mut inner)?
        }
        Some((path, _)) => return Err(format!("`{path}` is missing, or is not a list")),
        None => items_of(dialect, plural, &mut page)?,
    };
    let Told { total, cursor, has_cursor_field } = told;
    // The one word that tells that a list has ended may be that there is no cursor.
    let says_more = says_more.or((has_cursor_field && cursor.is_none()).then_some(false));
    if total.is_none() && dialect.total_required {
        return Err(format!("`{}` is missing", dialect.total_field));
    }
    if total == Some(values.len() as u64) && (says_more == Some(true) || cursor.is_some()) {
        return Err(format!("`{}` counts only one page", dialect.total_field));
    }
    Ok(Page { items: objects(plural, values)?, total, says_more, cursor })
}

/// Whether there is more, as a page says it anywhere on the way to its items (S2).
fn says_more(dialect: &Dialect, plural: &str, page: &Map<String, Value>) -> Option<bool> {
    let key = dialect.list_key(plural);
    let inner = dialect.envelope().map(|envelope| format!("{envelope}.{key}"));
    let places = wire::along(page, inner.as_deref().unwrap_or(key));
    places.filter_map(wire::says_more).reduce(|one, other| one || other)
}

/// What the fields of the dialect tell of a list, in a page or in its envelope.
struct Told {
    total: Option<u64>,
    cursor: Option<String>,
    /// Whether the field is there that names the next page, or says that there is none.
    has_cursor_field: bool,
}

impl Told {
    fn by(dialect: &Dialect, number: u32, place: &Map<String, Value>) -> Result<Self, String> {
        check_number(dialect, number, place)?;
        let field = dialect.cursor_field();
        Ok(Self {
            total: total(dialect, place)?,
            cursor: field.map(|field| cursor(place, field)).transpose()?.flatten(),
            has_cursor_field: field.is_some_and(|field| wire::lookup(place, field).is_some()),
        })
    }

    fn or(self, inner: Self) -> Self {
        Self {
            total: self.total.or(inner.total),
            cursor: self.cursor.or(inner.cursor),
            has_cursor_field: self.has_cursor_field || inner.has_cursor_field,
        }
    }
}

fn total(dialect: &Dialect, page: &Map<String, Value>) -> Result<Option<u64>, String> {
    match wire::lookup(page, &dialect.total_field) {
        None | Some(Value::Null) => Ok(None),
        Some(total) => wire::whole_number(total)
            .filter(|total| *total <= ITEMS_MAX)
            .map(Some)
            .ok_or_else(|| format!("`{}` is not a sensible number", dialect.total_field)),
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
        return Err(format!("page {number} was requested, and another one arrived"));
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
        _ => Err(format!("`{key}` is missing, or is not a list")),
    }
}

fn objects(plural: &str, values: Vec<Value>) -> Result<Vec<Map<String, Value>>, String> {
    let items = values.into_iter().map(|value| match value {
        Value::Object(item) => Ok(item),
        _ => Err(format!("an item of `{plural}` is not an object")),
    });
    items.collect()
}

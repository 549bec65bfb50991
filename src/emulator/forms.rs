//! The forms in which lists, objects and their absence are written, beside that of F5 (A1, A2, A25).

use serde_json::{Map, Value, json};

use super::choice::Forms;

/// A list that is ready to be written.
pub(crate) struct Written<'a> {
    pub(crate) plural: &'a str,
    pub(crate) items: Vec<Value>,
    pub(crate) total: usize,
    pub(crate) page: usize,
    /// The number of the page after it, if there is one.
    pub(crate) next: Option<usize>,
}

impl Forms {
    /// The number of the first page.
    pub(crate) fn first_page(self) -> usize {
        usize::from(self != Self::FromZero)
    }

    /// The parameter that asks for a page.
    pub(crate) fn page_param(self) -> &'static str {
        if self == Self::Cursors { "cursor" } else { "page" }
    }

    /// Writes a page of a list.
    pub(crate) fn list(self, list: Written<'_>) -> Value {
        let Written { plural, items, total, page, next } = list;
        let mut body = Map::new();
        match self {
            Self::Bare => return Value::Array(items),
            Self::Documented | Self::FromZero => {
                body.insert(plural.into(), Value::Array(items));
                body.insert("total".into(), json!(total));
                body.insert("page".into(), json!(page));
            }
            Self::Meta => {
                body.insert(plural.into(), Value::Array(items));
                body.insert("meta".into(), json!({"total": total, "page": page}));
            }
            Self::Data => {
                body.insert("data".into(), Value::Array(items));
                body.insert("meta".into(), json!({"total": total}));
            }
            Self::Cursors => {
                body.insert(plural.into(), Value::Array(items));
                body.insert("next_cursor".into(), json!(next.map(|next| next.to_string())));
            }
        }
        Value::Object(body)
    }

    /// Writes one object.
    pub(crate) fn single(self, object: Value) -> Value {
        if self == Self::Data { json!({ "data": object }) } else { object }
    }
}

//! Lists, read to their end and proven to be whole (A1, S2).
//!
//! A list is whole when `total` is the same on all pages, the items add up to it and no id comes
//! twice. Everything else is *incomplete*, with the reason: unknown is never taken for absent.
//! It deliberately does not know what an item means.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Map, Value};

use super::call::{Call, LIST_BODY_MAX};
use super::client::Client;
use super::dialect::Dialect;
use super::error::{Error, ErrorKind};
use super::route::Route;
use super::wire;
use crate::model::RemoteId;

/// The most pages of one list that are read; a hundred thousand objects at a hundred a page.
const PAGES_MAX: u32 = 1_000;

/// The most items of one list that are read: beyond it a `total` is a mistake, not a project.
const ITEMS_MAX: u64 = 100_000;

/// How many pages are asked for at once, once the first has told how many there are.
const PAGES_AT_ONCE: usize = 8;

/// The value of `per_page_param` for an API that has no such parameter.
const NO_PARAM: &str = "none";

/// What to list.
pub(super) struct Shelf<'a> {
    /// What it is for, completing "failed to …".
    pub doing: String,
    pub route: Route<'a>,
    /// The plural under which the items stand, before the dialect.
    pub plural: &'static str,
    /// The keys that may hold an item's id; none where items have no ids.
    pub id_keys: &'static [&'static str],
    /// How many pages are wanted at most.
    pub pages_max: u32,
}

impl<'a> Shelf<'a> {
    /// Makes a list that is wanted whole.
    pub(super) fn whole(doing: impl Into<String>, route: Route<'a>, plural: &'static str) -> Self {
        Self { doing: doing.into(), route, plural, id_keys: &["id"], pages_max: PAGES_MAX }
    }
}

/// What was read of a list.
#[derive(Debug)]
pub(super) struct Pages {
    pub items: Vec<Map<String, Value>>,
    pub count: u32,
    /// Why this is not known to be all, when it is not.
    pub incomplete: Option<String>,
}

/// One page.
struct Page {
    number: u32,
    items: Vec<Map<String, Value>>,
    total: Option<u64>,
}

/// Why there is no page.
enum NoPage {
    /// The request failed.
    Failed(Error),
    /// What came is no page of this list.
    Odd(String),
}

/// Reads a list to its end.
///
/// # Errors
/// When the first page cannot be had, or any page for a reason that ends the run (the token, the
/// budget). Every other trouble makes the list incomplete.
pub(super) async fn read_all(client: &Client, shelf: &Shelf<'_>) -> Result<Pages, Error> {
    let mut reading = Reading::default();
    let first = match read_page(client, shelf, 1).await {
        Ok(page) => page,
        Err(NoPage::Failed(error)) => return Err(error),
        Err(NoPage::Odd(reason)) => return Ok(reading.stop(1, reason)),
    };
    let (size, total) = (first.items.len(), first.total);
    if let Err(reason) = reading.add(first, shelf.id_keys) {
        return Ok(reading.stop(1, reason));
    }
    let last = match (total, size) {
        (Some(total), _) if reading.count() == total => return Ok(reading.end(total)),
        (Some(total), 0) => return Ok(reading.stop(1, adds_up_to(0, total))),
        (Some(total), size) => total.div_ceil(size as u64),
        // Without a total the end is an empty page.
        (None, 0) => return Ok(reading.end(0)),
        (None, _) => return read_until_empty(client, shelf, reading).await,
    };
    match u32::try_from(last) {
        Ok(last) if last <= shelf.pages_max => read_rest(client, shelf, reading, last).await,
        _ => {
            let reason = format!("it has more than {} pages", shelf.pages_max);
            Ok(reading.stop(1, reason))
        }
    }
}

/// Reads pages 2 to `last`, several at once: the shorter it takes, the less moves meanwhile.
async fn read_rest(
    client: &Client,
    shelf: &Shelf<'_>,
    mut reading: Reading,
    last: u32,
) -> Result<Pages, Error> {
    let mut pages = stream::iter(2..=last)
        .map(|number| async move { (number, read_page(client, shelf, number).await) })
        .buffered(PAGES_AT_ONCE);
    while let Some((number, page)) = pages.next().await {
        if let Some(reason) = reading.take(page, shelf.id_keys)? {
            return Ok(reading.stop(number, reason));
        }
    }
    let total = reading.total.unwrap_or_default();
    Ok(reading.end(total))
}

/// Reads pages until one is empty, where the dialect says that there is no total.
async fn read_until_empty(
    client: &Client,
    shelf: &Shelf<'_>,
    mut reading: Reading,
) -> Result<Pages, Error> {
    for number in 2..=shelf.pages_max {
        let before = reading.count();
        if let Some(reason) = reading.take(read_page(client, shelf, number).await, shelf.id_keys)? {
            return Ok(reading.stop(number, reason));
        }
        if reading.count() == before {
            return Ok(reading.end(before));
        }
    }
    let reason = format!("it has more than {} pages", shelf.pages_max);
    Ok(reading.stop(shelf.pages_max, reason))
}

async fn read_page(client: &Client, shelf: &Shelf<'_>, number: u32) -> Result<Page, NoPage> {
    let dialect = client.dialect();
    let mut query = vec![(dialect.page_param.as_str(), number.to_string())];
    if dialect.per_page_param != NO_PARAM {
        query.push((dialect.per_page_param.as_str(), dialect.per_page.to_string()));
    }
    let call =
        Call { query, body_max: LIST_BODY_MAX, ..Call::get(shelf.doing.as_str(), shelf.route) };
    let answer = client.send(&call).await.map_err(NoPage::Failed)?;
    let object =
        answer.object().map_err(|cause| NoPage::Failed(Error::new(shelf.doing.as_str(), cause)))?;
    understand(dialect, shelf, number, object).map_err(NoPage::Odd)
}

/// Finds items and total of a page, and that it is the page asked for.
fn understand(
    dialect: &Dialect,
    shelf: &Shelf<'_>,
    number: u32,
    mut page: Map<String, Value>,
) -> Result<Page, String> {
    let key = dialect.list_key(shelf.plural);
    let total = match page.get(&dialect.total_field) {
        None | Some(Value::Null) if !dialect.total_required => None,
        None | Some(Value::Null) => {
            return Err(format!("`{}` is missing", dialect.total_field));
        }
        Some(total) => Some(
            wire::whole_number(total)
                .filter(|total| *total <= ITEMS_MAX)
                .ok_or_else(|| format!("`{}` is no sensible number", dialect.total_field))?,
        ),
    };
    let shown = page.get("page").and_then(wire::whole_number);
    if shown.is_some_and(|shown| shown != u64::from(number)) {
        return Err(format!("page {number} was asked for and another one came"));
    }
    let is_last = wire::is_last_page(&page);
    let Some(Value::Array(values)) = page.remove(key) else {
        return Err(format!("`{key}` is missing, or no list"));
    };
    if total == Some(values.len() as u64) && !is_last {
        return Err(format!("`{}` counts one page only", dialect.total_field));
    }
    let items = values.into_iter().map(|value| match value {
        Value::Object(item) => Ok(item),
        _ => Err(format!("an item of `{key}` is no object")),
    });
    Ok(Page { number, items: items.collect::<Result<_, _>>()?, total })
}

/// A list in the reading.
#[derive(Default)]
struct Reading {
    items: Vec<Map<String, Value>>,
    ids: BTreeSet<RemoteId>,
    total: Option<u64>,
    pages: u32,
}

impl Reading {
    /// Takes a page in; returns why the list is incomplete, if it now is.
    fn take(
        &mut self,
        page: Result<Page, NoPage>,
        id_keys: &[&str],
    ) -> Result<Option<String>, Error> {
        match page {
            Ok(page) => Ok(self.add(page, id_keys).err()),
            Err(NoPage::Odd(reason)) => Ok(Some(reason)),
            Err(NoPage::Failed(error)) => match error.kind() {
                ErrorKind::Authentication | ErrorKind::OverBudget | ErrorKind::Local => Err(error),
                _ => Ok(Some(error.cause().to_string())),
            },
        }
    }

    fn add(&mut self, page: Page, id_keys: &[&str]) -> Result<(), String> {
        let Page { number, items, total } = page;
        if number > 1 && total != self.total {
            return Err("its total changed while it was read".to_owned());
        }
        self.total = total;
        self.pages = self.pages.max(number);
        for item in items {
            if !id_keys.is_empty() {
                let id = wire::id_of(&item, id_keys)
                    .ok_or_else(|| format!("an item on page {number} has no usable id"))?;
                if let Some(id) = self.ids.replace(id) {
                    return Err(format!("{id} stands in it twice"));
                }
            }
            self.items.push(item);
        }
        if self.count() > ITEMS_MAX {
            return Err(format!("it has more than {ITEMS_MAX} items"));
        }
        Ok(())
    }

    fn count(&self) -> u64 {
        self.items.len() as u64
    }

    fn stop(self, pages: u32, reason: String) -> Pages {
        Pages { items: self.items, count: pages.max(self.pages), incomplete: Some(reason) }
    }

    fn end(self, total: u64) -> Pages {
        let count = self.count();
        let incomplete = (count != total).then(|| adds_up_to(count, total));
        Pages { items: self.items, count: self.pages, incomplete }
    }
}

fn adds_up_to(count: u64, total: u64) -> String {
    format!("{count} of {total} items came")
}

//! Lists, read to their end and proven to be whole (A1, S2).
//!
//! A list is whole when `total` is the same on all pages, the items add up to it and no id comes
//! twice; where the dialect says that there is no total, when an empty page ends it, or a page that
//! says that it is the last, or the only one there can be. Everything else is *incomplete*, with the
//! reason: unknown is never taken for absent.
//! It deliberately does not know what an item means.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use serde_json::{Map, Value};

use super::call::{Call, LIST_BODY_MAX};
use super::client::Client;
use super::error::{Error, ErrorKind};
use super::form::{self, ITEMS_MAX, Page};
use super::route::Route;
use super::wire;
use crate::model::RemoteId;

/// The most pages of one list that are read; a hundred thousand objects at a hundred a page.
const PAGES_MAX: u32 = 1_000;

/// How many pages are asked for at once, once the first has told how many there are.
const PAGES_AT_ONCE: usize = 8;

/// Why a list is incomplete whose last page says so itself.
const SAYS_MORE: &str = "it says that there is more";

/// What to list.
pub(super) struct PageQuery<'a> {
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

impl<'a> PageQuery<'a> {
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
pub(super) async fn read_all(client: &Client, shelf: &PageQuery<'_>) -> Result<Pages, Error> {
    let mut reading = Reading::default();
    let first = match read_page(client, shelf, 1, None).await {
        Ok(page) => page,
        Err(NoPage::Failed(error)) => return Err(error),
        Err(NoPage::Odd(reason)) => return Ok(reading.stop(1, reason)),
    };
    let (size, total, says_more) = (first.items.len(), first.total, first.says_more);
    let cursor = first.cursor.clone();
    if let Err(reason) = reading.add(1, first, shelf.id_keys) {
        return Ok(reading.stop(1, reason));
    }
    let dialect = client.dialect();
    if dialect.cursor_field().is_some() {
        return read_by_cursor(client, shelf, reading, cursor, says_more).await;
    }
    let last = match (total, size) {
        (Some(total), _) if reading.count() == total => return Ok(reading.end(total)),
        (Some(total), 0) => return Ok(reading.stop(1, adds_up_to(0, total))),
        (Some(total), _) if dialect.page_param().is_none() => return Ok(reading.end(total)),
        (Some(total), size) => total.div_ceil(size as u64),
        (None, _) if dialect.page_param().is_none() => {
            return Ok(match says_more {
                Some(true) => reading.stop(1, SAYS_MORE.to_owned()),
                Some(false) | None => reading.end(size as u64),
            });
        }
        (None, 0) => return Ok(reading.end_at_empty(1, says_more)),
        (None, _) => return read_until_empty(client, shelf, reading).await,
    };
    match u32::try_from(last) {
        Ok(last) if last <= shelf.pages_max => read_rest(client, shelf, reading, last).await,
        _ => Ok(reading.stop_beyond(1, shelf)),
    }
}

/// Reads page after page, each by the name that the one before it gives.
///
/// It is at its end where a page gives none, and its total says so, or the page itself: that a field
/// is not there may only mean that it has another name.
async fn read_by_cursor(
    client: &Client,
    shelf: &PageQuery<'_>,
    mut reading: Reading,
    mut cursor: Option<String>,
    mut says_more: Option<bool>,
) -> Result<Pages, Error> {
    let mut seen = BTreeSet::new();
    for number in 2..=shelf.pages_max {
        let Some(next) = cursor else {
            let count = reading.count();
            return Ok(match (reading.total, says_more) {
                (Some(total), _) => reading.end(total),
                (None, Some(false)) => reading.end(count),
                (None, _) => {
                    let field = &client.dialect().cursor_field;
                    reading.stop(number - 1, format!("`{field}` is missing"))
                }
            });
        };
        if !seen.insert(next.clone()) {
            return Ok(reading.stop(number - 1, "a page is repeated".to_owned()));
        }
        let page = read_page(client, shelf, number, Some(&next)).await;
        (cursor, says_more) = match &page {
            Ok(page) => (page.cursor.clone(), page.says_more),
            Err(_) => (None, None),
        };
        if let Some(reason) = reading.take(number, page, shelf.id_keys)? {
            return Ok(reading.stop(number, reason));
        }
    }
    Ok(reading.stop_beyond(shelf.pages_max, shelf))
}

/// Reads pages 2 to `last`, several at once: the shorter it takes, the less moves meanwhile.
async fn read_rest(
    client: &Client,
    shelf: &PageQuery<'_>,
    mut reading: Reading,
    last: u32,
) -> Result<Pages, Error> {
    let mut pages = stream::iter(2..=last)
        .map(|number| async move { (number, read_page(client, shelf, number, None).await) })
        .buffered(PAGES_AT_ONCE);
    while let Some((number, page)) = pages.next().await {
        if let Some(reason) = reading.take(number, page, shelf.id_keys)? {
            return Ok(reading.stop(number, reason));
        }
    }
    let total = reading.total.unwrap_or_default();
    Ok(reading.end(total))
}

/// Reads pages until one is empty, where the dialect says that there is no total.
async fn read_until_empty(
    client: &Client,
    shelf: &PageQuery<'_>,
    mut reading: Reading,
) -> Result<Pages, Error> {
    for number in 2..=shelf.pages_max {
        let before = reading.count();
        let page = read_page(client, shelf, number, None).await;
        let says_more = page.as_ref().ok().and_then(|page| page.says_more);
        if let Some(reason) = reading.take(number, page, shelf.id_keys)? {
            return Ok(reading.stop(number, reason));
        }
        if reading.count() == before {
            return Ok(reading.end_at_empty(number, says_more));
        }
    }
    Ok(reading.stop_beyond(shelf.pages_max, shelf))
}

/// Reads one page, counted from 1; by its name, where it has one.
async fn read_page(
    client: &Client,
    shelf: &PageQuery<'_>,
    number: u32,
    cursor: Option<&str>,
) -> Result<Page, NoPage> {
    let dialect = client.dialect();
    let asked_for = number - 1 + dialect.page_first;
    let mut query = Vec::new();
    match (cursor, dialect.page_param()) {
        (Some(cursor), _) => query.push((dialect.cursor_param.as_str(), cursor.to_owned())),
        (None, Some(param)) if dialect.cursor_field().is_none() => {
            query.push((param, asked_for.to_string()));
        }
        (None, _) => {}
    }
    query.extend(dialect.per_page_param().map(|param| (param, dialect.per_page.to_string())));
    let call =
        Call { query, body_max: LIST_BODY_MAX, ..Call::get(shelf.doing.as_str(), shelf.route) };
    let answer = client.send(&call).await.map_err(NoPage::Failed)?;
    let unread = |cause| NoPage::Failed(Error::new(shelf.doing.as_str(), cause));
    let body = answer.value().map_err(unread)?;
    form::understand(dialect, shelf.plural, asked_for, body).map_err(NoPage::Odd)
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
        number: u32,
        page: Result<Page, NoPage>,
        id_keys: &[&str],
    ) -> Result<Option<String>, Error> {
        match page {
            Ok(page) => Ok(self.add(number, page, id_keys).err()),
            Err(NoPage::Odd(reason)) => Ok(Some(reason)),
            Err(NoPage::Failed(error)) => match error.kind() {
                ErrorKind::Authentication | ErrorKind::OverBudget | ErrorKind::Local => Err(error),
                _ => Ok(Some(error.cause().to_string())),
            },
        }
    }

    fn add(&mut self, number: u32, page: Page, id_keys: &[&str]) -> Result<(), String> {
        let Page { items, total, says_more: _, cursor: _ } = page;
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
                    return Err(format!("{id} is in it twice"));
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

    /// Ends where there is no total, at a page without items; one that says that more follows is no end.
    fn end_at_empty(self, number: u32, says_more: Option<bool>) -> Pages {
        if says_more == Some(true) {
            return self.stop(number, SAYS_MORE.to_owned());
        }
        let count = self.count();
        self.end(count)
    }

    fn stop_beyond(self, pages: u32, shelf: &PageQuery<'_>) -> Pages {
        self.stop(pages, format!("it has more than {} pages", shelf.pages_max))
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
    format!("{count} of {total} items arrived")
}

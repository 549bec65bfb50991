//! In which form the API answers, told from its answers: what `doctor --probe` says of A1, A2 and A25.
//!
//! It only reads. Nothing of what it finds is used by itself: it names the setting, and a person sets
//! it. What it does not recognise stays unknown.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::call::Call;
use super::client::Client;
use super::dialect::{Dialect, ListForm, NotFound};
use super::error::{Cause, Error};
use super::route::Route;
use super::wire;
use crate::model::{Kind, RemoteId};

/// Where a list may tell how many items there are in all.
const TOTALS: [&str; 8] = [
    "total",
    "total_count",
    "totalCount",
    "total_items",
    "totalItems",
    "total_results",
    "count",
    "size",
];

/// Where a list may name its next page, and the parameter that usually asks for it.
const CURSORS: [(&str, &str); 5] = [
    ("next_cursor", "cursor"),
    ("nextCursor", "cursor"),
    ("next_page_token", "page_token"),
    ("nextPageToken", "pageToken"),
    ("cursor", "cursor"),
];

/// The id of nothing: asking for it shows how the API says so.
const NOTHING: &str = "svc_00000000000000000000";

/// What one look at the form of answers has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// What is assumed.
    pub fact: &'static str,
    /// Its identifier.
    pub assumption: &'static str,
    /// Whether it holds; nothing where nobody can tell.
    pub holds: Option<bool>,
    /// The setting that says what is true, where there is one.
    pub set: Option<String>,
    /// What was seen.
    pub seen: String,
}

/// What is assumed of the form of answers.
#[derive(Clone, Copy)]
struct Fact(&'static str, &'static str);

const BARE: Fact = Fact("an object comes bare or wrapped", "A2");
const ITEMS: Fact = Fact("a list holds its items under their plural", "A1");
const TOTAL: Fact = Fact("a list tells how many there are in all", "A1");
const NUMBERS: Fact = Fact("pages have numbers", "A1");
const FROM_ONE: Fact = Fact("pages are counted from 1", "A1");
const CODED: Fact = Fact("404 carries a code", "A25");

impl Fact {
    fn holds(self, seen: impl Into<String>) -> Surveyed {
        let Self(fact, assumption) = self;
        Surveyed { fact, assumption, holds: Some(true), set: None, seen: seen.into() }
    }

    fn unknown(self, seen: impl Into<String>) -> Surveyed {
        Surveyed { holds: None, ..self.holds(seen) }
    }

    fn otherwise(self, set: impl Into<String>, seen: impl Into<String>) -> Surveyed {
        Surveyed { holds: Some(false), set: Some(set.into()), ..self.holds(seen) }
    }
}

impl Client {
    /// Looks in which form the API answers: the project, a page of services, what is not there.
    pub async fn survey(&self) -> Vec<Surveyed> {
        let project = self.raw(Route::Project, Vec::new()).await;
        let mut dialect = self.dialect().clone();
        let mut surveyed = vec![object_form(&dialect, &project)];
        // What the project came in, lists may come in, too.
        follow(&mut dialect, &surveyed);
        let first = self.page(&dialect, 1).await;
        let list = list_form(&dialect, &project, &first);
        follow(&mut dialect, &list);
        surveyed.extend(list);
        if items(&dialect, &first).is_some_and(|found| is_part(&dialect, &first, found.len())) {
            let zeroth = self.page(&dialect, 0).await;
            surveyed.extend(pages_form(&dialect, &first, &zeroth));
        }
        surveyed.push(self.absence().await);
        surveyed
    }

    async fn page(&self, dialect: &Dialect, number: u32) -> Result<Value, Error> {
        let number = dialect.page_param().map(|param| (param, number.to_string()));
        // The shorter a page, the sooner it is seen how the list goes on.
        let size = dialect.per_page_param().map(|param| (param, "1".to_owned()));
        let query = number.into_iter().chain(size).collect();
        self.raw(Route::Collection(Kind::Service), query).await
    }

    async fn raw(&self, route: Route<'_>, query: Vec<(&str, String)>) -> Result<Value, Error> {
        let call = Call { query, ..Call::get("look at the form of an answer", route) };
        let answer = self.send(&call).await?;
        answer.value().map_err(|cause| Error::new(call.doing.as_str(), cause))
    }

    async fn absence(&self) -> Surveyed {
        let Ok(id) = RemoteId::new(NOTHING) else {
            return CODED.unknown("nothing was asked");
        };
        match self.raw(Route::Service(&id), Vec::new()).await.err().as_ref().map(Error::cause) {
            Some(Cause::Api(error)) if error.status == 404 => match &error.code {
                Some(code) => CODED.holds(code.clone()),
                None if self.dialect().not_found == NotFound::Status => {
                    CODED.holds("none, as `not_found=status` says")
                }
                None => CODED.otherwise("not_found=status", "404 without a code"),
            },
            Some(cause) => CODED.unknown(cause.to_string()),
            None => CODED.unknown("what is not there was shown"),
        }
    }
}

/// Takes for granted what was found, to look further.
fn follow(dialect: &mut Dialect, surveyed: &[Surveyed]) {
    for set in surveyed.iter().filter_map(|it| it.set.as_deref()) {
        // They are settings of our own making; one that is none is not followed.
        drop(dialect.set(set));
    }
}

/// Tells how one object comes, from the project.
fn object_form(dialect: &Dialect, project: &Result<Value, Error>) -> Surveyed {
    let object = match project {
        Ok(Value::Object(object)) => object,
        Ok(_) => return BARE.unknown("the project is not an object"),
        Err(error) => return BARE.unknown(error.to_string()),
    };
    let is_one = |object: &Map<String, Value>| object.contains_key("name");
    if is_one(&wire::unwrapped(object.clone(), dialect.envelope(), "project")) {
        return BARE.holds("the project is read");
    }
    let mut inner = object.iter().filter_map(|(key, value)| Some((key, value.as_object()?)));
    let wrapped =
        inner.find(|(_, inner)| is_one(&wire::unwrapped((*inner).clone(), None, "project")));
    match wrapped {
        Some((key, _)) => {
            BARE.otherwise(format!("envelope={key}"), format!("the project stands in `{key}`"))
        }
        None => BARE.unknown("no name of a project is found"),
    }
}

/// Tells how a list comes, from a page of services.
fn list_form(
    dialect: &Dialect,
    project: &Result<Value, Error>,
    page: &Result<Value, Error>,
) -> Vec<Surveyed> {
    let page = match (page, dialect.list_form) {
        (Ok(Value::Array(_)), ListForm::Array) => {
            return vec![ITEMS.holds("it is the items, as `list_form=array` says")];
        }
        (Ok(Value::Array(_)), ListForm::Object) => {
            return vec![ITEMS.otherwise("list_form=array", "it is the items")];
        }
        (Ok(Value::Object(page)), ListForm::Object) => page,
        (Ok(_), _) => return vec![ITEMS.unknown("it is an object, not a list")],
        (Err(error), _) => return vec![ITEMS.unknown(error.to_string())],
    };
    let mut surveyed = vec![items_form(dialect, project, page), total_form(dialect, page)];
    surveyed.extend(cursor_form(dialect, page));
    surveyed
}

fn items_form(
    dialect: &Dialect,
    project: &Result<Value, Error>,
    page: &Map<String, Value>,
) -> Surveyed {
    if items_in(dialect, page).is_some() {
        return ITEMS.holds("they are found");
    }
    let is_list = |_: &str, value: &Value| {
        value.as_array().is_some_and(|items| items.iter().all(Value::is_object))
    };
    let Some(path) = find(page, is_list) else {
        return ITEMS.unknown("no items are found");
    };
    let seen = format!("they stand in `{path}`");
    let set = match path.split_once('.') {
        _ if path == dialect.list_key("services") => match dialect.envelope() {
            Some(envelope) if stands_in(envelope, project) => {
                return ITEMS.unknown(format!("{seen}, and the project stands in `{envelope}`"));
            }
            _ => "envelope=none".to_owned(),
        },
        // Whatever is listed stands there, and nothing names what it is.
        None => format!("envelope={path}"),
        Some((envelope, "services")) => format!("envelope={envelope}"),
        Some(_) => format!("list_keys.services={path}"),
    };
    ITEMS.otherwise(set, seen)
}

fn stands_in(path: &str, answer: &Result<Value, Error>) -> bool {
    let object = answer.as_ref().ok().and_then(Value::as_object);
    object.and_then(|object| wire::lookup(object, path)).is_some()
}

fn total_form(dialect: &Dialect, page: &Map<String, Value>) -> Surveyed {
    if total_in(dialect, page).is_some() {
        return TOTAL.holds(format!("in `{}`", dialect.total_field));
    }
    let is_total = |key: &str, value: &Value| TOTALS.contains(&key) && value.is_u64();
    match find(page, is_total) {
        Some(path) => TOTAL.otherwise(format!("total_field={path}"), format!("in `{path}`")),
        None if dialect.total_required => TOTAL.otherwise("total_required=false", "it does not"),
        None => TOTAL.holds("it does not, as `total_required=false` says"),
    }
}

fn cursor_form(dialect: &Dialect, page: &Map<String, Value>) -> Vec<Surveyed> {
    if dialect.cursor_field().is_some() {
        return vec![NUMBERS.holds("they have names, as `cursor_field` says")];
    }
    let is_cursor = |key: &str, value: &Value| {
        let is_named = CURSORS.iter().any(|(name, _)| *name == key);
        is_named && value.as_str().is_some_and(|name| !name.is_empty() && !name.contains("://"))
    };
    let Some(path) = find(page, is_cursor) else { return Vec::new() };
    let word = path.rsplit('.').next().unwrap_or_default();
    let param = CURSORS.iter().find(|(name, _)| *name == word).map_or("cursor", |(_, it)| *it);
    vec![
        NUMBERS.otherwise(format!("cursor_field={path}"), format!("`{path}` names the next page")),
        NUMBERS.otherwise(format!("cursor_param={param}"), format!("usual beside `{word}`")),
    ]
}

/// Tells whether pages are counted from 0, from the pages of both numbers.
fn pages_form(
    dialect: &Dialect,
    first: &Result<Value, Error>,
    zeroth: &Result<Value, Error>,
) -> Option<Surveyed> {
    let ids = |page| -> Option<BTreeSet<RemoteId>> {
        items(dialect, page)?.iter().map(|item| wire::id_of(item.as_object()?, &["id"])).collect()
    };
    let (first, zeroth) = (ids(first)?, ids(zeroth).unwrap_or_default());
    let is_from_zero = !zeroth.is_empty() && first.is_disjoint(&zeroth);
    Some(match (is_from_zero, dialect.page_first) {
        (true, 0) => FROM_ONE.holds("from 0, as `page_first=0` says"),
        (true, _) => FROM_ONE.otherwise("page_first=0", "page 0 holds what page 1 does not"),
        (false, _) => FROM_ONE.holds("page 0 holds nothing of its own"),
    })
}

/// Whether a page holds less than its total says, and pages have numbers.
fn is_part(dialect: &Dialect, page: &Result<Value, Error>, count: usize) -> bool {
    let Ok(Value::Object(page)) = page else { return false };
    let has_numbers = dialect.cursor_field().is_none() && dialect.page_param().is_some();
    has_numbers && total_in(dialect, page).is_some_and(|total| total > count as u64)
}

fn items<'p>(dialect: &Dialect, page: &'p Result<Value, Error>) -> Option<&'p Vec<Value>> {
    match page.as_ref().ok()? {
        Value::Array(items) => Some(items),
        Value::Object(page) => items_in(dialect, page),
        _ => None,
    }
}

/// Returns the items of a list, where whoever reads it looks for them.
fn items_in<'p>(dialect: &Dialect, page: &'p Map<String, Value>) -> Option<&'p Vec<Value>> {
    let place = match dialect.envelope().map(|path| wire::lookup(page, path)) {
        Some(Some(Value::Array(items))) => return Some(items),
        Some(Some(Value::Object(inner))) => inner,
        Some(_) => return None,
        None => page,
    };
    wire::lookup(place, dialect.list_key("services"))?.as_array()
}

/// Returns the total of a list, from the page or from the envelope in it.
fn total_in(dialect: &Dialect, page: &Map<String, Value>) -> Option<u64> {
    let inner = dialect.envelope().and_then(|path| wire::lookup(page, path)?.as_object());
    let mut places = std::iter::once(page).chain(inner);
    places.find_map(|place| wire::whole_number(wire::lookup(place, &dialect.total_field)?))
}

/// Returns the path of the first field that is meant, at the top or one below it.
fn find(page: &Map<String, Value>, is_meant: impl Fn(&str, &Value) -> bool) -> Option<String> {
    if let Some((key, _)) = page.iter().find(|(key, value)| is_meant(key, value)) {
        return Some(key.clone());
    }
    page.iter().find_map(|(outer, value)| {
        let mut inner = value.as_object()?.iter();
        let (key, _) = inner.find(|(key, value)| is_meant(key, value))?;
        Some(format!("{outer}.{key}"))
    })
}

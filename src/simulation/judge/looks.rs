//! The wire: how old what a write rests on is when it leaves (S2, S10).
//!
//! It knows requests and their times, and nothing of what the program says of itself. A judge that
//! asks only whether there was a look could not tell one of a moment ago from one of a minute ago.

use std::collections::BTreeMap;

use super::super::law::Law;
use super::super::timeline::Request;
use super::super::witness::ProcessLife;
use super::Bench;
use super::pass::is_usable;

/// The longest between the answer to a look and the write that rests on it.
const LOOK_AGE_MS_MAX: u64 = 2_000;

/// The longest between the end of a list and a create that rests on it.
const LIST_AGE_MS_MAX: u64 = 10_000;

/// How long an answer may be on its way: the record knows when a request came.
const ANSWER_MS_MAX: u64 = super::super::wire::LATENCY_MS_MAX;

/// What each run asked last.
#[derive(Default)]
pub(super) struct Wire<'w> {
    /// Of each object: when, and whether its answer showed what it is.
    objects: BTreeMap<(ProcessLife, &'w str), (u64, bool)>,
    /// Of each list, when a page was asked for.
    lists: BTreeMap<(ProcessLife, &'w str), u64>,
}

impl<'w> Wire<'w> {
    fn hear(&mut self, request: &Request<'w>) {
        let Request { at, run, asked, .. } = request;
        let path = object_of(&asked.path);
        if asked.method == "GET" && is_collection(path) {
            self.lists.insert((*run, path), *at);
        } else if asked.method != "GET" || path == asked.path {
            self.objects.insert((*run, path), (*at, is_usable(asked)));
        }
    }
}

impl<'w> Bench<'w> {
    /// Each write leaves right after what it rests on.
    pub(super) fn judge_age(&mut self, request: &Request<'w>) {
        let Request { at, run, asked, .. } = request;
        let path = object_of(&asked.path);
        if asked.method == "POST" && is_collection(path) {
            let read = self.wire.lists.get(&(*run, path)).copied();
            let age = read.map(|read| at.saturating_sub(read));
            let is_young = age.is_some_and(|age| age <= LIST_AGE_MS_MAX + ANSWER_MS_MAX);
            self.findings.check(Law::S2, is_young, || {
                format!("POST {path} left {age:?} ms after a list of it was asked for")
            });
        } else if asked.method != "GET" {
            let seen = self.wire.objects.get(&(*run, path)).copied();
            let age = seen.filter(|(_, is_usable)| *is_usable);
            let age = age.map(|(seen, _)| at.saturating_sub(seen));
            let is_young = age.is_some_and(|age| age <= LOOK_AGE_MS_MAX + ANSWER_MS_MAX);
            self.findings.check(Law::S10, is_young, || {
                let (method, path) = (&asked.method, &asked.path);
                format!("{method} {path} left {age:?} ms after the last look at it was asked for")
            });
        }
        self.wire.hear(request);
    }
}

fn is_collection(path: &str) -> bool {
    path.matches('/').count() == 1
}

/// Returns the path of the object that a path is about: of `/services/svc_1/deploy`, the service's.
fn object_of(path: &str) -> &str {
    path.match_indices('/').nth(2).map_or(path, |(end, _)| &path[..end])
}

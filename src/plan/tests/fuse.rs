//! The fuse over an hour: what went lately counts, and only a new order begins anew (S7).

use std::sync::Arc;

use jiff::SignedDuration;

use super::scene::parse;
use crate::model::{Kind, RemoteId, SentDelete, Snapshot};
use crate::plan::{Blocked, BlockedReason, Policy, plan};

/// A scene of owned services: so many are kept, so many declared no more.
fn services(flags: &str, kept: usize, removed: usize) -> (Snapshot, Policy) {
    let mut scene = format!("run {flags}");
    for n in 0..kept {
        scene += &format!("\nwant service/k{n}\nlive service/k{n}#k{n}\nours service/k{n}#k{n}");
    }
    for n in 0..removed {
        scene += &format!("\nlive service/x{n}#x{n}\nours service/x{n}#x{n}");
    }
    parse(&scene)
}

/// Notes that a service was deleted so many seconds ago, for a commit or for none.
fn sent(snapshot: &mut Snapshot, id: &str, seconds: i64, commit: Option<&str>) {
    let at = snapshot.now - SignedDuration::from_secs(seconds);
    let id = RemoteId::new(id).unwrap();
    let sent = SentDelete { kind: Kind::Service, id, at, commit: commit.map(str::to_owned) };
    Arc::make_mut(&mut snapshot.inventory).deletes.push(sent);
}

fn ask(snapshot: &mut Snapshot, commit: Option<&str>) {
    Arc::make_mut(&mut snapshot.desired).revision = commit.map(str::to_owned);
}

fn deletes(snapshot: &Snapshot, policy: &Policy) -> usize {
    plan(snapshot, policy).summary().destroy
}

fn first_blocked(snapshot: &Snapshot, policy: &Policy) -> Blocked {
    plan(snapshot, policy).changes.iter().find_map(|change| change.blocked.clone()).unwrap()
}

#[test]
fn files_that_vanish_one_by_one_are_counted_together() {
    let (mut snapshot, policy) = services("prune", 12, 1);
    for (gone, goes) in [(0, 1), (1, 1), (2, 1), (3, 0)] {
        assert_eq!(deletes(&snapshot, &policy), goes, "{gone}");
        sent(&mut snapshot, &format!("gone{gone}"), 3_599 - gone, None);
    }
    let Blocked { reason, message, hint } = first_blocked(&snapshot, &policy);
    assert_eq!(reason, BlockedReason::Fuse);
    assert!(message.starts_with("1 deletes after 4 within the hour"), "{message}");
    // The flag that is named lifts it, for one run and as the setting of an agent.
    let hint = hint.unwrap();
    let most = hint.split(['`', ' ']).find_map(|word| word.parse().ok());
    let mut lifted = policy.clone();
    lifted.permissions.deletes_max = most;
    assert_eq!(deletes(&snapshot, &lifted), 1, "{hint}");
    let mut tight = policy;
    tight.permissions.deletes_max = most.map(|most| most - 1);
    assert_eq!(deletes(&snapshot, &tight), 0, "{hint}");
}

#[test]
fn an_hour_later_they_count_no_more_and_what_a_clock_set_ahead_wrote_still_does() {
    for (age, goes) in [(3_600, 1), (3_599, 0), (0, 0), (-86_400, 0)] {
        let (mut snapshot, policy) = services("prune", 12, 1);
        for n in 0..3 {
            sent(&mut snapshot, &format!("gone{n}"), age, None);
        }
        assert_eq!(deletes(&snapshot, &policy), goes, "{age}");
    }
}

#[test]
fn the_share_is_of_what_was_owned_before_anything_went() {
    // Of 13, three are 30 %; of the ten that are left, three more would be.
    let (mut snapshot, policy) = services("prune", 9, 1);
    for n in 0..3 {
        sent(&mut snapshot, &format!("gone{n}"), 60, None);
    }
    assert_eq!(deletes(&snapshot, &policy), 0);
    // Of seven, two are; the one that went is one of seven.
    let (mut snapshot, policy) = services("prune", 5, 1);
    sent(&mut snapshot, "gone", 60, None);
    assert_eq!(deletes(&snapshot, &policy), 1);
    sent(&mut snapshot, "gone2", 60, None);
    assert_eq!(deletes(&snapshot, &policy), 0);
}

#[test]
fn a_delete_that_is_sent_again_is_one() {
    let (mut snapshot, policy) = services("prune", 12, 3);
    for n in 0..3 {
        sent(&mut snapshot, &format!("x{n}"), 60, None);
    }
    assert_eq!(deletes(&snapshot, &policy), 3);
}

#[test]
fn a_new_commit_is_an_order_and_the_same_one_again_is_none() {
    let (mut snapshot, policy) = services("prune", 12, 1);
    for n in 0..3 {
        sent(&mut snapshot, &format!("gone{n}"), 60, Some("aaa"));
    }
    for (commit, goes) in [(Some("aaa"), 0), (Some("bbb"), 1), (None, 0)] {
        ask(&mut snapshot, commit);
        assert_eq!(deletes(&snapshot, &policy), goes, "{commit:?}");
    }
    // Gone back to: it had its deletes.
    sent(&mut snapshot, "gone3", 30, Some("bbb"));
    ask(&mut snapshot, Some("aaa"));
    assert_eq!(deletes(&snapshot, &policy), 0);
}

#[test]
fn a_person_begins_anew_within_the_same_bounds() {
    let (mut snapshot, mut policy) = services("prune", 12, 1);
    for n in 0..3 {
        sent(&mut snapshot, &format!("gone{n}"), 60, None);
    }
    policy.request.is_ordered = true;
    assert_eq!(deletes(&snapshot, &policy), 1);
    let (snapshot, _) = services("prune", 12, 4);
    assert_eq!(deletes(&snapshot, &policy), 0);
}

#[test]
fn the_number_of_a_setting_is_for_the_hour() {
    let (mut snapshot, policy) = services("prune max-deletes=5", 12, 2);
    for n in 0..3 {
        sent(&mut snapshot, &format!("gone{n}"), 60, None);
    }
    assert_eq!(deletes(&snapshot, &policy), 2);
    sent(&mut snapshot, "gone3", 60, None);
    assert_eq!(deletes(&snapshot, &policy), 0);
}

#[test]
fn what_vanishes_is_kept_and_what_a_tombstone_names_is_not() {
    let (mut snapshot, mut policy) = services("prune", 12, 1);
    let (message, reason) = ("the source is shrinking".to_owned(), BlockedReason::SourceShrinking);
    let hold = Blocked { reason, message, hint: None };
    policy.learned.absence.insert(Kind::Database, hold.clone());
    assert_eq!(deletes(&snapshot, &policy), 1);
    policy.learned.absence.insert(Kind::Service, hold);
    assert_eq!(first_blocked(&snapshot, &policy).reason, BlockedReason::SourceShrinking);
    let (buried, _) = parse("tomb service/x0");
    let tombstones = buried.desired.tombstones.clone();
    Arc::make_mut(&mut snapshot.desired).tombstones = tombstones;
    assert_eq!(deletes(&snapshot, &policy), 1);
}

#[test]
fn what_may_stand_where_nobody_read_is_not_absent() {
    let (mut snapshot, policy) = services("prune", 12, 1);
    Arc::make_mut(&mut snapshot.desired).unread = vec!["deploy/vendor".to_owned()];
    let Blocked { reason, message, .. } = first_blocked(&snapshot, &policy);
    assert_eq!(reason, BlockedReason::SourceIncomplete);
    assert!(message.contains("deploy/vendor was not read: it is a submodule"), "{message}");
    let (buried, _) = parse("tomb service/x0");
    Arc::make_mut(&mut snapshot.desired).tombstones = buried.desired.tombstones.clone();
    assert_eq!(deletes(&snapshot, &policy), 1);
}

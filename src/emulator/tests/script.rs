//! Faults as text: what is read, what is played, what is refused.

use crate::emulator::grammar::TABLE;
use crate::emulator::{Fault, Faults};

/// Sends requests and writes, for each, the fault that is played or `-`.
fn check(faults: &str, requests: &[&str], expected: &str) {
    let mut faults = Faults::parse(faults).unwrap();
    let mut played = Vec::new();
    for request in requests {
        let (method, path) = request.split_once(' ').unwrap();
        let fault = faults.choose(method, path);
        played.push(fault.map_or("-".into(), |fault| fault.to_string()));
    }
    assert_eq!(played.join(" "), expected);
}

#[test]
fn a_rule_hits_its_method_path_and_occurrence_only() {
    check(
        "lose-answer@POST /services#2; cut:17@GET /services/*; drip@* /databases/**#2-3",
        &[
            "POST /services",
            "POST /services",
            "POST /services",
            "GET /services",
            "GET /services/a",
            "GET /services/a/logs",
            "GET /databases",
            "GET /databases/a",
            "DELETE /databases/a",
            "GET /databases",
        ],
        "- lose-answer - - cut:17 - - drip drip -",
    );
}

#[test]
fn an_open_range_never_ends() {
    check("fail:503@GET **#2+", &["GET /a", "GET /b", "GET /c"], "- fail:503 fail:503");
}

#[test]
fn the_first_rule_that_matches_decides() {
    check("html@GET /a#2; empty@GET /a", &["GET /a", "GET /a"], "empty html");
}

#[test]
fn every_fault_is_written_as_it_is_read() {
    let others = "hang drip rename-key shift-vanish total:negative malice strange deploy-fails \
        redirect:https://a@b/c:d skew:-7 429:30 429:-5|30";
    for text in TABLE.split_whitespace().chain(others.split_whitespace()) {
        assert_eq!(Fault::parse(text).unwrap().to_string(), text);
    }
}

#[test]
fn chance_plays_as_often_as_it_says_and_the_same_for_a_seed() {
    let play = |text: &str| {
        let mut faults = Faults::parse(text).unwrap();
        let played = (0..10_000).map(|_| faults.choose("GET", "/a"));
        played.collect::<Vec<_>>()
    };
    let played = play("seed=7,rate=0.05");
    let hits = played.iter().flatten().count();
    // Five standard deviations of 10,000 throws at 0.05 are 109.
    assert!((391..=609).contains(&hits), "{hits}");
    assert_eq!(played, play("seed=7,rate=0.05"));
    assert_ne!(played, play("seed=8,rate=0.05"));
    assert!(play("seed=7,refuse=0.5,hang=0.5").iter().all(Option::is_some));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (text, expected) in [
        ("loose@GET /a", "unknown fault `loose`; the faults are refuse, "),
        ("drip", "expected `fault@METHOD /path` or `seed=N,rate=R`"),
        ("drip@GET", "expected a method and a path after `@`"),
        ("drip@PUT /a", "`PUT` is not GET, POST, PATCH, DELETE or *"),
        ("drip@GET a", "the path must begin with `/`"),
        ("drip@GET /a#0", "`0` is not N, N-M or N+"),
        ("drip@GET /a#3-2", "`3-2` is not N, N-M or N+"),
        ("drip:1@GET /a", "`drip` takes no argument"),
        ("cut@GET /a", "`cut` needs a whole number, as in `cut:17`"),
        ("fail:200@GET /a", "`fail` needs a status from 400 to 599, not 200"),
        ("total@GET /a", "`total` is `total:missing`, `total:wrong` or `total:negative`"),
        ("redirect@GET /a", "`redirect` needs an address"),
        ("seed=x", "the seed must be a whole number"),
        ("seed=1", "expected `rate=R` or `fault=R` after the seed"),
        ("seed=1,rate=2", "`2` is not between 0 and 1"),
        ("seed=1,hang=0.6,drip=0.6", "the rates add up to more than 1"),
        ("seed=1,hang", "expected `rate=R` or `fault=R`, found `hang`"),
        ("seed=1,rate=1;seed=2,rate=1", "there can be one seed only"),
    ] {
        let part = text.rsplit(';').next().unwrap();
        let reason = Faults::parse(text).unwrap_err();
        assert!(reason.starts_with(&format!("`{part}`: {expected}")), "{reason}");
    }
}

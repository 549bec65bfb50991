//! What a value is read as, and what is refused with which words.

use super::*;

#[test]
fn durations_are_read_as_people_write_them_and_nothing_else_is() {
    for (text, seconds) in [("90s", 90), ("5m", 300), ("2h30m", 9000), ("0s", 0)] {
        assert_eq!(text.parse::<Span>().unwrap().0.as_secs(), seconds, "{text}");
    }
    for text in ["300ms", "1s500ms", "2h30m", "1d1h", "0s"] {
        assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
    }
    for text in ["", "5", "m", "5 m", "-5m", "1.5h", "99999999999999999999s", "999999h"] {
        assert!(text.parse::<Span>().is_err(), "{text}");
    }
}

#[test]
fn what_can_be_off_says_so_or_has_a_value() {
    let check = |text: &str| serde_json::from_str::<OrOff<Span>>(text);
    assert_eq!(check("\"off\"").unwrap(), OrOff::Off);
    assert_eq!(check("false").unwrap(), OrOff::Off);
    assert_eq!(check("\"5s\"").unwrap().to_string(), "5s");
    assert!(check("true").unwrap_err().to_string().contains("or write off"));
    assert!(check("\"5\"").unwrap_err().to_string().contains("or write off"));
}

#[test]
fn a_rate_is_at_most_what_the_api_takes() {
    assert_eq!("285/m".parse::<Rate>().unwrap().0, 285);
    assert_eq!("300".parse::<Rate>().unwrap().0, 300);
    for text in ["301/m", "-1/m", "285/s", ""] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
}

#[test]
fn prune_names_kinds_or_all_of_them() {
    assert_eq!("true".parse::<PruneKinds>().unwrap().0.len(), 3);
    let kinds = "services,database".parse::<PruneKinds>().unwrap().0;
    assert_eq!(kinds, BTreeSet::from([Kind::Service, Kind::Database]));
    assert!("service,pods".parse::<PruneKinds>().is_err());
}

#[test]
fn a_condition_is_named_with_or_without_the_truth_that_is_waited_for() {
    let check = |text: &str| text.parse::<WaitGoal>().map(|awaited| awaited.to_string());
    assert_eq!(check("condition=Ready").unwrap(), "ready");
    assert_eq!(check("condition=stalled=false").unwrap(), "Stalled=False");
    assert_eq!(check("delete").unwrap(), "gone");
    for wrong in ["", "Ready", "condition=", "condition=Good", "condition=Ready=maybe"] {
        assert!(check(wrong).is_err(), "{wrong}");
    }
}

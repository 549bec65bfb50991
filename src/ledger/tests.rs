//! Two handles on one directory stand for two processes.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

const START: Millis = Millis(1_790_000_000_000);
const HOST: &str = "api.stackblaze.cloud";

/// Smaller than in use, so that the tests are quick.
const RATE: u32 = 40;
const CONFIG: BudgetConfig = BudgetConfig { limit: 300, rate: RATE, reserve: 10, seed: 0 };

fn open(directory: &Path, now: Millis) -> Ledger {
    Ledger::open(directory, HOST, &TokenDigest::of("sb_live_1"), CONFIG, now, None).unwrap()
}

/// Opens it on a machine that has run that long, whatever its clock shows.
fn open_after(directory: &Path, now: Millis, run: u64) -> Ledger {
    let uptime = Uptime { boot: "one".to_owned(), elapsed: Duration::from_secs(run) };
    let token = TokenDigest::of("sb_live_1");
    Ledger::open(directory, HOST, &token, CONFIG, now, Some(&uptime)).unwrap()
}

fn seconds(seconds: u64) -> Millis {
    START.plus(Duration::from_secs(seconds))
}

/// Sends until it must wait, and answers at once and without headers.
fn send_all(ledger: &Ledger, now: Millis) -> u32 {
    let mut sent = 0;
    while let Verdict::Go(permit) = ledger.take(now, Lane::Converge).unwrap() {
        sent += 1;
        ledger.learn(now, permit, &Limits { status: 200, ..Limits::default() });
    }
    sent
}

fn the_file(directory: &Path) -> std::path::PathBuf {
    let mut files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "json")).unwrap()
}

#[test]
fn a_ledger_is_shared_between_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Ledger>();
}

#[test]
fn two_processes_on_one_directory_spend_one_budget() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (open(directory.path(), START), open(directory.path(), START));
    let mut sent = [0_u32; 2];
    for round in 0..400 {
        let place = round % 2;
        let ledger = [&first, &second][place];
        if let Verdict::Go(permit) = ledger.take(START, Lane::Converge).unwrap() {
            sent[place] += 1;
            ledger.learn(START, permit, &Limits { status: 200, ..Limits::default() });
        }
    }
    assert_eq!(sent[0] + sent[1], RATE);
    assert!(sent[0].abs_diff(sent[1]) <= 1, "{sent:?}");
    assert_eq!(send_all(&second, seconds(60)), 0);
    assert_eq!(send_all(&second, seconds(61)), RATE);
}

#[test]
fn threads_with_handles_of_their_own_spend_one_budget() {
    let directory = tempfile::tempdir().unwrap();
    let ledgers: Vec<Ledger> = (0..3).map(|_| open(directory.path(), START)).collect();
    let sent: u32 = std::thread::scope(|scope| {
        let run = |ledger| {
            scope.spawn(move || {
                let mut sent = 0;
                loop {
                    match Ledger::take(ledger, START, Lane::Converge).unwrap() {
                        Verdict::Go(permit) => {
                            sent += 1;
                            let limits = Limits { status: 200, ..Limits::default() };
                            ledger.learn(START, permit, &limits);
                        }
                        Verdict::Wait { until: _, why: Why::Rate } => return sent,
                        Verdict::Wait { .. } => std::thread::yield_now(),
                    }
                }
            })
        };
        let threads: Vec<_> = ledgers.iter().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(sent, RATE);
}

#[test]
fn a_crash_over_counts_and_never_under_counts() {
    let directory = tempfile::tempdir().unwrap();
    let mut sent = 0;
    for _ in 0..3 {
        let ledger = open(directory.path(), START);
        for _ in 0..10 {
            if let Verdict::Go(permit) = ledger.take(START, Lane::Urgent).unwrap() {
                sent += 1;
                // The answer comes after the process has died.
                drop(permit);
            }
        }
    }
    assert_eq!(open(directory.path(), START).view(START).unwrap().used, sent);
}

#[test]
fn a_file_that_cannot_be_understood_stands_for_a_full_window() {
    let whole = {
        let directory = tempfile::tempdir().unwrap();
        send_all(&open(directory.path(), START), START);
        std::fs::read(the_file(directory.path())).unwrap()
    };
    let mut flipped = whole.clone();
    let digit = flipped.iter().rposition(|byte| *byte == b'9').unwrap();
    flipped[digit] = b'8';
    for torn in [b"".to_vec(), whole[..whole.len() / 2].to_vec(), b"{}".to_vec(), flipped] {
        let directory = tempfile::tempdir().unwrap();
        drop(open(directory.path(), START));
        std::fs::write(the_file(directory.path()), torn).unwrap();
        let ledger = open(directory.path(), START);
        assert_eq!(send_all(&ledger, seconds(60)), 0);
        assert_eq!(send_all(&ledger, seconds(61)), RATE);
    }
}

#[test]
fn a_file_that_is_taken_away_under_us_stands_for_a_full_window() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path(), START);
    assert_eq!(send_all(&ledger, START), RATE);
    std::fs::remove_file(the_file(directory.path())).unwrap();
    assert_eq!(send_all(&ledger, seconds(30)), 0);
    assert_eq!(send_all(&ledger, seconds(91)), RATE);
}

#[test]
fn a_process_that_holds_the_lock_makes_others_wait_and_not_hang() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path(), START);
    let Verdict::Go(permit) = ledger.take(START, Lane::Converge).unwrap() else { panic!() };
    let holder = LedgerFile::new(directory.path(), HOST, &TokenDigest::of("sb_live_1")).unwrap();
    let held = holder.lock().unwrap().unwrap();
    let verdict = ledger.take(START, Lane::Converge).unwrap();
    assert!(matches!(verdict, Verdict::Wait { until: _, why: Why::Busy }), "{verdict:?}");
    let refusal = Limits { status: 429, ..Limits::default() };
    ledger.learn(START, permit, &refusal);
    drop(held);
    // The answer that came meanwhile is not forgotten.
    let verdict = ledger.take(START, Lane::Converge).unwrap();
    assert!(matches!(verdict, Verdict::Wait { until: _, why: Why::Frozen }), "{verdict:?}");
}

#[test]
fn a_clock_that_is_set_back_neither_hangs_nor_breaks_the_rate() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path(), seconds(86_400));
    assert_eq!(send_all(&ledger, seconds(86_400)), RATE);
    assert_eq!(send_all(&ledger, START), 0);
    let Verdict::Wait { until, why: _ } = ledger.take(START, Lane::Converge).unwrap() else {
        panic!()
    };
    assert!(until <= seconds(61), "in our own time: {until:?}");
    assert_eq!(send_all(&ledger, seconds(61)), RATE);
}

#[test]
fn a_clock_that_is_set_between_two_starts_neither_breaks_the_rate_nor_hangs() {
    for set_to in [0, 1_000_000, 86_400 * 365] {
        let directory = tempfile::tempdir().unwrap();
        let first = open_after(directory.path(), seconds(1_000_000), 1_000);
        assert_eq!(send_all(&first, seconds(1_000_000)), RATE);
        // Ten seconds later, whatever the clock shows now.
        let second = open_after(directory.path(), seconds(set_to), 1_010);
        assert_eq!(send_all(&second, seconds(set_to)), 0, "{set_to}");
        assert_eq!(send_all(&second, seconds(set_to + 52)), RATE, "{set_to}");
        assert_eq!(send_all(&first, seconds(1_000_062)), 0, "{set_to}");
        // The machine was started anew: its clock is all that is left.
        let uptime = Uptime { boot: "two".to_owned(), elapsed: Duration::from_secs(5) };
        let token = TokenDigest::of("sb_live_1");
        let now = seconds(1_000_200);
        let third =
            Ledger::open(directory.path(), HOST, &token, CONFIG, now, Some(&uptime)).unwrap();
        assert_eq!(send_all(&third, now), RATE, "{set_to}");
    }
}

#[test]
fn a_process_whose_clock_is_behind_the_file_begins_with_a_full_window() {
    let directory = tempfile::tempdir().unwrap();
    let ahead = open(directory.path(), seconds(86_400));
    send_all(&ahead, seconds(86_400));
    let second = open(directory.path(), START);
    assert_eq!(send_all(&second, START), 0);
    assert_eq!(send_all(&ahead, seconds(86_401)), 0);
    assert_eq!(send_all(&second, seconds(61)), RATE);
    assert_eq!(send_all(&ahead, seconds(86_462)), 0);
}

#[test]
fn a_header_that_tells_the_time_of_day_is_read_on_our_clock_and_not_on_the_ledgers() {
    let directory = tempfile::tempdir().unwrap();
    // The ledger's time is five minutes ahead of this process' clock.
    drop(open(directory.path(), seconds(300)));
    let ledger = open(directory.path(), START);
    let Verdict::Go(permit) = ledger.take(START, Lane::Urgent).unwrap() else { panic!() };
    let in_twenty_seconds = (START.0 / 1_000 + 20).to_string();
    let retry_after = Some(in_twenty_seconds);
    ledger.learn(START, permit, &Limits { status: 429, retry_after, ..Limits::default() });
    let frozen_until = ledger.view(START).unwrap().frozen_until.unwrap();
    assert!(frozen_until >= seconds(20) && frozen_until <= seconds(22), "{frozen_until:?}");
}

#[test]
fn another_token_and_another_host_have_budgets_of_their_own() {
    let directory = tempfile::tempdir().unwrap();
    send_all(&open(directory.path(), START), START);
    for (host, token) in [(HOST, "sb_live_2"), ("localhost", "sb_live_1")] {
        let token = TokenDigest::of(token);
        let other = Ledger::open(directory.path(), host, &token, CONFIG, START, None).unwrap();
        assert_eq!(send_all(&other, START), RATE);
    }
}

#[test]
fn the_files_are_readable_by_their_owner_only_and_do_not_hold_the_token() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    send_all(&open(directory.path(), START), START);
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains("sb_live"), "{text}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn what_cannot_be_written_down_is_not_sent() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(directory.path(), START);
    std::fs::remove_dir_all(directory.path()).unwrap();
    assert!(ledger.take(START, Lane::Urgent).is_err());
}

#[test]
fn an_orderly_end_is_not_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    for _ in 0..20 {
        let ledger = open(directory.path(), START);
        let verdict = ledger.take(START, Lane::Urgent).unwrap();
        assert!(matches!(verdict, Verdict::Go(_)), "{verdict:?}");
        ledger.close(START);
    }
    let ledger = open(directory.path(), START);
    let verdict = ledger.take(START, Lane::Background).unwrap();
    assert!(!matches!(verdict, Verdict::Wait { until: _, why: Why::Starting }), "{verdict:?}");
}

#[test]
fn what_stands_in_front_of_the_api_is_known_to_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let go = |ledger: &Ledger, now| match ledger.take(now, Lane::Urgent).unwrap() {
        Verdict::Go(permit) => permit,
        verdict => panic!("{verdict:?}"),
    };
    let plenty = |status| Limits { status, remaining: Some("250".into()), ..Limits::default() };
    for status in [429, 503] {
        let first = open(directory.path(), START);
        first.learn(START, go(&first, START), &plenty(200));
        let (passed, refused) = (go(&first, START), go(&first, START));
        first.learn(START, passed, &plenty(200));
        first.learn(START, refused, &Limits { status, ..Limits::default() });
        first.close(START);
        let second = open(directory.path(), seconds(3));
        second.learn(seconds(3), go(&second, seconds(3)), &plenty(200));
        let verdict = second.take(seconds(3), Lane::Urgent).unwrap();
        let until = seconds(3).plus(Duration::from_millis(250));
        assert_eq!(verdict, Verdict::Wait { until, why: Why::Spread }, "{status}");
        std::fs::remove_file(the_file(directory.path())).unwrap();
    }
}

#[test]
fn a_ledger_in_memory_obeys_the_same_budget() {
    let ledger = Ledger::in_memory(CONFIG, START);
    assert_eq!(send_all(&ledger, START), RATE);
    assert_eq!(ledger.view(START).unwrap().used, RATE);
    assert_eq!(ledger.forecast(1, START).unwrap(), Duration::from_millis(60_500));
    assert_eq!(send_all(&ledger, seconds(61)), RATE);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn two_processes_that_crash_at_random_never_exceed_the_rate(
        acts in prop::collection::vec((0..2_usize, 0..12_u8, 0..3_000_u64), 1..160),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut ledgers = [open(directory.path(), START), open(directory.path(), START)];
        let mut now = START;
        let mut sent: Vec<Millis> = Vec::new();
        for (place, act, pause) in acts {
            match act {
                0 => ledgers[place] = open(directory.path(), now),
                1..4 => now = now.plus(Duration::from_millis(pause)),
                _ => if let Verdict::Go(permit) = ledgers[place].take(now, Lane::Urgent).unwrap() {
                    sent.push(now);
                    if act % 2 == 0 {
                        ledgers[place].learn(now, permit, &Limits { status: 200, ..Limits::default() });
                    }
                }
            }
        }
        for first in &sent {
            let minute = sent.iter().filter(|instant| {
                *instant >= first && instant.since(*first) < Duration::from_secs(60)
            });
            prop_assert!(minute.count() <= RATE as usize);
        }
    }
}

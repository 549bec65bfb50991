//! What a test counted: told to whoever asks with `--nocapture`, and never less than it should be.

/// Prints what was counted, and fails when it is less than this: a test that finds nothing to do
/// has tested nothing.
#[expect(clippy::print_stdout, reason = "a measurement, for whoever runs it with --nocapture")]
pub fn at_least(least: usize, count: usize, what: &str) {
    println!("{what}: {count}");
    assert!(count >= least, "{what}: {count}, and never fewer than {least} before");
}

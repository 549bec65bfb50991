//! What the platform makes of a value by itself is the value that was declared.

use super::scene::{check, explain};

#[test]
fn a_version_with_its_minor_number_and_storage_that_grew_are_no_difference() {
    let scene = |declared: &str, live: &str, ours: &str| {
        format!(
            "want database/main {declared}\nlive database/main#d1 {live}\nours database/main#d1 {ours}"
        )
    };
    check(&scene("version=16", "version=16.4", "version=16"), "");
    // An export of before the upgrade.
    check(&scene("version=16.3", "version=16.4", "named"), "");
    check(&scene("storageGB=10", "storageGB=20", "storageGB=10"), "");
    check(&scene("storageGB=10", "storageGB=20", "named"), "");
    check(
        "want service/api disk.sizeGB=10
         live service/api#s1 disk.sizeGB=20
         ours service/api#s1 disk.sizeGB=10",
        "",
    );
}

#[test]
fn another_version_and_less_storage_are_not_what_was_declared_and_the_hint_says_what_lives() {
    let upgraded = "want database/main version=16 storageGB=10
         live database/main#d1 version=17.1 storageGB=10
         ours database/main#d1 version=16";
    check(upgraded, "update database/main (drift) BLOCKED immutable");
    let said = explain(upgraded);
    assert!(said.contains("| `version: \"17.1\"` declares the live value; or declare a"), "{said}");
    // Who declares less than was written asks for less.
    let smaller = "want database/main storageGB=5
         live database/main#d1 storageGB=10
         ours database/main#d1 storageGB=10";
    check(smaller, "update database/main BLOCKED immutable");
    assert!(explain(smaller).contains("| `storageGB: 10` declares the live value; or"));
    let disk = "want service/api disk.sizeGB=5
         live service/api#s1 disk.sizeGB=10
         ours service/api#s1 disk.sizeGB=10";
    assert!(explain(disk).contains("| `disk.sizeGB: 10` declares the live value; or `--replace"));
}

//! What goes and comes under another name.

use super::super::plan;
use super::scene::parse;

/// Whoever changes a name in a manifest asks for an empty database beside the old one.
#[test]
fn a_delete_and_a_create_that_are_alike_are_told_with_the_line_that_makes_a_rename_of_them() {
    let likely = |scene: &str| {
        let (snapshot, policy) = parse(scene);
        let plan = plan(&snapshot, &policy);
        let lines =
            plan.likely_renames.iter().map(|it| format!("{} {}: {}", it.from, it.to, it.line()));
        lines.collect::<Vec<_>>().join("; ")
    };
    let fields = "type=postgres plan=standard storageGB=10";
    let scene = |wish: &str| {
        format!(
            "want database/orders {wish}\nlive database/main#d1 {fields}\nours database/main#d1 {fields}"
        )
    };
    let told = "database/main database/orders: previousNames: [main]";
    assert_eq!(likely(&scene(fields)), told);
    assert_eq!(likely(&format!("run prune\n{}", scene(fields))), told);
    assert_eq!(likely(&scene("type=postgres plan=pro storageGB=10")), told);
    for other in [
        "type=valkey plan=standard storageGB=10",
        "type=postgres plan=pro storageGB=20",
        &format!("was=main {fields}"),
    ] {
        assert_eq!(likely(&scene(other)), "", "{other}");
    }
    // Each is one of a pair at most.
    let two = format!("{}\nwant database/second {fields}", scene(fields));
    assert_eq!(likely(&two), told);
}

/// Whoever renames a whole project at once is told of each, and not after minutes.
#[test]
fn thousands_are_paired_each_with_its_own() {
    let mut scene = String::from("run max-deletes=9999 prune\n");
    for n in 0..3_000 {
        let fields = format!("type=web plan=standard repo=r{n} branch=main");
        scene += &format!("want service/new{n} {fields}\nlive service/old{n}#s{n} {fields}\n");
        scene += &format!("ours service/old{n}#s{n} {fields}\n");
    }
    let (snapshot, policy) = parse(&scene);
    let likely = plan(&snapshot, &policy).likely_renames;
    assert_eq!(likely.len(), 3_000);
    let number = |name: &str| name.trim_start_matches(char::is_alphabetic).to_owned();
    let is_own = |from: &str, to: &str| number(from) == number(to);
    assert!(likely.iter().all(|it| is_own(it.from.name.as_str(), it.to.name.as_str())));
}

#[test]
fn the_most_alike_is_taken_and_of_two_the_first() {
    let (snapshot, policy) = parse(
        "want service/new type=web plan=a repo=r branch=main
         live service/far#s1 type=web plan=b repo=x branch=main
         live service/near#s2 type=web plan=a repo=x branch=main
         live service/too#s3 type=web plan=a repo=x branch=main
         ours service/far#s1 type=web plan=b repo=x branch=main
         ours service/near#s2 type=web plan=a repo=x branch=main
         ours service/too#s3 type=web plan=a repo=x branch=main",
    );
    let likely = plan(&snapshot, &policy).likely_renames;
    let from: Vec<&str> = likely.iter().map(|it| it.from.name.as_str()).collect();
    assert_eq!(from, ["near"]);
}

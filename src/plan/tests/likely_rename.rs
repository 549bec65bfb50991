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

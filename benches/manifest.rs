//! Reading manifests: `cargo bench --bench manifest`.

#[path = "support/workload.rs"]
mod workload;

use stoker::{manifest, source::Tree};
use workload::Workload;

fn main() {
    divan::main();
}

/// Text to desired state, with every check.
#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn load(bencher: divan::Bencher<'_, '_>, documents: usize) {
    let text = Workload::of(documents).text();
    let tree = Tree::from_texts([("all.yaml", text.as_str())]);
    bencher.bench_local(|| {
        let loaded = manifest::load(&tree);
        assert!(loaded.desired.is_some());
        loaded
    });
}

/// Desired state to canonical text.
#[divan::bench(args = [1_000, 10_000], sample_count = 20)]
fn print(bencher: divan::Bencher<'_, '_>, documents: usize) {
    let text = Workload::of(documents).text();
    let tree = Tree::from_texts([("all.yaml", text.as_str())]);
    let desired = manifest::load(&tree).desired.expect("the workload is valid");
    bencher.bench_local(|| manifest::print(&desired));
}

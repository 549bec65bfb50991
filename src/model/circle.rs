//! Where what leads to one other comes back to itself.

use std::collections::BTreeSet;

/// Returns the circles among what leads on to one other each: in every circle each leads to the one
/// behind it, and the last to the first. What leads into a circle is on none. Each is looked at once.
pub fn circles<K: Ord + Copy>(
    starts: impl IntoIterator<Item = K>,
    next: impl Fn(K) -> Option<K>,
) -> Vec<Vec<K>> {
    let mut circles = Vec::new();
    let mut seen = BTreeSet::new();
    for start in starts {
        let mut way = Vec::new();
        let mut here = Some(start);
        while let Some(key) = here.filter(|key| seen.insert(*key)) {
            way.push(key);
            here = next(key);
        }
        if let Some(begin) = here.and_then(|end| way.iter().position(|key| *key == end)) {
            circles.push(way.split_off(begin));
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_to_itself_is_found_and_what_only_leads_there_is_not() {
        // 1 → 2 → 3 → 1, 5 → 4 → 1, 6 → 6, 7 → 8.
        let next = |key: u8| [2, 3, 1, 1, 4, 6, 8].get(usize::from(key) - 1).copied();
        assert_eq!(circles(1..=8, next), [vec![1, 2, 3], vec![6]]);
        assert_eq!(circles([5, 4, 3], next), [[1, 2, 3]]);
    }
}

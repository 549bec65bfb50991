//! "Did you mean …?": the nearest known word, and the words other platforms use.

use std::collections::BTreeMap;

/// Longer words are no slips of the finger, and comparing them takes time.
const WORD_BYTES_MAX: usize = 64;

/// The most words that are compared one by one for all questions to one set of [`Names`].
const COMPARED_MAX: usize = 20_000;

fn plain(word: &str) -> String {
    word.to_lowercase().replace(['-', '_', ' '], "")
}

/// Many names that are asked for often. A slip of one letter is looked up; more distant names are
/// compared one by one only as long as that stays cheap, so ten thousand questions take no longer
/// than the reading.
#[derive(Debug, Default)]
pub(super) struct Names<'w> {
    names: Vec<&'w str>,
    /// Each name as it stands and with one letter left out.
    variants: BTreeMap<String, &'w str>,
    compared: usize,
}

impl<'w> Names<'w> {
    pub fn new(names: Vec<&'w str>) -> Self {
        let mut variants = BTreeMap::new();
        for name in &names {
            for variant in variants_of(name) {
                variants.entry(variant).or_insert(*name);
            }
        }
        Self { names, variants, compared: 0 }
    }

    /// Returns the nearest name, when it is near enough to be meant.
    pub fn nearest(&mut self, word: &str) -> Option<&'w str> {
        if word.len() > WORD_BYTES_MAX {
            return None;
        }
        let near = variants_of(word).into_iter().find_map(|variant| {
            let near = self.variants.get(&variant).copied()?;
            nearest(word, &[near])
        });
        if near.is_some() || self.compared + self.names.len() > COMPARED_MAX {
            return near;
        }
        self.compared += self.names.len();
        nearest(word, &self.names)
    }
}

/// Returns a word in plain letters, and with each of its letters left out.
fn variants_of(word: &str) -> Vec<String> {
    let letters: Vec<char> = plain(word).chars().take(WORD_BYTES_MAX).collect();
    let without = |left_out: usize| {
        let rest = letters.iter().enumerate().filter(|(index, _)| *index != left_out);
        rest.map(|(_, letter)| *letter).collect::<String>()
    };
    let mut variants = vec![letters.iter().collect()];
    variants.extend((0..letters.len()).map(without));
    variants
}

/// Returns the nearest of the known words, when it is near enough to be meant.
#[must_use]
pub fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let wanted = plain(word);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &plain(candidate));
    let (best, distance) = known
        .iter()
        .map(|candidate| (*candidate, distance(candidate)))
        .min_by_key(|(_, distance)| *distance)?;
    (best != word && distance <= (wanted.chars().count() / 3).max(1)).then_some(best)
}

/// What a field of a Blueprint or of another platform is called in a native document.
pub(super) fn foreign_field(key: &str) -> Option<&'static str> {
    Some(match key {
        "env" => "the language is `runtime`, variables are `envVars`",
        "environment" | "variables" => "variables are `envVars`, a list of `key` and `value`",
        "numInstances" | "replicas" | "instances" => {
            "write `scaling: { minInstances: N, maxInstances: N }`"
        }
        "domain" => "write `domains: [NAME]`",
        "healthCheck" => "write `healthCheckPath: /PATH`",
        "storage" => "write `storageGB: N`",
        "fromGroup" => "list the group in `spec.envGroups`",
        "fromCache" => "a cache is a database: write `fromDatabase`",
        "ports" => "write `port: N`",
        "min" => "write `minInstances`",
        "max" => "write `maxInstances`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_many_names_a_slip_is_found_without_comparing_them_all() {
        let names: Vec<String> = (0..30_000).map(|index| format!("service-{index}x")).collect();
        let mut names = Names::new(names.iter().map(String::as_str).collect());
        assert_eq!(names.nearest("servce-12345x"), Some("service-12345x"), "a letter is missing");
        assert_eq!(names.nearest("service-1234y5x"), Some("service-12345x"), "one too many");
        assert_eq!(names.nearest("sevrice-777x"), Some("service-777x"), "two change places");
        assert_eq!(names.compared, 0);
        let mut few = Names::new(vec!["database", "payments"]);
        assert_eq!(few.nearest("paimentz"), Some("payments"), "several letters, few names");
        assert_eq!(few.nearest("colour"), None);
        assert_eq!(few.compared, 4);
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["startCommand", "schedule", "port", "healthCheckPath"];
        let check = |word| nearest(word, &known);
        assert_eq!(check("prot"), Some("port"));
        assert_eq!(check("start_command"), Some("startCommand"));
        assert_eq!(check("healthcheckPath"), Some("healthCheckPath"));
        assert_eq!(check("colour"), None);
        assert_eq!(check(&"x".repeat(100_000)), None);
    }
}

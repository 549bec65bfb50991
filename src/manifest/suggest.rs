//! "Did you mean …?": the nearest known word, and the words other platforms use.

/// Longer words are no slips of the finger, and comparing them takes time.
const WORD_BYTES_MAX: usize = 64;

/// Returns the nearest of the known words, when it is near enough to be meant.
#[must_use]
pub fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace(['-', '_', ' '], "");
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

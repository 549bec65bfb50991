//! `--selector`: which labels a resource must have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// `KEY=VALUE`, `KEY!=VALUE`, `KEY in (VALUE,…)`, joined by commas: all of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector(Vec<LabelTerm>);

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelTerm {
    key: String,
    values: BTreeSet<String>,
    /// Whether the label must have none of the values; then it need not be there at all.
    is_not: bool,
}

impl LabelSelector {
    /// Whether labels are as it asks.
    #[must_use]
    pub fn covers(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.iter().all(|LabelTerm { key, values, is_not }| {
            labels.get(key).is_some_and(|value| values.contains(value)) != *is_not
        })
    }
}

impl FromStr for LabelSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut terms, mut begun, mut depth) = (Vec::new(), 0, 0_usize);
        for (at, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    terms.push(text[begun..at].parse()?);
                    begun = at + 1;
                }
                _ => {}
            }
        }
        terms.push(text[begun..].parse()?);
        Ok(Self(terms))
    }
}

impl FromStr for LabelTerm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is none of KEY=VALUE, KEY!=VALUE and KEY in (VALUE,VALUE)");
        let in_brackets = || {
            let (key, rest) = text.split_once(" in ")?;
            let inner = rest.trim().strip_prefix('(')?.strip_suffix(')')?;
            Some((key, false, inner.split(',').collect::<Vec<_>>()))
        };
        let (key, is_not, values) = match (in_brackets(), text.split_once("!=")) {
            (Some(found), _) => found,
            (None, Some((key, value))) => (key, true, vec![value]),
            (None, None) => {
                let (key, value) = text.split_once('=').ok_or_else(wrong)?;
                (key, false, vec![value])
            }
        };
        let key = key.trim();
        let values: BTreeSet<String> = values.iter().map(|it| it.trim().to_owned()).collect();
        let is_word = |text: &str| !text.contains(['=', '!', '(', ')', ',', ' ', '\t']);
        if key.is_empty() || !is_word(key) || !values.iter().all(|value| is_word(value)) {
            return Err(wrong());
        }
        Ok(Self { key: key.to_owned(), values, is_not })
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, LabelTerm { key, values, is_not }) in self.0.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            match (values.as_slice(), is_not) {
                ([value], false) => write!(formatter, "{comma}{key}={value}")?,
                ([value], true) => write!(formatter, "{comma}{key}!={value}")?,
                (values, _) => write!(formatter, "{comma}{key} in ({})", values.join(","))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_conditions_must_hold_and_a_label_that_is_not_there_is_not_a_value() {
        let covers = |selector: &str, labels: &[(&str, &str)]| {
            let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            selector.parse::<LabelSelector>().unwrap().covers(&labels.iter().map(own).collect())
        };
        let web = [("tier", "web"), ("team", "shop")];
        assert!(covers("tier=web", &web));
        assert!(covers("tier=web,team=shop", &web));
        assert!(!covers("tier=web,team=blog", &web));
        assert!(covers("tier in (api, web),team!=blog", &web));
        assert!(!covers("tier in (api)", &web));
        assert!(!covers("tier!=web", &web));
        assert!(covers("tier!=web", &[]));
        assert!(!covers("tier=", &web));
    }

    #[test]
    fn it_is_written_as_it_is_read_and_anything_else_is_refused() {
        for text in ["a=b", "a!=b", "a in (b,c)", "a=b,c!=d,e in (f,g)", "a="] {
            assert_eq!(text.parse::<LabelSelector>().unwrap().to_string(), text);
        }
        for wrong in ["", "a", "=b", "a=b,", "a in b", "a in (b", "a=b c", "!a"] {
            assert!(wrong.parse::<LabelSelector>().is_err(), "{wrong}");
        }
    }
}

//! Host names of a network that will be no more: where a variable names one, it becomes a reference
//! to what the platform knows of that resource.

use std::collections::BTreeMap;

use crate::model::{Key, Kind};

/// What a host name leads to.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub key: Key,
    /// Of a database: what is known of it, by property.
    known: Vec<(&'static str, String)>,
}

impl Host {
    /// A service.
    pub const fn service(key: Key) -> Self {
        Self { key, known: Vec::new() }
    }

    /// A database, with the values that its own file gives for its properties.
    pub const fn database(key: Key, known: Vec<(&'static str, String)>) -> Self {
        Self { key, known }
    }

    const fn is_database(&self) -> bool {
        matches!(self.key.kind, Kind::Database)
    }

    fn has(&self, property: &str, text: &str) -> bool {
        self.known.iter().any(|(known, value)| *known == property && value == text)
    }
}

/// All host names.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    by_name: BTreeMap<String, Host>,
}

/// What a variable says of another resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mentioned {
    /// A whole property of it; with what the platform's own value does not have.
    Property { key: Key, property: &'static str, lost: Option<String> },
    /// Its host name, within a text that no property is.
    Within(Key),
}

/// Words that end the key of a variable which holds a host.
const HOST_WORDS: [&str; 6] = ["HOST", "HOSTNAME", "SERVER", "ADDR", "ADDRESS", "ENDPOINT"];

/// What a key ends with that stands beside one of a host, and the property it is.
const ROLES: [(&str, &str); 12] = [
    ("PORT", "port"),
    ("USER", "user"),
    ("USERNAME", "user"),
    ("USER_NAME", "user"),
    ("LOGIN", "user"),
    ("PASSWORD", "password"),
    ("PASS", "password"),
    ("PWD", "password"),
    ("NAME", "database"),
    ("DATABASE", "database"),
    ("DATABASE_NAME", "database"),
    ("DB", "database"),
];

/// Schemes of the platform's own connection strings.
const SCHEMES: [&str; 7] =
    ["postgres", "postgresql", "mysql", "mariadb", "redis", "mongodb", "valkey"];

impl Hosts {
    /// Adds a resource under its names; the first one keeps a name.
    pub fn add(&mut self, names: &[String], host: Host) {
        for name in names {
            self.by_name.entry(name.clone()).or_insert_with(|| host.clone());
        }
    }

    /// Returns what begins the keys of variables that lead to a database, with that database.
    pub fn prefixes<'v>(
        &self,
        variables: impl Iterator<Item = (&'v str, &'v str)>,
    ) -> Vec<(String, Host)> {
        let prefix = |(key, text): (&str, &str)| {
            let host = self.by_name.get(text).filter(|host| host.is_database())?;
            let upper = key.to_ascii_uppercase();
            let word = HOST_WORDS.iter().find(|word| upper.ends_with(**word))?;
            Some((upper[..upper.len() - word.len()].to_owned(), host.clone()))
        };
        variables.filter_map(prefix).collect()
    }

    /// Returns what a variable says of another resource.
    pub fn mentioned(
        &self,
        key: &str,
        text: &str,
        prefixes: &[(String, Host)],
    ) -> Option<Mentioned> {
        let upper = key.to_ascii_uppercase();
        if let Some(host) = self.by_name.get(text)
            && HOST_WORDS.iter().any(|word| upper.ends_with(word))
        {
            return Some(property(&host.key, "host", None));
        }
        let beside = prefixes.iter().find_map(|(prefix, host)| {
            let role = upper.strip_prefix(prefix.as_str())?;
            let (_, property) = ROLES.iter().find(|(word, _)| *word == role)?;
            host.has(property, text).then_some((host, *property))
        });
        if let Some((host, name)) = beside {
            return Some(property(&host.key, name, None));
        }
        if let Some((name, port)) = text.split_once(':')
            && is_port(port)
            && let Some(host) = self.by_name.get(name)
        {
            return Some(match host.is_database() {
                true => Mentioned::Within(host.key.clone()),
                false => property(&host.key, "hostport", None),
            });
        }
        self.url(text).or_else(|| self.within(text))
    }

    /// A text that is one URL, whose host is a database.
    fn url(&self, text: &str) -> Option<Mentioned> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.chars().all(is_scheme) || rest.contains(char::is_whitespace) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let address = authority.rsplit('@').next().unwrap_or_default();
        let host = self.by_name.get(address.split(':').next()?)?;
        if !host.is_database() {
            return None;
        }
        let query = path.split_once('?').map(|(_, query)| query);
        let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
        let mut lost = Vec::new();
        if !SCHEMES.contains(&scheme) {
            lost.push(format!("the scheme `{scheme}`"));
        }
        if !path.is_empty() && !host.has("database", path) {
            lost.push(format!("the path `/{path}`"));
        }
        if let Some(query) = query {
            lost.push(format!("the query `?{query}`"));
        }
        let lost = (!lost.is_empty()).then(|| lost.join(" and "));
        Some(property(&host.key, "connectionString", lost))
    }

    /// A host name anywhere in a text, where a host can stand: behind `//` or `@`, or before a port.
    fn within(&self, text: &str) -> Option<Mentioned> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let mut end = 0;
        while let Some(begin) = text[end..].find(is_word) {
            let start = end + begin;
            end = text[start..].find(|c| !is_word(c)).map_or(text.len(), |length| start + length);
            let Some(host) = self.by_name.get(&text[start..end]) else { continue };
            let before = &text[..start];
            let port = text[end..].strip_prefix(':').unwrap_or_default();
            let has_port = port.starts_with(|c: char| c.is_ascii_digit());
            if before.ends_with("//") || before.ends_with('@') || has_port {
                return Some(Mentioned::Within(host.key.clone()));
            }
        }
        None
    }
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn property(key: &Key, property: &'static str, lost: Option<String>) -> Mentioned {
    Mentioned::Property { key: key.clone(), property, lost }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Name;

    fn check(key: &str, text: &str) -> String {
        let name = |text: &str| Name::new(text).unwrap();
        let mut hosts = Hosts::default();
        let known = vec![
            ("user", "shop".to_owned()),
            ("password", "hush".to_owned()),
            ("database", "shop".to_owned()),
            ("port", "5432".to_owned()),
        ];
        let database = Key::new(Kind::Database, name("db"));
        hosts.add(&["db".to_owned(), "shop_db".to_owned()], Host::database(database, known));
        hosts.add(&["api".to_owned()], Host::service(Key::new(Kind::Service, name("api"))));
        let beside = [("DB_HOST", "db"), ("PGHOST", "db"), ("X_HOST", "api")];
        let prefixes = hosts.prefixes(beside.into_iter());
        match hosts.mentioned(key, text, &prefixes) {
            Some(Mentioned::Property { key, property, lost: None }) => format!("{key} {property}"),
            Some(Mentioned::Property { key, property, lost: Some(lost) }) => {
                format!("{key} {property} without {lost}")
            }
            Some(Mentioned::Within(key)) => format!("names {key}"),
            None => "-".to_owned(),
        }
    }

    #[test]
    fn a_whole_property_becomes_a_reference() {
        for (key, text, expected) in [
            ("DB_HOST", "db", "database/db host"),
            ("POSTGRES_SERVER", "shop_db", "database/db host"),
            ("DB_PORT", "5432", "database/db port"),
            ("DB_NAME", "shop", "database/db database"),
            ("PGPASSWORD", "hush", "database/db password"),
            ("DATABASE_URL", "postgres://shop:hush@db:5432/shop", "database/db connectionString"),
            ("API_HOST", "api", "service/api host"),
            ("UPSTREAM", "api:3000", "service/api hostport"),
        ] {
            assert_eq!(check(key, text), expected, "{key}={text}");
        }
    }

    #[test]
    fn what_the_platform_does_not_give_is_told() {
        assert_eq!(
            check("DATABASE_URL", "postgresql+asyncpg://shop:hush@db/other?pool=5"),
            "database/db connectionString without the scheme `postgresql+asyncpg` and the path \
             `/other` and the query `?pool=5`"
        );
        for text in ["http://api:3000/v1", "jdbc:postgresql://db:5432/shop", "a:1,db:5432"] {
            assert!(check("X", text).starts_with("names "), "{text}");
        }
    }

    #[test]
    fn a_word_that_only_sounds_like_a_host_is_none() {
        for (key, text) in [
            ("DB_CONNECTION", "db"),
            ("POSTGRES_USER", "api"),
            ("DB_PASSWORD", "other"),
            ("DB_NAME", "elsewhere"),
            ("URL", "https://api.example.com/db"),
            ("NOTE", "the db and the api"),
        ] {
            assert_eq!(check(key, text), "-", "{key}={text}");
        }
    }
}

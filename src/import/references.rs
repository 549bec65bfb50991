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
    /// Of a service: the port it serves.
    port: Option<u16>,
    /// Whether it is left out, so that nothing can refer to it.
    is_left_out: bool,
}

impl Host {
    /// A service, with the port it serves.
    pub const fn service(key: Key, port: Option<u16>) -> Self {
        Self { key, known: Vec::new(), port, is_left_out: false }
    }

    /// A service that is left out.
    pub const fn left_out(key: Key) -> Self {
        Self { key, known: Vec::new(), port: None, is_left_out: true }
    }

    /// A database, with the values that its own file gives for its properties.
    pub const fn database(key: Key, known: Vec<(&'static str, String)>) -> Self {
        Self { key, known, port: None, is_left_out: false }
    }

    const fn is_database(&self) -> bool {
        matches!(self.key.kind, Kind::Database)
    }

    /// Whether a property is known, and said to be another.
    fn differs(&self, property: &str, text: &str) -> bool {
        let is_known = self.known.iter().any(|(known, _)| *known == property);
        is_known && !text.is_empty() && !self.has(property, text)
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

    /// Returns all names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
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
            return Some(match host.is_left_out {
                true => Mentioned::Within(host.key.clone()),
                false => property(&host.key, "host", None),
            });
        }
        let beside = prefixes.iter().find_map(|(prefix, host)| {
            let role = upper.strip_prefix(prefix.as_str())?;
            let (_, property) = ROLES.iter().find(|(word, _)| *word == role)?;
            host.has(property, text).then_some((host, *property))
        });
        if let Some((host, name)) = beside {
            return Some(property(&host.key, name, None));
        }
        if let Some((host, port)) = self.address(text) {
            return Some(match host.port == Some(port) {
                true => property(&host.key, "hostport", None),
                false => Mentioned::Within(host.key.clone()),
            });
        }
        self.url(text).or_else(|| self.within(text))
    }

    /// Reads `HOST:PORT`.
    fn address(&self, text: &str) -> Option<(&Host, u16)> {
        let (name, port) = text.split_once(':')?;
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        Some((self.by_name.get(name)?, port.parse().ok().filter(|_| is_port)?))
    }

    /// Returns the service without a port that a text asks at one, and which.
    pub fn asked(&self, text: &str) -> Option<(Key, u16)> {
        let (host, port) = self.address(text)?;
        let has_none = !host.is_database() && !host.is_left_out && host.port.is_none() && port > 0;
        has_none.then(|| (host.key.clone(), port))
    }

    /// Notes which port a service serves.
    pub fn serve(&mut self, key: &Key, port: u16) {
        let hosts = self.by_name.values_mut().filter(|host| host.key == *key);
        hosts.for_each(|host| host.port = Some(port));
    }

    /// A text that is one URL, whose host is a database.
    fn url(&self, text: &str) -> Option<Mentioned> {
        let (scheme, rest) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.chars().all(is_scheme) || rest.contains(char::is_whitespace) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (name, port) = address.split_once(':').unwrap_or((address, ""));
        let user = login.split(':').next().unwrap_or_default();
        let host = self.by_name.get(name)?;
        if !host.is_database() {
            return None;
        }
        let query = path.split_once('?').map(|(_, query)| query);
        let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
        let mut lost = Vec::new();
        if !SCHEMES.contains(&scheme) {
            lost.push(format!("the scheme `{scheme}`"));
        }
        if host.differs("user", user) {
            lost.push(format!("the user `{user}`"));
        }
        if host.differs("port", port) {
            lost.push(format!("the port `{port}`"));
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
        hosts.add(
            &["api".to_owned()],
            Host::service(Key::new(Kind::Service, name("api")), Some(3000)),
        );
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
        assert_eq!(
            check("X", "postgres://other:hush@db:6543/shop"),
            "database/db connectionString without the user `other` and the port `6543`"
        );
        for text in
            ["api:9091", "http://api:3000/v1", "jdbc:postgresql://db:5432/shop", "a:1,db:5432"]
        {
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

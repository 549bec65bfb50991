//! A service of Compose whose image is that of a database.

use super::ComposeReader;
use super::environment;
use super::interpolate::{Filled, HOLE};
use super::passwords::ComposePasswords;
use super::service::{host_names, restart};
use super::volumes;
use super::words;
use crate::import::references::{Host, Hosts};
use crate::import::resource::set_text;
use crate::manifest::{Placed, quoted};
use crate::model::{Key, Resource, Setting, ValueSource};

/// A database as its image has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct DatabaseImage {
    /// What the platform calls it.
    engine: &'static str,
    /// Whether the tag counts the versions of that engine, and how many of its numbers.
    numbers: usize,
    port: &'static str,
    /// What its variables begin with.
    prefix: &'static str,
    /// What the platform's own does not have.
    differs: Option<&'static str>,
}

const POSTGRES: DatabaseImage = DatabaseImage {
    engine: "postgres",
    numbers: 1,
    port: "5432",
    prefix: "POSTGRES",
    differs: None,
};
const MARIADB: DatabaseImage =
    DatabaseImage { engine: "mariadb", numbers: 2, port: "3306", prefix: "MARIADB", differs: None };
const MYSQL: DatabaseImage = DatabaseImage {
    numbers: 0,
    prefix: "MYSQL",
    differs: Some("the platform's MySQL is MariaDB"),
    ..MARIADB
};
const VALKEY: DatabaseImage =
    DatabaseImage { engine: "valkey", numbers: 2, port: "6379", prefix: "VALKEY", differs: None };
const REDIS: DatabaseImage = DatabaseImage {
    numbers: 0,
    prefix: "REDIS",
    differs: Some("the platform's Redis is Valkey, which speaks the same protocol"),
    ..VALKEY
};
const MONGODB: DatabaseImage =
    DatabaseImage { engine: "mongodb", numbers: 2, port: "27017", prefix: "MONGO", differs: None };

/// Images of databases, without registry and tag.
const IMAGES: [(&str, DatabaseImage); 15] = [
    ("postgres", POSTGRES),
    ("bitnami/postgresql", POSTGRES),
    (
        "postgis/postgis",
        DatabaseImage { differs: Some("the extension PostGIS may not be available"), ..POSTGRES },
    ),
    (
        "pgvector/pgvector",
        DatabaseImage { differs: Some("the extension pgvector may not be available"), ..POSTGRES },
    ),
    ("mysql", MYSQL),
    ("bitnami/mysql", MYSQL),
    ("mysql/mysql-server", MYSQL),
    ("mariadb", MARIADB),
    ("bitnami/mariadb", MARIADB),
    ("redis", REDIS),
    ("bitnami/redis", REDIS),
    ("valkey/valkey", VALKEY),
    ("bitnami/valkey", VALKEY),
    ("mongo", MONGODB),
    ("bitnami/mongodb", MONGODB),
];

/// Returns the database that a service is, when its image is that of one.
pub(super) fn engine(reader: &ComposeReader<'_, '_>, service: &Placed) -> Option<DatabaseImage> {
    if service.get("build").is_some() {
        return None;
    }
    let (text, _) = service.get("image")?.scalar()?;
    let filled = reader.fill(text).ok()?;
    let (name, _) = parted(&filled.text);
    IMAGES.iter().find(|(known, _)| *known == name).map(|(_, image)| *image)
}

/// Parts an image into its name without Docker's own registry, and its tag.
fn parted(image: &str) -> (&str, &str) {
    let image = image.split('@').next().unwrap_or_default();
    let name_at = image.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match image[name_at..].split_once(':') {
        Some((name, tag)) => (&image[..name_at + name.len()], tag),
        None => (image, ""),
    };
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    (name.strip_prefix("library/").unwrap_or(name), tag)
}

/// Reads a database, and adds its host names.
pub(super) fn read(
    reader: &mut ComposeReader<'_, '_>,
    key: &Key,
    name: &str,
    yaml: &Placed,
    hosts: &mut Hosts,
    passwords: &mut ComposePasswords,
) -> Option<Resource<ValueSource>> {
    let image = engine(reader, yaml)?;
    let path = format!("services.{name}");
    let mut database = Resource::new(key.clone(), yaml.origin());
    let place = yaml.get("image")?;
    let text = reader.text(place, &format!("{path}.image"))?;
    set_text(&mut database, Setting::Type, image.engine, place.origin());
    if let Some(differs) = image.differs {
        let message = format!("`{name}` becomes a {}: {differs}", image.engine);
        let hint = "try it before you move data; another engine has other versions";
        reader.report.mind(place.origin(), "engine", message, hint);
    }
    let (_, tag) = parted(&text.text);
    match version(tag, image.numbers) {
        Some(version) => set_text(&mut database, Setting::Version, version, place.origin()),
        None if image.numbers == 0 => {}
        None => {
            let stands = place.scalar().map(|(text, _)| text).unwrap_or_default();
            let message = format!("the tag of `{}` does not name a version", quoted(stands));
            let hint = "the platform chooses one; write `version`, if it matters";
            reader.report.mind(place.origin(), "version", message, hint);
        }
    }
    let known = login(reader, yaml, &path, image, &mut database);
    for (property, text) in &known {
        match *property {
            "password" => passwords.add(key, text),
            _ => passwords.add_public(std::iter::once(text.as_str())),
        }
    }
    passwords.add_public(std::iter::once(image.engine));
    if let Some(text) = required_password(reader, yaml) {
        passwords.add(key, &text);
    }
    hosts.add(&host_names(name, yaml), Host::database(key.clone(), known));
    words::service(reader, name, yaml);
    rest(reader, yaml, &path, &database);
    reader.report.account(yaml, &path);
    Some(database)
}

/// Returns the first numbers of a tag: `16` of `16-alpine`, `pg16` and `16.3`.
fn version(tag: &str, numbers: usize) -> Option<String> {
    let tag = tag.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let end = tag.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(tag.len());
    let parts: Vec<&str> =
        tag[..end].split('.').filter(|part| !part.is_empty()).take(numbers).collect();
    (!parts.is_empty()).then(|| parts.join("."))
}

/// Takes its user and its name; its password is the platform's. Returns what is known of each
/// property, so that variables of others which say the same refer to it.
fn login(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    image: DatabaseImage,
    database: &mut Resource<ValueSource>,
) -> Vec<(&'static str, String)> {
    let mut known = vec![("port", image.port.to_owned())];
    let mut is_given = [false; 2];
    for variable in environment::variables(reader, yaml, path) {
        let environment::ComposeVariable { key, value, origin } = variable;
        let property = property(image.prefix, &key);
        if let (Some(property), Some(Filled { text, .. })) = (property, &value) {
            known.push((property, text.clone()));
        }
        let whole = value.as_ref().filter(|value| !value.is_secret).and_then(Filled::whole);
        let whole = whole.filter(|text| !text.is_empty());
        match (property, whole) {
            (Some("database"), Some(text)) => {
                is_given[0] = true;
                set_text(database, Setting::DatabaseName, text, origin);
            }
            (Some("user"), Some(text)) if !key.contains("ROOT") => {
                is_given[1] = true;
                set_text(database, Setting::User, text, origin);
            }
            (Some("password"), _) => {
                let message = format!("`{key}` is left out: the platform generates the password");
                let hint = "variables that used it now refer to the database";
                reader.report.mind(origin, "password", message, hint);
            }
            (Some(property), None) => {
                let message = format!("`{key}` has no value here, so the {property} is unknown");
                reader.report.mind(origin, "to-be-given", message, "the platform chooses one");
            }
            (_, _) => {
                let message = format!("`{path}.environment.{key}` cannot be carried over");
                let hint = "a database of the platform has no variables";
                reader.report.mind(origin, "not-carried", message, hint);
            }
        }
    }
    let user = known.iter().find(|(property, _)| *property == "user").map(|(_, user)| user.clone());
    // The image's own defaults: without a name the database is called as its user.
    if image.engine == "postgres" && !is_given[0] {
        known.push(("database", user.clone().unwrap_or_else(|| "postgres".to_owned())));
    }
    if user.is_none() && image.engine == "postgres" {
        known.push(("user", "postgres".to_owned()));
    }
    if image.engine == "mariadb" {
        known.push(("user", "root".to_owned()));
    }
    known
}

/// Returns the password that the command of a Redis demands.
fn required_password(reader: &ComposeReader<'_, '_>, yaml: &Placed) -> Option<String> {
    let command = yaml.get("command")?;
    let texts = std::iter::once(command).chain(command.items()).filter_map(Placed::scalar);
    let texts = texts.filter_map(|(text, _)| Some(reader.fill(text).ok()?.text));
    let whole = texts.collect::<Vec<_>>().join(" ");
    let mut words = whole.split_whitespace();
    let after = words.find_map(|word| {
        let after = word.strip_prefix("--requirepass")?;
        Some(after.strip_prefix('=').unwrap_or(after).to_owned())
    })?;
    let word = if after.is_empty() { words.next()?.to_owned() } else { after };
    let word = word.trim_matches(['"', '\'']);
    (!word.contains(HOLE)).then(|| word.to_owned())
}

/// Returns what a variable of a database's image says.
fn property(prefix: &str, key: &str) -> Option<&'static str> {
    // The images of others call some of them by another name.
    let prefixes = match prefix {
        "MARIADB" => ["MARIADB", "MYSQL"],
        "POSTGRES" => ["POSTGRES", "POSTGRESQL"],
        "MONGO" => ["MONGO", "MONGODB"],
        prefix => [prefix, prefix],
    };
    let rest =
        prefixes.iter().find_map(|it| key.strip_prefix(it).filter(|it| it.starts_with('_')))?;
    match rest {
        "_DB" | "_DATABASE" | "_INITDB_DATABASE" => Some("database"),
        "_USER" | "_USERNAME" | "_INITDB_ROOT_USERNAME" => Some("user"),
        "_PASSWORD" | "_ROOT_PASSWORD" | "_INITDB_ROOT_PASSWORD" => Some("password"),
        _ => None,
    }
}

/// Says of the rest that it cannot be carried over, and of volumes that their data is not moved.
fn rest(
    reader: &mut ComposeReader<'_, '_>,
    yaml: &Placed,
    path: &str,
    database: &Resource<ValueSource>,
) {
    for (key, why) in [
        ("command", "a database of the platform has no settings of its own"),
        ("entrypoint", "a database of the platform has no settings of its own"),
        ("deploy", "what a database may use is the platform's `plan`"),
        ("scale", "a database of the platform runs once"),
        ("expose", "services reach a database by a reference"),
        ("ports", "services reach a database by a reference"),
        ("healthcheck", "the platform looks after its databases"),
    ] {
        if let Some(value) = yaml.get(key) {
            reader.report.lose(value, &format!("{path}.{key}"), why);
        }
    }
    restart(reader, yaml, path);
    for mount in volumes::read(reader, yaml, path) {
        if mount.target.contains("docker-entrypoint-initdb.d") {
            let why = "the platform runs no scripts on a new database; run them yourself";
            reader.report.lose(mount.place, &format!("{path}.volumes"), why);
        } else if mount.is_named || mount.target.contains("/data") || mount.target.contains("/lib/")
        {
            let message = format!("the data in `{}` is not moved", quoted(&mount.target));
            let hint = "the new database is empty: dump the old one, and load it there";
            reader.report.mind(mount.place.origin(), "data-not-moved", message, hint);
            mount.place.take();
            reader.report.note(&database.key, "the data of the old database is not moved");
        } else {
            volumes::lose(reader, &mount, path, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_parted_and_its_tag_says_a_version() {
        for (image, expected) in [
            ("postgres:16-alpine", ("postgres", "16-alpine")),
            ("docker.io/library/redis", ("redis", "")),
            ("localhost:5000/postgres:15", ("localhost:5000/postgres", "15")),
            ("bitnami/mysql:8.0@sha256:ab", ("bitnami/mysql", "8.0")),
        ] {
            assert_eq!(parted(image), expected, "{image}");
        }
        assert_eq!(version("16.3-alpine", 1).as_deref(), Some("16"));
        assert_eq!(version("pg16", 1).as_deref(), Some("16"));
        assert_eq!(version("10.11.2", 2).as_deref(), Some("10.11"));
        assert_eq!(version("latest", 1), None);
        assert_eq!(version("8.0", 0), None);
    }
}

//! Passwords of databases that will be no more: the platform makes new ones, so wherever an old one
//! still stands it is not written.

use std::collections::BTreeSet;

use super::interpolate::HOLE;
use crate::import::report::ImportReport;
use crate::import::resource::reference;
use crate::model::{FieldPath, FieldValue, Key, Kind, Origin, Resource, ValueSource};

/// A shorter password stands in too many texts that have nothing to do with it.
const WITHIN_CHARS_MIN: usize = 6;

/// Names of users that many images have.
const USUAL_USERS: [&str; 2] = ["root", "admin"];

/// The passwords that the files give to their databases.
#[derive(Debug, Default)]
pub(super) struct ComposePasswords {
    all: Vec<(Key, String)>,
    /// Names of users, databases and hosts. A password that is one of them is a secret only where it
    /// stands as a password.
    public: BTreeSet<String>,
}

impl ComposePasswords {
    pub fn add(&mut self, database: &Key, password: &str) {
        if !password.is_empty() && !password.contains(HOLE) {
            self.all.push((database.clone(), password.to_owned()));
        }
    }

    pub fn add_public<'t>(&mut self, names: impl Iterator<Item = &'t str>) {
        self.public.extend(names.map(str::to_owned));
    }

    /// Takes the passwords out of what the services were given.
    pub fn take_out(&self, resources: &mut [Resource<ValueSource>], report: &mut ImportReport) {
        for service in resources.iter_mut().filter(|it| it.key.kind == Kind::Service) {
            let held: Vec<(FieldPath, Origin, &Key, bool)> = service
                .fields
                .iter()
                .filter_map(|(path, field)| {
                    let ValueSource::Value(FieldValue::Text(text)) = &field.value else {
                        return None;
                    };
                    let (database, password) = self.held(path, text)?;
                    // A short one, or one of two databases, may be here by chance.
                    let is_of_another =
                        |(key, it): &(Key, String)| it == password && key != database;
                    let is_whole = password == text
                        && password.chars().count() >= WITHIN_CHARS_MIN
                        && !self.all.iter().any(is_of_another);
                    Some((path.clone(), field.origin.clone(), database, is_whole))
                })
                .collect();
            for (path, origin, database, is_whole) in held {
                take_out(service, &path, origin, database, is_whole, report);
            }
        }
    }

    /// Returns the password that a text holds.
    fn held(&self, path: &FieldPath, text: &str) -> Option<&(Key, String)> {
        self.all.iter().find(|(_, password)| {
            let is_long = password.chars().count() >= WITHIN_CHARS_MIN;
            let is_public =
                self.public.contains(password) || USUAL_USERS.contains(&password.as_str());
            match is_public {
                true => text.contains(&format!(":{password}@")),
                false if is_long => text.contains(password),
                false => path.env_key().is_some() && text == password,
            }
        })
    }
}

/// A whole password of some length becomes that of the new database; whatever else holds one is set by
/// hand.
fn take_out(
    service: &mut Resource<ValueSource>,
    path: &FieldPath,
    origin: Origin,
    database: &Key,
    is_whole: bool,
    report: &mut ImportReport,
) {
    let message = format!("`{path}` of {} contains the old password of {database}", service.key);
    let hint = match path {
        FieldPath::Env(_) if is_whole => "it refers to the new one, which the platform generates",
        FieldPath::Env(_) => {
            "the platform generates a new one; `sync: false` takes its place: set it by hand"
        }
        FieldPath::Setting(_) => {
            "the platform generates a new one; it is left out: pass it to the program in a variable"
        }
    };
    report.mind(origin.clone(), "password", message, hint);
    match path {
        FieldPath::Env(_) if is_whole => {
            if let Some(field) = service.fields.get_mut(path) {
                field.value = ValueSource::Value(reference(database, "password"));
            }
        }
        FieldPath::Env(key) => {
            service.fields.remove(path);
            service.set_by_hand.insert(key.clone(), origin);
        }
        FieldPath::Setting(_) => {
            service.fields.remove(path);
            report.note(&service.key, format!("`{path}` is to be given"));
        }
    }
}

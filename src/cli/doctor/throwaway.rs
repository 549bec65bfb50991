//! The throwaway service of a probe: its name, and what it is created with.

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::model::{FieldPath, FieldValue, Key, Kind, Name, Secret, SecretOrigin, Setting};

use super::super::code::ErrorCode;
use super::super::failure::Failure;
use super::super::session::Session;
use super::judge::{PLAIN, SECRET, variable};

/// Returns a name that nothing else has.
pub(super) fn key() -> Result<Key, Failure> {
    let number = getrandom::u64().map_err(|error| {
        Failure::new(ErrorCode::Randomness, format!("failed to make a name: {error}"))
    })?;
    let name = Name::new(&format!("stoker-probe-{number:016x}"));
    Ok(Key::new(Kind::Service, name.expect("letters, digits and hyphens make a name")))
}

/// Returns what is sent: little, cheap, and of every form that is compared.
pub(super) fn fields(
    session: &Session,
    key: &Key,
) -> Result<BTreeMap<FieldPath, FieldValue>, Failure> {
    let text = |text: &str| FieldValue::Text(text.to_owned());
    let mut fields = BTreeMap::from([
        (FieldPath::Setting(Setting::Type), text("web")),
        (FieldPath::Setting(Setting::Image), text("docker.io/library/nginx:stable")),
        (FieldPath::Setting(Setting::Port), FieldValue::Integer(80)),
        (FieldPath::Setting(Setting::HealthCheckPath), text("/")),
        (FieldPath::Setting(Setting::AutoDeploy), FieldValue::Boolean(false)),
    ]);
    fields.extend(variable(PLAIN).map(|path| (path, text("plain"))));
    if let Some(path) = variable(SECRET) {
        let mark = session.fingerprint_key()?.fingerprint(key, &path, key.name.as_str());
        let value = SecretString::from(format!("not-a-secret-{}", key.name));
        let secret = Secret::new(value, mark, SecretOrigin::Given);
        fields.insert(path, secret.into());
    }
    Ok(fields)
}

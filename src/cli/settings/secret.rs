//! Where a secret is, which may be shown, and reading it, which gives what may not.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::super::environment::Environment;
use super::origin::Provenance;
use super::pick::Picker;

/// The longest secret in a file. A private key is a tenth of it.
const SECRET_BYTES_MAX: u64 = 65_536;

/// Where a secret is. It is read when it is used, so that a rotated file is seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretSource {
    /// In a variable of the environment.
    Variable(String),
    /// In a file; its last line break is not part of it.
    File(PathBuf),
}

/// `the variable SHOP_TOKEN`, `the file /run/secrets/shop`.
impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::File(path) => write!(formatter, "the file {}", path.display()),
        }
    }
}

impl SecretSource {
    /// Reads the secret, without blanks around it.
    ///
    /// # Errors
    /// When there is none, or none that can be read; a fragment that says where, never what.
    pub fn read(&self, environment: &Environment) -> Result<SecretString, String> {
        let text = match self {
            Self::Variable(name) => environment.get(name).map(str::to_owned),
            Self::File(path) => Some(read(path).map_err(|error| format!("{self}: {error}"))?),
        };
        let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        text.map(SecretString::from).ok_or_else(|| match self {
            Self::Variable(name) if environment.get(name).is_some() => {
                format!("{self} contains only blanks")
            }
            Self::Variable(_) => format!("{self} is not set"),
            Self::File(_) => format!("{self} is empty or contains only blanks"),
        })
    }

    /// Returns the file it stands in; a variable of a process never changes.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Variable(_) => None,
        }
    }

    /// Finds a secret of the environment: in the variable of that name, else in the file that the
    /// variable `NAME_FILE` names.
    #[must_use]
    pub fn of_environment(environment: &Environment, name: &str) -> Option<Self> {
        if environment.get(name).is_some() {
            return Some(Self::Variable(name.to_owned()));
        }
        environment.get(&format!("{name}_FILE")).map(|path| Self::File(PathBuf::from(path)))
    }

    /// Joins the two ways to say where a secret is.
    ///
    /// # Errors
    /// When both are said.
    pub fn of(
        key: &str,
        variable: Option<&String>,
        file: Option<&PathBuf>,
    ) -> Result<Option<Self>, String> {
        match (variable, file) {
            (Some(_), Some(_)) => {
                Err(format!("`{key}Env` and `{key}File` both name the same secret"))
            }
            (Some(name), None) => Ok(Some(Self::Variable(name.clone()))),
            (None, Some(path)) => Ok(Some(Self::File(path.clone()))),
            (None, None) => Ok(None),
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        let reason = format!("it is longer than {SECRET_BYTES_MAX} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
    }
    Ok(text)
}

/// Both ways to say where a secret is, on one layer.
pub(super) struct SecretLocation<'a> {
    /// The name of a variable.
    pub variable: Option<&'a String>,
    /// A file.
    pub file: Option<&'a PathBuf>,
}

/// Picks where a secret is: the first layer that says anything counts whole, so that a file named
/// by a flag is not mixed with a variable named in the settings file.
pub(super) fn pick_secret(
    picker: &mut Picker<'_>,
    key: &str,
    layers: [(SecretLocation<'_>, Layer); 3],
) -> Result<Option<SecretSource>, (String, Provenance)> {
    for (SecretLocation { variable, file }, layer) in layers {
        let suffix = if variable.is_some() { "Env" } else { "File" };
        let full = format!("{key}{suffix}");
        let provenance = match layer {
            Layer::Given => picker.given_place(&full),
            Layer::Own => picker.own_place(&full),
            Layer::Top => picker.top_place(&full),
        };
        let found = SecretSource::of(key, variable, file);
        if let Some(source) = found.map_err(|reason| (reason, provenance.clone()))? {
            picker.note(key, Some(format!("(secret in {source})")), provenance);
            return Ok(Some(source));
        }
    }
    picker.note(key, None, Provenance::Default);
    Ok(None)
}

/// A layer of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Flags and variables.
    Given,
    /// The project's own keys.
    Own,
    /// The top of the file.
    Top,
}

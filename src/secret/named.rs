//! Values that a manifest only names: what they are called, to look for each once.

use std::collections::BTreeSet;
use std::fmt;

use crate::model::{Desired, Origin, ValueSource};

/// A value that a manifest only names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NamedValue {
    /// A variable of the agent's environment.
    Variable(String),
    /// A file, relative to a manifest.
    File {
        /// The manifest.
        manifest: String,
        /// The file.
        path: String,
    },
    /// A file outside the tree, by its absolute path.
    Outside(String),
    /// What a program of the settings knows.
    Provided {
        /// The name of the program.
        provider: String,
        /// What it knows the value by.
        reference: String,
    },
    /// A value of a file that SOPS has encrypted.
    Encrypted {
        /// The manifest that the file is relative to.
        manifest: String,
        /// The file.
        file: String,
        /// Where the value stands in it.
        path: String,
    },
}

impl NamedValue {
    /// Returns what a value in a manifest names; nothing where it stands there or is derived.
    #[must_use]
    pub fn of(source: &ValueSource, origin: &Origin) -> Option<Self> {
        let manifest = || origin.file.clone();
        match source {
            ValueSource::Value(_) | ValueSource::Generated(_) => None,
            ValueSource::Environment(name) => Some(Self::Variable(name.clone())),
            ValueSource::File(path) if path.starts_with('/') => Some(Self::Outside(path.clone())),
            ValueSource::File(path) => {
                Some(Self::File { manifest: manifest(), path: path.clone() })
            }
            ValueSource::Provider { provider, reference } => {
                Some(Self::Provided { provider: provider.clone(), reference: reference.clone() })
            }
            ValueSource::Sops { file, path } => Some(Self::Encrypted {
                manifest: manifest(),
                file: file.clone(),
                path: path.clone(),
            }),
        }
    }

    /// Returns everything that the manifests name, each once.
    #[must_use]
    pub fn all_of(declared: &Desired<ValueSource>) -> BTreeSet<Self> {
        let fields = declared.resources.values().flat_map(|resource| resource.fields.values());
        fields.filter_map(|field| Self::of(&field.value, &field.origin)).collect()
    }
}

/// `the variable NAME`, `the file PATH`, `REF of the provider NAME`, `PATH of the SOPS file FILE`.
impl fmt::Display for NamedValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(formatter, "the variable {name}"),
            Self::File { manifest: _, path } | Self::Outside(path) => {
                write!(formatter, "the file {path}")
            }
            Self::Provided { provider, reference } => {
                write!(formatter, "{reference} of the provider {provider}")
            }
            Self::Encrypted { manifest: _, file, path } => {
                write!(formatter, "{path} of the SOPS file {file}")
            }
        }
    }
}

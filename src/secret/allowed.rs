//! What the settings let manifests name outside their tree. A manifest alone can neither read such a
//! file nor run a program: whoever may change a manifest could otherwise do both (S9).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What the settings let manifests name outside their tree; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSources {
    /// The directories whose files may be named: absolute, without `.` and `..`.
    pub directories: Vec<PathBuf>,
    /// The programs that know values by references, by name.
    pub providers: BTreeMap<String, SecretProgram>,
    /// The program that decrypts files of SOPS.
    pub sops: Option<SecretProgram>,
}

impl AllowedSources {
    /// Nothing at all.
    pub const NOTHING: Self =
        Self { directories: Vec::new(), providers: BTreeMap::new(), sops: None };
}

/// A program that knows secrets, and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretProgram {
    /// The program and its first arguments; never empty. It is started without a shell.
    pub command: Vec<String>,
    /// How long one call may take; then the program and all that it started are killed.
    pub timeout: Duration,
    /// The variables of the agent's environment that it is given beside `PATH` and `HOME`.
    pub environment: Vec<String>,
}

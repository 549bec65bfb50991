//! Where the state of a run is: a directory of this machine, or a store that many machines reach; and
//! the way into it.
//!
//! Of a shared state only the truth is shared. What is of this machine (the budget, the last look, a
//! copy of the repository, the agent's socket) is in a directory of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::api::HttpTransport;
use crate::clock::Uptime;
use crate::etcd::{EtcdAddress, EtcdLogin, EtcdMedium, Gateway};
use crate::secret::FingerprintKey;
use crate::shared::{
    BootClock, Bridge, MediumError, SealKey, SharedLog, SharedMedium, Swap, probe,
};
use crate::store::{Medium, SharedState};

use super::code::ErrorCode;
use super::environment::Environment;
use super::failure::Failure;
use super::settings::SecretSource;

/// The variable that holds the passphrase of a shared state, or with `_FILE` names its file.
const PASSPHRASE: &str = "STOKER_STATE_PASSPHRASE";

/// Who we are to the store, and its certificate authority.
const USER: &str = "STOKER_STATE_USER";
const PASSWORD: &str = "STOKER_STATE_PASSWORD";
const CA: &str = "STOKER_STATE_CA";

/// The log of a project beneath the prefix of its address.
const LOG: &str = "state";

/// The register that holds the sealed key, and is there once the store has passed its probe.
const KEY_REGISTER: &str = "key/1";

/// The longest wait for the key and the probe.
const OPENING_TIME_MAX: Duration = Duration::from_secs(30);

/// Where the state of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlace {
    /// The directory of this machine.
    pub directory: PathBuf,
    /// The address, where the state is shared.
    pub address: Option<EtcdAddress>,
}

/// What becomes of a shared state that is not there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is begun.
    Begin,
    /// It is refused.
    Refuse,
}

/// A state that can be read and written.
#[derive(Clone, Debug)]
pub struct OpenState {
    /// Where it is.
    pub medium: Medium,
    /// The key of a shared state; that of a directory is a file in it.
    pub key: Option<FingerprintKey>,
}

impl StatePlace {
    /// Finds the place that a setting names. The sandbox has a directory of this machine, beneath the
    /// other one, so that it can never be taken for a real project.
    ///
    /// # Errors
    /// When the address cannot be used, or there is no directory for what is of this machine.
    pub fn of(named: &Path, is_sandbox: bool, environment: &Environment) -> Result<Self, Failure> {
        let sandbox = |directory: PathBuf| {
            if is_sandbox { directory.join("sandbox") } else { directory }
        };
        let text = named.to_string_lossy();
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self { directory: sandbox(named.to_owned()), address: None });
        };
        if scheme != "etcd" {
            let message = format!("a state at {scheme}:// is not supported yet");
            return Err(Failure::usage(message)
                .hint("name a directory, or etcd://HOST,HOST,HOST/PREFIX, with --state"));
        }
        let address: EtcdAddress = text
            .parse()
            .map_err(|error| Failure::usage(format!("the state cannot be found: {error}")))?;
        let base = environment.state_directory().ok_or_else(no_directory)?;
        let name = hex::encode(&Sha256::digest(address.to_string().as_bytes())[..8]);
        let directory = sandbox(base.join("shared").join(name));
        Ok(Self { directory, address: (!is_sandbox).then_some(address) })
    }

    /// Opens the way to the state. A shared one is asked for its key, and for nothing else.
    ///
    /// # Errors
    /// When a shared one cannot be reached, breaks its word, or has another passphrase.
    pub fn open(&self, environment: &Environment, absent: Absent) -> Result<OpenState, Failure> {
        let Some(address) = &self.address else {
            return Ok(OpenState { medium: self.directory.clone().into(), key: None });
        };
        let passphrase = passphrase(environment)?;
        let way = Way::to(address, environment)?;
        let key = key_of(&way, address, &passphrase, absent, None)?;
        Ok(opened(address, way, key))
    }

    /// Begins a shared state with the key of another one.
    ///
    /// # Errors
    /// As [`StatePlace::open`], and when it has a key of its own.
    pub fn begin_with(
        &self,
        environment: &Environment,
        key: &FingerprintKey,
    ) -> Result<OpenState, Failure> {
        let Some(address) = &self.address else {
            return Err(Failure::usage(
                "a state is moved to an address such as etcd://HOST/PREFIX",
            ));
        };
        let passphrase = passphrase(environment)?;
        let way = Way::to(address, environment)?;
        let there = key_of(&way, address, &passphrase, Absent::Begin, Some(key))?;
        if there.mark() != key.mark() {
            let message = format!("failed to move the state to {address}: one is there already");
            return Err(Failure::new(ErrorCode::State, message).hint("name another prefix"));
        }
        Ok(opened(address, way, there))
    }
}

fn opened(address: &EtcdAddress, way: Way, key: FingerprintKey) -> OpenState {
    let clock: BootClock = Arc::new(|| Uptime::of_machine().map(|uptime| uptime.elapsed));
    let seals = SealKey::from_bytes(key.seal_key());
    let log = SharedLog::new(way.medium, way.bridge, seals, LOG, clock);
    let medium = Medium::Shared(SharedState::new(log, &address.to_string()));
    OpenState { medium, key: Some(key) }
}

/// Says that nothing names a directory.
pub fn no_directory() -> Failure {
    Failure::usage("there is nowhere to keep the state: neither HOME nor XDG_STATE_HOME is set")
        .hint("name a directory with --state or STOKER_STATE")
}

fn passphrase(environment: &Environment) -> Result<SecretString, Failure> {
    let source = SecretSource::of_environment(environment, PASSPHRASE).ok_or_else(|| {
        Failure::usage("a shared state needs a passphrase, the same on every machine")
            .hint(format!("set {PASSPHRASE}, or {PASSPHRASE}_FILE to a file that holds it"))
    })?;
    source.read(environment).map_err(Failure::usage)
}

fn medium(
    address: &EtcdAddress,
    environment: &Environment,
) -> Result<Arc<dyn SharedMedium>, Failure> {
    let transport = HttpTransport::new(environment.get(CA).map(Path::new))
        .map_err(|error| Failure::usage(format!("failed to {error} ({CA})")))?;
    let login = match (environment.get(USER), SecretSource::of_environment(environment, PASSWORD)) {
        (None, _) => None,
        (Some(user), Some(password)) => {
            let password = password.read(environment).map_err(Failure::usage)?;
            Some(EtcdLogin { user: user.to_owned(), password })
        }
        (Some(_), None) => {
            return Err(Failure::usage(format!("{USER} is set, and {PASSWORD} is not")));
        }
    };
    let gateway = Gateway::new(Arc::new(transport), address, login);
    Ok(Arc::new(EtcdMedium::new(gateway, address.prefix())))
}

/// Reads the key of a state, or begins the state with one.
fn key_of(
    way: &Way,
    address: &EtcdAddress,
    passphrase: &SecretString,
    absent: Absent,
    import: Option<&FingerprintKey>,
) -> Result<FingerprintKey, Failure> {
    let unusable = |reason: &dyn std::fmt::Display| {
        Failure::new(ErrorCode::State, format!("failed to use the state at {address}: {reason}"))
    };
    let place = address.prefix();
    let register = way.ask(|medium| async move { medium.register(KEY_REGISTER).await });
    let register = register.map_err(|error| unusable(&error))?;
    let unseal = |bytes: &[u8]| {
        FingerprintKey::unseal(bytes, passphrase, place).map_err(|error| {
            Failure::new(ErrorCode::State, format!("failed to {error}, at {address}"))
                .hint(format!("the passphrase is in {PASSPHRASE}, the same on every machine"))
        })
    };
    if !register.bytes.is_empty() {
        return unseal(&register.bytes);
    }
    if absent == Absent::Refuse {
        return Err(Failure::usage(format!("there is no state at {address}"))
            .hint("the first command that plans begins one; `stoker state push` moves one there"));
    }
    let key = match import {
        Some(key) => key.clone(),
        None => FingerprintKey::ephemeral().map_err(|error| unusable(&error))?,
    };
    let sealed = key.seal(passphrase, place);
    let sealed = sealed.map_err(|error| Failure::usage(format!("failed to {error}")))?;
    let name = unused().map_err(|error| unusable(&error))?;
    let flaws = way.ask(|medium| async move { probe(medium.as_ref(), &name, &name).await });
    let flaws = flaws.map_err(|error| unusable(&error))?;
    if let Some(flaw) = flaws.first() {
        return Err(unusable(&format!("it does not keep its word: {flaw}")));
    }
    let version = register.version;
    let put = sealed.into_bytes();
    let swap = way.ask(|medium| async move { Ok(medium.swap(KEY_REGISTER, version, &put).await) });
    match swap.map_err(|error| unusable(&error))? {
        Swap::Done(_) => Ok(key),
        // Another machine was faster, and its key is the one.
        Swap::Moved(register) => unseal(&register.bytes),
        Swap::Refused(reason) | Swap::Unknown(reason) => Err(unusable(&reason)),
    }
}

/// A store, and the thread that speaks with it.
struct Way {
    medium: Arc<dyn SharedMedium>,
    bridge: Bridge,
}

impl Way {
    fn to(address: &EtcdAddress, environment: &Environment) -> Result<Self, Failure> {
        let bridge = Bridge::start();
        let bridge = bridge.map_err(|error| {
            Failure::new(ErrorCode::State, format!("failed to reach the state: {error}"))
        })?;
        Ok(Self { medium: medium(address, environment)?, bridge })
    }

    fn ask<T, F>(&self, work: impl FnOnce(Arc<dyn SharedMedium>) -> F) -> Result<T, MediumError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, MediumError>> + Send + 'static,
    {
        let answer = self.bridge.ask(OPENING_TIME_MAX, work(Arc::clone(&self.medium)));
        let late = || format!("no answer within {} s", OPENING_TIME_MAX.as_secs());
        answer.unwrap_or_else(|| Err(MediumError(late())))
    }
}

/// Returns a name that nobody else uses.
fn unused() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(format!("probe-{}", hex::encode(bytes)))
}

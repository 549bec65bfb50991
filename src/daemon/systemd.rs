//! What systemd is told: that we are ready, that we live, what we do, that we end.
//!
//! The words are those of `sd_notify(3)`, a line each. Where to send them we are told, so that nothing
//! but the command line reads the environment.

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::render::inert;

/// The longest status; systemd shows one line.
const STATUS_CHARS_MAX: usize = 200;

/// The line to systemd; one that leads nowhere when systemd did not start us.
#[derive(Debug)]
pub struct Systemd {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

/// Why the line cannot be used, a fragment that completes "failed to …".
#[derive(Debug, thiserror::Error)]
#[error("reach systemd at NOTIFY_SOCKET: {0}")]
pub struct SystemdError(#[from] std::io::Error);

/// What systemd put into the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemdEnvironment<'a> {
    /// `NOTIFY_SOCKET`: a path, or `@` and an abstract name.
    pub notify_socket: Option<&'a str>,
    /// `WATCHDOG_USEC`: how long we may be silent.
    pub watchdog_usec: Option<&'a str>,
    /// `WATCHDOG_PID`: whom the watchdog is for.
    pub watchdog_pid: Option<&'a str>,
}

impl Systemd {
    /// Opens the line. `pid` is our own.
    ///
    /// # Errors
    /// When systemd named a socket that cannot be reached.
    pub fn open(surroundings: SystemdEnvironment<'_>, pid: u32) -> Result<Self, SystemdError> {
        let SystemdEnvironment { notify_socket, watchdog_usec, watchdog_pid } = surroundings;
        let Some(place) = notify_socket else {
            return Ok(Self { socket: None, watchdog: None });
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that does not read must not hold the agent.
        socket.set_nonblocking(true)?;
        socket.connect_addr(&address(place)?)?;
        let is_ours = watchdog_pid.is_none_or(|given| given.parse() == Ok(pid));
        let micros = watchdog_usec.and_then(|micros| micros.parse().ok());
        let watchdog = micros.filter(|micros| is_ours && *micros > 0).map(Duration::from_micros);
        Ok(Self { socket: Some(socket), watchdog })
    }

    /// Returns how often to call [`Self::alive`]: half of what systemd allows, so that one late
    /// call is no death. `None` when nobody watches.
    #[must_use]
    pub fn pulse(&self) -> Option<Duration> {
        self.watchdog.map(|allowed| allowed / 2)
    }

    /// Says that the service is up.
    pub fn ready(&self) {
        self.say("READY=1\n");
    }

    /// Says that the loops turn. Whoever calls it has seen that they do.
    pub fn alive(&self) {
        self.say("WATCHDOG=1\n");
    }

    /// Says at every pulse that the loops turn, as long as they do. Never returns while somebody
    /// watches; returns at once when nobody does.
    pub async fn keep_alive(&self, do_loops_turn: impl Fn() -> bool) {
        let Some(pulse) = self.pulse() else { return };
        loop {
            if do_loops_turn() {
                self.alive();
            } else {
                tracing::error!("a loop stands still; systemd is not told that we live");
            }
            tokio::time::sleep(pulse).await;
        }
    }

    /// Says in one line what goes on; `systemctl status` shows it.
    pub fn status(&self, line: &str) {
        let line: String = inert(line).chars().take(STATUS_CHARS_MAX).collect();
        self.say(&format!("STATUS={line}\n"));
    }

    /// Says that settings are read again (SIGHUP); [`Self::ready`] ends it.
    ///
    /// It carries the time of `CLOCK_MONOTONIC`, which `Type=notify-reload` asks for.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1_000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\n"));
    }

    /// Says that the service ends.
    pub fn stopping(&self) {
        self.say("STOPPING=1\n");
    }

    fn say(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = socket.send(message.as_bytes()) {
            tracing::debug!(%error, "systemd was not told");
        }
    }
}

/// Returns the address of a socket as systemd writes it.
fn address(place: &str) -> std::io::Result<SocketAddr> {
    match place.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt as _;
            SocketAddr::from_abstract_name(name)
        }
        _ => SocketAddr::from_pathname(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A manager that listens on a socket of its own.
    fn manager(watchdog: Option<&str>, pid: Option<&str>) -> (UnixDatagram, Systemd) {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("notify");
        let socket = UnixDatagram::bind(&place).unwrap();
        socket.set_nonblocking(true).unwrap();
        let surroundings = SystemdEnvironment {
            notify_socket: place.to_str(),
            watchdog_usec: watchdog,
            watchdog_pid: pid,
        };
        (socket, Systemd::open(surroundings, 42).unwrap())
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 1_000];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn the_life_of_a_service_is_told_in_systemds_words() {
        let (socket, systemd) = manager(None, None);
        systemd.ready();
        assert_eq!(heard(&socket), "READY=1\n");
        systemd.status("2 projects\nREADY=0\u{1b}[31m");
        assert_eq!(heard(&socket), "STATUS=2 projects\\nREADY=0[31m\n");
        systemd.alive();
        assert_eq!(heard(&socket), "WATCHDOG=1\n");
        systemd.reloading();
        let reloading = heard(&socket);
        assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
        systemd.stopping();
        assert_eq!(heard(&socket), "STOPPING=1\n");
        assert!(socket.recv(&mut [0; 10]).is_err(), "more was said than was asked for");
    }

    #[test]
    fn the_pulse_is_half_of_what_the_watchdog_allows_us() {
        let pulse = |usec, pid| manager(usec, pid).1.pulse();
        assert_eq!(pulse(Some("30000000"), Some("42")), Some(Duration::from_secs(15)));
        assert_eq!(pulse(Some("30000000"), None), Some(Duration::from_secs(15)));
        assert_eq!(pulse(Some("30000000"), Some("43")), None, "it is for another process");
        assert_eq!(pulse(Some("0"), None), None);
        assert_eq!(pulse(None, None), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stands_still_is_not_vouched_for() {
        let (socket, systemd) = manager(Some("20000000"), None);
        let turns = std::cell::Cell::new(2);
        let do_loops_turn = || turns.replace(turns.get() - 1) > 0;
        let kept = systemd.keep_alive(do_loops_turn);
        // At 0, 10, 20 and 30 s; the loops turn at the first two.
        let _ = tokio::time::timeout(Duration::from_secs(35), kept).await;
        assert_eq!(turns.get(), -2);
        assert_eq!(heard(&socket) + &heard(&socket), "WATCHDOG=1\nWATCHDOG=1\n");
        assert!(socket.recv(&mut [0; 10]).is_err());
    }

    #[test]
    fn an_abstract_name_is_a_place_and_a_missing_manager_is_none() {
        let name = format!("stoker-test-{}", std::process::id());
        use std::os::linux::net::SocketAddrExt as _;
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let place = format!("@{name}");
        let surroundings =
            SystemdEnvironment { notify_socket: Some(&place), ..SystemdEnvironment::default() };
        Systemd::open(surroundings, 1).unwrap().ready();
        assert_eq!(heard(&socket), "READY=1\n");
        // Nobody started us: everything may be said, and nobody is told.
        Systemd::open(SystemdEnvironment::default(), 1).unwrap().ready();
        let nowhere = SystemdEnvironment {
            notify_socket: Some("/nowhere/notify"),
            ..SystemdEnvironment::default()
        };
        assert!(Systemd::open(nowhere, 1).is_err());
    }
}

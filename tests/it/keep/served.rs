//! A platform of its own process, as the real one is: reached over a socket, with a token.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::machine::Machine;

/// A sandbox that is served.
pub struct Served {
    child: Child,
    pub url: String,
}

impl Served {
    /// Serves one, with faults.
    pub fn begin(machine: &Machine, faults: &str) -> Self {
        machine.prepare("platform");
        let mut command = machine.command_at("platform", "sandbox --listen 127.0.0.1:0");
        if !faults.is_empty() {
            command.args(["--faults", faults]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("export STACKBLAZE_API_URL=").unwrap().to_owned();
        Self { child, url }
    }

    /// Returns what leads a command there.
    pub fn variables(&self) -> [(&str, &str); 2] {
        [("STACKBLAZE_API_URL", &self.url), ("STACKBLAZE_TOKEN", stoker::emulator::TOKEN)]
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

//! What goes to this machine asks no proxy; what leaves it shows a proxy no token (S5).

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stoker::clock::Clock;
use stoker::emulator::{Emulator, EmulatorConfig, TOKEN, serve};
use stoker::sandbox::emulator_clock;

use super::machine::{Machine, Ran};
use super::sink::Sink;

/// Every variable by which anybody names a proxy.
const VARIABLES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// A proxy that refuses everything and keeps what it was told.
struct Proxy {
    url: String,
    heard: Arc<Mutex<String>>,
}

impl Proxy {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard: Arc<Mutex<String>> = Arc::default();
        let ears = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let mut bytes = [0; 4096];
                let length = stream.read(&mut bytes).unwrap_or(0);
                ears.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..length]));
                // Whoever asked may be gone.
                let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { url, heard }
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

/// Serves an emulator on a port of this machine, and returns its address.
fn platform(machine: &Machine) -> String {
    let emulator = Emulator::new(EmulatorConfig::default(), emulator_clock(&Clock::system()));
    let bind = tokio::net::TcpListener::bind("127.0.0.1:0");
    let listener = machine.runtime().block_on(bind).unwrap();
    let address = listener.local_addr().unwrap();
    machine.runtime().spawn(serve(emulator, listener, std::future::pending()));
    format!("http://{address}/v1")
}

#[test]
fn no_proxy_is_told_what_goes_to_this_machine() {
    let machine = Machine::with(&[("web.yaml", WEB)]);
    let api = platform(&machine);
    let by_name = api.replace("127.0.0.1", "localhost");
    for variable in VARIABLES {
        let proxy = Proxy::new();
        for address in [&api, &by_name] {
            let mut command = machine.command("plan manifests");
            command.env(variable, &proxy.url);
            command.env("STACKBLAZE_TOKEN", TOKEN).env("STACKBLAZE_API_URL", address);
            Ran::of(command).says(0, &["service/web"]);
        }
        assert_eq!(proxy.heard(), "", "{variable}");
    }
}

#[test]
fn an_agent_tells_and_is_asked_on_this_machine_without_a_proxy() {
    let machine = Machine::with(&[("web.yaml", WEB)]);
    let api = platform(&machine);
    let (sink, proxy) = (Sink::on(&machine), Proxy::new());
    let settings = format!("notifications:\n- {{ type: webhook, url: '{}/hook' }}\n", sink.url);
    machine.write("stoker.yaml", &settings);
    let mut variables = VARIABLES.map(|variable| (variable, proxy.url.as_str())).to_vec();
    let asking = variables.clone();
    variables.extend([("STACKBLAZE_TOKEN", TOKEN), ("STACKBLAZE_API_URL", api.as_str())]);
    let agent = machine.agent_with("manifests", &variables);
    agent.until("somebody is told", |_| sink.heard("/hook").pop());
    agent.until("it tells what it keeps", |agent| {
        let mut command = machine.command(&format!("get --agent {}", agent.url("")));
        command.envs(asking.clone());
        Ran::of(command).stdout.contains("service/web").then_some(())
    });
    assert_eq!(proxy.heard(), "");
    agent.end();
}

#[test]
fn a_proxy_on_the_way_to_the_api_carries_what_it_cannot_read() {
    let machine = Machine::with(&[("web.yaml", WEB)]);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = Proxy::new();
        let mut command = machine.command("plan manifests --timeout 5s");
        command.env(variable, &proxy.url);
        command.env("STACKBLAZE_TOKEN", TOKEN).env("STACKBLAZE_API_URL", "https://api.test/v1");
        let ran = Ran::of(command);
        assert_ne!(ran.exit, 0, "{variable}");
        let heard = proxy.heard();
        assert!(heard.starts_with("CONNECT api.test:443 "), "{variable}: {heard}");
        assert!(!heard.contains(TOKEN), "{variable}: {heard}");
    }
}

const WEB: &str = "apiVersion: stackblaze.cloud/v1\nkind: Service\nmetadata: { name: web }\n\
                   spec: { type: web, image: nginx, port: 8080 }\n";

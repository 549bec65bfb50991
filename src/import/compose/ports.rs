//! `ports` and `expose`: which port is served, and whether to everybody.

use super::ComposeReader;
use super::environment::ComposeVariable;
use super::interpolate::HOLE;
use super::service::ComposeService;
use crate::import::references::Hosts;
use crate::import::report::ImportReport;
use crate::import::resource::set;
use crate::manifest::{Placed, quoted};
use crate::model::{FieldValue, Origin, Setting};

/// A port of a service.
#[derive(Clone, Debug)]
pub(super) struct ComposePort {
    /// Within the container.
    pub number: u16,
    pub reach: PortReach,
    pub origin: Origin,
}

/// Who reaches a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PortReach {
    /// Everybody who reaches the machine.
    Everybody,
    /// Programs of the machine itself.
    Machine,
    /// Other services.
    Network,
}

/// Reads the ports of a service; those of other protocols than TCP cannot be carried over.
pub(super) fn read(
    reader: &mut ComposeReader<'_, '_>,
    service: &Placed,
    path: &str,
) -> Vec<ComposePort> {
    let mut ports = Vec::new();
    for item in service.get("ports").map(Placed::items).unwrap_or_default() {
        let path = format!("{path}.ports");
        let port = match item.scalar() {
            Some(_) => short(reader, item, &path),
            None => long(reader, item, &path),
        };
        ports.extend(port);
    }
    for item in service.get("expose").map(Placed::items).unwrap_or_default() {
        let path = format!("{path}.expose");
        let Some(text) = reader.whole(item, &path) else { continue };
        ports.extend(container(reader, item, &path, &text, PortReach::Network));
    }
    ports
}

/// `[[IP:]HOST:]CONTAINER[/PROTOCOL]`. Only the last part must be known.
fn short(reader: &mut ComposeReader<'_, '_>, item: &Placed, path: &str) -> Option<ComposePort> {
    let filled = reader.text(item, path)?;
    if filled.is_secret {
        reader.hide(item, path);
        return None;
    }
    let text = filled.text;
    let (before, last) = text.rsplit_once(':').unwrap_or(("", &text));
    if last.contains(HOLE) {
        let message = format!("`{path}` does not tell which port the program listens on");
        let hint = "write `port` into the manifest";
        reader.report.mind(item.origin(), "to-be-given", message, hint);
        return None;
    }
    let ip = before.rsplit_once(':').map_or("", |(ip, _)| ip);
    let reach = match text.starts_with(':') {
        true => PortReach::Network,
        false => reach(ip),
    };
    if reach == PortReach::Network {
        let message = format!("`{}` publishes nothing", quoted(&text));
        let hint = "write the host's port before it, or remove the `:`";
        reader.report.mind(item.origin(), "port", message, hint);
    }
    container(reader, item, path, last, reach)
}

fn long(reader: &mut ComposeReader<'_, '_>, item: &Placed, path: &str) -> Option<ComposePort> {
    let why = "the platform serves one port of a service, to the whole internet";
    for (key, value) in item.entries() {
        match key.as_str() {
            "target" | "protocol" | "host_ip" => {}
            "published" => value.take(),
            _ => reader.report.lose(value, &format!("{path}.{key}"), why),
        }
    }
    let Some(target) = item.get("target") else {
        reader.report.wrong_type(item, path, "a port, or a mapping with `target`");
        return None;
    };
    let target = reader.whole(target, path)?;
    let protocol = item.get("protocol").and_then(|it| reader.whole(it, path));
    let ip = item.get("host_ip").and_then(|it| reader.whole(it, path)).unwrap_or_default();
    let text = format!("{target}/{}", protocol.as_deref().unwrap_or("tcp"));
    container(reader, item, path, &text, reach(&ip))
}

fn reach(ip: &str) -> PortReach {
    let ip = ip.trim_matches(['[', ']']);
    match ip.starts_with("127.") || matches!(ip, "localhost" | "::1") {
        true => PortReach::Machine,
        false => PortReach::Everybody,
    }
}

fn container(
    reader: &mut ComposeReader<'_, '_>,
    item: &Placed,
    path: &str,
    text: &str,
    reach: PortReach,
) -> Option<ComposePort> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    if !protocol.eq_ignore_ascii_case("tcp") {
        reader.report.lose(item, path, "the platform serves only TCP");
        return None;
    }
    let first = port.split_once('-').map_or(port, |(first, _)| first);
    if first != port {
        let message = format!("of the ports `{}` only {first} is used", quoted(port));
        reader.report.mind(item.origin(), "port", message, "the platform serves one of a service");
    }
    match first.parse::<u16>() {
        Ok(number @ 1..) => Some(ComposePort { number, reach, origin: item.origin() }),
        Ok(_) | Err(_) => {
            let message = format!("`{}` is not a port", quoted(text));
            reader.report.error(item.origin(), "port", message, "a number from 1 to 65535");
            None
        }
    }
}

/// Gives a service without a port the one at which another asks it.
pub(super) fn asked(
    begun: &mut [(ComposeService, Vec<ComposeVariable>)],
    hosts: &mut Hosts,
    report: &mut ImportReport,
) {
    let variables = begun.iter().flat_map(|(_, variables)| variables);
    let texts: Vec<(String, Origin)> = variables
        .filter_map(|it| Some((it.value.as_ref()?.whole()?.to_owned(), it.origin.clone())))
        .collect();
    for (text, origin) in texts {
        let Some((key, port)) = hosts.asked(&text) else { continue };
        let Some((service, _)) = begun.iter_mut().find(|(it, _)| it.resource.key == key) else {
            continue;
        };
        hosts.serve(&key, port);
        let message = format!("{key} is assumed to serve port {port}, on which it is called here");
        report.mind(origin.clone(), "port", message, "correct its `port`, if it serves another");
        set(&mut service.resource, Setting::Port, FieldValue::Integer(port.into()), origin);
    }
}

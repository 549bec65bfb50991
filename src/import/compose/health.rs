//! `healthcheck`: a request to the program itself becomes a path; nothing else does.

use super::ComposeReader;
use super::project::as_it_stands;
use super::words;
use crate::manifest::{Placed, quoted};

/// What of a check cannot be carried over.
const WHY: &str = "the platform has only the path of a health check";

/// Returns the path that a service is asked for, where its check is a request to it.
pub(super) fn read(
    reader: &mut ComposeReader<'_, '_>,
    check: &Placed,
    path: &str,
    port: Option<u16>,
) -> Option<String> {
    words::below(reader, check, path, &["test"], WHY);
    let test = check.get("test")?;
    let path = format!("{path}.test");
    let (stands, asked) = match test.scalar() {
        Some((text, _)) => {
            let filled = reader.text(test, &path)?;
            if filled.is_secret {
                reader.hide(test, &path);
                return None;
            }
            (text.to_owned(), filled.text)
        }
        None => {
            let words = reader.texts(test, &path);
            // In a list `NONE` turns the check off; as a text it is a command.
            if words.first().is_some_and(|word| word == "NONE") {
                reader.report.lose(
                    test,
                    &path,
                    "the platform decides whether a service is checked",
                );
                return None;
            }
            (as_it_stands(test, " "), words.join(" "))
        }
    };
    let found = request(&asked);
    let is_own = found.is_some_and(|(number, _)| port.is_none_or(|port| number == port));
    match found.filter(|_| is_own) {
        Some((_, path)) => Some(path.to_owned()),
        None => {
            let why = match found {
                Some((number, _)) => {
                    format!("it requests port {number}, which is not the one served")
                }
                None => format!("`{}` is not a request to the service", quoted(&stands)),
            };
            reader.report.lose(test, &path, &why);
            None
        }
    }
}

/// Finds a request to the machine itself: its port and its path.
fn request(command: &str) -> Option<(u16, &str)> {
    let (_, rest) = command.split_once("http://")?;
    let is_end = |c: char| c.is_whitespace() || "\"'`|)(;&\\,{}\0".contains(c);
    let url = &rest[..rest.find(is_end).unwrap_or(rest.len())];
    let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => (host, port),
        _ => (authority, "80"),
    };
    let is_own = matches!(host, "localhost" | "127.0.0.1" | "0.0.0.0" | "[::1]");
    let path = if path.is_empty() { "/" } else { path };
    is_own.then_some((port.parse().ok()?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_the_service_itself_is_found_in_a_command() {
        for (command, expected) in [
            ("curl -f http://localhost:3000/health || exit 1", Some((3000, "/health"))),
            ("wget -qO- http://127.0.0.1/", Some((80, "/"))),
            ("curl http://localhost:80", Some((80, "/"))),
            (
                "node -e \"require('http').get('http://localhost:3000/up', r => 0)\"",
                Some((3000, "/up")),
            ),
            ("curl http://[::1]:8080/x?y=1", Some((8080, "/x?y=1"))),
            ("curl http://db:80/health", None),
            ("pg_isready -U postgres", None),
            ("curl http://localhost:PORT/", None),
        ] {
            assert_eq!(request(command), expected, "{command}");
        }
    }
}

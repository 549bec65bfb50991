//! Where a repository is, and the credentials that stood in its URL, kept apart from each other.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::error::WrongSetting;
use crate::model::{names_loopback, struck};

/// The longest URL; far above what any host uses.
const LENGTH_MAX: usize = 2_048;

/// How git reaches a repository. It is allowed this one way and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GitTransport {
    Https,
    /// To this machine only.
    Http,
    Ssh,
    /// A repository or a bundle on this machine.
    File,
}

/// The address of a repository, checked: no option of git, no helper program, no password in it.
///
/// What `Display` and `Debug` show is safe to show anywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    transport: GitTransport,
    /// Without credentials. This is what stands in git's arguments.
    text: String,
}

/// What stood before the `@` of an `https` URL. The user may be a token as well.
#[derive(Clone, Debug, Default)]
pub(in crate::source) struct Login {
    pub user: Option<SecretString>,
    pub password: Option<SecretString>,
}

impl Address {
    /// Reads `https://host/path`, `http://` to this machine, `ssh://[user@]host[:port]/path`,
    /// `[user@]host:path`, `file:///path` or a path. A user and a password in an `https` URL are
    /// returned apart.
    ///
    /// # Errors
    /// When it is none of these, or could be read by git as something else.
    pub(in crate::source) fn parse(text: &str) -> Result<(Self, Login), WrongSetting> {
        let wrong = |why| WrongSetting::new("repository", &without_login(text), why);
        if text.is_empty() || text.len() > LENGTH_MAX {
            return Err(wrong("it is empty or too long"));
        }
        if text.starts_with('-') {
            return Err(wrong("it begins with `-`"));
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong("it contains spaces or control characters"));
        }
        let before_slash = text.split('/').next().unwrap_or_default();
        if before_slash.contains("::") {
            return Err(wrong("helper programs are not used"));
        }
        match text.split_once("://") {
            Some(("https", rest)) => web(GitTransport::Https, "https", rest).map_err(wrong),
            Some(("http", rest)) => web(GitTransport::Http, "http", rest).map_err(wrong),
            Some(("ssh", rest)) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                check_ssh(authority, path).map_err(wrong)?;
                Ok(plain(GitTransport::Ssh, text))
            }
            Some(("file", path)) => local(path).map_err(wrong),
            Some(_) => Err(wrong("only https, ssh and files are supported")),
            None => match before_slash.split_once(':') {
                Some((authority, _)) => {
                    let path = &text[authority.len() + 1..];
                    if path.contains('@') {
                        return Err(wrong("write it as ssh://user@host/path"));
                    }
                    check_ssh(authority, path).map_err(wrong)?;
                    Ok(plain(GitTransport::Ssh, text))
                }
                None => local(text).map_err(wrong),
            },
        }
    }

    /// Whether it is reached over the network of this machine alone.
    pub(super) fn is_on_this_machine(&self) -> bool {
        let origin = self.origin();
        let host = origin.as_deref().and_then(|origin| origin.split("://").nth(1));
        host.is_some_and(|host| is_loopback(host.trim_end_matches('/')))
    }

    pub(super) const fn transport(&self) -> GitTransport {
        self.transport
    }

    /// Returns it as git is given it, which is without credentials.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns it in the one spelling of `repo` for https and ssh: host and path. None of a place
    /// that only this machine reaches.
    #[must_use]
    pub fn as_repo(&self) -> Option<String> {
        let text = self.text.strip_suffix('/').unwrap_or(&self.text);
        let text = text.strip_suffix(".git").unwrap_or(text);
        let (host, path) = match (self.transport, text.split_once("://")) {
            (GitTransport::Https, Some((_, rest))) => rest.split_once('/')?,
            (GitTransport::Ssh, Some((_, rest))) => {
                let (authority, path) = rest.split_once('/')?;
                // A port of ssh is none of https.
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                (host.split(':').next()?, path)
            }
            (GitTransport::Ssh, None) => {
                let (authority, path) = text.split_once(':')?;
                let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                (host, path.trim_start_matches('/'))
            }
            (GitTransport::Https | GitTransport::Http | GitTransport::File, _) => return None,
        };
        Some(format!("{}/{path}", host.to_ascii_lowercase()))
    }

    /// Returns scheme, host and port of a web address, with a slash: the token goes only there.
    pub(super) fn origin(&self) -> Option<String> {
        match self.transport {
            GitTransport::Https | GitTransport::Http => {
                let (scheme, rest) = self.text.split_once("://")?;
                let authority = rest.split('/').next()?;
                Some(format!("{scheme}://{authority}/"))
            }
            GitTransport::Ssh | GitTransport::File => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn plain(transport: GitTransport, text: &str) -> (Address, Login) {
    (Address { transport, text: text.to_owned() }, Login::default())
}

fn web(
    transport: GitTransport,
    scheme: &str,
    rest: &str,
) -> Result<(Address, Login), &'static str> {
    let (authority, path) = rest.split_once('/').ok_or("it has no path")?;
    let (login, host) = match authority.rsplit_once('@') {
        Some((login, host)) => (login_of(login)?, host),
        None => (Login::default(), authority),
    };
    check_host(host)?;
    if path.is_empty() || path.contains(['?', '#', '@']) {
        return Err("it has no path, or a path with `?`, `#` or `@` in it");
    }
    if transport == GitTransport::Http && !is_loopback(host) {
        return Err("plain http is allowed only to this machine");
    }
    Ok((Address { transport, text: format!("{scheme}://{host}/{path}") }, login))
}

fn login_of(text: &str) -> Result<Login, &'static str> {
    let (user, password) = match text.split_once(':') {
        Some((user, password)) => (user, Some(password)),
        None => (text, None),
    };
    let decoded = |part: &str| percent_decoded(part).ok_or("its user or password is badly escaped");
    let user = Some(decoded(user)?).filter(|user| !user.is_empty());
    let password = password.map(decoded).transpose()?.filter(|password| !password.is_empty());
    Ok(Login { user: user.map(SecretString::from), password: password.map(SecretString::from) })
}

fn check_ssh(authority: &str, path: &str) -> Result<(), &'static str> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("git", authority),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if user.is_empty() || user.starts_with('-') || !user.chars().all(is_name) {
        return Err("its user is not a plain name; ssh takes no password here");
    }
    check_host(host)?;
    if path.is_empty() || path.starts_with('-') {
        return Err("it has no path, or one that begins with `-`");
    }
    Ok(())
}

fn check_host(host: &str) -> Result<(), &'static str> {
    let is_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if host.is_empty() || host.starts_with(['-', ':']) || !host.chars().all(is_host) {
        return Err("its host is not a plain name or address");
    }
    Ok(())
}

/// Whether a host with its port is this machine.
fn is_loopback(host: &str) -> bool {
    let end = host.find(']').map_or_else(|| host.find(':'), |closing| Some(closing + 1));
    names_loopback(&host[..end.unwrap_or(host.len())])
}

/// Makes a path absolute, because git does not run in our working directory.
fn local(path: &str) -> Result<(Address, Login), &'static str> {
    let absolute = std::path::absolute(path).map_err(|_| "it is not a path")?;
    let text = absolute.to_str().ok_or("it is in a directory whose name is not Unicode")?;
    Ok(plain(GitTransport::File, text))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let value = digit()? * 16 + digit()?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Cuts out of a text whatever stands where a URL has its user and password.
pub(super) fn without_login(text: &str) -> String {
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("://");
        let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '\'' | '"' | '?' | '#');
        let authority = &part[..part.find(is_end).unwrap_or(part.len())];
        match authority.rfind('@') {
            Some(at) => clean.push_str(&part[at + 1..]),
            None => clean.push_str(part),
        }
    }
    clean
}

/// Strikes credentials out of what git says (S9).
#[derive(Clone, Default)]
pub(super) struct Eraser(Vec<SecretString>);

impl Eraser {
    /// Remembers a text that must not be seen.
    pub fn learn(&mut self, secret: &str) {
        let is_known = self.0.iter().any(|known| known.expose_secret() == secret);
        if !secret.is_empty() && !is_known {
            self.0.push(SecretString::from(secret));
        }
    }

    /// Returns a text without any of them, and without the login of any URL.
    pub fn clean(&self, text: &str) -> String {
        without_login(&struck(text, self.0.iter().map(ExposeSecret::expose_secret)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        match Address::parse(text) {
            Ok((address, login)) => {
                let user = login.user.map(|user| format!(" user {}", user.expose_secret()));
                let password = login.password.map(|p| format!(" password {}", p.expose_secret()));
                let user = user.unwrap_or_default();
                format!("{:?} {address}{user}{}", address.transport, password.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_address_is_read_and_its_login_is_kept_apart() {
        for (text, expected) in [
            ("https://github.com/acme/shop.git", "Https https://github.com/acme/shop.git"),
            ("https://bot@h.test/a", "Https https://h.test/a user bot"),
            (
                "https://bot:p%40ss@h.test:8443/a",
                "Https https://h.test:8443/a user bot password p@ss",
            ),
            ("http://127.0.0.1:80/a", "Http http://127.0.0.1:80/a"),
            ("http://[::1]:80/a", "Http http://[::1]:80/a"),
            ("ssh://git@h.test:22/a.git", "Ssh ssh://git@h.test:22/a.git"),
            ("git@github.com:acme/shop.git", "Ssh git@github.com:acme/shop.git"),
            ("/srv/git/a b.git".replace(' ', "_").as_str(), "File /srv/git/a_b.git"),
            ("file:///srv/a.git", "File /srv/a.git"),
        ] {
            assert_eq!(check(text), expected, "{text}");
        }
    }

    #[test]
    fn what_git_could_take_for_an_option_or_a_program_is_refused() {
        for text in [
            "",
            "--upload-pack=x",
            "-x",
            "ext::sh -c x",
            "ext::sh",
            "fd::17",
            "ssh://-oProxyCommand=x/a",
            "-oProxyCommand=x:a",
            "git@-oProxyCommand=x:a",
            "git@h.test:-x",
            "ssh://u:p@h.test/a",
            "ssh://h.test",
            "git://h.test/a",
            "http://h.test/a",
            "http://localhost.evil.test/a",
            "https://h.test",
            "https:///a",
            "https://h.test/a?token=CANARY",
            "https://h.test/a\nb",
            "https://u:%zz@h.test/a",
            "a:b@h.test:path",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_login_is_shown_even_of_a_wrong_address() {
        for text in ["https://u:CANARY@h.test", "git://u:CANARY@h.test/a", "https://u:CANARY@-/a"] {
            assert!(!check(text).contains("CANARY"), "{text}: {}", check(text));
        }
        let (address, login) = Address::parse("https://u:CANARY@h.test/a").unwrap();
        assert!(!format!("{address:?} {address} {login:?}").contains("CANARY"));
    }

    #[test]
    fn an_eraser_strikes_out_what_it_learned_and_every_login() {
        let mut eraser = Eraser::default();
        eraser.learn("CANARY");
        let said = "fatal: 'https://u:p@h.test/a' refused CANARY; see http://x:y@z/ and a@b.c";
        assert_eq!(
            eraser.clean(said),
            "fatal: 'https://h.test/a' refused (secret); see http://z/ and a@b.c"
        );
    }
}

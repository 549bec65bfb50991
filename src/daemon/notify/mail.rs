//! A notice by e-mail, handed to one server of one's own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::Uri;
pub use lettre::message::Mailbox as Person;
use lettre::message::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParametersBuilder};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::names_loopback;

use super::notice::Notice;
use super::request::{about, heading, line};

/// How long one step of the conversation may take: servers let strangers wait before they greet.
const STEP_TIME_MAX: Duration = Duration::from_secs(60);

/// Programs cut longer subjects, or fold them badly.
const SUBJECT_CHARS_MAX: usize = 200;

/// Nobody reads more.
const MESSAGE_CHARS_MAX: usize = 4_000;

/// Where mail is handed over, as it is called in the settings: `smtps://mail.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    host: String,
    port: u16,
    security: Security,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// The connection begins with TLS.
    Tls,
    /// It is asked for before anything is said, and nothing is said without it.
    StartTls,
    /// To this machine only.
    None,
}

/// Why a text names no server, a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailServerError {
    /// It is no such address.
    #[error("it is not an address such as smtps://mail.example.com or smtp://mail.example.com:587")]
    NoServer,
    /// The user has settings of its own.
    #[error("it contains a user name or a password")]
    Credentials,
}

impl FromStr for MailServer {
    type Err = MailServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.trim().parse().map_err(|_| MailServerError::NoServer)?;
        let authority = uri.authority().ok_or(MailServerError::NoServer)?;
        if authority.as_str().contains('@') {
            return Err(MailServerError::Credentials);
        }
        let host = authority.host().trim_matches(['[', ']']);
        if host.is_empty() || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(MailServerError::NoServer);
        }
        let (port, security) = match uri.scheme_str() {
            Some("smtps") => (465, Security::Tls),
            Some("smtp") if names_loopback(authority.host()) => (25, Security::None),
            Some("smtp") => (587, Security::StartTls),
            _ => return Err(MailServerError::NoServer),
        };
        let port = authority.port_u16().unwrap_or(port);
        Ok(Self { host: host.to_owned(), port, security })
    }
}

/// Who writes to whom, and through which server.
#[derive(Clone)]
pub struct Mailbox {
    /// Where mail is handed over.
    pub server: MailServer,
    /// Who it is from.
    pub from: Person,
    /// Who it is for.
    pub to: Vec<Person>,
    /// The user and the password, where the server asks for them.
    pub login: Option<(String, SecretString)>,
    /// Further certificates to trust, in PEM.
    pub certificates: Option<Vec<u8>>,
}

/// Shows no secret (S9).
impl fmt::Debug for Mailbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mail({})", self.server.host)
    }
}

/// Why mail was not taken, a fragment.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(super) struct MailError {
    pub is_final: bool,
    reason: String,
}

impl MailError {
    /// The same would fail again.
    fn refused(reason: impl fmt::Display) -> Self {
        Self { is_final: true, reason: reason.to_string() }
    }
}

impl From<lettre::transport::smtp::Error> for MailError {
    fn from(error: lettre::transport::smtp::Error) -> Self {
        Self { is_final: error.is_permanent() || error.is_client(), reason: error.to_string() }
    }
}

impl Mailbox {
    /// Hands one message over.
    pub(super) async fn send(&self, notice: &Notice, link: Option<&str>) -> Result<(), MailError> {
        let message = self.message(notice, link)?;
        self.transport()?.send(message).await?;
        Ok(())
    }

    fn message(&self, notice: &Notice, link: Option<&str>) -> Result<Message, MailError> {
        let mut text = format!("{}\n\n", line(&notice.message, MESSAGE_CHARS_MAX));
        for (name, value) in [
            ("Project", notice.project.as_str()),
            ("Outcome", notice.outcome.as_str()),
            ("Reason", notice.reason.as_str()),
            ("Revision", &about(notice)),
            ("At", &notice.at.to_string()),
        ] {
            text += &format!("{name}: {value}\n");
        }
        if let Some(link) = link {
            text += &format!("\n{link}\n");
        }
        // Answering machines do not answer what no person wrote (RFC 3834).
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(line(&format!("[stoker] {}", heading(notice)), SUBJECT_CHARS_MAX))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        for person in &self.to {
            message = message.to(person.clone());
        }
        message.body(text).map_err(MailError::refused)
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let MailServer { host, port, security } = &self.server;
        let mut tls = TlsParametersBuilder::new(host.clone());
        if let Some(pem) = &self.certificates {
            tls = tls.add_root_certificate(Certificate::from_pem(pem)?);
        }
        let tls = match security {
            Security::Tls => Tls::Wrapper(tls.build()?),
            Security::StartTls => Tls::Required(tls.build()?),
            Security::None => Tls::None,
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .hello_name(ClientId::Domain(self.from.email.domain().to_owned()))
            .timeout(Some(STEP_TIME_MAX));
        if let Some((user, password)) = &self.login {
            let password = password.expose_secret().to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        Ok(transport.build())
    }
}

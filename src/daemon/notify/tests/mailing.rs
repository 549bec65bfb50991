//! What is said to a mail server, over a real connection.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::super::mail::MailError;
use super::super::{MailServer, MailServerError, Mailbox, Notified, decide};
use super::{COMMIT, STALLED, sink, status};

/// A server that takes one message, or answers `RCPT TO` so; returns its port and what was said.
async fn server(rcpt: &'static str) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let (mut said, mut is_data) = (String::new(), false);
        writer.write_all(b"220 mail.dev\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            said += &format!("{line}\n");
            let answer = match line.split(' ').next().unwrap() {
                "." => {
                    is_data = false;
                    "250 taken"
                }
                _ if is_data => continue,
                "RCPT" => rcpt,
                "DATA" => {
                    is_data = true;
                    "354 go on"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
        said
    });
    (port, said)
}

async fn sent(port: u16) -> Result<(), MailError> {
    let mailbox = Mailbox {
        server: format!("smtp://127.0.0.1:{port}").parse().unwrap(),
        from: "Stoker <stoker@shop.dev>".parse().unwrap(),
        to: vec!["ada@shop.dev".parse().unwrap(), "Ops <ops@shop.dev>".parse().unwrap()],
        login: None,
        certificates: None,
    };
    let notices = decide(&status(COMMIT, STALLED), &[sink("webhook")], &Notified::default());
    mailbox.send(notices.last().unwrap(), Some("https://stoker.dev/")).await
}

#[tokio::test]
async fn a_mail_says_who_what_and_why_and_that_no_person_wrote_it() {
    let (port, said) = server("250 ok").await;
    sent(port).await.unwrap();
    let said = said.await.unwrap();
    for part in [
        "EHLO shop.dev",
        "MAIL FROM:<stoker@shop.dev>",
        "RCPT TO:<ada@shop.dev>",
        "RCPT TO:<ops@shop.dev>",
        "Subject: [stoker] shop broken: DeployFailed",
        "Auto-Submitted: auto-generated",
        "because of DeployFailed",
        "https://stoker.dev/",
    ] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_not_tried_again_and_what_it_puts_off_is() {
    let (port, _) = server("550 no such user").await;
    assert!(sent(port).await.unwrap_err().is_final);
    let (port, _) = server("451 come back later").await;
    assert!(!sent(port).await.unwrap_err().is_final);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert!(!sent(nobody).await.unwrap_err().is_final);
}

#[test]
fn a_server_is_named_with_how_it_is_kept_private() {
    let read = |text: &str| text.parse::<MailServer>().map(|it| format!("{it:?}"));
    assert!(read("smtps://mail.dev").unwrap().contains("port: 465, security: Tls"));
    assert!(read("smtp://mail.dev").unwrap().contains("port: 587, security: StartTls"));
    assert!(read("smtp://[::1]:2525").unwrap().contains("\"::1\", port: 2525, security: None"));
    assert_eq!(read("smtp://me:canary@mail.dev"), Err(MailServerError::Credentials));
    for text in ["mail.dev", "https://mail.dev", "smtp://", "smtp://mail.dev/a", ""] {
        assert_eq!(read(text), Err(MailServerError::NoServer), "{text}");
    }
}

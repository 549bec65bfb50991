//! A server with a certificate that nobody here knows, over a real socket. The certificates in
//! `tests/fixtures/tls` were made with openssl for this alone, and end in a hundred years.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Serves the project over TLS; returns the address, and how often somebody came.
fn server() -> (String, Arc<AtomicUsize>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let certificate = CertificateDer::from_pem_file(fixture("leaf.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("leaf-key.pem")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}/v1", listener.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            counted.fetch_add(1, Ordering::Relaxed);
            let (mut socket, config) = (socket.unwrap(), Arc::clone(&config));
            let mut session = rustls::ServerConnection::new(config).unwrap();
            let mut stream = rustls::Stream::new(&mut session, &mut socket);
            let mut bytes = [0; 4096];
            // Who does not trust it goes away.
            if stream.read(&mut bytes).is_ok_and(|length| length > 0) {
                let body = r#"{"id":"prj_1","name":"acme"}"#;
                let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length";
                let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).unwrap();
                session.send_close_notify();
                drop(session.complete_io(&mut socket));
            }
        }
    });
    (address, visits)
}

fn client(address: &str, ca_file: Option<&Path>) -> Client {
    connected(address, HttpTransport::new(ca_file).unwrap(), None)
}

#[tokio::test]
async fn an_unknown_issuer_is_asked_once_and_met_with_the_flag_that_names_it() {
    let (address, visits) = server();
    let error = client(&address, None).reader().project().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.hints().iter().any(|hint| hint.contains("--ca-file")), "{:?}", error.hints());
    assert!(error.to_string().contains(&address), "{error}");
    assert!(!error.may_have_happened());
    assert_eq!(visits.load(Ordering::Relaxed), 1);
    let known = client(&address, Some(&fixture("ca.pem")));
    assert_eq!(known.reader().project().await.unwrap().name, "acme");
}

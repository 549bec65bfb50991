//! What only the system can show: addresses, the socket's file, and the end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::oneshot;

use super::super::{SOCKET_NAME, Server, ServerError, ServerSettings};
use super::stage::{Stage, TOKEN};
use crate::daemon::SharedSecret;

async fn bind(stage: &Stage, settings: ServerSettings) -> Result<Server, ServerError> {
    let (projects, meters) = (stage.projects.clone(), stage.meters.clone());
    Server::bind(settings, projects, meters, stage.clock.clone()).await
}

fn in_directory(directory: &Path) -> ServerSettings {
    ServerSettings { state_directories: vec![directory.to_owned()], ..ServerSettings::default() }
}

/// Asks for something and reads the answer to the end of the connection.
async fn ask(mut peer: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    peer.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    peer.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_answers_on_an_address_and_on_its_socket_and_leaves_nothing_behind() {
    let stage = Stage::new(&["shop"]);
    let state = tempfile::tempdir().unwrap();
    let directory = state.path().join("made/when/missing");
    let listen = vec!["127.0.0.1:0".parse().unwrap()];
    let settings = ServerSettings { listen, ..in_directory(&directory) };
    let server = bind(&stage, settings).await.unwrap();
    let address = server.addresses().unwrap()[0];
    let path = directory.join(SOCKET_NAME);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&directory)), (0o600, 0o700));
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(server.serve(async {
        let _ = stopped.await;
    }));
    let answer = ask(TcpStream::connect(address).await.unwrap(), "/api/status").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("shop"), "{answer}");
    let answer = ask(UnixStream::connect(&path).await.unwrap(), "/api/status").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("shop"), "{answer}");
    // A listener that stays does not hold the end up.
    let mut listener = TcpStream::connect(address).await.unwrap();
    listener.write_all(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    listener.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stop.send(()).unwrap();
    served.await.unwrap();
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn beyond_this_machine_it_listens_with_a_token_only() {
    let stage = Stage::new(&["shop"]);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let listen = vec!["127.0.0.1:0".parse().unwrap(), address.parse().unwrap()];
        let settings = ServerSettings { listen, ..ServerSettings::default() };
        let error = bind(&stage, settings).await.unwrap_err();
        assert!(matches!(error, ServerError::NeedsToken { .. }), "{address}: {error}");
        assert!(error.to_string().contains(address), "{error}");
        assert!(error.hints()[0].contains("token"), "{:?}", error.hints());
    }
    let bearer = Some(SharedSecret::parse(TOKEN).unwrap());
    let listen = vec!["0.0.0.0:0".parse().unwrap()];
    let server = bind(&stage, ServerSettings { listen, bearer, ..ServerSettings::default() }).await;
    assert!(!format!("{:?}", server.unwrap()).contains(TOKEN));
}

#[tokio::test]
async fn a_dead_agents_socket_is_replaced_and_a_living_ones_is_not() {
    let stage = Stage::new(&["shop"]);
    let state = tempfile::tempdir().unwrap();
    let path = state.path().join(SOCKET_NAME);
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let living = bind(&stage, in_directory(state.path())).await.unwrap();
    let error = bind(&stage, in_directory(state.path())).await.unwrap_err();
    assert!(matches!(error, ServerError::AnotherAgent { .. }), "{error}");
    assert!(error.to_string().contains("another agent uses the state directory"), "{error}");
    assert!(path.exists(), "the living one keeps its socket");
    drop(living);
    assert!(!path.exists());
    let server = bind(&stage, in_directory(state.path())).await.unwrap();
    // Somebody replaced it by force: what is there now is not ours to remove.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    drop(server);
    assert!(path.exists());
    let error = bind(&stage, in_directory(state.path())).await.unwrap_err();
    assert!(matches!(error, ServerError::NotASocket { .. }), "{error}");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_said_to_be_and_one_just_short_enough_works() {
    let stage = Stage::new(&["shop"]);
    let state = tempfile::tempdir().unwrap();
    let sized = |bytes: usize| -> PathBuf {
        let taken = state.path().as_os_str().len() + "/".len() + "/".len() + SOCKET_NAME.len();
        state.path().join("d".repeat(bytes - taken))
    };
    let error = bind(&stage, in_directory(&sized(108))).await.unwrap_err();
    assert!(matches!(error, ServerError::SocketTooLong { bytes_max: 107, .. }), "{error}");
    assert!(bind(&stage, in_directory(&sized(107))).await.is_ok());
}

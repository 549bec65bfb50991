//! Which connection a request leaves on, and what an end of one says, over real sockets.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A server that hangs up without a word when a request comes on a connection that was unused for
/// longer than so long: what is seen of a server whose close crosses the request.
struct Impatient {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Impatient {
    async fn start(patience: Duration, head: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/v1/things", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(socket, patience, head));
            }
        });
        Self { address, connections }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn serve(mut socket: TcpStream, patience: Duration, head: &'static str) {
    let mut bytes = vec![0; 4096];
    let mut unused_since = None::<tokio::time::Instant>;
    while let Ok(1..) = socket.read(&mut bytes).await {
        if unused_since.is_some_and(|since| since.elapsed() > patience) {
            return;
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n{head}\r\n{{}}");
        socket.write_all(answer.as_bytes()).await.unwrap();
        unused_since = Some(tokio::time::Instant::now());
    }
}

fn request(method: http::Method, address: &str) -> http::Request<Bytes> {
    http::Request::builder().method(method).uri(address).body(Bytes::new()).unwrap()
}

/// Sends a request and reads its answer.
async fn exchange(
    transport: &HttpTransport,
    request: http::Request<Bytes>,
) -> Result<(), TransportError> {
    let pieces: Vec<_> = transport.send(request).await?.into_body().collect().await;
    pieces.into_iter().try_for_each(|piece| piece.map(drop))
}

#[tokio::test]
async fn a_write_is_not_lost_because_its_connection_was_being_closed() {
    let server = Impatient::start(Duration::from_millis(150), "").await;
    let transport = HttpTransport::new(None).unwrap();
    for method in [http::Method::POST, http::Method::PATCH, http::Method::DELETE] {
        for idle in [0, 50, 200, 300] {
            tokio::time::sleep(Duration::from_millis(idle)).await;
            let written = exchange(&transport, request(method.clone(), &server.address)).await;
            assert_eq!(written, Ok(()), "{method} after {idle} ms");
        }
    }
}

#[tokio::test]
async fn a_write_leaves_on_the_connection_of_its_look() {
    let server = Impatient::start(Duration::MAX, "").await;
    let transport = HttpTransport::new(None).unwrap();
    for round in 1..4 {
        let mut look = request(http::Method::GET, &server.address);
        look.extensions_mut().insert(BeforeWrite);
        exchange(&transport, look).await.unwrap();
        exchange(&transport, request(http::Method::PATCH, &server.address)).await.unwrap();
        assert_eq!(server.count(), round);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

#[tokio::test]
async fn reads_in_a_row_share_a_connection() {
    let server = Impatient::start(Duration::MAX, "").await;
    let transport = HttpTransport::new(None).unwrap();
    for _ in 0..3 {
        exchange(&transport, request(http::Method::GET, &server.address)).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_server_that_keeps_nothing_for_long_is_believed() {
    for (head, idle) in [("keep-alive: timeout=1\r\n", 200), ("keep-alive: timeout=0\r\n", 20)] {
        let server = Impatient::start(Duration::from_millis(idle / 2), head).await;
        let transport = HttpTransport::new(None).unwrap();
        exchange(&transport, request(http::Method::GET, &server.address)).await.unwrap();
        for method in [http::Method::GET, http::Method::POST, http::Method::GET] {
            tokio::time::sleep(Duration::from_millis(idle)).await;
            let done = exchange(&transport, request(method.clone(), &server.address)).await;
            assert_eq!(done, Ok(()), "{head}: {method}");
        }
    }
}

/// One frame of HTTP/2 (RFC 9113, 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn reset(reason: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, 1, &reason.to_be_bytes())
}

fn goodbye(last_stream: u32, reason: u32) -> Vec<u8> {
    frame(GOAWAY, 0, 0, &[last_stream.to_be_bytes(), reason.to_be_bytes()].concat())
}

/// Sends a POST over HTTP/2; once its head has arrived the server says this and hangs up.
async fn posted(end: Vec<u8>) -> Reach {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1/services", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.read_exact(&mut [0; 24]).await.unwrap();
        socket.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
        loop {
            let mut head = [0; 9];
            socket.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            socket.read_exact(&mut payload).await.unwrap();
            if head[3] == HEADERS {
                break;
            }
        }
        socket.write_all(&end).await.unwrap();
        socket.shutdown().await.unwrap();
        // What is still on its way is read, so that the close is no reset.
        while let Ok(1..) = socket.read(&mut [0; 1024]).await {}
    });
    let sent = HttpTransport::over_http2().send(request(http::Method::POST, &address)).await;
    let Err(error) = sent else { panic!("nobody answers there") };
    served.await.unwrap();
    error.reach
}

#[tokio::test]
async fn a_stream_that_was_refused_never_left() {
    assert_eq!(posted(reset(0x7)).await, Reach::NeverLeft, "REFUSED_STREAM");
    assert_eq!(posted(goodbye(0, 0x0)).await, Reach::NeverLeft, "a goodbye before the stream");
}

#[tokio::test]
async fn a_stream_that_was_begun_may_have_arrived() {
    assert_eq!(posted(goodbye(1, 0x0)).await, Reach::Lost, "a goodbye behind the stream");
    assert_eq!(posted(goodbye(0, 0xb)).await, Reach::Lost, "a goodbye with an error");
    for (reason, name) in [(0x2, "INTERNAL_ERROR"), (0x8, "CANCEL"), (0x0, "NO_ERROR")] {
        assert_eq!(posted(reset(reason)).await, Reach::Lost, "{name}");
    }
    assert_eq!(posted(Vec::new()).await, Reach::Lost, "no goodbye at all");
}

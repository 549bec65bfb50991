//! Sends creates at the moment at which a server closes unused connections, and counts the lost.
//!
//! ```text
//! cargo run --example paced -- ORIGIN COUNT LIMIT_MS [CA_FILE]
//! ```
//!
//! The requests go through the program's own transport and a line with 25 ms of delay each way. Each
//! lane waits LIMIT_MS after an answer, sometimes a little less and sometimes a little more: a
//! create then crosses the close that the server sends at that age. Prints one line of JSON.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "an example is a program without settings"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use stoker::api::{HttpTransport, Reach, Transport as _, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How many creates one lane sends; there are as many lanes as that takes.
const ROUNDS: u64 = 40;

/// How long a byte is on its way to the server, and back.
const DELAY: Duration = Duration::from_millis(25);

/// How far the waits are spread about the limit: from as much before it to a third behind it.
const SPREAD_MS: u64 = 60;

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Default)]
struct Counts {
    answered: u64,
    never_left: u64,
    lost: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [origin, count, limit_ms, ca_file @ ..] = words.as_slice() else {
        return Err("ORIGIN COUNT LIMIT_MS [CA_FILE]".into());
    };
    let (scheme, address) = origin.split_once("://").ok_or("an origin has a scheme")?;
    let line = slow_line(address.parse()?).await?;
    let (count, limit_ms) = (count.parse::<u64>()?, limit_ms.parse::<u64>()?);
    let ca_file = ca_file.first().map(PathBuf::from);
    let url = format!("{scheme}://{line}/v1/services");
    let lanes = (0..count.div_ceil(ROUNDS)).map(|lane| {
        let (url, ca_file) = (url.clone(), ca_file.clone());
        tokio::spawn(async move {
            let transport = HttpTransport::new(ca_file.as_deref())?;
            let mut counts = Counts::default();
            for round in 0..ROUNDS {
                counts.note(create(&transport, &url, lane, round).await?);
                let phase = (lane * 7 + round * 13) % (SPREAD_MS * 4 / 3);
                let wait = (limit_ms + phase).saturating_sub(SPREAD_MS);
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            Ok::<_, Failure>(counts)
        })
    });
    let mut all = Counts::default();
    for lane in lanes.collect::<Vec<_>>() {
        let Counts { answered, never_left, lost } = lane.await??;
        all.answered += answered;
        all.never_left += never_left;
        all.lost += lost;
    }
    let Counts { answered, never_left, lost } = all;
    println!("{{\"answered\":{answered},\"never_left\":{never_left},\"lost\":{lost}}}");
    Ok(())
}

impl Counts {
    fn note(&mut self, sent: Result<(), TransportError>) {
        match sent {
            Ok(()) => self.answered += 1,
            Err(TransportError { reach: Reach::NeverLeft, .. }) => self.never_left += 1,
            Err(TransportError { reach: Reach::Lost, .. }) => self.lost += 1,
        }
    }
}

/// Sends one create and reads its answer, whatever it says.
async fn create(
    transport: &HttpTransport,
    url: &str,
    lane: u64,
    round: u64,
) -> Result<Result<(), TransportError>, http::Error> {
    let request = http::Request::post(url)
        .header("authorization", format!("Bearer sb_live_paced_{lane}"))
        .header("content-type", "application/json")
        .body(Bytes::from(format!("{{\"name\":\"paced-{lane}-{round}\"}}")))?;
    let mut body = match transport.send(request).await {
        Ok(response) => response.into_body(),
        Err(error) => return Ok(Err(error)),
    };
    while let Some(piece) = body.next().await {
        if let Err(error) = piece {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// Opens a line to a server on which everything takes its time, also the end.
async fn slow_line(server: SocketAddr) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            if let Ok(far) = TcpStream::connect(server).await {
                let ((near_in, near_out), (far_in, far_out)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(delayed(near_in, far_out));
                tokio::spawn(delayed(far_in, near_out));
            }
        }
    });
    Ok(address)
}

async fn delayed(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut bytes = vec![0; 16 * 1024];
        // The end has its time on the way, too: it is sent as no bytes.
        while let Ok(length) = from.read(&mut bytes).await {
            let piece = (Instant::now() + DELAY, bytes[..length].to_vec());
            if sender.send(piece).is_err() || length == 0 {
                break;
            }
        }
    });
    while let Some((due, piece)) = receiver.recv().await {
        tokio::time::sleep_until(due).await;
        if piece.is_empty() || to.write_all(&piece).await.is_err() {
            break;
        }
    }
    drop(to.shutdown().await);
}

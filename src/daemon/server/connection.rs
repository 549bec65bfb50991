//! Connections: how many, how long, how large their heads, and how they end.
//!
//! Under the routes lies hyper itself, because `axum::serve` has none of these limits.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};

use super::refusals::{RefusalKind, Refusals};
use super::shared::ShutdownSignal;

/// How long the head of a request may take, also the first after a pause: who only holds a
/// connection open loses it.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);

/// The largest head. A browser's with its cookies takes a few kilobytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// How many headers one request may have; senders of webhooks have about twenty.
const HEADERS_MAX: usize = 64;

/// How much of one connection is buffered.
const BUFFER_BYTES_MAX: usize = 64 << 10;

/// How long a peer may take no byte of an answer. A listener that sleeps is let go; it comes back
/// with the id of the last event it heard.
const WRITE_TIME_MAX: Duration = Duration::from_secs(30);

/// How long answers may take to end when the server does; the process has ten seconds in all.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(3);

/// One address of the server, and whom it lets in.
pub(super) struct ListenAddress<L: Listener> {
    pub listener: L,
    pub router: Router,
    /// How many connections are open at once; others wait in the system's queue.
    pub connections_max: usize,
    /// Who an address is, where one peer can be told from another.
    pub peer: fn(&L::Addr) -> Option<IpAddr>,
    pub refusals: Refusals,
}

/// How many connections each peer has open.
#[derive(Clone, Default)]
struct Peers(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One connection of a peer; dropping it gives its place back.
struct Guest {
    peers: Peers,
    peer: IpAddr,
}

/// Returns whom an address belongs to: of IPv6 a customer has a whole network of 64 bits.
pub(super) fn peer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
        address @ IpAddr::V4(_) => address,
    }
}

impl Peers {
    /// Lets a peer in, unless it has so many connections open already.
    fn admit(&self, peer: IpAddr, most: usize) -> Option<Guest> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Guest { peers: self.clone(), peer })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.peers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// Accepts connections until the server ends. One peer has at most half of them, so that nobody
/// alone shuts the others out.
///
/// *Guarantees*: when it returns, no connection is open. A handler that panics takes its own
/// connection with it and no other.
pub(super) async fn accept<L: Listener>(door: ListenAddress<L>, closing: ShutdownSignal) {
    let ListenAddress { mut listener, router, connections_max, peer, refusals } = door;
    let places = Arc::new(Semaphore::new(connections_max));
    let (peers, most_of_one) = (Peers::default(), connections_max.div_ceil(2));
    let mut open = JoinSet::new();
    let mut ending = pin!(closing.clone().begun());
    loop {
        let entering = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut ending => break,
            Some(ended) = open.join_next() => report(&refusals, ended),
            (place, (io, address)) = entering => {
                let guest = match peer(&address).map(|peer| peers.admit(peer, most_of_one)) {
                    // What it sends is not read: the connection ends here.
                    Some(None) => continue,
                    Some(guest @ Some(_)) => guest,
                    None => None,
                };
                let conversation = converse(io, router.clone(), closing.clone(), refusals.clone());
                open.spawn(async move {
                    let _place = (place, guest);
                    conversation.await;
                });
            }
        }
    }
    drop(listener);
    let all_ended = async {
        while let Some(ended) = open.join_next().await {
            report(&refusals, ended);
        }
    };
    if timeout(GOODBYE_TIME_MAX, all_ended).await.is_err() {
        open.shutdown().await;
    }
}

fn report(refusals: &Refusals, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        refusals.note(RefusalKind::Request, None, error);
    }
}

/// Answers the requests of one connection.
pub(super) async fn converse<I>(io: I, router: Router, closing: ShutdownSignal, refusals: Refusals)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(BUFFER_BYTES_MAX)
        .serve_connection(TokioIo::new(Patient::new(io)), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        refusals.note(RefusalKind::Connection, None, error);
    }
}

/// A connection that gives up on a peer that takes nothing for too long.
struct Patient<I> {
    inner: I,
    /// Runs while the peer takes nothing.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<I> Patient<I> {
    const fn new(inner: I) -> Self {
        Self { inner, waiting: None }
    }

    /// Passes on what writing came to, unless it has been pending for too long.
    fn limit<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(WRITE_TIME_MAX)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Patient<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Patient<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.limit(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.limit(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.inner).poll_shutdown(context);
        self.limit(ended, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.limit(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

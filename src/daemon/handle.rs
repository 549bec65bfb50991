//! One project's agent from outside: its status, its events, and the orders it takes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::status::{Event, Order, ProjectStatus, Trigger};

use super::Bell;

/// How many events are kept in memory for who asks later.
const EVENTS_KEPT: usize = 1_000;

/// How many events a listener may be behind before it loses some; it is told.
const EVENTS_BEHIND: usize = 256;

/// How many orders may wait: people give them one at a time.
const ORDERS_WAITING: usize = 16;

/// What an agent says to an order it took: a sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement(pub String);

/// Why an order was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It makes no sense here.
    #[error("{0}")]
    Refused(String),
    /// The agent is ending, or too many orders wait.
    #[error("the agent takes no orders now")]
    Busy,
}

/// An order and where its answer goes.
pub type Ordered = (Order, oneshot::Sender<Result<Acknowledgement, Refusal>>);

/// The outer side of one project's agent; clones are the same.
#[derive(Clone, Debug)]
pub struct Handle {
    /// Rung by files, repositories, webhooks and signals.
    pub bell: Bell,
    status: watch::Receiver<Arc<ProjectStatus>>,
    recent: Arc<Mutex<VecDeque<Event>>>,
    events: broadcast::Sender<Event>,
    orders: mpsc::Sender<Ordered>,
}

/// The inner side: what the loop holds.
#[derive(Debug)]
pub struct Seat {
    /// Heard by the loop.
    pub bell: Bell,
    /// Orders as they come.
    pub orders: mpsc::Receiver<Ordered>,
    status: watch::Sender<Arc<ProjectStatus>>,
    recent: Arc<Mutex<VecDeque<Event>>>,
    events: broadcast::Sender<Event>,
}

impl Handle {
    /// Makes both sides.
    #[must_use]
    pub fn new(status: ProjectStatus) -> (Self, Seat) {
        let bell = Bell::default();
        let (status_sender, status) = watch::channel(Arc::new(status));
        let (orders, orders_receiver) = mpsc::channel(ORDERS_WAITING);
        let (events, _) = broadcast::channel(EVENTS_BEHIND);
        let recent = Arc::new(Mutex::new(VecDeque::new()));
        let handle = Self {
            bell: bell.clone(),
            status,
            recent: Arc::clone(&recent),
            events: events.clone(),
            orders,
        };
        let seat = Seat { bell, orders: orders_receiver, status: status_sender, recent, events };
        (handle, seat)
    }

    /// Returns the status as last written.
    #[must_use]
    pub fn status(&self) -> Arc<ProjectStatus> {
        Arc::clone(&self.status.borrow())
    }

    /// Returns a receiver that changes with the status.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<ProjectStatus>> {
        self.status.clone()
    }

    /// Returns the last events, oldest first.
    #[must_use]
    pub fn recent_events(&self) -> Vec<Event> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().cloned().collect()
    }

    /// Listens to events from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Says that something may have changed.
    pub fn trigger(&self, trigger: Trigger) {
        self.bell.ring(trigger);
    }

    /// Gives an order and waits for the answer.
    ///
    /// # Errors
    /// When the agent does not take it.
    pub async fn order(&self, order: Order) -> Result<Acknowledgement, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.orders.try_send((order, answer)).map_err(|_| Refusal::Busy)?;
        answered.await.unwrap_or(Err(Refusal::Busy))
    }
}

impl Seat {
    /// Shows a new status to whoever watches.
    pub fn show(&self, status: ProjectStatus) {
        self.status.send_replace(Arc::new(status));
    }

    /// Returns the status as last shown.
    #[must_use]
    pub fn shown(&self) -> Arc<ProjectStatus> {
        Arc::clone(&self.status.borrow())
    }

    /// Returns the number of the event told last; 0 before the first.
    #[must_use]
    pub fn last_told(&self) -> u64 {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.back().map_or(0, |event| event.sequence)
    }

    /// Tells an event to whoever listens, and keeps it for who asks later.
    pub fn tell(&self, event: Event) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == EVENTS_KEPT {
            recent.pop_front();
        }
        recent.push_back(event.clone());
        drop(recent);
        // Nobody may be listening; the event is kept all the same.
        let _ = self.events.send(event);
    }
}

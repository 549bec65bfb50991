//! The rate limiters an API may stand behind, on a virtual clock.
//!
//! The contract says "300 a minute" and not how it is counted, so the budget must hold in all.

use std::collections::VecDeque;

use super::Limits;

/// The window of every model.
pub const WINDOW: u64 = 60_000;

/// How the server counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    FixedFromFirst,
    FixedOnMinute,
    SlidingLog,
    Bucket300,
    Bucket30,
    Penalty,
    SlidingCountsRefusals,
    /// The limiter of NestJS: each hit leaves a minute after itself, Reset counts a window down that
    /// begins anew when it is over, and whoever exceeds is blocked for a minute. Its refusals tell
    /// Retry-After alone.
    SlidingUnderWindow,
}

impl Model {
    pub const ALL: [Self; 8] = [
        Self::FixedFromFirst,
        Self::FixedOnMinute,
        Self::SlidingLog,
        Self::Bucket300,
        Self::Bucket30,
        Self::Penalty,
        Self::SlidingCountsRefusals,
        Self::SlidingUnderWindow,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::FixedFromFirst => "fixed, from the first request",
            Self::FixedOnMinute => "fixed, on the minute",
            Self::SlidingLog => "sliding log",
            Self::Bucket300 => "bucket of 300",
            Self::Bucket30 => "bucket of 30",
            Self::Penalty => "penalty",
            Self::SlidingCountsRefusals => "sliding, counts refusals",
            Self::SlidingUnderWindow => "hits slide, Reset is a window's",
        }
    }
}

/// In which form the server writes Reset and Retry-After.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    DeltaSeconds,
    /// With a Date, because the clocks differ.
    EpochSeconds,
    EpochMillis,
    HttpDate,
    /// None but the status.
    Absent,
}

impl Headers {
    pub const ALL: [Self; 5] =
        [Self::DeltaSeconds, Self::EpochSeconds, Self::EpochMillis, Self::HttpDate, Self::Absent];
}

/// How far the server's clock is ahead of ours.
const CLOCK_DIFFERENCE: u64 = 7_400;

/// Requests the buckets get back in a millisecond: 300 a minute.
const REFILL: f64 = 0.005;

const LIMIT: u32 = 300;

#[derive(Debug)]
pub struct Server {
    model: Model,
    headers: Headers,
    /// Refuses everything until then.
    pub broken_until: u64,
    /// What Retry-After says while it does, in seconds.
    pub broken_retry_after: Option<u64>,
    /// What stands in front of it, and when it last let a request through.
    pub front: Option<Front>,
    passed_at: u64,
    log: VecDeque<u64>,
    window_start: u64,
    used: u32,
    tokens: f64,
    tokens_at: u64,
    blocked_until: u64,
}

/// A limiter in front of the API: one request in each step, whatever the API has left.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    /// The step, in milliseconds.
    pub every: u64,
    /// What it refuses with.
    pub status: u16,
}

pub struct Reply {
    pub is_refused: bool,
    pub limits: Limits,
}

impl Server {
    pub fn new(model: Model, headers: Headers) -> Self {
        let tokens = if model == Model::Bucket30 { 30.0 } else { 300.0 };
        Self {
            model,
            headers,
            broken_until: 0,
            broken_retry_after: None,
            front: None,
            passed_at: 0,
            log: VecDeque::new(),
            window_start: 0,
            used: 0,
            tokens,
            tokens_at: 0,
            blocked_until: 0,
        }
    }

    /// One of our requests comes, through what stands in front.
    pub fn arrive_through_front(&mut self, now: u64) -> Reply {
        if let Some(Front { every, status }) = self.front {
            if self.passed_at > 0 && now < self.passed_at + every {
                let limits = Limits { status, ..Limits::default() };
                return Reply { is_refused: true, limits };
            }
            self.passed_at = now;
        }
        self.arrive(now)
    }

    pub fn arrive(&mut self, now: u64) -> Reply {
        if now < self.broken_until {
            let retry_after = self.broken_retry_after.map(|seconds| seconds.to_string());
            let limits = Limits { status: 429, retry_after, ..Limits::default() };
            return Reply { is_refused: true, limits };
        }
        let (is_refused, remaining, reset_at) = match self.model {
            Model::FixedFromFirst | Model::FixedOnMinute | Model::Penalty => self.fixed(now),
            Model::SlidingLog | Model::SlidingCountsRefusals => self.sliding(now),
            Model::SlidingUnderWindow => self.sliding_under_window(now),
            Model::Bucket300 => self.bucket(now, 300.0),
            Model::Bucket30 => self.bucket(now, 30.0),
        };
        let limits = self.write(now, is_refused, remaining, reset_at);
        Reply { is_refused, limits }
    }

    fn fixed(&mut self, now: u64) -> (bool, u32, u64) {
        if now < self.blocked_until {
            return (true, 0, self.blocked_until);
        }
        if self.window_start == 0 || now >= self.window_start + WINDOW {
            let is_aligned = self.model == Model::FixedOnMinute;
            self.window_start = if is_aligned { now - now % WINDOW } else { now };
            self.used = 0;
        }
        let is_refused = self.used >= LIMIT;
        if is_refused && self.model == Model::Penalty {
            self.blocked_until = now + WINDOW;
            return (true, 0, self.blocked_until);
        }
        self.used += u32::from(!is_refused);
        (is_refused, LIMIT - self.used, self.window_start + WINDOW)
    }

    fn sliding(&mut self, now: u64) -> (bool, u32, u64) {
        while self.log.front().is_some_and(|sent| now - sent >= WINDOW) {
            self.log.pop_front();
        }
        let is_refused = self.log.len() >= LIMIT as usize;
        if !is_refused || self.model == Model::SlidingCountsRefusals {
            self.log.push_back(now);
        }
        let remaining = LIMIT.saturating_sub(self.log.len() as u32);
        // When the next request comes free.
        let excess = self.log.len().saturating_sub(LIMIT as usize);
        (is_refused, remaining, self.log[excess] + WINDOW)
    }

    fn sliding_under_window(&mut self, now: u64) -> (bool, u32, u64) {
        if now < self.blocked_until {
            return (true, 0, self.blocked_until);
        }
        if self.blocked_until > 0 {
            self.blocked_until = 0;
            self.log.clear();
        }
        while self.log.front().is_some_and(|sent| now - sent >= WINDOW) {
            self.log.pop_front();
        }
        if self.window_start == 0 || now >= self.window_start + WINDOW {
            self.window_start = now;
        }
        self.log.push_back(now);
        if self.log.len() > LIMIT as usize {
            self.blocked_until = now + WINDOW;
            return (true, 0, self.blocked_until);
        }
        (false, LIMIT - self.log.len() as u32, self.window_start + WINDOW)
    }

    fn bucket(&mut self, now: u64, size: f64) -> (bool, u32, u64) {
        if self.tokens_at > 0 {
            let refilled = (now - self.tokens_at) as f64 * REFILL;
            self.tokens = (self.tokens + refilled).min(size);
        }
        self.tokens_at = now;
        let is_refused = self.tokens < 1.0;
        if is_refused {
            return (true, 0, now + ((1.0 - self.tokens) / REFILL) as u64);
        }
        self.tokens -= 1.0;
        // When it will be full.
        (false, self.tokens as u32, now + ((size - self.tokens) / REFILL) as u64)
    }

    fn write(&self, now: u64, is_refused: bool, remaining: u32, reset_at: u64) -> Limits {
        let status = if is_refused { 429 } else { 200 };
        let server_now = now + CLOCK_DIFFERENCE;
        let delta = (reset_at - now).div_ceil(1000).to_string();
        let epoch = reset_at + CLOCK_DIFFERENCE;
        let reset = match self.headers {
            Headers::DeltaSeconds => delta.clone(),
            Headers::EpochSeconds => epoch.div_ceil(1000).to_string(),
            Headers::EpochMillis => epoch.to_string(),
            Headers::HttpDate => http_date(epoch.div_ceil(1000)),
            Headers::Absent => {
                return Limits { status, ..Limits::default() };
            }
        };
        let retry_after = match self.headers {
            Headers::HttpDate => http_date(epoch.div_ceil(1000)),
            _ => delta,
        };
        let tells = !is_refused || self.model != Model::SlidingUnderWindow;
        Limits {
            status,
            remaining: tells.then(|| remaining.to_string()),
            reset: tells.then_some(reset),
            retry_after: is_refused.then_some(retry_after),
            date: Some(http_date(server_now / 1000)),
        }
    }
}

fn http_date(epoch_seconds: u64) -> String {
    let time = jiff::Timestamp::from_second(epoch_seconds as i64).expect("a time of this century");
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

//! The budget over restarts: the program's own, with a small rate, asked at any time (S4).

use std::hash::{Hash, Hasher};

use stateright::{Model, Property};
use stoker::budget::{Budget, BudgetConfig, BudgetSession, Lane, Limits, Millis, State, Verdict};

/// The most requests in any minute.
const RATE: usize = 3;

/// One step of time, in seconds, and how many make a minute.
const SECONDS: u64 = 10;
const STEPS_A_MINUTE: u8 = 6;

/// What a process that starts knows of the requests before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Memory {
    /// All that is on disk.
    Kept,
    /// Nothing: the budget is full at the start.
    Lost,
}

/// What is searched, and how far.
#[derive(Clone, Debug)]
pub struct Rate {
    pub memory: Memory,
    pub steps: u8,
    pub starts: u8,
    pub sends: usize,
}

/// A budget on disk, the process that uses it, and what left.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spent {
    now: u8,
    on_disk: String,
    process: Process,
    starts: u8,
    sent: Vec<u8>,
}

/// A session: what tells it from another stands in the budget.
#[derive(Clone, Debug)]
struct Process(BudgetSession);

impl PartialEq for Process {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Process {}

impl Hash for Process {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    Tick,
    /// The process dies, and the next one starts.
    Restart,
    /// A request is sent and answered, if it has leave.
    Send,
    /// A request is sent, if it has leave, and its answer is lost.
    Lose,
}

fn budget(state: State) -> Budget {
    let config = BudgetConfig { limit: 4, rate: u32::try_from(RATE).unwrap(), reserve: 0, seed: 0 };
    Budget::resume(config, state)
}

const fn time(step: u8) -> Millis {
    Millis(1_000_000_000 + step as u64 * SECONDS * 1000)
}

impl Spent {
    fn budget(&self) -> Budget {
        budget(serde_json::from_str(&self.on_disk).unwrap())
    }

    fn keep(&mut self, budget: &Budget) {
        self.on_disk = serde_json::to_string(budget.state()).unwrap();
    }

    fn ask(&mut self, deed: Deed) -> bool {
        let (mut budget, now) = (self.budget(), time(self.now));
        let Verdict::Go(permit) = budget.take(now, &mut self.process.0, Lane::Urgent) else {
            return false;
        };
        if deed == Deed::Lose {
            budget.lost(now, &permit);
        } else {
            let silent =
                Limits { status: 200, remaining: None, reset: None, retry_after: None, date: None };
            budget.learn(now, &permit, &silent);
        }
        self.keep(&budget);
        self.sent.push(self.now);
        true
    }
}

impl Model for Rate {
    type State = Spent;
    type Action = Deed;

    fn init_states(&self) -> Vec<Spent> {
        let mut budget = budget(State::default());
        let process = Process(budget.begin(time(0)));
        let mut spent =
            Spent { now: 0, on_disk: String::new(), process, starts: 1, sent: Vec::new() };
        spent.keep(&budget);
        vec![spent]
    }

    fn actions(&self, spent: &Spent, deeds: &mut Vec<Deed>) {
        if spent.now < self.steps {
            deeds.push(Deed::Tick);
        }
        if spent.starts < self.starts {
            deeds.push(Deed::Restart);
        }
        if spent.sent.len() < self.sends {
            deeds.extend([Deed::Send, Deed::Lose]);
        }
    }

    fn next_state(&self, spent: &Spent, deed: Deed) -> Option<Spent> {
        let mut next = spent.clone();
        match deed {
            Deed::Tick => next.now += 1,
            Deed::Restart => {
                let mut budget = match self.memory {
                    Memory::Kept => next.budget(),
                    Memory::Lost => budget(State::default()),
                };
                next.process = Process(budget.begin(time(next.now)));
                next.keep(&budget);
                next.starts += 1;
            }
            Deed::Send | Deed::Lose => return next.ask(deed).then_some(next),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S4", |_, spent: &Spent| {
                spent.sent.iter().all(|first| {
                    let minute = *first..first + STEPS_A_MINUTE;
                    spent.sent.iter().filter(|at| minute.contains(*at)).count() <= RATE
                })
            }),
            Property::sometimes("more than a minute's requests leave", |_, spent: &Spent| {
                spent.sent.len() > RATE
            }),
        ]
    }
}

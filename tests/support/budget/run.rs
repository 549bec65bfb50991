//! The loop of the simulation: what happens next, happens.
//!
//! An agent asks the budget as the client does: it takes, or waits until it was told to ask again.
//! It is not woken by an answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::server::Server;
use super::{
    AgentPlan, Budget, BudgetConfig, BudgetSession, Chance, Lane, Limits, Millis, Permit, START,
    Scenario, Verdict,
};

/// How long a process that died is away.
const RESTART: u64 = 100;

/// How many requests a process with a short life has to send in it.
const WORK_OF_A_LIFE: u32 = 40;

/// What came of it. Times are milliseconds.
#[derive(Debug, Default)]
pub struct Report {
    /// When the last write was done.
    pub finished: Option<u64>,
    pub sent: u32,
    pub refused: u32,
    pub others_sent: u32,
    pub others_refused: u32,
    /// How long each urgent request took, from the wish to the answer.
    pub urgent: Vec<u64>,
    /// How long each agent's work was foretold to take when it began, and how long it took.
    pub foretold: Vec<(u64, u64)>,
    /// The most requests of one host in any minute.
    pub most_in_a_minute: u32,
}

impl Report {
    /// Returns the time in seconds, or infinity when it did not come to an end.
    pub fn seconds(&self) -> f64 {
        self.finished.map_or(f64::INFINITY, |finished| finished as f64 / 1e3)
    }

    pub fn others_refused_percent(&self) -> f64 {
        100.0 * f64::from(self.others_refused) / f64::from(self.others_sent.max(1))
    }

    pub fn waste_percent(&self) -> f64 {
        100.0 * f64::from(self.refused) / f64::from(self.sent.max(1))
    }

    pub fn urgent_percentile(&self, percent: usize) -> u64 {
        let mut sorted = self.urgent.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or(0)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wake { agent: usize },
    Arrival { request: u64 },
    Answer { request: u64 },
    Other,
    Urgent { agent: usize },
    Death { agent: usize, life: u32 },
}

struct Request {
    agent: usize,
    lane: Lane,
    wished: u64,
    permit: Permit,
    life: u32,
    limits: Limits,
    is_refused: bool,
}

struct Agent {
    plan: AgentPlan,
    session: Option<BudgetSession>,
    life: u32,
    sent_in_life: u32,
    waiting: u32,
    wishes: VecDeque<u64>,
    open: u32,
    /// When it began, and how long its work was foretold to take.
    began: Option<(u64, u64)>,
    /// When each lane may ask again.
    ask_again: [u64; 3],
}

struct Simulation {
    scenario: Scenario,
    chance: Chance,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    server: Server,
    budgets: Vec<Budget>,
    sends: Vec<Vec<u64>>,
    agents: Vec<Agent>,
    requests: BTreeMap<u64, Request>,
    report: Report,
}

const LANES: [Lane; 3] = [Lane::Urgent, Lane::Converge, Lane::Background];

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario) -> Report {
    let mut simulation = Simulation::new(scenario.clone());
    simulation.prepare();
    while let Some(Reverse((time, _, event))) = simulation.events.pop() {
        simulation.now = time;
        let is_done = scenario.stops_when_done && simulation.report.finished.is_some();
        if time > START + scenario.end || is_done {
            break;
        }
        simulation.happen(event);
    }
    let most = simulation.sends.iter().map(|sends| most_in_a_minute(sends)).max();
    simulation.report.most_in_a_minute = most.unwrap_or(0);
    simulation.report
}

/// Returns the most instants in any span of sixty seconds.
pub fn most_in_a_minute(instants: &[u64]) -> u32 {
    let mut first = 0;
    let mut most = 0;
    for (index, instant) in instants.iter().enumerate() {
        while instant - instants[first] >= 60_000 {
            first += 1;
        }
        most = most.max(index + 1 - first);
    }
    most as u32
}

impl Simulation {
    fn new(scenario: Scenario) -> Self {
        let hosts = scenario.agents.iter().map(|plan| plan.host + 1).max().unwrap_or(0);
        let budget =
            |host| Budget::new(BudgetConfig { seed: host as u64, ..BudgetConfig::default() });
        let agents = scenario.agents.iter().map(|plan| Agent {
            plan: plan.clone(),
            session: None,
            life: 0,
            sent_in_life: 0,
            waiting: plan.writes,
            wishes: VecDeque::new(),
            open: plan.writes,
            began: None,
            ask_again: [0; 3],
        });
        Self {
            chance: Chance(scenario.seed),
            now: START,
            events: BinaryHeap::new(),
            sequence: 0,
            server: Server::new(scenario.model, scenario.headers),
            budgets: (0..hosts).map(budget).collect(),
            sends: vec![Vec::new(); hosts],
            agents: agents.collect(),
            requests: BTreeMap::new(),
            report: Report::default(),
            scenario,
        }
    }

    fn one_way(&mut self) -> u64 {
        let (least, most) = self.scenario.one_way;
        self.chance.between(least, most)
    }

    fn prepare(&mut self) {
        for _ in 0..self.scenario.gone {
            self.server.arrive(START - 1_000);
        }
        let (until, retry_after) = self.scenario.broken;
        self.server.front = self.scenario.front;
        self.server.broken_until = START + until;
        self.server.broken_retry_after = retry_after;
        for time in self.scenario.others.clone() {
            self.schedule(START + time, Event::Other);
        }
        for agent in 0..self.agents.len() {
            if !self.agents[agent].plan.follows {
                self.schedule(START + self.scenario.lead, Event::Wake { agent });
            }
            for time in self.agents[agent].plan.urgent.clone() {
                self.schedule(START + time, Event::Urgent { agent });
            }
        }
    }

    fn schedule(&mut self, time: u64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((time, self.sequence, event)));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake { agent } => self.wake(agent),
            Event::Arrival { request } => self.arrive(request),
            Event::Answer { request } => self.answer(request),
            Event::Other => {
                let reply = self.server.arrive(self.now);
                self.report.others_sent += 1;
                self.report.others_refused += u32::from(reply.is_refused);
            }
            Event::Urgent { agent } => {
                self.agents[agent].wishes.push_back(self.now);
                self.agents[agent].ask_again[0] = 0;
                self.wake(agent);
            }
            Event::Death { agent, life } => {
                if self.agents[agent].life == life {
                    self.agents[agent].session = None;
                    self.schedule(self.now + RESTART, Event::Wake { agent });
                }
            }
        }
    }

    fn wake(&mut self, index: usize) {
        let host = self.agents[index].plan.host;
        let mut session = match self.agents[index].session.take() {
            Some(session) => session,
            None => {
                let mut session = self.budgets[host].begin(Millis(self.now));
                let agent = &mut self.agents[index];
                let foretold =
                    self.budgets[host].forecast(agent.plan.writes, Millis(self.now), &session);
                let foretold = u64::try_from(foretold.as_millis()).unwrap_or(u64::MAX);
                agent.began.get_or_insert((self.now, foretold));
                session.expect(agent.plan.writes);
                agent.life += 1;
                agent.sent_in_life = 0;
                agent.ask_again = [0; 3];
                session
            }
        };
        for (place, lane) in LANES.into_iter().enumerate() {
            while self.agents[index].has_work(lane)
                && self.agents[index].ask_again[place] <= self.now
            {
                match self.budgets[host].take(Millis(self.now), &mut session, lane) {
                    Verdict::Go(permit) => self.send(index, lane, permit),
                    Verdict::Wait { until, why: _ } => {
                        assert!(until.0 > self.now, "a wait must be in the future");
                        self.agents[index].ask_again[place] = until.0;
                        self.schedule(until.0, Event::Wake { agent: index });
                    }
                }
            }
        }
        self.agents[index].session = Some(session);
    }

    fn send(&mut self, index: usize, lane: Lane, permit: Permit) {
        let agent = &mut self.agents[index];
        let wished = match lane {
            Lane::Urgent => agent.wishes.pop_front().unwrap_or(self.now),
            Lane::Converge => {
                agent.waiting = agent.waiting.saturating_sub(1);
                self.now
            }
            Lane::Background => self.now,
        };
        agent.sent_in_life += 1;
        let is_first_of_life = agent.sent_in_life == 1;
        let life = agent.life;
        if let Some(span) = agent.plan.life.filter(|_| is_first_of_life) {
            self.schedule(self.now + span, Event::Death { agent: index, life });
        }
        self.report.sent += 1;
        self.sends[self.agents[index].plan.host].push(self.now);
        self.sequence += 1;
        let request = self.sequence;
        let limits = Limits::default();
        let on_its_way =
            Request { agent: index, lane, wished, permit, life, limits, is_refused: false };
        self.requests.insert(request, on_its_way);
        let arrival = self.now + self.one_way();
        self.schedule(arrival, Event::Arrival { request });
    }

    fn arrive(&mut self, id: u64) {
        let reply = self.server.arrive_through_front(self.now);
        let Some(request) = self.requests.get_mut(&id) else {
            return;
        };
        request.limits = reply.limits;
        request.is_refused = reply.is_refused;
        let answer = self.now + self.one_way();
        self.schedule(answer, Event::Answer { request: id });
    }

    fn answer(&mut self, id: u64) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        self.report.refused += u32::from(request.is_refused);
        let agent = &mut self.agents[request.agent];
        if agent.life != request.life {
            return; // Its process is dead; nobody learns of it.
        }
        self.budgets[agent.plan.host].learn(Millis(self.now), &request.permit, &request.limits);
        match (request.lane, request.is_refused) {
            (Lane::Urgent, false) => self.report.urgent.push(self.now - request.wished),
            (Lane::Urgent, true) => agent.wishes.push_front(request.wished),
            (Lane::Converge, false) => agent.open = agent.open.saturating_sub(1),
            (Lane::Converge, true) => agent.waiting += 1,
            (Lane::Background, _) => {}
        }
        let (agent_index, is_done) = (request.agent, agent.open == 0);
        if let Some((began, foretold)) = agent.began.take_if(|_| is_done && agent.plan.writes > 0) {
            self.report.foretold.push((foretold, self.now - began));
            if let Some(session) = &agent.session {
                self.budgets[agent.plan.host].end(session);
            }
            let next = agent_index + 1;
            if self.agents.get(next).is_some_and(|next| next.plan.follows) {
                self.schedule(self.now, Event::Wake { agent: next });
            }
        }
        if request.is_refused {
            // The task that was refused asks again at once.
            self.schedule(self.now, Event::Wake { agent: request.agent });
        }
        let has_writes = self.scenario.agents.iter().any(|plan| plan.writes > 0);
        if has_writes && self.agents.iter().all(|agent| agent.open == 0) {
            self.report.finished.get_or_insert(self.now - START - self.scenario.lead);
        }
    }
}

impl Agent {
    fn has_work(&self, lane: Lane) -> bool {
        match lane {
            Lane::Urgent => !self.wishes.is_empty(),
            Lane::Converge => match self.plan.life {
                Some(_) => self.sent_in_life < WORK_OF_A_LIFE,
                None => self.waiting > 0,
            },
            Lane::Background => self.plan.sweeps,
        }
    }
}

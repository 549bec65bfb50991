//! How a process dies: at once, in a request, in a step of its disk, or because it is asked to end.

use crate::store::Blow;

use super::process::{COMMANDS_FROM, Process};
use super::schedule::{Moment, Strike};
use super::witness::ProcessLife;

impl Process {
    /// Counts a request of a run; returns how the process dies in it, if it does.
    pub fn count_request(&self, run: ProcessLife) -> Option<Moment> {
        let mut body = self.body();
        if run.life != body.life {
            return None;
        }
        let (left, moment) = body.fate?;
        body.fate = (left > 1).then_some((left - 1, moment));
        drop(body);
        if left > 1 {
            return None;
        }
        if moment == Moment::Before {
            self.end_life();
        }
        Some(moment)
    }

    /// Whether nothing of a run may happen any more.
    pub fn is_over(&self, run: ProcessLife) -> bool {
        let body = self.body();
        run.life < COMMANDS_FROM && !(run.life == body.life && body.is_alive)
    }

    /// Dies now, if the run is the one that lives.
    pub fn die(&self, run: ProcessLife) {
        if self.body().life == run.life {
            self.end_life();
        }
    }

    /// Is struck, now or when it comes to it.
    pub fn suffer(&self, strike: &Strike) {
        match *strike {
            Strike::Kill(down_seconds) => {
                self.body().down_seconds = down_seconds;
                if self.body().is_alive {
                    self.end_life();
                }
            }
            Strike::KillInRequest(requests, moment, down_seconds) => {
                let mut body = self.body();
                body.fate = Some((requests.max(1), moment));
                body.down_seconds = down_seconds;
            }
            Strike::KillInDisk(step, down_seconds) => {
                self.body().down_seconds = down_seconds;
                self.disk.strike(step, Blow::Die);
            }
            Strike::PowerLoss(step, choice, down_seconds) => {
                let mut body = self.body();
                body.power_loss = Some(choice);
                body.down_seconds = down_seconds;
                self.disk.strike(step, Blow::Die);
            }
            Strike::Disk(step, blow) => self.disk.strike(step, blow),
            Strike::DiskMended => self.disk.mend(),
            Strike::Stop(down_seconds) => self.stop(down_seconds),
        }
    }

    /// Asks it to end in an orderly way.
    pub fn stop(&self, down_seconds: u64) {
        let mut body = self.body();
        body.down_seconds = down_seconds;
        if let Some(stop) = &body.stop {
            stop.send_replace(true);
        }
    }

    /// Calls off every death that was to come.
    pub fn spare(&self) {
        let mut body = self.body();
        body.fate = None;
        body.power_loss = None;
        drop(body);
        self.disk.mend();
    }

    /// Ends the life that is under way: nothing of it happens any more.
    pub(super) fn end_life(&self) {
        let mut body = self.body();
        body.is_alive = false;
        body.fate = None;
        body.death.notify_one();
    }
}

//! From code that does not wait in futures to a store that is reached over a network: a thread of its
//! own does the waiting, and nobody waits for it without a limit.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Handle, RuntimeFlavor};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

type Job = BoxFuture<'static, ()>;

/// A thread with a runtime of its own. Clones share it; it ends with the last of them.
#[derive(Clone, Debug)]
pub struct Bridge {
    jobs: UnboundedSender<Job>,
}

impl Bridge {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn start() -> io::Result<Self> {
        let (jobs, mut arriving) = unbounded_channel::<Job>();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let work = async move {
            while let Some(job) = arriving.recv().await {
                tokio::spawn(job);
            }
        };
        thread::Builder::new().name("state".to_owned()).spawn(move || runtime.block_on(work))?;
        Ok(Self { jobs })
    }

    /// Has something done, and waits for it so long at most; nothing when the time is up. It goes on
    /// all the same then.
    pub fn ask<T: Send + 'static>(
        &self,
        time_max: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, answer) = mpsc::sync_channel(1);
        self.begin(async move {
            // Who asked may have given up.
            let _ = sender.send(work.await);
        });
        aside(|| answer.recv_timeout(time_max).ok())
    }

    /// Has something done that nobody waits for.
    pub(super) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        // The thread lives as long as this, unless a defect ended it; then no answer comes.
        let _ = self.jobs.send(Box::pin(work));
    }
}

/// Waits without holding up what else the thread would do, where the runtime has others for it.
fn aside<T>(wait: impl FnOnce() -> T) -> T {
    let runtime = Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match runtime {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(wait),
        Ok(_) | Err(_) => wait(),
    }
}

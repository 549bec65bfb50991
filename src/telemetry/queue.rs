//! Lines on their way to a reader who may be stuck: who says something never waits for him.
//!
//! `tracing-appender` does nearly this. It is not used because it tells nobody what was lost, and
//! because it prints on stdout, which is for data, where it ends before a full queue.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Lines that wait for one thread to write them. What has no room is lost, and counted (S12).
pub(super) struct LogQueue {
    state: Mutex<State>,
    changed: Condvar,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Of the lines that wait, and of the one that is being written.
    bytes: usize,
    /// How many lines nobody will read, since that was last told.
    lost: u64,
    is_writing: bool,
}

impl LogQueue {
    /// Begins to write what is pushed. Once lines can be written again, `tell` is told how many were
    /// lost; what it pushes in turn is written too.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn begin(
        bytes_max: usize,
        writer: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self { state: Mutex::default(), changed: Condvar::new(), bytes_max });
        let writing = Arc::clone(&queue);
        let thread = thread::Builder::new().name("log".to_owned());
        drop(thread.spawn(move || writing.write(writer, tell))?);
        Ok(queue)
    }

    /// Takes a line, or counts it as lost. It never waits for the reader.
    pub fn push(&self, line: Vec<u8>) {
        let mut state = self.state();
        if state.bytes + line.len() > self.bytes_max {
            state.lost += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until all is written, so long at most.
    pub fn drain(&self, time_max: Duration) {
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        // Who is poisoned or late has said what could be said.
        drop(self.changed.wait_timeout_while(self.state(), time_max, is_busy));
    }

    /// Writes forever: the thread ends with the process.
    fn write(&self, mut writer: impl Write, tell: impl Fn(u64)) {
        loop {
            let line = self.next();
            let is_written = writer.write_all(&line).and_then(|()| writer.flush()).is_ok();
            let lost = self.lost_after(&line, is_written);
            if lost > 0 {
                tell(lost);
            }
            self.state().is_writing = false;
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Vec<u8> {
        let mut state = self.state();
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.is_writing = true;
                return line;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes what became of a line, and returns how many lost ones are to be told of: only where
    /// lines can be written, and there is room to say so.
    fn lost_after(&self, line: &[u8], is_written: bool) -> u64 {
        let mut state = self.state();
        state.bytes -= line.len();
        if !is_written {
            state.lost += 1;
            return 0;
        }
        if state.bytes > self.bytes_max / 2 { 0 } else { std::mem::take(&mut state.lost) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader};
    use std::sync::OnceLock;

    use super::*;

    /// What a pipe holds on Linux.
    const PIPE_BYTES: usize = 65_536;

    /// A queue before a pipe that is full, whose reader does not read; it tells of losses as a line.
    fn stuck(bytes_max: usize) -> (Arc<LogQueue>, BufReader<PipeReader>) {
        let (reader, mut writer) = io::pipe().unwrap();
        let mut filler = vec![b'.'; PIPE_BYTES - 1];
        filler.push(b'\n');
        writer.write_all(&filler).unwrap();
        let told: Arc<OnceLock<Arc<LogQueue>>> = Arc::default();
        let telling = Arc::clone(&told);
        let tell = move |lost| {
            let line = format!("{lost} lost\n").into_bytes();
            telling.get().unwrap().push(line);
        };
        let queue = LogQueue::begin(bytes_max, writer, tell).unwrap();
        assert!(told.set(Arc::clone(&queue)).is_ok());
        (queue, BufReader::new(reader))
    }

    fn line(number: usize) -> Vec<u8> {
        format!("line {number:04}\n").into_bytes()
    }

    fn next(reader: &mut BufReader<PipeReader>) -> String {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    #[test]
    fn a_reader_who_is_stuck_holds_nobody_up_and_is_told_later_what_was_lost() {
        let (queue, mut reader) = stuck(100);
        // Ten lines of ten bytes find room. Who pushes would wait here for ever if it waited at all.
        (0..500).for_each(|number| queue.push(line(number)));
        queue.drain(Duration::from_millis(10));
        assert!(queue.state().bytes <= 100);
        assert_eq!(next(&mut reader).len(), PIPE_BYTES - 1);
        let read: Vec<String> = (0..11).map(|_| next(&mut reader)).collect();
        let expected = (0..10).map(|number| format!("line {number:04}"));
        assert_eq!(read, expected.chain(["490 lost".to_owned()]).collect::<Vec<_>>());
        queue.push(line(500));
        assert_eq!(next(&mut reader), "line 0500");
        assert_eq!(queue.state().lost, 0);
    }

    /// A disk that is full, until there is room again.
    struct Disk {
        refusals: usize,
        written: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.refusals > 0 {
                self.refusals -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_counted_and_told_when_it_does() {
        let written: Arc<Mutex<Vec<u8>>> = Arc::default();
        let told: Arc<Mutex<Vec<u64>>> = Arc::default();
        let (disk, telling) = (Disk { refusals: 3, written: written.clone() }, told.clone());
        let queue =
            LogQueue::begin(1_000, disk, move |lost| telling.lock().unwrap().push(lost)).unwrap();
        (0..5).for_each(|number| queue.push(line(number)));
        queue.drain(Duration::from_secs(30));
        assert_eq!(*written.lock().unwrap(), [line(3), line(4)].concat());
        assert_eq!(*told.lock().unwrap(), [3]);
    }
}

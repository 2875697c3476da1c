//! For tests of what must not wait for anybody.

use std::sync::mpsc;
use std::time::Duration;

/// The result of a task, in time: a test that waits for ever tells nothing.
pub(crate) fn in_time<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> T {
    let (told, answer) = mpsc::channel();
    std::thread::spawn(move || told.send(task()));
    answer.recv_timeout(Duration::from_secs(60)).unwrap()
}

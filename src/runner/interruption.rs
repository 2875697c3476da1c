//! What ends a run before its time: signals to this process.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::RunError;

pub(super) struct Interruption([Signal; 3]);

impl Interruption {
    /// From now on the signals are heard, and do not end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let [interrupt, terminate, hangup] =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
        Ok(Interruption([interrupt?, terminate?, hangup?]))
    }

    /// The result of some work before the first measurement, unless an interruption comes first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = Result<T, RunError>>) -> Result<T, RunError> {
        tokio::select! {
            done = work => done,
            () = self.comes() => Err(RunError::Interrupted),
        }
    }

    pub(super) async fn comes(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

//! What happens during a run, for whoever shows it. The only interface between a run and its spectators.

use std::time::Duration;

use crate::plan::LoadMode;
use crate::record::{EndReason, Failure};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// A variant's file is being read.
    Describing {
        /// Name of the variant.
        variant: &'a str,
    },
    /// A session is being profiled by operator.
    Profiling {
        /// Its label.
        session: &'a str,
    },
    /// A session's outputs are being scored.
    Scoring {
        /// Its label.
        session: &'a str,
    },
    /// A round begins.
    Round {
        /// Number of the round, from 1.
        round: u64,
        /// Wall time since the start.
        elapsed: Duration,
        /// Wall time that the run may take.
        budget: Option<Duration>,
    },
    /// All sessions take turns at a batch size.
    Cells {
        /// Number of the round, from 1.
        round: u64,
        /// Samples per inference.
        batch_size: u64,
        /// How requests arrive.
        load_mode: LoadMode,
        /// Wall time since the start.
        elapsed: Duration,
    },
    /// Something failed; the run goes on with what is left.
    Failed {
        /// Label of the session, or name of a variant that has none.
        session: &'a str,
        /// At which batch size; absent if it concerns the whole session.
        batch_size: Option<u64>,
        /// What went wrong.
        failure: &'a Failure,
    },
    /// Something that the user should know.
    Note(&'a str),
    /// Measuring has ended.
    Ended(EndReason),
}

/// A spectator of a run. It is called between blocks, never during one.
pub trait Observer {
    /// Takes note of something that happened.
    fn observe(&mut self, progress: &Progress<'_>);
}

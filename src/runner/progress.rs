//! Events of a run, for whoever shows them. The only interface between a run and its spectators.

use std::time::Duration;

use crate::plan::LoadMode;
use crate::record::{EndReason, Failure, RunRecord, Stage};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Progress<'a> {
    /// A variant's file is being read.
    Describing {
        /// Name of the variant.
        variant: &'a str,
    },
    /// Inputs of a model are being tried out.
    Trying {
        /// Name of the variant.
        variant: &'a str,
    },
    /// A session is being profiled by operator.
    Profiling {
        /// Its label.
        session: &'a str,
    },
    /// The machine's peaks are being measured.
    Peaks,
    /// A session's outputs are being scored.
    Scoring {
        /// Its label.
        session: &'a str,
    },
    /// It is being found out whether samples of a batch change each other's outputs.
    Coupling {
        /// Its label.
        session: &'a str,
    },
    /// A session is being measured after idle gaps.
    Idling {
        /// Its label.
        session: &'a str,
    },
    /// A session is being measured with denormal numbers flushed to zero.
    Contrasting {
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
        /// Batch size and shape, such as `batch size 8, seq 64`.
        place: &'a str,
        /// How requests arrive.
        load_mode: LoadMode,
        /// Wall time since the start.
        elapsed: Duration,
    },
    /// A round of a heat of a search begins.
    HeatRound {
        /// Number of the heat, from 1.
        heat: u64,
        /// Its purpose.
        stage: Stage,
        /// Rounds of the heat that are done.
        rounds_done: u64,
        /// Configurations that take turns.
        configurations_count: u64,
        /// Wall time since the start.
        elapsed: Duration,
        /// Wall time that the run may take.
        budget: Option<Duration>,
    },
    /// Requests begin to arrive by themselves.
    Loading {
        /// Number of the round under load, from 1.
        round: u64,
        /// Label of the session.
        session: &'a str,
        /// What comes and how it is served, such as `500 requests/s`.
        place: &'a str,
        /// Wall time since the start.
        elapsed: Duration,
        /// Wall time that the run may take.
        budget: Option<Duration>,
    },
    /// A worker is still waited for.
    Waiting {
        /// The activity, such as `fp32 is being loaded`.
        what: &'a str,
        /// For how long so far.
        waited: Duration,
        /// For how long at most.
        limit: Duration,
    },
    /// Something failed; the run goes on with what is left.
    Failed {
        /// Label of the session, or name of a variant that has none.
        session: &'a str,
        /// Batch size and shape, such as `batch size 8, seq 64`; absent if it concerns the whole
        /// session.
        place: Option<&'a str>,
        /// The failure.
        failure: &'a Failure,
    },
    /// Figures allow a first answer, or a better one: after as many launches of each session as an
    /// interval takes, at each look after them, and when outputs have been scored.
    SoFar {
        /// Everything that was found until now.
        record: &'a RunRecord,
        /// Rounds that are done.
        rounds: u64,
        /// Wall time since the start.
        elapsed: Duration,
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

//! The parent side of a run: rounds of launches, blocks in turn, a watchdog, and everything that
//! finishes written down.
//!
//! It never loads a model and sleeps while a worker measures. Whoever shows progress is an
//! [`Observer`]. Read [`run()`] first.

mod before;
mod beside;
mod block;
mod drive;
mod energy;
mod error;
mod job;
mod kept;
mod launch;
mod launcher;
mod load;
mod names;
mod patience;
mod progress;
mod rounds;
mod run;
mod schedule;
mod system;
mod time;
mod worker_end;
mod worker_process;

use error::Result;
use job::Description;
use launch::Launch;
use launcher::Launcher;
use run::Run;

pub use crate::protocol::Tried as TriedInputs;
pub use beside::Diagnosing;
pub use beside::idle::BUDGET_SHARE as IDLE_GAPS_SHARE;
pub use drive::{known_inputs, run, try_inputs};
pub use error::RunError;
pub use job::{
    Clock, Course, Extent, FoundRuntime, Goal, Guide, Job, LoadGuide, LoadMove, Move, NextSegment,
    Ran,
};
pub use kept::{earlier_runs, remember_run};
pub use progress::{Observer, Progress};
pub use rounds::pace::{Expected, FirstRounds, expected, first_rounds};
pub use rounds::stop::look_rounds;
pub use worker_process::WorkerCommand;

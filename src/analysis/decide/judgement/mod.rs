//! What to do about each session and about the run: one judgement, which every command and every
//! part of a report tells.
//!
//! Facts become levels: of speed, outputs, machine and coverage. The first of [`RULES`] that applies
//! to these decides on a session, the first of [`RUN_RULES`] on the run.

mod advantage;
mod machine;
mod outputs;
mod rules;
mod run;
mod types;

pub use advantage::{Advantage, Speed};
pub use machine::MachineEffect;
pub(in crate::analysis) use machine::effect as machine_effect;
pub(in crate::analysis) use outputs::judged as outputs;
pub use outputs::{AgreementHeld, JudgedBy, OutputsJudgement, OutputsStanding, ScoreHeld};
pub(in crate::analysis) use rules::KnownRun;
pub use rules::{RULES, RUN_RULES, Rule, RunRule};
pub use run::RunJudgement;
pub(in crate::analysis) use run::{Decided, compared_otherwise, decided, judge};
pub use types::{Decision, Judgement, Reason};

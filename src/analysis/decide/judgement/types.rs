//! Decisions and their reasons. Data only.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Advantage, MachineEffect, OutputsJudgement};
use crate::plan::CellKey;

/// Decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is shown to be better, and its outputs to be good enough.
    Ship,
    /// Nothing is shown or likely to be better than the baseline.
    Keep,
    /// The figures do not decide, and more of them would.
    Undecided,
    /// Its outputs are not good enough.
    DoNotShip,
    /// The machine or the number of launches allows none.
    NoAnswer,
}

/// Why a decision was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It could not be measured.
    NotMeasured,
    /// Its outputs are not good enough.
    OutputsDiffer,
    /// The machine was not fit to measure on.
    MachineUnfit,
    /// Fewer launches than an interval takes.
    FewLaunches,
    /// It is shown not to be better.
    NotBetter,
    /// The machine was not quiet, and the sessions differ in what that bears on.
    MachineSensitive,
    /// Whether it is better is open.
    SpeedOpen,
    /// It is better, and whether its outputs are good enough is open.
    OutputsOpen,
    /// It is better, and its outputs are good enough.
    Better,
    /// Of a search: every configuration breaks what was asked for.
    LimitsBroken,
    /// Of a search: whether any configuration keeps what was asked for is open.
    LimitsOpen,
    /// There is no other session.
    Alone,
    /// The baseline could not be measured, or its outputs are not finite.
    BaselineUnusable,
}

/// What to do about a session that is not the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Index of the session.
    pub session: usize,
    /// The cell that it is judged by; absent where none was measured.
    pub key: Option<CellKey>,
    /// The decision.
    pub decision: Decision,
    /// The rule that took it.
    pub reason: Reason,
    /// How much better it is by the objective; absent where both were not measured there.
    pub advantage: Option<Advantage>,
    /// What its outputs are worth.
    pub outputs: OutputsJudgement,
    /// What the state of the machine can do to the comparison.
    pub machine: MachineEffect,
}

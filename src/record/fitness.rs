//! Whether the machine was fit to measure on.

use crate::text::Plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the machine was fit to measure on, and why not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fitness {
    /// The worst of the reasons' severities; [`FitnessVerdict::Valid`] if there is none.
    pub verdict: FitnessVerdict,
    /// Reasons against the run, the worst first.
    pub reasons: Vec<FitnessReason>,
}

/// The worth of a run, as far as the machine decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FitnessVerdict {
    /// Nothing was seen that would distort the figures.
    Valid,
    /// Something was seen that may distort absolute figures or widen intervals; paired ratios hold.
    Suspect,
    /// Something was seen that makes the figures those of another machine or another load.
    Invalid,
}

impl FitnessVerdict {
    /// The word for people and programs: `VALID`, `SUSPECT` or `INVALID`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FitnessVerdict::Valid => "VALID",
            FitnessVerdict::Suspect => "SUSPECT",
            FitnessVerdict::Invalid => "INVALID",
        }
    }
}

/// One thing that speaks against a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FitnessReason {
    /// How much it counts; never [`FitnessVerdict::Valid`].
    pub severity: FitnessVerdict,
    /// The observation, with its figure and the bound, as a lowercase fragment.
    pub seen: Plain,
    /// The remedy, in the imperative; absent if nothing can be done on this machine.
    pub remedy: Option<Plain>,
}

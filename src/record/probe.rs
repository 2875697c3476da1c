//! What trying a variant out showed before it was measured.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// Findings of trying a variant out before it was measured: which inputs it takes, and whether samples are computed each
/// for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRecord {
    /// Sets of inputs that were fed until one ran at every shape.
    pub trials_count: u64,
    /// Time of one inference at the smallest batch size; absent if none ran.
    pub inference_ns: Option<Nanos>,
    /// Outputs to which two runs on the same inputs gave other sizes, or values that differ by more than rounding. Nothing
    /// is compared by them.
    pub random_outputs: Vec<Plain>,
    /// Remarks for the user.
    pub remarks: Vec<Plain>,
    /// Whether it was kept from an earlier run with the same file, files beside it, options and library.
    pub is_kept: bool,
}

/// Outputs of samples in a batch, held against those of each alone: told by two unlike samples, for a variant whose
/// quantization takes its scales from what it is fed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coupling {
    /// The same: no output is off by more than the tolerance that a batch is proved with.
    Apart,
    /// Something else.
    Coupled {
        /// The output that is off the most.
        output: Plain,
        /// How far it is off, relative to its largest magnitude.
        off_ratio: Ratio,
    },
    /// It could not be told.
    Unknown {
        /// Why not, as a fragment of a sentence.
        reason: Plain,
    },
}

//! Where samples of a batch lie in a model's inputs, how that is known, and what trying a variant
//! out showed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// Where samples of a batch lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchAxis {
    /// Axis in each input that has one, by the input's name.
    pub axes: BTreeMap<Plain, u64>,
    /// Name of the symbolic dimension, if it has one.
    pub symbol: Option<Plain>,
    /// Batch size that the model is fixed to; absent if any will do.
    pub fixed_size: Option<u64>,
    /// How it was recognized.
    pub reason: AxisReason,
    /// Whether running the model showed it; [`BatchProof::Untried`] in records before version 1.4.
    #[serde(default)]
    pub proof: BatchProof,
}

impl BatchAxis {
    /// No axis that samples lie along; `proof` says why, where one was tried.
    #[must_use]
    pub fn none(proof: BatchProof) -> Self {
        BatchAxis {
            axes: BTreeMap::new(),
            symbol: None,
            fixed_size: None,
            reason: AxisReason::NoAxis,
            proof,
        }
    }

    /// Why there is no batch, as a fragment of a sentence; absent where there is one, and where no
    /// input has an axis for it.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match &self.proof {
            _ if self.reason != AxisReason::NoAxis => None,
            BatchProof::NotProved { reason } => Some(reason.exact()),
            BatchProof::Given => Some("`--batch-dim none` asks for none"),
            BatchProof::Untried | BatchProof::Proved => None,
        }
    }
}

/// Whether samples along an axis were shown to be computed each for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchProof {
    /// Nothing was run to find out.
    #[default]
    Untried,
    /// Two unlike samples together gave each what it gives alone.
    Proved,
    /// It was named by the user.
    Given,
    /// It was tried and could not be shown.
    NotProved {
        /// Why not, as a fragment of a sentence.
        reason: Plain,
    },
}

/// How the batch axis was recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AxisReason {
    /// A symbolic dimension is called batch, `N` or the like.
    SymbolName,
    /// The first dimension of the inputs is one symbolic dimension.
    FirstSymbolicDimension,
    /// The first dimension of the inputs is not named.
    FirstUnknownDimension,
    /// The first dimension of the inputs is fixed, to the same size.
    FirstFixedDimension,
    /// It alone passed the proof by running, whatever it is called.
    Proof,
    /// The user named it.
    Given,
    /// No input has a dimension that samples could lie along.
    NoAxis,
}

/// Findings of trying a variant out before it was measured: which inputs it takes, and whether
/// samples are computed each for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProbeRecord {
    /// Sets of inputs that were fed until one ran at every shape.
    pub trials_count: u64,
    /// Time of one inference at the smallest batch size; absent if none ran.
    pub inference_ns: Option<Nanos>,
    /// Outputs to which two runs on the same inputs gave other sizes, or values that differ by more
    /// than rounding. Nothing is compared by them.
    pub random_outputs: Vec<Plain>,
    /// Remarks for the user.
    pub remarks: Vec<Plain>,
    /// Whether it was kept from an earlier run with the same file, files beside it, options and
    /// library.
    pub is_kept: bool,
}

/// Outputs of samples in a batch, held against those of each alone: told by two unlike samples, for
/// a variant whose quantization takes its scales from what it is fed.
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

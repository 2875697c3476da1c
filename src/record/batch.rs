//! Where samples of a batch lie in a model's inputs, and how that is known.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where samples of a batch lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BatchAxis {
    /// Axis in each input that has one, by the input's name.
    pub axes: BTreeMap<String, u64>,
    /// Name of the symbolic dimension, if it has one.
    pub symbol: Option<String>,
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
        BatchAxis { axes: BTreeMap::new(), symbol: None, fixed_size: None, reason: AxisReason::NoAxis, proof }
    }

    /// Why there is no batch, as a fragment of a sentence; absent where there is one, and where no input has an axis for it.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match &self.proof {
            _ if self.reason != AxisReason::NoAxis => None,
            BatchProof::NotProved { reason } => Some(reason),
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
        reason: String,
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

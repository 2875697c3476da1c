//! Deciding what is fed.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClassNames, Forms, InputError, Result, Search};
use crate::memory;
use crate::onnx::Model;
use crate::plan::{InputRequest, Shape};
use crate::record::{AxisReason, BatchAxis, FedInput};
use crate::units::Bytes;

/// A string's own three words.
const STRING_BITS: u128 = 192;

/// The inputs of a model, decided once and carried to every worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputPlan {
    /// The inputs, in the model's order.
    pub fed: Vec<FedInput>,
    /// Where samples of a batch lie.
    pub batch_axis: BatchAxis,
    /// Names of the model's outputs, in its order.
    pub outputs: Vec<String>,
    /// Forms of inputs and outputs by their types.
    #[serde(default)]
    pub forms: Forms,
    /// The classes that the model's file names.
    pub classes: ClassNames,
    /// Where values come from.
    pub source: InputSource,
    /// Seed of synthesized values.
    pub seed: u64,
    /// Remarks for the user: defaults that were taken, and requests without effect.
    pub notes: Vec<String>,
    /// Size of the outputs of one sample, of an inference where there are no samples; absent where
    /// nothing was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_output_bytes: Option<Bytes>,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputSource {
    /// They are made up.
    Synthesized,
    /// A data file or folder, and a file with labels if those are not in it.
    Data {
        /// The file or folder.
        path: PathBuf,
        /// The file with labels.
        labels: Option<PathBuf>,
    },
}

impl InputPlan {
    /// Whether the model can be fed batches of `batch_size`.
    ///
    /// # Errors
    /// Why not, as a fragment of a sentence.
    pub fn supports_batch(&self, batch_size: u64) -> Result<(), String> {
        match (self.batch_axis.fixed_size, self.batch_axis.reason) {
            _ if batch_size == 0 => Err("a batch has at least one sample".to_owned()),
            (Some(fixed), _) if batch_size != fixed => {
                Err(format!("the model's batch dimension is fixed at {fixed}"))
            }
            (_, AxisReason::NoAxis) if batch_size != 1 => Err(match self.batch_axis.missing() {
                Some(reason) => format!("there is no batch: {reason}"),
                None => "the model has no batch dimension".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Size of one set of inputs at a batch size, as ONNX Runtime holds it: two elements of four
    /// bits take a byte. Strings count as their own three words.
    #[must_use]
    pub fn bytes(&self, batch_size: u64) -> Bytes {
        Bytes(
            self.fed
                .iter()
                .map(|fed| bytes_of(fed, batch_size))
                .fold(0, u64::saturating_add),
        )
    }

    /// Size of the outputs at a batch size, as far as it is known.
    #[must_use]
    pub fn output_bytes(&self, batch_size: u64) -> Bytes {
        let samples = if self.batch_axis.axes.is_empty() {
            1
        } else {
            batch_size
        };
        Bytes(
            self.sample_output_bytes
                .unwrap_or_default()
                .0
                .saturating_mul(samples),
        )
    }

    /// Makes sure that so many sets of inputs of a batch size fit into memory; the error says what
    /// would fit.
    pub(super) fn ask_for_sets(&self, batch_size: u64, sets_count: u64) -> Result<()> {
        memory::ask(
            self.bytes_of_sets(batch_size, sets_count),
            || match sets_count {
                1 => format!("inputs of batch size {batch_size}"),
                _ => format!("{sets_count} sets of inputs of batch size {batch_size}"),
            },
        )
        .map_err(|reason| {
            let fitting = Some(reason.fitting(batch_size))
                .filter(|size| *size > 0 && *size < batch_size)
                .filter(|size| self.bytes_of_sets(*size, sets_count) <= reason.free);
            InputError::BatchMemory { fitting, reason }
        })
    }

    fn bytes_of_sets(&self, batch_size: u64, sets_count: u64) -> Bytes {
        Bytes(self.bytes(batch_size).0.saturating_mul(sets_count))
    }
}

fn bytes_of(fed: &FedInput, batch_size: u64) -> u64 {
    let bits = fed.element_type.bits().map_or(STRING_BITS, u128::from);
    fed.shapes(batch_size)
        .into_iter()
        .map(|shape| packed_bytes(shape, bits))
        .fold(0, u64::saturating_add)
}

fn packed_bytes(shape: Vec<u64>, bits: u128) -> u64 {
    let elements = shape.into_iter().fold(1, u64::saturating_mul);
    let bytes = (u128::from(elements) * bits).div_ceil(8);
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Decides what is fed to `model`: arrays of the data that `request` names, else synthesized
/// values.
///
/// Of data only the heads are read, except for the standard's test sets.
///
/// # Errors
/// An input cannot be fed, the request names what the model does not have, or the data does not
/// fit.
pub fn plan(model: &Model, request: &InputRequest) -> Result<InputPlan> {
    let mut search = Search::new(model, request, &Shape::default())?;
    search
        .next()
        .ok_or_else(|| search.nothing_runs("nothing was run"))
}

#[cfg(test)]
impl InputPlan {
    pub(crate) fn made_up(fed: Vec<FedInput>, batch_axis: BatchAxis) -> Self {
        InputPlan {
            fed,
            batch_axis,
            outputs: Vec::new(),
            forms: Forms::default(),
            classes: ClassNames::default(),
            source: InputSource::Synthesized,
            seed: 0,
            notes: Vec::new(),
            sample_output_bytes: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ElementType;
    use crate::record::{BatchProof, FillKind};

    fn synthesized(dims: &[Option<u64>]) -> InputPlan {
        let fed = FedInput::new(
            "x",
            ElementType::Float,
            dims.to_vec(),
            FillKind::Constant(0.0),
        );
        InputPlan::made_up(vec![fed], BatchAxis::none(BatchProof::Untried))
    }

    #[test]
    fn a_batch_that_no_machine_holds_is_refused_with_one_that_fits() {
        let plan = synthesized(&[None, Some(1 << 10)]);
        assert!(plan.ask_for_sets(8, 8).is_ok());
        let Err(InputError::BatchMemory {
            fitting: Some(fitting),
            reason,
        }) = plan.ask_for_sets(1 << 48, 8)
        else {
            panic!()
        };
        assert!(plan.bytes(fitting).0 * 8 <= reason.free.0 && fitting > 1);
        assert!(plan.ask_for_sets(fitting / 2, 8).is_ok());
        let endless = synthesized(&[None, Some(1 << 50)]);
        assert!(matches!(
            endless.ask_for_sets(1, 1),
            Err(InputError::BatchMemory { fitting: None, .. })
        ));
    }
}

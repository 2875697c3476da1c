//! Remedies for errors of inputs, and whose they are.

use super::{Channels, InputError, Misfit};
use crate::plan::ElementType;
use crate::record::{Failure, FailureKind};

/// The same, as it stands in the record.
impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        let kind = if error.is_of_options() {
            FailureKind::Usage
        } else {
            FailureKind::BadInput
        };
        Failure::new(kind, &error, error.hint().map(str::to_owned))
    }
}

impl InputError {
    /// Whether options are at fault: they name what the model does not have, or say of it what
    /// cannot be.
    #[must_use]
    pub fn is_of_options(&self) -> bool {
        matches!(
            self,
            InputError::UnknownDim { .. }
                | InputError::FixedDim { .. }
                | InputError::BatchDim { .. }
                | InputError::DimsContradict { .. }
                | InputError::UnknownInput { .. }
                | InputError::RangeType { .. }
                | InputError::RangeEmpty { .. }
        )
    }

    /// A remedy, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        Some(match self {
            InputError::UnsupportedType { .. } | InputError::UnsupportedElements { .. } => {
                "export the model with tensors of a common type as inputs"
            }
            InputError::UnknownRank(_) => "give real inputs with --data, whose shape is taken",
            InputError::UnknownDim { .. } | InputError::UnknownInput { .. } => {
                "`onnxprof inspect MODEL` shows the inputs with their dimensions"
            }
            InputError::FixedDim { .. } => "only dimensions that a model leaves open can be set",
            InputError::BatchDim { .. } => "give one of --dim and --batch-dim for it",
            InputError::DimsContradict { .. } => {
                "leave out one of these sizes: it follows from the others"
            }
            InputError::RangeEmpty { .. } => {
                "give a range that the type can hold, as in --range NAME=0..9"
            }
            InputError::BatchMemory {
                fitting: Some(_), ..
            } => "name smaller batch sizes with --batch",
            InputError::TooLarge { .. } | InputError::BatchMemory { .. } => {
                "set smaller dimensions with --dim NAME=VALUE"
            }
            InputError::Memory { .. } => {
                "save the arrays with numpy.savez, which does not compress them: rows are read as they are needed then"
            }
            InputError::UnknownFormat(_) => {
                "save inputs with numpy.savez(path, **inputs), named as the model names them"
            }
            InputError::NpyForSeveral { .. } => {
                "give a .npz whose arrays are named by the model's inputs"
            }
            InputError::MissingArrays { .. } => "name the arrays as the model names its inputs",
            InputError::Array(_, _, misfit) => misfit.hint(),
            InputError::SampleCount { .. } => {
                "the first dimension of every array that the model batches counts samples"
            }
            InputError::LabelCount { .. } => "give one label for each sample, in their order",
            InputError::LabelFile { .. } => {
                "give an array of numpy's (.npy, or .npz with `labels`), a .csv with a column `label`, a .txt with a label on each line, or a .json list"
            }
            InputError::LabelsAlone { .. } => "give the samples with --data",
            InputError::Ragged { .. } => {
                "measure with the batch size of the test sets, or with samples of one shape"
            }
            InputError::NothingRuns { remedy, .. } => remedy,
            InputError::Model(error) => return error.hint(),
            _ => return None,
        })
    }
}

impl Misfit {
    fn hint(&self) -> &'static str {
        match self {
            Misfit::Shape { channels: None, .. } => {
                "reshape the array; dimensions that are not fixed take their size from the data or from --dim"
            }
            Misfit::Shape {
                channels: Some(Channels::AreLast),
                ..
            } => {
                "transpose the array with numpy.moveaxis(array, -1, 1); a reshape would mix up its elements"
            }
            Misfit::Shape {
                channels: Some(Channels::AreSecond),
                ..
            } => {
                "transpose the array with numpy.moveaxis(array, 1, -1); a reshape would mix up its elements"
            }
            Misfit::Objects(ElementType::String) => {
                "save text with numpy's own type for it: array.astype(str)"
            }
            Misfit::Objects(_) => {
                "save numbers with a type of their own, such as array.astype(numpy.float32)"
            }
            Misfit::WholeForFloat { .. } => {
                "save array.astype(numpy.float32), scaled as the model was trained (images often divided by 255)"
            }
            Misfit::OutOfTable { .. } => {
                "check that the data was made for this model: its vocabulary or categories"
            }
            Misfit::ElementType(_, expected)
                if expected.is_integer() && expected.bits() < Some(8) =>
            {
                "save the array with the type that the model wants, as the package ml_dtypes has it: \
                 array.astype(ml_dtypes.int4)"
            }
            Misfit::ElementType { .. } => {
                "convert the array with numpy's astype: only floating-point types, and integers to wider ones, are cast"
            }
        }
    }
}

//! Facts that a model file holds about itself, and its inputs as they are fed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BatchAxis, Quantization};
use crate::plan::{ElementType, ValueRange};
use crate::text::Plain;
use crate::units::{Bytes, Ratio};

/// Summary of a model file, read without a runtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSummary {
    /// Version of the ONNX intermediate representation.
    pub ir_version: i64,
    /// Operator sets that the model imports.
    pub opsets: Vec<OpsetImport>,
    /// Name and version of the tool that wrote the file, as far as it says.
    pub producer: Option<Plain>,
    /// Name of the main graph.
    pub graph_name: Option<Plain>,
    /// Inputs that must be fed: weights that are listed among the inputs are not.
    pub inputs: Vec<TensorInfo>,
    /// Outputs.
    pub outputs: Vec<TensorInfo>,
    /// Where samples of a batch lie, and how that was recognized.
    pub batch_axis: BatchAxis,
    /// Nodes by operator, subgraphs included; operators of other domains carry theirs
    /// (`com.microsoft.Attention`). Calls of functions that the model defines itself count as the
    /// nodes of their bodies; in records before version 1.4 each body counted once, beside its
    /// calls.
    pub operators: BTreeMap<Plain, u64>,
    /// The most nodes of the main graph that are as far from its inputs as each other, so that they
    /// could run at the same time; those that depend on weights and shapes alone are left out.
    /// Absent in records before version 1.3.
    #[serde(default)]
    pub side_by_side_count: Option<u64>,
    /// Weights by element type.
    pub weights: Vec<WeightBytes>,
    /// Precision in one word, and the share of each kind.
    pub precision: Precision,
    /// How the model is quantized; absent in records before version 1.3.
    #[serde(default)]
    pub quantization: Option<Quantization>,
    /// Size of the model file alone.
    pub model_file_bytes: Bytes,
    /// Files that hold weights outside the model file, and their sizes.
    pub external_files: BTreeMap<PathBuf, Bytes>,
    /// Size of the model file with its external data.
    pub file_size_bytes: Bytes,
}

/// Operators that quantize with scales that depend on what they are fed.
const DYNAMIC_QUANTIZATION: [&str; 3] = [
    "DynamicQuantizeLinear",
    "DynamicQuantizeMatMul",
    "DynamicQuantizeLSTM",
];

/// The name of an operator as the standard has it: `com.microsoft.Gelu` is `Gelu`.
pub(crate) fn without_domain(operator: &str) -> &str {
    operator.rsplit('.').next().unwrap_or(operator)
}

impl ModelSummary {
    /// Whether it quantizes with scales that depend on all that it is fed, so that samples of a
    /// batch share them.
    #[must_use]
    pub fn shares_scales(&self) -> bool {
        self.operators
            .keys()
            .any(|operator| DYNAMIC_QUANTIZATION.contains(&without_domain(operator.exact())))
    }

    /// Whether each node waits for the one before it, so that none could run beside another.
    #[must_use]
    pub fn is_chain(&self) -> bool {
        self.side_by_side_count.is_some_and(|count| count < 2)
    }
}

/// An operator set that a model imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpsetImport {
    /// Domain; `ai.onnx` for the standard's own.
    pub domain: Plain,
    /// Version.
    pub version: i64,
}

/// Name and type of an input or output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TensorInfo {
    /// Name.
    pub name: Plain,
    /// Type.
    pub value_type: ValueType,
}

/// Type of an input or output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A tensor; `dims` is absent where not even the number of dimensions is known.
    Tensor {
        /// Type of the elements.
        element_type: ElementType,
        /// Dimensions.
        dims: Option<Vec<Dim>>,
    },
    /// A sequence of tensors of this type; in words in records before version 1.4.
    Sequence(Box<ValueType>),
    /// A tensor or a sequence of tensors, or nothing; in words in records before version 1.4.
    Optional(Box<ValueType>),
    /// A map, a sequence of maps or a sparse tensor, in words such as
    /// `seq(map(int64,tensor(float)))`.
    Other(Plain),
}

impl ValueType {
    /// Type of the elements and dimensions of a tensor, or of one that may be left out.
    #[must_use]
    pub fn as_tensor(&self) -> Option<(ElementType, Option<&[Dim]>)> {
        match self {
            ValueType::Tensor { element_type, dims } => Some((*element_type, dims.as_deref())),
            ValueType::Optional(inner) => inner.as_tensor(),
            ValueType::Sequence(_) | ValueType::Other(_) => None,
        }
    }

    /// The type of the tensors of a sequence, or of one that may be left out.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&ValueType> {
        match self {
            ValueType::Sequence(inner) => Some(inner),
            ValueType::Optional(inner) => inner.as_sequence(),
            ValueType::Tensor { .. } | ValueType::Other(_) => None,
        }
    }

    /// Type of the elements of the tensor, or of those of the sequence.
    #[must_use]
    pub fn element_type(&self) -> Option<ElementType> {
        self.as_sequence()
            .unwrap_or(self)
            .as_tensor()
            .map(|(element_type, _)| element_type)
    }
}

/// One dimension of a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dim {
    /// Known size.
    Fixed(u64),
    /// Named, to be given at run time.
    Symbolic(Plain),
    /// Neither known nor named.
    Unknown,
}

/// Weights of one element type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WeightBytes {
    /// Type of the elements.
    pub element_type: ElementType,
    /// Elements.
    pub elements_count: u64,
    /// Their size.
    pub bytes: Bytes,
}

/// Precision of a model in one word, with the shares that led to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Precision {
    /// `fp32`, `fp16`, `bf16`, `int8 QDQ`, `int8 QOperator`, `int8 dynamic`, `int4 block`, `mixed`
    /// ...
    pub label: Plain,
    /// Share of the weights' bytes by element type, largest first.
    pub shares: Vec<PrecisionShare>,
}

impl Precision {
    /// Whether the weights led to the label: without a floating-point or quantized one among them,
    /// inputs and outputs did.
    #[must_use]
    pub fn is_of_weights(&self) -> bool {
        let is_quantized = self.label.starts_with("int");
        is_quantized
            || self
                .shares
                .iter()
                .any(|share| share.element_type.is_float())
    }
}

/// Share of one element type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrecisionShare {
    /// Type of the elements.
    pub element_type: ElementType,
    /// Share of the weights' bytes.
    pub bytes_ratio: Ratio,
}

/// The values that one input is fed, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FedInput {
    /// Name of the input.
    pub name: Plain,
    /// Type of the elements.
    pub element_type: ElementType,
    /// Sizes of the dimensions; absent where the batch size stands, or a multiple of it.
    pub dims: Vec<Option<u64>>,
    /// How many rows a sample has along an axis that grows with the batch, by axis, where that is
    /// not one: heads of `batch x heads`. Empty in records before version 1.4.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "by_axis"
    )]
    pub rows_per_sample: BTreeMap<usize, u64>,
    /// Where the size of each dimension comes from; empty in records before version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SizeSource>,
    /// How values are made.
    pub fill: FillKind,
    /// Why, in one sentence: where a range comes from, which name gave the role, which default was
    /// taken.
    pub reason: Plain,
    /// Whether the values decide how much is computed, so that the answer names them: lengths,
    /// rates, loop counts, sizes, truth values that choose a branch. False in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub steers: bool,
    /// The value where it is no tensor, which has no dimensions then; absent in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_tensor: Option<NoTensor>,
}

/// The value of an input that is no tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoTensor {
    /// A sequence of tensors of these shapes.
    Sequence(Vec<Vec<u64>>),
    /// Nothing: the input is optional.
    Nothing,
}

/// Reads numbers by axis. Within messages that are told apart by a tag, serde leaves keys the
/// strings that JSON has.
fn by_axis<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<usize, u64>, D::Error> {
    let rows = BTreeMap::<String, u64>::deserialize(deserializer)?;
    rows.into_iter()
        .map(|(axis, rows)| Ok((axis.parse().map_err(serde::de::Error::custom)?, rows)))
        .collect()
}

impl FedInput {
    /// An input that is filled like this, with one row a sample, and nothing said of the sources of
    /// its sizes.
    #[must_use]
    pub fn new(
        name: &str,
        element_type: ElementType,
        dims: Vec<Option<u64>>,
        fill: FillKind,
    ) -> Self {
        FedInput {
            name: name.to_owned().into(),
            element_type,
            dims,
            rows_per_sample: BTreeMap::new(),
            sources: Vec::new(),
            fill,
            reason: String::new().into(),
            steers: false,
            no_tensor: None,
        }
    }

    /// Sizes of the dimensions with so many samples in the batch.
    #[must_use]
    pub fn shape(&self, batch_size: u64) -> Vec<u64> {
        self.dims
            .iter()
            .enumerate()
            .map(|(axis, size)| {
                let rows = self.rows_per_sample.get(&axis).copied().unwrap_or(1);
                size.unwrap_or_else(|| batch_size.saturating_mul(rows))
            })
            .collect()
    }

    /// Shapes of the tensors that are fed with so many samples in the batch: one, those of a
    /// sequence, or none.
    #[must_use]
    pub fn shapes(&self, batch_size: u64) -> Vec<Vec<u64>> {
        match &self.no_tensor {
            None => vec![self.shape(batch_size)],
            Some(NoTensor::Sequence(shapes)) => shapes.clone(),
            Some(NoTensor::Nothing) => Vec::new(),
        }
    }

    /// The value with so many samples in the batch, in words: `[1, 3]`, `sequence of [2], [4]` or
    /// `nothing`.
    #[must_use]
    pub fn shape_words(&self, batch_size: u64) -> String {
        const SHOWN: usize = 3;
        match &self.no_tensor {
            None => format!("{:?}", self.shape(batch_size)),
            Some(NoTensor::Nothing) => "nothing".to_owned(),
            Some(NoTensor::Sequence(shapes)) if shapes.is_empty() => "empty sequence".to_owned(),
            Some(NoTensor::Sequence(shapes)) => {
                let words: Vec<String> = shapes
                    .iter()
                    .take(SHOWN)
                    .map(|shape| format!("{shape:?}"))
                    .collect();
                let more = shapes.len().saturating_sub(SHOWN);
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                format!("sequence of {}{more}", words.join(", "))
            }
        }
    }
}

/// Where the size of a dimension comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SizeSource {
    /// The model fixes it.
    Fixed,
    /// The batch size stands there.
    Batch,
    /// The user gave it, or it is swept.
    Asked,
    /// It is that of the data.
    Data,
    /// A file beside the model says it.
    File {
        /// The file's name and what it says: `config.json: max_position_embeddings`.
        entry: Plain,
    },
    /// The model's metadata says it.
    Metadata {
        /// The key.
        key: Plain,
    },
    /// An operator takes no other size.
    Demand {
        /// Which, as a fragment of a sentence.
        reason: Plain,
    },
    /// It follows from other dimensions.
    Derived {
        /// From which: `past_sequence_length + sequence_length`.
        from: Plain,
    },
    /// Sizes were tried until one ran.
    Probe {
        /// The deciding fact, as a fragment of a sentence.
        reason: Plain,
    },
    /// Nothing supports it: it is the usual size of what the input seems to be.
    MadeUp,
}

/// How values of an input are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FillKind {
    /// Taken from the data file.
    Data,
    /// Uniform over a range: whole numbers of the closed range for integers.
    Uniform(ValueRange),
    /// One value everywhere.
    Constant(f64),
    /// 0, 1, 2 ... along the last axis; from the largest number that the type holds on, that.
    Ascending,
    /// Strings of a few letters.
    Text,
    /// Each element is one of these numbers.
    Numbers(Vec<f64>),
    /// Each element is one of these strings.
    Words(Vec<Plain>),
    /// This number, the next one, and so on along the last axis, like [`FillKind::Ascending`].
    AscendingFrom(u64),
    /// Each place along the last axis is filled in a way of its own.
    Columns(Vec<FillKind>),
    /// This number times the batch size: what says how many samples there are. Not in records
    /// before version 1.4.
    PerSample(u64),
}

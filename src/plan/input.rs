//! Where a model's inputs come from, as asked for, and what its outputs are scored as.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;

/// The user's wishes for inputs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputRequest {
    /// `.npz`, `.npy`, or a folder in the ONNX standard's `test_data_set_N` layout; absent: inputs
    /// are synthesized.
    pub data: Option<PathBuf>,
    /// `.npy` with one label per sample, when the data file has no array `labels`.
    pub labels: Option<PathBuf>,
    /// Values of symbolic dimensions, by name.
    pub dims: BTreeMap<Plain, u64>,
    /// The dimension along which samples lie, by its name or as `INPUT.AXIS`, or `none`; absent: it
    /// is found. Absent in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_dim: Option<Plain>,
    /// Ranges of synthesized values, by input name.
    pub ranges: BTreeMap<Plain, ValueRange>,
    /// Seed of synthesized values.
    pub seed: u64,
}

/// A closed range of values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ValueRange {
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

/// Element types of ONNX tensors, by the standard's names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the variants are the standard's names")]
pub enum ElementType {
    Float,
    Double,
    Float16,
    Bfloat16,
    Int2,
    Int4,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint2,
    Uint4,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Bool,
    String,
    Complex64,
    Complex128,
    Float8e4m3fn,
    Float8e4m3fnuz,
    Float8e5m2,
    Float8e5m2fnuz,
    Float8e8m0,
    Float4e2m1,
    Undefined,
}

/// In the order of the variants.
const NAMES: [&str; ElementType::Undefined as usize + 1] = [
    "float",
    "double",
    "float16",
    "bfloat16",
    "int2",
    "int4",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint2",
    "uint4",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "string",
    "complex64",
    "complex128",
    "float8e4m3fn",
    "float8e4m3fnuz",
    "float8e5m2",
    "float8e5m2fnuz",
    "float8e8m0",
    "float4e2m1",
    "undefined",
];

impl ElementType {
    /// The standard's name, such as `float16`; the same as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// Whether elements are whole numbers.
    #[must_use]
    pub fn is_integer(self) -> bool {
        (ElementType::Int2..=ElementType::Uint64).contains(&self)
    }

    /// Whether elements are real numbers that may have a fraction.
    #[must_use]
    pub fn is_float(self) -> bool {
        let is_common = self <= ElementType::Bfloat16;
        is_common || (ElementType::Float8e4m3fn..=ElementType::Float4e2m1).contains(&self)
    }

    /// Bits that one element takes in memory; absent for strings, and where the type is not known.
    #[must_use]
    pub fn bits(self) -> Option<u32> {
        use ElementType as E;
        match self {
            E::Complex128 => Some(128),
            E::Double | E::Int64 | E::Uint64 | E::Complex64 => Some(64),
            E::Float | E::Int32 | E::Uint32 => Some(32),
            E::Float16 | E::Bfloat16 | E::Int16 | E::Uint16 => Some(16),
            E::Int8
            | E::Uint8
            | E::Bool
            | E::Float8e4m3fn
            | E::Float8e4m3fnuz
            | E::Float8e5m2
            | E::Float8e5m2fnuz
            | E::Float8e8m0 => Some(8),
            E::Int4 | E::Uint4 | E::Float4e2m1 => Some(4),
            E::Int2 | E::Uint2 => Some(2),
            E::String | E::Undefined => None,
        }
    }
}

impl std::fmt::Display for ElementType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Kind of prediction that the model makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Inferred from labels and outputs; not in records before version 1.4.
    #[default]
    Inferred,
    /// An output holds one score per class, or the class.
    Classification,
    /// The first floating-point output holds the predicted numbers.
    Regression,
}

/// On how many samples outputs are scored; on the same ones for every session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoredSamples {
    /// As many as fit a share of the time.
    #[default]
    Fitting,
    /// All, however long that takes.
    All,
    /// The first of so many, however long that takes.
    First(u64),
}

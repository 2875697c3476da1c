//! What kind of work an operator is.

use serde::Serialize;

use crate::matrix_operator::MatrixOperator;

/// Kinds of work of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorGroup {
    /// Convolutions, matrix products, attention and recurrent layers, in whatever precision.
    Matrix,
    /// Changes of precision, layout or device that the model's mathematics does not ask for: quantizing, casting,
    /// transposing, reordering, copying.
    Conversion,
    /// Everything else: activations, normalization, pooling, shapes.
    Other,
}

/// Operators that change precision, layout or device.
const CONVERSION: [&str; 11] = [
    "Cast",
    "CastLike",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "InsertedPrecisionFreeCast",
    "MemcpyFromHost",
    "MemcpyToHost",
    "QuantizeLinear",
    "ReorderInput",
    "ReorderOutput",
    "Transpose",
];

impl OperatorGroup {
    /// The group of an operator, by its name without the domain.
    #[must_use]
    pub fn of(operator: &str) -> Self {
        let name = operator.rsplit('.').next().unwrap_or(operator);
        if MatrixOperator::of(name).is_some() {
            OperatorGroup::Matrix
        } else if CONVERSION.binary_search(&name).is_ok() {
            OperatorGroup::Conversion
        } else {
            OperatorGroup::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_sorted() {
        assert!(CONVERSION.is_sorted());
    }

    #[test]
    fn operators_of_other_domains_are_known_with_and_without_it() {
        assert_eq!(OperatorGroup::of("com.microsoft.FusedConv"), OperatorGroup::Matrix);
        assert_eq!(OperatorGroup::of("QLinearConv"), OperatorGroup::Matrix);
        assert_eq!(OperatorGroup::of("DequantizeLinear"), OperatorGroup::Conversion);
        assert_eq!(OperatorGroup::of("Relu"), OperatorGroup::Other);
    }
}

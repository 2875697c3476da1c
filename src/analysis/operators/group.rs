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

impl OperatorGroup {
    /// The group of an operator, by its name without the domain.
    #[must_use]
    pub fn of(operator: &str) -> Self {
        let name = operator.rsplit('.').next().unwrap_or(operator);
        match name {
            _ if MatrixOperator::of(name).is_some() => OperatorGroup::Matrix,
            "Cast" | "CastLike" | "DequantizeLinear" | "DynamicQuantizeLinear" | "QuantizeLinear" => {
                OperatorGroup::Conversion
            }
            "InsertedPrecisionFreeCast" | "MemcpyFromHost" | "MemcpyToHost" => OperatorGroup::Conversion,
            "ReorderInput" | "ReorderOutput" | "Transpose" => OperatorGroup::Conversion,
            _ => OperatorGroup::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_other_domains_are_known_with_and_without_it() {
        assert_eq!(OperatorGroup::of("com.microsoft.FusedConv"), OperatorGroup::Matrix);
        assert_eq!(OperatorGroup::of("QLinearConv"), OperatorGroup::Matrix);
        assert_eq!(OperatorGroup::of("DequantizeLinear"), OperatorGroup::Conversion);
        assert_eq!(OperatorGroup::of("Relu"), OperatorGroup::Other);
    }
}

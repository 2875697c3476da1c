//! Operators by the kind of their work.

use serde::Serialize;

use crate::matrix_operator::MatrixOperator;
use crate::record::without_domain;
use crate::text::Plain;

/// Kinds of work of operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorGroup {
    /// Convolutions, matrix products, attention and recurrent layers, in whatever precision.
    Matrix,
    /// Changes of precision, layout or device that the model's mathematics does not ask for:
    /// quantizing, casting, transposing, reordering, copying.
    Conversion,
    /// Everything else: activations, normalization, pooling, shapes.
    Other,
}

impl OperatorGroup {
    /// The group of an operator, by its name without the domain.
    #[must_use]
    pub fn of(operator: &Plain) -> Self {
        let name = without_domain(operator.exact());
        match name {
            _ if MatrixOperator::of(name).is_some() => OperatorGroup::Matrix,
            "Cast"
            | "CastLike"
            | "DequantizeLinear"
            | "DynamicQuantizeLinear"
            | "QuantizeLinear"
            | "InsertedPrecisionFreeCast"
            | "MemcpyFromHost"
            | "MemcpyToHost"
            | "ReorderInput"
            | "ReorderOutput"
            | "Transpose" => OperatorGroup::Conversion,
            _ => OperatorGroup::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_other_domains_are_known_with_and_without_it() {
        for (operator, group) in [
            ("com.microsoft.FusedConv", OperatorGroup::Matrix),
            ("QLinearConv", OperatorGroup::Matrix),
            ("DequantizeLinear", OperatorGroup::Conversion),
            ("Relu", OperatorGroup::Other),
        ] {
            assert_eq!(OperatorGroup::of(&operator.into()), group, "{operator}");
        }
    }
}

//! Operators that are matrix products in the widest sense, where a model's time goes: the one list of them.

/// A convolution, matrix product, attention or recurrent layer, by what it computes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixOperator {
    /// Floating-point numbers, as files hold it.
    Float,
    /// Integers, or quantized weights that it unpacks by itself.
    Quantized,
    /// Either: ONNX Runtime alone makes it of others, or looks up more than it multiplies.
    Derived,
}

/// All of them, sorted (the ONNX standard, and `docs/ContribOperators.md` of ONNX Runtime).
const OPERATORS: [(&str, MatrixOperator); 37] = [
    ("Attention", MatrixOperator::Float),
    ("Conv", MatrixOperator::Float),
    ("ConvInteger", MatrixOperator::Quantized),
    ("ConvTranspose", MatrixOperator::Float),
    ("DynamicQuantizeLSTM", MatrixOperator::Quantized),
    ("DynamicQuantizeMatMul", MatrixOperator::Quantized),
    ("Einsum", MatrixOperator::Float),
    ("FusedConv", MatrixOperator::Float),
    ("FusedGemm", MatrixOperator::Float),
    ("FusedMatMul", MatrixOperator::Float),
    ("GRU", MatrixOperator::Float),
    ("Gemm", MatrixOperator::Float),
    ("GemmFloat8", MatrixOperator::Quantized),
    ("GroupQueryAttention", MatrixOperator::Float),
    ("LSTM", MatrixOperator::Float),
    ("MatMul", MatrixOperator::Float),
    ("MatMulBnb4", MatrixOperator::Quantized),
    ("MatMulInteger", MatrixOperator::Quantized),
    ("MatMulInteger16", MatrixOperator::Quantized),
    ("MatMulIntegerToFloat", MatrixOperator::Quantized),
    ("MatMulNBits", MatrixOperator::Quantized),
    ("MultiHeadAttention", MatrixOperator::Float),
    ("NhwcConv", MatrixOperator::Derived),
    ("NhwcFusedConv", MatrixOperator::Derived),
    ("PackedAttention", MatrixOperator::Derived),
    ("PackedMultiHeadAttention", MatrixOperator::Derived),
    ("QAttention", MatrixOperator::Quantized),
    ("QEmbedLayerNormalization", MatrixOperator::Derived),
    ("QGemm", MatrixOperator::Quantized),
    ("QLinearConv", MatrixOperator::Quantized),
    ("QLinearConvTranspose", MatrixOperator::Quantized),
    ("QLinearMatMul", MatrixOperator::Quantized),
    ("QOrderedAttention", MatrixOperator::Quantized),
    ("QOrderedMatMul", MatrixOperator::Quantized),
    ("RNN", MatrixOperator::Float),
    ("SparseToDenseMatMul", MatrixOperator::Derived),
    ("TransposeMatMul", MatrixOperator::Float),
];

impl MatrixOperator {
    /// The kind of an operator, by its name without the domain; absent for any other operator.
    #[must_use]
    pub fn of(operator: &str) -> Option<Self> {
        OPERATORS.binary_search_by_key(&operator, |(name, _)| name).ok().map(|place| OPERATORS[place].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_on_integers_are_told_from_those_on_floats() {
        assert!(OPERATORS.is_sorted_by_key(|(name, _)| name));
        for operator in ["QLinearConv", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulNBits", "QOrderedMatMul"] {
            assert_eq!(MatrixOperator::of(operator), Some(MatrixOperator::Quantized), "{operator}");
        }
        for operator in ["Conv", "FusedConv", "Gemm", "Attention"] {
            assert_eq!(MatrixOperator::of(operator), Some(MatrixOperator::Float), "{operator}");
        }
        for operator in ["DynamicQuantizeLinear", "QLinearAdd"] {
            assert_eq!(MatrixOperator::of(operator), None, "{operator}");
        }
    }
}

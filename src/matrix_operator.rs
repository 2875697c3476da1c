//! Operators that are matrix products in the widest sense, where a model's time goes: the one list
//! of them.

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

impl MatrixOperator {
    /// The kind of an operator, by its name without the domain (the ONNX standard, and
    /// `docs/ContribOperators.md` of ONNX Runtime); absent for any other operator.
    #[must_use]
    pub fn of(operator: &str) -> Option<Self> {
        use MatrixOperator::{Derived, Float, Quantized};
        Some(match operator {
            "Attention" | "Conv" | "ConvTranspose" | "Einsum" | "FusedConv" | "FusedGemm"
            | "FusedMatMul" | "GRU" | "Gemm" | "LSTM" | "MatMul" | "MultiHeadAttention" | "RNN"
            | "TransposeMatMul" => Float,
            "GroupQueryAttention" => Float,
            "ConvInteger" | "GemmFloat8" | "MatMulBnb4" | "MatMulInteger" | "MatMulInteger16"
            | "MatMulNBits" | "QAttention" | "QGemm" | "QLinearConv" | "QLinearMatMul"
            | "QOrderedAttention" | "QOrderedMatMul" => Quantized,
            "DynamicQuantizeLSTM"
            | "DynamicQuantizeMatMul"
            | "MatMulIntegerToFloat"
            | "QLinearConvTranspose" => Quantized,
            "NhwcConv" | "NhwcFusedConv" | "PackedAttention" | "PackedMultiHeadAttention" => {
                Derived
            }
            "QEmbedLayerNormalization" | "SparseToDenseMatMul" => Derived,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_on_integers_are_told_from_those_on_floats() {
        let quantized = [
            "QLinearConv",
            "MatMulInteger",
            "DynamicQuantizeMatMul",
            "MatMulNBits",
            "QOrderedMatMul",
        ];
        let float = ["Conv", "FusedConv", "Gemm", "Attention"];
        for (operators, kind) in [
            (&quantized[..], Some(MatrixOperator::Quantized)),
            (&float[..], Some(MatrixOperator::Float)),
            (&["DynamicQuantizeLinear", "QLinearAdd"][..], None),
        ] {
            for operator in operators {
                assert_eq!(MatrixOperator::of(operator), kind, "{operator}");
            }
        }
    }
}

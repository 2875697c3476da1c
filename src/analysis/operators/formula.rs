//! The formula that tells how much an operator computes.

/// Formulas by which operators compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Formula {
    Convolution,
    TransposedConvolution,
    /// Products of matrices that stand as they are.
    Product,
    /// Products of matrices that may be transposed.
    FlatProduct,
    Attention,
    MultiHeadAttention,
    Recurrence,
    /// Pooling and reductions visit every input element once.
    PerInput,
    /// So many operations for each element of the output.
    PerOutput(u64),
}

impl Formula {
    pub(super) fn of(operator: &str) -> Option<Formula> {
        Some(match operator {
            "Conv" | "FusedConv" | "NhwcConv" | "NhwcFusedConv" | "ConvInteger" | "QLinearConv" => {
                Formula::Convolution
            }
            "ConvTranspose" | "QLinearConvTranspose" => Formula::TransposedConvolution,
            "MatMul"
            | "MatMulInteger"
            | "MatMulInteger16"
            | "MatMulIntegerToFloat"
            | "DynamicQuantizeMatMul"
            | "QLinearMatMul"
            | "MatMulNBits"
            | "MatMulBnb4" => Formula::Product,
            "Gemm" | "FusedGemm" | "QGemm" | "GemmFloat8" | "FusedMatMul" | "TransposeMatMul" => {
                Formula::FlatProduct
            }
            "Attention" | "QAttention" => Formula::Attention,
            "MultiHeadAttention" => Formula::MultiHeadAttention,
            "LSTM" | "GRU" | "RNN" | "DynamicQuantizeLSTM" => Formula::Recurrence,
            "ArgMax"
            | "ArgMin"
            | "AveragePool"
            | "GlobalAveragePool"
            | "GlobalMaxPool"
            | "MaxPool"
            | "NhwcMaxPool"
            | "QLinearAveragePool"
            | "ReduceMax"
            | "ReduceMean"
            | "ReduceMin"
            | "ReduceProd"
            | "ReduceSum"
            | "QLinearGlobalAveragePool" => Formula::PerInput,
            name => Formula::PerOutput(steps(name)?),
        })
    }
}

/// Operations for each element of the output; absent for an operator that more decides, or that is
/// not known.
fn steps(operator: &str) -> Option<u64> {
    Some(match operator {
        // Data is moved, or shapes are looked at.
        "CastLike"
        | "Concat"
        | "Constant"
        | "ConstantOfShape"
        | "DepthToSpace"
        | "Expand"
        | "Flatten"
        | "Gather"
        | "GatherElements"
        | "GatherND"
        | "Identity"
        | "MemcpyFromHost"
        | "MemcpyToHost"
        | "Pad"
        | "Range"
        | "ReorderInput"
        | "ReorderOutput"
        | "Reshape"
        | "ScatterElements"
        | "ScatterND"
        | "Shape"
        | "Slice"
        | "SpaceToDepth"
        | "Split"
        | "Squeeze"
        | "Transpose"
        | "Unsqueeze"
        | "InsertedPrecisionFreeCast" => 0,
        // Transcendental functions count as one operation.
        "Abs" | "Add" | "BiasGelu" | "Cast" | "Ceil" | "Clip" | "Div" | "Elu" | "Equal" | "Erf"
        | "Exp" | "FastGelu" | "Floor" | "Gelu" | "Greater" | "HardSigmoid" | "HardSwish"
        | "LeakyRelu" | "Less" | "Log" | "Max" | "Min" | "Mul" | "Neg" | "PRelu" | "Pow"
        | "QuickGelu" | "Reciprocal" | "Relu" | "Round" | "Sigmoid" | "Softplus" | "Sqrt"
        | "Sub" | "Tanh" | "Where" => 1,
        // Scale and shift, or scale and round.
        "BatchNormalization" | "DequantizeLinear" | "QuantizeLinear" => 2,
        // Compare, exponentiate, sum, divide.
        "LogSoftmax" | "Softmax" => 4,
        "DynamicQuantizeLinear" | "QLinearAdd" | "QLinearMul" => 4,
        // Subtract the mean, square, sum, divide and scale.
        "GroupNormalization" | "InstanceNormalization" | "LayerNormalization" => 5,
        "RMSNormalization" | "SimplifiedLayerNormalization" => 4,
        "SkipSimplifiedLayerNormalization" => 5,
        "SkipLayerNormalization" => 6,
        "EmbedLayerNormalization" => 7,
        _ => return None,
    })
}

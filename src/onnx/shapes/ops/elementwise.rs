//! Operators that compute place by place: outputs are as large as inputs, or as what those
//! broadcast to.

use super::{Call, Dims, Made, number};

impl Call<'_> {
    pub(super) fn elementwise(&self) -> Made {
        match self.operator() {
            "Abs" | "Acos" | "Acosh" | "Asin" | "Asinh" | "Atan" | "Atanh" | "Bernoulli"
            | "BiasAdd" | "BiasGelu" | "BiasSoftmax" | "BiasSplitGelu" | "BitwiseNot" | "Cast"
            | "CastLike" | "Ceil" | "Celu" | "Clip" | "Cos" | "Cosh" | "CumProd" | "CumSum"
            | "DequantizeBFP" | "DequantizeLinear" | "Elu" | "Erf" | "Exp" | "FastGelu"
            | "Floor" | "Gelu" | "HardSigmoid" | "HardSwish" | "Hardmax" | "Identity"
            | "Inverse" | "IsInf" | "IsNaN" | "LRN" | "LeakyRelu" | "Log" | "LogSoftmax"
            | "Lower" | "LpNormalization" | "MVN" | "Mish" | "Neg" | "NegateMask" | "Not"
            | "ParametricSoftplus" | "QLinearLeakyRelu" | "QLinearSigmoid" | "QLinearSoftmax"
            | "QOrderedGelu" | "QuantizeLinear" | "QuickGelu" | "RandomNormalLike"
            | "RandomUniformLike" | "Reciprocal" | "Relu" | "ReverseSequence"
            | "RotaryEmbedding" | "Round" | "Rsqrt" | "ScaledTanh" | "Scatter"
            | "ScatterElements" | "ScatterND" | "Selu" | "Shrink" | "Sigmoid" | "Sign" | "Sin"
            | "Sinh" | "Softmax" | "Softplus" | "Softsign" | "Sqrt" | "Swish" | "Tan" | "Tanh"
            | "TensorScatter" | "ThresholdedRelu" | "Trilu" | "Upper" => Some(vec![self.owned(0)]),
            "GemmaRotaryEmbedding" | "MeanVarianceNormalization" => Some(vec![self.owned(0)]),
            "Add" | "Affine" | "And" | "BitShift" | "BitwiseAnd" | "BitwiseLeft" | "BitwiseOr"
            | "BitwiseXor" | "Div" | "Equal" | "Greater" | "GreaterOrEqual" | "Less"
            | "LessOrEqual" | "Max" | "Mean" | "Min" | "Mod" | "Mul" | "Or" | "PRelu" | "Pow"
            | "Scale" | "StringConcat" | "Sub" | "Sum" | "Where" | "Xor" => {
                Some(vec![self.all_broadcast(0..self.inputs.len())])
            }
            // Scales and zero points of both operands stand between them.
            "QLinearAdd" | "QLinearMul" => Some(vec![self.all_broadcast([0, 3])]),
            _ => self.like_first(),
        }
    }

    /// Operators whose first output is as large as their first input, and that demand something or
    /// have other outputs.
    fn like_first(&self) -> Made {
        let same = self.owned(0);
        Some(match self.operator() {
            "Dropout" | "BiasDropout" => vec![same; 2],
            "DynamicQuantizeLinear" => vec![same, Some(Vec::new()), Some(Vec::new())],
            "BatchNormalization" | "InstanceNormalization" => {
                self.scales_channels(1);
                vec![same]
            }
            "LayerNormalization" | "RMSNormalization" | "SimplifiedLayerNormalization" => {
                self.scales_features(1);
                vec![same, self.mean(), self.mean()]
            }
            "SkipLayerNormalization" | "SkipSimplifiedLayerNormalization" => {
                self.scales_features(2);
                vec![same.clone(), None, None, same]
            }
            "GroupNormalization" => {
                self.scales_groups();
                vec![same]
            }
            "GroupNorm" | "SkipGroupNorm" => {
                self.scales_channels(self.group_axis());
                vec![same; 2]
            }
            _ => return None,
        })
    }

    /// Sizes of the means of a normalization.
    fn mean(&self) -> Dims {
        let mut dims = self.owned(0)?;
        let axis = self.axis(-1, dims.len())?;
        dims[axis..].fill(number(1));
        Some(dims)
    }

    /// Stored scales of a normalization are as many as the features of what it normalizes, on one
    /// axis or several.
    fn scales_features(&self, scale: usize) {
        let (true, Some(dims), Some(scales)) =
            (self.is_stored(scale), self.dims(0), self.dims(scale))
        else {
            return;
        };
        let first = dims.len().checked_sub(scales.len());
        let sizes = first.map_or(&[][..], |first| &dims[first..]);
        for (size, stored) in sizes.iter().zip(scales) {
            // One number on an axis of several is for all.
            if let Some(count) = stored.number()
                && (count > 1 || scales.len() == 1)
            {
                self.equal(size, stored, format_args!("scales {count} features"));
            }
        }
    }

    /// Stored scales of a normalization are as many as the channels on that axis.
    fn scales_channels(&self, axis: usize) {
        if let (true, Some(dims), Some([stored])) = (self.is_stored(1), self.dims(0), self.dims(1))
            && let (Some(channels), Some(count)) = (dims.get(axis), stored.number())
        {
            self.equal(channels, stored, format_args!("scales {count} channels"));
        }
    }

    /// The axis of channels where they may stand last.
    fn group_axis(&self) -> usize {
        match self.integer("channels_last", 1) {
            1 => self.dims(0).map_or(1, |dims| dims.len().saturating_sub(1)),
            _ => 1,
        }
    }

    /// Groups have a scale each in operator set 18, and channels since operator set 21; both part
    /// the channels.
    fn scales_groups(&self) {
        let groups = self.integer("num_groups", 1);
        match (self.dims(0), self.dims(1)) {
            (_, Some([stored])) if *stored != number(groups) => self.scales_channels(1),
            (Some([_, channels, ..]), _) => {
                self.multiple(channels, groups, format_args!("parts channels by {groups}"));
            }
            _ => {}
        }
    }

    /// The sizes that inputs broadcast to. In operator sets before 7, the second was laid along an
    /// axis of the first.
    fn all_broadcast(&self, inputs: impl IntoIterator<Item = usize>) -> Dims {
        if self.node.attribute("broadcast").is_some() {
            return self.owned(0);
        }
        let sides = inputs.into_iter().map(|index| self.side(index));
        let whole = sides.reduce(|all, side| Some(self.broadcast(&all?, &side?)));
        Some(whole??.dims)
    }
}

//! Operators that make as many elements as values say, not sizes.

use super::value::{Call, Value, are_known};

/// Why the outputs of an operator are as large as its inputs' values say; absent for other
/// operators.
fn by_content(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "Compress" | "NonMaxSuppression" | "NonZero" | "Unique" => "makes as many as it finds",
        "BeamSearch" | "GreedySearch" | "Sampling" | "WhisperBeamSearch" => {
            "makes as many tokens as there are until it ends"
        }
        "SequenceAt" | "SequenceConstruct" | "SequenceErase" | "SequenceInsert"
        | "SplitToSequence" => "handles sequences, whose tensors may differ in size",
        "StringNormalizer" => "makes as many words as it keeps",
        "StringSplit" | "Tokenizer" => "makes as many words as it finds",
        "GroupQueryAttention" => "keeps keys and values of as many tokens as its lengths say",
        _ => return None,
    })
}

/// Places of the inputs that say sizes.
fn sizing(operator: &str) -> &'static [usize] {
    match operator {
        "BlackmanWindow" | "ConstantOfShape" | "HammingWindow" | "HannWindow" | "ImageDecoder" => {
            &[0]
        }
        "AffineGrid" | "CenterCropPad" | "Expand" | "OneHot" | "Reshape" | "Split" | "Tile"
        | "TopK" | "Upsample" => &[1],
        "MelWeightMatrix" => &[0, 1],
        "Range" => &[0, 1, 2],
        "Col2Im" | "DFT" => &[1, 2],
        "Pad" | "STFT" => &[1, 3],
        "Slice" => &[1, 2, 3, 4],
        "MaxUnpool" => &[2],
        "Resize" => &[2, 3],
        "CropAndResize" => &[3],
        _ => &[],
    }
}

impl Call<'_> {
    /// Why sizes of its outputs may differ, as far as values of inputs make them.
    pub(super) fn varies_by_values(&self) -> Option<String> {
        let why = by_content(self.operator()).filter(|_| self.reads_fed());
        let why = why.or_else(|| self.takes_sizes())?;
        Some(format!("{self} {why}"))
    }

    fn takes_sizes(&self) -> Option<&'static str> {
        let places = sizing(self.operator()).iter();
        let mut values = places.filter_map(|&place| self.input(place));
        values
            .any(is_open)
            .then_some("takes sizes from what an input holds")
    }

    pub(super) fn varies_by_domain(&self) -> String {
        let domain = &self.node.domain;
        format!("{self} is of domain `{domain}`, which says nothing of sizes")
    }
}

/// Whether it is fed and its elements do not follow from sizes.
fn is_open(value: &Value) -> bool {
    value.is_fed && !are_known(&value.elements)
}

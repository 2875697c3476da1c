//! Operators that make as many elements as values say, not sizes.

use super::Expr;
use super::value::{Call, Value};

/// What makes the outputs of an operator as large as its inputs' values say.
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

pub(super) fn by_values(call: &Call<'_>) -> Option<String> {
    let operator = call.node.operator.as_str();
    if let Some(why) =
        by_content(operator).filter(|_| call.inputs.iter().flatten().any(|value| value.is_fed))
    {
        return Some(format!("{} {why}", call.words()));
    }
    let mut sizing = sizing(operator)
        .iter()
        .filter_map(|&place| call.input(place));
    sizing
        .any(is_open)
        .then(|| format!("{} takes sizes from what an input holds", call.words()))
}

/// Whether it is fed and its elements do not follow from sizes.
fn is_open(value: &Value) -> bool {
    let elements = value.elements.as_ref();
    value.is_fed && !elements.is_some_and(|all| all.iter().all(Expr::is_known))
}

pub(super) fn by_nobody_known(call: &Call<'_>) -> String {
    format!(
        "{} is of domain `{}`, which says nothing of sizes",
        call.words(),
        call.node.domain
    )
}

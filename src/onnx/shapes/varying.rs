//! Operators that make as many elements as values say, not sizes.

use super::Expr;
use super::value::Call;

/// Operators whose outputs are as large as their inputs' values make them, and what makes them so.
const BY_VALUES: [(&str, &str); 17] = [
    ("Compress", FINDS),
    ("GreedySearch", GOES_ON),
    ("BeamSearch", GOES_ON),
    ("NonMaxSuppression", FINDS),
    ("NonZero", FINDS),
    ("Sampling", GOES_ON),
    ("SequenceAt", OF_SEQUENCES),
    ("SequenceConstruct", OF_SEQUENCES),
    ("SequenceErase", OF_SEQUENCES),
    ("SequenceInsert", OF_SEQUENCES),
    ("SplitToSequence", OF_SEQUENCES),
    ("StringNormalizer", "makes as many words as it keeps"),
    ("StringSplit", "makes as many words as it finds"),
    ("Tokenizer", "makes as many words as it finds"),
    ("Unique", FINDS),
    ("WhisperBeamSearch", GOES_ON),
    ("GroupQueryAttention", "keeps keys and values of as many tokens as its lengths say"),
];
const FINDS: &str = "makes as many as it finds";
const GOES_ON: &str = "makes as many tokens as there are until it ends";
const OF_SEQUENCES: &str = "handles sequences, whose tensors may differ in size";

/// Operators with inputs that say sizes, and their places.
const BY_OPERAND: [(&str, &[usize]); 24] = [
    ("AffineGrid", &[1]),
    ("BlackmanWindow", &[0]),
    ("CenterCropPad", &[1]),
    ("Col2Im", &[1, 2]),
    ("ConstantOfShape", &[0]),
    ("CropAndResize", &[3]),
    ("DFT", &[1, 2]),
    ("Expand", &[1]),
    ("HammingWindow", &[0]),
    ("HannWindow", &[0]),
    ("ImageDecoder", &[0]),
    ("MaxUnpool", &[2]),
    ("MelWeightMatrix", &[0, 1]),
    ("OneHot", &[1]),
    ("Pad", &[1, 3]),
    ("Range", &[0, 1, 2]),
    ("Reshape", &[1]),
    ("Resize", &[2, 3]),
    ("STFT", &[1, 3]),
    ("Slice", &[1, 2, 3, 4]),
    ("Split", &[1]),
    ("Tile", &[1]),
    ("TopK", &[1]),
    ("Upsample", &[1]),
];

/// Why sizes of a node's outputs follow what inputs hold, if they do.
pub(super) fn by_values(call: &Call<'_>) -> Option<String> {
    let operator = call.node.operator.as_str();
    let by_values = BY_VALUES.iter().find(|(name, _)| *name == operator);
    if let Some((_, why)) = by_values.filter(|_| call.inputs.iter().flatten().any(|value| value.is_fed)) {
        return Some(format!("{} {why}", call.words()));
    }
    let places = BY_OPERAND.iter().find(|(name, _)| *name == operator).map(|(_, places)| *places)?;
    let is_fed = |place: &&usize| {
        call.input(**place).is_some_and(|value| {
            value.is_fed && !value.elements.as_ref().is_some_and(|all| all.iter().all(Expr::is_known))
        })
    };
    places.iter().find(is_fed).map(|_| format!("{} takes sizes from what an input holds", call.words()))
}

/// Why a node that nothing here knows may make outputs of other sizes each time.
pub(super) fn by_nobody_known(call: &Call<'_>) -> String {
    format!("{} is of domain `{}`, which says nothing of sizes", call.words(), call.node.domain)
}

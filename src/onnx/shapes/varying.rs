//! Operators that make as many elements as values say, not sizes.

use super::Expr;
use super::value::Call;

/// Operators whose outputs are as large as their inputs' values make them.
const BY_VALUES: [&str; 15] = [
    "Compress",
    "GreedySearch",
    "BeamSearch",
    "NonMaxSuppression",
    "NonZero",
    "Sampling",
    "SequenceAt",
    "SequenceConstruct",
    "SequenceErase",
    "SequenceInsert",
    "SplitToSequence",
    "StringNormalizer",
    "StringSplit",
    "Unique",
    "GroupQueryAttention",
];

/// Operators with an input that says sizes, and its place.
const BY_OPERAND: [(&str, &[usize]); 15] = [
    ("CenterCropPad", &[1]),
    ("ConstantOfShape", &[0]),
    ("Expand", &[1]),
    ("ImageDecoder", &[0]),
    ("MelWeightMatrix", &[0, 1]),
    ("OneHot", &[1]),
    ("Pad", &[1, 3]),
    ("Range", &[0, 1, 2]),
    ("Reshape", &[1]),
    ("Resize", &[2, 3]),
    ("Slice", &[1, 2, 3, 4]),
    ("Split", &[1]),
    ("Tile", &[1]),
    ("TopK", &[1]),
    ("Upsample", &[1]),
];

/// Why sizes of a node's outputs follow what inputs hold, if they do.
pub(super) fn by_values(call: &Call<'_>) -> Option<String> {
    let operator = call.node.operator.as_str();
    if BY_VALUES.contains(&operator) && call.inputs.iter().flatten().any(|value| value.is_fed) {
        return Some(format!("{} makes as many as it finds", call.words()));
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

//! Numbers that operators usually take where an operand says how much to do: counts, sizes,
//! thresholds.

use super::{Flow, Node, place};

/// Candidates of a `TopK`.
const TOP: f64 = 10.0;
/// Tokens that a search generates.
const GENERATED: f64 = 16.0;

/// The numbers, the best first, and what the operand is, to be put before the operator.
pub(super) fn numbers(
    flow: &Flow<'_>,
    node: &Node,
    operand: usize,
) -> Option<(Vec<f64>, &'static str)> {
    sizes(flow, node, operand)
        .or_else(|| searches(flow, node, operand))
        .or_else(|| {
            let (values, reason) = fixed(&node.qualified_operator(), operand)?;
            Some((values.to_vec(), reason))
        })
}

/// Numbers whatever the data is.
fn fixed(operator: &str, operand: usize) -> Option<(&'static [f64], &'static str)> {
    Some(match (operator, operand) {
        ("Loop", 0) => (&[1.0, 2.0], "the turns of"),
        ("Range", 0) => (&[0.0], "the beginning of"),
        ("Range", 1) => (&[1.0, 2.0], "the end of"),
        ("Range", 2) => (&[1.0], "the step of"),
        ("Slice", 1) => (&[0.0], "the beginning of"),
        ("Slice", 4) => (&[1.0], "the step of"),
        ("Expand", 1) => (&[1.0], "the shape in"),
        ("Reshape", 1) => (&[0.0, 1.0], "the shape in"),
        ("Tile" | "Col2Im" | "STFT", 1) | ("ConstantOfShape", 0) => (&[1.0], "a size in"),
        ("OneHot", 1) => (&[10.0], "the number of classes in"),
        ("SequenceAt" | "SequenceErase", 1) | ("SequenceInsert", 2) => (&[0.0], "the place in"),
        ("HannWindow" | "HammingWindow" | "BlackmanWindow", 0) => (&[16.0], "the size of"),
        ("Pad", 1) => (&[0.0], "the padding of"),
        ("Trilu", 1) => (&[0.0], "the diagonal of"),
        ("Resize", 2) | ("Upsample", 1) => (&[1.0, 2.0], "the scale of"),
        ("Dropout", 1) => (&[0.5], "the rate of"),
        ("Dropout", 2) => (&[0.0], "whether training goes on in"),
        ("NonMaxSuppression", 2) => (&[100.0], "the most boxes of"),
        ("NonMaxSuppression", 3) => (&[0.5], "the overlap in"),
        ("NonMaxSuppression", 4) => (&[0.25], "the least score in"),
        ("Clip", 1) => (&[0.0], "the least number in"),
        ("Clip", 2) => (&[1.0], "the largest number in"),
        _ => return None,
    })
}

/// Numbers that follow from the size of the data.
fn sizes(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<(Vec<f64>, &'static str)> {
    match (node.qualified_operator().as_str(), operand) {
        ("TopK", 1) => {
            let size = size_along(flow, node, node.integer("axis").unwrap_or(-1));
            let most = size.map_or(1.0, |size| size.min(TOP));
            Some((vec![most, 1.0], "the number of best ones in"))
        }
        ("Slice", 2) => Some((vec![end(flow, node)], "the end of")),
        ("Resize", 3) | ("CenterCropPad", 1) => Some((resized(flow, node, operand), "a size in")),
        _ => None,
    }
}

fn size_along(flow: &Flow<'_>, node: &Node, axis: i64) -> Option<f64> {
    let dims = flow.dims(node.inputs.first()?)?;
    dims[place(axis, dims.len())?].map(|size| size as f64)
}

/// The end of the data along the axis that a slice cuts, or far behind it.
fn end(flow: &Flow<'_>, node: &Node) -> f64 {
    let axes = node.inputs.get(3).and_then(|axes| flow.constant(axes));
    let axis = axes.and_then(|axes| axes.first().copied()).unwrap_or(0.0);
    size_along(flow, node, axis as i64).unwrap_or(f64::from(i32::MAX))
}

fn resized(flow: &Flow<'_>, node: &Node, operand: usize) -> Vec<f64> {
    let list = node.inputs.get(operand);
    let count = list.and_then(|list| flow.dims(list)?.first().copied().flatten());
    // One size for samples and channels as well is refused, or far too much.
    if count.is_some_and(|count| count > 2) {
        return vec![1.0];
    }
    let size = size_along(flow, node, -1)
        .or_else(|| size_along(flow, node, -2))
        .or_else(|| flow.image_size());
    vec![size.unwrap_or(1.0), 1.0]
}

fn prompt_length(flow: &Flow<'_>, node: &Node) -> Option<f64> {
    let dims = flow.dims(node.inputs.first()?)?;
    dims.last().copied().flatten().map(|size| size as f64)
}

fn searches(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<(Vec<f64>, &'static str)> {
    let operator = node.qualified_operator();
    let beams = operator == "com.microsoft.BeamSearch";
    if !beams
        && !matches!(
            operator.as_str(),
            "com.microsoft.GreedySearch" | "com.microsoft.Sampling"
        )
    {
        return None;
    }
    Some(match (operand, beams) {
        (1, _) => {
            let most = prompt_length(flow, node).unwrap_or(1.0) + GENERATED;
            (vec![most], "the most tokens of")
        }
        (2, _) => (vec![1.0], "the fewest tokens of"),
        (3, true) => (vec![4.0, 1.0], "the beams of"),
        (4, true) => (vec![1.0], "the results of"),
        (5 | 6, true) | (3, false) => (vec![1.0], "a penalty in"),
        (7 | 8, true) | (4 | 5, false) => (vec![1.0], "the words allowed in"),
        _ => return None,
    })
}

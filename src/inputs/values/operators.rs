//! Effects of operators on an operand that comes from an input.

use std::ops::Range;

use super::{Flow, Node, place, usual_numbers as usual};

/// A value that is made of an input `x`: it lies in `scale * x + low ..= scale * x + high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    pub scale: f64,
    pub low: f64,
    pub high: f64,
    /// Whether every element of the input comes to it.
    pub sure: bool,
}

impl Affine {
    pub const SAME: Affine = Affine {
        scale: 1.0,
        low: 0.0,
        high: 0.0,
        sure: true,
    };

    pub fn add(self, low: f64, high: f64) -> Affine {
        Affine {
            low: self.low + low,
            high: self.high + high,
            ..self
        }
    }

    pub fn multiply(self, factor: f64) -> Affine {
        let (one, other) = (self.low * factor, self.high * factor);
        Affine {
            scale: self.scale * factor,
            low: one.min(other),
            high: one.max(other),
            ..self
        }
    }

    /// The `x` for which the value lies in `low..=high`.
    pub fn solve(self, low: f64, high: f64) -> (f64, f64) {
        let (one, other) = (
            (low - self.low) / self.scale,
            (high - self.high) / self.scale,
        );
        if self.scale > 0.0 {
            (one, other)
        } else {
            (other, one)
        }
    }
}

/// The effect of an operator on one of its operands; reasons are parts of a sentence.
pub(super) enum Effect<'f> {
    /// The results do not hold the operand's elements.
    Ends,
    /// The results hold the operand's elements, changed like this.
    Passes(Box<dyn Fn(Affine) -> Affine + 'f>),
    /// The operator fails for elements outside of a range.
    Bounds {
        low: f64,
        high: f64,
        reason: String,
        indexes: bool,
        /// Whether what is indexed is a weight.
        table: bool,
    },
    /// The operator compares the elements with numbers.
    Compares { values: Vec<f64>, reason: String },
    /// The operator usually takes one of these numbers, of which the best come first.
    Takes { values: Vec<f64>, reason: String },
    /// The operator divides by the elements, which whole numbers must survive.
    Divides { reason: String },
}

enum Axis {
    /// The axis in this attribute, or a default.
    Attribute(&'static str, i64),
    /// Always this one; negative ones count from the end.
    Fixed(i64),
    /// The leading ones, from attribute `batch_dims` on: the smallest counts.
    Leading,
}

/// An operator, the operand that indexes, the operand whose axis bounds it, and that axis.
struct Rule(&'static str, usize, usize, Axis);

const RULES: [Rule; 18] = [
    Rule("Gather", 1, 0, Axis::Attribute("axis", 0)),
    Rule("GatherElements", 1, 0, Axis::Attribute("axis", 0)),
    Rule("GatherND", 1, 0, Axis::Leading),
    Rule("Scatter", 1, 0, Axis::Attribute("axis", 0)),
    Rule("ScatterElements", 1, 0, Axis::Attribute("axis", 0)),
    Rule("ScatterND", 1, 0, Axis::Leading),
    Rule("RotaryEmbedding", 3, 1, Axis::Fixed(0)),
    Rule("NegativeLogLikelihoodLoss", 1, 0, Axis::Fixed(1)),
    Rule("SoftmaxCrossEntropyLoss", 1, 0, Axis::Fixed(1)),
    Rule("ai.onnx.ml.ArrayFeatureExtractor", 1, 0, Axis::Fixed(-1)),
    Rule(
        "com.microsoft.EmbedLayerNormalization",
        0,
        2,
        Axis::Fixed(0),
    ),
    Rule(
        "com.microsoft.EmbedLayerNormalization",
        1,
        4,
        Axis::Fixed(0),
    ),
    Rule(
        "com.microsoft.EmbedLayerNormalization",
        8,
        3,
        Axis::Fixed(0),
    ),
    Rule(
        "com.microsoft.QEmbedLayerNormalization",
        0,
        2,
        Axis::Fixed(0),
    ),
    Rule(
        "com.microsoft.QEmbedLayerNormalization",
        1,
        4,
        Axis::Fixed(0),
    ),
    Rule(
        "com.microsoft.GatherBlockQuantized",
        1,
        0,
        Axis::Attribute("gather_axis", 0),
    ),
    Rule("com.microsoft.GatherND", 1, 0, Axis::Leading),
    Rule("com.microsoft.RotaryEmbedding", 1, 2, Axis::Fixed(0)),
];

pub(super) fn effect<'f>(flow: &Flow<'_>, node: &Node, operand: usize) -> Effect<'f> {
    let operator = node.qualified_operator();
    if let Some(rule) = RULES
        .iter()
        .find(|rule| rule.0 == operator && rule.1 == operand)
    {
        return rule.bounds(flow, node);
    }
    if let Some((values, reason)) = usual::numbers(flow, node, operand) {
        return Effect::Takes {
            values,
            reason: format!("{reason} {}", words(node)),
        };
    }
    match (operator.as_str(), operand) {
        ("OneHot", 0) => one_hot(flow, node),
        ("Div" | "Mod", 1) => Effect::Divides {
            reason: format!("divides in {}", words(node)),
        },
        ("CumSum" | "CumProd", 1) => axis(flow, node),
        ("RoiAlign" | "com.microsoft.CropAndResize", 2) => bounds(
            0.0,
            0.0,
            format!("is the first image of the batch in {}", words(node)),
        ),
        ("Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual", _) => {
            compared(flow, node, operand)
        }
        // Whole numbers lose less than one when they are divided.
        ("Div", 0) => scaled(flow, node, 0, |affine, factor| {
            affine.multiply(1.0 / factor).add(-1.0, 0.0)
        }),
        ("Add", _) => moved(flow, node, operand, Affine::add),
        ("Sub", 0) => moved(flow, node, 0, |affine, low, high| affine.add(-high, -low)),
        ("Sub", 1) => moved(flow, node, 1, |affine, low, high| {
            affine.multiply(-1.0).add(low, high)
        }),
        ("Mul", _) => scaled(flow, node, operand, Affine::multiply),
        ("Neg", 0) => Effect::Passes(Box::new(|affine| affine.multiply(-1.0))),
        // To truth values.
        ("Cast", 0) if node.integer("to") == Some(9) => Effect::Ends,
        _ if passes(&operator, operand) => Effect::Passes(Box::new(|affine| affine)),
        _ => Effect::Ends,
    }
}

/// Whether the results hold the operand's elements as they are.
fn passes(operator: &str, operand: usize) -> bool {
    match operator {
        "Concat" | "Min" | "Max" => true,
        "Where" => operand > 0,
        "Scatter" | "ScatterElements" | "ScatterND" => operand != 1,
        "Cast" | "CastLike" | "Clip" | "Compress" | "DepthToSpace" | "Dropout" | "Expand"
        | "Flatten" | "Floor" | "Ceil" | "Round" | "Gather" | "GatherElements" | "GatherND"
        | "Identity" | "Pad" | "ReduceMax" | "ReduceMin" | "Reshape" | "ReverseSequence"
        | "Slice" | "SpaceToDepth" | "Split" | "Squeeze" | "Tile" | "TopK" | "Transpose"
        | "Trilu" | "Unique" | "Unsqueeze" => operand == 0,
        _ => false,
    }
}

const KEEPING: [&str; 12] = [
    "Add",
    "Cast",
    "Concat",
    "Expand",
    "Flatten",
    "Identity",
    "Reshape",
    "Squeeze",
    "Sub",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

/// Whether an operator that hands on elements hands on all of them.
pub(super) fn keeps_all(operator: &str) -> bool {
    KEEPING.contains(&operator)
}

impl Rule {
    fn bounds<'f>(&self, flow: &Flow<'_>, node: &Node) -> Effect<'f> {
        let Some(data) = node.inputs.get(self.2) else {
            return Effect::Ends;
        };
        let Some((size, axis)) = flow
            .dims(data)
            .and_then(|dims| self.smallest(flow, node, &dims))
        else {
            return Effect::Ends;
        };
        let unit = if axis == 0 {
            "rows".to_owned()
        } else {
            format!("along axis {axis}")
        };
        let reason = format!("indexes `{data}` ({size} {unit}) through {}", words(node));
        let (high, table) = (size as f64 - 1.0, flow.is_table(data));
        Effect::Bounds {
            low: 0.0,
            high,
            reason,
            indexes: true,
            table,
        }
    }

    /// The smallest size among the axes that are indexed, and its axis.
    fn smallest(&self, flow: &Flow<'_>, node: &Node, dims: &[Option<u64>]) -> Option<(u64, usize)> {
        match self.3 {
            Axis::Attribute(name, default) => sized(dims, node.integer(name).unwrap_or(default)),
            Axis::Fixed(axis) => sized(dims, axis),
            Axis::Leading => self
                .leading(flow, node, dims.len())?
                .filter_map(|axis| sized(dims, axis as i64))
                .min(),
        }
    }

    /// The leading axes that indices of several numbers go along.
    fn leading(&self, flow: &Flow<'_>, node: &Node, rank: usize) -> Option<Range<usize>> {
        let first = usize::try_from(node.integer("batch_dims").unwrap_or(0)).ok()?;
        let indices = node.inputs.get(self.1);
        let depth = indices
            .and_then(|indices| flow.dims(indices)?.last().copied().flatten())
            .unwrap_or(rank as u64);
        Some(first..rank.min(first.saturating_add(depth as usize)))
    }
}

/// The size along an axis, where it is known, and the axis.
fn sized(dims: &[Option<u64>], axis: i64) -> Option<(u64, usize)> {
    let axis = place(axis, dims.len())?;
    Some((dims[axis]?, axis))
}

fn axis<'f>(flow: &Flow<'_>, node: &Node) -> Effect<'f> {
    match node.inputs.first().and_then(|data| flow.dims(data)) {
        Some(dims) => bounds(
            0.0,
            dims.len() as f64 - 1.0,
            format!("is an axis in {}", words(node)),
        ),
        None => Effect::Ends,
    }
}

fn one_hot<'f>(flow: &Flow<'_>, node: &Node) -> Effect<'f> {
    let depth = node
        .inputs
        .get(1)
        .and_then(|depth| flow.constant(depth))
        .and_then(|values| values.first().copied());
    match depth {
        Some(depth) => bounds(
            0.0,
            depth - 1.0,
            format!("is one of {depth} classes in {}", words(node)),
        ),
        None => Effect::Ends,
    }
}

/// Smallest and largest element of the other operand of two, if that is a constant.
fn other(flow: &Flow<'_>, node: &Node, operand: usize) -> Option<(f64, f64)> {
    let values = flow.constant(node.inputs.get(1 - operand.min(1))?)?;
    let low = values.iter().copied().reduce(f64::min)?;
    Some((low, values.iter().copied().fold(low, f64::max)))
}

/// The results follow from the operand and the constant beside it, which lies in a range.
fn moved<'f>(
    flow: &Flow<'_>,
    node: &Node,
    operand: usize,
    change: impl Fn(Affine, f64, f64) -> Affine + 'f,
) -> Effect<'f> {
    match other(flow, node, operand) {
        Some((low, high)) => Effect::Passes(Box::new(move |affine| change(affine, low, high))),
        None => Effect::Ends,
    }
}

/// The results are the operand times a constant; one that differs from element to element has no
/// inverse here.
fn scaled<'f>(
    flow: &Flow<'_>,
    node: &Node,
    operand: usize,
    change: impl Fn(Affine, f64) -> Affine + 'f,
) -> Effect<'f> {
    match other(flow, node, operand) {
        Some((low, high)) if low == high && low != 0.0 => {
            Effect::Passes(Box::new(move |affine| change(affine, low)))
        }
        _ => Effect::Ends,
    }
}

fn bounds<'f>(low: f64, high: f64, reason: String) -> Effect<'f> {
    Effect::Bounds {
        low,
        high,
        reason,
        indexes: true,
        table: false,
    }
}

const COMPARED_LIMIT: usize = 64;

fn compared<'f>(flow: &Flow<'_>, node: &Node, operand: usize) -> Effect<'f> {
    let values = node
        .inputs
        .get(1 - operand.min(1))
        .and_then(|value| flow.constant(value));
    match values.filter(|values| values.len() <= COMPARED_LIMIT) {
        Some(values) => Effect::Compares {
            values: values.to_vec(),
            reason: words(node),
        },
        None => Effect::Ends,
    }
}

/// The operator and the node's name, or what it makes if it has none.
pub(super) fn words(node: &Node) -> String {
    let name = if node.name.is_empty() {
        node.outputs.first().unwrap_or(&node.name)
    } else {
        &node.name
    };
    format!("{} `{name}`", node.operator)
}

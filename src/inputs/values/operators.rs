//! Effects of operators on an operand that comes from an input.

use std::ops::Range;

use super::flow::Call;
use super::place;

/// A value that is made of an input `x`: it lies in `scale * x + low ..= scale * x + high`.
#[derive(Clone, Copy, Debug)]
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

    fn add(self, low: f64, high: f64) -> Affine {
        Affine {
            low: self.low + low,
            high: self.high + high,
            ..self
        }
    }

    fn multiply(self, factor: f64) -> Affine {
        let (one, other) = (self.low * factor, self.high * factor);
        Affine {
            scale: self.scale * factor,
            low: one.min(other),
            high: one.max(other),
            ..self
        }
    }

    /// The value that `step` makes of this one.
    pub fn then(self, step: Affine) -> Affine {
        self.multiply(step.scale).add(step.low, step.high)
    }

    /// The `x` for which the value is each of these.
    pub fn solve_each(self, values: Vec<f64>) -> impl Iterator<Item = f64> {
        values
            .into_iter()
            .map(move |value| self.solve(value, value)[0])
    }

    /// The `x` for which the value lies in `low..=high`.
    pub fn solve(self, low: f64, high: f64) -> [f64; 2] {
        let [one, other] = [low - self.low, high - self.high].map(|end| end / self.scale);
        if self.scale > 0.0 {
            [one, other]
        } else {
            [other, one]
        }
    }
}

/// Range of an input outside which an operator fails, and which operator that is.
#[derive(Clone, Debug)]
pub(super) struct IndexBound {
    pub low: f64,
    pub high: f64,
    /// The operator of the tightest bound, as a fragment of a sentence.
    pub reason: String,
    pub indexes: bool,
}

/// The effect of an operator on one of its operands, unless that ends there; reasons are parts of a
/// sentence.
pub(super) enum Effect {
    /// The results hold the operand's elements, changed like this.
    Passes(Affine),
    /// The operator fails for elements outside of a range.
    Bounds(IndexBound),
    /// The same where what is indexed is a weight.
    Table(IndexBound),
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

/// The operator fails for elements that are none of 0, 1, 2 ... `count - 1`.
fn indexes(count: f64, reason: String) -> Option<Effect> {
    Some(Effect::Bounds(IndexBound {
        low: 0.0,
        high: count - 1.0,
        reason,
        indexes: true,
    }))
}

impl Call<'_> {
    pub(super) fn effect(self, operand: usize) -> Option<Effect> {
        let operator = self.operator();
        let mut rules = RULES.iter();
        if let Some(rule) = rules.find(|rule| rule.0 == operator && rule.1 == operand) {
            return self.indexes(rule);
        }
        let words = self.words();
        if let Some((values, reason)) = self.usual_numbers(operand) {
            let reason = format!("{reason} {words}");
            return Some(Effect::Takes { values, reason });
        }
        match (operator.as_str(), operand) {
            ("OneHot", 0) => {
                let depth = *self.constant(1)?.first()?;
                indexes(depth, format!("is one of {depth} classes in {words}"))
            }
            ("Div" | "Mod", 1) => Some(Effect::Divides {
                reason: format!("divides in {words}"),
            }),
            ("CumSum" | "CumProd", 1) => {
                let rank = self.dims(0)?.len();
                indexes(rank as f64, format!("is an axis in {words}"))
            }
            ("RoiAlign" | "com.microsoft.CropAndResize", 2) => {
                indexes(1.0, format!("is the first image of the batch in {words}"))
            }
            ("Equal" | "Less" | "LessOrEqual" | "Greater" | "GreaterOrEqual", _) => {
                let values = self.other(operand)?.to_vec();
                (values.len() <= COMPARED_LIMIT).then_some(Effect::Compares {
                    values,
                    reason: words,
                })
            }
            // To truth values.
            ("Cast", 0) if self.node.integer("to") == Some(9) => None,
            _ if passes(&operator, operand) => Some(Effect::Passes(Affine::SAME)),
            _ => self.step(&operator, operand).map(Effect::Passes),
        }
    }

    /// Value that an operator makes of an operand; absent where it does not follow from the operand
    /// and a constant beside it.
    fn step(self, operator: &str, operand: usize) -> Option<Affine> {
        if (operator, operand) == ("Neg", 0) {
            return Some(Affine::SAME.multiply(-1.0));
        }
        let (low, high) = self.range_of_other(operand)?;
        // A factor that differs from element to element has no inverse here.
        let factor = Some(low).filter(|&low| low == high && low != 0.0);
        Some(match (operator, operand) {
            ("Add", _) => Affine::SAME.add(low, high),
            ("Sub", 0) => Affine::SAME.add(-high, -low),
            ("Sub", 1) => Affine::SAME.multiply(-1.0).add(low, high),
            ("Mul", _) => Affine::SAME.multiply(factor?),
            // Whole numbers lose less than one when they are divided.
            ("Div", 0) => Affine::SAME.multiply(1.0 / factor?).add(-1.0, 0.0),
            _ => return None,
        })
    }

    /// Smallest and largest element of the other operand of two, if that is a constant.
    fn range_of_other(self, operand: usize) -> Option<(f64, f64)> {
        let values = self.other(operand)?.iter().copied();
        Some((values.clone().reduce(f64::min)?, values.reduce(f64::max)?))
    }

    fn indexes(self, rule: &Rule) -> Option<Effect> {
        let data = self.node.inputs.get(rule.2)?;
        let (size, axis) = self.smallest(rule, &self.flow.dims(data)?)?;
        let unit = match axis {
            0 => "rows".to_owned(),
            axis => format!("along axis {axis}"),
        };
        let bound = IndexBound {
            low: 0.0,
            high: size as f64 - 1.0,
            reason: format!("indexes `{data}` ({size} {unit}) through {}", self.words()),
            indexes: true,
        };
        Some(match self.flow.is_table(data) {
            true => Effect::Table(bound),
            false => Effect::Bounds(bound),
        })
    }

    /// The smallest size among the axes that are indexed, and its axis.
    fn smallest(self, rule: &Rule, dims: &[Option<u64>]) -> Option<(u64, usize)> {
        match rule.3 {
            Axis::Attribute(name, default) => sized(dims, self.integer(name, default)),
            Axis::Fixed(axis) => sized(dims, axis),
            Axis::Leading => self
                .leading(rule.1, dims.len())?
                .filter_map(|axis| sized(dims, axis as i64))
                .min(),
        }
    }

    /// The leading axes that indices of several numbers go along.
    fn leading(self, indices: usize, rank: usize) -> Option<Range<usize>> {
        let first = usize::try_from(self.integer("batch_dims", 0)).ok()?;
        let depth = self.dims(indices).and_then(|dims| *dims.last()?);
        let end = depth.map_or(rank, |depth| first.saturating_add(depth as usize));
        Some(first..rank.min(end))
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

/// The size along an axis, where it is known, and the axis.
fn sized(dims: &[Option<u64>], axis: i64) -> Option<(u64, usize)> {
    let axis = place(axis, dims.len())?;
    Some((dims[axis]?, axis))
}

const COMPARED_LIMIT: usize = 64;

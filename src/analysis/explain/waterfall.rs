//! The steps from the reference's median to the session's.

use std::collections::{BTreeMap, BTreeSet};

use super::side::{
    Both, Side, Sum, base_name, bounds, is_compiled, joined, operator_changes, sums,
};
use crate::analysis::{
    Explanation, FusionChange, Interval, LatencyStep, OperatorGroup, ProfileBasis, Step, StepKind,
};
use crate::matrix_operator::MatrixOperator;
use crate::record::{NodeProfile, Quantization, QuantizationFormat, without_domain};
use crate::units::Ratio;

/// Fills in the steps, the operators behind them, and what they rest on.
pub(super) fn fill(explanation: &mut Explanation, sides: &Both<Side<'_>>) {
    let is_quantized = explanation.quantization.as_ref().is_some_and(is_quantized);
    let sorting = Sorting::new(sides, is_quantized);
    let spread = spread(explanation.latency.as_ref());
    explanation.fusions = sorting.fusions.clone();
    explanation.operators = operator_changes(sides, spread);
    explanation.steps = steps(sides, &sorting, spread);
    explanation.profiles = Some(ProfileBasis {
        reference_scale: Ratio(sides.before.node_scale()),
        session_scale: Ratio(sides.after.node_scale()),
        reference_distortion: sides.before.distortion().map(Ratio),
        session_distortion: sides.after.distortion().map(Ratio),
    });
}

/// Whether a model computes with integers, or is meant to.
pub(super) fn is_quantized(quantization: &Quantization) -> bool {
    !matches!(
        quantization.format,
        QuantizationFormat::None | QuantizationFormat::Float16
    )
}

/// Whether a matrix node computes with integers or packed weights.
pub(super) fn computes_quantized(node: &NodeProfile) -> bool {
    MatrixOperator::of(without_domain(node.operator.exact())) == Some(MatrixOperator::Quantized)
}

struct Sorting {
    fusions: Vec<FusionChange>,
    /// Matrix nodes in floating point, by place.
    full_precision: Both<BTreeSet<usize>>,
}

impl Sorting {
    fn new(sides: &Both<Side<'_>>, is_quantized: bool) -> Self {
        Sorting {
            fusions: if sides.before.has_compiled() || sides.after.has_compiled() {
                Vec::new()
            } else {
                fusions(sides)
            },
            full_precision: if is_quantized {
                full_precision(sides)
            } else {
                Default::default()
            },
        }
    }

    fn kind(&self, in_float: &BTreeSet<usize>, place: usize, node: &NodeProfile) -> StepKind {
        if is_compiled(node) {
            return StepKind::Compiled;
        }
        match OperatorGroup::of(&node.operator) {
            OperatorGroup::Matrix if in_float.contains(&place) => StepKind::FullPrecision,
            OperatorGroup::Matrix => StepKind::Matrix,
            OperatorGroup::Conversion => StepKind::Conversion,
            OperatorGroup::Other if self.is_fused(base_name(node.operator.exact())) => {
                StepKind::Fusion
            }
            OperatorGroup::Other => StepKind::Other,
        }
    }

    fn is_fused(&self, operator: &str) -> bool {
        self.fusions
            .iter()
            .any(|fusion| fusion.operator == operator)
    }
}

/// Between what factors the session's times may be off: the interval of the ratio of medians over
/// that ratio.
fn spread(latency: Option<&LatencyStep>) -> Option<Interval> {
    let ratio = latency?.change.ratio.measured()?;
    let interval = ratio.interval?;
    Some(Interval {
        low: interval.low / ratio.value,
        high: interval.high / ratio.value,
    })
}

fn steps(sides: &Both<Side<'_>>, sorting: &Sorting, spread: Option<Interval>) -> Vec<Step> {
    let in_float = &sorting.full_precision;
    let before = sums(&sides.before, |place, node| {
        sorting.kind(&in_float.before, place, node)
    });
    let after = sums(&sides.after, |place, node| {
        sorting.kind(&in_float.after, place, node)
    });
    let mut steps: Vec<Step> = joined(before, after)
        .into_iter()
        .map(|(kind, sums)| step(kind, &sums, spread))
        .collect();
    let rest = rest(sides, &steps, spread);
    steps.push(rest);
    steps
}

/// The part of either median that `steps` leave.
fn rest(sides: &Both<Side<'_>>, steps: &[Step], spread: Option<Interval>) -> Step {
    let (before, after) = (sides.before.rest(), sides.after.rest());
    Step {
        kind: StepKind::Rest,
        before_ns: sides.before.median_ns - steps.iter().map(|step| step.before_ns).sum::<i64>(),
        after_ns: sides.after.median_ns - steps.iter().map(|step| step.after_ns).sum::<i64>(),
        before_nodes_count: 0,
        after_nodes_count: 0,
        bounds: spread.map(|spread| bounds(before, after, spread)),
    }
}

fn step(kind: StepKind, Both { before, after }: &Both<Sum>, spread: Option<Interval>) -> Step {
    Step {
        kind,
        before_ns: before.span.time_ns.round() as i64,
        after_ns: after.span.time_ns.round() as i64,
        before_nodes_count: before.nodes_count,
        after_nodes_count: after.nodes_count,
        bounds: spread.map(|spread| bounds(before.span, after.span, spread)),
    }
}

/// Operators of which the optimizer absorbed fewer nodes in the session than in the reference, so
/// that more of them run there, or the other way round; counted as nodes of the file less nodes
/// that ran. An operator that only one of the files holds was added or left out by its author,
/// whatever the optimizer made of it.
fn fusions(sides: &Both<Side<'_>>) -> Vec<FusionChange> {
    joined(nodes(&sides.before), nodes(&sides.after))
        .into_iter()
        .filter_map(|(operator, nodes)| fusion(operator, nodes))
        .collect()
}

#[derive(Default)]
struct Nodes {
    in_file: i64,
    ran: i64,
}

/// By name without domain and marks.
fn nodes<'a>(side: &Side<'a>) -> BTreeMap<&'a str, Nodes> {
    let mut nodes: BTreeMap<&str, Nodes> = BTreeMap::new();
    for (operator, count) in side.model.iter().flat_map(|model| &model.operators) {
        let name = base_name(operator.exact());
        nodes.entry(name).or_default().in_file += count.cast_signed();
    }
    for node in &side.profiled.nodes {
        if OperatorGroup::of(&node.operator) == OperatorGroup::Other {
            let name = base_name(node.operator.exact());
            nodes.entry(name).or_default().ran += 1;
        }
    }
    nodes
}

fn fusion(operator: &str, Both { before, after }: Both<Nodes>) -> Option<FusionChange> {
    let before_absorbed_count = before.in_file - before.ran;
    let after_absorbed_count = after.in_file - after.ran;
    let more = before_absorbed_count - after_absorbed_count;
    let is_in_both_or_none = (before.in_file > 0) == (after.in_file > 0);
    let is_fused = is_in_both_or_none && more * (after.ran - before.ran) > 0;
    is_fused.then(|| FusionChange {
        operator: operator.into(),
        before_absorbed_count,
        after_absorbed_count,
    })
}

/// Matrix nodes of the session that compute in floating point, and the nodes of the reference that
/// they stand for: those of the same name, else the first of the same output shapes that no other
/// stands for.
fn full_precision(sides: &Both<Side<'_>>) -> Both<BTreeSet<usize>> {
    let [reference, session] = [&sides.before, &sides.after].map(|side| &side.profiled.nodes[..]);
    let in_float: BTreeSet<usize> = matrix_places(session)
        .filter(|&place| !computes_quantized(&session[place]))
        .collect();
    let mut left: Vec<&NodeProfile> = in_float.iter().map(|&place| &session[place]).collect();
    let mut taken = BTreeSet::new();
    left.retain(|node| {
        let name = plain_name(node.name.exact());
        let found = free(reference, &taken, |other| {
            plain_name(other.name.exact()) == name
        });
        taken.extend(found);
        found.is_none()
    });
    for node in left {
        let shapes = output_dims(node);
        taken.extend(free(reference, &taken, |other| {
            shapes.is_some() && output_dims(other) == shapes
        }));
    }
    Both {
        before: taken,
        after: in_float,
    }
}

fn matrix_places(nodes: &[NodeProfile]) -> impl Iterator<Item = usize> {
    (0..nodes.len())
        .filter(|&place| OperatorGroup::of(&nodes[place].operator) == OperatorGroup::Matrix)
}

/// The first matrix node that is not taken and is alike.
fn free(
    nodes: &[NodeProfile],
    taken: &BTreeSet<usize>,
    is_alike: impl Fn(&NodeProfile) -> bool,
) -> Option<usize> {
    matrix_places(nodes).find(|place| !taken.contains(place) && is_alike(&nodes[*place]))
}

/// A node's name without what the optimizer adds when it fuses nodes or changes their layout.
fn plain_name(name: &str) -> &str {
    let name = name.strip_prefix("fused ").unwrap_or(name);
    let name = name.split("_token_").next().unwrap_or(name);
    ["_nchwc", "_nhwc", "_quant"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

fn output_dims(node: &NodeProfile) -> Option<Vec<&Vec<u64>>> {
    Some(
        node.outputs
            .as_ref()?
            .iter()
            .map(|shape| &shape.dims)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantized_operators_are_known_with_and_without_their_domain() {
        for (operator, is_quantized) in [
            ("com.microsoft.QGemm", true),
            ("QGemm", true),
            ("com.microsoft.FusedConv", false),
        ] {
            let node = NodeProfile {
                operator: operator.into(),
                ..NodeProfile::default()
            };
            assert_eq!(computes_quantized(&node), is_quantized, "{operator}");
        }
    }
}

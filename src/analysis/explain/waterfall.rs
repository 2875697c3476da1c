//! The steps from the reference's median to the session's.

use std::collections::{BTreeMap, BTreeSet};

use super::side::{Side, Sum, base_name, is_compiled, operator_changes, sums};
use crate::analysis::{
    Explanation, FusionChange, Interval, LatencyStep, OperatorGroup, ProfileBasis, Step, StepKind,
};
use crate::matrix_operator::MatrixOperator;
use crate::record::{NodeProfile, Quantization, QuantizationFormat, without_domain};
use crate::units::Ratio;

/// Fills in the steps, the operators behind them, and what they rest on.
pub(super) fn fill(explanation: &mut Explanation, sides: &[Side<'_>; 2]) {
    let [reference, session] = sides;
    let sorting = Sorting::new(
        sides,
        explanation.quantization.as_ref().is_some_and(is_quantized),
    );
    explanation.fusions = sorting.fusions.clone();
    explanation.operators = operator_changes(sides);
    explanation.steps = steps(sides, &sorting, spread(explanation.latency.as_ref()));
    explanation.profiles = Some(ProfileBasis {
        reference_scale: Ratio(reference.node_scale()),
        session_scale: Ratio(session.node_scale()),
        reference_distortion: reference.distortion().map(Ratio),
        session_distortion: session.distortion().map(Ratio),
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
    /// Matrix nodes in floating point, by place, of the reference and of the session.
    full_precision: [BTreeSet<usize>; 2],
}

impl Sorting {
    fn new(sides: &[Side<'_>; 2], is_quantized: bool) -> Self {
        Sorting {
            fusions: if sides.iter().any(Side::has_compiled) {
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

    fn kind(&self, side: usize, place: usize, node: &NodeProfile) -> StepKind {
        if is_compiled(node) {
            return StepKind::Compiled;
        }
        match OperatorGroup::of(&node.operator) {
            OperatorGroup::Matrix if self.full_precision[side].contains(&place) => {
                StepKind::FullPrecision
            }
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

/// By what the session's times may be off downwards and upwards, as shares of them: the interval of
/// the ratio of medians.
fn spread(latency: Option<&LatencyStep>) -> Option<[f64; 2]> {
    let ratio = latency?.change.ratio.measured()?;
    let interval = ratio.interval?;
    Some([
        1.0 - interval.low / ratio.value,
        interval.high / ratio.value - 1.0,
    ])
}

fn steps(sides: &[Side<'_>; 2], sorting: &Sorting, spread: Option<[f64; 2]>) -> Vec<Step> {
    let sums = sums(sides, |side, place, node| sorting.kind(side, place, node));
    let mut steps: Vec<Step> = sums
        .iter()
        .map(|(&kind, &sums)| step(kind, sums, spread))
        .collect();
    let unknown_ns: f64 = [0, 1]
        .iter()
        .flat_map(|&side| sums.values().map(move |sums| sums[side].unknown_ns))
        .sum();
    steps.push(step(
        StepKind::Rest,
        rest(sides, &steps, unknown_ns),
        spread,
    ));
    steps
}

/// The part of either median that `steps` leave; as unsure as all nodes together.
fn rest(sides: &[Side<'_>; 2], steps: &[Step], unknown_ns: f64) -> [Sum; 2] {
    [
        (
            sides[0].median_ns - steps.iter().map(|step| step.before_ns).sum::<i64>(),
            unknown_ns,
        ),
        (
            sides[1].median_ns - steps.iter().map(|step| step.after_ns).sum::<i64>(),
            0.0,
        ),
    ]
    .map(|(time_ns, unknown_ns)| Sum {
        time_ns: time_ns as f64,
        unknown_ns,
        nodes_count: 0,
    })
}

fn step(kind: StepKind, [before, after]: [Sum; 2], spread: Option<[f64; 2]>) -> Step {
    let [before_ns, after_ns] = [before, after].map(|sum| sum.time_ns.round() as i64);
    let unknown_ns = before.unknown_ns + after.unknown_ns;
    Step {
        kind,
        before_ns,
        after_ns,
        before_nodes_count: before.nodes_count,
        after_nodes_count: after.nodes_count,
        bounds: spread.map(|spread| bounds(before_ns, after_ns, unknown_ns, spread)),
    }
}

fn bounds(before_ns: i64, after_ns: i64, unknown_ns: f64, spread: [f64; 2]) -> Interval {
    let change_ns = (after_ns - before_ns) as f64;
    let [below, above] = spread.map(|spread| spread * after_ns.abs() as f64 + unknown_ns);
    Interval {
        low: change_ns - below,
        high: change_ns + above,
    }
}

/// Operators of which the optimizer absorbed fewer nodes in the session than in the reference, so
/// that more of them run there, or the other way round; counted as nodes of the file less nodes
/// that ran. An operator that only one of the files holds was added or left out by its author,
/// whatever the optimizer made of it.
fn fusions(sides: &[Side<'_>; 2]) -> Vec<FusionChange> {
    let ran = [nodes_that_ran(&sides[0]), nodes_that_ran(&sides[1])];
    let operators: BTreeSet<&str> = ran.iter().flat_map(BTreeMap::keys).copied().collect();
    operators
        .into_iter()
        .filter_map(|operator| {
            let in_file =
                [0, 1].map(|side| sides[side].in_file.get(operator).copied().unwrap_or(0));
            let ran = [0, 1].map(|side| ran[side].get(operator).copied().unwrap_or(0));
            fusion(operator, in_file.map(u64::cast_signed), ran)
        })
        .collect()
}

/// By name without domain and marks.
fn nodes_that_ran<'a>(side: &Side<'a>) -> BTreeMap<&'a str, i64> {
    let mut counts = BTreeMap::new();
    for node in &side.profiled.nodes {
        if OperatorGroup::of(&node.operator) == OperatorGroup::Other {
            *counts.entry(base_name(node.operator.exact())).or_insert(0) += 1;
        }
    }
    counts
}

fn fusion(operator: &str, in_file: [i64; 2], ran: [i64; 2]) -> Option<FusionChange> {
    let [before, after] = [0, 1].map(|side| in_file[side] - ran[side]);
    let is_in_both_or_none = (in_file[0] > 0) == (in_file[1] > 0);
    let is_fused = is_in_both_or_none && (before - after) * (ran[1] - ran[0]) > 0;
    is_fused.then(|| FusionChange {
        operator: operator.into(),
        before_absorbed_count: before,
        after_absorbed_count: after,
    })
}

/// Matrix nodes of the session that compute in floating point, and the nodes of the reference that
/// they stand for: those of the same name, else the first of the same output shapes that no other
/// stands for.
fn full_precision(sides: &[Side<'_>; 2]) -> [BTreeSet<usize>; 2] {
    let [reference, session] = [0, 1].map(|side| &sides[side].profiled.nodes[..]);
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
    [taken, in_float]
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

//! Clauses of the sentence that figures give about a session's time, in the order of telling.

use super::same_file;
use super::side::{added_nodes, base_name};
use super::waterfall::{computes_quantized, is_quantized};
use super::{
    Clause, DenormalFindings, Explanation, Facts, Instructions, LatencyStep, OperatorChange,
    Roofline, Step, StepKind,
};
use crate::analysis::{Bound, OperatorGroup, Verdict};
use crate::record::{Granularity, NodeProfile, QuantizationFormat};
use crate::units::Ratio;

/// A step is worth a clause from this share of the larger median on: it is more than the noise
/// floor of a latency and than a machine's drift between profiled and timed launches usually makes.
pub const CLAUSE_SHARE: f64 = 0.05;

/// From this share on, an operator is most of a step, and memory what limits most of a session.
const MOST_SHARE: f64 = 0.5;

/// Single operators that a clause names.
const MOST_OPERATORS: usize = 3;

/// In the order of telling, behind those of matrix nodes.
const OTHER_STEPS: [StepKind; 5] = [
    StepKind::Compiled,
    StepKind::Conversion,
    StepKind::Fusion,
    StepKind::Other,
    StepKind::Rest,
];

pub(super) fn clauses(
    facts: &Facts<'_>,
    explanation: &Explanation,
    denormals: Option<&DenormalFindings>,
    rooflines: &[Roofline],
) -> Vec<Clause> {
    let mut clauses = Vec::new();
    if let Some(nodes) = nodes(facts, explanation) {
        clauses.extend(of_steps(explanation, nodes));
        if !clauses.iter().any(Clause::names_part) {
            clauses.extend(of_operators(explanation));
        }
        clauses.extend(unnamed(explanation, &clauses));
        clauses.extend(computed_in_float(explanation, nodes));
        clauses.extend(per_channel(explanation, nodes));
        clauses.extend(memory_bound(rooflines, explanation));
    }
    clauses.extend(missing_instructions(explanation));
    clauses.extend(denormals.and_then(denormal));
    if same_file::run_one_model(
        facts.index.record,
        explanation.session,
        explanation.reference,
    ) {
        clauses.retain(tells_two_sessions_apart);
    }
    clauses
}

fn of_steps(explanation: &Explanation, nodes: &[NodeProfile]) -> impl Iterator<Item = Clause> {
    [
        step(explanation, StepKind::Matrix),
        not_fused(explanation, nodes).or_else(|| full_precision(explanation, nodes)),
    ]
    .into_iter()
    .chain(OTHER_STEPS.map(|kind| step(explanation, kind)))
    .flatten()
}

/// Clauses on traits of the model itself do not: both of its sessions have them.
fn tells_two_sessions_apart(clause: &Clause) -> bool {
    matches!(
        clause,
        Clause::Step { .. }
            | Clause::NotFused { .. }
            | Clause::Operators { .. }
            | Clause::Unnamed { .. }
    )
}

/// Operators that surely changed by a share worth a clause, where a difference was shown.
fn of_operators(explanation: &Explanation) -> Option<Clause> {
    let latency = explanation.latency.as_ref()?;
    is_shown(latency).then_some(())?;
    let changes: Vec<OperatorChange> = explanation
        .operators
        .iter()
        .filter(|change| change.is_resolved() && is_large(explanation, change.change_ns()))
        .take(MOST_OPERATORS)
        .cloned()
        .collect();
    (!changes.is_empty()).then_some(Clause::Operators { changes })
}

fn nodes<'a>(facts: &Facts<'a>, explanation: &Explanation) -> Option<&'a [NodeProfile]> {
    let latency = explanation
        .latency
        .as_ref()
        .filter(|_| !explanation.steps.is_empty())?;
    let cell = (explanation.session, latency.shape, latency.batch_size);
    facts
        .index
        .record
        .operators
        .iter()
        .filter(|profile| (profile.session, profile.shape, profile.batch_size) == cell)
        .find_map(|profile| Some(&profile.profile.as_ref().ok()?.nodes[..]))
}

fn step(explanation: &Explanation, kind: StepKind) -> Option<Clause> {
    let step = step_of(explanation, kind)?;
    let is_worth = is_large(explanation, step.change_ns()) && step.is_resolved();
    is_worth.then(|| Clause::Step {
        step: step.clone(),
        operators: added_nodes(operators_of(explanation, kind)),
        mostly: operators_of(explanation, kind)
            .find(|change| is_most(change, step))
            .map(|change| change.operator.clone()),
    })
}

fn operators_of(
    explanation: &Explanation,
    kind: StepKind,
) -> impl Iterator<Item = &OperatorChange> {
    explanation
        .operators
        .iter()
        .filter(move |change| kind_of(explanation, change) == kind)
}

/// Whether an operator that both sides have is most of a step.
fn is_most(change: &OperatorChange, step: &Step) -> bool {
    let share = change.change_ns() as f64 / step.change_ns() as f64;
    change.before_nodes_count.min(change.after_nodes_count) > 0 && share >= MOST_SHARE
}

fn kind_of(explanation: &Explanation, change: &OperatorChange) -> StepKind {
    let name = base_name(change.operator.exact());
    match OperatorGroup::of(&change.operator) {
        OperatorGroup::Matrix => StepKind::Matrix,
        OperatorGroup::Conversion => StepKind::Conversion,
        OperatorGroup::Other
            if explanation
                .fusions
                .iter()
                .any(|fusion| fusion.operator == name) =>
        {
            StepKind::Fusion
        }
        OperatorGroup::Other => StepKind::Other,
    }
}

fn is_large(explanation: &Explanation, change_ns: i64) -> bool {
    let Some(latency) = &explanation.latency else {
        return false;
    };
    change_ns.abs() as f64 >= CLAUSE_SHARE * latency.reference_ns.max(latency.session_ns) as f64
}

fn matrix_nodes(nodes: &[NodeProfile]) -> impl Iterator<Item = &NodeProfile> {
    nodes
        .iter()
        .filter(|node| OperatorGroup::of(&node.operator) == OperatorGroup::Matrix)
}

fn matrix_count(nodes: &[NodeProfile]) -> u64 {
    matrix_nodes(nodes).count() as u64
}

fn quantized_count(nodes: &[NodeProfile]) -> u64 {
    matrix_nodes(nodes)
        .filter(|node| computes_quantized(node))
        .count() as u64
}

fn step_of(explanation: &Explanation, kind: StepKind) -> Option<&Step> {
    explanation.steps.iter().find(|step| step.kind == kind)
}

/// Pairs that stayed around matrix nodes in floating point, although the graph means them to be
/// fused.
fn not_fused(explanation: &Explanation, nodes: &[NodeProfile]) -> Option<Clause> {
    let quantization = explanation.quantization.as_ref()?;
    let meant = quantization.reduced_matrix_nodes_count;
    let ran = quantized_count(nodes);
    let in_float = matrix_count(nodes) - ran;
    let is_lost = quantization.format == QuantizationFormat::Qdq
        && ran < meant
        && in_float > quantization.full_precision_matrix_nodes_count;
    is_lost.then(|| Clause::NotFused {
        meant_nodes_count: meant,
        ran_nodes_count: ran,
        before_ns: step_of(explanation, StepKind::FullPrecision).map_or(0, |step| step.before_ns),
        after_ns: step_of(explanation, StepKind::FullPrecision).map_or(0, |step| step.after_ns),
    })
}

/// Matrix nodes that the model itself leaves in full precision, where they take a share worth
/// telling.
fn full_precision(explanation: &Explanation, nodes: &[NodeProfile]) -> Option<Clause> {
    let latency = explanation.latency.as_ref()?;
    let time_ns = step_of(explanation, StepKind::FullPrecision)?.after_ns;
    let share = time_ns as f64 / latency.session_ns as f64;
    let nodes_count = matrix_count(nodes) - quantized_count(nodes);
    let is_told = explanation.quantization.as_ref().is_some_and(is_quantized)
        && nodes_count > 0
        && share >= CLAUSE_SHARE;
    is_told.then(|| Clause::FullPrecision {
        nodes_count,
        of_count: matrix_count(nodes),
        time_ns,
        share: Ratio(share),
    })
}

/// Casts of a half-precision model, if its matrix nodes take single precision.
fn computed_in_float(explanation: &Explanation, nodes: &[NodeProfile]) -> Option<Clause> {
    let is_half = explanation.quantization.as_ref()?.format == QuantizationFormat::Float16;
    let single_nodes_count = matrix_nodes(nodes)
        .filter(|node| takes_single_precision(node))
        .count() as u64;
    let casts = explanation
        .operators
        .iter()
        .find(|change| change.operator == "Cast");
    (is_half && single_nodes_count > 0).then(|| Clause::ComputedInFloat {
        nodes_count: single_nodes_count,
        of_count: matrix_count(nodes),
        casts_count: nodes.iter().filter(|node| node.operator == "Cast").count() as u64,
        casts_ns: casts
            .filter(|change| change.is_resolved())
            .map(|change| change.after_ns),
    })
}

fn takes_single_precision(node: &NodeProfile) -> bool {
    node.inputs
        .as_ref()
        .and_then(|inputs| inputs.first())
        .is_some_and(|input| input.element_type == "float")
}

fn per_channel(explanation: &Explanation, nodes: &[NodeProfile]) -> Option<Clause> {
    let quantization = explanation.quantization.as_ref()?;
    let is_meant = quantization.granularity == Some(Granularity::PerChannel)
        && quantization.format != QuantizationFormat::WeightOnly;
    let of_count = matrix_count(nodes);
    (is_meant && of_count > 0).then(|| Clause::PerChannel {
        ran_nodes_count: quantized_count(nodes),
        of_count,
    })
}

/// The rest that the clauses so far leave of a difference that was shown, where it is worth a
/// clause or nothing else is told.
fn unnamed(explanation: &Explanation, clauses: &[Clause]) -> Option<Clause> {
    let latency = explanation.latency.as_ref()?;
    let told_ns: i64 = clauses
        .iter()
        .map(|clause| told_ns(clause, explanation))
        .sum();
    let change_ns = latency.difference_ns() - told_ns;
    let is_worth = clauses.is_empty() || is_large(explanation, change_ns);
    (is_shown(latency) && is_worth && change_ns != 0).then_some(Clause::Unnamed { change_ns })
}

fn is_shown(latency: &LatencyStep) -> bool {
    matches!(latency.change.verdict, Verdict::Faster | Verdict::Slower)
}

/// Change of the step that a clause tells of.
fn told_ns(clause: &Clause, explanation: &Explanation) -> i64 {
    match clause {
        Clause::Step { step, .. } => step.change_ns(),
        Clause::Operators { changes } => changes.iter().map(OperatorChange::change_ns).sum(),
        Clause::NotFused { .. } | Clause::FullPrecision { .. } => {
            step_of(explanation, StepKind::FullPrecision).map_or(0, Step::change_ns)
        }
        Clause::Unnamed { .. }
        | Clause::ComputedInFloat { .. }
        | Clause::PerChannel { .. }
        | Clause::MemoryBound { .. }
        | Clause::MissingInstructions(_)
        | Clause::Denormals { .. } => 0,
    }
}

fn memory_bound(rooflines: &[Roofline], explanation: &Explanation) -> Option<Clause> {
    let latency = explanation.latency.as_ref()?;
    let cell = (explanation.session, latency.shape, latency.batch_size);
    let share = rooflines
        .iter()
        .find(|roofline| (roofline.session, roofline.shape, roofline.batch_size) == cell)?
        .share_of(Bound::Memory);
    (share.0 >= MOST_SHARE).then_some(Clause::MemoryBound { share })
}

/// Instructions that are missing or of no use, unless the session is faster without them.
fn missing_instructions(explanation: &Explanation) -> Option<Clause> {
    let is_faster = explanation
        .latency
        .as_ref()
        .is_some_and(|latency| latency.change.verdict == Verdict::Faster);
    explanation
        .instructions
        .clone()
        .filter(are_missing)
        .filter(|_| !is_faster)
        .map(Clause::MissingInstructions)
}

fn are_missing(instructions: &Instructions) -> bool {
    instructions.present.is_empty() || !instructions.has_kernels
}

fn denormal(denormals: &DenormalFindings) -> Option<Clause> {
    let change = denormals.change.clone();
    Some(Clause::Denormals {
        change: change.filter(|change| change.verdict == Verdict::Faster)?,
        flushed_ns: denormals.flushed_ns?,
        unchanged_ns: denormals.unchanged_ns?,
    })
}

//! Bottlenecks of the sessions, in words, by the template's fields.

use serde::Serialize;

use crate::analysis::{Bottleneck, BottleneckKind, Bound, Estimate, SMALL_CALL};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::report::chapters::roofline;
use crate::report::words::{self, Item, Source, not_measured, number, plain};
use crate::text::{Plain, Shown};
use crate::units::Ratio;

/// A numbered entry of the template with its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub title: String,
    pub fields: Vec<Item>,
}

impl Entry {
    /// With a label for each of the texts.
    pub(super) fn labelled<T: Into<String>>(
        title: impl Into<String>,
        labels: &[&str],
        texts: impl IntoIterator<Item = T>,
    ) -> Self {
        let fields = labels.iter().zip(texts);
        Entry {
            title: title.into(),
            fields: fields
                .map(|(label, text)| Item::new(*label, text))
                .collect(),
        }
    }
}

/// The template's fields of a bottleneck.
const LABELS: [&str; 4] = [
    "Pipeline Stage",
    "Performance Issue",
    "Resource Constraint",
    "Optimization Opportunity",
];

/// Words of a command as a shell reads them.
pub(in crate::report) fn command<T: Shown>(words: &[T]) -> String {
    let harmless: Vec<String> = words.iter().map(plain).collect();
    shlex::try_join(harmless.iter().map(String::as_str)).unwrap_or_else(|_| harmless.join(" "))
}

pub(in crate::report) fn bottlenecks(source: Source<'_>) -> Vec<Entry> {
    let is_unprofiled = source.findings.causes.rooflines.is_empty();
    by_title(source)
        .into_iter()
        .map(|(title, members)| entry(source, title, &members))
        .chain(is_unprofiled.then(operators))
        .collect()
}

/// The same in a line each; the most consequential first.
pub(in crate::report) fn issues(source: Source<'_>) -> Vec<String> {
    by_title(source)
        .into_iter()
        .map(|(title, members)| format!("{title}: {}", of_kind(source, &members)))
        .collect()
}

fn by_title(source: Source<'_>) -> Vec<(&'static str, Vec<&Bottleneck>)> {
    words::grouped(
        source
            .findings
            .decisions
            .bottlenecks
            .iter()
            .map(|found| (about(&found.kind)[0], found)),
    )
}

fn operators() -> Entry {
    let reason = not_measured("the run profiled no operators");
    Entry::labelled(
        "Operators",
        &LABELS,
        ["inference", &reason, &reason, &reason],
    )
}

fn of_kind(source: Source<'_>, members: &[&Bottleneck]) -> String {
    words::joined(
        members.iter().map(|found| {
            format!(
                "{}: {}",
                source.name(found.session),
                issue(source, &found.kind)
            )
        }),
        "; ",
    )
}

fn entry(source: Source<'_>, title: &str, members: &[&Bottleneck]) -> Entry {
    let issue = of_kind(source, members);
    let is_loading = members.iter().any(|found| is_of_loading(&found.kind));
    let stage = if is_loading {
        "model loading"
    } else {
        "inference"
    };
    let [_, constraint, opportunity] = members
        .first()
        .map(|first| about(&first.kind))
        .unwrap_or_default();
    Entry::labelled(title, &LABELS, [stage, &issue, constraint, opportunity])
}

fn is_of_loading(kind: &BottleneckKind) -> bool {
    matches!(
        kind,
        BottleneckKind::LoadTime { .. } | BottleneckKind::ModelMemory { .. }
    )
}

/// Its title, the resource that it is for want of, and what can be done about it.
fn about(kind: &BottleneckKind) -> [&'static str; 3] {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => [
            "Outputs that are not numbers",
            "none: numerical range of the variant's type",
            "keep the operators that overflow in a wider type, or calibrate again; do not ship it before",
        ],
        BottleneckKind::SlowerThanBaseline { .. } => [
            "Variant slower than the baseline",
            "the operators that changed, as far as they were profiled: the section that begins with Why names them",
            "leave this variant out on this machine, unless what makes it slower can be undone",
        ],
        BottleneckKind::IdleThreads { .. } => [
            "Idle threads",
            "CPU, in part: threads wait for each other or for serial operators",
            "fewer intra-op threads per session, and several requests in flight instead",
        ],
        BottleneckKind::ThroughputSaturates { .. } => [
            "Throughput saturates",
            "CPU where its utilization is near 100%; elsewhere perhaps memory bandwidth, which is not measured",
            "use the batch size named; larger ones only add latency",
        ],
        BottleneckKind::ThroughputFalls { .. } => [
            "Throughput falls with large batches",
            "what went along with it stands under Batch size and shape",
            "stay at the best batch size and split larger requests",
        ],
        BottleneckKind::DominatingOperator {
            bound: Ok(bound), ..
        } => {
            let title = match bound {
                Bound::Compute => "Dominating operator, compute-bound",
                Bound::Memory => "Dominating operator, memory-bound",
                Bound::Overhead | Bound::Conversion => DOMINATING,
            };
            let [constraint, opportunity] = of_bound(*bound);
            [title, constraint, opportunity]
        }
        BottleneckKind::DominatingOperator { .. } => [
            DOMINATING,
            "not measured: what limits it, as said",
            "its kernel or its precision; anything else is small",
        ],
        BottleneckKind::Conversions { .. } => [
            "Conversions",
            of_bound(Bound::Conversion)[0],
            "keep the operators between two conversions in one precision and layout, so that they cancel out",
        ],
        BottleneckKind::SmallNodes { .. } => {
            let [constraint, opportunity] = of_bound(Bound::Overhead);
            [
                "Nodes too small for their work to matter",
                constraint,
                opportunity,
            ]
        }
        BottleneckKind::LoadTime { .. } => [
            "Time to first prediction",
            "CPU and storage",
            "load before traffic arrives; for session load, save the optimized model once and load that",
        ],
        BottleneckKind::ModelMemory { .. } => [
            "Model memory",
            "memory",
            "compare with weights prepacked once, or with the memory arena off; not measured here",
        ],
    }
}

const DOMINATING: &str = "Dominating operator";

/// The resource that a bound is for want of, and what can be done about it.
fn of_bound(bound: Bound) -> [&'static str; 2] {
    match bound {
        Bound::Compute => [
            "CPU: arithmetic",
            "fewer or cheaper operations: a narrower type with a kernel of its own, or a smaller model",
        ],
        Bound::Memory => [
            "memory bandwidth",
            "fewer bytes: a narrower type of weights, or larger batches, which share the weights",
        ],
        Bound::Overhead => [
            "CPU: the fixed cost of starting a node",
            "fewer nodes for the same work: larger batches, or graph optimization that fuses them",
        ],
        Bound::Conversion => [
            "CPU: changes of precision, layout or device",
            "fewer conversions",
        ],
    }
}

fn issue(source: Source<'_>, kind: &BottleneckKind) -> String {
    match kind {
        BottleneckKind::NotFiniteOutputs {
            affected_samples_count,
            samples_count,
        } => not_finite(*affected_samples_count, *samples_count),
        BottleneckKind::SlowerThanBaseline {
            shape,
            batch_size,
            change,
            precision,
            baseline_precision,
        } => {
            let [own, baseline] = [precision, baseline_precision].map(precision_words);
            format!(
                "{} at {} ({own} against {baseline})",
                words::latency_change(change),
                source.batch(*shape, *batch_size)
            )
        }
        BottleneckKind::IdleThreads {
            shape,
            batch_size,
            utilization,
            cpus_count,
        } => idle(&source.batch(*shape, *batch_size), utilization, *cpus_count),
        BottleneckKind::ThroughputSaturates {
            shape,
            batch_size,
            gain,
            utilization,
        } => saturates(&source.batch(*shape, *batch_size), *gain, *utilization),
        BottleneckKind::ThroughputFalls {
            shape,
            best,
            largest,
            ratio,
        } => falls(&source.batch(*shape, *largest), *best, ratio),
        BottleneckKind::DominatingOperator {
            batch_size,
            operator,
            share,
            bound,
            attained,
            is_quantized,
        } => {
            let rate = match bound {
                Ok(Bound::Memory) => "memory bandwidth",
                _ if *is_quantized => "integer rate",
                _ => "floating-point rate",
            };
            let limit = limit(bound, *attained, rate);
            dominating(*batch_size, operator, *share, &limit)
        }
        BottleneckKind::Conversions {
            batch_size,
            share,
            operators,
            nodes_count,
        } => conversions(*batch_size, *share, operators, *nodes_count),
        BottleneckKind::SmallNodes { batch_size, share } => small_nodes(*batch_size, *share),
        BottleneckKind::LoadTime {
            part,
            share,
            estimate,
            predictions,
        } => load_time(*part, *share, estimate, *predictions),
        BottleneckKind::ModelMemory {
            memory,
            per_file_size,
        } => model_memory(memory, *per_file_size),
    }
}

fn not_finite(affected: u64, all: u64) -> String {
    format!(
        "NaN or infinite values in {} of {} samples",
        number::count(affected),
        number::count(all)
    )
}

fn precision_words(precision: &Option<Plain>) -> String {
    precision
        .as_ref()
        .map_or_else(|| "unknown precision".into(), plain)
}

fn idle(at: &str, utilization: &Estimate, cpus_count: u64) -> String {
    format!(
        "at {at} the worker used {} of its {cpus_count} CPUs",
        words::value(Metric::CpuUtilization, utilization)
    )
}

fn saturates(from: &str, gain: f64, utilization: Option<f64>) -> String {
    let used = utilization
        .map(|used| format!(", CPU utilization {}", number::share(used)))
        .unwrap_or_default();
    format!(
        "from {from} on, at {}x the smallest batch's{used}",
        number::factor(gain, None)
    )
}

fn falls(largest: &str, best: u64, ratio: &Estimate) -> String {
    format!(
        "{largest} has {} of batch {best}'s throughput",
        words::value(Metric::CpuUtilization, ratio)
    )
}

fn load_time(part: Metric, share: Ratio, estimate: &Estimate, predictions: Option<f64>) -> String {
    let worth = predictions
        .map(|n| number::count(n.round() as u64))
        .map(|n| format!(", as long as {n} predictions"));
    format!(
        "{} takes {} of it, {}{}",
        part.label(),
        number::share(share.0),
        words::value(part, estimate),
        worth.unwrap_or_default()
    )
}

fn model_memory(memory: &Estimate, per_file_size: f64) -> String {
    format!(
        "{}, {}x its file",
        words::value(Metric::ModelMemory, memory),
        number::factor(per_file_size, None)
    )
}

/// `compute-bound, at 41.0% of the machine's peak integer rate`, where `rate` is what limits it.
fn limit(bound: &Observed<Bound>, attained: Option<Ratio>, rate: &str) -> String {
    let bound = bound_words(bound);
    match attained.map(|ratio| number::share(ratio.0)) {
        Some(share) => format!("{bound}, at {share} of the machine's peak {rate}"),
        None => bound,
    }
}

fn bound_words(bound: &Observed<Bound>) -> String {
    match bound {
        Ok(bound) => roofline::word(*bound).to_owned(),
        Err(reason) => format!("limited by what is {}", not_measured(reason)),
    }
}

fn dominating(batch_size: u64, operator: &Plain, share: Ratio, limit: &str) -> String {
    format!(
        "at batch {batch_size} {operator} takes {} of the time in nodes; the longest of its nodes is {limit}",
        number::share(share.0)
    )
}

fn conversions(batch_size: u64, share: Ratio, operators: &[Plain], nodes_count: u64) -> String {
    format!(
        "at batch {batch_size} {} nodes ({}) take {} of the time in nodes",
        number::count(nodes_count),
        words::listed(operators),
        number::share(share.0)
    )
}

fn small_nodes(batch_size: u64, share: Ratio) -> String {
    format!(
        "at batch {batch_size} nodes under {} µs each and far from every peak take {} of the time in nodes",
        SMALL_CALL.0 / 1_000,
        number::share(share.0)
    )
}

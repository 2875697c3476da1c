//! Bottlenecks of the sessions, in words, by the template's fields.

mod device;
mod remedy;

use std::path::Path;

use serde::Serialize;

use crate::analysis::{
    BetterKernel, Bottleneck, BottleneckKind, Bound, Change, Estimate, SMALL_CALL,
};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::record::RunInfo;
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

/// The name of this program.
const PROGRAM: &str = "onnxprof";

/// Words of a command as a shell reads them.
pub(in crate::report) fn command<T: Shown>(words: &[T]) -> String {
    let harmless: Vec<String> = words.iter().map(plain).collect();
    shlex::try_join(harmless.iter().map(String::as_str)).unwrap_or_else(|_| harmless.join(" "))
}

/// The command that measured a run, as it is found on `PATH`.
pub(in crate::report) fn own_command(run: &RunInfo) -> String {
    let mut words = run.command.clone();
    if let Some(program) = words.first_mut()
        && Path::new(program.exact()).ends_with(PROGRAM)
    {
        *program = PROGRAM.into();
    }
    command(&words)
}

pub(in crate::report) fn bottlenecks(source: Source<'_>) -> Vec<Entry> {
    by_title(source)
        .into_iter()
        .map(|(title, members)| entry(source, title, &members))
        .chain(unknown_operators(source))
        .collect()
}

/// A limit in a line.
pub(in crate::report) struct Issue {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) text: String,
}

/// Those of the baseline, which is what runs today; the most consequential first.
pub(in crate::report) fn issues(source: Source<'_>) -> Vec<Issue> {
    let baseline = source.baseline().map(|baseline| baseline.session);
    by_title(source)
        .into_iter()
        .filter_map(|(title, mut members)| {
            members.retain(|found| Some(found.session) == baseline);
            let first = members.first()?;
            Some(Issue {
                title,
                text: issue(source, &first.kind),
            })
        })
        .collect()
}

fn by_title(source: Source<'_>) -> Vec<(&'static str, Vec<&Bottleneck>)> {
    words::grouped(
        source
            .findings
            .decisions
            .bottlenecks
            .iter()
            .map(|found| (title(&found.kind), found)),
    )
}

/// Says why nothing is known of operators, where it is not of any.
fn unknown_operators(source: Source<'_>) -> Option<Entry> {
    let causes = &source.findings.causes;
    let is_profiled = causes.operators.iter().any(|found| found.breakdown.is_ok());
    let reason = not_measured(if is_profiled {
        "the traces tell times of the host alone, which handed work over to a device"
    } else {
        "the run profiled no operators"
    });
    causes.rooflines.is_empty().then(|| {
        let texts = ["operators of an inference", &reason, &reason, &reason];
        Entry::labelled("Operators", &LABELS, texts)
    })
}

fn of_kind(source: Source<'_>, members: &[&Bottleneck]) -> Vec<String> {
    members
        .iter()
        .map(|found| {
            format!(
                "{}: {}",
                source.name(found.session),
                issue(source, &found.kind)
            )
        })
        .collect()
}

fn entry(source: Source<'_>, title: &str, members: &[&Bottleneck]) -> Entry {
    let lists = [stage, remedy::constraint, remedy::opportunity]
        .map(|of| words::once(members.iter().map(|found| of(source, found))));
    let [stage, constraint, opportunity] = lists;
    let [stage_of, issue_of, constraint_of, opportunity_of] = LABELS;
    Entry {
        title: title.into(),
        fields: vec![
            Item::list(stage_of, stage),
            Item::list(issue_of, of_kind(source, members)),
            Item::list(constraint_of, constraint),
            Item::list(opportunity_of, opportunity),
        ],
    }
}

/// Where in a prediction the limit was seen, as far as it was.
fn stage(source: Source<'_>, found: &Bottleneck) -> String {
    match &found.kind {
        BottleneckKind::NotFiniteOutputs { .. } => "inference: its outputs".into(),
        BottleneckKind::SlowerThanBaseline {
            shape, batch_size, ..
        }
        | BottleneckKind::IdleThreads {
            shape, batch_size, ..
        } => format!("inference at {}", source.batch(*shape, *batch_size)),
        BottleneckKind::ThroughputSaturates {
            shape, batch_size, ..
        } => format!("inference from {} on", source.batch(*shape, *batch_size)),
        BottleneckKind::ThroughputFalls { shape, largest, .. } => {
            format!("inference at {}", source.batch(*shape, *largest))
        }
        BottleneckKind::DominatingOperator { batch_size, .. }
        | BottleneckKind::InefficientKernel { batch_size, .. }
        | BottleneckKind::Conversions { batch_size, .. }
        | BottleneckKind::SmallNodes { batch_size, .. }
        | BottleneckKind::Device { batch_size, .. } => {
            format!("operators of an inference at batch {batch_size}")
        }
        BottleneckKind::LoadTime { part, .. } => {
            format!("before the first prediction: {}", part.label())
        }
        BottleneckKind::ModelMemory { .. } => "session load: the memory that stays".into(),
    }
}

fn title(kind: &BottleneckKind) -> &'static str {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => "Outputs that are not numbers",
        BottleneckKind::SlowerThanBaseline { .. } => "Variant slower than the baseline",
        BottleneckKind::IdleThreads {
            others_ratio: Some(_),
            ..
        } => "CPUs taken by other processes",
        BottleneckKind::IdleThreads {
            others_ratio: None, ..
        } => "Idle threads",
        BottleneckKind::ThroughputSaturates { .. } => "Throughput saturates",
        BottleneckKind::ThroughputFalls { .. } => "Throughput falls with large batches",
        BottleneckKind::DominatingOperator { bound, .. } => match bound {
            Ok(Bound::Compute) => "Dominating operator, compute-bound",
            Ok(Bound::Memory) => "Dominating operator, memory-bound",
            Ok(Bound::FarFromBoth) => "Dominating operator, far from the machine's peaks",
            Ok(Bound::Overhead | Bound::Conversion) | Err(_) => "Dominating operator",
        },
        BottleneckKind::InefficientKernel { .. } => "Inefficient kernel",
        BottleneckKind::Conversions { .. } => "Conversions",
        BottleneckKind::SmallNodes { .. } => "Nodes too small for their work to matter",
        BottleneckKind::Device { verdict, .. } => device::title(*verdict),
        BottleneckKind::LoadTime { .. } => "Time to first prediction",
        BottleneckKind::ModelMemory { .. } => "Model memory",
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
            let at = source.batch(*shape, *batch_size);
            slower(&at, change, precision, baseline_precision)
        }
        BottleneckKind::IdleThreads {
            shape,
            batch_size,
            utilization,
            cpus_count,
            ..
        } => idle(&source.batch(*shape, *batch_size), utilization, *cpus_count),
        BottleneckKind::ThroughputSaturates {
            shape,
            batch_size,
            gain,
            utilization,
            ..
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
            let limit = limit(bound, *attained, *is_quantized);
            dominating(*batch_size, operator, *share, &limit)
        }
        BottleneckKind::InefficientKernel {
            batch_size,
            operator,
            share,
            attained,
            better,
        } => {
            let limit = inefficient(source, *attained, better.as_ref());
            dominating(*batch_size, operator, *share, &limit)
        }
        BottleneckKind::Conversions {
            batch_size,
            share,
            operators,
            nodes_count,
        } => conversions(*batch_size, *share, operators, *nodes_count),
        BottleneckKind::SmallNodes { batch_size, share } => small_nodes(*batch_size, *share),
        BottleneckKind::Device {
            batch_size,
            verdict,
            device,
        } => device::issue(*batch_size, *verdict, device),
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

fn slower(
    at: &str,
    change: &Change,
    precision: &Option<Plain>,
    baseline: &Option<Plain>,
) -> String {
    let [own, baseline] = [precision, baseline].map(precision_words);
    let change = words::latency_change(change);
    format!("{change} at {at} ({own} against {baseline})")
}

fn precision_words(precision: &Option<Plain>) -> String {
    precision
        .as_ref()
        .map_or_else(|| "unknown precision".into(), plain)
}

fn idle(at: &str, utilization: &Estimate, cpus_count: u64) -> String {
    format!(
        "at {at} the session used {} of its {cpus_count} CPUs",
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

fn inefficient(source: Source<'_>, attained: Ratio, better: Option<&BetterKernel>) -> String {
    let better = better.map(|better| better_kernel(source, better));
    format!(
        "at {} of the machine's peak integer rate{}",
        number::share(attained.0),
        better.unwrap_or_default()
    )
}

/// `; QLinearConv of int8-static attains 60.2% with as many operations`.
fn better_kernel(source: Source<'_>, better: &BetterKernel) -> String {
    let attained = match better.attained {
        Ratio(share) if share <= 1.0 => number::share(share),
        Ratio(_) => "all of it".into(),
    };
    format!(
        "; {} of {} attains {attained} with as many operations",
        better.operator,
        source.name(better.session)
    )
}

/// `compute-bound, at 41.0% of the machine's peak integer rate`.
fn limit(bound: &Observed<Bound>, attained: Option<Ratio>, is_quantized: bool) -> String {
    let words = bound_words(bound);
    let peak = match bound {
        Ok(Bound::Memory) => "the machine's peak memory bandwidth",
        Ok(Bound::FarFromBoth | Bound::Overhead) => "the nearer of the machine's peaks",
        Ok(Bound::Compute | Bound::Conversion) | Err(_) if is_quantized => {
            "the machine's peak integer rate"
        }
        Ok(Bound::Compute | Bound::Conversion) | Err(_) => "the machine's peak floating-point rate",
    };
    match attained {
        // Of a peak that was disturbed no share is known.
        Some(Ratio(share)) if share <= 1.0 => {
            format!("{words}, at {} of {peak}", number::share(share))
        }
        Some(_) | None => words,
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
        "at batch {batch_size} {operator} takes {} of the operators' time; the longest of its nodes is {limit}",
        number::share(share.0)
    )
}

fn conversions(batch_size: u64, share: Ratio, operators: &[Plain], nodes_count: u64) -> String {
    format!(
        "at batch {batch_size} {} nodes ({}) take {} of the operators' time",
        number::count(nodes_count),
        words::listed(operators),
        number::share(share.0)
    )
}

fn small_nodes(batch_size: u64, share: Ratio) -> String {
    format!(
        "at batch {batch_size} nodes under {} µs each and far from every peak take {} of the operators' time",
        SMALL_CALL.0 / 1_000,
        number::share(share.0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_all_of_a_peak_is_told() {
        let of = |share| limit(&Ok(Bound::Compute), Some(Ratio(share)), true);
        assert_eq!(
            of(0.41),
            "compute-bound, at 41.0% of the machine's peak integer rate"
        );
        assert_eq!(of(1.486), "compute-bound");
    }
}

//! What limits the sessions, in words, by the template's fields.

use serde::Serialize;

use crate::analysis::{Bottleneck, BottleneckKind, Bound, SMALL_CALL};
use crate::metric::Metric;
use crate::report::words::{self, Item, Source, not_measured, number, plain};

/// A numbered entry of the template with its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub title: String,
    pub fields: Vec<Item>,
}

/// Words of a command as a shell reads them.
pub(in crate::report) fn command(words: &[String]) -> String {
    let harmless: Vec<String> = words.iter().map(plain).collect();
    let joined = shlex::try_join(harmless.iter().map(String::as_str));
    joined.unwrap_or_else(|_| harmless.join(" "))
}

pub(in crate::report) fn bottlenecks(source: Source<'_>) -> Vec<Entry> {
    let groups = by_title(source).into_iter();
    let mut entries: Vec<Entry> = groups
        .map(|(title, members)| entry(source, title, &members))
        .collect();
    if source.findings.causes.rooflines.is_empty() {
        entries.push(operators());
    }
    entries
}

/// The same in a line each; the most consequential first.
pub(in crate::report) fn issues(source: Source<'_>) -> Vec<String> {
    let line = |(title, members): (&str, Vec<&Bottleneck>)| {
        format!("{title}: {}", of_kind(source, &members))
    };
    by_title(source).into_iter().map(line).collect()
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

fn operators() -> Entry {
    let reason = "the run profiled no operators";
    entry_of(
        "Operators",
        [
            "inference".into(),
            not_measured(reason),
            not_measured(reason),
            not_measured(reason),
        ],
    )
}

fn entry_of(title: &str, texts: [String; 4]) -> Entry {
    let labels = [
        "Pipeline Stage",
        "Performance Issue",
        "Resource Constraint",
        "Optimization Opportunity",
    ];
    let fields = labels
        .into_iter()
        .zip(texts)
        .map(|(label, text)| Item::new(label, text))
        .collect();
    Entry {
        title: title.into(),
        fields,
    }
}

fn title(kind: &BottleneckKind) -> &'static str {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => "Outputs that are not numbers",
        BottleneckKind::SlowerThanBaseline { .. } => "Variant slower than the baseline",
        BottleneckKind::IdleThreads { .. } => "Idle threads",
        BottleneckKind::ThroughputSaturates { .. } => "Throughput saturates",
        BottleneckKind::ThroughputFalls { .. } => "Throughput falls with large batches",
        BottleneckKind::DominatingOperator {
            bound: Ok(Bound::Compute),
            ..
        } => "Dominating operator, compute-bound",
        BottleneckKind::DominatingOperator {
            bound: Ok(Bound::Memory),
            ..
        } => "Dominating operator, memory-bound",
        BottleneckKind::DominatingOperator { .. } => "Dominating operator",
        BottleneckKind::Conversions { .. } => "Conversions",
        BottleneckKind::SmallNodes { .. } => "Nodes too small for their work to matter",
        BottleneckKind::LoadTime { .. } => "Time to first prediction",
        BottleneckKind::ModelMemory { .. } => "Model memory",
    }
}

fn of_kind(source: Source<'_>, members: &[&Bottleneck]) -> String {
    let line = |found: &&Bottleneck| {
        format!(
            "{}: {}",
            source.name(found.session),
            issue(source, &found.kind)
        )
    };
    members.iter().map(line).collect::<Vec<String>>().join("; ")
}

fn entry(source: Source<'_>, title: &str, members: &[&Bottleneck]) -> Entry {
    let is_loading = |found: &&Bottleneck| {
        matches!(
            found.kind,
            BottleneckKind::LoadTime { .. } | BottleneckKind::ModelMemory { .. }
        )
    };
    let stage = if members.iter().any(is_loading) {
        "model loading"
    } else {
        "inference"
    };
    let [constraint, opportunity] = members.first().map_or([""; 2], |first| about(&first.kind));
    entry_of(
        title,
        [
            stage.into(),
            of_kind(source, members),
            constraint.into(),
            opportunity.into(),
        ],
    )
}

fn about(kind: &BottleneckKind) -> [&'static str; 2] {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => [
            "none: numerical range of the variant's type",
            "keep the operators that overflow in a wider type, or calibrate again; do not ship it before",
        ],
        BottleneckKind::SlowerThanBaseline { .. } => [
            "the operators that changed, as far as they were profiled: the section that begins with Why names them",
            "leave this variant out on this machine, unless what makes it slower can be undone",
        ],
        BottleneckKind::IdleThreads { .. } => [
            "CPU, in part: threads wait for each other or for serial operators",
            "fewer intra-op threads per session, and several requests in flight instead",
        ],
        BottleneckKind::ThroughputSaturates { .. } => [
            "CPU where its utilization is near 100%; elsewhere perhaps memory bandwidth, which is not measured",
            "use the batch size named; larger ones only add latency",
        ],
        BottleneckKind::ThroughputFalls { .. } => [
            "what went along with it stands under Batch size and shape",
            "stay at the best batch size and split larger requests",
        ],
        BottleneckKind::DominatingOperator {
            bound: Ok(bound), ..
        } => [constraint(*bound), opportunity(*bound)],
        BottleneckKind::DominatingOperator { .. } => [
            "not measured: what limits it, as said",
            "its kernel or its precision; anything else is small",
        ],
        BottleneckKind::Conversions { .. } => [
            constraint(Bound::Conversion),
            "keep the operators between two conversions in one precision and layout, so that they cancel out",
        ],
        BottleneckKind::SmallNodes { .. } => {
            [constraint(Bound::Overhead), opportunity(Bound::Overhead)]
        }
        BottleneckKind::LoadTime { .. } => [
            "CPU and storage",
            "load before traffic arrives; for session load, save the optimized model once and load that",
        ],
        BottleneckKind::ModelMemory { .. } => [
            "memory",
            "compare with weights prepacked once, or with the memory arena off; not measured here",
        ],
    }
}

fn constraint(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "CPU: arithmetic",
        Bound::Memory => "memory bandwidth",
        Bound::Overhead => "CPU: the fixed cost of starting a node",
        Bound::Conversion => "CPU: changes of precision, layout or device",
    }
}

fn opportunity(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => {
            "fewer or cheaper operations: a narrower type with a kernel of its own, or a smaller model"
        }
        Bound::Memory => {
            "fewer bytes: a narrower type of weights, or larger batches, which share the weights"
        }
        Bound::Overhead => {
            "fewer nodes for the same work: larger batches, or graph optimization that fuses them"
        }
        Bound::Conversion => "fewer conversions",
    }
}

fn issue(source: Source<'_>, kind: &BottleneckKind) -> String {
    match kind {
        BottleneckKind::NotFiniteOutputs {
            affected_samples_count,
            samples_count,
        } => format!(
            "NaN or infinite values in {} of {} samples",
            number::count(*affected_samples_count),
            number::count(*samples_count)
        ),
        BottleneckKind::SlowerThanBaseline {
            shape,
            batch_size,
            change,
            precision,
            baseline_precision,
        } => {
            let own = precision
                .as_deref()
                .map_or("unknown precision".into(), plain);
            let base = baseline_precision
                .as_deref()
                .map_or("unknown precision".into(), plain);
            let at = source.batch(*shape, *batch_size);
            format!(
                "{} at {at} ({own} against {base})",
                words::latency_change(change)
            )
        }
        BottleneckKind::IdleThreads {
            shape,
            batch_size,
            utilization,
            cpus_count,
        } => format!(
            "at {} the worker used {} of its {cpus_count} CPUs",
            source.batch(*shape, *batch_size),
            words::value(Metric::CpuUtilization, utilization)
        ),
        BottleneckKind::ThroughputSaturates {
            shape,
            batch_size,
            gain,
            utilization,
        } => {
            let used = utilization
                .map(|used| format!(", CPU utilization {}", number::share(used)))
                .unwrap_or_default();
            let from = source.batch(*shape, *batch_size);
            format!(
                "from {from} on, at {}x the smallest batch's{used}",
                number::factor(*gain, None)
            )
        }
        BottleneckKind::ThroughputFalls {
            shape,
            best,
            largest,
            ratio,
        } => {
            let largest = source.batch(*shape, *largest);
            format!(
                "{largest} has {} of batch {best}'s throughput",
                words::value(Metric::CpuUtilization, ratio)
            )
        }
        BottleneckKind::DominatingOperator { .. }
        | BottleneckKind::Conversions { .. }
        | BottleneckKind::SmallNodes { .. } => operator_issue(kind).unwrap_or_default(),
        BottleneckKind::LoadTime {
            part,
            share,
            estimate,
            predictions,
        } => {
            let worth = predictions.map(|n| {
                format!(
                    ", as long as {} predictions",
                    number::count(n.round() as u64)
                )
            });
            let time = words::value(*part, estimate);
            format!(
                "{} takes {} of it, {time}{}",
                part.label(),
                number::share(share.0),
                worth.unwrap_or_default()
            )
        }
        BottleneckKind::ModelMemory {
            memory,
            per_file_size,
        } => {
            format!(
                "{}, {}x its file",
                words::value(Metric::ModelMemory, memory),
                number::factor(*per_file_size, None)
            )
        }
    }
}

/// An operator's share of the time; `None` of any other kind.
fn operator_issue(kind: &BottleneckKind) -> Option<String> {
    Some(match kind {
        BottleneckKind::DominatingOperator {
            batch_size,
            operator,
            share,
            bound,
            attained,
            is_quantized,
        } => {
            let kind = if *is_quantized {
                "integer"
            } else {
                "floating-point"
            };
            let of = match bound {
                Ok(Bound::Memory) => "memory bandwidth".to_owned(),
                _ => format!("{kind} rate"),
            };
            let attained = attained
                .map(|ratio| format!(", at {} of the machine's peak {of}", number::share(ratio.0)));
            let bound = match bound {
                Ok(bound) => crate::report::chapters::roofline::word(*bound).to_owned(),
                Err(reason) => format!("limited by what is {}", words::not_measured(reason)),
            };
            format!(
                "at batch {batch_size} {} takes {} of the time in nodes; the longest of its nodes is {bound}{}",
                plain(operator),
                number::share(share.0),
                attained.unwrap_or_default()
            )
        }
        BottleneckKind::Conversions {
            batch_size,
            share,
            operators,
            nodes_count,
        } => {
            format!(
                "at batch {batch_size} {} nodes ({}) take {} of the time in nodes",
                number::count(*nodes_count),
                words::listed(operators.iter().map(plain)),
                number::share(share.0)
            )
        }
        BottleneckKind::SmallNodes { batch_size, share } => format!(
            "at batch {batch_size} nodes under {} µs each and far from every peak take {} of the time in nodes",
            SMALL_CALL.0 / 1_000,
            number::share(share.0)
        ),
        _ => return None,
    })
}

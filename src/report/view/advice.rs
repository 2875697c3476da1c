//! Limits, advice and risks in words, by the template's fields.

use serde::Serialize;

use super::context::Item;
use super::number;
use super::text::plain;
use super::words::{self, Source, not_measured};
use crate::analysis::{Action, Advice, Bottleneck, BottleneckKind, Level, Priority};
use crate::record::{Metric, Unit};

/// A numbered entry of the template with its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What it is called.
    pub title: String,
    /// Its fields.
    pub fields: Vec<Item>,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdviceView {
    /// What to do.
    pub area: String,
    /// The measured gain.
    pub gain: String,
    /// What it costs in accuracy.
    pub accuracy: String,
    /// What it costs in memory.
    pub memory: String,
    /// `High`, `Medium` or `Low`, with the reason.
    pub effort: String,
    /// The same for the risk.
    pub risk: String,
    /// The command that measures the evidence again.
    pub command: String,
}

/// Advice of one priority.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriorityView {
    /// `High Priority`.
    pub label: String,
    /// `Critical Impact`.
    pub impact: String,
    /// The advice, which may be none.
    pub advice: Vec<AdviceView>,
    /// What stands in place of advice where there is none.
    pub none: String,
}

pub(super) fn priorities(source: Source<'_>) -> Vec<PriorityView> {
    let levels = [
        (Priority::High, "High Priority", "Critical Impact", "at least 1.5x"),
        (Priority::Medium, "Medium Priority", "Significant Impact", "between 1.1x and 1.5x"),
        (Priority::Low, "Low Priority", "Minor Impact", "below 1.1x, or in size alone"),
    ];
    let view = |(priority, label, impact, bounds): (Priority, &str, &str, &str)| {
        let advice = source.findings.advice.iter().filter(|advice| advice.priority == priority);
        PriorityView {
            label: label.into(),
            impact: impact.into(),
            advice: advice.map(|advice| worded(source, advice)).collect(),
            none: not_measured(&format!("the run shows no gain of this class ({bounds})")),
        }
    };
    levels.into_iter().map(view).collect()
}

fn worded(source: Source<'_>, advice: &Advice) -> AdviceView {
    let area = match advice.action {
        Action::Ship { key } => {
            format!("Ship {} instead of {} ({})", source.name(key.session), source.baseline_name(), source.at(key))
        }
        Action::Batch { key, from } => {
            format!("Run {} {} instead of {from}", source.name(key.session), source.at(key))
        }
    };
    let accuracy = match (&advice.action, &advice.accuracy) {
        (Action::Batch { .. }, _) => "none: the model stays the same".into(),
        (_, Some(change)) => words::accuracy_change(change),
        (Action::Ship { key }, None) => words::accuracy(source.session(key.session)),
    };
    AdviceView {
        area,
        gain: gain(advice),
        accuracy,
        memory: memory(advice),
        effort: effort(advice),
        risk: risk(advice),
        command: command(&advice.command),
    }
}

fn gain(advice: &Advice) -> String {
    let Some(measured) = advice.gain.measured() else { return not_measured("there is no gain to state") };
    let factor = number::factor(measured.value, measured.interval);
    let interval = measured.interval.map(|interval| format!(" ({})", number::factor_ends(measured.value, interval)));
    let what = match advice.metric {
        Metric::FileSize => return format!("{factor}x smaller file, as fast as before"),
        Metric::Throughput => "the throughput",
        _ => "the speed by median latency",
    };
    let latency = match (advice.action, advice.latency_factor) {
        (Action::Batch { .. }, Some(latency)) => {
            format!("; one inference takes {}x as long", number::factor(latency, None))
        }
        _ => String::new(),
    };
    format!("{factor}x {what}{}, n = {}{latency}", interval.unwrap_or_default(), words::counted(measured))
}

fn memory(advice: &Advice) -> String {
    match advice.memory_factor {
        Some(factor) => format!("{:+.0}% peak memory of the process", (factor - 1.0) * 100.0),
        None => not_measured("peak memory is not known for both"),
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Low => "Low",
        Level::Medium => "Medium",
        Level::High => "High",
    }
}

fn effort(advice: &Advice) -> String {
    let why = match advice.action {
        Action::Ship { .. } => "one model file is replaced; inputs and outputs stay the same",
        Action::Batch { .. } => "requests have to be collected into batches",
    };
    format!("{} ({why})", level(advice.effort))
}

fn risk(advice: &Advice) -> String {
    let mut reasons: Vec<String> = advice.caveats.iter().map(|&caveat| words::caveat(caveat).to_owned()).collect();
    if matches!(advice.action, Action::Batch { .. }) {
        reasons.insert(0, "each request waits for its batch".into());
    } else if reasons.is_empty() {
        reasons.push("no significant loss on labelled data, outputs finite".into());
    }
    format!("{} ({})", level(advice.risk), reasons.join("; "))
}

/// Words of a command as a shell reads them.
pub(super) fn command(words: &[String]) -> String {
    let harmless: Vec<String> = words.iter().map(|word| plain(word)).collect();
    let joined = shlex::try_join(harmless.iter().map(String::as_str));
    joined.unwrap_or_else(|_| harmless.join(" "))
}

/// The limits, those of one kind together.
pub(super) fn bottlenecks(source: Source<'_>) -> Vec<Entry> {
    let mut groups: Vec<(&'static str, Vec<&Bottleneck>)> = Vec::new();
    for bottleneck in &source.findings.bottlenecks {
        let title = title(&bottleneck.kind);
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, members)) => members.push(bottleneck),
            None => groups.push((title, vec![bottleneck])),
        }
    }
    let mut entries: Vec<Entry> = groups.into_iter().map(|(title, members)| entry(source, title, &members)).collect();
    entries.push(operators());
    entries
}

/// What an inference profile without ONNX Runtime's profiler cannot say.
fn operators() -> Entry {
    let reason = "operator times need a separate launch with ONNX Runtime's profiler, which distorts latencies";
    entry_of("Operators", ["inference".into(), not_measured(reason), not_measured(reason), not_measured(reason)])
}

fn entry_of(title: &str, texts: [String; 4]) -> Entry {
    let labels = ["Pipeline Stage", "Performance Issue", "Resource Constraint", "Optimization Opportunity"];
    let fields = labels.into_iter().zip(texts).map(|(label, text)| Item::new(label, text)).collect();
    Entry { title: title.into(), fields }
}

fn title(kind: &BottleneckKind) -> &'static str {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => "Outputs that are not numbers",
        BottleneckKind::SlowerThanBaseline { .. } => "Variant slower than the baseline",
        BottleneckKind::IdleThreads { .. } => "Idle threads",
        BottleneckKind::ThroughputSaturates { .. } => "Throughput saturates",
        BottleneckKind::ThroughputFalls { .. } => "Throughput falls with large batches",
        BottleneckKind::LoadTime { .. } => "Time to first prediction",
        BottleneckKind::ModelMemory { .. } => "Model memory",
    }
}

fn entry(source: Source<'_>, title: &str, members: &[&Bottleneck]) -> Entry {
    let issues: Vec<String> = members
        .iter()
        .map(|bottleneck| format!("{}: {}", source.name(bottleneck.session), issue(&bottleneck.kind)))
        .collect();
    let [stage, constraint, opportunity] = members.first().map_or([""; 3], |first| about(&first.kind));
    entry_of(title, [stage.into(), issues.join("; "), constraint.into(), opportunity.into()])
}

/// Stage, constraint and opportunity of a kind, as far as they follow from what was measured.
fn about(kind: &BottleneckKind) -> [&'static str; 3] {
    match kind {
        BottleneckKind::NotFiniteOutputs { .. } => [
            "inference",
            "none: numerical range of the variant's type",
            "keep the operators that overflow in a wider type, or calibrate again; do not ship it before",
        ],
        BottleneckKind::SlowerThanBaseline { .. } => [
            "inference",
            "not measured: operator-level causes, such as conversions around operators without a kernel for the type",
            "leave this variant out on this machine, or profile its operators",
        ],
        BottleneckKind::IdleThreads { .. } => [
            "inference",
            "CPU, in part: threads wait for each other or for serial operators",
            "fewer intra-op threads per session, and several requests in flight instead",
        ],
        BottleneckKind::ThroughputSaturates { .. } => [
            "inference",
            "CPU where its utilization is near 100%; otherwise not measured: memory bandwidth",
            "use the batch size named; larger ones only add latency",
        ],
        BottleneckKind::ThroughputFalls { .. } => [
            "inference",
            "not measured: cache or memory bandwidth",
            "stay at the best batch size and split larger requests",
        ],
        BottleneckKind::LoadTime { .. } => [
            "model loading",
            "CPU and storage",
            "load before traffic arrives; for session load, save the optimized model once and load that",
        ],
        BottleneckKind::ModelMemory { .. } => [
            "model loading",
            "memory",
            "compare with weights prepacked once, or with the memory arena off; not measured here",
        ],
    }
}

fn issue(kind: &BottleneckKind) -> String {
    let percent = |share: f64| number::value(Unit::Ratio, share, None);
    match kind {
        BottleneckKind::NotFiniteOutputs { affected_samples_count, samples_count } => format!(
            "NaN or infinite values in {} of {} samples",
            number::count(*affected_samples_count),
            number::count(*samples_count)
        ),
        BottleneckKind::SlowerThanBaseline { batch_size, change, precision, baseline_precision } => {
            let own = precision.as_deref().map_or("unknown precision".into(), plain);
            let base = baseline_precision.as_deref().map_or("unknown precision".into(), plain);
            format!("{} at batch {batch_size} ({own} against {base})", words::latency_change(change))
        }
        BottleneckKind::IdleThreads { batch_size, utilization, cpus_count } => format!(
            "at batch {batch_size} the worker used {} of its {cpus_count} CPUs",
            words::value(Metric::CpuUtilization, utilization)
        ),
        BottleneckKind::ThroughputSaturates { batch_size, gain, utilization } => {
            let used = utilization.map(|used| format!(", CPU utilization {}", percent(used))).unwrap_or_default();
            format!("from batch {batch_size} on, at {}x the smallest batch's{used}", number::factor(*gain, None))
        }
        BottleneckKind::ThroughputFalls { best, largest, ratio } => {
            format!("batch {largest} has {} of batch {best}'s throughput", percent(*ratio))
        }
        BottleneckKind::LoadTime { part, share, estimate, predictions } => {
            let worth = predictions.map(|n| format!(", as long as {} predictions", number::count(n.round() as u64)));
            let time = words::value(*part, estimate);
            format!("{} takes {} of it, {time}{}", part.label(), percent(share.0), worth.unwrap_or_default())
        }
        BottleneckKind::ModelMemory { memory, per_file_size } => {
            format!("{}, {}x its file", words::value(Metric::ModelMemory, memory), number::factor(*per_file_size, None))
        }
    }
}

//! Bottlenecks of the machine: what it took away from the model while the run went on.

use super::Fill;
use crate::analysis::{Cause, Contention, contention};
use crate::record::{Conditions, Disturbance, FitnessReason, RunRecord};
use crate::report::chapters::bottlenecks::Entry;
use crate::report::words::{self, Item, number};
use crate::units::{Bytes, Ratio};

/// A smaller share of the time, or of what was wanted, is no bottleneck.
const NOTABLE_SHARE: f64 = 0.01;

/// What was seen of a resource that was scarce.
#[derive(Default)]
struct Scarce {
    symptoms: Vec<String>,
    causes: Vec<String>,
}

impl Scarce {
    fn is_seen(&self) -> bool {
        !self.symptoms.is_empty() || !self.causes.is_empty()
    }
}

pub(super) fn bottlenecks(fill: Fill<'_>) -> Vec<Entry> {
    let Some(seen) = &fill.record.conditions else {
        return Vec::new();
    };
    let found = contention(fill.record);
    let of_blocks = Effect {
        impact: impact(found.as_ref()),
        frequency: frequency(seen, found.as_ref()),
    };
    let of_machine = Effect {
        impact: "not measured: what it did to blocks cannot be seen apart from other work".into(),
        frequency: format!("over {}", number::time(seen.observed_ns)),
    };
    [
        (
            "CPU time taken away",
            cpus(seen),
            cpu(seen, found.as_ref(), fill.record),
            &of_blocks,
        ),
        (
            "Memory",
            "memory of the machine".into(),
            memory(seen),
            &of_machine,
        ),
        (
            "Storage",
            "storage".into(),
            storage(seen, found.as_ref()),
            &of_machine,
        ),
        ("Temperature", cpus(seen), hot(seen), &of_machine),
    ]
    .into_iter()
    .filter(|(_, _, scarce, _)| scarce.is_seen())
    .map(|(title, component, scarce, effect)| Entry {
        title: title.into(),
        fields: vec![
            Item::new("Component", component),
            list("Symptoms", scarce.symptoms),
            list("Root Cause", scarce.causes),
            Item::new("Impact", effect.impact.clone()),
            Item::new("Frequency", effect.frequency.clone()),
        ],
    })
    .collect()
}

/// What a bottleneck did, and how often.
struct Effect {
    impact: String,
    frequency: String,
}

/// Why no entry is there, where none is.
pub(super) fn none(fill: Fill<'_>) -> String {
    match &fill.record.conditions {
        None => "not measured: the record holds no conditions of the machine".into(),
        Some(seen) => format!(
            "none: nothing took away {} of the CPUs, memory or storage in {}",
            number::limit(NOTABLE_SHARE),
            number::time(seen.observed_ns)
        ),
    }
}

fn list(label: &str, lines: Vec<String>) -> Item {
    if lines.is_empty() {
        Item::new(label, "not measured: the system does not tell")
    } else {
        Item::list(label, lines)
    }
}

fn cpus(seen: &Conditions) -> String {
    match seen.worker_cpus.as_slice() {
        [] => "CPUs that were measured on".into(),
        cpus => format!("CPU {}, measured on", words::joined(cpus, ",")),
    }
}

fn cpu(seen: &Conditions, found: Option<&Contention>, record: &RunRecord) -> Scarce {
    let blocks = found
        .filter(|found| found.disturbed_count > 0)
        .map(disturbed);
    let waited = notable(seen.cpu_pressure_ratio).map(|share| {
        format!(
            "tasks waited for a CPU {} of the time",
            number::share(share)
        )
    });
    let others = notable(seen.others_busy_ratio).map(|share| {
        format!(
            "other processes took {} of all CPUs' time",
            number::share(share)
        )
    });
    let stolen = notable(seen.steal_ratio).map(|share| {
        format!(
            "the host took {} of the CPU time wanted",
            number::share(share)
        )
    });
    let siblings = notable(seen.siblings_busy_ratio).map(|share| {
        format!(
            "hardware threads on the same cores were busy {} of the time",
            number::share(share)
        )
    });
    let limit = seen
        .throttling
        .filter(|limit| limit.throttled_periods_count > 0);
    let limit = limit.map(|limit| {
        format!(
            "the control group's limit stopped the run in {} of {} periods",
            number::count(limit.throttled_periods_count),
            number::count(limit.periods_count)
        )
    });
    let seen = [others, stolen, siblings, limit].into_iter().flatten();
    let symptoms: Vec<String> = blocks.into_iter().chain(waited).collect();
    Scarce {
        causes: match symptoms.is_empty() {
            true => seen.collect(),
            false => causes(seen.collect(), record),
        },
        symptoms,
    }
}

/// `26.0% of 580 timed blocks were disturbed, 322 by context switches`.
fn disturbed(found: &Contention) -> String {
    let causes = found.causes.iter().map(cause);
    let share = found.disturbed_count as f64 / found.blocks_count as f64;
    format!(
        "{} of {} timed blocks were disturbed, {}",
        number::percent(share),
        number::count(found.blocks_count),
        words::listed(causes)
    )
}

fn cause(cause: &Cause) -> String {
    let by = match cause.disturbance {
        Disturbance::ContextSwitches => "by context switches",
        Disturbance::Steal => "by CPU time that the host took",
        Disturbance::Throttled => "by the control group's limit",
        Disturbance::MajorFaults => "by pages read from storage",
    };
    format!("{} {by}", number::count(cause.blocks_count))
}

fn notable(share: Option<Ratio>) -> Option<f64> {
    share
        .map(|share| share.0)
        .filter(|share| *share >= NOTABLE_SHARE)
}

fn memory(seen: &Conditions) -> Scarce {
    let waited = notable(seen.memory_pressure_ratio).map(|share| {
        format!(
            "tasks waited for memory {} of the time",
            number::share(share)
        )
    });
    let swapped = [
        ("read back from swap", seen.swapped_in_bytes),
        ("written to swap", seen.swapped_out_bytes),
    ]
    .into_iter()
    .filter_map(|(what, bytes)| Some((what, bytes.filter(|bytes| *bytes > Bytes(0))?)))
    .map(|(what, bytes)| format!("{} were {what}", number::bytes(bytes)));
    Scarce {
        symptoms: waited.into_iter().collect(),
        causes: swapped.collect(),
    }
}

fn storage(seen: &Conditions, found: Option<&Contention>) -> Scarce {
    let waited = notable(seen.io_pressure_ratio).map(|share| {
        format!(
            "tasks waited for storage {} of the time",
            number::share(share)
        )
    });
    let mut causes = found.into_iter().flat_map(|found| &found.causes);
    let faults = causes
        .find(|cause| cause.disturbance == Disturbance::MajorFaults)
        .map(|faults| {
            format!(
                "pages of the process were read from storage in {} blocks",
                number::count(faults.blocks_count)
            )
        });
    Scarce {
        symptoms: waited.into_iter().collect(),
        causes: faults.into_iter().collect(),
    }
}

fn hot(seen: &Conditions) -> Scarce {
    let throttles = seen.thermal_throttles_count.filter(|&count| count > 0);
    Scarce {
        symptoms: throttles
            .map(|count| {
                format!(
                    "CPUs were slowed down {} for their temperature",
                    words::counted_noun(count, "time")
                )
            })
            .into_iter()
            .collect(),
        causes: throttles
            .and(seen.temperature_celsius)
            .map(|hottest| format!("{:.0} °C in the hottest zone at the end", hottest.0))
            .into_iter()
            .collect(),
    }
}

/// What was seen, or else what the verdict on the machine names.
fn causes(seen: Vec<String>, record: &RunRecord) -> Vec<String> {
    if !seen.is_empty() {
        return seen;
    }
    let reasons = record.fitness.iter().flat_map(|fitness| &fitness.reasons);
    reasons.map(reason).collect()
}

fn reason(reason: &FitnessReason) -> String {
    let remedy = reason.remedy.as_ref();
    let remedy = remedy.map(|remedy| format!("; to do: {remedy}"));
    format!("{}{}", reason.seen, remedy.unwrap_or_default())
}

fn impact(found: Option<&Contention>) -> String {
    match found.and_then(|found| found.slowdown) {
        Some(slowdown) => format!(
            "the median latency of disturbed blocks was {}x that of the others, median of {}",
            number::factor(slowdown.factor, None),
            words::counted_noun(slowdown.cells_count, "cell")
        ),
        None => "not measured: no cell has blocks with and without a disturbance".into(),
    }
}

fn frequency(seen: &Conditions, found: Option<&Contention>) -> String {
    let blocks = found.map(|found| {
        format!(
            "{} of {} timed blocks",
            number::count(found.disturbed_count),
            number::count(found.blocks_count)
        )
    });
    format!(
        "{} in {}",
        blocks.unwrap_or_else(|| "not one timed block".into()),
        number::time(seen.observed_ns)
    )
}

//! Background of the figures: how the run ended, the configuration in force, and the machine.

use std::collections::{BTreeMap, BTreeSet};

use super::conditions::{known, unknown};
use super::{Item, Source, gpu, number, plain, words};
use crate::analysis::{SessionFindings, TwoLevels, two_levels};
use crate::metric::{Metric, Unit};
use crate::plan::{Binding, ExecutionMode, GraphOptimization, Plan, SessionOptions, SessionSpec};
use crate::record::{EffectiveOptions, EndReason, Host, RunRecord};
use crate::report::words::number::{bytes, time};
use crate::stats::{LatencyModes, SteadyClass};
use crate::text::Plain;

/// A budget of which at least this share has gone is spent; the reports take the rest.
const SPENT_SHARE: f64 = 0.95;

pub(in crate::report) fn ending(source: Source<'_>) -> String {
    let record = source.record;
    let rounds = rounds(record);
    let after = record
        .run
        .elapsed_ns
        .map(|elapsed| format!(" after {}", time(elapsed)))
        .unwrap_or_default();
    match record.run.ended_by {
        Some(EndReason::TargetReached) => {
            let [asked, target] = asked(&record.plan);
            format!("Complete: {asked} is known to {target} (as asked for){after} and {rounds}.")
        }
        Some(EndReason::BudgetSpent) if source.findings.tuning.is_some() => {
            format!("Complete: {}{after} and {rounds}.", spent(record))
        }
        Some(EndReason::BudgetSpent) => {
            let [asked, target] = asked(&record.plan);
            format!(
                "Complete: {}{after} and {rounds}; asked for was {asked} to {target}.",
                spent(record)
            )
        }
        Some(EndReason::SearchDone) => {
            format!("Complete: the search had nothing left to try{after}.")
        }
        Some(EndReason::RoundsDone) => {
            format!("Complete: all {rounds} asked for were done{after}.")
        }
        Some(EndReason::Interrupted) => format!("INCOMPLETE: interrupted{after} and {rounds}."),
        Some(EndReason::NothingLeft) => {
            format!("Ended{after}: no session could be measured any further.")
        }
        None => format!(
            "INCOMPLETE: the run did not come to its end; {rounds} had been measured, at least in part."
        ),
    }
}

/// `3 rounds`: those of which anything was measured.
fn rounds(record: &RunRecord) -> String {
    let rounds: BTreeSet<_> = record.blocks.iter().map(|block| block.round).collect();
    words::number_of(rounds.len() as u64, "round")
}

/// The budget, and whether it was spent.
fn spent(record: &RunRecord) -> String {
    let Some(budget) = record.plan.schedule.budget_ns else {
        return "the budget was spent".into();
    };
    match record.run.elapsed_ns {
        Some(elapsed) if elapsed.as_f64() < SPENT_SHARE * budget.as_f64() => {
            format!("measuring ended within the budget of {}", time(budget))
        }
        _ => format!("the budget of {} was spent", time(budget)),
    }
}

/// The figures that were asked for, and how well they were to be known.
fn asked(plan: &Plan) -> [String; 2] {
    let what = if plan.sessions.len() > 1 && plan.baseline_session().is_some() {
        "every ratio to the baseline"
    } else {
        "every median latency"
    };
    [
        what.into(),
        format!(
            "± {}",
            number::share(plan.schedule.target_half_width_ratio.0)
        ),
    ]
}

pub(in crate::report) fn configuration(source: Source<'_>) -> Vec<Item> {
    let sessions = source.sessions();
    let groups =
        words::grouped(sessions.map(|one| (session_text(source, one.session), plain(&one.label))));
    let is_one = groups.len() == 1;
    groups
        .into_iter()
        .map(|(text, names)| match is_one {
            true => Item::new("all variants", text),
            false => Item::new(words::listed(names), text),
        })
        .collect()
}

fn session_text(source: Source<'_>, session: usize) -> String {
    let spec = &source.record.plan.sessions[session];
    let mut parts = vec![plain(&spec.execution_provider)];
    parts.extend(runtime(source.record, session));
    parts.extend(provider(spec));
    parts.extend(options(spec));
    parts.push(effective(source.record, session).map_or_else(
        || "nothing read back: no launch got that far".into(),
        read_back,
    ));
    parts.join(", ")
}

/// Options that were read back in the first launch of a session that told them.
pub(super) fn effective(record: &RunRecord, session: usize) -> Option<&EffectiveOptions> {
    record
        .launches
        .iter()
        .filter(|launch| launch.session == session)
        .find_map(|launch| launch.effective.as_ref())
}

fn read_back(effective: &EffectiveOptions) -> String {
    let cpus = match effective.cpus.as_slice() {
        [] => "CPUs unknown".into(),
        cpus => format!("CPU {}", words::joined(cpus, ",")),
    };
    let pairs = effective
        .provider_options
        .iter()
        .chain(&effective.session_config)
        .map(|(key, value)| plain(&format!("{key}={value}")));
    let parts = [cpus, pool_threads(effective)].into_iter().chain(pairs);
    format!("seen in its workers: {}", words::joined(parts, ", "))
}

fn pool_threads(effective: &EffectiveOptions) -> String {
    let before = effective.threads_before_load_count;
    match before.zip(effective.threads_after_load_count) {
        Some((before, after)) => format!(
            "{} beside the worker's own",
            words::number_of(after.saturating_sub(before), "pool thread")
        ),
        None => "pool threads unknown".into(),
    }
}

fn runtime(record: &RunRecord, session: usize) -> Option<String> {
    let only = match record.runtimes.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let runtime = record.runtime_of(session).or(only)?;
    Some(format!("ONNX Runtime {}", runtime.version))
}

fn provider(spec: &SessionSpec) -> Vec<String> {
    let provider = &spec.provider;
    let device = provider.device.map(|device| format!("device {device}"));
    let library = provider
        .library
        .as_deref()
        .map(|path| format!("from {}", Plain::from(path)));
    let required = provider.required.then_some("required for every node");
    let is_bound = spec.binding == Binding::Device;
    let fixed = [
        required,
        is_bound.then_some("inputs and outputs in the device's memory"),
    ]
    .map(|part| part.map(str::to_owned));
    [device, library]
        .into_iter()
        .chain(fixed)
        .flatten()
        .collect()
}

fn options(spec: &SessionSpec) -> Vec<String> {
    let options = &spec.options;
    let mut parts = vec![words::number_of(options.intra_threads, "intra-op thread")];
    if options.execution_mode == ExecutionMode::Parallel {
        parts.push(format!(
            "{}, parallel execution",
            words::number_of(options.inter_threads, "inter-op thread")
        ));
    }
    parts.push(level(options.graph_optimization).into());
    parts.extend(switches(options));
    let libraries = options
        .custom_ops
        .iter()
        .map(|library| Plain::from(library.as_path()));
    parts.extend(libraries.map(|library| format!("custom operators of {library}")));
    let entries = options.session_config.iter();
    parts.extend(entries.map(|(key, value)| format!("{}={}", plain(key), plain(value))));
    parts
}

fn level(level: GraphOptimization) -> &'static str {
    match level {
        GraphOptimization::Disable => "graph optimization off",
        GraphOptimization::Basic => "graph optimization basic",
        GraphOptimization::Extended => "graph optimization extended",
        GraphOptimization::All => "graph optimization all",
    }
}

/// Options that are on or off, of those that are set.
fn switches(options: &SessionOptions) -> impl Iterator<Item = String> {
    [
        ("spinning", options.allow_spinning),
        ("arena", options.memory_arena),
        ("memory pattern", options.memory_pattern),
    ]
    .into_iter()
    .filter_map(|(what, on)| Some(format!("{what} {}", words::on_or_off(on?))))
}

pub(super) fn quality(source: Source<'_>) -> Vec<String> {
    let mut lines: Vec<String> = disturbed(source).into_iter().collect();
    lines.extend(without_interval(source));
    lines.extend(two_speeds(source));
    lines.extend(not_flat(source));
    lines.extend(unsteady(source));
    lines.extend(source.sessions().filter_map(logged));
    lines.extend(source.record.notes.iter().map(plain));
    lines
}

fn unsteady(source: Source<'_>) -> Option<String> {
    let count = source
        .cells()
        .filter(|cell| cell.unsteady_launches_count > 0)
        .count() as u64;
    (count > 0).then(|| {
        format!(
            "warm-up ended at its bound, before the latency was steady, in {}",
            words::number_of(count, "cell")
        )
    })
}

fn logged(session: &SessionFindings) -> Option<String> {
    let (warnings, errors) = (session.log_warnings_count, session.log_errors_count);
    let name = plain(&session.label);
    (warnings + errors > 0).then(|| {
        format!(
            "{name}: ONNX Runtime logged {warnings} warnings and {errors} errors; see the workers' logs"
        )
    })
}

fn disturbed(source: Source<'_>) -> Option<String> {
    let (disturbed, all) = source
        .cells()
        .filter_map(|cell| cell.figure(Metric::DisturbedBlocks)?.measured())
        .fold((0.0, 0), |(sum, n), count| (sum + count.value, n + count.n));
    let all_words = (all > 0).then(|| number::count(all))?;
    if disturbed < 1.0 {
        return Some(format!("none of {all_words} timed blocks was disturbed"));
    }
    Some(format!(
        "{} of {all_words} timed blocks {} disturbed: CPU time was taken away, or pages came from storage",
        number::count(disturbed as u64),
        if disturbed < 2.0 { "was" } else { "were" },
    ))
}

/// Why medians have no interval, with the number of cells that it holds for.
fn without_interval(source: Source<'_>) -> Vec<String> {
    let remarks = source
        .cells()
        .filter_map(|cell| cell.figure(Metric::LatencyP50)?.measured()?.remark.as_ref());
    let mut counts: BTreeMap<&Plain, u64> = BTreeMap::new();
    for remark in remarks {
        *counts.entry(remark).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(remark, cells)| format!("{}: {remark}", words::counted_noun(cells, "cell")))
        .collect()
}

/// Cells that a list names before it only counts them.
const NAMED_CELLS: usize = 3;

/// In how many cells the latency had two levels, between blocks or within them, and where these lie
/// furthest apart.
fn two_speeds(source: Source<'_>) -> Option<String> {
    let cells = &source.findings.cells;
    let found = two_levels(cells);
    let examples = found.iter().take(NAMED_CELLS);
    let examples =
        words::listed(examples.map(|(cell, levels)| {
            format!("{} ({})", source.place(cell.key), levels_words(*levels))
        }));
    let most = match found.len() {
        0 => return None,
        1..=NAMED_CELLS => "",
        _ => "most of all ",
    };
    Some(format!(
        "two levels of latency in {} of {} cells, which makes intervals wide: {most}{examples}",
        found.len(),
        cells.iter().filter(|cell| cell.outcome.is_ok()).count()
    ))
}

/// `80% near 1.2 ms, 20% near 2.4 ms, within blocks`.
fn levels_words(levels: TwoLevels) -> String {
    match levels {
        TwoLevels::OfLatencies {
            modes,
            are_of_blocks,
        } => {
            let why = if are_of_blocks {
                "from block to block"
            } else {
                "within blocks"
            };
            format!("{}, {why}", modes_words(modes))
        }
        TwoLevels::OfBlocks(states) => {
            format!(
                "{} of the blocks {:.1}x as slow as the others",
                number::whole_percent(states.slow_share_ratio.0),
                levels.apart()
            )
        }
    }
}

/// `80% near 1.2 ms, 20% near 2.4 ms`.
fn modes_words(modes: LatencyModes) -> String {
    let [fast, slow] =
        [modes.fast_ns, modes.slow_ns].map(|latency| number::value(Unit::Ns, latency, None));
    let slow_share = modes.slow_share_ratio.0;
    let [fast_share, slow_share] = [1.0 - slow_share, slow_share].map(number::whole_percent);
    format!("{fast_share} near {fast}, {slow_share} near {slow}")
}

fn not_flat(source: Source<'_>) -> Vec<String> {
    let mut lines: Vec<String> = source
        .cells()
        .filter_map(|cell| {
            let trend = trend(cell.steady?)?;
            Some(format!("{}: {trend}", source.place(cell.key)))
        })
        .collect();
    let more = lines.len().saturating_sub(NAMED_CELLS) as u64;
    lines.truncate(NAMED_CELLS);
    if more > 0 {
        lines.push(format!(
            "no flat latency in {}",
            words::number_of(more, "more cell")
        ));
    }
    lines
}

fn trend(class: SteadyClass) -> Option<&'static str> {
    match class {
        SteadyClass::Flat => None,
        SteadyClass::WarmingUp => Some("still warming up: its latency fell while it was measured"),
        SteadyClass::SlowingDown => Some("slowing down: its latency rose while it was measured"),
        SteadyClass::NoSteadyState => {
            Some("no steady state: its latency wandered while it was measured")
        }
    }
}

pub(in crate::report) fn machine(host: &Host) -> Vec<Item> {
    let [cpu, cpus, memory, system] = essentials(host);
    let flags = match host.cpu.isa_flags.as_slice() {
        [] => unknown(),
        flags => words::joined(flags.iter().map(plain), ", "),
    };
    let load = known(host.load_average, |load| format!("{load:.2}"));
    [
        ("CPU", cpu),
        ("CPUs", cpus),
        ("Instruction sets", flags),
        ("Memory", memory),
        ("System", system),
        ("Virtualization", told(&host.virtualization)),
        ("Frequency governor", told(&host.governor)),
        ("Load at start", load),
    ]
    .into_iter()
    .map(|(label, text)| Item::new(label, text))
    .chain(gpu::machine(host))
    .collect()
}

pub(in crate::report) fn hardware(host: &Host) -> Vec<String> {
    essentials(host)
        .into_iter()
        .chain(gpu::hardware(host))
        .collect()
}

/// Model of the CPU, number of CPUs, memory and system.
fn essentials(host: &Host) -> [String; 4] {
    [
        told(&host.cpu.model_name),
        cpus(host),
        memory(host),
        format!(
            "{}, kernel {}, {}",
            told(&host.os),
            told(&host.kernel),
            host.architecture
        ),
    ]
}

fn cpus(host: &Host) -> String {
    let cores = host
        .cpu
        .physical_count
        .map(|count| format!(" on {count} cores"));
    let limit = host
        .cgroup
        .cpu_quota_count
        .map(|quota| format!(", control group limit {quota}"));
    format!(
        "{} logical CPUs{}, {} usable{}",
        host.cpu.logical_count,
        cores.unwrap_or_default(),
        host.usable_cpus_count,
        limit.unwrap_or_default()
    )
}

fn memory(host: &Host) -> String {
    let available = host
        .memory_available_bytes
        .map(|free| format!(", {} available", bytes(free)));
    known(host.memory_bytes, |all| {
        format!("{}{}", bytes(all), available.unwrap_or_default())
    })
}

fn told(text: &Option<Plain>) -> String {
    text.as_ref().map_or_else(unknown, Plain::to_string)
}

//! What stands behind the figures: how the run ended, the configuration in force, and the machine.

use std::collections::{BTreeMap, BTreeSet};

use super::conditions::unknown;
use super::{Item, Source, gpu, number, plain, words};
use crate::analysis::{CellFindings, TwoLevels, two_levels};
use crate::metric::{Metric, Unit};
use crate::plan::{Binding, ExecutionMode, GraphOptimization, SessionSpec};
use crate::record::{EffectiveOptions, EndReason, Host};
use crate::report::words::number::{bytes, time};
use crate::stats::SteadyClass;
use crate::text::Plain;

/// A budget of which at least this share has gone is spent; the reports take the rest.
const SPENT_SHARE: f64 = 0.95;

pub(in crate::report) fn ending(source: Source<'_>) -> String {
    let run = &source.record.run;
    let schedule = &source.record.plan.schedule;
    let rounds = source
        .record
        .blocks
        .iter()
        .map(|block| block.round)
        .collect::<BTreeSet<_>>()
        .len();
    let rounds = format!("{rounds} round{}", words::plural(rounds as u64));
    let target = number::share(schedule.target_half_width_ratio.0);
    let after = run
        .elapsed_ns
        .map(|elapsed| format!(" after {}", time(elapsed)))
        .unwrap_or_default();
    match run.ended_by {
        Some(EndReason::TargetReached) => {
            format!(
                "Complete: {} is known to ± {target} (as asked for){after} and {rounds}.",
                asked(source)
            )
        }
        Some(EndReason::BudgetSpent) => {
            let spent = match (schedule.budget_ns, run.elapsed_ns) {
                (Some(budget), Some(elapsed))
                    if elapsed.as_f64() < SPENT_SHARE * budget.as_f64() =>
                {
                    format!("measuring ended within the budget of {}", time(budget))
                }
                (Some(budget), _) => format!("the budget of {} was spent", time(budget)),
                (None, _) => "the budget was spent".into(),
            };
            let asked = match source.findings.tuning {
                Some(_) => String::new(),
                None => format!("; asked for was {} to ± {target}", asked(source)),
            };
            format!("Complete: {spent}{after} and {rounds}{asked}.")
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

fn asked(source: Source<'_>) -> &'static str {
    let compares =
        source.record.plan.sessions.len() > 1 && source.record.plan.baseline_session().is_some();
    if compares {
        "every ratio to the baseline"
    } else {
        "every median latency"
    }
}

pub(in crate::report) fn configuration(source: Source<'_>) -> Vec<Item> {
    let sessions = source.findings.sessions.iter();
    let groups =
        words::grouped(sessions.map(|one| (session_text(source, one.session), plain(&one.label))));
    let all = groups.len() == 1;
    let item = |(text, names): (String, Vec<String>)| {
        Item::new(
            if all {
                "all variants".into()
            } else {
                words::listed(&names)
            },
            text,
        )
    };
    groups.into_iter().map(item).collect()
}

fn session_text(source: Source<'_>, session: usize) -> String {
    let spec = &source.record.plan.sessions[session];
    let mut parts = vec![plain(&spec.execution_provider)];
    parts.extend(runtime(source, session));
    parts.extend(provider(spec));
    parts.extend(options(spec));
    let launches = source
        .record
        .launches
        .iter()
        .filter(|launch| launch.session == session);
    let effective = launches
        .filter_map(|launch| launch.effective.as_ref())
        .next();
    parts.push(match effective {
        Some(effective) => read_back(effective),
        None => "nothing read back: no launch got that far".into(),
    });
    parts.join(", ")
}

fn read_back(effective: &EffectiveOptions) -> String {
    let cpus: Vec<String> = effective.cpus.iter().map(u64::to_string).collect();
    let cpus = if cpus.is_empty() {
        "CPUs unknown".into()
    } else {
        format!("CPU {}", cpus.join(","))
    };
    let mut parts = vec![cpus, pool_threads(effective)];
    parts.extend(
        effective
            .provider_options
            .iter()
            .map(|(key, value)| plain(&format!("{key}={value}"))),
    );
    parts.extend(
        effective
            .session_config
            .iter()
            .map(|(key, value)| plain(&format!("{key}={value}"))),
    );
    format!("seen in its workers: {}", parts.join(", "))
}

fn pool_threads(effective: &EffectiveOptions) -> String {
    match effective
        .threads_before_load_count
        .zip(effective.threads_after_load_count)
    {
        Some((before, after)) => format!(
            "{} beside the worker's own",
            threads(after.saturating_sub(before), "pool")
        ),
        None => "pool threads unknown".into(),
    }
}

fn runtime(source: Source<'_>, session: usize) -> Option<String> {
    let only = || {
        source
            .record
            .runtimes
            .first()
            .filter(|_| source.record.runtimes.len() == 1)
    };
    let runtime = source.record.runtime_of(session).or_else(only)?;
    Some(format!("ONNX Runtime {}", plain(&runtime.version)))
}

fn provider(spec: &SessionSpec) -> Vec<String> {
    let mut parts: Vec<String> = spec
        .provider
        .device
        .map(|device| format!("device {device}"))
        .into_iter()
        .collect();
    parts.extend(
        spec.provider
            .library
            .as_ref()
            .map(|path| format!("from {}", plain(&path.display().to_string()))),
    );
    parts.extend(
        spec.provider
            .required
            .then(|| "required for every node".to_owned()),
    );
    parts.extend(
        (spec.binding == Binding::Device)
            .then(|| "inputs and outputs in the device's memory".to_owned()),
    );
    parts
}

fn options(spec: &SessionSpec) -> Vec<String> {
    let options = &spec.options;
    let mut parts = vec![threads(options.intra_threads, "intra-op")];
    if options.execution_mode == ExecutionMode::Parallel {
        parts.push(format!(
            "{}, parallel execution",
            threads(options.inter_threads, "inter-op")
        ));
    }
    let level = match options.graph_optimization {
        GraphOptimization::Disable => "off",
        GraphOptimization::Basic => "basic",
        GraphOptimization::Extended => "extended",
        GraphOptimization::All => "all",
    };
    parts.push(format!("graph optimization {level}"));
    let switches = [
        ("spinning", options.allow_spinning),
        ("arena", options.memory_arena),
        ("memory pattern", options.memory_pattern),
    ];
    let switch = |(what, on): (&str, Option<bool>)| {
        Some(format!("{what} {}", if on? { "on" } else { "off" }))
    };
    parts.extend(switches.into_iter().filter_map(switch));
    let libraries = options
        .custom_ops
        .iter()
        .map(|library| plain(&library.display().to_string()));
    parts.extend(libraries.map(|library| format!("custom operators of {library}")));
    parts.extend(
        options
            .session_config
            .iter()
            .map(|(key, value)| format!("{}={}", plain(key), plain(value))),
    );
    parts
}

fn threads(count: u64, kind: &str) -> String {
    format!("{count} {kind} thread{}", words::plural(count))
}

pub(in crate::report) fn quality(source: Source<'_>) -> Vec<String> {
    let mut lines: Vec<String> = disturbed(source).into_iter().collect();
    lines.extend(without_interval(source));
    lines.extend(two_speeds(source));
    lines.extend(not_flat(source));
    let unsteady = source
        .findings
        .cells
        .iter()
        .filter(|cell| cell.unsteady_launches_count > 0)
        .count();
    if unsteady > 0 {
        lines.push(format!(
            "warm-up ended at its bound, before the latency was steady, in {unsteady} cell{}",
            words::plural(unsteady as u64)
        ));
    }
    for session in &source.findings.sessions {
        let (name, warnings, errors) = (
            plain(&session.label),
            session.log_warnings_count,
            session.log_errors_count,
        );
        if warnings + errors > 0 {
            lines.push(format!(
                "{name}: ONNX Runtime logged {warnings} warnings and {errors} errors; see the workers' logs"
            ));
        }
    }
    lines.extend(source.record.notes.iter().map(plain));
    lines
}

fn disturbed(source: Source<'_>) -> Option<String> {
    let cells = source.findings.cells.iter();
    let counts = cells.filter_map(|cell| cell.figure(Metric::DisturbedBlocks)?.measured());
    let (disturbed, all) =
        counts.fold((0.0, 0), |(sum, n), count| (sum + count.value, n + count.n));
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
    let mut remarks: BTreeMap<&Plain, u64> = BTreeMap::new();
    let medians = source
        .findings
        .cells
        .iter()
        .filter_map(|cell| cell.figure(Metric::LatencyP50)?.measured());
    for remark in medians.filter_map(|median| median.remark.as_ref()) {
        *remarks.entry(remark).or_default() += 1;
    }
    let line = |(remark, cells): (&Plain, u64)| {
        format!(
            "{} cell{}: {}",
            number::count(cells),
            words::plural(cells),
            plain(remark)
        )
    };
    remarks.into_iter().map(line).collect()
}

/// Cells that a list names before it only counts them.
const NAMED_CELLS: usize = 3;

/// In how many cells the latency had two levels, between blocks or within them, and where these lie furthest apart.
fn two_speeds(source: Source<'_>) -> Option<String> {
    let found = two_levels(&source.findings.cells);
    let measured = source
        .findings
        .cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .count();
    let named = |(cell, levels): &(&CellFindings, TwoLevels)| {
        format!(
            "{} {} ({})",
            source.name(cell.key.session),
            source.at(cell.key),
            levels_words(*levels)
        )
    };
    let examples: Vec<String> = found.iter().take(NAMED_CELLS).map(named).collect();
    let most = if found.len() > NAMED_CELLS {
        "most of all "
    } else {
        ""
    };
    (!found.is_empty()).then(|| {
        format!(
            "two levels of latency in {} of {measured} cells, which makes intervals wide: {most}{}",
            found.len(),
            words::listed(&examples)
        )
    })
}

/// `80% near 1.2 ms, 20% near 2.4 ms, within blocks`.
fn levels_words(levels: TwoLevels) -> String {
    match levels {
        TwoLevels::OfLatencies {
            modes,
            are_of_blocks,
        } => {
            let [fast, slow] = [modes.fast_ns, modes.slow_ns]
                .map(|latency| number::value(Unit::Ns, latency, None));
            let slow_share = modes.slow_share_ratio.0;
            let (fast_share, slow_share) = (
                number::whole_percent(1.0 - slow_share),
                number::whole_percent(slow_share),
            );
            let why = if are_of_blocks {
                "from block to block"
            } else {
                "within blocks"
            };
            format!("{fast_share} near {fast}, {slow_share} near {slow}, {why}")
        }
        TwoLevels::OfBlocks(states) => {
            let slow_share = number::whole_percent(states.slow_share_ratio.0);
            format!(
                "{slow_share} of the blocks {:.1}x as slow as the others",
                levels.apart()
            )
        }
    }
}

fn not_flat(source: Source<'_>) -> Vec<String> {
    let says = |class: SteadyClass| match class {
        SteadyClass::Flat => None,
        SteadyClass::WarmingUp => Some("still warming up: its latency fell while it was measured"),
        SteadyClass::SlowingDown => Some("slowing down: its latency rose while it was measured"),
        SteadyClass::NoSteadyState => {
            Some("no steady state: its latency wandered while it was measured")
        }
    };
    let line = |cell: &CellFindings| {
        Some(format!(
            "{} {}: {}",
            source.name(cell.key.session),
            source.at(cell.key),
            says(cell.steady?)?
        ))
    };
    let mut lines: Vec<String> = source.findings.cells.iter().filter_map(line).collect();
    let more = lines.len().saturating_sub(NAMED_CELLS);
    lines.truncate(NAMED_CELLS);
    if more > 0 {
        lines.push(format!(
            "no flat latency in {more} more cell{}",
            words::plural(more as u64)
        ));
    }
    lines
}

pub(in crate::report) fn machine(host: &Host) -> Vec<Item> {
    let [cpu, cpus, memory, system] = essentials(host);
    let flags: Vec<String> = host.cpu.isa_flags.iter().map(plain).collect();
    let mut items = vec![
        Item::new("CPU", cpu),
        Item::new("CPUs", cpus),
        Item::new(
            "Instruction sets",
            if flags.is_empty() {
                unknown()
            } else {
                flags.join(", ")
            },
        ),
        Item::new("Memory", memory),
        Item::new("System", system),
        Item::new("Virtualization", told(&host.virtualization)),
        Item::new("Frequency governor", told(&host.governor)),
        Item::new(
            "Load at start",
            host.load_average
                .map_or_else(unknown, |load| format!("{load:.2}")),
        ),
    ];
    items.extend(gpu::machine(host));
    items
}

pub(in crate::report) fn hardware(host: &Host) -> Vec<String> {
    essentials(host)
        .into_iter()
        .chain(gpu::hardware(host))
        .collect()
}

/// Model of the CPU, number of CPUs, memory and system.
fn essentials(host: &Host) -> [String; 4] {
    let cores = match host.cpu.physical_count {
        Some(cores) => format!("{} logical CPUs on {cores} cores", host.cpu.logical_count),
        None => format!("{} logical CPUs", host.cpu.logical_count),
    };
    let limit = host
        .cgroup
        .cpu_quota_count
        .map(|quota| format!(", control group limit {quota}"))
        .unwrap_or_default();
    let available = host
        .memory_available_bytes
        .map(|free| format!(", {} available", bytes(free)))
        .unwrap_or_default();
    [
        told(&host.cpu.model_name),
        format!("{cores}, {} usable{limit}", host.usable_cpus_count),
        host.memory_bytes
            .map_or_else(unknown, |all| format!("{}{available}", bytes(all))),
        format!(
            "{}, kernel {}, {}",
            told(&host.os),
            told(&host.kernel),
            plain(&host.architecture)
        ),
    ]
}

fn told(text: &Option<Plain>) -> String {
    text.as_ref().map_or_else(unknown, Plain::to_string)
}

//! From the words of `tune` to a plan.

use std::collections::BTreeSet;

use super::plan_args::{self, DEFAULT_BATCH_SIZES, Family};
use super::tune::{Args, ObjectiveArg, OptionArg};
use super::{CliError, bounds};
use crate::check::{Budget, Check, Side, Slo, SloError};
use crate::metric::{Direction, Group, Metric};
use crate::plan::{
    Execution, ExecutionMode, GraphOptimization, InputRequest, LoadMode, PageCache, Pin, Plan, Schedule, SessionSpec,
    Space, SweepEnd, Task, TuningPlan, unswept,
};
use crate::record::Host;
use crate::units::{Nanos, Ratio};

/// Wall time where no budget is named.
const DEFAULT_BUDGET: Nanos = Nanos(300_000_000_000);
/// Half-width that the report calls narrow; a search has no other use for one.
const TARGET: Ratio = Ratio(0.02);

/// A check that every configuration must keep.
pub(super) fn slo(text: &str) -> Result<Slo, String> {
    let text = text.trim();
    let check = Check::parse(text).map_err(|error| error.to_string())?;
    match check.budget {
        Budget::Drop(_) => Err("write a limit on the fall of accuracy as `--max-accuracy-drop 0.5pt`".into()),
        Budget::Absolute(_) if check.metric.group() == Group::ToBaseline => Err(SloError::Relative.to_string()),
        Budget::Absolute(_) if is_pointless(&check) => {
            let (metric, side) = (check.metric.name(), Side::better(check.metric).sign());
            let better = if check.side == Side::AtMost { "more" } else { "less" };
            Err(format!("{better} of `{metric}` is better, so that an SLO limits it by `{side}`"))
        }
        Budget::Absolute(_) | Budget::TimesBaseline(_) => Slo::parse(text).map_err(|error| error.to_string()),
    }
}

/// Whether a check limits a metric on the side on which it should be as far out as possible.
fn is_pointless(check: &Check) -> bool {
    check.metric.direction() != Direction::Neutral && check.side != Side::better(check.metric)
}

/// Percentage points, as `0.5pt`.
pub(super) fn points(text: &str) -> Result<Ratio, String> {
    let wanted = || "write it in percentage points, such as `0.5pt`".to_owned();
    let text = text.trim();
    let number = ["points", "point", "pts", "pt", "pp"].iter().find_map(|unit| text.strip_suffix(unit));
    match number.ok_or_else(wanted)?.trim().parse::<f64>() {
        Ok(points) if (0.0..=100.0).contains(&points) => Ok(Ratio(points / 100.0)),
        _ => Err(wanted()),
    }
}

/// The plan of a search that begins with `bases`.
///
/// # Errors
/// CPUs that this process may not use; a limit on the fall of accuracy of a model that predicts numbers; more cells
/// than can be measured.
pub(super) fn plan(args: &Args, family: &Family, mut bases: Vec<SessionSpec>, host: &Host) -> Result<Plan, CliError> {
    let cpus = plan_args::pinned(&args.schedule.pin, host)?;
    let task: Task = args.scoring.task.into();
    if args.max_accuracy_drop.is_some() && task == Task::Regression {
        return Err(CliError::message(
            super::exit::USAGE,
            "`--max-accuracy-drop` is of top-1 accuracy, which numbers have not",
        )
        .with_hint("limit an error with `--slo 'mean_absolute_error<=VALUE'`".to_owned()));
    }
    let schedule = schedule(args);
    bounds::check_block(&schedule)?;
    let space = space(args, cpus, plan_args::default_threads(host).min(cpus));
    for base in &mut bases {
        base.options.intra_threads = space.intra_threads[0];
    }
    let plan = Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        batch_sizes: plan_args::sorted(space.batch_sizes.clone()),
        sweep_end: if args.space.batch.is_some() { SweepEnd::Listed } else { SweepEnd::Saturation },
        load_modes: vec![LoadMode::Closed { concurrency: 1 }],
        idle_gaps_ns: Vec::new(),
        latency_limit_ns: None,
        shapes: unswept(),
        inputs: InputRequest {
            data: args.inputs.data.clone().or_else(|| family.data.clone()),
            ..args.inputs.request(args.schedule.seed)
        },
        task,
        scored_samples: args.scoring.samples(),
        schedule,
        tuning: Some(TuningPlan {
            objective: args.objective.into(),
            slo: args.slo.clone(),
            max_accuracy_drop_ratio: args.max_accuracy_drop,
            space,
            base_sessions_count: bases.len(),
            cells: BTreeSet::new(),
        }),
        sessions: bases,
    };
    bounds::check_cells(&plan)?;
    Ok(plan)
}

/// What somebody should know of what is tried, as notes of the run.
pub(super) fn notes(plan: &Plan, host: &Host) -> Vec<String> {
    let cpus = match &plan.schedule.pin {
        Pin::Cpus(named) => named.len() as u64,
        Pin::Auto | Pin::None => host.usable_cpus_count,
    };
    let tried = plan.tuning.iter().flat_map(|tuning| tuning.space.intra_threads.iter().copied());
    let most = tried.max().filter(|most| *most > cpus);
    most.map(|most| format!("{most} intra-op threads share {cpus} CPU(s), which makes each of them slower"))
        .into_iter()
        .collect()
}

fn schedule(args: &Args) -> Schedule {
    Schedule {
        seed: args.schedule.seed,
        budget_ns: Some(args.budget.map_or(DEFAULT_BUDGET, Nanos::from)),
        rounds_count: None,
        alternations_count: None,
        block_ns: args.schedule.block.into(),
        target_half_width_ratio: TARGET,
        timeout_ns: args.schedule.timeout.into(),
        page_cache: PageCache::Warm,
        pin: args.schedule.pin.clone(),
    }
}

fn space(args: &Args, cpus: u64, default_threads: u64) -> Space {
    let kept = |option: OptionArg| args.space.keep.contains(&option);
    let switch = |option: OptionArg| if kept(option) { vec![None] } else { vec![None, Some(false)] };
    let levels =
        [GraphOptimization::All, GraphOptimization::Extended, GraphOptimization::Basic, GraphOptimization::Disable];
    let levels_count = if kept(OptionArg::Optimization) { 1 } else { levels.len() };
    let mut executions = vec![Execution { mode: ExecutionMode::Sequential, inter_threads: 1 }];
    if cpus > 1 && !kept(OptionArg::Execution) {
        executions.push(Execution { mode: ExecutionMode::Parallel, inter_threads: 2 });
        executions.extend((cpus > 2).then_some(Execution { mode: ExecutionMode::Parallel, inter_threads: cpus }));
    }
    Space {
        batch_sizes: batch_sizes(args),
        intra_threads: distinct(args.space.intra_threads.clone().unwrap_or_else(|| threads(cpus, default_threads))),
        graph_optimizations: levels[..levels_count].to_vec(),
        executions,
        spinning: switch(OptionArg::Spinning),
        memory_arena: switch(OptionArg::Arena),
        memory_pattern: switch(OptionArg::Pattern),
    }
}

/// More samples at once only lengthen an inference and take memory, unless a throughput is asked for.
fn batch_sizes(args: &Args) -> Vec<u64> {
    let wants_throughput = || args.slo.iter().any(|slo| slo.metric == Metric::Throughput);
    match (&args.space.batch, args.objective) {
        (Some(named), _) => distinct(named.clone()),
        (None, ObjectiveArg::Latency | ObjectiveArg::Memory) if !wants_throughput() => vec![1],
        (None, _) => DEFAULT_BATCH_SIZES.to_vec(),
    }
}

/// Powers of two up to the CPUs, and all of them; the default first.
fn threads(cpus: u64, default: u64) -> Vec<u64> {
    let powers = std::iter::successors(Some(1_u64), |&threads| threads.checked_mul(2)).take_while(|&n| n < cpus);
    std::iter::once(default).chain(powers).chain([cpus]).collect()
}

fn distinct(numbers: Vec<u64>) -> Vec<u64> {
    let mut seen = Vec::new();
    for number in numbers {
        if !seen.contains(&number) {
            seen.push(number);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accuracy_may_fall_by_points() {
        for text in ["0.5pt", "0.5 points", "0.5pp"] {
            assert_eq!(points(text), Ok(Ratio(0.005)), "{text}");
        }
        for text in ["0.5", "0.5%", "-1pt", "pt", "200pt", "nanpt"] {
            assert!(points(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_slo_is_a_limit_in_units() {
        assert_eq!(slo(" latency_p99<=20ms").unwrap().to_string(), "latency_p99<=20ms");
        assert!(slo("latency_p98<=20ms").unwrap_err().contains("did you mean"));
        assert!(slo("latency_p99<=20MiB").unwrap_err().contains("takes a time"));
        assert!(slo("latency_p99<=20 parsecs").unwrap_err().contains("unknown unit"));
        assert!(slo("latency_p99<=1.1x baseline").unwrap_err().contains("in units"));
        assert!(slo("latency_p50_ratio_to_baseline<=0.9").unwrap_err().contains("in units"));
        assert!(slo("accuracy_top1 drop <= 1 point").unwrap_err().contains("--max-accuracy-drop"));
        assert!(slo("latency_p99").is_err());
        assert_eq!(
            slo("latency_p99>=20ms"),
            Err("less of `latency_p99` is better, so that an SLO limits it by `<=`".into())
        );
        assert!(slo("throughput<=20/s").unwrap_err().contains("limits it by `>=`"));
        assert!(slo("cpu_utilization>=0.5").is_ok(), "neither side is better");
    }

    #[test]
    fn threads_are_powers_of_two_and_all_cpus_and_the_default_comes_first() {
        assert_eq!(distinct(threads(6, 3)), [3, 1, 2, 4, 6]);
        assert_eq!(distinct(threads(1, 1)), [1]);
    }
}

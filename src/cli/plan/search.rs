//! From the words of `tune` to a plan.

use std::collections::BTreeSet;
use std::time::Duration;

use super::family::Family;
use super::goal::GoalArgs;
use super::inputs::InputArgs;
use super::providers::{Provider, ProviderArgs};
use super::scoring::ScoringArgs;
use super::space::{self, SpaceArgs};
use super::{bounds, load, schedule, session, values};
use crate::cli::{CliError, Result};
use crate::plan::{
    Flag, Judging, LoadMode, Named, PageCache, Pin, Plan, Schedule, SessionOptions, SessionSpec,
    Task, TuningPlan, unswept,
};
use crate::record::Host;
use crate::runner::FoundRuntime;
use crate::units::Nanos;

/// Wall time where no budget is named.
const DEFAULT_BUDGET: Nanos = Nanos(300_000_000_000);

/// Options for the measurements of a search, and for the configurations that it tries.
#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub space: SpaceArgs,
    #[command(flatten)]
    pub providers: ProviderArgs,
    #[command(flatten)]
    pub schedule: SearchScheduleArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Schedule")]
pub struct SearchScheduleArgs {
    /// Length of a block; it holds at least 3 inferences.
    #[arg(long = Flag::Block.word(), value_name = "TIME", value_parser = values::duration, default_value = "30ms")]
    pub block: Duration,
    /// A process that does not answer for this long is killed, and its configuration has failed.
    #[arg(long = Flag::Timeout.word(), value_name = "TIME", value_parser = values::duration, default_value = "120s")]
    pub timeout: Duration,
    /// CPUs to measure on: `auto`, `each`, `none`, or a list such as 0,2-3.
    #[arg(long = Flag::Pin.word(), value_name = "auto|each|none|LIST", value_parser = values::pin, default_value = "auto")]
    pub pin: Pin,
    /// Seed of the order of configurations within a round and of synthesized inputs.
    #[arg(long = Flag::Seed.word(), value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// The sessions that a search begins with, and shorter words for their files.
#[derive(Debug)]
pub struct Bases {
    sessions: Vec<SessionSpec>,
    named: Named,
}

/// The sessions that a search begins with.
pub fn bases(
    args: &SearchArgs,
    family: &Family,
    runtimes: &[FoundRuntime],
    providers: &[Provider],
) -> Result<Bases> {
    let options = SessionOptions {
        custom_ops: session::custom_ops(&args.space.custom_ops)?,
        ..SessionOptions::default()
    };
    Ok(Bases {
        sessions: session::sessions(runtimes, providers, family.variants.len(), &options),
        named: family.named(runtimes),
    })
}

/// The plan of a search that begins with `bases`.
pub fn plan(
    goal: &GoalArgs,
    args: &SearchArgs,
    family: &Family,
    bases: Bases,
    host: &Host,
) -> Result<Plan> {
    let cpus = schedule::pinned(&args.schedule.pin, host)?;
    let task: Task = args.scoring.task.into();
    if goal.max_accuracy_drop.is_some() && task == Task::Regression {
        return Err(CliError::usage(
            "`--max-accuracy-drop` is of top-1 accuracy, which numbers have not",
            "limit an error with `--slo 'mean_absolute_error<=VALUE'`",
        ));
    }
    let schedule = timing(goal, &args.schedule);
    bounds::check_block(&schedule)?;
    let space = space::space(
        &args.space,
        goal,
        cpus,
        session::default_threads(host).min(cpus),
    );
    let Bases {
        sessions: mut bases,
        named,
    } = bases;
    for base in &mut bases {
        base.options.intra_threads = space.intra_threads[0];
    }
    let plan = Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        batch_sizes: load::sorted(space.batch_sizes.clone()),
        sweep_end: load::sweep_end(&args.space.batch),
        load_modes: vec![LoadMode::SINGLE],
        idle_gaps_ns: Vec::new(),
        latency_limit_ns: None,
        shapes: unswept(),
        inputs: args.inputs.request(&family.data, args.schedule.seed),
        task,
        scored_samples: args.scoring.score_samples.unwrap_or_default(),
        judging: Judging {
            tolerances: args.scoring.tolerance.clone(),
            ..Judging::default()
        },
        schedule,
        named,
        load: None,
        tuning: Some(TuningPlan {
            objective: goal.objective.into(),
            slo: goal.slo.clone(),
            max_accuracy_drop_ratio: goal.max_accuracy_drop,
            space,
            base_sessions_count: bases.len(),
            cells: BTreeSet::new(),
        }),
        sessions: bases,
    };
    bounds::check(plan.grid_count(), "cells")?;
    Ok(plan)
}

/// Warnings about the configurations that are tried, as notes of the run.
pub fn notes(plan: &Plan, host: &Host) -> Vec<String> {
    let cpus = schedule::cpus(&plan.schedule.pin, host);
    plan.tuning
        .iter()
        .flat_map(|tuning| &tuning.space.intra_threads)
        .max()
        .filter(|most| **most > cpus)
        .map(|most| {
            format!("{most} intra-op threads share {cpus} CPU(s), which makes each of them slower")
        })
        .into_iter()
        .collect()
}

fn timing(goal: &GoalArgs, args: &SearchScheduleArgs) -> Schedule {
    Schedule {
        seed: args.seed,
        budget_ns: Some(goal.budget.map_or(DEFAULT_BUDGET, Nanos::from)),
        rounds_count: None,
        alternations_count: None,
        block_ns: args.block.into(),
        // What the report calls narrow; a search has no other use for one.
        target_half_width_ratio: Schedule::TARGET,
        timeout_ns: args.timeout.into(),
        page_cache: PageCache::Warm,
        pin: args.pin.clone(),
    }
}

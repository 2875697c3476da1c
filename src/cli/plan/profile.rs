//! From the words of `profile` to a plan.

use clap::Parser as _;

use super::bounds;
use super::family::Family;
use super::inputs::InputArgs;
use super::judging::JudgingArgs;
use super::load::{self, DEFAULT_BATCH_SIZES, LoadArgs};
use super::providers::{self, ProviderArgs};
use super::schedule::{self, ScheduleArgs};
use super::scoring::ScoringArgs;
use super::session::{self, SessionArgs};
use crate::cli::{CliError, Result};
use crate::plan::{LoadMode, Plan};
use crate::record::Host;
use crate::runner::FoundRuntime;
use crate::units::Nanos;

#[derive(Debug, clap::Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub judging: JudgingArgs,
    #[command(flatten)]
    pub load: LoadArgs,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub providers: ProviderArgs,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
}

/// The words of `profile`, for its defaults.
#[derive(clap::Parser)]
struct Words {
    #[command(flatten)]
    measure: MeasureArgs,
}

impl MeasureArgs {
    /// Options of `profile` where nothing is asked for, for commands that measure like it.
    pub fn defaults() -> Result<Self> {
        Ok(Words::try_parse_from(["profile"])
            .map_err(CliError::bug)?
            .measure)
    }
}

/// The plan that the words spell, on this machine.
pub fn plan(
    args: &MeasureArgs,
    family: &Family,
    runtimes: &[FoundRuntime],
    host: &Host,
) -> Result<Plan> {
    let options = session::options(&args.session, &args.schedule.pin, host)?;
    let providers = providers::providers(&args.providers)?;
    providers::check_graphs(&providers, &args.load.concurrency)?;
    let batch_sizes = args
        .load
        .batch
        .clone()
        .unwrap_or_else(|| DEFAULT_BATCH_SIZES.to_vec());
    let plan = Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        sessions: session::sessions(runtimes, &providers, family.variants.len(), &options),
        batch_sizes: load::sorted(batch_sizes),
        sweep_end: load::sweep_end(&args.load.batch),
        load_modes: load_modes(&args.load),
        shapes: load::shapes(&args.load, &args.inputs)?,
        idle_gaps_ns: load::idle_gaps(&args.load),
        latency_limit_ns: args.load.latency_limit.map(Nanos::from),
        inputs: args.inputs.request(&family.data, args.schedule.seed),
        task: args.scoring.task.into(),
        scored_samples: args.scoring.score_samples.unwrap_or_default(),
        judging: args.judging.judging(&args.scoring.tolerance),
        schedule: schedule::schedule(&args.schedule),
        named: family.named(runtimes),
        tuning: None,
        load: None,
    };
    bounds::check_block(&plan.schedule)?;
    bounds::check(plan.grid_count(), "cells")?;
    Ok(plan)
}

fn load_modes(load: &LoadArgs) -> Vec<LoadMode> {
    load::sorted(
        load.concurrency
            .iter()
            .map(|&concurrency| LoadMode::Closed { concurrency }),
    )
}

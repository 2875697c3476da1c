//! From the words of `profile` to a plan.

use clap::Parser as _;

use super::bounds;
use super::family::Family;
use super::inputs::InputArgs;
use super::load::{self, DEFAULT_BATCH_SIZES, LoadArgs};
use super::providers::{self, ProviderArgs};
use super::schedule::{self, ScheduleArgs};
use super::scoring::ScoringArgs;
use super::session::{self, SessionArgs};
use crate::cli::CliError;
use crate::plan::{InputRequest, LoadMode, Plan, SessionOptions, SweepEnd};
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
    /// What `profile` does where nothing is asked for, for commands that measure like it.
    pub fn defaults() -> Result<Self, CliError> {
        let words = Words::try_parse_from(["profile"]).map_err(|error| CliError::bug(&error))?;
        Ok(words.measure)
    }
}

/// The plan that the words spell, on this machine.
pub fn plan(
    args: &MeasureArgs,
    family: &Family,
    runtimes: &[FoundRuntime],
    host: &Host,
) -> Result<Plan, CliError> {
    let options = options(args, host)?;
    let providers = providers::providers(&args.providers)?;
    providers::check_graphs(&providers, &args.load.concurrency)?;
    let plan = Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        sessions: session::sessions(runtimes, &providers, family.variants.len(), &options),
        batch_sizes: batch_sizes(&args.load),
        sweep_end: if args.load.batch.is_some() {
            SweepEnd::Listed
        } else {
            SweepEnd::Saturation
        },
        load_modes: load_modes(&args.load),
        shapes: load::shapes(&args.load, &args.inputs)?,
        idle_gaps_ns: load::idle_gaps(&args.load),
        latency_limit_ns: args.load.latency_limit.map(Nanos::from),
        inputs: InputRequest {
            data: args.inputs.data.clone().or_else(|| family.data.clone()),
            ..args.inputs.request(args.schedule.seed)
        },
        task: args.scoring.task.into(),
        scored_samples: args.scoring.samples(),
        schedule: schedule::schedule(&args.schedule),
        tuning: None,
    };
    bounds::check_block(&plan.schedule)?;
    bounds::check_cells(&plan)?;
    Ok(plan)
}

fn options(args: &MeasureArgs, host: &Host) -> Result<SessionOptions, CliError> {
    let cpus = schedule::pinned(&args.schedule.pin, host)?;
    let session = &args.session;
    Ok(SessionOptions {
        intra_threads: session
            .intra_threads
            .unwrap_or_else(|| session::default_threads(host).min(cpus)),
        inter_threads: session.inter_threads,
        graph_optimization: session.graph_optimization.into(),
        execution_mode: session.execution_mode.into(),
        allow_spinning: session.allow_spinning,
        memory_pattern: session.memory_pattern,
        memory_arena: session.memory_arena,
        session_config: session.session_config.iter().cloned().collect(),
        custom_ops: session::custom_ops(&session.custom_ops)?,
    })
}

fn batch_sizes(load: &LoadArgs) -> Vec<u64> {
    load::sorted(
        load.batch
            .clone()
            .unwrap_or_else(|| DEFAULT_BATCH_SIZES.to_vec()),
    )
}

fn load_modes(load: &LoadArgs) -> Vec<LoadMode> {
    load::sorted(load.concurrency.clone())
        .into_iter()
        .map(|concurrency| LoadMode::Closed { concurrency })
        .collect()
}

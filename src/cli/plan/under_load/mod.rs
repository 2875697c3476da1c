//! From the words of `load` to a plan.

mod demand;
pub mod server;
mod serving;
mod values;

use std::collections::BTreeSet;
use std::time::Duration;

use super::family::Family;
use super::inputs::InputArgs;
use super::providers::{self, ProviderArgs};
use super::session::{self, SessionArgs};
use super::{bounds, load, schedule, values as common};
use crate::cli::Result;
use crate::plan::{
    Flag, Judging, LoadMode, LoadPlan, PageCache, Pin, Plan, Question, Scenario, Schedule,
    ScoredSamples, Serving, SweepEnd, Task, unswept,
};
use crate::record::Host;
use crate::runner::FoundRuntime;
use crate::units::Nanos;
use demand::DemandArgs;
use server::ServerArgs;
use serving::ServingArgs;

/// Wall time where no budget is named, beside that of a soak.
const DEFAULT_BUDGET: Nanos = Nanos(300_000_000_000);
/// Blocks of each batch size in a launch without load.
const ALTERNATIONS: u64 = 2;
/// Requests that a server by itself is sent at once, at most, where nobody says how many.
const IN_FLIGHT: u64 = 16;
/// Different samples that requests carry.
const SAMPLES: u64 = 16;

/// Options of `load`.
#[derive(Debug, clap::Args)]
pub struct UnderLoadArgs {
    #[command(flatten)]
    pub demand: DemandArgs,
    #[command(flatten)]
    pub serving: ServingArgs,
    #[command(flatten)]
    pub server: ServerArgs,
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub providers: ProviderArgs,
    #[command(flatten)]
    pub schedule: LoadScheduleArgs,
}

/// How the time of a run under load is spent.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Schedule")]
pub struct LoadScheduleArgs {
    /// Time over which requests arrive at one rate, before another candidate or rate takes its
    /// turn.
    #[arg(long = Flag::Segment.word(), value_name = "TIME", value_parser = common::duration, default_value = "2s")]
    pub segment: Duration,
    /// Wall time of the whole run, reports included. [default: 5m, and the time of a soak]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = common::duration)]
    pub budget: Option<Duration>,
    /// Rounds: in each, every candidate is launched in fresh processes. [default: 6, and more where
    /// that narrows a capacity down]
    #[arg(long = Flag::Rounds.word(), value_name = "N", value_parser = common::repetitions)]
    pub rounds: Option<u64>,
    /// A process that does not answer for this long is killed, and its segment has failed.
    #[arg(long = Flag::Timeout.word(), value_name = "TIME", value_parser = common::duration, default_value = "120s")]
    pub timeout: Duration,
    /// CPUs to measure on: `auto`, `each`, `none`, or a list such as 0,2-3.
    #[arg(long = Flag::Pin.word(), value_name = "auto|each|none|LIST", value_parser = common::pin, default_value = "auto")]
    pub pin: Pin,
    /// Seed of arrivals, of the order of candidates and of synthesized inputs.
    #[arg(long = Flag::Seed.word(), value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// The plan that the words spell, on this machine.
pub fn plan(
    args: &UnderLoadArgs,
    family: &Family,
    runtimes: &[FoundRuntime],
    host: &Host,
) -> Result<Plan> {
    let mut options = session::options(&args.session, &args.schedule.pin, host)?;
    if args.session.intra_threads.is_none() {
        // The thread that sends needs a CPU: idle threads of the model spin on theirs.
        options.intra_threads = options.intra_threads.saturating_sub(1).max(1);
    }
    let providers = providers::providers(&args.providers)?;
    let (servers, libraries): (Vec<_>, Vec<_>) = runtimes
        .iter()
        .cloned()
        .partition(|found| found.choice.server().is_some());
    let load = load_plan(args, libraries.is_empty())?;
    let mut sessions = session::sessions(&libraries, &providers, family.variants.len(), &options);
    let servers = servers.iter().filter_map(|found| found.choice.server());
    sessions.extend(servers.map(server::session));
    bounds::check((sessions.len() * load.servings.len()) as u64, "candidates")?;
    Ok(Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        sessions,
        batch_sizes: batch_sizes(&load.servings),
        sweep_end: SweepEnd::Listed,
        load_modes: vec![LoadMode::SINGLE],
        shapes: unswept(),
        idle_gaps_ns: Vec::new(),
        latency_limit_ns: None,
        inputs: args.inputs.request(&family.data, args.schedule.seed),
        task: Task::Inferred,
        scored_samples: ScoredSamples::default(),
        judging: Judging::default(),
        schedule: timing(&args.schedule, &load.question),
        named: family.named(runtimes),
        tuning: None,
        load: Some(load),
    })
}

/// A server by itself is sent several requests at once: how it queues them is its own affair.
fn load_plan(args: &UnderLoadArgs, is_remote_alone: bool) -> Result<LoadPlan> {
    let question = args.demand.question()?;
    let mut servings = args.demand.servings(&question, &args.serving)?;
    if is_remote_alone && args.serving.is_default() && !is_one_after_another(&question) {
        servings
            .iter_mut()
            .for_each(|serving| serving.callers = IN_FLIGHT);
    }
    Ok(LoadPlan {
        price: None,
        arrivals: args.demand.arrivals(&question)?,
        servings,
        question,
        slo: args.demand.slo.clone(),
        segment_ns: args.schedule.segment.into(),
        samples_count: SAMPLES,
    })
}

/// Whether the scenario says that one request is sent after another.
fn is_one_after_another(question: &Question) -> bool {
    matches!(
        question,
        Question::Scenario(Scenario::SingleStream | Scenario::MultiStream)
    )
}

/// 1, and what batchers may form: powers of two, the preferred ones and the largest.
fn batch_sizes(servings: &[Serving]) -> Vec<u64> {
    let mut sizes = BTreeSet::from([1]);
    for batcher in servings
        .iter()
        .filter_map(|serving| serving.batcher.as_ref())
    {
        let powers = std::iter::successors(Some(2), |size: &u64| size.checked_mul(2));
        sizes.extend(powers.take_while(|&size| size < batcher.max_batch));
        sizes.extend(&batcher.preferred);
        sizes.insert(batcher.max_batch);
    }
    load::sorted(sizes)
}

fn timing(args: &LoadScheduleArgs, question: &Question) -> Schedule {
    let soak = match question {
        Question::Soak { length_ns, .. } => *length_ns,
        Question::Curve { .. }
        | Question::Capacity
        | Question::Stress
        | Question::Users { .. }
        | Question::Scenario(_) => Nanos(0),
    };
    let budget = args.budget.map(Nanos::from);
    Schedule {
        seed: args.seed,
        budget_ns: Some(budget.unwrap_or(DEFAULT_BUDGET + soak)),
        rounds_count: args.rounds,
        alternations_count: Some(ALTERNATIONS),
        block_ns: Schedule::BLOCK,
        target_half_width_ratio: Schedule::TARGET,
        timeout_ns: args.timeout.into(),
        page_cache: PageCache::Warm,
        pin: args.pin.clone(),
    }
}

/// Remarks on what was asked for, as notes of the run.
pub fn notes(plan: &Plan, host: &Host) -> Vec<String> {
    let Some(load) = &plan.load else {
        return Vec::new();
    };
    let cpus = schedule::cpus(&plan.schedule.pin, host);
    let threads = plan.sessions[0].options.intra_threads;
    let servings = load.servings.iter();
    let most = servings
        .map(|serving| serving.threads(threads))
        .max()
        .unwrap_or_default();
    let mut notes = super::notes_on(plan, host);
    if most > cpus {
        notes.push(format!(
            "{most} threads run inferences on {cpus} CPU(s): more at once make each slower"
        ));
    }
    notes
}

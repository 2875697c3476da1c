//! `onnxprof tune`: from words to a search, and from its record to an answer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::ending::{self, Target};
use super::ep_args::{self, Provider, ProviderArgs};
use super::input_args::InputArgs;
use super::output::Reports;
use super::plan_args::Runtimes;
use super::profile;
use super::progress::Console;
use super::resume::{Taken, resumed};
use super::scoring_args::ScoringArgs;
use super::{CliError, exit, output, plan_args, tune_args, values};
use crate::analysis::tuning::TuningVerdict;
use crate::check::Slo;
use crate::plan::{self, Objective, Pin, SessionOptions};
use crate::record::{Host, RunRecord};
use crate::runner::{self, Extent, Job, Ran, WorkerCommand};
use crate::sample::{Roots, Sampler, host};
use crate::store::{RunFolder, default_folder};
use crate::tune::Search;
use crate::units::Ratio;

/// Searches for the best session options: threads, batch size, variant, execution provider, graph optimization, execution
/// mode, spinning, arena and memory pattern.
///
/// Configurations race in heats: those of a heat take turns in short blocks in fresh processes, and one is dropped only
/// when an interval says so: another that keeps the SLO is better, or the SLO or the accuracy is out of reach. What was
/// measured is kept whenever the search is interrupted, and `--resume` goes on from there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, or folders of them, as `profile` takes them.
    #[arg(required_unless_present = "resume", value_name = "MODEL|FOLDER")]
    pub models: Vec<PathBuf>,
    /// What every configuration must keep, such as `latency_p99<=20ms` or `throughput>=500/s`; may be given several
    /// times.
    #[arg(long, value_name = "CHECK", value_parser = tune_args::slo)]
    pub slo: Vec<Slo>,
    /// How far top-1 accuracy may fall below the baseline's; takes labelled data. [default: any fall is allowed, and told]
    #[arg(long, value_name = "POINTS", value_parser = tune_args::points)]
    pub max_accuracy_drop: Option<Ratio>,
    /// What is made as good as possible.
    #[arg(long, value_enum, default_value_t = ObjectiveArg::Throughput)]
    pub objective: ObjectiveArg,
    /// Wall time of the search; of what is taken up again, from then on. [default: 5m, or what is left of it]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub budget: Option<Duration>,
    /// Takes up a search again in its folder: nothing that was measured is measured again.
    ///
    /// Its models and data are read where they were; another file than before ends it. A library runs when it is opened: one of
    /// ONNX Runtime that is neither in the cache nor the one that a new search would take is named again with `--runtime`, those
    /// of custom operators and execution providers with `--custom-ops` and `--ep-library`, options that may name a file with
    /// `--ep-option`.
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "models", "slo", "max_accuracy_drop", "objective", "out", "baseline", "batch", "intra_threads", "keep", "ep",
        "device", "require_ep", "bind", "data", "labels", "dims", "batch_dim", "ranges", "seed", "task", "score_samples",
        "block", "pin", "timeout",
    ])]
    pub resume: Option<PathBuf>,
    /// Folder for the run; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Variant whose accuracy the others are held against, and whose defaults the gain is told over. [default: the one
    /// in full precision by its weights; of several the largest, and of equals the one called fp32, the one with whose name
    /// the others' begin, or the first]
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    #[command(flatten)]
    pub space: SpaceArgs,
    #[command(flatten)]
    pub providers: ProviderArgs,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Prints the result only: no progress.
    #[arg(long, short)]
    pub quiet: bool,
    /// Prints without colour, whatever the terminal. The environment variable `NO_COLOR` does the same.
    #[arg(long)]
    pub no_color: bool,
}

/// What is tried.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is tried")]
pub struct SpaceArgs {
    /// Batch sizes, the first of which is the default. [default: powers of two from 1 to 64; 1 for the objectives latency
    /// and memory, unless the SLO asks for a throughput]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = values::batch)]
    pub batch: Option<Vec<u64>>,
    /// Numbers of threads that run one operator. [default: powers of two up to the CPUs that this process may use]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = values::threads)]
    pub intra_threads: Option<Vec<u64>>,
    /// Options that stay as they are: none is tried besides its default.
    #[arg(long, value_enum, value_name = "OPTION,OPTION", value_delimiter = ',')]
    pub keep: Vec<OptionArg>,
    /// ONNX Runtime libraries: paths, or versions such as `cpu@1.31.1`, which are installed if they are not there.
    #[arg(long, value_name = "PATH|BUILD@VERSION,...", value_delimiter = ',')]
    pub runtime: Vec<String>,
    /// A library of custom operators that is registered with every session; may be given several times.
    #[arg(long, value_name = "LIB")]
    pub custom_ops: Vec<PathBuf>,
}

/// How time is spent.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Schedule")]
pub struct ScheduleArgs {
    /// Length of a block; it holds at least 3 inferences.
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "30ms")]
    pub block: Duration,
    /// A worker that does not answer for this long is killed, and its configuration has failed.
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "120s")]
    pub timeout: Duration,
    /// CPUs of the workers: `auto`, `none`, or a list such as 0,2-3.
    #[arg(long, value_name = "auto|none|LIST", value_parser = values::pin, default_value = "auto")]
    pub pin: Pin,
    /// Seed of the order of configurations within a round and of synthesized inputs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// What is made as good as possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ObjectiveArg {
    /// Most predictions per second.
    Throughput,
    /// Shortest median latency.
    Latency,
    /// Least peak memory.
    Memory,
    /// Least energy per prediction.
    Energy,
}

impl From<ObjectiveArg> for Objective {
    fn from(arg: ObjectiveArg) -> Self {
        match arg {
            ObjectiveArg::Throughput => Objective::Throughput,
            ObjectiveArg::Latency => Objective::Latency,
            ObjectiveArg::Memory => Objective::Memory,
            ObjectiveArg::Energy => Objective::Energy,
        }
    }
}

/// Options that may be kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OptionArg {
    /// Graph optimization level.
    Optimization,
    /// Execution mode.
    Execution,
    /// Spinning of idle threads.
    Spinning,
    /// Arena of memory.
    Arena,
    /// Memory pattern.
    Pattern,
}

/// Runs the command.
///
/// # Errors
/// Bad input, an unwritable folder, a runtime that cannot be had, or a run that cannot be taken up again.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let started = Instant::now();
    let mut progress = Console::new(args.quiet);
    let host = host::fingerprint(&Roots::system());
    let (job, target) = match &args.resume {
        Some(run) => match resumed(run, &args, host, started, &mut progress)? {
            Taken::Up(job, target) => (*job, target),
            Taken::Done(folder, record) => {
                return publish(&Ran { folder, record: *record, unwritten: None }, &args);
            }
        },
        None => fresh(&args, host, started, &mut progress)?,
    };
    let result = runner::run(job, &mut progress);
    progress.clear();
    publish(&result.map_err(|error| ending::run_error(&error, &target))?, &args)
}

/// A new search.
fn fresh(args: &Args, host: Host, started: Instant, progress: &mut Console) -> Result<(Job, Target), CliError> {
    let now = jiff::Timestamp::now();
    let family = plan_args::family(&args.models, args.baseline.as_deref(), &args.inputs)?;
    let providers = ep_args::providers(&args.providers)?;
    if args.objective == ObjectiveArg::Energy {
        require_energy(&providers)?;
    }
    let Runtimes { found: runtimes, installing } = plan_args::runtimes(&args.space.runtime, progress)?;
    let custom_ops = plan_args::custom_ops(&args.space.custom_ops)?;
    let options = SessionOptions { custom_ops, ..SessionOptions::default() };
    let bases = plan_args::sessions(&runtimes, &providers, family.variants.len(), &options);
    let plan = tune_args::plan(args, &family, bases, &host)?;
    progress.introduce_search(&plan, &host);
    let path = args.out.clone().unwrap_or_else(|| default_folder("onnxprof-runs".as_ref(), &family.name, now));
    let target = Target { existed: path.exists(), path };
    let folder = RunFolder::create(&target.path).map_err(|error| output::store_error(&error))?;
    let job = Job {
        notes: [family.notes, tune_args::notes(&plan, &host)].concat(),
        plan,
        folder,
        info: profile::info(&family.name, now),
        host,
        runtimes,
        worker: WorkerCommand { program: profile::worker_program()?, timeout: args.schedule.timeout },
        started: started + installing,
        extent: Extent::Whole,
        guide: Some(Box::new(Search)),
        resumed: None,
        lost_workers: Vec::new(),
    };
    Ok((job, target))
}

/// Energy is what is minimized, and something must tell it.
fn require_energy(providers: &[Provider]) -> Result<(), CliError> {
    let on_gpu = providers.iter().any(|provider| plan::is_on_nvidia(&provider.identifier));
    let sampler = Sampler::new(&Roots::system());
    match sampler.rapl() {
        Err(error) if !on_gpu => {
            let mut refused = CliError::message(exit::BAD_INPUT, "energy cannot be measured on this machine");
            refused.chain.push(error.to_string());
            Err(refused.with_hint("choose another `--objective`, or let this user read the energy counters".to_owned()))
        }
        _ => Ok(()),
    }
}

fn publish(ran: &Ran, args: &Args) -> Result<ExitCode, CliError> {
    let Ran { folder, record, unwritten } = ran;
    let reports = Reports::render(record, folder, output::style(args.no_color), None);
    let unwritten = unwritten.as_ref().map(|error| ending::store_error(error, folder.path()));
    ending::finished(ending::written(&reports, record, unwritten), record)?;
    Ok(ExitCode::from(exit_code(record, reports.verdict())))
}

/// What the end of a search means to a script: one that found nothing must not look like success.
fn exit_code(record: &RunRecord, verdict: Option<TuningVerdict>) -> u8 {
    match verdict {
        _ if !record.is_complete() => exit::PARTIAL,
        Some(TuningVerdict::NothingMeasured) | None => exit::BAD_INPUT,
        _ if record.failed_launches(None).next().is_some() => exit::PARTIAL,
        Some(TuningVerdict::NothingMeets) => exit::SLO_NOT_MET,
        Some(TuningVerdict::NotShown | TuningVerdict::Undecided) => exit::GATE_INCONCLUSIVE,
        Some(TuningVerdict::Found) => exit::DONE,
    }
}

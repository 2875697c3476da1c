//! `onnxprof profile`: from words to a run, and from its record to reports.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::ending::{Target, exit_code, finished, nothing_measured, run_error, store_error, written};
use super::ep_args::ProviderArgs;
use super::full_args::FullArgs;
use super::input_args::InputArgs;
use super::output::Reports;
use super::plan_args::Runtimes;
use super::progress::Console;
use super::scoring_args::ScoringArgs;
use super::show::RUNS;
use super::values::SweptDim;
use super::{CliError, exit, forecast, notes, open, output, plan_args, values};
use crate::plan::{ExecutionMode, GraphOptimization, Pin};
use crate::record::RunInfo;
use crate::runner::{self, Extent, Job, Ran, WorkerCommand};
use crate::sample::{Roots, host};
use crate::store::{RunFolder, default_folder};

/// Measures models: latency, throughput, loading, memory and accuracy, across variants and batch sizes.
///
/// A folder's model files are the variants of one model. Variants take turns in short blocks on the same CPUs, in fresh
/// processes, so that their ratios can be trusted on a noisy machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, .onnx or .ort, or folders of them: exports, downloads of a model hub, repositories of a server. Of a
    /// mixed folder, the variants of the model that most files are of.
    #[arg(required = true, value_name = "MODEL|FOLDER")]
    pub models: Vec<PathBuf>,
    /// Folder for the run; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Variant that the others are compared with, by name. [default: the one in full precision by its weights; of several the
    /// largest, and of equals the one called fp32, the one with whose name the others' begin, or the first]
    #[arg(long, value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub inputs: InputArgs,
    #[command(flatten)]
    pub scoring: ScoringArgs,
    /// Batch sizes. [default: powers of two from 1 to 64, ended early where throughput saturates]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = values::batch, help_heading = "Load")]
    pub batch: Option<Vec<u64>>,
    /// Sizes of a dimension that the models leave open, each measured at every batch size, as in `dim=seq:16,64,256`; of
    /// several such options, every combination is.
    #[arg(long, value_name = "dim=NAME:N,N,...", value_parser = values::swept_dim, help_heading = "Load")]
    pub sweep: Vec<SweptDim>,
    /// Measures latencies after these times without a request, in launches of their own, within 15% of the budget.
    /// [default where it is given without a list: 0,10ms,100ms,1s]
    #[arg(long, value_name = "TIME,TIME,...", value_delimiter = ',', value_parser = values::gap, num_args = 0..=1,
        require_equals = true, default_missing_value = "0,10ms,100ms,1s", help_heading = "Load")]
    pub idle_gaps: Option<Vec<Duration>>,
    /// Latency within which the best batch size is looked for.
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Load")]
    pub latency_limit: Option<Duration>,
    /// Requests in flight: so many threads share one session, each sending its next request when the last is done.
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = values::threads, default_value = "1", help_heading = "Load")]
    pub concurrency: Vec<u64>,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub providers: ProviderArgs,
    #[command(flatten)]
    pub schedule: ScheduleArgs,
    /// Says what would be measured, how long it would take and how precise it would be, after a short probe; measures
    /// nothing more and writes nothing.
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub full: FullArgs,
    /// Opens report.html in the browser when the run is done.
    #[arg(long, conflicts_with = "plan")]
    pub open: bool,
    /// Prints the result only: no progress.
    #[arg(long, short)]
    pub quiet: bool,
    /// Prints without colour, whatever the terminal. The environment variable `NO_COLOR` does the same.
    #[arg(long)]
    pub no_color: bool,
}

/// How sessions are created.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub struct SessionArgs {
    /// ONNX Runtime libraries, measured side by side: paths, or versions such as `cpu@1.31.1`, which are installed if
    /// they are not there.
    #[arg(long, value_name = "PATH|BUILD@VERSION,...", value_delimiter = ',')]
    pub runtime: Vec<String>,
    /// Threads that run one operator. [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_parser = values::threads)]
    pub intra_threads: Option<u64>,
    /// Threads that run independent operators, in parallel execution mode.
    #[arg(long, value_name = "N", value_parser = values::threads, default_value_t = 1)]
    pub inter_threads: u64,
    /// Graph optimization level.
    #[arg(long, value_enum, default_value_t = OptimizationArg::All)]
    pub graph_optimization: OptimizationArg,
    /// Whether independent operators may run at once.
    #[arg(long, value_enum, default_value_t = ExecutionArg::Sequential)]
    pub execution_mode: ExecutionArg,
    /// Whether idle threads of the session's pool spin. [default: the library's own]
    #[arg(long, value_name = "BOOL")]
    pub allow_spinning: Option<bool>,
    /// Whether memory on the CPU comes from an arena, which keeps what it took. [default: the library's own]
    #[arg(long, value_name = "BOOL")]
    pub memory_arena: Option<bool>,
    /// Whether memory is planned ahead for inputs of one shape. [default: the library's own]
    #[arg(long, value_name = "BOOL")]
    pub memory_pattern: Option<bool>,
    /// A session configuration entry, by ONNX Runtime's key; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = values::key_value)]
    pub session_config: Vec<(String, String)>,
    /// A library of custom operators that is registered with every session; may be given several times.
    #[arg(long, value_name = "LIB")]
    pub custom_ops: Vec<PathBuf>,
}

/// How time is spent.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Schedule")]
pub struct ScheduleArgs {
    /// Wall time of the whole run, reports included. [default: until every interval is within `--target`, at most 60s; or as
    /// long as `--rounds` take]
    #[arg(long, value_name = "TIME", value_parser = values::duration)]
    pub budget: Option<Duration>,
    /// The run ends when every ratio to the baseline has a 95% half-width within this.
    #[arg(long, value_name = "PERCENT", value_parser = values::percent, default_value = "2%")]
    pub target: f64,
    /// Rounds: in each, every session is launched once in a fresh process. [default: as the budget allows]
    #[arg(long, value_name = "N", value_parser = values::repetitions)]
    pub rounds: Option<u64>,
    /// Alternations per batch size and round: in each, every session runs one block. [default: as the budget allows]
    #[arg(long, value_name = "N", value_parser = values::repetitions)]
    pub alternations: Option<u64>,
    /// Length of a block; it holds at least 3 inferences.
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "30ms")]
    pub block: Duration,
    /// A worker that does not answer for this long is killed, and its cell has failed.
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "120s")]
    pub timeout: Duration,
    /// CPUs of the workers: `auto` (as many as a session has threads, the same for all), `none`, or a list such as 0,2-3.
    #[arg(long, value_name = "auto|none|LIST", value_parser = values::pin, default_value = "auto")]
    pub pin: Pin,
    /// Drops the models from the page cache before each launch.
    #[arg(long)]
    pub cold: bool,
    /// Seed of the order of sessions and of synthesized inputs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// ONNX Runtime's graph optimization levels.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum OptimizationArg {
    Disable,
    Basic,
    Extended,
    All,
}

impl From<OptimizationArg> for GraphOptimization {
    fn from(arg: OptimizationArg) -> Self {
        match arg {
            OptimizationArg::Disable => GraphOptimization::Disable,
            OptimizationArg::Basic => GraphOptimization::Basic,
            OptimizationArg::Extended => GraphOptimization::Extended,
            OptimizationArg::All => GraphOptimization::All,
        }
    }
}

/// ONNX Runtime's execution modes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ExecutionArg {
    Sequential,
    Parallel,
}

impl From<ExecutionArg> for ExecutionMode {
    fn from(arg: ExecutionArg) -> Self {
        match arg {
            ExecutionArg::Sequential => ExecutionMode::Sequential,
            ExecutionArg::Parallel => ExecutionMode::Parallel,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Bad input, an unwritable folder, or a runtime that cannot be had. A variant that fails is none: it is in the report.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let started = Instant::now();
    let now = jiff::Timestamp::now();
    let host = host::fingerprint(&Roots::system());
    let mut progress = Console::new(args.quiet);
    let context = args.full.named()?;
    let family = plan_args::family(&args.models, args.baseline.as_deref(), &args.inputs)?;
    let Runtimes { found: runtimes, installing } = plan_args::runtimes(&args.session.runtime, &mut progress)?;
    let plan = plan_args::plan(&args, &family, &runtimes, &host)?;
    progress.introduce(&plan, &host);
    let temporary = if args.plan { Some(forecast::folder()?) } else { None };
    let path = match &temporary {
        Some(folder) => folder.path().join("probe"),
        None => args.out.clone().unwrap_or_else(|| default_folder(RUNS.as_ref(), &family.name, now)),
    };
    let existed = path.exists();
    let folder = RunFolder::create(&path).map_err(|error| output::store_error(&error))?;
    let notes = [family.notes, notes::of(&plan, &host)].concat();
    let job = Job {
        notes,
        plan,
        folder,
        info: info(&family.name, now),
        host,
        runtimes,
        worker: WorkerCommand { program: worker_program()?, timeout: args.schedule.timeout },
        started: started + installing,
        extent: Extent::Whole,
        guide: None,
        resumed: None,
        lost_workers: Vec::new(),
    };
    if args.plan {
        return forecast::run(job, output::style(args.no_color), &mut progress);
    }
    let result = runner::run(job, &mut progress);
    progress.clear();
    let Ran { folder, record, unwritten } = result.map_err(|error| run_error(&error, &Target { path, existed }))?;
    let reports =
        Reports::render(&record, &folder, output::style(args.no_color), context.as_ref().map(|(_, context)| context));
    let mut failures = written(&reports, &record, unwritten.map(|error| store_error(&error, folder.path())));
    failures.note(keep_context(&folder, context.as_ref().map(|(text, _)| text.as_str())));
    if nothing_measured(&record).is_none() {
        progress.release();
        forecast::learn_from(&record);
    }
    finished(failures, &record)?;
    if args.open {
        open::open(&folder.report_html());
    }
    Ok(ExitCode::from(exit_code(&record)))
}

/// Copies the context into the run's folder, so that its report can be written again from there alone.
fn keep_context(folder: &RunFolder, text: Option<&str>) -> Result<(), CliError> {
    match text.filter(|text| !text.is_empty()) {
        Some(text) => output::write_own(&folder.context(), text.as_bytes()),
        None => Ok(()),
    }
}

/// The program that serves as worker: this one.
///
/// The environment variable lets tests put one in its place that breaks the protocol.
pub(super) fn worker_program() -> Result<PathBuf, CliError> {
    match std::env::var_os("ONNXPROF_WORKER") {
        Some(program) => Ok(program.into()),
        None => std::env::current_exe()
            .map_err(|error| CliError::message(exit::BUG, format!("failed to find the program itself: {error}"))),
    }
}

pub(super) fn info(name: &str, now: jiff::Timestamp) -> RunInfo {
    RunInfo {
        name: name.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").into(),
        command: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
        working_dir: std::env::current_dir().unwrap_or_default(),
        started_at: now.to_string(),
        elapsed_ns: None,
        ended_by: None,
        sampling_cost_ns: None,
        harness_cost_ns: None,
        parent_peak_memory_bytes: None,
    }
}

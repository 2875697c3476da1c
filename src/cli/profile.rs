//! `onnxprof profile`: from words to a run, and from its record to reports.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::ending::{Target, exit_code, finished, nothing_measured, run_error, store_error, written};
use super::full_args::FullArgs;
use super::output::Reports;
use super::plan::{self, MeasureArgs, Runtimes};
use super::progress::Console;
use super::show::RUNS;
use super::{CliError, exit, forecast, open, output};
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
    pub measure: MeasureArgs,
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
    let family = plan::family(&args.models, args.baseline.as_deref(), &args.measure.inputs)?;
    let Runtimes { found: runtimes, installing } = plan::runtimes(&args.measure.session.runtime, &mut progress)?;
    let plan = plan::profile::plan(&args.measure, &family, &runtimes, &host)?;
    progress.introduce(&plan, &host);
    let temporary = if args.plan { Some(forecast::folder()?) } else { None };
    let path = match &temporary {
        Some(folder) => folder.path().join("probe"),
        None => args.out.clone().unwrap_or_else(|| default_folder(RUNS.as_ref(), &family.name, now)),
    };
    let existed = path.exists();
    let folder = RunFolder::create(&path).map_err(|error| output::store_error(&error))?;
    let notes = [family.notes, plan::notes_on(&plan, &host)].concat();
    let job = Job {
        notes,
        plan,
        folder,
        info: info(&family.name, now),
        host,
        runtimes,
        worker: WorkerCommand { program: worker_program()?, timeout: args.measure.schedule.timeout },
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

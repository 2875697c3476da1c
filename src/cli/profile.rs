//! `onnxprof profile`: from words to a run, and from its record to reports.

use std::path::PathBuf;

use super::ending::{decided, exit_code, finished, measured, nothing_measured, written};
use super::full_args::{FullArgs, Given};
use super::job::{Asked, Beginning, temporary_folder};
use super::json::JsonArgs;
use super::output::{Printed, Reports};
use super::plan::{self, MeasureArgs};
use super::progress::{Console, ConsoleArgs};
use super::{Result, forecast, open, output};
use crate::plan::Flag;
use crate::runner::Ran;
use crate::store::RunFolder;

/// Measures models: latency, throughput, loading, memory and accuracy, across variants and batch
/// sizes.
///
/// A folder's model files are the variants of one model. Variants take turns in short blocks on the
/// same CPUs, in fresh processes, so that their ratios can be trusted on a noisy machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, .onnx or .ort, or folders of them: exports, downloads of a model hub,
    /// repositories of a server. Of a mixed folder, the variants of the model that most files are
    /// of.
    #[arg(required = true, value_name = "MODEL|FOLDER")]
    pub models: Vec<PathBuf>,
    /// Folder for the run; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Variant that the others are compared with, by name. [default: the one in full precision by
    /// its weights; of several the largest, and of equals the one called fp32, the one with whose
    /// name the others' begin, or the first]
    #[arg(long = Flag::Baseline.word(), value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Says what would be measured, how long it would take and how precise it would be, after a
    /// short probe; measures nothing more and writes nothing.
    #[arg(long)]
    pub plan: bool,
    /// Tells by the exit code what to do: 0 ship or keep the baseline, 6 undecided or no answer, 7
    /// none may be shipped. [default: 0 when what was asked for was measured]
    #[arg(long, conflicts_with = "plan")]
    pub decide: bool,
    #[command(flatten)]
    pub full: FullArgs,
    /// Opens report.html in the browser when the run is done.
    #[arg(long, conflicts_with = "plan")]
    pub open: bool,
    #[command(flatten)]
    pub json: JsonArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
}

pub fn run(args: Args) -> Result<u8> {
    let beginning = Beginning::now();
    let mut progress = args.console.console();
    let given = args.full.named()?;
    let family = plan::family(&args.models, args.baseline.as_deref(), &args.measure.inputs)?;
    let runtimes = plan::runtimes(&args.measure.session.runtime, &mut progress)?;
    let plan = plan::profile::plan(&args.measure, &family, &runtimes.found, &beginning.host)?;
    progress.introduce(&plan, &beginning.host);
    let temporary = args.plan.then(temporary_folder).transpose()?;
    let path = match &temporary {
        Some(folder) => folder.path().join("probe"),
        None => beginning.folder(&args.out, &family.name),
    };
    let notes = plan::notes_on(&plan, &beginning.host);
    let asked = Asked::of(family, plan, runtimes, notes);
    let (job, target) = beginning.job_at(path, asked)?;
    if args.plan {
        return forecast::run(job, &target, printed(&args), &mut progress);
    }
    reported(
        measured(job, &target, &mut progress)?,
        &args,
        given,
        &mut progress,
    )
}

/// Writes the reports of a run that was measured.
fn reported(mut ran: Ran, args: &Args, given: Option<Given>, progress: &mut Console) -> Result<u8> {
    let (text, beside) = given
        .map(|given| {
            let beside = given
                .results
                .beside(given.context, ran.folder.path(), &ran.record);
            (given.text, beside)
        })
        .unzip();
    let reports = Reports::render(&ran, printed(args), beside.as_ref());
    let mut failures = written(&reports, &mut ran);
    let Ran { folder, record, .. } = ran;
    failures.note(keep_context(&folder, text.as_deref()));
    if nothing_measured(&record).is_none() {
        progress.release();
        progress.say_changed(&record, &reports.judgement);
        forecast::learn_from(&record);
    }
    finished(failures, &record)?;
    if args.open {
        open::open(&folder.report_html());
    }
    Ok(if args.decide {
        decided(&record, reports.judgement.decision)
    } else {
        exit_code(&record)
    })
}

fn printed(args: &Args) -> Printed {
    Printed::of(args.json, "profile", args.console.style())
}

/// Copies the context into the run's folder, so that its report can be written again from there
/// alone.
fn keep_context(folder: &RunFolder, text: Option<&str>) -> Result<()> {
    text.filter(|text| !text.is_empty()).map_or(Ok(()), |text| {
        output::write_own(&folder.context(), text.as_bytes())
    })
}

//! `onnxprof tune`: from words to a search, and from its record to an answer.

use std::path::PathBuf;
use std::process::ExitCode;

use super::job::{Asked, Beginning, Target};
use super::output::Reports;
use super::plan::{self, GoalArgs, ObjectiveArg, Provider, SearchArgs};
use super::progress::{Console, ConsoleArgs};
use super::resume::{Taken, resumed};
use super::runs::RUNS;
use super::{CliError, ending, exit};
use crate::analysis::tuning::TuningVerdict;
use crate::plan::{Flag, SessionOptions};
use crate::provider::{self, Hardware};
use crate::record::RunRecord;
use crate::runner::{Job, Ran};
use crate::sample::{Roots, Sampler};
use crate::store::default_folder;
use crate::tune::Search;

/// Searches for the best session options: threads, batch size, variant, execution provider, graph
/// optimization, execution mode, spinning, arena and memory pattern.
///
/// Configurations race in heats: those of a heat take turns in short blocks in fresh processes, and
/// one is dropped only when an interval says so: another that keeps the SLO is better, or the SLO
/// or the accuracy is out of reach. What was measured is kept whenever the search is interrupted,
/// and `--resume` goes on from there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, or folders of them, as `profile` takes them.
    #[arg(required_unless_present = "resume", value_name = "MODEL|FOLDER")]
    pub models: Vec<PathBuf>,
    #[command(flatten)]
    pub goal: GoalArgs,
    /// Takes up a search again in its folder: nothing that was measured is measured again.
    ///
    /// Its models and data are read where they were; another file than before ends it. A library
    /// runs when it is opened: one of ONNX Runtime that is neither in the cache nor the one that a
    /// new search would take is named again with `--runtime`, those of custom operators and
    /// execution providers with `--custom-ops` and `--ep-library`, options that may name a file
    /// with `--ep-option`.
    #[arg(long, value_name = "RUN", conflicts_with_all = [
        "models", "slo", "max_accuracy_drop", "objective", "out", "baseline", "batch", "intra_threads", "keep", "ep",
        "device", "require_ep", "bind", "data", "labels", "dims", "batch_dim", "ranges", "seed", "task", "score_samples",
        "block", "pin", "timeout",
    ])]
    pub resume: Option<PathBuf>,
    /// Folder for the run; it must not hold one. [default: onnxprof-runs/TIME-NAME]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Variant whose accuracy the others are held against, and whose defaults the gain is told
    /// over. [default: the one in full precision by its weights; of several the largest, and of
    /// equals the one called fp32, the one with whose name the others' begin, or the first]
    #[arg(long = Flag::Baseline.word(), value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
}

pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let mut progress = args.console.console();
    let beginning = Beginning::now();
    let (job, target) = match &args.resume {
        Some(run) => match resumed(run, &args.goal, &args.search, beginning, &mut progress)? {
            Taken::Up(job, target) => (*job, target),
            Taken::Done(folder, record) => {
                return publish(
                    &Ran {
                        folder,
                        record: *record,
                        unwritten: None,
                    },
                    &args,
                );
            }
        },
        None => fresh(&args, beginning, &mut progress)?,
    };
    publish(&ending::measured(job, &target, &mut progress)?, &args)
}

fn fresh(
    args: &Args,
    beginning: Beginning,
    progress: &mut Console,
) -> Result<(Job, Target), CliError> {
    let family = plan::family(&args.models, args.baseline.as_deref(), &args.search.inputs)?;
    let providers = plan::providers(&args.search.providers)?;
    if args.goal.objective == ObjectiveArg::Energy {
        require_energy(&providers)?;
    }
    let runtimes = plan::runtimes(&args.search.space.runtime, progress)?;
    let custom_ops = plan::custom_ops(&args.search.space.custom_ops)?;
    let options = SessionOptions {
        custom_ops,
        ..SessionOptions::default()
    };
    let bases = plan::sessions(&runtimes.found, &providers, family.variants.len(), &options);
    let plan = plan::search::plan(&args.goal, &args.search, &family, bases, &beginning.host)?;
    progress.introduce_search(&plan, &beginning.host);
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| default_folder(RUNS.as_ref(), &family.name, beginning.at));
    let notes = [family.notes, plan::search::notes(&plan, &beginning.host)].concat();
    let (job, target) = beginning.job_at(
        path,
        Asked {
            name: family.name,
            plan,
            runtimes,
            notes,
        },
    )?;
    Ok((
        Job {
            guide: Some(Box::new(Search)),
            ..job
        },
        target,
    ))
}

fn require_energy(providers: &[Provider]) -> Result<(), CliError> {
    let on_gpu = providers
        .iter()
        .any(|provider| provider::known(&provider.identifier).hardware == Hardware::NvidiaGpu);
    let sampler = Sampler::new(&Roots::system());
    match sampler.rapl() {
        Err(error) if !on_gpu => {
            let hint = "choose another `--objective`, or let this user read the energy counters";
            let refused = CliError::bad_input(error.to_string(), hint);
            Err(refused.causing("energy cannot be measured on this machine".into()))
        }
        _ => Ok(()),
    }
}

fn publish(ran: &Ran, args: &Args) -> Result<ExitCode, CliError> {
    let Ran {
        folder,
        record,
        unwritten,
    } = ran;
    let reports = Reports::render(record, folder, args.console.style(), None);
    let unwritten = unwritten
        .as_ref()
        .map(|error| ending::store_error(error, folder.path()));
    ending::finished(ending::written(&reports, record, unwritten), record)?;
    Ok(ExitCode::from(exit_code(record, reports.verdict)))
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

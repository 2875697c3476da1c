//! `onnxprof tune`: from words to a search, and from its record to an answer.

use std::path::PathBuf;

use super::job::{Asked, Beginning, Target};
use super::json::JsonArgs;
use super::output::{Printed, Reports};
use super::plan::{self, GoalArgs, ObjectiveArg, Provider, SearchArgs};
use super::progress::{Console, ConsoleArgs};
use super::resume::{Taken, resumed};
use super::{CliError, Result, ending};
use crate::plan::Flag;
use crate::provider::{self, Hardware};
use crate::runner::{Course, Job, Ran};
use crate::sample::{Roots, Sampler};
use crate::tune::Search;

/// Searches for the best session options: threads, batch size, variant, execution provider, graph
/// optimization, execution mode, spinning, arena and memory pattern.
///
/// Configurations compete in groups: those of a group take turns in short blocks in fresh processes, and
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
    /// Variant whose accuracy the others are compared with, and whose defaults the gain is told
    /// over. [default: the one in full precision by its weights; of several the largest, and of
    /// equals the one called fp32, the one with whose name the others' begin, or the first]
    #[arg(long = Flag::Baseline.word(), value_name = "NAME")]
    pub baseline: Option<String>,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub json: JsonArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
}

pub fn run(args: Args) -> Result<u8> {
    let mut progress = args.console.console();
    let beginning = Beginning::now();
    let (job, target) = match &args.resume {
        Some(run) => match resumed(run, &args.goal, &args.search, beginning, &mut progress)? {
            Taken::Up(job, target) => (*job, target),
            Taken::Done(ran) => return publish(*ran, &args),
        },
        None => fresh(&args, beginning, &mut progress)?,
    };
    publish(ending::measured(job, &target, &mut progress)?, &args)
}

fn fresh(args: &Args, beginning: Beginning, progress: &mut Console) -> Result<(Job, Target)> {
    let search = &args.search;
    let family = plan::family(&args.models, args.baseline.as_deref(), &search.inputs)?;
    let providers = plan::providers(&search.providers)?;
    if args.goal.objective == ObjectiveArg::Energy {
        require_energy(&providers)?;
    }
    let runtimes = plan::runtimes(&search.space.runtime, progress)?;
    let bases = plan::search::bases(search, &family, &runtimes.found, &providers)?;
    let plan = plan::search::plan(&args.goal, search, &family, bases, &beginning.host)?;
    progress.introduce_search(&plan, &beginning.host);
    let path = beginning.folder(&args.out, &family.name);
    let notes = plan::search::notes(&plan, &beginning.host);
    let asked = Asked::of(family, plan, runtimes, notes);
    let (mut job, target) = beginning.job_at(path, asked)?;
    job.course = Course::Search(Box::new(Search));
    Ok((job, target))
}

fn require_energy(providers: &[Provider]) -> Result<()> {
    let mut known = providers
        .iter()
        .map(|provider| provider::known(&provider.identifier));
    let on_gpu = known.any(|known| known.hardware == Hardware::NvidiaGpu);
    match Sampler::new(&Roots::system()).rapl() {
        Err(error) if !on_gpu => Err(CliError::bad_input(
            error.to_string(),
            "choose another `--objective`, or let this user read the energy counters",
        )
        .causing("energy cannot be measured on this machine")),
        _ => Ok(()),
    }
}

fn publish(mut ran: Ran, args: &Args) -> Result<u8> {
    let printed = Printed::of(args.json, "tune", args.console.style());
    let reports = Reports::render(&ran, printed, None);
    ending::finished(ending::written(&reports, &mut ran), &ran.record)?;
    Ok(ending::decided(&ran.record, reports.judgement.decision))
}

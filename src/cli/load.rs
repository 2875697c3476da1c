//! `onnxprof load`: from words to a run under load, and from its record to reports.

use std::path::PathBuf;
use std::time::Duration;

use super::ending::{exit_code, finished, measured, written};
use super::job::{Asked, Beginning, SERVED_MODEL};
use super::json::JsonArgs;
use super::output::{Printed, Reports};
use super::plan::under_load::server::{self, Remote};
use super::plan::{self, Family, Runtimes, UnderLoadArgs};
use super::progress::{Console, ConsoleArgs};
use super::{Result, exit};
use crate::load::Demand;
use crate::plan::{Flag, ModelServer};
use crate::record::{EndReason, RunRecord};
use crate::runner::{Course, Extent};

/// Loads models with requests that arrive by themselves: how many per second they hold, what
/// happens beyond, and how they are best served.
///
/// Requests do not wait for each other. Response time counts from the moment at which a request was
/// to arrive, waiting included. Candidates (variants, libraries, ways of serving) take turns in
/// segments of seconds, in fresh processes each round.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Model files, or folders of them, as `profile` takes them. With `--url` none need be named.
    #[arg(required_unless_present = "url", value_name = "MODEL|FOLDER")]
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
    pub asked: UnderLoadArgs,
    #[command(flatten)]
    pub json: JsonArgs,
    #[command(flatten)]
    pub console: ConsoleArgs,
}

pub fn run(args: Args) -> Result<u8> {
    let beginning = Beginning::now();
    let mut progress = args.console.console();
    let asked = &args.asked;
    let loaded = Loaded::of(&args, &beginning, &mut progress)?;
    let Loaded {
        family, runtimes, ..
    } = loaded;
    let plan = plan::under_load::plan(asked, &family, &runtimes.found, &beginning.host)?;
    progress.introduce_load(&plan, &beginning.host);
    let notes = plan::under_load::notes(&plan, &beginning.host);
    let whole = Asked::of(family, plan, runtimes, notes);
    let (mut job, target) = beginning.job_at(loaded.folder, whole)?;
    if let Some(interface) = loaded.interface {
        target.write(SERVED_MODEL, &interface)?;
    }
    job.extent = Extent::Rounds;
    job.course = Course::Load(Box::new(Demand::default()));
    let mut ran = measured(job, &target, &mut progress)?;
    let printed = Printed::of(args.json, "load", args.console.style());
    let reports = Reports::render(&ran, printed, None);
    let failures = written(&reports, &mut ran);
    progress.release();
    finished(failures, &ran.record)?;
    Ok(code(&ran.record))
}

/// What is loaded.
struct Loaded {
    family: Family,
    runtimes: Runtimes,
    folder: PathBuf,
    /// A model file of inputs and outputs, where only a server has the model.
    interface: Option<Vec<u8>>,
}

impl Loaded {
    fn of(args: &Args, beginning: &Beginning, progress: &mut Console) -> Result<Self> {
        let asked = &args.asked;
        match asked.server.server()? {
            Some(only) if args.models.is_empty() => Self::of_server(args, beginning, only),
            server => {
                let family = plan::family(&args.models, args.baseline.as_deref(), &asked.inputs)?;
                let mut runtimes = plan::runtimes(&asked.session.runtime, progress)?;
                if let Some(server) = server {
                    server::require_one(&family)?;
                    runtimes.found.push(server::found(server));
                }
                Ok(Loaded {
                    folder: beginning.folder(&args.out, &family.name),
                    family,
                    runtimes,
                    interface: None,
                })
            }
        }
    }

    fn of_server(args: &Args, beginning: &Beginning, only: ModelServer) -> Result<Self> {
        server::require_no_runtime(&args.asked.session.runtime)?;
        let model = server::remote(&only)?;
        let folder = beginning.folder(&args.out, &model.name);
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        let Remote { family, interface } = Remote::at(&folder.join(SERVED_MODEL), &model);
        Ok(Loaded {
            family,
            runtimes: Runtimes {
                found: vec![server::found(only)],
                installing: Duration::ZERO,
            },
            folder,
            interface: Some(interface),
        })
    }
}

/// Exit code of a run under load: a segment that failed is a part that is missing.
fn code(record: &RunRecord) -> u8 {
    let has_failed = record
        .load
        .iter()
        .flat_map(|load| &load.segments)
        .any(|segment| segment.failure.is_some());
    match exit_code(record) {
        exit::DONE if has_failed => exit::PARTIAL,
        exit::DONE if record.run.ended_by == Some(EndReason::SloBroken) => exit::NONE_MAY_SHIP,
        code => code,
    }
}

//! `onnxprof doctor --null-test`: a model against a copy of itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::analysis::{self, SmallestClaim};
use crate::cli::job::{Asked, Beginning};
use crate::cli::output::{Failures, Printed, Reports};
use crate::cli::plan::{self, Family, MeasureArgs, values};
use crate::cli::progress::Console;
use crate::cli::{CliError, Result, ending, exit};
use crate::plan::Variant;
use crate::record::RunRecord;
use crate::report::Color;
use crate::runner::{Extent, Ran};
use crate::units::Ratio;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Null test")]
pub struct NullArgs {
    /// Wall time of the null test. [default: 20s, or as long as `--rounds` take]
    #[arg(long, value_name = "TIME", value_parser = values::duration, requires = "null_test")]
    budget: Option<Duration>,
    /// Rounds: in each, original and copy are launched once in a fresh process. [default: as the
    /// budget allows]
    #[arg(long, value_name = "N", value_parser = values::repetitions, requires = "null_test")]
    rounds: Option<u64>,
    /// Batch size.
    #[arg(long, value_name = "N", value_parser = values::batch, default_value_t = 1)]
    batch: u64,
    /// Threads that run one operator. [default: the CPUs that this process may use]
    #[arg(long, visible_alias = "threads", value_name = "N", value_parser = values::threads, requires = "null_test")]
    intra_threads: Option<u64>,
    /// ONNX Runtime library: a path, or a version such as `cpu@1.31.1`, which is installed if it is
    /// not there.
    #[arg(long, value_name = "PATH|cpu@VERSION", requires = "null_test")]
    runtime: Option<String>,
    /// A library of custom operators that is registered with every session; may be given several
    /// times.
    #[arg(long, value_name = "LIB", requires = "null_test")]
    custom_ops: Vec<PathBuf>,
    /// Seed of the order and of synthesized inputs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Folder that keeps the run; it must not hold one. [default: the run is not kept]
    #[arg(long, value_name = "DIR", requires = "null_test")]
    out: Option<PathBuf>,
}

/// Wall time where neither a budget nor rounds are named.
const DEFAULT_BUDGET: Duration = Duration::from_secs(20);
/// Half-width at which measuring would end early: nothing but a script of constant latencies is as
/// narrow.
const TARGET: Ratio = Ratio(1e-6);

pub(super) struct Tested {
    pub record: RunRecord,
    pub claims: Vec<SmallestClaim>,
    pub failures: Failures,
}

/// Runs the null test.
pub(super) fn run(model: &Path, args: &NullArgs, console: &mut Console) -> Result<Tested> {
    let mut ran = measure(model, args, console)?;
    if let Some(error) = ending::nothing_measured(&ran.record) {
        return Err(error);
    }
    let mut failures = Failures::default();
    if args.out.is_some() {
        failures.add(ending::unwritten(&mut ran));
        Reports::render(&ran, Printed::Summary(Color::Never.into()), None).write(&mut failures);
    }
    let record = ran.record;
    let claims = analysis::null_test(&record, &analysis::findings(&record)).ok_or_else(|| {
        let message = "the run ended before original and copy were measured side by side";
        CliError::message(exit::PARTIAL, message).with_hint("give it more time with `--budget`")
    })?;
    Ok(Tested {
        record,
        claims,
        failures,
    })
}

fn measure(model: &Path, args: &NullArgs, console: &mut Console) -> Result<Ran> {
    let beginning = Beginning::now();
    let asked = asked(args)?;
    let family = doubled(plan::family(&[model.to_owned()], None, &asked.inputs)?)?;
    let runtimes = plan::runtimes(&asked.session.runtime, console)?;
    if runtimes.found.len() > 1 {
        return Err(CliError::usage(
            "a model is tested against itself on one runtime",
            "name one with `--runtime`",
        ));
    }
    let mut plan = plan::profile::plan(&asked, &family, &runtimes.found, &beginning.host)?;
    plan.schedule.target_half_width_ratio = TARGET;
    console.introduce(&plan, &beginning.host);
    // Removed at the end of this function, with the run in it.
    let (path, _temporary) = destination(args.out.as_deref())?;
    let notes = plan::notes_on(&plan, &beginning.host);
    let asked = Asked::of(family, plan, runtimes, notes);
    let (mut job, target) = beginning.job_at(path, asked)?;
    job.extent = Extent::Rounds;
    ending::measured(job, &target, console)
}

/// The model as two variants, fed with made-up inputs: data beside it would only be scored.
fn doubled(family: Family) -> Result<Family> {
    let [original] = &family.variants[..] else {
        return Err(CliError::usage(
            format!("folder `{}` holds several models", family.name),
            "name one model file with `--null-test`",
        ));
    };
    Ok(Family {
        variants: ["original", "copy"]
            .map(|name| Variant {
                name: name.into(),
                path: original.path.clone(),
            })
            .into(),
        data: None,
        named: Vec::new(),
        notes: Vec::new(),
        ..family
    })
}

/// Where the run goes, and the temporary folder that it lies in if it is not to be kept.
fn destination(out: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    if let Some(out) = out {
        return Ok((out.to_owned(), None));
    }
    let temporary = tempfile::Builder::new()
        .prefix("onnxprof-null-test-")
        .tempdir()
        .map_err(|error| {
            CliError::bad_input(error.to_string(), "name a folder for the run with `--out`")
                .causing("failed to create a temporary folder")
        })?;
    Ok((temporary.path().join("run"), Some(temporary)))
}

/// Options of `profile` that would measure like this.
fn asked(args: &NullArgs) -> Result<MeasureArgs> {
    let mut asked = MeasureArgs::defaults()?;
    asked.load.batch = Some(vec![args.batch]);
    asked.session.name_runtimes(args.runtime.as_deref());
    asked.session.intra_threads = args.intra_threads;
    asked.session.custom_ops.clone_from(&args.custom_ops);
    let schedule = &mut asked.schedule;
    schedule.budget = args
        .budget
        .or(args.rounds.is_none().then_some(DEFAULT_BUDGET));
    schedule.rounds = args.rounds;
    schedule.seed = args.seed;
    Ok(asked)
}

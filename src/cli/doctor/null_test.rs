//! `onnxprof doctor --null-test`: a model against a copy of itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use serde::Serialize;
use tempfile::TempDir;

use super::super::ending::{self, Target};
use super::super::output::{Failures, Reports};
use super::super::plan::{self, Family, MeasureArgs, Runtimes, values};
use super::super::profile;
use super::super::progress::Console;
use super::super::{CliError, exit, output};
use super::{Args, Examined};
use crate::analysis::{self, SmallestClaim};
use crate::plan::Variant;
use crate::record::RunRecord;
use crate::report::{self, Color};
use crate::runner::{self, Extent, Job, Ran, WorkerCommand};
use crate::sample::{Roots, host};
use crate::store::RunFolder;
use crate::units::Ratio;

/// How the model is measured against itself.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Null test")]
pub struct NullArgs {
    /// Wall time of the null test. [default: 20s, or as long as `--rounds` take]
    #[arg(long, value_name = "TIME", value_parser = values::duration, requires = "null_test")]
    budget: Option<Duration>,
    /// Rounds: in each, original and copy are launched once in a fresh process. [default: as the budget allows]
    #[arg(long, value_name = "N", value_parser = values::repetitions, requires = "null_test")]
    rounds: Option<u64>,
    /// Batch size.
    #[arg(long, value_name = "N", value_parser = values::batch, default_value_t = 1)]
    batch: u64,
    /// Threads that run one operator. [default: the CPUs that this process may use]
    #[arg(long, value_name = "N", value_parser = values::threads, requires = "null_test")]
    intra_threads: Option<u64>,
    /// ONNX Runtime library: a path, or a version such as `cpu@1.31.1`, which is installed if it is not there.
    #[arg(long, value_name = "PATH|cpu@VERSION", requires = "null_test")]
    runtime: Option<String>,
    /// A library of custom operators that is registered with every session; may be given several times.
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
const DEFAULT_BUDGET: &str = "20s";
/// Half-width at which measuring would end early: narrower than anything but a script of constant latencies, since the
/// budget is there to find out how narrow it gets.
const TARGET: Ratio = Ratio(1e-6);

/// The words of `profile`, for its defaults.
#[derive(Debug, Parser)]
struct Words {
    #[command(flatten)]
    measure: MeasureArgs,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Tested {
    model: PathBuf,
    #[serde(flatten)]
    examined: Examined,
    claims: Vec<SmallestClaim>,
}

/// Runs the null test.
///
/// # Errors
/// Those of `profile`.
pub(super) fn run(model: &Path, args: &Args) -> Result<ExitCode, CliError> {
    let Ran { folder, record, unwritten } = measure(model, args)?;
    if let Some(error) = ending::nothing_measured(&record) {
        return Err(error);
    }
    let mut failures = Failures::default();
    if args.null.out.is_some() {
        failures.note(unwritten.map_or(Ok(()), |error| Err(ending::store_error(&error, folder.path()))));
        Reports::render(&record, &folder, Color::Never.into(), None).write(&mut failures);
    }
    let code = ExitCode::from(ending::exit_code(&record));
    let findings = analysis::findings(&record);
    let claims = analysis::null_test(&record, &findings).ok_or_else(|| {
        CliError::message(exit::PARTIAL, "the run ended before original and copy were measured side by side")
            .with_hint("give it more time with `--budget`".to_owned())
    })?;
    let RunRecord { host, conditions, fitness, .. } = record;
    let examined = conditions.zip(fitness).map(|(conditions, fitness)| Examined { host, conditions, fitness });
    let Some(examined) = examined else {
        return Err(CliError::message(exit::BUG, "the run ended without a verdict on the machine"));
    };
    let tested = Tested { model: model.to_owned(), examined, claims };
    super::print(args, &tested, |style| report::null_test(tested.examined.as_view(), &tested.claims, style))?;
    failures.into_result()?;
    Ok(code)
}

/// Measures the model as two variants.
fn measure(model: &Path, args: &Args) -> Result<Ran, CliError> {
    let started = Instant::now();
    let host = host::fingerprint(&Roots::system());
    let mut console = Console::new(args.quiet);
    let words = words(&args.null)?;
    let family = doubled(plan::family(&[model.to_owned()], None, &words.inputs)?)?;
    let Runtimes { found: runtimes, installing } = plan::runtimes(&words.session.runtime, &mut console)?;
    if runtimes.len() > 1 {
        return Err(CliError::message(exit::USAGE, "a model is tested against itself on one runtime")
            .with_hint("name one with `--runtime`".to_owned()));
    }
    let mut plan = plan::profile::plan(&words, &family, &runtimes, &host)?;
    plan.schedule.target_half_width_ratio = TARGET;
    console.introduce(&plan, &host);
    // Removed at the end of this function, with the run in it.
    let (path, _temporary) = destination(args.null.out.as_deref())?;
    let target = Target { existed: path.exists(), path };
    let folder = RunFolder::create(&target.path).map_err(|error| output::store_error(&error))?;
    let job = Job {
        notes: plan::notes_on(&plan, &host),
        info: profile::info(&family.name, jiff::Timestamp::now()),
        worker: WorkerCommand { program: profile::worker_program()?, timeout: words.schedule.timeout },
        started: started + installing,
        plan,
        folder,
        host,
        runtimes,
        extent: Extent::Rounds,
        guide: None,
        resumed: None,
        lost_workers: Vec::new(),
    };
    let result = runner::run(job, &mut console);
    console.clear();
    result.map_err(|error| ending::run_error(&error, &target))
}

/// The model as two variants, fed with made-up inputs: data beside it would only be scored.
fn doubled(family: Family) -> Result<Family, CliError> {
    let [original] = family.variants.as_slice() else {
        return Err(CliError::message(exit::USAGE, format!("folder `{}` holds several models", family.name))
            .with_hint("name one model file with `--null-test`".to_owned()));
    };
    let variant = |name: &str| Variant { name: name.into(), path: original.path.clone() };
    Ok(Family { variants: vec![variant("original"), variant("copy")], data: None, ..family })
}

/// Where the run goes, and the temporary folder that it lies in if it is not to be kept.
fn destination(out: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), CliError> {
    if let Some(out) = out {
        return Ok((out.to_owned(), None));
    }
    let temporary = tempfile::Builder::new().prefix("onnxprof-null-test-").tempdir();
    let temporary = temporary.map_err(|error| {
        let chain = vec!["failed to create a temporary folder".to_owned(), error.to_string()];
        let hint = Some("name a folder for the run with `--out`".to_owned());
        CliError { code: exit::BAD_INPUT, chain, hint }
    })?;
    Ok((temporary.path().join("run"), Some(temporary)))
}

/// The words of `profile` that measure like this.
fn words(args: &NullArgs) -> Result<MeasureArgs, CliError> {
    let mut words: Vec<OsString> = vec!["profile".into()];
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| OsString::from(format!("--{name}={value}"))));
    };
    let budget = args.budget.map(|budget| format!("{}ns", budget.as_nanos()));
    option("budget", budget.or_else(|| args.rounds.is_none().then(|| DEFAULT_BUDGET.into())));
    option("rounds", args.rounds.map(|rounds| rounds.to_string()));
    option("batch", Some(args.batch.to_string()));
    option("intra-threads", args.intra_threads.map(|threads| threads.to_string()));
    option("runtime", args.runtime.clone());
    option("seed", Some(args.seed.to_string()));
    let mut measure = Words::try_parse_from(words).map_err(|error| CliError::new(exit::BUG, &error))?.measure;
    measure.session.custom_ops.clone_from(&args.custom_ops);
    Ok(measure)
}

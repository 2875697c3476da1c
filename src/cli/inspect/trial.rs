//! What `inspect --probe` runs: the inputs of a model, and nothing that is measured.

use std::ffi::OsString;
use std::time::Instant;

use clap::Parser;

use super::super::ending::{self, Target};
use super::super::plan::{self, Family, MeasureArgs};
use super::super::profile;
use super::super::progress::Console;
use super::super::{CliError, exit, forecast, output};
use super::Args;
use crate::runner::{self, Extent, Job, TriedInputs, WorkerCommand};
use crate::sample::{Roots, host};
use crate::store::RunFolder;

/// The words of `profile`, for its defaults.
#[derive(Debug, Parser)]
struct Words {
    #[command(flatten)]
    measure: MeasureArgs,
}

/// Tries the inputs of a family's baseline out.
///
/// # Errors
/// Those of `profile` before it measures.
pub(super) fn run(args: &Args, family: &Family) -> Result<TriedInputs, CliError> {
    let host = host::fingerprint(&Roots::system());
    let mut console = Console::new(true);
    let words = words(args)?;
    let runtimes = plan::runtimes(&words.session.runtime, &mut console)?.found;
    let plan = plan::profile::plan(&words, family, &runtimes, &host)?;
    let temporary = forecast::folder()?;
    let target = Target { path: temporary.path().join("probe"), existed: false };
    let folder = RunFolder::create(&target.path).map_err(|error| output::store_error(&error))?;
    let job = Job {
        notes: Vec::new(),
        info: profile::info(&family.name, jiff::Timestamp::now()),
        worker: WorkerCommand { program: profile::worker_program()?, timeout: words.schedule.timeout },
        started: Instant::now(),
        plan,
        folder,
        host,
        runtimes,
        extent: Extent::Rounds,
        guide: None,
        resumed: None,
        lost_workers: Vec::new(),
    };
    runner::try_inputs(job, &mut console).map_err(|error| ending::run_error(&error, &target))
}

/// The words of `profile` that feed the same.
fn words(args: &Args) -> Result<MeasureArgs, CliError> {
    let mut words: Vec<OsString> = vec!["profile".into()];
    words.extend(args.runtime.as_ref().map(|runtime| format!("--runtime={runtime}").into()));
    let mut measure = Words::try_parse_from(words).map_err(|error| CliError::new(exit::BUG, &error))?.measure;
    measure.session.custom_ops.clone_from(&args.custom_ops);
    measure.inputs.clone_from(&args.inputs);
    Ok(measure)
}

//! What `inspect --probe` runs: the inputs of a model, and nothing that is measured.

use std::path::PathBuf;

use crate::cli::job::{Asked, Beginning, temporary_folder};
use crate::cli::plan::{self, Family, InputArgs, MeasureArgs};
use crate::cli::progress::Console;
use crate::cli::{CliError, ending};
use crate::runner::{self, Extent, Job, TriedInputs};

/// What the model is run with.
#[derive(Debug, clap::Args)]
pub(super) struct TrialArgs {
    /// ONNX Runtime library for --probe: a path, or a version such as `cpu@1.31.1`, which is installed if it is not there
    #[arg(long, value_name = "PATH|BUILD@VERSION", requires = "probe")]
    runtime: Option<String>,
    /// A library of custom operators for --probe; may be given several times
    #[arg(long, value_name = "LIB", requires = "probe")]
    custom_ops: Vec<PathBuf>,
}

/// Tries the inputs of a family's baseline out.
pub(super) fn run(args: &TrialArgs, inputs: &InputArgs, family: &Family) -> Result<TriedInputs, CliError> {
    let beginning = Beginning::now();
    let mut console = Console::silent();
    let mut asked = MeasureArgs { inputs: inputs.clone(), ..MeasureArgs::defaults()? };
    asked.session.name_runtimes(args.runtime.as_deref());
    asked.session.custom_ops.clone_from(&args.custom_ops);
    let runtimes = plan::runtimes(&asked.session.runtime, &mut console)?;
    let plan = plan::profile::plan(&asked, family, &runtimes.found, &beginning.host)?;
    let temporary = temporary_folder()?;
    let asked = Asked { name: family.name.clone(), plan, runtimes, notes: Vec::new() };
    let (job, target) = beginning.job_at(temporary.path().join("probe"), asked)?;
    runner::try_inputs(Job { extent: Extent::Rounds, ..job }, &mut console)
        .map_err(|error| ending::run_error(&error, &target))
}

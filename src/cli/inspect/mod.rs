//! `onnxprof inspect`.

mod inspection;
mod words;

use std::path::{Path, PathBuf};

use self::inspection::{Inspection, ShapeInputs};
use super::job::{Asked, Beginning, temporary_folder};
use super::json::{self, Answer, JsonArgs};
use super::plan::{self, Family, InputArgs, MeasureArgs};
use super::progress::Console;
use super::{CliError, Result, ending, exit, say};
use crate::hash;
use crate::inputs::{self, InputError, InputPlan, Search};
use crate::onnx::{self, Model, ShapeFacts};
use crate::plan::InputRequest;
use crate::runner::{self, Extent, TriedInputs};

/// Seed of the plan, which shows ranges and no values.
const SEED: u64 = 0;

/// Reads a model file, and says what would be fed to it; of a folder, what `profile` would feed to
/// the models in it.
///
/// Nothing is run unless `--probe` asks for it: sizes that nothing has shown to run are marked as
/// not tried. What an earlier run found out is taken from the cache.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The .onnx or .ort file, or a folder whose models are variants of one
    #[arg(value_name = "MODEL|FOLDER")]
    model: PathBuf,
    #[command(flatten)]
    json: JsonArgs,
    /// Run the model to find inputs that it takes, and the axis along which samples are computed
    /// each for itself
    #[arg(long)]
    probe: bool,
    #[command(flatten)]
    trial: TrialArgs,
    #[command(flatten)]
    inputs: InputArgs,
}

/// Libraries that the model is run with.
#[derive(Debug, clap::Args)]
struct TrialArgs {
    /// ONNX Runtime library for --probe: a path, or a version such as `cpu@1.31.1`, which is
    /// installed if it is not there
    #[arg(long, value_name = "PATH|BUILD@VERSION", requires = "probe")]
    runtime: Option<String>,
    /// A library of custom operators for --probe; may be given several times
    #[arg(long, value_name = "LIB", requires = "probe")]
    custom_ops: Vec<PathBuf>,
}

pub fn run(args: Args) -> Result<u8> {
    let inspection = inspect(&args)?;
    if args.json.json {
        let answer = words::answer(&inspection).map(Answer::undecided);
        json::print("inspect", answer.as_ref(), &inspection)?;
    } else {
        say::result(words::render(&inspection).as_bytes())?;
    }
    Ok(exit::DONE)
}

fn inspect(args: &Args) -> Result<Inspection> {
    if !args.model.is_dir() {
        // What is wrong with a file is said before what is wrong with it as part of a run.
        onnx::read(&args.model)?;
    }
    let family = plan::family(std::slice::from_ref(&args.model), None, &args.inputs)?;
    let path = family.variants[family.baseline].path.clone();
    let model = onnx::read(&path)?;
    let request = args.inputs.request(&family.data, SEED);
    let planned = planned(&model, &request)?;
    let mut summary = onnx::summary(&model);
    if let Ok(plan) = &planned {
        summary.batch_axis = plan.batch_axis.clone();
    }
    let tried = match &planned {
        Ok(_) if args.probe => Some(tried(&args.trial, &args.inputs, &family)?),
        Ok(_) => runner::known_inputs(
            &path,
            &summary,
            &hash::of_file(&path).map_err(CliError::of)?,
            &request,
        ),
        Err(_) => None,
    };
    let untried = Inspection {
        path,
        variants: names(&args.model, &family),
        notes: family.notes,
        model: summary,
        not_fed_reason: planned.as_ref().err().cloned(),
        inputs: planned.ok(),
        shapes: Vec::new(),
        probe: None,
        outputs_vary: ShapeFacts::of(&onnx::inlined(&model)).varying,
    };
    Ok(match tried {
        Some(tried) => untried.with(tried),
        None => untried.at(guessed(&model, &request)),
    })
}

/// Inputs that would be fed, or else why the model cannot be fed.
fn planned(model: &Model, request: &InputRequest) -> Result<Result<InputPlan, String>> {
    match inputs::plan(model, request) {
        Err(error) if is_about_model(&error) => Ok(Err(error.to_string())),
        plan => Ok(Ok(plan?)),
    }
}

/// Tries the inputs of a family's baseline out.
fn tried(args: &TrialArgs, inputs: &InputArgs, family: &Family) -> Result<TriedInputs> {
    let beginning = Beginning::now();
    let mut console = Console::silent();
    let mut asked = MeasureArgs {
        inputs: inputs.clone(),
        ..MeasureArgs::defaults()?
    };
    asked.session.name_runtimes(args.runtime.as_deref());
    asked.session.custom_ops.clone_from(&args.custom_ops);
    let runtimes = plan::runtimes(&asked.session.runtime, &mut console)?;
    let plan = plan::profile::plan(&asked, family, &runtimes.found, &beginning.host)?;
    let temporary = temporary_folder()?;
    let (name, notes) = (family.name.clone(), Vec::new());
    let asked = Asked {
        name,
        plan,
        runtimes,
        notes,
    };
    let (mut job, target) = beginning.job_at(temporary.path().join("probe"), asked)?;
    job.extent = Extent::Rounds;
    runner::try_inputs(job, &mut console).map_err(|error| ending::run_error(error, &target))
}

/// Inputs that would be fed at the shapes that a model of its kind is asked about, if there are any
/// and nothing was run.
fn guessed(model: &Model, request: &InputRequest) -> Vec<ShapeInputs> {
    inputs::usual_shapes(model, request)
        .into_iter()
        .filter(|shape| !shape.dims.is_empty())
        .filter_map(|shape| {
            let inputs = Search::new(model, request, &shape).ok()?.next()?;
            Some(ShapeInputs { shape, inputs })
        })
        .collect()
}

/// Names of the variants of a folder, the baseline first.
fn names(word: &Path, family: &Family) -> Vec<String> {
    family
        .variants
        .iter()
        .filter(|_| word.is_dir())
        .map(|variant| variant.name.exact().to_owned())
        .collect()
}

/// Whether the model is at fault and not what was asked for: then the rest is worth showing.
fn is_about_model(error: &InputError) -> bool {
    matches!(
        error,
        InputError::UnsupportedType { .. }
            | InputError::UnsupportedElements { .. }
            | InputError::UnknownRank { .. }
    )
}

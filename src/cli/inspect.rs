//! `onnxprof inspect`.

mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::input_args::{InputArgs, input_error, model_error};
use super::{CliError, output};
use crate::inputs::{self, InputError, InputPlan};
use crate::onnx;
use crate::record::ModelSummary;

/// Seed of the plan, which shows ranges and no values.
const SEED: u64 = 0;

/// Reads a model file without running it, and says what would be fed to it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The .onnx or .ort file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    inputs: InputArgs,
}

/// What `inspect --json` prints.
#[derive(Debug, Serialize)]
struct Inspection {
    /// The model file.
    path: PathBuf,
    /// What the file says.
    model: ModelSummary,
    /// What would be fed; absent where the model has an input that cannot be fed.
    inputs: Option<InputPlan>,
    /// Why nothing can be fed.
    not_fed_reason: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// The model cannot be read, the options do not fit it, or stdout cannot be written.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let inspection = inspect(args.model, &args.inputs)?;
    let text = if args.json { output::json(&inspection)? } else { words::render(&inspection) };
    output::write(None, text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn inspect(path: PathBuf, args: &InputArgs) -> Result<Inspection, CliError> {
    let model = onnx::read(&path).map_err(|error| model_error(&error))?;
    let (inputs, not_fed_reason) = match inputs::plan(&model, &args.request(SEED)) {
        Ok(plan) => (Some(plan), None),
        Err(error) if is_about_model(&error) => (None, Some(error.to_string())),
        Err(error) => return Err(input_error(&error)),
    };
    let mut model = onnx::summary(&model);
    if let Some(plan) = &inputs {
        model.batch_axis = plan.batch_axis.clone();
    }
    Ok(Inspection { path, model, inputs, not_fed_reason })
}

/// Whether the model is at fault and not what was asked for: then the rest is worth showing.
fn is_about_model(error: &InputError) -> bool {
    matches!(
        error,
        InputError::UnsupportedType { .. } | InputError::UnsupportedElements { .. } | InputError::UnknownRank { .. }
    )
}

//! Findings of `inspect`.

use std::path::PathBuf;

use serde::Serialize;

use crate::inputs::InputPlan;
use crate::plan::Shape;
use crate::record::{ModelSummary, ProbeRecord};
use crate::runner::TriedInputs;

/// The `data` that `inspect --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    /// The model file; of several, the baseline.
    pub path: PathBuf,
    /// Names of the variants in the folder, the baseline first; empty for a model file.
    pub variants: Vec<String>,
    /// Decisions on the files that were found, and omissions, in sentences: `profile` says the
    /// same.
    pub notes: Vec<String>,
    pub model: ModelSummary,
    /// Inputs that would be fed; absent where the model has an input that cannot be fed.
    pub inputs: Option<InputPlan>,
    /// Inputs that would be fed at further shapes that a model of its kind is asked about.
    pub shapes: Vec<ShapeInputs>,
    /// Findings from running the model, now or in an earlier run; absent where nothing was run.
    pub probe: Option<ProbeRecord>,
    /// Why nothing can be fed.
    pub not_fed_reason: Option<String>,
    /// Why sizes of outputs may differ from inference to inference; absent where they cannot.
    pub outputs_vary: Option<String>,
}

/// Inputs that would be fed at one shape.
#[derive(Debug, Serialize)]
pub(super) struct ShapeInputs {
    pub shape: Shape,
    pub inputs: InputPlan,
}

impl Inspection {
    /// Findings from running the model, in the place of the plan.
    pub fn with(self, tried: TriedInputs) -> Self {
        let found: Vec<ShapeInputs> = tried
            .shapes
            .into_iter()
            .zip(tried.plans)
            .filter_map(|(shape, plan)| {
                Some(ShapeInputs {
                    shape,
                    inputs: plan.ok()?,
                })
            })
            .collect();
        if found.is_empty() {
            return self;
        }
        Inspection {
            probe: Some(tried.probe),
            ..self.at(found)
        }
    }

    /// With the inputs that would be fed at these shapes, the first of which stands for all; as it
    /// was, if there are none.
    pub fn at(mut self, found: Vec<ShapeInputs>) -> Self {
        if let Some(ShapeInputs { inputs, .. }) = found.first() {
            self.model.batch_axis = inputs.batch_axis.clone();
            self.inputs = Some(inputs.clone());
        }
        if found.len() > 1 {
            self.shapes = found;
        }
        self
    }
}

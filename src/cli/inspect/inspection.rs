//! What `inspect` finds out.

use std::path::PathBuf;

use serde::Serialize;

use crate::inputs::InputPlan;
use crate::plan::Shape;
use crate::record::{ModelSummary, ProbeRecord};
use crate::runner::TriedInputs;

/// What `inspect --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Inspection {
    /// The model file; of several, the baseline.
    pub path: PathBuf,
    /// Names of the variants in the folder, the baseline first; empty for a model file.
    pub variants: Vec<String>,
    /// What was decided of the files that were found and what was left out, in sentences: `profile`
    /// says the same.
    pub notes: Vec<String>,
    pub model: ModelSummary,
    /// What would be fed; absent where the model has an input that cannot be fed.
    pub inputs: Option<InputPlan>,
    /// What would be fed at further shapes that a model of its kind is asked about.
    pub shapes: Vec<ShapeInputs>,
    /// What running the model showed, now or in an earlier run; absent where nothing was run.
    pub probe: Option<ProbeRecord>,
    /// Why nothing can be fed.
    pub not_fed_reason: Option<String>,
    /// Why sizes of outputs may differ from inference to inference; absent where they cannot.
    pub outputs_vary: Option<String>,
}

/// What would be fed at one shape.
#[derive(Debug, Serialize)]
pub(super) struct ShapeInputs {
    pub shape: Shape,
    pub inputs: InputPlan,
}

impl Inspection {
    /// What running the model showed, in the place of what was planned.
    pub fn with(self, tried: TriedInputs) -> Self {
        let TriedInputs {
            shapes,
            plans,
            probe,
            ..
        } = tried;
        let found = shapes.into_iter().zip(plans);
        let found = found.filter_map(|(shape, plan)| {
            Some(ShapeInputs {
                shape,
                inputs: plan.ok()?,
            })
        });
        let found: Vec<ShapeInputs> = found.collect();
        if found.is_empty() {
            self
        } else {
            Inspection {
                probe: Some(probe),
                ..self.at(found)
            }
        }
    }

    /// What would be fed at these shapes, the first of which stands for all; as it was, if there
    /// are none.
    pub fn at(self, found: Vec<ShapeInputs>) -> Self {
        let Some(first) = found.first() else {
            return self;
        };
        let model = ModelSummary {
            batch_axis: first.inputs.batch_axis.clone(),
            ..self.model
        };
        let inputs = Some(first.inputs.clone());
        let shapes = if found.len() > 1 { found } else { Vec::new() };
        Inspection {
            model,
            inputs,
            shapes,
            ..self
        }
    }
}

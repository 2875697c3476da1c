//! Findings of `inspect`, in words for people.

mod facts;
mod fed;
mod table;

use std::fmt::Write;

use facts::{facts, operators};
use fed::inputs;
use table::push_table;

use super::inspection::{Inspection, ShapeInputs};
use crate::inputs::InputPlan;
use crate::record::{ModelSummary, ProbeRecord};
use crate::report::view::text::plain;
use crate::report::view::{Trial, prediction};
use crate::text::joined;

pub(super) fn render(inspection: &Inspection) -> String {
    let mut text = format!("{}\n", plain(&inspection.path.display().to_string()));
    push_table(&mut text, facts(&inspection.model));
    push_variants(&mut text, inspection);
    push_inputs(&mut text, inspection);
    push_predictions(&mut text, inspection);
    push_outputs(&mut text, inspection);
    push_operators(&mut text, &inspection.model);
    text
}

fn push_variants(text: &mut String, inspection: &Inspection) {
    if let [baseline, others @ ..] = &inspection.variants[..] {
        let others = match others {
            [] => "alone".to_owned(),
            others => format!("beside {}", joined(others.iter().map(plain))),
        };
        let _ = writeln!(text, "\nBaseline: {}, {others}", plain(baseline));
    } else if !inspection.notes.is_empty() {
        text.push('\n');
    }
    for note in &inspection.notes {
        let _ = writeln!(text, "note: {}", plain(note));
    }
}

fn push_inputs(text: &mut String, inspection: &Inspection) {
    let Inspection {
        model,
        inputs: plan,
        not_fed_reason,
        ..
    } = inspection;
    text.push_str("\nInputs\n");
    push_table(text, inputs(&model.inputs, plan.as_ref()));
    if let Some(reason) = not_fed_reason {
        let _ = writeln!(text, "  cannot be run: {}", plain(reason));
    }
    for note in plan.iter().flat_map(|plan| &plan.notes) {
        let _ = writeln!(text, "  note: {}", plain(note));
    }
}

fn push_outputs(text: &mut String, inspection: &Inspection) {
    text.push_str("\nOutputs\n");
    push_table(text, inputs(&inspection.model.outputs, None));
    if let Some(reason) = &inspection.outputs_vary {
        let _ = writeln!(
            text,
            "Sizes of outputs can change: {}; `profile` binds outputs anew before each inference.",
            plain(reason)
        );
    }
}

fn push_operators(text: &mut String, model: &ModelSummary) {
    let nodes: u64 = model.operators.values().sum();
    let plural = if nodes == 1 { "" } else { "s" };
    let _ = writeln!(text, "\nOperators ({nodes} node{plural})");
    push_table(text, operators(model));
}

/// What one prediction is, in a sentence; of a model that cannot be fed, why not.
pub(super) fn answer(inspection: &Inspection) -> Option<String> {
    let sentences = predictions(inspection);
    if sentences.is_empty() {
        return inspection.not_fed_reason.clone();
    }
    Some(sentences.join(" "))
}

/// One prediction, at every shape that has a name.
fn predictions(inspection: &Inspection) -> Vec<String> {
    let trial = if inspection.probe.is_some() {
        Trial::Ran
    } else {
        Trial::NotTried
    };
    if inspection.shapes.is_empty() {
        let plan = inspection.inputs.iter();
        return plan.map(|plan| one_prediction(plan, trial)).collect();
    }
    inspection
        .shapes
        .iter()
        .map(|ShapeInputs { shape, inputs }| {
            let one = one_prediction(inputs, trial);
            format!("With {}: {one}", plain(&shape.to_string()))
        })
        .collect()
}

fn one_prediction(plan: &InputPlan, trial: Trial) -> String {
    prediction(&plan.fed, &plan.batch_axis, trial)
}

/// What one prediction is, and what running the model showed.
fn push_predictions(text: &mut String, inspection: &Inspection) {
    text.push('\n');
    let sentences = predictions(inspection);
    for sentence in &sentences {
        let _ = writeln!(text, "{sentence}");
    }
    if sentences.is_empty() {
        return;
    }
    match &inspection.probe {
        Some(probe) => push_probe(text, probe),
        None => text.push_str("`onnxprof inspect --probe` runs the model to find out.\n"),
    }
}

fn push_probe(text: &mut String, probe: &ProbeRecord) {
    if probe.is_kept {
        text.push_str("Found by running the model, in an earlier probe.\n");
    }
    if !probe.random_outputs.is_empty() {
        let names = joined(probe.random_outputs.iter().map(plain));
        let _ = writeln!(
            text,
            "Random outputs: {names} (two runs on one input differ by more than rounding, which is 0.1% of the largest value \
             in float); nothing is compared by them."
        );
    }
    for remark in &probe.remarks {
        let _ = writeln!(text, "note: {}", plain(remark));
    }
}

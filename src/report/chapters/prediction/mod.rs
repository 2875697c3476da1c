//! One prediction: inputs with their shapes, where sizes come from, values that steer the work, and
//! the batch.

mod batch;
mod brief;
mod fill;
#[cfg(test)]
mod tests;

use batch::batch;
use brief::{brief, name};
use fill::{MOST_INPUTS, value};

use crate::plan::{SessionSpec, Shape};
use crate::record::{BatchAxis, FedInput, FillKind, RunRecord, SizeSource, VariantRecord};
use crate::report::words::{self, plain};

/// Inputs whose values steer the work, of which it is said why they are fed those; of the others
/// what they are fed.
const MOST_STEERING: usize = 6;
/// Shapes whose predictions are told; of more the first and the last.
const MOST_SHAPES: usize = 3;
const MOST_SOURCES: usize = 2;

/// Whether what is fed has been seen to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It ran.
    Ran,
    /// Nothing was run.
    NotTried,
}

/// A line for each of a few shapes, or else one; empty where nothing was tried, as in records
/// before version 1.4.
pub(super) fn lines(record: &RunRecord) -> Vec<String> {
    let Some(variant) = described(record) else {
        return Vec::new();
    };
    let shapes: Vec<(&Shape, &Vec<FedInput>)> = record
        .plan
        .shapes
        .iter()
        .zip(&variant.shape_inputs)
        .filter(|(_, fed)| !fed.is_empty())
        .collect();
    let mut lines = by_shape(&shapes);
    if lines.is_empty() {
        lines.push(format!("One prediction: {}.", inputs(&variant.inputs)));
    }
    if let (Some(last), Some(model)) = (lines.last_mut(), &variant.model) {
        last.push_str(&format!(" Batch: {}.", batch(&model.batch_axis)));
    }
    lines
}

/// The variant whose inputs are told: the baseline, or the first that could be read. `None` where
/// nothing was tried.
fn described(record: &RunRecord) -> Option<&VariantRecord> {
    record
        .variants
        .get(record.plan.baseline)
        .into_iter()
        .chain(&record.variants)
        .filter(|_| is_tried(record))
        .find(|variant| variant.outcome.is_ok())
}

fn is_tried(record: &RunRecord) -> bool {
    let is_script = record.plan.sessions.iter().any(SessionSpec::is_scripted);
    !is_script
        && record
            .variants
            .iter()
            .any(|variant| variant.probe.is_some())
}

fn by_shape(shapes: &[(&Shape, &Vec<FedInput>)]) -> Vec<String> {
    match shapes {
        [(first, least), .., (last, most)] if shapes.len() > MOST_SHAPES => {
            let (first, last, count) = (label(first), label(last), shapes.len());
            vec![
                at(&format!("{first}, the first of {count} shapes"), least),
                at(&format!("{last}, the last"), most),
            ]
        }
        few => few.iter().map(|(one, fed)| at(&label(one), fed)).collect(),
    }
}

fn label(shape: &Shape) -> String {
    match &shape.name {
        Some(name) => plain(name),
        None => plain(&shape.to_string()),
    }
}

fn at(label: &str, fed: &[FedInput]) -> String {
    format!("One prediction ({label}): {}.", inputs(fed))
}

/// One prediction: inputs with their shapes at batch 1, where sizes come from, values that steer
/// the work, and the batch.
#[must_use]
pub fn prediction(fed: &[FedInput], axis: &BatchAxis, trial: Trial) -> String {
    let tried = match trial {
        Trial::Ran => "",
        Trial::NotTried => " (not tried)",
    };
    format!(
        "One prediction{tried}: {}. Batch: {}.",
        inputs(fed),
        batch(axis)
    )
}

fn inputs(fed: &[FedInput]) -> String {
    let (steering, others): (Vec<_>, Vec<_>) = fed.iter().partition(|fed| fed.steers);
    let more = others.len().saturating_sub(MOST_INPUTS);
    let (first, rest) = steering.split_at(steering.len().min(MOST_STEERING));
    let mut parts: Vec<String> = others.into_iter().take(MOST_INPUTS).map(shaped).collect();
    parts.extend((more > 0).then(|| format!("and {more} more")));
    parts.extend(first.iter().copied().map(steered));
    parts.extend(briefly(rest));
    match parts.as_slice() {
        [] => "no inputs".to_owned(),
        parts => parts.join(", "),
    }
}

/// `m6 and m7 = 1`: inputs that are fed the same, with neither sizes nor reasons.
fn briefly(steering: &[&FedInput]) -> Vec<String> {
    words::grouped(steering.iter().map(|fed| (is_fed(fed), name(&fed.name))))
        .iter()
        .map(|(is_fed, names)| format!("{} {is_fed}", words::listed(names)))
        .collect()
}

/// `image [1, 3, 224, 224] (made up)`.
fn shaped(fed: &FedInput) -> String {
    let text = format!("{} {}", name(&fed.name), fed.shape_words(1));
    match sources(fed).as_slice() {
        [] => text,
        sources => format!("{text} ({})", sources.join("; ")),
    }
}

/// `length = 128 (as long as the signal)`. A number or a list of one shows no sizes.
fn steered(fed: &FedInput) -> String {
    let told = format!("{} {}", sized(fed), is_fed(fed));
    match brief(&fed.reason) {
        none if none.is_empty() => told,
        reason => format!("{told} ({reason})"),
    }
}

fn sized(fed: &FedInput) -> String {
    match fed.shape(1).as_slice() {
        [] | [1] => name(&fed.name),
        shape => format!("{} {shape:?}", name(&fed.name)),
    }
}

fn is_fed(fed: &FedInput) -> String {
    match &fed.fill {
        FillKind::Data => "as in the data".to_owned(),
        fill => format!("= {}", value(fill, fed.element_type)),
    }
}

/// Where sizes come from that the model leaves open, each source once.
fn sources(fed: &FedInput) -> Vec<String> {
    let mut sources = words::once(fed.sources.iter().filter_map(source));
    sources.truncate(MOST_SOURCES);
    sources
}

fn source(source: &SizeSource) -> Option<String> {
    Some(match source {
        SizeSource::Fixed | SizeSource::Batch => return None,
        SizeSource::Asked => "as asked for".to_owned(),
        SizeSource::Data => "as in the data".to_owned(),
        SizeSource::File { entry } => format!("size from {}", brief(entry)),
        SizeSource::Metadata { key } => format!("size from the file's metadata, {}", brief(key)),
        SizeSource::Demand { reason } => brief(reason),
        SizeSource::Derived { from } => format!("size follows: {}", brief(from)),
        SizeSource::Probe { reason } => format!("size found by trying: {}", brief(reason)),
        SizeSource::MadeUp => "made up".to_owned(),
    })
}

//! One prediction: inputs with their shapes, where sizes come from, values that steer the work, and
//! the batch.

use std::collections::BTreeMap;

use crate::plan::{ElementType, SessionSpec, Shape};
use crate::record::{
    AxisReason, BatchAxis, BatchProof, FedInput, FillKind, RunRecord, SizeSource, VariantRecord,
};
use crate::report::words::{self, plain, shortened};
use crate::text::Plain;

/// Inputs that are named with their shapes; the others are counted.
const MOST_INPUTS: usize = 4;
/// Inputs whose values steer the work, of which it is said why they are fed those; of the others
/// what they are fed.
const MOST_STEERING: usize = 6;
/// Shapes whose predictions are told; of more the first and the last.
const MOST_SHAPES: usize = 3;
/// Inputs that are named for the axis that samples lie along.
const MOST_AXES: usize = 3;
const MOST_SOURCES: usize = 2;
/// Characters that are kept of a source or reason; the record has all of it.
const REASON_LENGTH: usize = 160;
const NAME_LENGTH: usize = 60;

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

fn value(fill: &FillKind, element_type: ElementType) -> String {
    match fill {
        FillKind::Data => "as in the data".to_owned(),
        FillKind::Constant(value) => number(*value, element_type),
        FillKind::Uniform(range) => uniform(range.low, range.high, element_type),
        FillKind::Ascending => "0, 1, 2 ...".to_owned(),
        FillKind::AscendingFrom(first) => {
            let [second, third] = [1, 2].map(|step| first.saturating_add(step));
            format!("{first}, {second}, {third} ...")
        }
        FillKind::PerSample(1) => "the batch size".to_owned(),
        FillKind::PerSample(each) => format!("{each} times the batch size"),
        FillKind::Numbers(numbers) => one_of(numbers, element_type),
        FillKind::Text => "letters".to_owned(),
        FillKind::Words(words) => format!("one of {}", cut(words.iter().map(plain))),
        FillKind::Columns(columns) => {
            let columns = columns.iter().map(|fill| value(fill, element_type));
            format!("by column {}", cut(columns))
        }
    }
}

fn number(value: f64, element_type: ElementType) -> String {
    match element_type {
        ElementType::Bool if value == 0.0 => "false".to_owned(),
        ElementType::Bool => "true".to_owned(),
        _ => value.to_string(),
    }
}

fn uniform(low: f64, high: f64, element_type: ElementType) -> String {
    let least = number(low, element_type);
    if low == high {
        least
    } else {
        format!("{least} to {}", number(high, element_type))
    }
}

fn one_of(numbers: &[f64], element_type: ElementType) -> String {
    match numbers {
        [one] => number(*one, element_type),
        several => format!(
            "one of {}",
            cut(several.iter().map(|&value| number(value, element_type)))
        ),
    }
}

fn cut(values: impl ExactSizeIterator<Item = String>) -> String {
    let dots = if values.len() > MOST_INPUTS {
        " ..."
    } else {
        ""
    };
    words::joined(values.take(MOST_INPUTS), ", ") + dots
}

/// Where sizes come from that the model leaves open, each source once.
fn sources(fed: &FedInput) -> Vec<String> {
    let mut sources = words::once(fed.sources.iter().filter_map(source));
    sources.truncate(MOST_SOURCES);
    sources
}

fn name(name: &Plain) -> String {
    shortened(&name.to_string(), NAME_LENGTH)
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

fn brief(text: &Plain) -> String {
    shortened(&text.to_string(), REASON_LENGTH)
}

/// Where samples of a batch lie, and whether that is proved: `axis 0 of image, proved`.
fn batch(axis: &BatchAxis) -> String {
    if axis.reason == AxisReason::NoAxis || axis.axes.is_empty() {
        return no_axis(&axis.proof);
    }
    format!("{}, {}", places(axis), proof(&axis.proof))
}

fn proof(proof: &BatchProof) -> String {
    match proof {
        BatchProof::Proved => "proved".to_owned(),
        BatchProof::Given => "as asked for".to_owned(),
        BatchProof::Untried => "not tried".to_owned(),
        BatchProof::NotProved { reason } => format!("not proved: {}", brief(reason)),
    }
}

fn no_axis(proof: &BatchProof) -> String {
    match proof {
        BatchProof::NotProved { reason } => format!("none: {}", brief(reason)),
        BatchProof::Given => "none, as asked for".to_owned(),
        BatchProof::Untried | BatchProof::Proved => {
            "none: no input has an axis for samples".to_owned()
        }
    }
}

/// `axis 0 of x and lens, axis 1 of state`.
fn places(axis: &BatchAxis) -> String {
    words::joined(
        by_axis(axis)
            .into_iter()
            .map(|(axis, names)| format!("axis {axis} of {}", few(names))),
        ", ",
    )
}

fn by_axis(axis: &BatchAxis) -> BTreeMap<u64, Vec<String>> {
    let mut by_axis = BTreeMap::<_, Vec<_>>::new();
    for (input, &axis) in &axis.axes {
        by_axis.entry(axis).or_default().push(name(input));
    }
    by_axis
}

/// The first names, and how many more there are.
fn few(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(MOST_AXES);
    names.truncate(MOST_AXES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    words::listed(&names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ValueRange;

    fn fed(name: &str, dims: &[Option<u64>], sources: &[SizeSource]) -> FedInput {
        FedInput {
            sources: sources.to_vec(),
            ..FedInput::new(
                name,
                ElementType::Int64,
                dims.to_vec(),
                FillKind::Uniform(ValueRange {
                    low: 0.0,
                    high: 9.0,
                }),
            )
        }
    }

    fn axis(places: &[(&str, u64)], proof: BatchProof) -> BatchAxis {
        let axes = places
            .iter()
            .map(|&(input, axis)| (input.into(), axis))
            .collect();
        BatchAxis {
            axes,
            symbol: None,
            fixed_size: None,
            reason: AxisReason::SymbolName,
            proof,
        }
    }

    #[test]
    fn a_prediction_is_told_with_its_sources_and_what_steers_it() {
        let image = fed(
            "image",
            &[None, Some(3), Some(640)],
            &[
                SizeSource::Batch,
                SizeSource::Fixed,
                SizeSource::Metadata {
                    key: "imgsz".into(),
                },
            ],
        );
        let length = FedInput {
            steers: true,
            fill: FillKind::Constant(128.0),
            reason: "as long as the signal".into(),
            ..fed("length", &[None], &[])
        };
        let line = prediction(
            &[length, image],
            &axis(&[("image", 0), ("length", 0)], BatchProof::Proved),
            Trial::Ran,
        );
        assert_eq!(
            line,
            "One prediction: image [1, 3, 640] (size from the file's metadata, imgsz), \
            length = 128 (as long as the signal). Batch: axis 0 of image and length, proved."
        );
    }

    #[test]
    fn every_input_that_steers_is_named_with_what_it_is_fed() {
        let steering = |n: u64, fill: FillKind| FedInput {
            steers: true,
            fill,
            reason: if n < 6 {
                "why".into()
            } else {
                "why not".into()
            },
            ..fed(&format!("m{n}"), &[Some(n)], &[])
        };
        let mut all: Vec<FedInput> = (0..9)
            .map(|n| steering(n, FillKind::Constant((n / 8) as f64)))
            .collect();
        all.push(steering(9, FillKind::Data));
        let line = inputs(&all);
        assert!(
            line.starts_with("m0 [0] = 0 (why), m1 = 0 (why), m2 [2] = 0 (why), "),
            "{line}"
        );
        assert!(
            line.ends_with("m5 [5] = 0 (why), m6 and m7 = 0, m8 = 1, m9 as in the data"),
            "{line}"
        );
        assert!(!line.contains("more"), "{line}");
    }

    #[test]
    fn values_of_a_range_are_told_and_one_value_alone() {
        let asked = |low: f64, high: f64, element_type: ElementType| {
            steered(&FedInput {
                fill: FillKind::Uniform(ValueRange { low, high }),
                element_type,
                ..fed("x", &[None, Some(1)], &[])
            })
        };
        assert_eq!(asked(0.5, 1.0, ElementType::Float), "x [1, 1] = 0.5 to 1");
        assert_eq!(asked(0.0, 0.0, ElementType::Bool), "x [1, 1] = false");
        assert_eq!(
            asked(0.0, 1.0, ElementType::Bool),
            "x [1, 1] = false to true"
        );
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..24).map(|n| format!("s{n:02}")).collect();
        let states: Vec<FedInput> = names
            .iter()
            .map(|name| fed(name, &[Some(1)], &[SizeSource::MadeUp]))
            .collect();
        let all: Vec<(&str, u64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        let line = prediction(&states, &axis(&all, BatchProof::Untried), Trial::NotTried);
        assert_eq!(
            line,
            "One prediction (not tried): s00 [1] (made up), s01 [1] (made up), s02 [1] (made up), \
            s03 [1] (made up), and 20 more. Batch: axis 1 of s00, s01, s02 and 21 more, not tried."
        );
    }

    #[test]
    fn a_missing_batch_says_why() {
        let none = BatchAxis::none(BatchProof::NotProved {
            reason: "along `height` two samples together give `y` other values".into(),
        });
        assert_eq!(
            batch(&none),
            "none: along `height` two samples together give `y` other values"
        );
        let fixed = BatchAxis {
            fixed_size: Some(4),
            ..axis(
                &[("x", 0)],
                BatchProof::NotProved {
                    reason: "the model fixes its size at 4".into(),
                },
            )
        };
        assert_eq!(
            batch(&fixed),
            "axis 0 of x, not proved: the model fixes its size at 4"
        );
    }
}

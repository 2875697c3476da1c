//! Findings of `inspect`, in words for people.

use std::collections::BTreeSet;
use std::fmt::Write;

use comfy_table::Table;

use super::inspection::{Inspection, ShapeInputs};
use crate::inputs::InputPlan;
use crate::record::{
    AxisReason, BatchAxis, Dim, FedInput, FillKind, ModelSummary, OpsetImport, ProbeRecord,
    TensorInfo, ValueType, WeightBytes,
};
use crate::report::view::number::count;
use crate::report::view::text::plain;
use crate::report::view::{Trial, prediction, quantization};
use crate::text::{Plain, distinct, joined};
use crate::units::Bytes;

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

fn facts(model: &ModelSummary) -> Table {
    rows(
        [
            ("format", format_words(model)),
            ("producer", or_not_said(model.producer.as_ref())),
            ("graph", or_not_said(model.graph_name.as_ref())),
            ("file size", file_size(model)),
            ("weights", weights(model)),
            ("precision", precision(model)),
            (
                "quantized",
                model
                    .quantization
                    .as_ref()
                    .map_or_else(not_said, quantization),
            ),
            ("batch axis", batch_axis(&model.batch_axis)),
        ]
        .map(|(name, fact)| vec![name.to_owned(), fact]),
    )
}

fn not_said() -> String {
    "not said".to_owned()
}

fn or_not_said(word: Option<&Plain>) -> String {
    word.map_or_else(not_said, Plain::to_string)
}

fn format_words(model: &ModelSummary) -> String {
    let opsets = opset_words(&model.opsets);
    format!("ONNX IR {}, {opsets}", model.ir_version)
}

/// Each once: files import one domain under both of its names.
fn opset_words(opsets: &[OpsetImport]) -> String {
    joined(distinct(
        opsets
            .iter()
            .map(|opset| format!("{} {}", opset.domain, opset.version)),
    ))
}

fn file_size(model: &ModelSummary) -> String {
    let whole = bytes(model.file_size_bytes);
    if model.external_files.is_empty() {
        return whole;
    }
    let files = joined(
        model
            .external_files
            .iter()
            .map(|(path, size)| format!("{} in {}", bytes(*size), path.display())),
    );
    format!(
        "{whole}: {} in the model file, {files}",
        bytes(model.model_file_bytes)
    )
}

fn weights(model: &ModelSummary) -> String {
    let by_type = joined(model.weights.iter().map(weights_row));
    match model.weights.len() {
        0 if computes_with_attributes(model) => {
            "none as tensors: operators of ai.onnx.ml have theirs as attributes".to_owned()
        }
        0 => "none".to_owned(),
        1 => by_type,
        _ => format!("{}: {by_type}", all_weights(model)),
    }
}

fn computes_with_attributes(model: &ModelSummary) -> bool {
    model
        .operators
        .keys()
        .any(|operator| operator.exact().starts_with("ai.onnx.ml."))
}

fn weights_row(row: &WeightBytes) -> String {
    let (elements, size) = (count(row.elements_count), bytes(row.bytes));
    format!("{elements} {} in {size}", row.element_type)
}

fn all_weights(model: &ModelSummary) -> String {
    let rows = model.weights.iter();
    let elements = rows
        .clone()
        .fold(0_u64, |sum, row| sum.saturating_add(row.elements_count));
    let size: Bytes = rows.map(|row| row.bytes).sum();
    format!("{} in {}", count(elements), bytes(size))
}

fn precision(model: &ModelSummary) -> String {
    let precision = &model.precision;
    let by = if precision.is_of_weights() {
        ""
    } else {
        ", by its inputs and outputs"
    };
    let label = &precision.label;
    if precision.shares.is_empty() {
        return format!("{label}, by its inputs and outputs: it has no weights");
    }
    let shares = joined(
        precision
            .shares
            .iter()
            .map(|share| format!("{:.1}% {}", share.bytes_ratio.0 * 100.0, share.element_type)),
    );
    format!("{label}{by}: {shares} of weight bytes")
}

fn batch_axis(batch: &BatchAxis) -> String {
    let numbers: BTreeSet<u64> = batch.axes.values().copied().collect();
    let axes = numbers
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(" or ");
    let symbol = batch.symbol.clone().unwrap_or_default();
    match batch.reason {
        AxisReason::SymbolName => format!("{axes}, by the name of dimension `{symbol}`"),
        AxisReason::FirstSymbolicDimension => {
            format!("{axes}, because all inputs share the dimension `{symbol}`")
        }
        AxisReason::FirstUnknownDimension if numbers.len() > 1 => {
            let first = first_along_rows(batch);
            format!("{axes} by input: where the open dimension stands that `{first}` begins with")
        }
        AxisReason::FirstUnknownDimension => {
            format!("{axes}, because the size of the first dimension is open")
        }
        AxisReason::FirstFixedDimension => {
            let size = batch.fixed_size.unwrap_or_default();
            format!("{axes}, fixed at {size}: the first dimension of inputs and outputs")
        }
        AxisReason::Proof => {
            format!("{axes}, because samples along it are computed each for itself")
        }
        AxisReason::Given => format!("{axes}, as asked for"),
        AxisReason::NoAxis => match batch.missing() {
            Some(reason) => format!("none: {reason}"),
            None => "none was recognized".to_owned(),
        },
    }
}

/// The first input whose samples are its rows.
fn first_along_rows(batch: &BatchAxis) -> String {
    batch
        .axes
        .iter()
        .find(|&(_, &axis)| axis == 0)
        .map_or_else(|| "one of them".to_owned(), |(input, _)| input.to_string())
}

/// Inputs with what is fed to them, or outputs.
fn inputs(inputs: &[TensorInfo], plan: Option<&InputPlan>) -> Table {
    rows(inputs.iter().map(|info| {
        let mut row = vec![info.name.to_string(), type_words(&info.value_type)];
        let mut fed = plan.iter().flat_map(|plan| &plan.fed);
        if let Some(fed) = fed.find(|fed| fed.name == info.name) {
            row.extend(fed_words(fed));
        }
        row
    }))
}

fn type_words(value_type: &ValueType) -> String {
    match value_type {
        ValueType::Tensor {
            element_type,
            dims: Some(dims),
        } => {
            format!("{element_type} [{}]", joined(dims.iter().map(size)))
        }
        ValueType::Tensor {
            element_type,
            dims: None,
        } => format!("{element_type} of any shape"),
        ValueType::Sequence(inner) => format!("sequence of {}", type_words(inner)),
        ValueType::Optional(inner) => format!("optional {}", type_words(inner)),
        ValueType::Other(words) => words.to_string(),
    }
}

fn size(dim: &Dim) -> String {
    match dim {
        Dim::Fixed(size) => size.to_string(),
        Dim::Symbolic(name) => name.to_string(),
        Dim::Unknown => "?".to_owned(),
    }
}

fn fed_words(fed: &FedInput) -> [String; 3] {
    let fed_with = match fed.no_tensor {
        None => format!("fed [{}]", joined(fed_sizes(fed))),
        Some(_) => format!("fed {}", fed.shape_words(1)),
    };
    [fed_with, fill_words(&fed.fill), fed.reason.to_string()]
}

fn fed_sizes(fed: &FedInput) -> impl Iterator<Item = String> {
    fed.dims.iter().enumerate().map(
        |(axis, size)| match (size, fed.rows_per_sample.get(&axis)) {
            (Some(size), _) => size.to_string(),
            (None, Some(rows)) => format!("{rows} x batch"),
            (None, None) => "batch".to_owned(),
        },
    )
}

fn fill_words(fill: &FillKind) -> String {
    match fill {
        FillKind::Data => "data".to_owned(),
        FillKind::Uniform(range) => format!("{} to {}", range.low, range.high),
        FillKind::Constant(value) => format!("all {value}"),
        FillKind::Ascending => "0, 1, 2 ...".to_owned(),
        FillKind::Text => "text".to_owned(),
        FillKind::Numbers(numbers) => format!("one of {}", listed(numbers)),
        FillKind::Words(words) => format!("one of {}", listed(words)),
        FillKind::AscendingFrom(first) => {
            format!(
                "{first}, {}, {} ...",
                first.saturating_add(1),
                first.saturating_add(2)
            )
        }
        FillKind::PerSample(1) => "the batch size".to_owned(),
        FillKind::PerSample(each) => format!("{each} times the batch size"),
        FillKind::Columns(columns) => {
            let columns: Vec<String> = columns.iter().map(fill_words).collect();
            format!("by column: {}", listed(&columns))
        }
    }
}

fn listed(values: &[impl ToString]) -> String {
    const SHOWN: usize = 4;
    let words = values.iter().take(SHOWN).map(ToString::to_string);
    let more = (values.len() > SHOWN).then(|| format!("... ({} in all)", values.len()));
    joined(words.chain(more))
}

fn operators(model: &ModelSummary) -> Table {
    let mut counts: Vec<_> = model.operators.iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    rows(
        counts
            .into_iter()
            .map(|(name, count)| vec![name.to_string(), count.to_string()]),
    )
}

fn rows(rows: impl IntoIterator<Item = Vec<String>>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    for row in rows {
        table.add_row(row.iter().map(plain));
    }
    table
}

/// Appends a table, two spaces in and without trailing spaces.
fn push_table(text: &mut String, table: Table) {
    for line in table.to_string().lines() {
        let _ = writeln!(text, "  {}", line.trim());
    }
}

/// A size in its largest unit of 1024.
fn bytes(size: Bytes) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if size.0 < 1024 {
        return format!("{} B", size.0);
    }
    let mut scaled = size.as_f64() / 1024.0;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < UNITS.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    format!("{scaled:.2} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::BatchProof;

    #[test]
    fn a_domain_that_is_imported_twice_is_told_once() {
        let import = |domain: &str, version| OpsetImport {
            domain: domain.into(),
            version,
        };
        let twice = [
            import("ai.onnx", 22),
            import("ai.onnx", 22),
            import("ai.onnx.ml", 3),
        ];
        assert_eq!(opset_words(&twice), "ai.onnx 22, ai.onnx.ml 3");
    }

    #[test]
    fn one_axis_of_two_digits_is_one_axis() {
        let along = |axes: &[u64]| {
            batch_axis(&BatchAxis {
                axes: axes
                    .iter()
                    .enumerate()
                    .map(|(input, &axis)| (format!("x{input}").into(), axis))
                    .collect(),
                symbol: None,
                fixed_size: None,
                reason: AxisReason::FirstUnknownDimension,
                proof: BatchProof::Untried,
            })
        };
        assert!(along(&[10, 10]).starts_with("10, because"));
        assert!(along(&[0, 1]).starts_with("0 or 1 by input"));
    }
}

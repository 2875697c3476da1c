//! What a model file says.

use std::collections::BTreeSet;

use comfy_table::Table;

use super::table::{bytes, rows};
use crate::record::{AxisReason, BatchAxis, ModelSummary, OpsetImport, WeightBytes};
use crate::report::view::number::count;
use crate::report::view::quantization;
use crate::text::{Plain, distinct, joined};
use crate::units::Bytes;

pub(super) fn facts(model: &ModelSummary) -> Table {
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

pub(super) fn operators(model: &ModelSummary) -> Table {
    let mut counts: Vec<_> = model.operators.iter().collect();
    counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    rows(
        counts
            .into_iter()
            .map(|(name, count)| vec![name.to_string(), count.to_string()]),
    )
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

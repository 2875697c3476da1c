//! Inputs and outputs, and what inputs are fed.

use comfy_table::Table;

use super::table::rows;
use crate::inputs::InputPlan;
use crate::record::{Dim, FedInput, FillKind, TensorInfo, ValueType};
use crate::text::joined;

/// Inputs with what is fed to them, or outputs.
pub(super) fn inputs(inputs: &[TensorInfo], plan: Option<&InputPlan>) -> Table {
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

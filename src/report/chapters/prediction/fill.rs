//! Values that an input is fed.

use crate::plan::ElementType;
use crate::record::FillKind;
use crate::report::words::{self, plain};

/// Inputs that are named with their shapes, and values that are told of one; the others are counted.
pub(super) const MOST_INPUTS: usize = 4;

pub(super) fn value(fill: &FillKind, element_type: ElementType) -> String {
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

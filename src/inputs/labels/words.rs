//! Labels that are written as words, one after the other.

use ndarray::Array1;

use super::Labels;
use crate::inputs::TensorData;

/// One label on each line, with or without a line above them.
pub(super) fn lines(text: &str, samples: usize) -> Result<Labels, String> {
    let mut words: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if words.len() == samples + 1 {
        words.remove(0);
    }
    column(&words)
}

/// Whole numbers, numbers or words: the first that all of them are.
pub(super) fn column(words: &[&str]) -> Result<Labels, String> {
    if words.is_empty() {
        return Err("it is empty".to_owned());
    }
    let whole: Result<Vec<i64>, _> = words.iter().map(|word| word.parse()).collect();
    let numbers = || {
        words
            .iter()
            .map(|word| word.parse())
            .collect::<Result<Vec<f64>, _>>()
    };
    Ok(Labels::new(match (whole, numbers()) {
        (Ok(whole), _) => TensorData::Int64(Array1::from(whole).into_dyn()),
        (_, Ok(numbers)) => TensorData::Double(Array1::from(numbers).into_dyn()),
        _ => TensorData::String(
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Array1<_>>()
                .into_dyn(),
        ),
    }))
}

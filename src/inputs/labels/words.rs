//! Labels that are written as words, one after the other.

use std::str::FromStr;

use ndarray::{Array1, ArrayD};

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
    let data = if let Some(whole) = parsed::<i64>(words) {
        TensorData::Int64(whole)
    } else if let Some(numbers) = parsed::<f64>(words) {
        TensorData::Double(numbers)
    } else {
        TensorData::String(listed(words.iter().map(|&word| word.to_owned())))
    };
    Ok(Labels::new(data))
}

/// The words as numbers, where all of them are.
fn parsed<T: FromStr>(words: &[&str]) -> Option<ArrayD<T>> {
    let numbers: Option<Vec<T>> = words.iter().map(|word| word.parse().ok()).collect();
    numbers.map(listed)
}

fn listed<T>(items: impl IntoIterator<Item = T>) -> ArrayD<T> {
    items.into_iter().collect::<Array1<T>>().into_dyn()
}

//! Labels in the columns of a table.

use std::collections::BTreeSet;

use ndarray::{ArrayD, IxDyn};

use super::Labels;
use super::names::{NAMES, place};
use super::words::column;
use crate::inputs::TensorData;

const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The column of labels of a table: the only one, or the one that is named as labels are, or all of them where they are
/// numbers, or the last where it holds classes beside the names of rows.
pub(super) fn table(text: &str, samples: usize) -> Result<Labels, String> {
    let mut rows = rows(text)?;
    let first = rows[0].clone();
    let named = (0..first.len())
        .filter(|&at| place(&first[at]).is_some())
        .min_by_key(|&at| place(&first[at]));
    let is_headed = named.is_some() || rows.len() == samples + 1;
    if is_headed {
        rows.remove(0);
    }
    let of = |at: usize| -> Vec<&str> { rows.iter().map(|row| row[at].as_str()).collect() };
    if let Some(at) = named.or((first.len() == 1).then_some(0)) {
        return column(&of(at));
    }
    if let Some(labels) = all_columns(&rows) {
        return Ok(labels);
    }
    let last = first.len() - 1;
    if !ends_in_classes(&rows) {
        let header = if is_headed {
            first.join(", ")
        } else {
            format!("{} columns", first.len())
        };
        return Err(format!(
            "it has {header}, and none of them is called {}",
            NAMES[..3].join(", ")
        ));
    }
    let name = if is_headed {
        format!("column `{}`", first[last])
    } else {
        "last column".to_owned()
    };
    let mut labels = column(&of(last))?;
    labels.guessed = Some(name);
    Ok(labels)
}

/// The rows of a table, at least one, with as many fields each.
fn rows(text: &str) -> Result<Vec<Vec<String>>, String> {
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(fields)
        .collect();
    let Some(first) = rows.first() else {
        return Err("it is empty".to_owned());
    };
    match rows.iter().position(|row| row.len() != first.len()) {
        Some(odd) => Err(format!(
            "its rows have unlike numbers of fields, the {}th {}",
            odd + 1,
            rows[odd].len()
        )),
        None => Ok(rows),
    }
}

/// Whether the last column holds classes: they recur, and those before it name each row.
fn ends_in_classes(rows: &[Vec<String>]) -> bool {
    let distinct = |at: usize| {
        rows.iter()
            .map(|row| &row[at])
            .collect::<BTreeSet<_>>()
            .len()
    };
    let Some(last) = rows.first().and_then(|row| row.len().checked_sub(1)) else {
        return false;
    };
    let is_full = rows.iter().all(|row| !row[last].is_empty());
    is_full
        && last > 0
        && distinct(last) < rows.len()
        && (0..last).all(|at| distinct(at) == rows.len())
}

fn all_columns(rows: &[Vec<String>]) -> Option<Labels> {
    let numbers: Option<Vec<f64>> = rows
        .iter()
        .flatten()
        .map(|field| field.trim().parse().ok())
        .collect();
    let shape = [rows.len(), rows.first()?.len()];
    ArrayD::from_shape_vec(IxDyn(&shape), numbers?)
        .ok()
        .map(|numbers| Labels::new(TensorData::Double(numbers)))
}

fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    for letter in line.trim_end_matches('\r').chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if !quoted && SEPARATORS.contains(&letter) => fields.push(String::new()),
            letter => {
                if let Some(field) = fields.last_mut() {
                    field.push(letter);
                }
            }
        }
    }
    fields
        .into_iter()
        .map(|field| field.trim().to_owned())
        .collect()
}

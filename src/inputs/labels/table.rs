//! Labels in the columns of a table.

use std::collections::BTreeSet;

use ndarray::{ArrayD, IxDyn};

use super::Labels;
use super::names::{NAMES, likeliest};
use super::words::column;
use crate::inputs::TensorData;

const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The column of labels of a table: the only one, or the one that is named as labels are, or all of
/// them where they are numbers, or the last where it holds classes beside the names of rows.
pub(super) fn table(text: &str, samples: usize) -> Result<Labels, String> {
    let mut rows = rows(text)?;
    let first = rows[0].clone();
    let named = named(&first);
    let is_headed = named.is_some() || rows.len() == samples + 1;
    if is_headed {
        rows.remove(0);
    }
    if let Some(at) = named.or((first.len() == 1).then_some(0)) {
        return column(&column_at(&rows, at));
    }
    if let Some(labels) = all_columns(&rows) {
        return Ok(labels);
    }
    let header = is_headed.then_some(first.as_slice());
    if ends_in_classes(&rows) {
        last_column(&rows, header)
    } else {
        Err(no_column(first.len(), header))
    }
}

/// The column that is named as labels are.
fn named(header: &[String]) -> Option<usize> {
    likeliest(header.iter().enumerate(), |(_, name)| name).map(|(at, _)| at)
}

fn column_at(rows: &[Vec<String>], at: usize) -> Vec<&str> {
    rows.iter().map(|row| row[at].as_str()).collect()
}

/// The last of several columns, which is said to be guessed.
fn last_column(rows: &[Vec<String>], header: Option<&[String]>) -> Result<Labels, String> {
    let last = rows[0].len() - 1;
    let mut labels = column(&column_at(rows, last))?;
    labels.guessed = Some(match header {
        Some(header) => format!("column `{}`", header[last]),
        None => "last column".to_owned(),
    });
    Ok(labels)
}

fn no_column(columns: usize, header: Option<&[String]>) -> String {
    let header = match header {
        Some(header) => header.join(", "),
        None => format!("{columns} columns"),
    };
    format!(
        "it has {header}, and none of them is called {}",
        NAMES[..3].join(", ")
    )
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
    let [first, ..] = rows else {
        return false;
    };
    let last = first.len() - 1;
    rows.iter().all(|row| !row[last].is_empty())
        && last > 0
        && distinct(rows, last) < rows.len()
        && (0..last).all(|at| distinct(rows, at) == rows.len())
}

/// How many unlike fields a column has.
fn distinct(rows: &[Vec<String>], at: usize) -> usize {
    let fields: BTreeSet<&String> = rows.iter().map(|row| &row[at]).collect();
    fields.len()
}

fn all_columns(rows: &[Vec<String>]) -> Option<Labels> {
    let numbers: Option<Vec<f64>> = rows
        .iter()
        .flatten()
        .map(|field| field.trim().parse().ok())
        .collect();
    ArrayD::from_shape_vec(IxDyn(&[rows.len(), rows.first()?.len()]), numbers?)
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

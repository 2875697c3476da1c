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
    let named = named(&rows[0]);
    let is_headed = named.is_some() || rows.len() == samples + 1;
    let table = Table {
        columns: rows[0].len(),
        header: is_headed.then(|| rows.remove(0)),
        rows,
    };
    let lone = (table.columns == 1).then_some(0);
    if let Some(at) = named.or(lone) {
        return column(&table.column(at));
    }
    match table.numbers() {
        Some(numbers) => Ok(Labels::new(TensorData::Double(numbers))),
        None if table.ends_in_classes() => table.last_column(),
        None => Err(table.no_column()),
    }
}

/// The column that is named as labels are.
fn named(header: &[String]) -> Option<usize> {
    likeliest(header.iter().enumerate(), |(_, name)| name).map(|(at, _)| at)
}

struct Table {
    columns: usize,
    header: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
}

impl Table {
    fn column(&self, at: usize) -> Vec<&str> {
        self.rows.iter().map(|row| row[at].as_str()).collect()
    }

    /// The last of several columns, which is said to be guessed.
    fn last_column(&self) -> Result<Labels, String> {
        let last = self.columns - 1;
        let mut labels = column(&self.column(last))?;
        labels.guessed = Some(match &self.header {
            Some(header) => format!("column `{}`", header[last]),
            None => "last column".to_owned(),
        });
        Ok(labels)
    }

    fn no_column(&self) -> String {
        let header = match &self.header {
            Some(header) => header.join(", "),
            None => format!("{} columns", self.columns),
        };
        format!(
            "it has {header}, and none of them is called {}",
            NAMES[..3].join(", ")
        )
    }

    /// Whether the last column holds classes: they recur, and those before it name each row.
    fn ends_in_classes(&self) -> bool {
        let (last, count) = (self.columns - 1, self.rows.len());
        self.rows.iter().all(|row| !row[last].is_empty())
            && last > 0
            && self.distinct(last) < count
            && (0..last).all(|at| self.distinct(at) == count)
    }

    /// How many unlike fields a column has.
    fn distinct(&self, at: usize) -> usize {
        let fields: BTreeSet<&str> = self.column(at).into_iter().collect();
        fields.len()
    }

    /// All fields, where they are numbers.
    fn numbers(&self) -> Option<ArrayD<f64>> {
        let fields = self.rows.iter().flatten();
        let numbers: Option<Vec<f64>> = fields.map(|field| field.parse().ok()).collect();
        let shape = [self.rows.len(), self.rows.first()?.len()];
        ArrayD::from_shape_vec(IxDyn(&shape), numbers?).ok()
    }
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

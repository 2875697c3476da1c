//! A table under construction: figures go in, absent ones leave their reason in the notes.

use std::collections::HashMap;

use serde::Serialize;

use crate::analysis::{Estimate, Figure, find};
use crate::metric::Metric;
use crate::record::Outcome;
use crate::report::words::{self, number, plain, shortened};
use crate::text::{Plain, Shown};

/// A table that answers one question.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// The question, or what is shown.
    pub title: String,
    /// Heads of the columns; all but the first hold figures.
    pub header: Vec<String>,
    /// Rows, as many cells each as there are heads.
    pub rows: Vec<Row>,
    /// Why figures are absent, and what marks mean.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The cells, the first of which names the row.
    pub cells: Vec<String>,
    pub kind: RowKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    Plain,
    Baseline,
    /// It is recommended.
    Pick,
    /// It was not measured.
    Absent,
}

/// Mark of a cell without a figure; the table's notes say why.
pub(in crate::report) const ABSENT: &str = "-";

/// Text where a figure has no meaning, as a change of the baseline against itself.
pub(in crate::report) const MEANINGLESS: &str = "";

/// Text in the column of changes in the baseline's row.
pub(in crate::report) const BASELINE: &str = "baseline";

/// Text where the outputs are those that others are compared with.
pub(in crate::report) const REFERENCE: &str = "reference";

/// How something ended of which nothing was measured.
pub(in crate::report) fn ended(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Failed(_) => "failed",
        Outcome::Ok | Outcome::Skipped { .. } => "skipped",
    }
}

/// Rows that a note names before it only counts them.
const NAMED_ROWS: usize = 3;

/// Characters that a note keeps of a reason; the record has all of it.
const REASON_LENGTH: usize = 600;

impl Row {
    /// Whether a cell holds a figure or the lack of one.
    fn says(&self, column: usize) -> bool {
        self.kind != RowKind::Absent
            && ![MEANINGLESS, BASELINE, REFERENCE].contains(&self.cells[column].as_str())
    }
}

fn retain(cells: &mut Vec<String>, keep: &[bool]) {
    let mut keep = keep.iter();
    cells.retain(|_| keep.next().copied().unwrap_or(true));
}

fn absence_note(columns: &[String], reason: &str, rows: &[String]) -> String {
    let which = match rows.len() {
        ..=NAMED_ROWS => words::listed(rows),
        many => format!("{} rows", number::count(many as u64)),
    };
    let reason = shortened(reason, REASON_LENGTH);
    match columns {
        [outcome] if outcome == "failed" || outcome == "skipped" => {
            format!("{which} {outcome}: {reason}")
        }
        columns => {
            let columns = words::listed(columns);
            format!("{columns} of {which} not measured: {reason}")
        }
    }
}

pub(in crate::report) struct Builder {
    table: Table,
    /// Rows by column and reason, in the order in which the reasons came up.
    absences: Vec<((String, String), Vec<String>)>,
    places: HashMap<(String, String), usize>,
}

impl Builder {
    pub(in crate::report) fn new(title: impl Into<String>, header: &[&str]) -> Self {
        Builder {
            table: Table {
                title: title.into(),
                header: header.iter().map(|&head| head.to_owned()).collect(),
                ..Table::default()
            },
            absences: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// Notes why the figure in `column` of `row` is absent, and gives what its cell shows.
    pub(in crate::report) fn absence<T: Shown + ?Sized>(
        &mut self,
        column: &str,
        row: &str,
        reason: &T,
    ) -> String {
        // The number that each row has would give every row a note of its own; the figures of
        // machines tell it.
        let reason = reason.text();
        let reason = reason
            .split_once(", has ")
            .map_or(reason, |(needs, _)| needs);
        let key = (column.to_owned(), plain(reason));
        let place = *self.places.entry(key.clone()).or_insert_with(|| {
            self.absences.push((key, Vec::new()));
            self.absences.len() - 1
        });
        self.absences[place].1.push(row.to_owned());
        ABSENT.into()
    }

    /// A figure as `shown`, or the mark of an absent one, with its reason noted.
    pub(in crate::report) fn figure(
        &mut self,
        column: &str,
        row: &str,
        estimate: Option<&Estimate>,
        shown: impl Fn(&Estimate) -> String,
    ) -> String {
        match estimate {
            Some(Estimate::Absent { reason, .. }) => self.absence(column, row, reason),
            Some(estimate) => shown(estimate),
            None => self.absence(column, row, "not asked for"),
        }
    }

    /// The bound of a percentile, or the mark of one that has none, with the reason why it has no
    /// interval noted.
    pub(in crate::report) fn bound(
        &mut self,
        column: &str,
        row: &str,
        metric: Metric,
        estimate: Option<&Estimate>,
    ) -> String {
        let bound = estimate.and_then(|found| words::bound(metric.unit(), found));
        let reason = match estimate {
            Some(Estimate::Absent { reason, .. }) => reason.exact(),
            Some(Estimate::Measured(measured)) if measured.interval.is_none() => measured
                .remark
                .as_ref()
                .map_or("no bound is known", Plain::exact),
            Some(Estimate::Measured(_)) => return bound.unwrap_or_default(),
            None => "not asked for",
        };
        let needs = reason
            .trim_start_matches("no interval: ")
            .split(", has ")
            .next()
            .and_then(|reason| reason.split(", these are worth ").next())
            .unwrap_or_default();
        match bound {
            Some(bound) => {
                self.absence(
                    column,
                    row,
                    &format!("{needs}; a bound stands in its place"),
                );
                bound
            }
            None => self.absence(column, row, needs),
        }
    }

    pub(in crate::report) fn row(&mut self, kind: RowKind, cells: impl Into<Vec<String>>) {
        let cells = cells.into();
        self.table.rows.push(Row { cells, kind });
    }

    pub(in crate::report) fn plain_row(&mut self, cells: impl Into<Vec<String>>) {
        self.row(RowKind::Plain, cells);
    }

    /// A row that its first cell names.
    pub(in crate::report) fn line(&mut self, name: String) -> Line<'_> {
        self.line_of(vec![name.clone()], name)
    }

    /// A row that begins with `cells` and is called `row` in notes.
    pub(in crate::report) fn line_of(&mut self, cells: Vec<String>, row: String) -> Line<'_> {
        let builder = self;
        Line {
            builder,
            row,
            cells,
        }
    }

    /// A row of which nothing was measured: how it ended stands in its first figure, the reason in
    /// the notes.
    pub(in crate::report) fn absent_row(
        &mut self,
        name: Vec<String>,
        row: &str,
        outcome: &Outcome,
    ) {
        let word = ended(outcome);
        let hint = match outcome {
            Outcome::Failed(failure) => failure.hint.as_ref(),
            Outcome::Ok | Outcome::Skipped { .. } => None,
        };
        let hint = hint.map(|hint| format!(" (hint: {hint})"));
        let reason = outcome.reason().map_or("no reason recorded", Plain::exact);
        let mark = self.absence(word, row, &format!("{reason}{}", hint.unwrap_or_default()));
        let figures = self.table.header.len() - name.len();
        let mut cells = name;
        cells.push(word.into());
        cells.extend(std::iter::repeat_n(mark, figures - 1));
        self.row(RowKind::Absent, cells);
    }

    /// The table, with `notes` before those on absent figures, and without columns that say
    /// nothing.
    pub(in crate::report) fn finish(mut self, notes: impl IntoIterator<Item = String>) -> Table {
        self.drop_empty_columns();
        self.table.notes.extend(notes);
        // Columns that the same rows lack for the same reason.
        let alike = words::grouped(
            self.absences
                .into_iter()
                .map(|((column, reason), rows)| ((reason, rows), column)),
        );
        self.table.notes.extend(
            alike
                .iter()
                .map(|((reason, rows), columns)| absence_note(columns, reason, rows)),
        );
        self.table
    }

    /// Drops the columns in which no measured row has a figure or the lack of one.
    fn drop_empty_columns(&mut self) {
        let rows = &self.table.rows;
        let measured = rows.iter().any(|row| row.kind != RowKind::Absent);
        let keep: Vec<bool> = (0..self.table.header.len())
            .map(|column| column == 0 || !measured || rows.iter().any(|row| row.says(column)))
            .collect();
        retain(&mut self.table.header, &keep);
        for row in &mut self.table.rows {
            retain(&mut row.cells, &keep);
        }
    }
}

/// A row under construction.
pub(in crate::report) struct Line<'a> {
    builder: &'a mut Builder,
    row: String,
    cells: Vec<String>,
}

impl Line<'_> {
    pub(in crate::report) fn text(&mut self, cell: impl Into<String>) {
        self.cells.push(cell.into());
    }

    /// Notes why a figure is absent, and gives what its cell shows.
    pub(in crate::report) fn absence<T: Shown + ?Sized>(
        &mut self,
        column: &str,
        reason: &T,
    ) -> String {
        self.builder.absence(column, &self.row, reason)
    }

    /// Like [`Builder::figure`], of the row's own.
    pub(in crate::report) fn estimate(
        &mut self,
        column: &str,
        estimate: Option<&Estimate>,
        shown: impl Fn(&Estimate) -> String,
    ) {
        let cell = self.builder.figure(column, &self.row, estimate, shown);
        self.text(cell);
    }

    /// Text of the cell of a metric.
    pub(in crate::report) fn shown(
        &mut self,
        column: &str,
        metric: Metric,
        figures: &[Figure],
        shown: impl Fn(Metric, &Estimate) -> String,
    ) -> String {
        let estimate = find(figures, metric);
        self.builder
            .figure(column, &self.row, estimate, |found| shown(metric, found))
    }

    /// The cell of a metric.
    pub(in crate::report) fn figure(
        &mut self,
        column: &str,
        metric: Metric,
        figures: &[Figure],
        shown: impl Fn(Metric, &Estimate) -> String,
    ) {
        let cell = self.shown(column, metric, figures, shown);
        self.text(cell);
    }

    /// The cell of a percentile; see [`Builder::bound`].
    pub(in crate::report) fn bound(&mut self, column: &str, metric: Metric, figures: &[Figure]) {
        let estimate = find(figures, metric);
        let cell = self.builder.bound(column, &self.row, metric, estimate);
        self.text(cell);
    }

    /// Ends the row.
    pub(in crate::report) fn end(self, kind: RowKind) {
        self.builder.row(kind, self.cells);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_the_same_rows_lack_share_a_note() {
        let mut table = Builder::new("Accuracy", &["variant", "top-1", "cosine"]);
        for column in ["top-1", "cosine"] {
            table.absence(column, "int8", "nothing was scored");
        }
        table.absence("cosine", "fp16", "its output is empty, has 0");
        assert_eq!(
            table.finish([]).notes,
            [
                "top-1 and cosine of int8 not measured: nothing was scored",
                "cosine of fp16 not measured: its output is empty"
            ]
        );
    }

    #[test]
    fn column_of_references_alone_says_nothing() {
        let mut table = Builder::new("Variants", &["variant", "median", "accuracy"]);
        table.row(
            RowKind::Plain,
            vec!["fp32".into(), "2 ms".into(), REFERENCE.into()],
        );
        assert_eq!(table.finish([]).header, ["variant", "median"]);
    }
}

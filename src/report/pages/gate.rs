//! Verdicts on the rules of a gate, as people read them.

use serde::Serialize;

use crate::analysis::gate::{Basis, Checked, Gate, GateVerdict, Held, LeftOut, Same};
use crate::analysis::{Estimate, Measured};
use crate::metric::Unit;
use crate::report::words::{self, Row, RowKind, Table, judgement, number, plain};

/// A gate as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateView {
    /// The verdict on all rules, in one line.
    pub title: String,
    /// Each rule on each cell or session, failures first.
    pub checks: Vec<CheckView>,
    /// What bears on all verdicts.
    pub warnings: Vec<String>,
    /// What was not counted.
    pub remarks: Vec<String>,
}

/// One rule on one cell or session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckView {
    #[serde(skip)]
    pub verdict: GateVerdict,
    pub word: &'static str,
    /// The check as written.
    pub check: String,
    /// Line in the rule file.
    pub line: usize,
    /// Session, and batch size where it is about a cell.
    pub place: String,
    pub figure: String,
    /// On what the verdict rests, why there is none, or what would settle it.
    pub because: String,
}

impl GateView {
    /// The gate as people read it.
    #[must_use]
    pub fn new(gate: &Gate) -> Self {
        let mut checks: Vec<CheckView> = gate.checks.iter().map(CheckView::new).collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
        GateView {
            title: title(gate),
            checks,
            warnings: gate.remarks.iter().map(plain).collect(),
            remarks: gate.left_out.iter().map(not_counted).collect(),
        }
    }

    /// All checks as a table.
    #[must_use]
    pub fn table(&self) -> Table {
        let header = ["verdict", "rule", "of", "measured", "because"];
        Table {
            header: header.map(str::to_owned).to_vec(),
            rows: self.checks.iter().map(CheckView::row).collect(),
            ..Table::default()
        }
    }
}

fn gate_word(verdict: GateVerdict) -> &'static str {
    match verdict {
        GateVerdict::Pass => "pass",
        GateVerdict::Inconclusive => "inconclusive",
        GateVerdict::Fail => "FAIL",
    }
}

fn not_counted(left: &LeftOut) -> String {
    format!(
        "line {}: {} at batch {}{} is not counted: {}",
        left.line, left.session, left.batch_size, left.place_words, left.reason
    )
}

fn title(gate: &Gate) -> String {
    let [passed, failed, inconclusive] = [
        GateVerdict::Pass,
        GateVerdict::Fail,
        GateVerdict::Inconclusive,
    ]
    .map(|verdict| {
        gate.checks
            .iter()
            .filter(|check| check.judgement.verdict == verdict)
            .count()
    });
    let word = gate_word(gate.verdict);
    format!("Gate: {word}: {passed} passed, {failed} failed, {inconclusive} inconclusive")
}

impl CheckView {
    fn new(checked: &Checked) -> Self {
        let session = plain(&checked.session);
        CheckView {
            verdict: checked.judgement.verdict,
            word: gate_word(checked.judgement.verdict),
            check: plain(&checked.check),
            line: checked.line,
            place: checked
                .cell
                .map_or(format!("{session}{}", checked.place_words), |cell| {
                    format!(
                        "{session}, batch {}{}",
                        cell.batch_size, checked.place_words
                    )
                }),
            figure: figure(checked),
            because: because(checked),
        }
    }

    fn row(&self) -> Row {
        let cells = [
            self.word,
            &self.check,
            &self.place,
            &self.figure,
            &self.because,
        ];
        Row {
            cells: cells.map(str::to_owned).to_vec(),
            kind: RowKind::Plain,
        }
    }
}

fn figure(checked: &Checked) -> String {
    let Estimate::Measured(measured) = &checked.figure else {
        return "-".into();
    };
    match checked.held {
        Held::Figure if is_decimal(checked) => {
            number::decimal_size(measured.value, measured.interval)
        }
        Held::Figure => words::value(checked.metric, &checked.figure),
        Held::RatioToBaseline => {
            let ends = number::factor_interval(measured.value, measured.interval);
            format!(
                "{} x{ends}",
                number::factor(measured.value, measured.interval)
            )
        }
        Held::DifferenceToBaseline => difference(checked, measured),
    }
}

/// Whether the budget is a size in multiples of 1000 bytes.
fn is_decimal(checked: &Checked) -> bool {
    let units = ["kB", "MB", "GB"];
    checked.metric.unit() == Unit::Bytes
        && units
            .iter()
            .any(|unit| checked.check.exact().trim_end().ends_with(unit))
}

/// `-0.3 points (-1.0 to +0.4)`: in points for a share, else with its unit.
fn difference(checked: &Checked, measured: &Measured) -> String {
    let unit = checked.metric.unit();
    let Some(interval) = measured.interval else {
        return amount(unit, measured.value);
    };
    let ends = number::span(interval, |end| match unit {
        Unit::Ratio => number::points(end).trim_end_matches(POINTS).to_owned(),
        unit => number::value(unit, end, None),
    });
    format!("{} ({ends})", amount(unit, measured.value))
}

const POINTS: &str = " points";

fn amount(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Ratio => number::points(value),
        unit => number::value(unit, value, None),
    }
}

fn because(checked: &Checked) -> String {
    let judgement = &checked.judgement;
    if let Some(reason) = &judgement.reason {
        return plain(reason);
    }
    let settling = judgement.settling.map(|settling| match settling.time_ns {
        Some(time) => words::would_settle(time),
        None => {
            let more = number::count(settling.more);
            let of = settling.of.noun(settling.more);
            format!("about {more} more {of} would settle it")
        }
    });
    words::joined(basis(checked).into_iter().chain(settling), "; ")
}

/// A bound that decides without an interval.
fn bound(figure: &Estimate) -> Option<String> {
    let reason = figure.absent_reason();
    let remark = figure
        .measured()
        .and_then(|measured| measured.remark.as_ref());
    reason.or(remark).map(plain)
}

/// Basis of the verdict, where the figure does not show it.
fn basis(checked: &Checked) -> Option<String> {
    match checked.judgement.basis {
        Basis::Interval | Basis::Nothing => None,
        Basis::Bound => bound(&checked.figure),
        Basis::Judgement { decision, reason } => Some(judgement::because(decision, reason)),
        Basis::Same { of: Same::Run } => Some("the same run".into()),
        Basis::Same { of: Same::Files } => Some("the same files".into()),
        Basis::ReadOff => Some("read off".into()),
        Basis::EarlyStopping { overruns_count } => {
            let all = checked
                .figure
                .measured()
                .map(|figure| number::count(figure.n));
            let of = all.map(|all| format!(" of {all}")).unwrap_or_default();
            Some(format!("{}{of} above", number::count(overruns_count)))
        }
    }
}

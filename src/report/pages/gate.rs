//! What became of the rules of a gate, as people read it.

use serde::Serialize;

use crate::analysis::gate::{Basis, Checked, Gate, GateVerdict, Held};
use crate::analysis::{Estimate, Measured};
use crate::metric::Unit;
use crate::report::words::{self, Row, RowKind, Table, number, plain};

/// A gate as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateView {
    /// The verdict on all rules, in one line.
    pub title: String,
    /// Each rule on each cell or session, failures first.
    pub checks: Vec<CheckView>,
    /// Remarks on all verdicts, and what was not counted.
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
        let mut remarks: Vec<String> = gate.remarks.iter().map(plain).collect();
        remarks.extend(gate.left_out.iter().map(|left| {
            let session = plain(&left.session);
            format!(
                "line {}: {session} at batch {}{} is not counted: {}",
                left.line,
                left.batch_size,
                plain(&left.shape_words),
                plain(&left.reason)
            )
        }));
        GateView {
            title: title(gate),
            checks,
            remarks,
        }
    }

    /// All checks as a table.
    #[must_use]
    pub fn table(&self) -> Table {
        let row = |check: &CheckView| {
            let cells = [
                check.word,
                &check.check,
                &check.place,
                &check.figure,
                &check.because,
            ];
            Row {
                cells: cells.map(str::to_owned).to_vec(),
                kind: RowKind::Plain,
            }
        };
        let header = ["verdict", "rule", "of", "measured", "because"]
            .map(str::to_owned)
            .to_vec();
        Table {
            title: String::new(),
            header,
            rows: self.checks.iter().map(row).collect(),
            notes: Vec::new(),
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

fn title(gate: &Gate) -> String {
    let count = |verdict| {
        gate.checks
            .iter()
            .filter(|check| check.judgement.verdict == verdict)
            .count()
    };
    format!(
        "Gate: {}: {} passed, {} failed, {} inconclusive",
        gate_word(gate.verdict),
        count(GateVerdict::Pass),
        count(GateVerdict::Fail),
        count(GateVerdict::Inconclusive)
    )
}

impl CheckView {
    fn new(checked: &Checked) -> Self {
        let session = plain(&checked.session);
        CheckView {
            verdict: checked.judgement.verdict,
            word: gate_word(checked.judgement.verdict),
            check: plain(&checked.check),
            line: checked.line,
            place: checked.cell.map_or(session.clone(), |cell| {
                format!(
                    "{session}, batch {}{}",
                    cell.batch_size,
                    plain(&checked.shape_words)
                )
            }),
            figure: figure(checked),
            because: because(checked),
        }
    }
}

fn figure(checked: &Checked) -> String {
    let Estimate::Measured(measured) = &checked.figure else {
        return "-".into();
    };
    match checked.held {
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

fn difference(checked: &Checked, measured: &Measured) -> String {
    let show = |value: f64| match checked.metric.unit() {
        Unit::Ratio => number::points(value),
        unit => number::value(unit, value, None),
    };
    let ends = measured
        .interval
        .map(|interval| format!(" ({} to {})", show(interval.low), show(interval.high)));
    format!("{}{}", show(measured.value), ends.unwrap_or_default())
}

fn because(checked: &Checked) -> String {
    let judgement = &checked.judgement;
    if let Some(reason) = &judgement.reason {
        return plain(reason);
    }
    let basis = match judgement.basis {
        Basis::Interval | Basis::Nothing => String::new(),
        Basis::ReadOff => "read off".into(),
        Basis::EarlyStopping { overruns_count } => {
            let of = checked.figure.measured().map_or(String::new(), |figure| {
                format!(" of {}", number::count(figure.n))
            });
            format!("{}{of} above", number::count(overruns_count))
        }
    };
    let settling = judgement.settling.map(|settling| {
        format!(
            "about {} more {} would settle it",
            number::count(settling.more),
            settling.of.noun(settling.more)
        )
    });
    [basis, settling.unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

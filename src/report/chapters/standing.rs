//! All sessions in one table, against a baseline that a reader may choose.

use std::collections::HashMap;

use serde::Serialize;

use super::{Source, number, plain, tables, words};
use crate::analysis::{
    CellFindings, Change, Comparison, Estimate, Interval, SessionFindings, Verdict, pairwise,
};
use crate::metric::{Direction, Metric};
use crate::plan::{CellKey, Objective};
use crate::report::words::{ABSENT, BASELINE, Builder, Line, MEANINGLESS, Table, judgement, table};

/// Sessions that a baseline can be chosen among: of more, the data would outgrow the page.
const MOST: usize = 24;

/// Head of the column of ratios.
const RATIO: &str = "vs baseline";

/// A table of sessions whose rows can be sorted, and whose baseline can be chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    pub table: Table,
    /// What rows are sorted by, a column each; absent where a row has no figure.
    pub keys: Vec<Vec<Option<f64>>>,
    /// Number of the column of ratios; absent where nothing was compared.
    pub ratio_column: Option<usize>,
    /// Sessions to compare with, in the order of the rows.
    pub baselines: Vec<Choice>,
}

/// A session as the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    pub name: String,
    /// Whether it is the run's own.
    pub is_own: bool,
    /// Number of its row.
    pub row: usize,
    /// Of each row.
    pub ratios: Vec<Against>,
}

/// A row against a baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Against {
    pub text: String,
    /// How many times as good.
    pub factor: Option<f64>,
}

const NOT_IN_TURNS: &str = "not in turns";

/// A row under construction: a session and its cell of single predictions.
struct Entry<'a> {
    session: &'a SessionFindings,
    cell: Option<&'a CellFindings>,
}

fn entries(source: Source<'_>) -> Vec<Entry<'_>> {
    let single: HashMap<usize, &CellFindings> = source
        .single()
        .into_iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| (cell.key.session, cell))
        .collect();
    source
        .sessions()
        .map(|session| Entry {
            session,
            cell: single
                .get(&session.session)
                .copied()
                .filter(|_| session.outcome.is_ok()),
        })
        .collect()
}

pub(super) fn standing(source: Source<'_>) -> Standing {
    let entries = entries(source);
    let table = table(source, &entries);
    let keys = table.header.iter().map(|head| {
        let key_of = |entry| key(source, head, entry);
        entries.iter().map(key_of).collect()
    });
    let ratio_column = table.header.iter().position(|head| head == RATIO);
    Standing {
        keys: keys.collect(),
        baselines: match ratio_column {
            Some(_) => choices(source, &entries),
            None => Vec::new(),
        },
        ratio_column,
        table,
    }
}

fn table(source: Source<'_>, entries: &[Entry<'_>]) -> Table {
    let title = format!(
        "Variants at {}: which is the fastest?",
        source.single_batch()
    );
    let header = [
        "variant",
        RATIO,
        "median latency",
        "p99",
        tables::P99_CHANGE,
        "most throughput",
        "accuracy",
        "memory",
        "size",
    ];
    let mut table = Builder::new(title, &header);
    for entry in entries {
        row(&mut table, source, entry);
    }
    table.finish(tables::variants_notes(source))
}

fn row(table: &mut Builder, source: Source<'_>, entry: &Entry<'_>) {
    let Entry { session, cell } = *entry;
    let name = plain(&session.label);
    let Some(cell) = cell else {
        return table.absent_row(vec![name.clone()], &name, &session.outcome);
    };
    let mut line = table.line(name);
    ratio_cell(&mut line, source, session, cell);
    line.figure(
        "median latency",
        Metric::LatencyP50,
        &cell.figures,
        tables::half_width,
    );
    line.bound("p99", Metric::LatencyP99, &cell.figures);
    match &cell.comparison {
        Some(comparison) => tables::p99_change(&mut line, comparison),
        None => line.text(MEANINGLESS),
    }
    line.text(most_throughput(source, session.session));
    tables::add_score(&mut line, session);
    line.figure("memory", Metric::PeakMemory, &cell.figures, words::short);
    line.figure("size", Metric::FileSize, &session.figures, words::short);
    line.end(tables::kind(source, session));
}

/// The ratio that decides.
fn ratio_cell(
    line: &mut Line<'_>,
    source: Source<'_>,
    session: &SessionFindings,
    cell: &CellFindings,
) {
    match own_ratio(source, session, cell) {
        Some(ratio) => line.text(ratio.text),
        None => tables::no_change(line, session, cell),
    }
}

/// Against the run's own baseline.
fn own_ratio(
    source: Source<'_>,
    session: &SessionFindings,
    cell: &CellFindings,
) -> Option<Against> {
    let judged = source.judgement().of(session.session);
    if source.judgement().objective == Objective::Latency {
        return cell.comparison.as_ref().map(of_comparison);
    }
    let judged = judged?;
    Some(Against {
        text: judgement::gain(judged)?,
        factor: judged.advantage.as_ref()?.factor(),
    })
}

fn of_comparison(comparison: &Comparison) -> Against {
    of_change(&comparison.p50)
}

fn of_change(change: &Change) -> Against {
    let ratio = change.ratio.measured();
    let text = match (change.verdict, ratio) {
        (Verdict::Inconclusive, Some(ratio)) => {
            let shown = number::relative(ratio.value, ratio.interval, number::Ways::TIME);
            format!("open: {shown}")
        }
        (Verdict::Faster | Verdict::Slower | Verdict::Same | Verdict::Inconclusive, _) => {
            let words::Comparison { phrase, interval } = words::latency_change(change);
            format!("{phrase}{interval}")
        }
    };
    Against {
        text,
        factor: change.speedup().map(|(factor, _)| factor),
    }
}

/// `49,000/s at batch 32`: the most of its batch sizes.
fn most_throughput(source: Source<'_>, session: usize) -> String {
    best_point(source, session).map_or_else(
        || ABSENT.into(),
        |(rate, batch_size)| {
            let rate = number::value(Metric::Throughput.unit(), rate, None);
            format!("{rate} at batch {batch_size}")
        },
    )
}

fn best_point(source: Source<'_>, session: usize) -> Option<(f64, u64)> {
    let curve = source.curves().find(|curve| curve.session == session)?;
    let best = curve.point(curve.best)?;
    Some((best.throughput_per_sec, best.batch_size))
}

fn key(source: Source<'_>, head: &str, entry: &Entry<'_>) -> Option<f64> {
    let Entry { session, cell } = *entry;
    let of_cell = |metric| cell?.figure(metric)?.value();
    match head {
        RATIO if session.is_baseline => cell.map(|_| 1.0),
        RATIO => own_ratio(source, session, cell?)?.factor,
        "median latency" => of_cell(Metric::LatencyP50),
        "p99" => of_cell(Metric::LatencyP99),
        tables::P99_CHANGE => {
            let change = cell?.comparison.as_ref()?.p99.as_ref().ok()?;
            change.speedup().map(|(factor, _)| factor)
        }
        "most throughput" => best_point(source, session.session).map(|(rate, _)| rate),
        "accuracy" => session.figure(tables::leading_score(session)?)?.value(),
        "memory" => of_cell(Metric::PeakMemory),
        "size" => session.figure(Metric::FileSize)?.value(),
        _ => None,
    }
}

/// Each measured session as the baseline.
fn choices(source: Source<'_>, entries: &[Entry<'_>]) -> Vec<Choice> {
    let measured: Vec<(usize, CellKey)> = entries
        .iter()
        .enumerate()
        .filter_map(|(row, entry)| Some((row, entry.cell?.key)))
        .take(MOST)
        .collect();
    let keys: Vec<CellKey> = measured.iter().map(|&(_, key)| key).collect();
    let paired = match source.judgement().objective {
        Objective::Latency => pairwise(source.record, &keys),
        Objective::Throughput | Objective::Memory | Objective::Energy => Vec::new(),
    };
    let table = Choices {
        source,
        entries,
        rows: measured.iter().map(|&(row, _)| row).collect(),
        paired,
    };
    (0..measured.len())
        .map(|place| table.choice(place))
        .collect()
}

struct Choices<'a> {
    source: Source<'a>,
    entries: &'a [Entry<'a>],
    /// Numbers of the rows that can be chosen.
    rows: Vec<usize>,
    /// Changes by the place of the reference and of the other one.
    paired: Vec<Vec<Option<Change>>>,
}

impl Choices<'_> {
    fn choice(&self, place: usize) -> Choice {
        let row = self.rows[place];
        let session = self.entries[row].session;
        Choice {
            name: plain(&session.label),
            is_own: session.is_baseline,
            row,
            ratios: (0..self.entries.len())
                .map(|other| self.against(place, other))
                .collect(),
        }
    }

    fn against(&self, place: usize, row: usize) -> Against {
        let reference = &self.entries[self.rows[place]];
        let entry = &self.entries[row];
        let absent = Against {
            text: ABSENT.into(),
            factor: None,
        };
        if self.rows[place] == row {
            return Against {
                text: BASELINE.into(),
                factor: Some(1.0),
            };
        }
        let Some(cell) = entry.cell else {
            return Against {
                text: table::ended(&entry.session.outcome).into(),
                factor: None,
            };
        };
        if reference.session.is_baseline
            && let Some(own) = own_ratio(self.source, entry.session, cell)
        {
            return own;
        }
        let other = self.rows.iter().position(|&known| known == row);
        let change = other.and_then(|other| self.paired.get(place)?.get(other)?.as_ref());
        match change {
            Some(change) => of_change(change),
            None => self.of_figures(entry, reference).unwrap_or(absent),
        }
    }

    /// By the figures of both, which have no common interval.
    fn of_figures(&self, entry: &Entry<'_>, reference: &Entry<'_>) -> Option<Against> {
        let [own, base] = [entry, reference].map(|one| self.deciding(one));
        let (metric, own) = own?;
        let (_, base) = base?;
        let factor = match metric.direction() {
            Direction::Higher => own / base,
            Direction::Lower | Direction::Neutral => base / own,
        };
        factor.is_finite().then(|| Against {
            text: format!("{} ({NOT_IN_TURNS})", times(metric, own / base)),
            factor: Some(factor),
        })
    }

    /// The figure that decides, and of which metric it is.
    fn deciding(&self, entry: &Entry<'_>) -> Option<(Metric, f64)> {
        let judgement = self.source.judgement();
        let own = judgement.of(entry.session.session);
        let mut judged = judgement.others.iter();
        let metric = judged
            .find_map(|one| Some(one.advantage.as_ref()?.metric))
            .unwrap_or(Metric::LatencyP50);
        let key = match own {
            Some(own) => own.key,
            None => judgement.baseline,
        };
        let cell = key.and_then(|key| self.source.cell(key));
        let figure: Option<&Estimate> = cell.or(entry.cell)?.figure(metric);
        Some((metric, figure?.value()?))
    }
}

/// `1.8x faster`, or what else a ratio of a metric amounts to.
fn times(metric: Metric, ratio: f64) -> String {
    number::relative(ratio, None::<Interval>, number::Ways::of(metric.unit()))
}

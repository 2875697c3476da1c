//! Runs side by side: every figure that both have, and what became of it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::differences::session_differences;
use super::select::{Place, names, pairings};
use super::{
    Delta, Design, Difference, NamedRun, Recorded, SelectError, Side, Sides, change,
    host_differences, judge, model_differences, other_differences,
};

use crate::analysis::figures::over_launches::median_of_blocks;
use crate::analysis::figures::pace::round_time;
use crate::analysis::figures::{Estimate, median, per_launch};
use crate::metric::{Group, Metric};
use crate::plan::{LoadMode, Plan, SessionSpec, Task, Workload};
use crate::record::{Fitness, RunRecord};
use crate::text::Plain;

/// Everything that a comparison of runs says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparisons {
    /// Whether the sides took turns in one run, or were measured in separate ones.
    pub design: Design,
    /// The runs; the first is what the others are compared with.
    pub runs: Vec<ComparedRun>,
    /// Every two sessions that are compared.
    pub pairs: Vec<Pair>,
}

/// One of the runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedRun {
    /// The folder or file that was named.
    pub path: PathBuf,
    /// Name of the run.
    pub name: Plain,
    /// Start of the run, RFC 3339.
    pub started_at: Plain,
    /// Whether it came to its own end.
    pub complete: bool,
    /// Whether the machine was fit to measure on; absent where the record does not tell.
    pub fitness: Option<Fitness>,
    /// Differences of its machine from that of the first run.
    pub host_differences: Vec<Difference>,
    /// Other differences from the first run.
    pub other_differences: Vec<Difference>,
    /// Variants of it that nothing is compared with.
    pub left_out: Vec<String>,
}

/// Two sessions, side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// The baseline.
    pub baseline: Party,
    /// Subject of the comparison.
    pub candidate: Party,
    /// Inputs, outputs and tasks that make their models unlike; empty for those of one kind.
    pub model_differences: Vec<Difference>,
    /// Session options that they do not share.
    pub differences: Vec<Difference>,
    /// Figures of the whole session.
    pub rows: Vec<Row>,
    /// Figures at each shape, batch size and load mode that both were measured at.
    pub cells: Vec<PairedCell>,
}

/// One of both sessions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Party {
    /// Index into [`Comparisons::runs`].
    pub run: usize,
    /// Index into the sessions of that run's plan.
    pub session: usize,
    /// Name of the variant.
    pub variant: Plain,
    /// The variant's name, and what tells this session from the variant's other ones.
    pub label: String,
    /// The model file, as that run's command had it; in full where the command was given in another
    /// folder than that of the first run.
    pub model: PathBuf,
    /// SHA-256 of the model file, lower-case hexadecimal; absent if it could not be read.
    pub sha256: Option<Plain>,
}

impl Pair {
    /// Whether both sides run one and the same model, as far as its main file tells.
    #[must_use]
    pub fn is_same_model(&self) -> bool {
        self.baseline.sha256.is_some() && self.baseline.sha256 == self.candidate.sha256
    }
}

/// Figures at one shape, batch size and load mode.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedCell {
    /// Index into the shapes of the candidate's plan.
    pub shape: usize,
    /// The shape in words, such as `seq 64`; empty where none is swept.
    pub shape_name: String,
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load_mode: LoadMode,
    /// The figures.
    pub rows: Vec<Row>,
}

/// One figure of both sessions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Subject of the comparison.
    pub metric: Metric,
    /// Of the baseline.
    pub baseline: Estimate,
    /// Of the candidate.
    pub candidate: Estimate,
    /// From the one to the other.
    pub outcome: RowOutcome,
}

/// Change of a figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "status")]
#[expect(clippy::large_enum_variant, reason = "most rows are compared")]
pub enum RowOutcome {
    /// It was compared.
    Compared {
        /// The change.
        delta: Delta,
    },
    /// It could not be compared.
    NotCompared {
        /// Why not, as a lowercase fragment.
        reason: Plain,
    },
}

/// Figures of a cell that are compared.
pub const CELL_METRICS: [Metric; 6] = [
    Metric::LatencyP50,
    Metric::LatencyP10,
    Metric::LatencyMean,
    Metric::LatencyP99,
    Metric::Throughput,
    Metric::PeakMemory,
];

/// Figures of a session that are compared, besides its score.
fn session_metrics() -> impl Iterator<Item = Metric> {
    Group::Loading.metrics().chain([Metric::FileSize])
}

/// Compares two variants of one run, variants of the same name of several runs with those of the
/// first, or, for `variants` of two runs, the first one's of the one name with the second one's of
/// the other.
///
/// # Errors
/// The request does not say what to compare, or the runs do not have it.
pub fn compare(
    runs: &[NamedRun<'_>],
    variants: Option<(&str, &str)>,
) -> Result<Comparisons, SelectError> {
    let pairings = pairings(runs, variants)?;
    let mut pairs: Vec<Pair> = pairings
        .iter()
        .map(|&pairing| pair(runs, pairing))
        .collect();
    judge_together(&mut pairs);
    if let [run] = runs {
        let round = round_time(run.index.record);
        for delta in pairs.iter_mut().flat_map(all_rows).filter_map(delta) {
            delta.time(round);
        }
    }
    for (pair, pairing) in pairs.iter_mut().zip(&pairings) {
        withhold(runs, pair, *pairing);
    }
    let design = if runs.len() == 1 {
        Design::Paired
    } else {
        Design::Separate
    };
    Ok(Comparisons {
        design,
        runs: (0..runs.len())
            .map(|place| described(runs, place, &pairings))
            .collect(),
        pairs,
    })
}

/// Leaves times open of sessions that other work, which was going on, slows down unlike.
fn withhold(runs: &[NamedRun<'_>], pair: &mut Pair, pairing: Sides<Place>) {
    let sides = pairing.map(|place| Side {
        run: &runs[place.run].index,
        session: place.session,
        at: None,
    });
    if sides.are_borne() {
        return;
    }
    for row in all_rows(pair).filter(|row| row.metric.is_timing()) {
        if let Some(delta) = delta(row) {
            delta.withhold();
        }
    }
}

fn described(runs: &[NamedRun<'_>], place: usize, pairings: &[Sides<Place>]) -> ComparedRun {
    let (record, baseline) = (runs[place].index.record, runs[0].index.record);
    ComparedRun {
        path: runs[place].path.clone(),
        name: record.run.name.clone(),
        started_at: record.run.started_at.clone(),
        complete: record.is_complete(),
        fitness: record.fitness.clone(),
        host_differences: host_differences(&baseline.host, &record.host),
        other_differences: other_differences(baseline, record),
        left_out: left_out(place, pairings, runs),
    }
}

fn left_out(place: usize, pairings: &[Sides<Place>], runs: &[NamedRun<'_>]) -> Vec<String> {
    let used: Vec<&str> = pairings
        .iter()
        .flat_map(|pairing| [pairing.baseline, pairing.candidate])
        .filter(|used| used.run == place)
        .map(|used| runs[used.run].plan().variant_of(used.session).name.exact())
        .collect();
    names(&runs[place])
        .into_iter()
        .filter(|name| !used.contains(&name.as_str()))
        .collect()
}

fn pair(runs: &[NamedRun<'_>], pairing: Sides<Place>) -> Pair {
    let sides = pairing.map(|place| Measured {
        run: &runs[place.run],
        session: place.session,
        at: None,
    });
    Pair {
        baseline: party(runs, pairing.baseline),
        candidate: party(runs, pairing.candidate),
        model_differences: model_differences(sides.baseline.recorded(), sides.candidate.recorded()),
        differences: session_differences(sides.baseline.spec(), sides.candidate.spec()),
        rows: session_metrics()
            .chain([leading_score(sides)])
            .map(|metric| row(metric, sides))
            .collect(),
        cells: common_cells(sides.map(|side| side.run.plan()))
            .map(|at| paired_cell(sides, at))
            .collect(),
    }
}

/// That of the candidate, else of the baseline, else what the candidate's task is scored by.
fn leading_score(sides: Sides<Measured<'_>>) -> Metric {
    [sides.candidate, sides.baseline]
        .into_iter()
        .find_map(Measured::leading_score)
        .unwrap_or(match sides.candidate.run.plan().task {
            Task::Regression => Metric::MeanAbsoluteError,
            Task::Classification | Task::Inferred => Metric::AccuracyTop1,
        })
}

fn paired_cell(sessions: Sides<Measured<'_>>, workloads: Sides<Workload>) -> PairedCell {
    let at = workloads.candidate;
    let cells = Sides {
        candidate: sessions.candidate.at(at),
        baseline: sessions.baseline.at(workloads.baseline),
    };
    PairedCell {
        shape: at.shape,
        shape_name: cells.candidate.run.plan().shapes[at.shape].to_string(),
        batch_size: at.batch_size,
        load_mode: at.load,
        rows: CELL_METRICS.map(|metric| row(metric, cells)).to_vec(),
    }
}

fn party(runs: &[NamedRun<'_>], Place { run, session }: Place) -> Party {
    let record = runs[run].index.record;
    let variant = record.plan.variant_of(session);
    Party {
        run,
        session,
        variant: variant.name.clone(),
        label: runs[run].findings.sessions[session].label.clone(),
        model: model(record, runs[0].index.record, &variant.path),
        sha256: record.variant_of(session).sha256.clone(),
    }
}

fn model(record: &RunRecord, first: &RunRecord, path: &Path) -> PathBuf {
    if record.run.working_dir == first.run.working_dir {
        path.to_owned()
    } else {
        record.run.working_dir.join(path)
    }
}

/// Workloads that both plans have, each as either has it, in the order of the candidate's.
fn common_cells(plans: Sides<&Plan>) -> impl Iterator<Item = Sides<Workload>> {
    let (candidate, baseline) = (plans.candidate, plans.baseline);
    candidate
        .workloads()
        .filter(move |at| {
            baseline.batch_sizes.contains(&at.batch_size) && baseline.load_modes.contains(&at.load)
        })
        .filter_map(move |at| {
            Some(Sides {
                candidate: at,
                baseline: Workload {
                    shape: candidate.same_shape(at.shape, baseline)?,
                    ..at
                },
            })
        })
}

/// A session or one of its cells, and what its run says of it.
#[derive(Clone, Copy)]
struct Measured<'r> {
    run: &'r NamedRun<'r>,
    session: usize,
    at: Option<Workload>,
}

impl<'r> Measured<'r> {
    fn at(self, at: Workload) -> Self {
        Measured {
            at: Some(at),
            ..self
        }
    }

    fn side(self) -> Side<'r> {
        Side {
            run: &self.run.index,
            session: self.session,
            at: self.at,
        }
    }

    fn recorded(self) -> Recorded<'r> {
        Recorded {
            record: self.run.index.record,
            session: self.session,
        }
    }

    fn spec(self) -> &'r SessionSpec {
        &self.run.plan().sessions[self.session]
    }

    fn leading_score(self) -> Option<Metric> {
        Some(self.side().accuracy()?.scores.as_ref()?.leading())
    }

    fn figure(self, metric: Metric) -> Estimate {
        if metric == Metric::LatencyP10 {
            return self.p10();
        }
        let findings = &self.run.findings;
        match self.at {
            Some(at) => findings
                .cell(at.of(self.session))
                .and_then(|cell| cell.figure(metric)),
            None => findings.sessions[self.session].figure(metric),
        }
        .cloned()
        .unwrap_or_else(|| Estimate::absent(self.side().why_nothing("not measured")))
    }

    fn p10(self) -> Estimate {
        let side = self.side();
        median(
            &per_launch(side.blocks(), |blocks| {
                median_of_blocks(blocks, |block| block.p10_ns)
            }),
            side.why_nothing("no timed block was recorded").exact(),
        )
    }
}

fn row(metric: Metric, sides: Sides<Measured<'_>>) -> Row {
    Row {
        metric,
        baseline: sides.baseline.figure(metric),
        candidate: sides.candidate.figure(metric),
        outcome: change(metric, sides.map(Measured::side)).map_or_else(
            |reason| RowOutcome::NotCompared { reason },
            |delta| RowOutcome::Compared { delta },
        ),
    }
}

fn judge_together(pairs: &mut [Pair]) {
    for metric in CELL_METRICS.into_iter().chain(session_metrics()) {
        judge(
            metric,
            &mut pairs
                .iter_mut()
                .flat_map(all_rows)
                .filter(|row| row.metric == metric)
                .filter_map(delta)
                .collect::<Vec<_>>(),
        );
    }
}

fn all_rows(pair: &mut Pair) -> impl Iterator<Item = &mut Row> {
    pair.rows
        .iter_mut()
        .chain(pair.cells.iter_mut().flat_map(|cell| &mut cell.rows))
}

fn delta(row: &mut Row) -> Option<&mut Delta> {
    match &mut row.outcome {
        RowOutcome::Compared { delta } => Some(delta),
        RowOutcome::NotCompared { .. } => None,
    }
}

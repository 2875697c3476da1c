//! A comparison of runs as people read it.

use std::path::Path;

use serde::Serialize;

use crate::analysis::comparison::{
    CELL_METRICS, ComparedRun, Comparisons, Delta, Design, Difference, Pair, Row, RowOutcome,
    Setting,
};
use crate::analysis::{AccuracyChange, Change, Estimate, Verdict};
use crate::metric::Metric;
use crate::plan::LoadMode;
use crate::record::FitnessVerdict;
use crate::report::chapters::bottlenecks::command;
use crate::report::pages::rows::{batch, cells_of, figure_name, overview};
use crate::report::words::{
    self, ABSENT, Builder, Item, MEANINGLESS, RowKind, Table, number, plain,
};

/// A comparison of runs as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparisonView {
    /// Subject of the comparison.
    pub title: String,
    /// Warnings that stand before anything else.
    pub warnings: Vec<String>,
    /// One sentence for each comparison.
    pub headlines: Vec<String>,
    /// How to read the tables.
    pub legend: String,
    /// Of three runs or more an overview, then one table for each comparison.
    pub tables: Vec<Table>,
    /// Limits of the intervals, and how to get a narrower answer.
    pub caveats: Vec<String>,
    /// The runs.
    pub runs: Vec<Item>,
    /// Other differences.
    pub differences: Vec<Item>,
}

impl ComparisonView {
    /// The comparison as people read it.
    #[must_use]
    pub fn new(comparisons: &Comparisons) -> Self {
        let tables = comparisons
            .pairs
            .iter()
            .map(|pair| table(comparisons, pair));
        ComparisonView {
            title: title(comparisons),
            warnings: warnings(comparisons),
            headlines: comparisons
                .pairs
                .iter()
                .map(|pair| headline(comparisons, pair))
                .collect(),
            legend: LEGEND.into(),
            tables: overview(comparisons).into_iter().chain(tables).collect(),
            caveats: caveats(comparisons),
            runs: (1..)
                .zip(&comparisons.runs)
                .map(|(number, run)| self::run(number, run))
                .collect(),
            differences: differences(comparisons),
        }
    }
}

const LEGEND: &str = "How to read: 1.05x faster (1.03 to 1.06) is the change from baseline to candidate with its 95% \
interval; n counts rounds or launches, for scores samples.";

fn path(path: &Path) -> String {
    plain(&path.display().to_string())
}

fn title(comparisons: &Comparisons) -> String {
    match (comparisons.runs.as_slice(), comparisons.pairs.as_slice()) {
        ([run], [pair]) => {
            format!(
                "{}: {} against {}",
                run.name,
                plain(&pair.candidate.label),
                plain(&pair.baseline.label)
            )
        }
        ([run], _) => plain(&run.name),
        ([one, other], _) => format!("{} against {}", path(&other.path), path(&one.path)),
        (runs, _) => format!(
            "{} runs against {}",
            runs.len().saturating_sub(1),
            path(&runs[0].path)
        ),
    }
}

fn warnings(comparisons: &Comparisons) -> Vec<String> {
    let first = comparisons
        .runs
        .first()
        .map(|run| path(&run.path))
        .unwrap_or_default();
    comparisons
        .runs
        .iter()
        .flat_map(|run| [incomplete(run), unfit(run), other_machine(run, &first)])
        .flatten()
        .chain(
            comparisons
                .pairs
                .iter()
                .filter_map(|pair| other_model(comparisons, pair)),
        )
        .collect()
}

fn other_model(comparisons: &Comparisons, pair: &Pair) -> Option<String> {
    let differing = differing(&pair.model_differences)?;
    Some(format!(
        "OTHER MODEL: {}: {differing}.",
        sides(comparisons, pair)
    ))
}

fn incomplete(run: &ComparedRun) -> Option<String> {
    (!run.complete).then(|| {
        format!(
            "INCOMPLETE: {} did not come to its own end.",
            path(&run.path)
        )
    })
}

fn other_machine(run: &ComparedRun, first: &str) -> Option<String> {
    let differing = differing(&run.host_differences)?;
    Some(format!(
        "OTHER MACHINE: {} was not measured where {first} was, so a change may be the machine's: {differing}.",
        path(&run.path)
    ))
}

fn unfit(run: &ComparedRun) -> Option<String> {
    let fitness = run.fitness.as_ref();
    let fitness = fitness.filter(|fitness| fitness.verdict != FitnessVerdict::Valid)?;
    let seen = fitness.reasons.iter().map(|reason| &reason.seen);
    Some(format!(
        "{}: {}: {}.",
        fitness.verdict.word(),
        path(&run.path),
        words::joined(seen, "; ")
    ))
}

/// A setting that differs: `memory 8.00 GiB → 16.0 GiB`.
#[must_use]
pub fn difference(difference: &Difference) -> String {
    format!(
        "{} {} → {}",
        difference.what,
        setting(&difference.baseline),
        setting(&difference.candidate)
    )
}

pub(super) fn differing(differences: &[Difference]) -> Option<String> {
    let all = words::joined(differences.iter().map(difference), "; ");
    (!all.is_empty()).then_some(all)
}

fn setting(setting: &Option<Setting>) -> String {
    match setting {
        None => "not told".into(),
        Some(Setting::Text(text)) if text.is_empty() => "none".into(),
        Some(Setting::Text(text)) => plain(text),
        Some(Setting::Count(count)) => number::count(*count),
        Some(Setting::Amount(amount)) => amount.to_string(),
        Some(Setting::Bytes(bytes)) => number::bytes(*bytes),
        Some(Setting::Flag(on)) => words::on_or_off(*on),
    }
}

/// `int8 in runs/new against int8 in runs/old`; without the runs where there is one.
fn sides(comparisons: &Comparisons, pair: &Pair) -> String {
    let [baseline, candidate] =
        [&pair.baseline, &pair.candidate].map(|party| match comparisons.runs.len() {
            1 => plain(&party.label),
            _ => format!(
                "{} in {}",
                plain(&party.label),
                path(&comparisons.runs[party.run].path)
            ),
        });
    format!("{candidate} against {baseline}")
}

fn change(row: &Row) -> Option<&Change> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } => Some(change),
        _ => None,
    }
}

fn score(row: &Row) -> Option<&AccuracyChange> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Score { change, .. },
        } => Some(change),
        _ => None,
    }
}

fn headline(comparisons: &Comparisons, pair: &Pair) -> String {
    let scores = pair.rows.iter().filter_map(score);
    let mut parts = vec![latency_words(pair)];
    parts.extend(scores.map(words::accuracy_change));
    parts.extend(size_words(pair));
    format!("{}: {}", sides(comparisons, pair), parts.join(", "))
}

fn latency_words(pair: &Pair) -> String {
    let mut medians = pair.cells.iter().filter_map(|cell| {
        let mut rows = cell.rows.iter();
        let row = rows.find(|row| row.metric == Metric::LatencyP50)?;
        Some((batch(cell), change(row)?))
    });
    match medians.next() {
        Some((batch, change)) => format!("{} at batch {batch}", words::latency_change(change)),
        None => "latencies not compared".into(),
    }
}

fn size_words(pair: &Pair) -> Option<String> {
    let size = pair
        .rows
        .iter()
        .find(|row| row.metric == Metric::FileSize)?;
    words::size_change(1.0 / change(size)?.ratio.value()?)
}

fn table(comparisons: &Comparisons, pair: &Pair) -> Table {
    let mut cells = pair.cells.iter();
    let modes = cells.any(|cell| cell.load_mode != pair.cells[0].load_mode);
    let mut table = Builder::new(sides(comparisons, pair), &HEADER);
    for metric in CELL_METRICS {
        for cell in &pair.cells {
            let load = if modes {
                cell.load_mode.in_column()
            } else {
                MEANINGLESS.into()
            };
            for row in cell.rows.iter().filter(|row| row.metric == metric) {
                add(&mut table, row, batch(cell), load.clone());
            }
        }
    }
    for row in &pair.rows {
        add(&mut table, row, MEANINGLESS.into(), MEANINGLESS.into());
    }
    table.finish(notes(comparisons, pair))
}

const HEADER: [&str; 8] = [
    "figure",
    "batch",
    LoadMode::COLUMN,
    "baseline",
    "candidate",
    "change",
    "n",
    "verdict",
];

fn add(table: &mut Builder, row: &Row, batch: String, load: String) {
    let name = figure_name(row.metric);
    let at = match batch.as_str() {
        "" => name.to_owned(),
        batch => format!("{name} at batch {batch}"),
    };
    let [change, n, verdict] = cells_of(table, row, &at);
    let kind = if change == ABSENT {
        RowKind::Absent
    } else {
        RowKind::Plain
    };
    let [baseline, candidate] =
        [("baseline", &row.baseline), ("candidate", &row.candidate)].map(|(side, estimate)| {
            match estimate {
                // The reason why there is no change says why one side has no figure.
                Estimate::Absent { .. } if kind == RowKind::Absent => ABSENT.into(),
                estimate if row.metric.is_percentile() => {
                    table.bound(side, &at, row.metric, Some(estimate))
                }
                // With as many digits as its interval supports, but without the interval.
                estimate => table.figure(side, &at, Some(estimate), |found| {
                    let value = found.value().unwrap_or_default();
                    number::value(row.metric.unit(), value, found.interval())
                }),
            }
        });
    table.row(
        kind,
        vec![
            name.into(),
            batch,
            load,
            baseline,
            candidate,
            change,
            n,
            verdict,
        ],
    );
}

fn notes(comparisons: &Comparisons, pair: &Pair) -> Vec<String> {
    let mut notes = Vec::new();
    if pair.cells.is_empty() {
        notes.push("the runs have no shape, batch size and load mode in common".into());
    }
    notes.extend(pair.rows.iter().filter_map(score).filter_map(flips));
    let changes = changes(pair);
    if changes
        .iter()
        .any(|change| change.verdict == Verdict::Inconclusive)
    {
        notes.push(open(comparisons.design).into());
    }
    notes.extend(words::kept_open_note(changes.iter().copied()));
    let remark = changes
        .iter()
        .find_map(|change| change.ratio.measured()?.remark.as_ref());
    notes.extend(remark.map(|remark| format!("where a change has no interval: {remark}")));
    let options = differing(&pair.differences);
    notes.extend(options.map(|options| format!("session options differ: {options}")));
    notes
}

/// The changes of all figures but scores.
fn changes(pair: &Pair) -> Vec<&Change> {
    pair.cells
        .iter()
        .flat_map(|cell| &cell.rows)
        .chain(&pair.rows)
        .filter_map(change)
        .collect()
}

/// Meaning of the word `open`.
fn open(design: Design) -> &'static str {
    match design {
        Design::Paired => "open: not settled; behind it, about how much more time would settle it",
        _ => {
            "open: not settled by these launches; a run in which both take turns is the way to settle it"
        }
    }
}

/// `top-1: 3 samples lost, 2 gained, 7 predictions changed; p = 0.625`.
fn flips(change: &AccuracyChange) -> Option<String> {
    let (lost, gained) = change.lost_count.zip(change.gained_count)?;
    let changed = change.changed_predictions_count?;
    let p = change
        .p_value
        .map(|p| format!("; p {} (McNemar, exact)", number::probability(p)))
        .unwrap_or_default();
    Some(format!(
        "{}: {} samples lost, {} gained, {} predictions changed{p}",
        change.metric.short_label(),
        number::count(lost),
        number::count(gained),
        number::count(changed)
    ))
}

fn caveats(comparisons: &Comparisons) -> Vec<String> {
    if comparisons.design == Design::Paired {
        return vec![
            "Both sides were measured in turns within one run, and are compared round by round."
                .into(),
        ];
    }
    let mut caveats = vec![
        "The runs did not take turns. An interval holds the spread between the launches of each run; what changed on \
         the machine between the times of the runs is not in it."
            .into(),
    ];
    let (same, changed): (Vec<&Pair>, Vec<&Pair>) = comparisons
        .pairs
        .iter()
        .partition(|pair| pair.is_same_model());
    caveats.extend(unchanged(&same));
    let mut commands: Vec<String> = changed.into_iter().map(interleaved).collect();
    commands.dedup();
    caveats.extend(
        commands
            .into_iter()
            .map(|command| format!("For a narrow answer, measure in turns: {command}")),
    );
    caveats
}

fn unchanged(pairs: &[&Pair]) -> Option<String> {
    let mut names: Vec<String> = pairs
        .iter()
        .map(|pair| plain(&pair.candidate.label))
        .collect();
    names.dedup();
    let listed = words::listed(&names);
    (!names.is_empty()).then(|| {
        format!("The model file is the same on both sides of {listed}, so no change there is the model's.")
    })
}

fn interleaved(pair: &Pair) -> String {
    let old = pair.baseline.model.display().to_string();
    let new = pair.candidate.model.display().to_string();
    // Variants are told apart by the names of their files.
    if pair.baseline.model.file_stem() == pair.candidate.model.file_stem() {
        let as_it_was = if old == new { " as it was" } else { "" };
        let command = profile_command("OLD.onnx", &new);
        format!(
            "{command}, where OLD.onnx is a copy of {}{as_it_was}",
            plain(&old)
        )
    } else {
        profile_command(&old, &new)
    }
}

fn profile_command(old: &str, new: &str) -> String {
    command(&["onnxprof", "profile", old, new].map(str::to_owned))
}

fn run(number: usize, run: &ComparedRun) -> Item {
    let not_compared = match words::listed(run.left_out.iter().map(plain)) {
        names if names.is_empty() => names,
        names => format!("; not compared: {names}"),
    };
    let told = format!(
        "{}, {}, {}{not_compared}",
        path(&run.path),
        run.name,
        run.started_at
    );
    Item::new(format!("run {number}"), told)
}

fn differences(comparisons: &Comparisons) -> Vec<Item> {
    comparisons
        .runs
        .iter()
        .filter_map(other_differences)
        .collect()
}

fn other_differences(run: &ComparedRun) -> Option<Item> {
    Some(Item::new(
        path(&run.path),
        differing(&run.other_differences)?,
    ))
}

//! A comparison of runs as people read it.

mod reading;
mod table;
mod told;

pub use told::difference;
pub(in crate::report) use told::differing;

use reading::{change, score};
use table::table;
use told::{path, sides, warnings};

use serde::Serialize;

use crate::analysis::comparison::{ComparedRun, Comparisons, Design, Pair};
use crate::metric::Metric;
use crate::report::chapters::bottlenecks::command;
use crate::report::pages::rows::{batch, overview};
use crate::report::words::{self, Item, Table, plain};

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
    // Variants are named after their files.
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

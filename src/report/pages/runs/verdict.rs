//! What of several runs is shown to differ from the first one.

use super::over_each_other::{Overlay, run_name};
use crate::analysis::comparison::{Delta, Pair, Row, RowOutcome};
use crate::analysis::{AccuracyChange, AccuracyVerdict, Change, Verdict};
use crate::metric::Metric;
use crate::report::words::{self, number, plain};

/// Comparisons that the first line names before it only counts them.
const NAMED: usize = 3;

/// What is known of a session against that of the first run.
struct Standing {
    name: String,
    /// `None` where the median latency was not compared.
    latency: Option<Change>,
    score: Option<AccuracyChange>,
}

/// The verdict, then how many comparisons are open or missing.
pub(super) fn lines(overlay: &Overlay<'_>) -> Vec<String> {
    let pairs = overlay.comparisons.pairs.iter();
    let all: Vec<Standing> = pairs.map(|pair| Standing::of(overlay, pair)).collect();
    let changed: Vec<&Standing> = all.iter().filter(|one| one.is_changed()).collect();
    let at = overlay.at_words();
    let mut lines = vec![match changed.as_slice() {
        [] => nothing_changed(&all, &at),
        changed => format!("Against run 1 at {at}: {}.", listed(changed)),
    }];
    lines.extend((!changed.is_empty()).then(|| others(&all)).flatten());
    lines
}

fn listed(changed: &[&Standing]) -> String {
    let mut named: Vec<String> = changed.iter().take(NAMED).map(|one| one.words()).collect();
    let more = changed.len().saturating_sub(NAMED) as u64;
    named.extend((more > 0).then(|| format!("and {more} more that changed")));
    words::joined(named, "; ")
}

fn nothing_changed(all: &[Standing], at: &str) -> String {
    let compared = || all.iter().filter_map(|one| one.latency.as_ref());
    let (count, open) = (compared().count() as u64, count(all, Verdict::Inconclusive));
    if count == 0 {
        return format!("No median latency at {at} could be compared with that of run 1.");
    }
    if open == 0 {
        let floor = compared()
            .map(|change| change.noise_floor.0)
            .fold(0.0, f64::max);
        return format!(
            "Every median latency at {at} is that of run 1, within the noise floor of {}.",
            number::limit(floor)
        );
    }
    format!(
        "Undecided: no median latency at {at} is shown to differ from that of run 1; open: {open} of {}.",
        words::number_of(count, "comparison")
    )
}

/// `Of the others: 2 the same within the noise floor, 1 open, 1 not compared.`
fn others(all: &[Standing]) -> Option<String> {
    let unchanged = || all.iter().filter(|one| !one.is_changed());
    let with = |verdict| {
        unchanged()
            .filter(|one| {
                one.latency
                    .as_ref()
                    .is_some_and(|found| found.verdict == verdict)
            })
            .count()
    };
    let missing = unchanged().filter(|one| one.latency.is_none()).count();
    let told = [
        (with(Verdict::Same), "as fast within the noise floor"),
        (with(Verdict::Inconclusive), "open"),
        (missing, "not compared"),
    ];
    let told = told.into_iter().filter(|(count, _)| *count > 0);
    let told = words::joined(told.map(|(count, what)| format!("{count} {what}")), ", ");
    (!told.is_empty()).then(|| format!("The other median latencies: {told}."))
}

fn count(all: &[Standing], verdict: Verdict) -> usize {
    let latencies = all.iter().filter_map(|one| one.latency.as_ref());
    latencies.filter(|found| found.verdict == verdict).count()
}

impl Standing {
    fn of(overlay: &Overlay<'_>, pair: &Pair) -> Self {
        let rows = overlay.paired(pair).map_or(&[][..], |cell| &cell.rows);
        Standing {
            name: format!(
                "{} in {}",
                plain(&pair.candidate.label),
                run_name(pair.candidate.run)
            ),
            latency: rows.iter().find_map(latency),
            score: pair.rows.iter().find_map(score),
        }
    }

    fn is_changed(&self) -> bool {
        self.is_faster_or_slower() || self.has_other_score()
    }

    fn is_faster_or_slower(&self) -> bool {
        self.latency
            .as_ref()
            .is_some_and(|change| matches!(change.verdict, Verdict::Faster | Verdict::Slower))
    }

    fn has_other_score(&self) -> bool {
        self.score.as_ref().is_some_and(|change| {
            matches!(
                change.verdict,
                AccuracyVerdict::Better | AccuracyVerdict::Worse
            )
        })
    }

    fn words(&self) -> String {
        let latency = self.latency.as_ref().filter(|_| self.is_faster_or_slower());
        let score = self.score.as_ref().filter(|_| self.has_other_score());
        let parts = latency
            .map(|change| words::latency_change(change).to_string())
            .into_iter()
            .chain(score.map(words::accuracy_change));
        format!("{} {}", self.name, words::joined(parts, ", "))
    }
}

fn latency(row: &Row) -> Option<Change> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Ratio { change, .. },
        } if row.metric == Metric::LatencyP50 => Some(change.clone()),
        RowOutcome::Compared { .. } | RowOutcome::NotCompared { .. } => None,
    }
}

fn score(row: &Row) -> Option<AccuracyChange> {
    match &row.outcome {
        RowOutcome::Compared {
            delta: Delta::Score { change, .. },
        } => Some(change.clone()),
        RowOutcome::Compared { .. } | RowOutcome::NotCompared { .. } => None,
    }
}

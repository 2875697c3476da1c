//! Several runs over each other: what each of them is, one table of the variants by run, charts that
//! lay runs over each other, and what was compared with the first run. All changes are those of
//! [`Comparisons`].

mod over_each_other;
mod pictures;
mod table;
mod told;
mod verdict;

use over_each_other::Overlay;

use super::comparison::ComparisonView;
use crate::analysis::comparison::{Comparisons, NamedRun};
use crate::report::chapter::{Alarm, AlarmLevel, Audience, Block, Chapter, Place};
use crate::report::chapters::Report;
use crate::report::words::{listed, once, plain};

/// Runs over each other, as people read them: `comparisons` holds each against the first.
#[must_use]
pub fn of_runs(runs: &[NamedRun<'_>], comparisons: &Comparisons) -> Report {
    let overlay = Overlay::new(runs, comparisons);
    let view = ComparisonView::new(comparisons);
    let verdict = verdict::lines(&overlay);
    Report::of(
        title(&overlay),
        verdict.first().cloned().unwrap_or_default(),
        vec![
            (Audience::REPORTS, answer(&view, verdict)),
            (Audience::REPORTS, variants(&overlay)),
            (Audience::REPORTS, identity(&overlay)),
            (Audience::REPORTS, files(&overlay)),
            (Audience::REPORTS, intervals(&view)),
            (Audience::IN_FULL, evidence(view)),
        ],
    )
}

/// `3 runs of digits`.
fn title(overlay: &Overlay<'_>) -> String {
    let names = overlay.runs.iter().map(|run| plain(&run.record.run.name));
    format!("{} runs of {}", overlay.runs.len(), listed(once(names)))
}

fn answer(view: &ComparisonView, verdict: Vec<String>) -> Chapter {
    let alarms = view.warnings.iter().map(|warning| {
        Block::Alarm(Alarm {
            level: AlarmLevel::Warning,
            text: warning.clone(),
            rest: None,
            reasons: None,
        })
    });
    Chapter::untitled("answer")
        .with_all(alarms)
        .with(Block::Verdict(verdict))
}

fn variants(overlay: &Overlay<'_>) -> Chapter {
    Chapter::new("variants", "Variants", "Variants by run")
        .table(table::table(overlay))
        .with(Block::Charts(pictures::topic(overlay)))
}

fn identity(overlay: &Overlay<'_>) -> Chapter {
    Chapter::new("runs", "Runs", "What each run is")
        .titled()
        .only(Audience::SUMMARY, Block::heading("What each run is"))
        .with(Block::Items(told::runs(overlay)))
}

/// Which files and options of the runs are the same.
fn files(overlay: &Overlay<'_>) -> Chapter {
    Chapter::untitled("runs")
        .table(told::files(overlay))
        .lines("Options that differ", told::options(overlay))
}

fn intervals(view: &ComparisonView) -> Chapter {
    Chapter::new("intervals", "Intervals", "What the intervals hold")
        .titled()
        .only(Audience::SUMMARY, Block::heading("What the intervals hold"))
        .with(Block::Lines(view.caveats.clone()))
}

/// Everything that was compared, run by run.
fn evidence(view: ComparisonView) -> Chapter {
    let tables = view.tables.into_iter();
    Chapter::new("compared", "Every figure", "Every figure that was compared")
        .titled()
        .with(Block::Legend(view.legend))
        .with_all(tables.map(|table| Block::table(Place::Folded, table)))
}

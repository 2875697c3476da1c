//! The chapters of the reports: a file each, and the one list of who sees which, and where.
//!
//! All scaling, rounding and wording happens here and in `words`; terminal, Markdown and HTML add nothing but layout. Names
//! and messages from outside are harmless for a terminal when they leave this module; escaping is left to the renderer.
//! Read [`ORDER`] first.

pub(super) mod accuracy;
pub(super) mod advice;
pub(super) mod answer;
pub(super) mod bottlenecks;
pub(super) mod conditions;
pub(super) mod context;
pub(super) mod distribution;
pub(super) mod explain;
pub(super) mod failed;
pub(super) mod gpu;
mod latency;
mod measurement;
pub(super) mod operators;
mod placement;
pub(super) mod prediction;
mod provenance;
mod resources;
mod rival;
pub(super) mod roofline;
pub(super) mod scaling;
mod tables;
mod to_do;
pub(super) mod tuning;
mod written;

pub(super) use measurement::MACHINE;

use crate::analysis::Findings;
use crate::record::RunRecord;
use crate::report::chapter::{Audience, Block, Chapter, Paper};
use crate::report::chapters::advice::PriorityView;
use crate::report::chapters::bottlenecks::Entry;
use crate::report::charts::ChartView;
use crate::report::template::Filled;
use crate::report::words::{Source, plain};

struct Line {
    make: fn(Source<'_>) -> Chapter,
    sweep: Audience,
    search: Audience,
}

const fn line(make: fn(Source<'_>) -> Chapter, sweep: Audience, search: Audience) -> Line {
    Line { make, sweep, search }
}

const NOBODY: Audience = Audience::NOBODY;
const SUMMARY: Audience = Audience::SUMMARY;
const WRITTEN: Audience = Audience::WRITTEN;
const MARKDOWN: Audience = Audience::MARKDOWN;
const PAGE: Audience = Audience::PAGE;
const IN_FULL: Audience = Audience::IN_FULL;
const ALL: Audience = Audience::EVERYBODY;

/// Every chapter: its file, who sees it of a sweep, and who of a search. Two lines where papers differ in its place.
#[rustfmt::skip]
const ORDER: &[Line] = &[
    line(measurement::alarms,         ALL,                   ALL),
    line(answer::chapter,             ALL,                   ALL),
    line(answer::variants,            ALL,                   NOBODY),
    line(explain::summary,            SUMMARY,               SUMMARY),
    line(latency::strips,             SUMMARY,               NOBODY),
    line(latency::legend,             MARKDOWN.and(SUMMARY), MARKDOWN),
    line(explain::in_search,          NOBODY,                MARKDOWN),
    line(tuning::chapter,             NOBODY,                ALL),
    line(latency::chapter,            ALL,                   NOBODY),
    line(written::baseline,           WRITTEN,               NOBODY),
    line(scaling::chapter,            ALL,                   NOBODY),
    line(scaling::scaling,            PAGE,                  NOBODY),
    line(accuracy::chapter,           ALL,                   IN_FULL),
    line(resources::loading_table,    MARKDOWN.and(SUMMARY), MARKDOWN),
    line(resources::memory,           IN_FULL,               PAGE),
    line(resources::loading_charts,   MARKDOWN,              NOBODY),
    line(resources::energy,           MARKDOWN.and(SUMMARY), MARKDOWN),
    line(operators::summary_chapter,  SUMMARY,               NOBODY),
    line(scaling::summary,            SUMMARY,               NOBODY),
    line(scaling::scaling,            MARKDOWN,              NOBODY),
    line(written::bottlenecks,        WRITTEN,               NOBODY),
    line(explain::chapter,            MARKDOWN,              NOBODY),
    line(operators::chapter,          IN_FULL,               NOBODY),
    line(explain::chapter,            PAGE,                  NOBODY),
    line(written::strategy,           WRITTEN,               NOBODY),
    line(to_do::not_tried,            MARKDOWN.and(SUMMARY), NOBODY),
    line(written::plan,               WRITTEN,               NOBODY),
    line(to_do::chapter,              PAGE,                  NOBODY),
    line(resources::run,              PAGE,                  PAGE),
    line(resources::energy,           PAGE,                  PAGE),
    line(resources::loading_charts,   PAGE,                  PAGE),
    line(resources::loading_table,    PAGE,                  PAGE),
    line(measurement::configuration,  SUMMARY,               NOBODY),
    line(measurement::summary,        SUMMARY,               SUMMARY),
    line(measurement::written,        MARKDOWN,              MARKDOWN),
    line(measurement::machine,        PAGE,                  PAGE),
    line(measurement::provenance,     MARKDOWN,              MARKDOWN),
    line(measurement::reproduce,      PAGE,                  PAGE),
];

/// A run as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the run.
    pub title: String,
    chapters: Vec<(Audience, Chapter)>,
    pub(super) template: Filled,
    pub(super) bottlenecks: Vec<Entry>,
    pub(super) priorities: Vec<PriorityView>,
    /// Advice by effort: the tasks of each phase of the implementation plan.
    pub(super) tasks: Vec<Vec<Entry>>,
}

impl Report {
    /// The run as people read it.
    #[must_use]
    pub fn new(record: &RunRecord, findings: &Findings) -> Self {
        let source = Source { record, findings };
        let audience = |line: &Line| if findings.tuning.is_some() { line.search } else { line.sweep };
        let lines = ORDER.iter().map(|line| (audience(line), line.make));
        let seen = lines.filter(|(audience, _)| *audience != NOBODY);
        Report {
            title: plain(&record.run.name),
            chapters: seen.map(|(audience, make)| (audience, make(source))).collect(),
            template: Filled::by(source),
            bottlenecks: bottlenecks::bottlenecks(source),
            priorities: advice::priorities(source),
            tasks: advice::phases(source).into_iter().map(|phase| phase.tasks).collect(),
        }
    }

    /// The chapters that a paper shows, in its order.
    pub fn chapters(&self, paper: Paper) -> impl Iterator<Item = &Chapter> {
        let seen = self.chapters.iter().filter(move |(audience, _)| audience.has(paper));
        seen.map(|(_, chapter)| chapter).filter(move |chapter| chapter.shown(paper).next().is_some())
    }

    /// All charts, in the order of the page.
    pub fn charts(&self) -> impl Iterator<Item = &ChartView> {
        let blocks = self.chapters(Paper::Page).flat_map(|chapter| chapter.shown(Paper::Page));
        blocks.filter_map(|block| if let Block::Charts(topic) = block { Some(&topic.charts) } else { None }).flatten()
    }
}

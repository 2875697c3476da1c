//! The chapters of the reports: a file each, and the one list of who sees which, and where.
//!
//! All scaling, rounding and wording happens here and in `words`; terminal, Markdown and HTML add
//! nothing but layout. Names and messages from outside are harmless for a terminal when they leave
//! this module; escaping is left to the renderer. Read [`ORDER`] first.

pub(super) mod accuracy;
pub(super) mod advice;
pub(super) mod answer;
pub(super) mod bottlenecks;
pub(super) mod cards;
pub(super) mod conditions;
pub(super) mod context;
pub(super) mod distribution;
pub(super) mod explain;
pub(super) mod failed;
pub(super) mod gpu;
pub(super) mod gpu_cost;
mod idle;
pub(super) mod implementation_plan;
mod latency;
pub(super) mod load;
mod measurement;
mod not_tried;
pub(super) mod operators;
mod placement;
pub(super) mod prediction;
mod provenance;
mod resources;
mod rival;
pub(super) mod roofline;
pub(super) mod scaling;
pub(super) mod screen;
pub(super) mod standing;
pub(super) mod tables;
mod to_do;
pub(super) mod tuning;
mod written;

pub(super) use measurement::MACHINE;

use crate::analysis::Findings;
use crate::record::RunRecord;
use crate::report::chapter::{Audience, Block, Chapter, Paper};
use crate::report::charts::{self, ChartView};
use crate::report::template::{Key, items};
use crate::report::words::{self, Builder, Item, Section, Source, Table, number, plain};
use crate::text::distinct;

/// A chapter, who sees it of a sweep, who of a search for session options, and who of a run under
/// load.
struct Line(fn(Source<'_>) -> Chapter, Audience, Audience, Audience);

const NOBODY: Audience = Audience::NOBODY;
const SCREEN: Audience = Audience::SCREEN;
const SUMMARY: Audience = Audience::SUMMARY;
const WRITTEN: Audience = Audience::WRITTEN;
const MARKDOWN: Audience = Audience::MARKDOWN;
const WHOLE: Audience = Audience::WHOLE;
const PAGE: Audience = Audience::PAGE;
const BROWSER: Audience = Audience::BROWSER;
const ON_TERMINALS: Audience = Audience::ON_TERMINALS;
const IN_FULL: Audience = Audience::IN_FULL;
const ALL: Audience = Audience::REPORTS;

/// Every chapter. Two lines where papers differ in its place.
#[rustfmt::skip]
const ORDER: &[Line] = &[
    Line(screen::chapter,              SCREEN,                SCREEN,   SCREEN),
    Line(measurement::alarms,          ALL,                   ALL,      ALL),
    Line(answer::chapter,              ALL,                   ALL,      NOBODY),
    Line(load::answer,                 NOBODY,                NOBODY,   ALL),
    Line(load::capacity,               NOBODY,                NOBODY,   ALL),
    Line(load::stress,                 NOBODY,                NOBODY,   ALL),
    Line(load::soak,                   NOBODY,                NOBODY,   ALL),
    Line(load::rates,                  NOBODY,                NOBODY,   ALL),
    Line(load::candidates,             NOBODY,                NOBODY,   ALL),
    Line(load::saturation,             NOBODY,                NOBODY,   ALL),
    Line(load::batching,               NOBODY,                NOBODY,   ALL),
    Line(load::parts,                  NOBODY,                NOBODY,   PAGE),
    Line(load::integrity,              NOBODY,                NOBODY,   ALL),
    Line(load::generator,              NOBODY,                NOBODY,   ALL),
    Line(load::arrivals,               NOBODY,                NOBODY,   ALL),
    Line(latency::cards,               BROWSER,               NOBODY,   NOBODY),
    Line(accuracy::speed,              BROWSER,               NOBODY,   NOBODY),
    Line(latency::standing,            BROWSER,               NOBODY,   NOBODY),
    Line(tuning::opening,              NOBODY,                BROWSER,  NOBODY),
    Line(answer::variants,             ON_TERMINALS,          NOBODY,   NOBODY),
    Line(explain::summary,             SUMMARY,               SUMMARY,  NOBODY),
    Line(latency::strips,              SUMMARY.and(WHOLE),    NOBODY,   NOBODY),
    Line(latency::legend,              MARKDOWN.and(SUMMARY), MARKDOWN, MARKDOWN.and(SUMMARY)),
    Line(explain::in_search,           NOBODY,                MARKDOWN, NOBODY),
    Line(tuning::chapter,              NOBODY,                ALL,      NOBODY),
    Line(latency::chapter,             ALL,                   NOBODY,   NOBODY),
    Line(written::baseline,            WRITTEN,               NOBODY,   NOBODY),
    Line(scaling::chapter,             ALL,                   NOBODY,   NOBODY),
    Line(scaling::scaling,             PAGE,                  NOBODY,   NOBODY),
    Line(accuracy::chapter,            ALL,                   IN_FULL,  IN_FULL),
    Line(resources::loading_table,     MARKDOWN.and(SUMMARY), MARKDOWN, NOBODY),
    Line(resources::memory,            IN_FULL,               PAGE,     NOBODY),
    Line(resources::loading_charts,    MARKDOWN,              NOBODY,   NOBODY),
    Line(resources::energy,            MARKDOWN.and(SUMMARY), MARKDOWN, NOBODY),
    Line(operators::summary_chapter,   SUMMARY,               NOBODY,   NOBODY),
    Line(scaling::summary,             SUMMARY,               NOBODY,   NOBODY),
    Line(scaling::scaling,             MARKDOWN,              NOBODY,   NOBODY),
    Line(written::bottlenecks,         WRITTEN,               NOBODY,   NOBODY),
    Line(explain::chapter,             MARKDOWN,              NOBODY,   NOBODY),
    Line(operators::chapter,           IN_FULL,               NOBODY,   NOBODY),
    Line(explain::chapter,             PAGE,                  NOBODY,   NOBODY),
    Line(written::strategy,            WRITTEN,               NOBODY,   NOBODY),
    Line(to_do::not_tried,             MARKDOWN.and(SUMMARY), NOBODY,   NOBODY),
    Line(written::plan,                WRITTEN,               NOBODY,   NOBODY),
    Line(to_do::chapter,               PAGE,                  NOBODY,   NOBODY),
    Line(resources::run,               PAGE,                  PAGE,     NOBODY),
    Line(resources::energy,            PAGE,                  PAGE,     NOBODY),
    Line(resources::loading_charts,    PAGE,                  PAGE,     NOBODY),
    Line(resources::loading_table,     PAGE,                  PAGE,     NOBODY),
    Line(measurement::configuration,   SUMMARY.and(WHOLE),    NOBODY,   SUMMARY.and(WHOLE)),
    Line(measurement::summary,         SUMMARY,               SUMMARY,  SUMMARY),
    Line(measurement::written,         MARKDOWN,              MARKDOWN, MARKDOWN),
    Line(measurement::machine,         PAGE,                  PAGE,     PAGE),
    Line(measurement::provenance,      MARKDOWN,              MARKDOWN, MARKDOWN),
    Line(measurement::reproduce,       PAGE,                  PAGE,     PAGE),
];

/// A run as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the run.
    pub title: String,
    /// The verdict, in one sentence.
    pub verdict: String,
    chapters: Vec<(Audience, Chapter)>,
}

impl Report {
    /// The run as people read it.
    #[must_use]
    pub fn new(record: &RunRecord, findings: &Findings) -> Self {
        let source = Source { record, findings };
        let chapters = ORDER.iter().filter_map(|&Line(make, sweep, search, load)| {
            let audience = match (&findings.load, &findings.tuning) {
                (Some(_), _) => load,
                (None, Some(_)) => search,
                (None, None) => sweep,
            };
            (audience != NOBODY).then(|| (audience, make(source)))
        });
        Report {
            title: plain(&record.run.name),
            verdict: screen::verdict(source),
            chapters: chapters.collect(),
        }
    }

    /// Chapters that are not those of one run.
    pub(in crate::report) fn of(
        title: String,
        verdict: String,
        chapters: Vec<(Audience, Chapter)>,
    ) -> Self {
        Report {
            title,
            verdict,
            chapters,
        }
    }

    /// The chapters that a paper shows, in its order.
    pub fn chapters(&self, paper: Paper) -> impl Iterator<Item = &Chapter> {
        self.chapters
            .iter()
            .filter(move |(audience, chapter)| {
                audience.has(paper) && chapter.shown(paper).next().is_some()
            })
            .map(|(_, chapter)| chapter)
    }

    /// The chapters that a terminal can show, in the order of the page.
    pub fn whole(&self) -> impl Iterator<Item = &Chapter> {
        self.chapters(Paper::Whole).filter(|chapter| {
            chapter
                .shown(Paper::Whole)
                .any(|block| !block.is_empty_as_text())
        })
    }

    /// Ids of these chapters, each once.
    #[must_use]
    pub fn ids(&self) -> Vec<&'static str> {
        distinct(self.whole().map(|chapter| chapter.id))
    }

    /// All charts, in the order of the page.
    pub fn charts(&self) -> impl Iterator<Item = &ChartView> {
        self.chapters(Paper::Page)
            .flat_map(|chapter| chapter.shown(Paper::Page))
            .filter_map(|block| {
                let Block::Charts(topic) = block else {
                    return None;
                };
                Some(topic)
            })
            .flat_map(|topic| &topic.charts)
    }
}

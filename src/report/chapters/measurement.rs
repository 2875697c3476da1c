//! How it was measured: the machine and what disturbed it, the configuration in force, and where
//! everything came from.

use std::collections::BTreeSet;

use super::bottlenecks::own_command;
use super::{
    Audience, Block, Chapter, Item, Source, charts, conditions, context, placement, provenance,
};
use crate::analysis::Findings;
use crate::metric::Metric;
use crate::record::{FitnessVerdict, RunRecord};
use crate::report::chapter::{Alarm, AlarmLevel, Fold};

/// The chapter that says whether the machine was fit to measure on.
pub(in crate::report) const MACHINE: &str = "machine";

const METHOD: &str = "Percentiles are by nearest rank over all timed inferences, with the interval of order statistics; \
a percentile that the sample cannot bound from both sides is not given. Other intervals are over launches, one value \
each: Hodges-Lehmann with the signed-rank interval. Ratios to the baseline are taken between neighbouring blocks, their \
median stands for the launch. A verdict of faster or slower needs an interval that excludes 1 and a change beyond the \
metric's noise floor.";

const CONFIGURATION: &str = "Configuration in force";
const PLACEMENT: &str = "Where the nodes ran";

pub(super) fn configuration(source: Source<'_>) -> Chapter {
    with_placement(Chapter::untitled("configuration"), source)
}

fn with_placement(chapter: Chapter, source: Source<'_>) -> Chapter {
    optional(
        chapter.items(CONFIGURATION, context::configuration(source)),
        PLACEMENT,
        placement::placement(source),
    )
}

fn optional(chapter: Chapter, title: &str, items: Vec<Item>) -> Chapter {
    if items.is_empty() {
        chapter
    } else {
        chapter.items(title, items)
    }
}

pub(super) fn summary(source: Source<'_>) -> Chapter {
    let ending = vec![context::ending(source)];
    Chapter::untitled(MACHINE).lines("Measurement", [ending, in_detail(source)].concat())
}

/// Whether the machine was fit, and how good the figures are.
fn in_detail(source: Source<'_>) -> Vec<String> {
    [fitness(source.findings), context::quality(source)].concat()
}

fn fitness(findings: &Findings) -> Vec<String> {
    match &findings.ending.fitness {
        Some(fitness) => conditions::verdict(fitness),
        None => vec![conditions::not_judged(findings.ending.complete)],
    }
}

pub(super) fn written(source: Source<'_>) -> Chapter {
    Chapter::new(MACHINE, "", "How this was measured")
        .titled()
        .with(Block::Sentence(context::ending(source)))
        .with(Block::Lines(in_detail(source)))
        .with(Block::Charts(charts::timeline(source)))
}

pub(super) fn machine(source: Source<'_>) -> Chapter {
    let quality = Some(context::quality(source)).filter(|lines| !lines.is_empty());
    let chapter = Chapter::new(MACHINE, "Machine", "Was the machine fit to measure on?")
        .with(Block::Lines(fitness(source.findings)))
        .with_all(quality.map(Block::Lines));
    with_conditions(chapter, source.record).items("Machine", context::machine(&source.record.host))
}

fn with_conditions(chapter: Chapter, record: &RunRecord) -> Chapter {
    let items = record
        .conditions
        .iter()
        .flat_map(|seen| conditions::conditions(&record.host, seen));
    optional(chapter, "Conditions during the run", items.collect())
}

pub(super) fn provenance(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("provenance").with_all(whole_run(source.record));
    let chapter =
        with_placement(chapter, source).items("Machine", context::machine(&source.record.host));
    with_conditions(chapter, source.record)
        .items("Provenance", provenance::items(source.record))
        .with(Block::Sentence("Models:".into()))
        .with(Block::Items(provenance::models(source.record)))
        .items("Definitions", definitions(source))
        .with(Block::Sentence(METHOD.into()))
}

fn whole_run(record: &RunRecord) -> [Block; 2] {
    [
        Block::Sentence("Reproduce the whole run:".into()),
        Block::Command(own_command(&record.run)),
    ]
}

pub(super) fn reproduce(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("provenance", "Provenance", "Provenance")
        .with_all(whole_run(source.record))
        .with(Block::Items(provenance::items(source.record)))
        .items("Models", provenance::models(source.record));
    with_placement(chapter, source).with(Block::Folded(Fold {
        title: "Definitions of the figures".into(),
        items: definitions(source),
    }))
}

/// A run that did not come to its end, and a machine that was not fit.
pub(super) fn alarms(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("alarms").with_all(incomplete(source).map(Block::Alarm));
    let Some(alarm) = unfit(source) else {
        return chapter;
    };
    let audience = match alarm.level {
        AlarmLevel::Warning => Audience::PAGE,
        AlarmLevel::Alarm => Audience::EVERYBODY,
    };
    chapter.only(audience, Block::Alarm(alarm)).only(
        Audience::BROWSER,
        Block::Charts(charts::machine_over_time(source)),
    )
}

/// Whether a page shows how the machine went beside a warning about it.
pub(super) fn warns_of_machine(source: Source<'_>) -> bool {
    unfit(source).is_some()
}

fn incomplete(source: Source<'_>) -> Option<Alarm> {
    (!source.findings.ending.complete).then(|| Alarm {
        level: AlarmLevel::Alarm,
        text: context::ending(source),
        rest: Some("What follows is what had been measured."),
        reasons: None,
    })
}

fn unfit(source: Source<'_>) -> Option<Alarm> {
    let fitness = source.findings.ending.fitness.as_ref()?;
    let level = match fitness.verdict {
        FitnessVerdict::Valid => return None,
        FitnessVerdict::Suspect => AlarmLevel::Warning,
        FitnessVerdict::Invalid => AlarmLevel::Alarm,
    };
    Some(Alarm {
        level,
        text: format!("{}.", conditions::verdict(fitness).first()?),
        rest: None,
        reasons: Some(MACHINE),
    })
}

/// The definition of every metric that the run has a figure of, in the metrics' own order.
fn definitions(source: Source<'_>) -> Vec<Item> {
    let findings = source.findings;
    let of_sessions = findings.sessions.iter().map(|session| &session.figures);
    let of_cells = findings.cells.iter().map(|cell| &cell.figures);
    let metrics: BTreeSet<Metric> = of_sessions
        .chain(of_cells.max_by_key(|figures| figures.len()))
        .flatten()
        .map(|figure| figure.metric)
        .collect();
    metrics
        .into_iter()
        .map(|metric| Item::new(metric.label(), metric.definition()))
        .collect()
}

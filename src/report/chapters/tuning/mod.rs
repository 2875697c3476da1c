//! Findings of a search for the best session options, in words and tables.

mod answer;
mod cards;
mod configurations;
mod phrases;
mod task;

use std::collections::BTreeSet;

use crate::analysis::tuning::{self, Candidate, State, TuningFindings, TuningVerdict, criteria};
use crate::record::RunRecord;
use crate::report::chapter::{Audience, Block, Chapter, Place};
use crate::report::chapters::cards::Card;
use crate::report::chapters::context::effective;
use crate::report::chapters::{explain, latency};
use crate::report::charts;
use crate::report::words::session_code::{Deployment, SessionCode, session_code};
use crate::report::words::{self, Source, Table, number, plain};
use configurations::Fates;
use phrases::{Search, words_of};
pub(in crate::report) use task::{Task, task};

/// Rows that the terminal shows of all configurations.
const SHOWN: usize = 12;

const AXES: &str = "A configuration stands here if none of the others is better in median latency, throughput, peak memory \
or top-1 accuracy without being worse in another of them, beyond the noise floor. Latency and throughput are compared with \
each other as ratios to the best one, from blocks that took turns. The one that the answer names always stands here.";

pub(in crate::report) fn answer(source: Source<'_>) -> Option<Vec<String>> {
    let found = source.findings.tuning.as_ref()?;
    Some(source.about(found).answer())
}

/// What a page of a search opens with.
pub(super) fn opening(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("search", "Search", "What the search found").open();
    match &source.findings.tuning {
        Some(found) => chapter
            .with(Block::Cards(best_cards(source, found)))
            .with(Block::Charts(charts::search(source)))
            .table(best(source, found)),
        None => chapter,
    }
}

/// Configurations that have a card.
const CARDS: usize = 4;

fn best_cards(source: Source<'_>, found: &TuningFindings) -> Vec<Card> {
    let mut places = shortlist(found, found.order());
    places.truncate(CARDS);
    source.about(found).cards(&places)
}

fn best(source: Source<'_>, found: &TuningFindings) -> Table {
    source.about(found).table(
        "Best configurations",
        &shortlist(found, found.order()),
        Fates::InOneWord,
    )
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("options", "Session options", "Session options").titled();
    let Some(found) = &source.findings.tuning else {
        return chapter;
    };
    let search = source.about(found);
    let order = found.order();
    let all = search.table("All configurations", &order, Fates::InFull);
    chapter
        .only(
            Audience::AS_TEXT,
            Block::table(Place::Open, best(source, found)),
        )
        .only(Audience::PAGE, latency::how_to_read())
        .only(Audience::PAGE, Block::Lines(explain::sentences(source)))
        .table(search.front(order))
        .with_all(
            best_as_code(source.record, found)
                .into_iter()
                .map(Block::Code),
        )
        .only(Audience::SUMMARY, Block::heading("Search"))
        .only(Audience::IN_FULL, Block::heading("How the search decided"))
        .with(Block::Lines(search.method()))
        .only(Audience::IN_FULL, Block::table(Place::Folded, all))
}

/// The best configurations, as many as a screen has room for; `None` where the run is no search.
pub(super) fn on_a_screen(source: Source<'_>, rows: usize) -> Option<Table> {
    let found = source.findings.tuning.as_ref()?;
    let mut few = shortlist(found, found.order());
    few.truncate(rows);
    let table = source
        .about(found)
        .table("Best configurations", &few, Fates::InOneWord);
    Some(Table {
        notes: Vec::new(),
        ..table
    })
}

/// The first configurations that were not dropped, and the defaults.
fn shortlist(found: &TuningFindings, mut places: Vec<usize>) -> Vec<usize> {
    places.retain(|&place| {
        Some(place) == found.defaults || found.candidates[place].state != State::Out
    });
    places.truncate(SHOWN);
    places
}

fn best_as_code(record: &RunRecord, found: &TuningFindings) -> Vec<SessionCode> {
    let best = found
        .best()
        .filter(|_| found.verdict != TuningVerdict::NothingMeasured);
    let Some(&Candidate { key, .. }) = best else {
        return Vec::new();
    };
    let variant = record.plan.variant_of(key.session);
    let runtime = record.runtime_of(key.session);
    session_code(&Deployment {
        spec: &record.plan.sessions[key.session],
        model: &variant.path.display().to_string(),
        batch_size: key.batch_size,
        runtime_version: runtime.map(|runtime| runtime.version.exact()),
        effective: effective(record, key.session),
    })
}

impl Search<'_> {
    fn front(&self, mut order: Vec<usize>) -> Table {
        order.retain(|place| self.found.front.contains(place));
        let mut front = self.table("Pareto front", &order, Fates::InOneWord);
        front.notes.push(AXES.into());
        front
    }

    fn method(&self) -> Vec<String> {
        let mut lines = vec![extent(self.found), self.dropping(), preference(self.found)];
        let mut plans = self.record.plan.tuning.iter();
        lines.extend(plans.any(|plan| !plan.slo.is_empty()).then(slo_method));
        lines.extend(in_sequence(self.record));
        lines.extend(resumed(self.record));
        lines
    }

    fn dropping(&self) -> String {
        format!(
            "A configuration is dropped only where the signed-rank test over rounds shows that another one which keeps the \
             SLO is better beyond the noise floor of {}, or where the favourable end of an interval still breaks the SLO or \
             the accuracy allowed. One that is no worse than any other is dropped with a probability of {} at most in each \
             group.",
            self.floor(),
            number::limit(tuning::drop_error())
        )
    }
}

/// How much was measured.
fn extent(found: &TuningFindings) -> String {
    let all = found.candidates.iter();
    let measured = all.clone().filter(|one| one.is_measured()).count() as u64;
    let others = match all.len() as u64 - measured {
        0 => String::new(),
        others => {
            format!(
                "; {} {} decided about without",
                number::count(others),
                was(others)
            )
        }
    };
    format!(
        "{} {} measured in {} and {}{others}.",
        words::counted_noun(measured, "configuration"),
        was(measured),
        words::counted_noun(found.heats_count, "group"),
        words::counted_noun(found.rounds_count, "round"),
    )
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

fn preference(found: &TuningFindings) -> String {
    let criteria = criteria(found.objective).iter().copied().map(words_of);
    format!(
        "Of configurations that do as well within the noise floor, the one taken has {}, as far as it is shown.",
        words::joined(criteria, ", else ")
    )
}

fn resumed(record: &RunRecord) -> Option<String> {
    let times = record.tuning.as_ref()?.resumed_at_ns.len() as u64;
    let again = words::number_of(times, "time");
    (times > 0).then(|| format!("The search was taken up again {again}."))
}

fn slo_method() -> String {
    format!(
        "The SLO is judged by intervals {} times as wide as those shown, because a group is checked up to {} times: {} \
         sure on one side each time, so that a configuration that keeps it is dropped for it in at most {} of groups.",
        tuning::SLO_WIDENED,
        number::in_words(tuning::LOOKS.len()),
        number::limit(tuning::slo_confidence()),
        number::limit(tuning::slo_error())
    )
}

fn in_sequence(record: &RunRecord) -> Option<String> {
    let plan = record
        .plan
        .tuning
        .as_ref()
        .filter(|plan| plan.space.executions.len() > 1)?;
    let variants: BTreeSet<usize> = record
        .plan
        .sessions
        .iter()
        .take(plan.base_sessions_count)
        .map(|base| base.variant)
        .collect();
    let names: Vec<String> = variants
        .into_iter()
        .filter(|&variant| {
            record.variants[variant]
                .model
                .as_ref()
                .is_some_and(|model| model.is_chain())
        })
        .map(|variant| plain(&record.plan.variants[variant].name))
        .collect();
    let whose = match names.len() {
        0 => return None,
        1 => "its",
        _ => "their",
    };
    Some(format!(
        "Parallel execution was not tried for {}: none of {whose} operators could run beside another.",
        words::listed(names)
    ))
}

//! What a search for the best session options found, in words and tables.

mod answer;
mod configurations;
mod phrases;

use std::collections::BTreeSet;

use crate::analysis::tuning::{self, State, TuningFindings, TuningVerdict, criteria};
use crate::report::chapter::{Audience, Block, Chapter, Place};
use crate::report::chapters::{explain, latency};
use crate::report::words::session_code::{Deployment, SessionCode, session_code};
use crate::report::words::{self, Source, Table, number, plain};
use configurations::{Fates, table};
use phrases::{floor, words_of};

/// Rows that the terminal shows of all configurations.
const SHOWN: usize = 12;

const AXES: &str = "A configuration stands here if none of the others is better in median latency, throughput, peak memory \
or top-1 accuracy without being worse in another of them, beyond the noise floor. Latency and throughput are held against \
each other as ratios to the best one, from blocks that took turns. The one that the answer names always stands here.";

pub(super) fn answer(source: Source<'_>) -> Option<Vec<String>> {
    source
        .findings
        .tuning
        .as_ref()
        .map(|found| answer::answer(source, found))
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("options", "Session options", "Session options").titled();
    let Some(found) = &source.findings.tuning else {
        return chapter;
    };
    let order = found.order();
    let few = shortlist(found, &order);
    let shortlist = table(source, found, "Best configurations", &few, Fates::InOneWord);
    let all = table(source, found, "All configurations", &order, Fates::InFull);
    chapter
        .table(shortlist)
        .only(Audience::PAGE, latency::how_to_read())
        .only(Audience::PAGE, Block::Lines(explain::sentences(source)))
        .table(front(source, found, &order))
        .with_all(best_as_code(source, found).into_iter().map(Block::Code))
        .only(Audience::SUMMARY, Block::heading("Search"))
        .only(Audience::IN_FULL, Block::heading("How the search decided"))
        .with(Block::Lines(method(source, found)))
        .only(Audience::IN_FULL, Block::table(Place::Folded, all))
}

/// The first configurations that were not dropped, and the defaults.
fn shortlist(found: &TuningFindings, order: &[usize]) -> Vec<usize> {
    let places = order.iter().copied();
    places
        .filter(|&place| {
            Some(place) == found.defaults || found.candidates[place].state != State::Out
        })
        .take(SHOWN)
        .collect()
}

fn front(source: Source<'_>, found: &TuningFindings, order: &[usize]) -> Table {
    let places: Vec<usize> = order
        .iter()
        .filter(|place| found.front.contains(place))
        .copied()
        .collect();
    let mut front = table(source, found, "Pareto front", &places, Fates::InOneWord);
    front.notes.push(AXES.into());
    front
}

fn best_as_code(source: Source<'_>, found: &TuningFindings) -> Vec<SessionCode> {
    let best = found
        .best()
        .filter(|_| found.verdict != TuningVerdict::NothingMeasured);
    let Some(key) = best.map(|best| best.key) else {
        return Vec::new();
    };
    let variant = source.record.plan.variant_of(key.session);
    let launches = source
        .record
        .launches
        .iter()
        .filter(|launch| launch.session == key.session);
    session_code(&Deployment {
        spec: &source.record.plan.sessions[key.session],
        model: &variant.path.display().to_string(),
        batch_size: key.batch_size,
        runtime_version: source
            .record
            .runtime_of(key.session)
            .map(|runtime| runtime.version.as_str()),
        effective: launches
            .filter_map(|launch| launch.effective.as_ref())
            .next(),
    })
}

fn method(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let mut lines = vec![extent(found), dropping(found), preference(found)];
    let mut plans = source.record.plan.tuning.iter();
    lines.extend(plans.any(|plan| !plan.slo.is_empty()).then(slo_method));
    lines.extend(in_sequence(source));
    lines.extend(resumed(source));
    lines
}

/// How much was measured.
fn extent(found: &TuningFindings) -> String {
    let measured = found
        .candidates
        .iter()
        .filter(|one| one.is_measured())
        .count() as u64;
    let untried = found.candidates.len() as u64 - measured;
    let others = (untried > 0).then(|| {
        format!(
            "; {} {} decided about without",
            number::count(untried),
            was(untried)
        )
    });
    format!(
        "{} {} measured in {} and {}{}.",
        counted(measured, "configuration"),
        was(measured),
        counted(found.heats_count, "heat"),
        counted(found.rounds_count, "round"),
        others.unwrap_or_default()
    )
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", number::count(count), words::plural(count))
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

fn dropping(found: &TuningFindings) -> String {
    format!(
        "A configuration is dropped only where the signed-rank test over rounds shows that another one which keeps the \
         SLO is better beyond the noise floor of {}, or where the favourable end of an interval still breaks the SLO or \
         the accuracy allowed. One that is no worse than any other is dropped with a probability of {} at most in each \
         heat.",
        floor(found.metric),
        number::limit(tuning::drop_error())
    )
}

fn preference(found: &TuningFindings) -> String {
    let criteria = criteria(found.objective).iter();
    let criteria: Vec<&str> = criteria.map(|criterion| words_of(*criterion)).collect();
    format!(
        "Of configurations that do as well within the noise floor, the one taken has {}, as far as it is shown.",
        criteria.join(", else ")
    )
}

fn resumed(source: Source<'_>) -> Option<String> {
    let searches = source.record.tuning.iter();
    let times: u64 = searches
        .map(|tuning| tuning.resumed_at_ns.len() as u64)
        .sum();
    let plural = words::plural(times);
    (times > 0).then(|| format!("The search was taken up again {times} time{plural}."))
}

fn slo_method() -> String {
    format!(
        "The SLO is held against intervals {} times as wide as those shown, because a heat is looked at up to {} times: {} \
         sure on one side each time, so that a configuration that keeps it is dropped for it in at most {} of heats.",
        tuning::SLO_WIDENED,
        number::in_words(tuning::LOOKS.len()),
        number::limit(tuning::slo_confidence()),
        number::limit(tuning::slo_error())
    )
}

fn in_sequence(source: Source<'_>) -> Option<String> {
    let record = source.record;
    let plan = record.plan.tuning.as_ref();
    let plan = plan.filter(|plan| plan.space.executions.len() > 1)?;
    let bases = record.plan.sessions.iter().take(plan.base_sessions_count);
    let chains: BTreeSet<usize> = bases
        .map(|base| base.variant)
        .filter(|&variant| is_chain(source, variant))
        .collect();
    let names: Vec<String> = chains
        .iter()
        .map(|&variant| plain(&record.plan.variants[variant].name))
        .collect();
    let whose = if names.len() == 1 { "its" } else { "their" };
    (!names.is_empty()).then(|| {
        format!(
            "Parallel execution was not tried for {}: none of {whose} operators could run beside another.",
            words::listed(&names)
        )
    })
}

fn is_chain(source: Source<'_>, variant: usize) -> bool {
    let model = source.record.variants[variant].model.as_ref();
    model.is_some_and(|model| model.is_chain())
}

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
    let matters = |place: &&usize| {
        Some(**place) == found.defaults || found.candidates[**place].state != State::Out
    };
    let few: Vec<usize> = order.iter().filter(matters).copied().take(SHOWN).collect();
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
    let measured = found
        .candidates
        .iter()
        .filter(|one| one.is_measured())
        .count() as u64;
    let untried = found.candidates.len() as u64 - measured;
    let number =
        |count: u64, noun: &str| format!("{} {noun}{}", number::count(count), words::plural(count));
    let was = |count: u64| if count == 1 { "was" } else { "were" };
    let others = (untried > 0).then(|| {
        format!(
            "; {} {} decided about without",
            number::count(untried),
            was(untried)
        )
    });
    let mut lines = vec![format!(
        "{} {} measured in {} and {}{}.",
        number(measured, "configuration"),
        was(measured),
        number(found.heats_count, "heat"),
        number(found.rounds_count, "round"),
        others.unwrap_or_default()
    )];
    lines.push(format!(
        "A configuration is dropped only where the signed-rank test over rounds shows that another one which keeps the \
         SLO is better beyond the noise floor of {}, or where the favourable end of an interval still breaks the SLO or \
         the accuracy allowed. One that is no worse than any other is dropped with a probability of {} at most in each \
         heat.",
        floor(found.metric),
        number::limit(tuning::drop_error())
    ));
    let criteria: Vec<&str> = criteria(found.objective)
        .iter()
        .map(|criterion| words_of(*criterion))
        .collect();
    lines.push(format!(
        "Of configurations that do as well within the noise floor, the one taken has {}, as far as it is shown.",
        criteria.join(", else ")
    ));
    if !source
        .record
        .plan
        .tuning
        .iter()
        .all(|plan| plan.slo.is_empty())
    {
        lines.push(slo_method());
    }
    lines.extend(in_sequence(source));
    let resumed = source
        .record
        .tuning
        .iter()
        .map(|tuning| tuning.resumed_at_ns.len() as u64)
        .sum::<u64>();
    if resumed > 0 {
        lines.push(format!(
            "The search was taken up again {resumed} time{}.",
            words::plural(resumed)
        ));
    }
    lines
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
    let plan = source
        .record
        .plan
        .tuning
        .as_ref()
        .filter(|plan| plan.space.executions.len() > 1)?;
    let bases = source
        .record
        .plan
        .sessions
        .iter()
        .take(plan.base_sessions_count);
    let is_chain = |variant: usize| {
        source.record.variants[variant]
            .model
            .as_ref()
            .is_some_and(|model| model.is_chain())
    };
    let chains: BTreeSet<usize> = bases
        .map(|base| base.variant)
        .filter(|&variant| is_chain(variant))
        .collect();
    let names: Vec<String> = chains
        .iter()
        .map(|&variant| plain(&source.record.plan.variants[variant].name))
        .collect();
    let whose = if names.len() == 1 { "its" } else { "their" };
    (!names.is_empty()).then(|| {
        format!(
            "Parallel execution was not tried for {}: none of {whose} operators could run beside another.",
            words::listed(&names)
        )
    })
}

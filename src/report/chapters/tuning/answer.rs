//! The answer of a search, the most important line first.

use super::phrases::{floor, name, ratio, subject, words_of};
use crate::analysis::Interval;
use crate::analysis::gate::GateVerdict;
use crate::analysis::tuning::{
    Candidate, Criterion, HeldSlo, Preference, State, TuningFindings, TuningVerdict, computes_alike,
};
use crate::check::Side;
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::{DatasetInfo, EndReason, Fate};
use crate::report::chapters::failed;
use crate::report::words::{self, Source, judged, number, plain};

fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Throughput => "the most throughput",
        Objective::Latency => "the shortest median latency",
        Objective::Memory => "the least peak memory",
        Objective::Energy => "the least energy per prediction",
    }
}

pub(super) fn answer(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let Some(best) = found.best() else {
        return vec!["Nothing was measured.".into()];
    };
    let name = name(source, best.key);
    let figure = best
        .figure(found.metric)
        .map(|figure| words::value(found.metric, figure))
        .unwrap_or_default();
    let mut lines = vec![match found.verdict {
        TuningVerdict::Found => {
            let is_default = found.best == found.defaults;
            let kept = if is_default {
                "Keep the defaults"
            } else {
                "Ship"
            };
            format!(
                "{kept}: {name}, for {}: {figure}.",
                objective(found.objective)
            )
        }
        TuningVerdict::Undecided => undecided(source, found),
        TuningVerdict::NotShown => format!(
            "No configuration is shown to keep everything that was asked for. The best candidate is {name}: {figure}."
        ),
        _ => format!(
            "Nothing that was tried keeps everything that was asked for. {name} comes closest."
        ),
    }];
    lines.extend(gain(found));
    lines.extend(
        found
            .preference
            .as_ref()
            .and_then(|preference| preferred(source, found, preference)),
    );
    lines.extend(best.slo.iter().map(slo));
    lines.extend(accuracy(source, found, best));
    lines.extend(judged::line(source));
    lines.extend(failed::lines(source));
    lines.extend(open(source, found));
    lines.extend(goes_on(source, found));
    lines
}

/// `Undecided: ...; a (2 intra-op threads) at batch 1 looks better: ..., and about 40 s more would decide.`
fn undecided(source: Source<'_>, found: &TuningFindings) -> String {
    let place = found.defaults.map(|place| &found.candidates[place]);
    let defaults = place
        .map(|one| format!(" ({})", name(source, one.key)))
        .unwrap_or_default();
    let head = match place.is_some_and(|one| one.state == State::Out) {
        true => {
            format!("Undecided: the defaults{defaults} are beaten, and by how much is not shown")
        }
        false => format!(
            "Undecided: nothing that was tried is shown to be better than the defaults{defaults}"
        ),
    };
    let Some(contender) = &found.contender else {
        return untried(source, found, &head);
    };
    let one = name(source, found.candidates[contender.place].key);
    let cost = contender
        .cost_ratio
        .as_ref()
        .and_then(|ratio| ratio.measured());
    let shown = cost.map(|cost| {
        format!(
            "{} {}",
            subject(found.objective),
            ratio(found.objective, cost.value, cost.interval)
        )
    });
    let looks = match (cost.map(|cost| cost.value), shown) {
        (Some(cost), Some(shown)) if is_beyond_floor(found.metric, cost) => {
            let chosen = if contender.is_chosen_by_it {
                " in the rounds that chose it"
            } else {
                ""
            };
            format!("{one} looks better: {shown}{chosen}")
        }
        (Some(cost), Some(shown)) if cost < 1.0 => {
            format!(
                "{one} may be: {shown}, within the noise floor of {}",
                floor(found.metric)
            )
        }
        _ => format!("{one} may be"),
    };
    let more = contender.more_ns.map(|more| {
        format!(
            ", and about {} more would decide",
            words::rounded_time(more)
        )
    });
    format!("{head}; {looks}{}.", more.unwrap_or_default())
}

/// What was tried beside the defaults; where something else was asked for too, one that is better may not keep that.
fn untried(source: Source<'_>, found: &TuningFindings, head: &str) -> String {
    if found.best != found.defaults {
        return format!("{head}.");
    }
    let others = found
        .candidates
        .iter()
        .enumerate()
        .filter(|(place, _)| Some(*place) != found.defaults);
    let others: Vec<&Candidate> = others
        .map(|(_, one)| one)
        .filter(|one| one.is_measured())
        .collect();
    let tried = match others.len() as u64 {
        0 => return format!("{head}; there was no time to try anything else."),
        1 => "the only configuration that was tried beside the defaults is not".to_owned(),
        count => format!(
            "none of the {} configurations that were tried beside the defaults is",
            number::count(count)
        ),
    };
    let all = planned(source);
    let all = all.map(|all| {
        format!(
            "; variants, threads and batch sizes alone make {}",
            number::count(all)
        )
    });
    let better = format!("better by more than {}", floor(found.metric));
    let better = match besides(source, &others) {
        Some(kept) => format!("both {better} and {kept}"),
        None => better,
    };
    format!("Undecided: {tried} {better}{}.", all.unwrap_or_default())
}

/// Demand on a configuration beside being better, where one may be out for the want of it however fast it is.
fn besides(source: Source<'_>, others: &[&Candidate]) -> Option<&'static str> {
    let tuning = source.record.plan.tuning.as_ref();
    if tuning
        .is_some_and(|tuning| !tuning.slo.is_empty() || tuning.max_accuracy_drop_ratio.is_some())
    {
        return Some("within what was asked for");
    }
    let is_no_number = others
        .iter()
        .any(|one| matches!(one.fate, Some(Fate::NotFinite)));
    is_no_number.then_some("free of values that are not numbers")
}

/// Configurations that the search begins with: every session at every number of threads and every batch size.
fn planned(source: Source<'_>) -> Option<u64> {
    let plan = &source.record.plan;
    let tuning = plan.tuning.as_ref()?;
    let threads = tuning.space.intra_threads.len() as u64;
    let bases = plan.sessions.iter().take(tuning.base_sessions_count);
    let sessions: u64 = bases
        .map(|spec| if spec.is_accelerated() { 1 } else { threads })
        .sum();
    Some(sessions * tuning.space.batch_sizes.len() as u64)
}

/// Whether a cost over another is lower by more than the noise floor.
fn is_beyond_floor(metric: Metric, cost: f64) -> bool {
    cost * (1.0 + metric.noise_floor().unwrap_or_default().0) < 1.0
}

fn gain(found: &TuningFindings) -> Option<String> {
    if found.best == found.defaults {
        let shown = format!(
            "Everything that was tried is shown not to be better than the defaults by more than the noise floor of {}.",
            floor(found.metric)
        );
        return (found.verdict == TuningVerdict::Found).then_some(shown);
    }
    let measured = found.gain.as_ref()?.measured()?;
    let remark = measured
        .remark
        .as_ref()
        .map(|remark| format!("; {}", plain(remark)))
        .unwrap_or_default();
    let change = ratio(found.objective, measured.value, measured.interval);
    let (what, behind) = (capital(subject(found.objective)), words::counted(measured));
    let relative = found
        .defaults
        .and_then(|place| found.candidates[place].relative.as_ref());
    let turns = if relative.is_some_and(|relative| !relative.is_direct) {
        "in each step by way of others, with which both took turns"
    } else {
        "that took turns"
    };
    Some(format!(
        "{what} over the defaults: {change}, from {behind} {turns}{remark}."
    ))
}

fn preferred(
    source: Source<'_>,
    found: &TuningFindings,
    preference: &Preference,
) -> Option<String> {
    let cost = preference.cost_ratio.measured()?;
    let by = preference
        .criterion_ratio
        .as_ref()
        .and_then(|ratio| ratio.measured())
        .map(|measured| {
            let of = match preference.criterion {
                Criterion::Throughput => Objective::Throughput,
                Criterion::Memory => Objective::Memory,
                Criterion::Latency | Criterion::Changes => Objective::Latency,
            };
            format!(", {}", ratio(of, measured.value, measured.interval))
        });
    Some(format!(
        "Taken for {}{} against {}, which does as well: {} {} is within the noise floor of {}.",
        words_of(preference.criterion),
        by.unwrap_or_default(),
        name(source, preference.over),
        subject(found.objective),
        ratio(found.objective, cost.value, cost.interval),
        floor(found.metric),
    ))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `latency_p99<=20ms: 12 ms (11 to 14): kept.`
fn slo(standing: &HeldSlo) -> String {
    let beyond = standing
        .excess_ratio
        .filter(|excess| *excess > 0.0)
        .map(|excess| excess_in_words(standing.check.side, excess));
    let verdict = match (standing.verdict, beyond) {
        (GateVerdict::Pass, _) => "kept".to_owned(),
        (GateVerdict::Fail, Some(beyond)) => format!("broken: {beyond}"),
        (GateVerdict::Fail, None) => "broken".into(),
        (GateVerdict::Inconclusive, Some(beyond)) => format!("not shown: {beyond}"),
        (GateVerdict::Inconclusive, None) => {
            "not shown: the interval reaches too close, or there are too few inferences".into()
        }
    };
    format!(
        "{}: {}: {verdict}.",
        plain(&standing.check.to_string()),
        words::full(standing.metric, &standing.figure)
    )
}

/// `7.5% above it`, or `3.2x as much as it`.
fn excess_in_words(side: Side, excess: f64) -> String {
    match side {
        Side::AtMost if excess < 1.0 => format!("{:.1}% above it", excess * 100.0),
        Side::AtMost => format!("{}x as much", number::factor(1.0 + excess, None)),
        Side::AtLeast => format!("{:.1}% of it", 100.0 / (1.0 + excess)),
    }
}

fn accuracy(source: Source<'_>, found: &TuningFindings, best: &Candidate) -> Option<String> {
    let allowed = source.record.plan.tuning.as_ref()?.max_accuracy_drop_ratio;
    let limit = allowed
        .map(|drop| format!("; a fall of {:.1} points is allowed", drop.0 * 100.0))
        .unwrap_or_default();
    match &best.accuracy_change {
        Some(change) => {
            let interval = change.difference.interval();
            let shown = |end| words::score_difference(change.metric, end);
            let ends = |interval: Interval| {
                format!(" ({} to {})", shown(interval.low), shown(interval.high))
            };
            let beyond = allowed
                .zip(interval)
                .is_some_and(|(drop, interval)| interval.low < -drop.0);
            let mind = if beyond {
                ", which the interval does not rule out: score more samples to be sure"
            } else {
                ""
            };
            Some(format!(
                "{} against {}: {}{}{limit}{mind}.",
                capital(change.metric.label()),
                source.baseline_name(),
                shown(change.difference.value()?),
                interval.map(ends).unwrap_or_default(),
            ))
        }
        None if is_scored(best) => None,
        None if found.best == found.defaults || computes_as_defaults(source, found) => None,
        None if source
            .record
            .dataset
            .as_ref()
            .is_some_and(DatasetInfo::has_labels) =>
        {
            Some("What its outputs are worth was not measured, although there are labels.".into())
        }
        None => Some(
            "What its outputs are worth was not measured: no labels came with what was fed.".into(),
        ),
    }
}

fn is_scored(one: &Candidate) -> bool {
    Metric::SCORES.iter().any(|&metric| {
        one.figure(metric)
            .is_some_and(|score| score.measured().is_some())
    })
}

/// Whether the best configuration computes the same numbers as the defaults, only at another time or place.
fn computes_as_defaults(source: Source<'_>, found: &TuningFindings) -> bool {
    let spec = |place: usize| &source.record.plan.sessions[found.candidates[place].key.session];
    found
        .best
        .zip(found.defaults)
        .is_some_and(|(best, defaults)| computes_alike(spec(best), spec(defaults)))
}

fn open(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let explained = found.preference.as_ref().map(|preference| preference.over);
    let named = |state: State| -> Vec<String> {
        let others = found
            .of_state(state)
            .filter(|one| Some(one.key) != explained);
        others.map(|one| name(source, one.key)).collect()
    };
    let line = |what: &str, names: Vec<String>| {
        (!names.is_empty()).then(|| format!("{what}: {}.", some(names)))
    };
    let floor = floor(found.metric);
    [
        line(
            &format!("As good, within the noise floor of {floor}"),
            named(State::AsGood),
        ),
        line(
            "Not told apart from it for certain",
            named(State::Undecided),
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn some(mut names: Vec<String>) -> String {
    const NAMED: usize = 4;
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    words::listed(&names)
}

fn goes_on(source: Source<'_>, found: &TuningFindings) -> Option<String> {
    let more = match source.record.run.ended_by {
        Some(EndReason::SearchDone | EndReason::NothingLeft) => return None,
        Some(EndReason::BudgetSpent) => {
            let decides = found
                .contender
                .as_ref()
                .and_then(|contender| contender.more_ns);
            format!(
                " --budget {}",
                decides.map_or_else(|| "5m".into(), words::budget)
            )
        }
        _ => String::new(),
    };
    Some(format!(
        "There was more to try: `onnxprof tune --resume RUN{more}` goes on from here."
    ))
}

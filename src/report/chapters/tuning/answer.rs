//! The answer of a search, the most important line first.

use super::phrases::{floor, name, ratio, subject, words_of};
use crate::analysis::AccuracyChange;
use crate::analysis::gate::GateVerdict;
use crate::analysis::tuning::{
    Candidate, Contender, Criterion, HeldSlo, Preference, State, TuningFindings, TuningVerdict,
    computes_alike,
};
use crate::check::Side;
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::{DatasetInfo, EndReason, Fate};
use crate::report::chapters::failed;
use crate::report::words::{self, Source, judged, number, plain};
use crate::units::Ratio;

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
    let preference = found.preference.as_ref();
    let mut lines = vec![verdict(source, found, best)];
    lines.extend(gain(found));
    lines.extend(preference.and_then(|preference| preferred(source, found, preference)));
    lines.extend(best.slo.iter().map(slo));
    lines.extend(accuracy(source, found, best));
    lines.extend(judged::line(source));
    lines.extend(failed::lines(source));
    lines.extend(open(source, found));
    lines.extend(goes_on(source, found));
    lines
}

fn verdict(source: Source<'_>, found: &TuningFindings, best: &Candidate) -> String {
    let name = name(source, best.key);
    let figure = best.figure(found.metric);
    let figure = figure
        .map(|figure| words::value(found.metric, figure))
        .unwrap_or_default();
    match found.verdict {
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
    }
}

/// `Undecided: ...; a (2 intra-op threads) at batch 1 looks better: ..., and about 40 s more would
/// decide.`
fn undecided(source: Source<'_>, found: &TuningFindings) -> String {
    let head = not_better(source, found);
    let Some(contender) = &found.contender else {
        return untried(source, found, &head);
    };
    let looks = looks(source, found, contender);
    let more = contender.more_ns.map(words::rounded_time);
    let more = more.map(|more| format!(", and about {more} more would decide"));
    format!("{head}; {looks}{}.", more.unwrap_or_default())
}

/// How what was tried stands against the defaults.
fn not_better(source: Source<'_>, found: &TuningFindings) -> String {
    let place = found.defaults.map(|place| &found.candidates[place]);
    let defaults = place
        .map(|one| format!(" ({})", name(source, one.key)))
        .unwrap_or_default();
    match place.is_some_and(|one| one.state == State::Out) {
        true => {
            format!("Undecided: the defaults{defaults} are beaten, and by how much is not shown")
        }
        false => format!(
            "Undecided: nothing that was tried is shown to be better than the defaults{defaults}"
        ),
    }
}

/// `int8 at batch 1 looks better: median latency 0.80x (0.70 to 0.92)`, as far as its ratio is
/// known.
fn looks(source: Source<'_>, found: &TuningFindings, contender: &Contender) -> String {
    let name = name(source, found.candidates[contender.place].key);
    let cost = contender.cost_ratio.as_ref();
    let Some(cost) = cost.and_then(|cost| cost.measured()) else {
        return format!("{name} may be");
    };
    let change = ratio(found.objective, cost.value, cost.interval);
    let shown = format!("{} {change}", subject(found.objective));
    if is_beyond_floor(found.metric, cost.value) {
        let chosen = if contender.is_chosen_by_it {
            " in the rounds that chose it"
        } else {
            ""
        };
        format!("{name} looks better: {shown}{chosen}")
    } else if cost.value < 1.0 {
        let floor = floor(found.metric);
        format!("{name} may be: {shown}, within the noise floor of {floor}")
    } else {
        format!("{name} may be")
    }
}

/// What was tried beside the defaults; where something else was asked for too, one that is better
/// may not keep that.
fn untried(source: Source<'_>, found: &TuningFindings, head: &str) -> String {
    if found.best != found.defaults {
        return format!("{head}.");
    }
    let others = others(found);
    let tried = match others.len() as u64 {
        0 => return format!("{head}; there was no time to try anything else."),
        1 => "the only configuration that was tried beside the defaults is not".to_owned(),
        count => format!(
            "none of the {} configurations that were tried beside the defaults is",
            number::count(count)
        ),
    };
    let all = planned(source).map(number::count);
    let all = all.map(|all| format!("; variants, threads and batch sizes alone make {all}"));
    let better = format!("better by more than {}", floor(found.metric));
    let better = match besides(source, &others) {
        Some(kept) => format!("both {better} and {kept}"),
        None => better,
    };
    format!("Undecided: {tried} {better}{}.", all.unwrap_or_default())
}

/// Candidates beside the defaults that were measured.
fn others(found: &TuningFindings) -> Vec<&Candidate> {
    let candidates = found.candidates.iter().enumerate();
    candidates
        .filter(|(place, one)| Some(*place) != found.defaults && one.is_measured())
        .map(|(_, one)| one)
        .collect()
}

/// Demand on a configuration beside being better, where one may be out for the want of it however
/// fast it is.
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

/// Configurations that the search begins with: every session at every number of threads and every
/// batch size.
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
        let floor = floor(found.metric);
        return (found.verdict == TuningVerdict::Found).then(|| {
            format!(
                "Everything that was tried is shown not to be better than the defaults by more than the noise floor of {floor}."
            )
        });
    }
    let measured = found.gain.as_ref()?.measured()?;
    let remark = measured.remark.as_ref();
    let remark = remark
        .map(|remark| format!("; {}", plain(remark)))
        .unwrap_or_default();
    let change = ratio(found.objective, measured.value, measured.interval);
    let (what, behind) = (capital(subject(found.objective)), words::counted(measured));
    let turns = turns(found);
    Some(format!(
        "{what} over the defaults: {change}, from {behind} {turns}{remark}."
    ))
}

/// How the blocks behind the gain were taken.
fn turns(found: &TuningFindings) -> &'static str {
    let defaults = found.defaults.map(|place| &found.candidates[place]);
    let relative = defaults.and_then(|defaults| defaults.relative.as_ref());
    if relative.is_some_and(|relative| !relative.is_direct) {
        "in each step by way of others, with which both took turns"
    } else {
        "that took turns"
    }
}

fn preferred(
    source: Source<'_>,
    found: &TuningFindings,
    preference: &Preference,
) -> Option<String> {
    let cost = preference.cost_ratio.measured()?;
    Some(format!(
        "Taken for {}{} against {}, which does as well: {} {} is within the noise floor of {}.",
        words_of(preference.criterion),
        criterion_ratio(preference).unwrap_or_default(),
        name(source, preference.over),
        subject(found.objective),
        ratio(found.objective, cost.value, cost.interval),
        floor(found.metric),
    ))
}

/// `, -4.8% (-6.0% to -3.5%)`: by how much the preferred one is ahead.
fn criterion_ratio(preference: &Preference) -> Option<String> {
    let measured = preference.criterion_ratio.as_ref()?.measured()?;
    let of = match preference.criterion {
        Criterion::Throughput => Objective::Throughput,
        Criterion::Memory => Objective::Memory,
        Criterion::Latency | Criterion::Changes => Objective::Latency,
    };
    Some(format!(
        ", {}",
        ratio(of, measured.value, measured.interval)
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
    let excess = standing.excess_ratio.filter(|excess| *excess > 0.0);
    let beyond = excess.map(|excess| excess_in_words(standing.check.side, excess));
    let verdict = match (standing.verdict, beyond) {
        (GateVerdict::Pass, _) => "kept".to_owned(),
        (GateVerdict::Fail, Some(beyond)) => format!("broken: {beyond}"),
        (GateVerdict::Fail, None) => "broken".into(),
        (GateVerdict::Inconclusive, Some(beyond)) => format!("not shown: {beyond}"),
        (GateVerdict::Inconclusive, None) => {
            "not shown: the interval reaches too close, or there are too few inferences".into()
        }
    };
    let check = plain(&standing.check.to_string());
    let figure = words::full(standing.metric, &standing.figure);
    format!("{check}: {figure}: {verdict}.")
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
    if let Some(change) = &best.accuracy_change {
        return score_change(source, change, allowed);
    }
    if is_scored(best) || found.best == found.defaults || computes_as_defaults(source, found) {
        return None;
    }
    let dataset = source.record.dataset.as_ref();
    let why = if dataset.is_some_and(DatasetInfo::has_labels) {
        ", although there are labels."
    } else {
        ": no labels came with what was fed."
    };
    Some(format!("What its outputs are worth was not measured{why}"))
}

/// The change of the leading score, and whether its interval keeps within the fall that is
/// `allowed`.
fn score_change(
    source: Source<'_>,
    change: &AccuracyChange,
    allowed: Option<Ratio>,
) -> Option<String> {
    let label = capital(change.metric.label());
    let baseline = source.baseline_name();
    let fall = words::score_difference(change.metric, change.difference.value()?);
    let interval = change.difference.interval();
    let ends = interval.map(|interval| {
        let [low, high] =
            [interval.low, interval.high].map(|end| words::score_difference(change.metric, end));
        format!(" ({low} to {high})")
    });
    let ends = ends.unwrap_or_default();
    let limit = allowed
        .map(|drop| format!("; a fall of {:.1} points is allowed", drop.0 * 100.0))
        .unwrap_or_default();
    let is_beyond = allowed
        .zip(interval)
        .is_some_and(|(drop, interval)| interval.low < -drop.0);
    let mind = if is_beyond {
        ", which the interval does not rule out: score more samples to be sure"
    } else {
        ""
    };
    Some(format!(
        "{label} against {baseline}: {fall}{ends}{limit}{mind}."
    ))
}

fn is_scored(one: &Candidate) -> bool {
    Metric::SCORES.iter().any(|&metric| {
        one.figure(metric)
            .is_some_and(|score| score.measured().is_some())
    })
}

/// Whether the best configuration computes the same numbers as the defaults, only at another time
/// or place.
fn computes_as_defaults(source: Source<'_>, found: &TuningFindings) -> bool {
    let Some((best, defaults)) = found.best.zip(found.defaults) else {
        return false;
    };
    let [best, defaults] = [best, defaults]
        .map(|place| &source.record.plan.sessions[found.candidates[place].key.session]);
    computes_alike(best, defaults)
}

fn open(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let floor = floor(found.metric);
    [
        (
            format!("As good, within the noise floor of {floor}"),
            State::AsGood,
        ),
        (
            "Not told apart from it for certain".into(),
            State::Undecided,
        ),
    ]
    .into_iter()
    .map(|(what, state)| (what, unexplained(source, found, state)))
    .filter(|(_, names)| !names.is_empty())
    .map(|(what, names)| format!("{what}: {}.", some(names)))
    .collect()
}

/// Configurations of a state, without the one that the preference tells of.
fn unexplained(source: Source<'_>, found: &TuningFindings, state: State) -> Vec<String> {
    let explained = found.preference.as_ref().map(|preference| preference.over);
    let others = found.of_state(state);
    others
        .filter(|one| Some(one.key) != explained)
        .map(|one| name(source, one.key))
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

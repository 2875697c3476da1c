//! What a search for the best session options found, in words and tables.

use serde::Serialize;

use super::session_code::{SessionCode, session_code};
use super::table::Builder;
use super::text::plain;
use super::words::{self, Source};
use super::{RowKind, Table, number};
use crate::analysis::gate::GateVerdict;
use crate::analysis::tuning::{Candidate, SloStanding, Standing, TuningFindings, TuningVerdict, computes_alike};
use crate::analysis::{Estimate, Interval};
use crate::plan::{CellKey, Objective};
use crate::record::{Bounded, Contest, Direction, EndReason, Fate, Metric};

/// Rows that the terminal shows of all configurations.
const SHOWN: usize = 12;

/// A search as people read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TuningView {
    /// Whether a configuration was found that keeps the SLO.
    pub found: bool,
    /// The answer, the most important line first.
    pub answer: Vec<String>,
    /// The configurations that matter most.
    pub shortlist: Table,
    /// All configurations and what became of them.
    pub configurations: Table,
    /// The configurations that no other one is better than in everything.
    pub front: Table,
    /// The best configuration as code.
    pub code: Vec<SessionCode>,
    /// How the search decided.
    pub method: Vec<String>,
}

/// The search of a run; `None` if the run is none.
pub(super) fn tuning(source: Source<'_>) -> Option<TuningView> {
    let found = source.findings.tuning.as_ref()?;
    let order = order(found);
    let matters = |place: &&usize| {
        let one = &found.candidates[**place];
        Some(**place) == found.defaults || !one.fate.as_ref().is_some_and(Fate::is_out) || found.best == Some(**place)
    };
    let few: Vec<usize> = order.iter().filter(matters).copied().take(SHOWN).collect();
    let code = found.best().filter(|_| found.verdict != TuningVerdict::NothingMeasured).map(|best| {
        let variant = source.record.plan.variant_of(best.key.session);
        let spec = &source.record.plan.sessions[best.key.session];
        session_code(spec, &variant.path.display().to_string(), best.key.batch_size)
    });
    let in_front: Vec<usize> = order.iter().filter(|place| found.front.contains(place)).copied().collect();
    let axes = "A configuration stands here if none of the others is better in median latency, throughput, peak memory or \
                top-1 accuracy without being worse in another of them, beyond the noise floor.";
    Some(TuningView {
        found: found.verdict == TuningVerdict::Found,
        answer: answer(source, found),
        shortlist: table(source, found, "Best configurations", Rows { places: &few, fates: Fates::InOneWord }),
        configurations: table(source, found, "All configurations", Rows { places: &order, fates: Fates::InFull }),
        front: {
            let front = table(source, found, "Pareto front", Rows { places: &in_front, fates: Fates::InOneWord });
            Table { notes: front.notes.into_iter().chain([axes.to_owned()]).collect(), ..front }
        },
        code: code.unwrap_or_default(),
        method: method(source, found),
    })
}

/// The best one, then those that are still in, then those that are out, each by the objective.
fn order(found: &TuningFindings) -> Vec<usize> {
    let mut order: Vec<usize> = (0..found.candidates.len()).collect();
    let rank = |place: usize| {
        let one = &found.candidates[place];
        let out = one.fate.as_ref().is_some_and(Fate::is_out);
        (Some(place) != found.best, out, !one.is_measured())
    };
    let cost = |place: usize| {
        let value = found.candidates[place].figure(found.metric).and_then(Estimate::value).unwrap_or(f64::INFINITY);
        if found.metric.direction() == Direction::Higher { -value } else { value }
    };
    order.sort_by(|&one, &other| rank(one).cmp(&rank(other)).then(cost(one).total_cmp(&cost(other))));
    order
}

/// `int8 (2 intra-op threads) at batch 8`.
fn name(source: Source<'_>, key: CellKey) -> String {
    format!("{} at batch {}", source.name(key.session), number::count(key.batch_size))
}

fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Throughput => "the most throughput",
        Objective::Latency => "the shortest median latency",
        Objective::Memory => "the least peak memory",
        Objective::Energy => "the least energy per prediction",
    }
}

fn answer(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let Some(best) = found.best() else { return vec!["Nothing was measured.".into()] };
    let name = name(source, best.key);
    let figure = best.figure(found.metric).map(|figure| words::value(found.metric, figure)).unwrap_or_default();
    let mut lines = vec![match found.verdict {
        TuningVerdict::Found => {
            let is_default = found.best == found.defaults;
            let kept = if is_default { "Keep the defaults" } else { "Ship" };
            format!("{kept}: {name}, for {}: {figure}.", objective(found.objective))
        }
        TuningVerdict::NotShown => {
            format!(
                "No configuration is shown to keep everything that was asked for. The best candidate is {name}: {figure}."
            )
        }
        _ => format!("Nothing that was tried keeps everything that was asked for. {name} comes closest."),
    }];
    lines.extend(gain(found));
    lines.extend(best.slo.iter().map(slo));
    lines.extend(accuracy(source, found, best));
    lines.extend(open(source, found));
    lines.extend(goes_on(source));
    lines
}

/// What the best configuration gains over the defaults.
fn gain(found: &TuningFindings) -> Option<String> {
    if found.best == found.defaults {
        return Some("No other configuration that was tried is better than the defaults.".into());
    }
    let measured = found.gain.as_ref()?.measured()?;
    let (ratio, interval) = match found.objective {
        Objective::Throughput => (1.0 / measured.value, measured.interval.map(Interval::reciprocal)),
        _ => (measured.value, measured.interval),
    };
    let what = match found.objective {
        Objective::Throughput => "Throughput",
        Objective::Latency => "Median latency",
        Objective::Memory => "Peak memory",
        Objective::Energy => "Energy per prediction",
    };
    let remark = measured.remark.as_ref().map(|remark| format!("; {}", plain(remark))).unwrap_or_default();
    let change = number::relative(ratio, interval);
    Some(format!("{what} over the defaults: {change}, from {} that took turns{remark}.", words::counted(measured)))
}

/// `latency_p99<=20ms: 12 ms (11 to 14): kept.`
fn slo(standing: &SloStanding) -> String {
    let excess = standing.excess_ratio.unwrap_or_default();
    let verdict = match standing.verdict {
        GateVerdict::Pass => "kept".to_owned(),
        GateVerdict::Fail if excess > 0.0 => format!("broken by {}", share(excess)),
        GateVerdict::Fail => "broken".into(),
        GateVerdict::Inconclusive if excess > 0.0 => format!("not shown; the value is {} beyond it", share(excess)),
        GateVerdict::Inconclusive => {
            "not shown; the interval reaches beyond it, or there are too few inferences".into()
        }
    };
    format!("{}: {}: {verdict}.", plain(&standing.check), words::full(standing.metric, &standing.figure))
}

fn share(ratio: f64) -> String {
    format!("{:.1}%", ratio * 100.0)
}

/// What happens to the accuracy of the best configuration.
fn accuracy(source: Source<'_>, found: &TuningFindings, best: &Candidate) -> Option<String> {
    let allowed = source.record.plan.tuning.as_ref()?.max_accuracy_drop_ratio;
    let limit = allowed.map(|drop| format!("; a fall of {:.1} points is allowed", drop.0 * 100.0)).unwrap_or_default();
    match &best.accuracy_change {
        Some(change) => {
            let interval = change.difference.interval();
            let ends = |interval: Interval| {
                format!(" ({} to {})", number::points(interval.low), number::points(interval.high))
            };
            let beyond = allowed.zip(interval).is_some_and(|(drop, interval)| interval.low < -drop.0);
            let mind =
                if beyond { ", which the interval does not rule out: score more samples to be sure" } else { "" };
            Some(format!(
                "Top-1 accuracy against {}: {}{}{limit}{mind}.",
                source.baseline_name(),
                number::points(change.difference.value()?),
                interval.map(ends).unwrap_or_default(),
            ))
        }
        None if best.figure(Metric::AccuracyTop1)?.measured().is_some() => None,
        None if found.best == found.defaults || computes_as_defaults(source, found) => None,
        None => Some("What its outputs are worth was not measured: there are no labels.".into()),
    }
}

/// Whether the best configuration computes the same numbers as the defaults, only at another time or place.
fn computes_as_defaults(source: Source<'_>, found: &TuningFindings) -> bool {
    let spec = |place: usize| &source.record.plan.sessions[found.candidates[place].key.session];
    found.best.zip(found.defaults).is_some_and(|(best, defaults)| computes_alike(spec(best), spec(defaults)))
}

/// Those that are as good, and those that nothing was decided about.
fn open(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let named = |wanted: &dyn Fn(&Candidate) -> bool| -> Vec<String> {
        found.undecided().filter(|one| wanted(one)).map(|one| name(source, one.key)).collect()
    };
    let tied = named(&|one| matches!(one.fate, Some(Fate::Tied(_))));
    let others = named(&|one| !matches!(one.fate, Some(Fate::Tied(_))));
    let line = |what: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{what}: {}.", some(names)));
    [
        line("As good as the best one of their time, within the noise floor", tied),
        line("Not told apart from it for certain", others),
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

/// How to go on with a search that had more to try.
fn goes_on(source: Source<'_>) -> Option<String> {
    let more = match source.record.run.ended_by {
        Some(EndReason::SearchDone | EndReason::NothingLeft) => return None,
        Some(EndReason::BudgetSpent) => " --budget 5m",
        _ => "",
    };
    Some(format!("There was more to try: `onnxprof tune --resume RUN{more}` goes on from here."))
}

/// Which configurations a table shows, and how.
struct Rows<'p> {
    places: &'p [usize],
    fates: Fates,
}

/// How much a table says of what became of configurations.
#[derive(Clone, Copy)]
enum Fates {
    InOneWord,
    InFull,
}

fn table(source: Source<'_>, found: &TuningFindings, title: &str, rows: Rows<'_>) -> Table {
    let mut header = vec!["configuration", "batch"];
    let metrics: Vec<Metric> = columns(found);
    header.extend(metrics.iter().map(|&metric| short(metric)));
    header.push("what became of it");
    let mut table = Builder::new(title, &header);
    for &place in rows.places {
        let one = &found.candidates[place];
        let label = source.name(one.key.session);
        let mut cells = vec![label.clone(), number::count(one.key.batch_size)];
        for &metric in &metrics {
            let shown = |estimate: &Estimate| {
                let measured = estimate.measured().map(|measured| measured.value).unwrap_or_default();
                number::value(metric.unit(), measured, estimate.interval())
            };
            let estimate = one.figure(metric).filter(|_| one.is_measured());
            cells.push(match estimate {
                Some(estimate) => table.figure((metric.label(), &label), Some(estimate), shown),
                None => "-".into(),
            });
        }
        cells.push(match rows.fates {
            Fates::InOneWord => word(found, place).into(),
            Fates::InFull => became(source, found, place),
        });
        let kind = match () {
            () if found.best == Some(place) && found.verdict == TuningVerdict::Found => RowKind::Pick,
            () if !one.is_measured() => RowKind::Absent,
            () if found.defaults == Some(place) => RowKind::Baseline,
            () => RowKind::Plain,
        };
        table.row(kind, cells);
    }
    table.finish(Vec::new())
}

/// A metric's name in a narrow column.
fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::LatencyP50 => "median",
        Metric::LatencyP99 => "p99",
        Metric::PeakMemory => "memory",
        Metric::AccuracyTop1 => "top-1",
        metric => metric.label(),
    }
}

/// What became of a configuration, in one word or two.
fn word(found: &TuningFindings, place: usize) -> &'static str {
    let one = &found.candidates[place];
    match &one.fate {
        _ if found.best == Some(place) && found.verdict == TuningVerdict::Found => "best",
        _ if found.best == Some(place) => "closest",
        _ if found.defaults == Some(place) => "defaults",
        Some(Fate::Tied(_)) => "as good",
        Some(Fate::Champion { .. }) | None => "not decided",
        Some(Fate::Failed { .. }) => "failed",
        Some(_) => "dropped",
    }
}

fn columns(found: &TuningFindings) -> Vec<Metric> {
    let mut metrics = vec![Metric::LatencyP50, Metric::LatencyP99, Metric::Throughput, Metric::PeakMemory];
    if !metrics.contains(&found.metric) {
        metrics.push(found.metric);
    }
    let scored = |one: &Candidate| one.figure(Metric::AccuracyTop1).is_some_and(|score| score.measured().is_some());
    if found.candidates.iter().any(scored) {
        metrics.push(Metric::AccuracyTop1);
    }
    metrics
}

/// What became of a configuration, in few words.
fn became(source: Source<'_>, found: &TuningFindings, place: usize) -> String {
    let one = &found.candidates[place];
    let role = match (found.best == Some(place), found.defaults == Some(place)) {
        (true, _) if found.verdict == TuningVerdict::Found => return "best".into(),
        (true, _) => "closest; ",
        (false, true) => "defaults; ",
        (false, false) => "",
    };
    let fate = match &one.fate {
        None if one.standing == Standing::Open => "not decided: whether it keeps the SLO is not shown".into(),
        None => "not decided".into(),
        Some(fate) => fate_in_words(source, found.objective, fate),
    };
    format!("{role}{fate}")
}

fn fate_in_words(source: Source<'_>, objective: Objective, fate: &Fate) -> String {
    match fate {
        Fate::Champion { .. } => "was the best for a while".into(),
        Fate::Worse(contest) => format!("dropped: {}", contest_in_words(source, objective, contest)),
        Fate::Tied(contest) => format!("as good as {}", name(source, contest.against)),
        Fate::BreaksSlo(breach) => format!("dropped: breaks {}", plain(&breach.check)),
        Fate::LessAccurate { difference, allowed_ratio } => {
            let ends = match (difference.low, difference.high) {
                (Some(low), Some(high)) => format!(" ({} to {})", number::points(low), number::points(high)),
                _ => String::new(),
            };
            let allowed = number::points(-allowed_ratio);
            format!("dropped: top-1 {}{ends}, {allowed} allowed", number::points(difference.value))
        }
        Fate::NotFinite => "dropped: outputs are not finite".into(),
        Fate::Failed { reason } => format!("failed: {}", plain(reason)),
        Fate::BeyondSlo { batch_size, check } => {
            format!("not tried: breaks {} at batch {} already", plain(check), number::count(*batch_size))
        }
    }
}

/// `0.25x the throughput (0.24 to 0.26) of int8 at batch 8`.
fn contest_in_words(source: Source<'_>, objective: Objective, contest: &Contest) -> String {
    let Bounded { value, low, high } = contest.cost_ratio;
    let interval = low.zip(high).map(|(low, high)| Interval { low, high });
    let (ratio, interval, what) = match objective {
        Objective::Throughput => (1.0 / value, interval.map(Interval::reciprocal), "throughput"),
        Objective::Latency => (value, interval, "latency"),
        Objective::Memory => (value, interval, "memory"),
        Objective::Energy => (value, interval, "energy"),
    };
    format!("{what} {} of {}", number::relative(ratio, interval), name(source, contest.against))
}

fn method(source: Source<'_>, found: &TuningFindings) -> Vec<String> {
    let measured = found.candidates.iter().filter(|one| one.is_measured()).count();
    let untried = found.candidates.len() - measured;
    let mut lines = vec![format!(
        "{measured} configurations were measured in {} heats and {} rounds, {untried} were decided about without.",
        found.heats_count, found.rounds_count
    )];
    lines.push(
        "A configuration is dropped only where the signed-rank test over rounds shows that another one which keeps the \
         SLO is better beyond the noise floor, or where the favourable end of an interval still breaks the SLO or the \
         accuracy allowed. One that is no worse than any other is dropped with a probability of 2.5% at most in each heat."
            .into(),
    );
    let resumed = source.record.tuning.iter().map(|tuning| tuning.resumed_at_ns.len() as u64).sum::<u64>();
    if resumed > 0 {
        lines.push(format!("The search was taken up again {resumed} time{}.", words::plural(resumed)));
    }
    lines
}

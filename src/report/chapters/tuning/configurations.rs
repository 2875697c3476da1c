//! Configurations as tables, and what became of each.

use super::phrases::{name, ratio, subject};
use crate::analysis::Interval;
use crate::analysis::tuning::{Candidate, SloStanding, State, TuningFindings, TuningVerdict};
use crate::metric::Metric;
use crate::plan::Objective;
use crate::record::{Bounded, Contest, Fate};
use crate::report::words::{Builder, RowKind, Source, Table, number, plain};

#[derive(Clone, Copy)]
pub(super) enum Fates {
    InOneWord,
    InFull,
}

pub(super) fn table(
    source: Source<'_>,
    found: &TuningFindings,
    title: &str,
    places: &[usize],
    fates: Fates,
) -> Table {
    let metrics: Vec<Metric> = columns(found);
    let mut header = vec!["configuration", "batch", "vs best"];
    header.extend(metrics.iter().map(|metric| metric.short_label()));
    header.push("outcome");
    let mut table = Builder::new(title, &header);
    for &place in places {
        let one = &found.candidates[place];
        let label = source.name(one.key.session);
        let batch = number::count(one.key.batch_size);
        let mut cells = vec![label.clone(), batch, against_best(found, one)];
        cells.extend(
            metrics
                .iter()
                .map(|&metric| figure(&mut table, &label, one, metric)),
        );
        cells.push(match fates {
            Fates::InOneWord => word(found, place).into(),
            Fates::InFull => became(source, found, place),
        });
        table.row(kind(found, place), cells);
    }
    table.finish(notes(found, places))
}

fn figure(table: &mut Builder, label: &str, one: &Candidate, metric: Metric) -> String {
    match one.figure(metric).filter(|_| one.is_measured()) {
        Some(estimate) => table.figure(metric.label(), label, Some(estimate), |found| {
            let value = found.measured().map(|measured| measured.value);
            number::value(metric.unit(), value.unwrap_or_default(), found.interval())
        }),
        None => "-".into(),
    }
}

fn kind(found: &TuningFindings, place: usize) -> RowKind {
    match () {
        () if found.best == Some(place) && found.verdict == TuningVerdict::Found => RowKind::Pick,
        () if !found.candidates[place].is_measured() => RowKind::Absent,
        () if found.defaults == Some(place) => RowKind::Baseline,
        () => RowKind::Plain,
    }
}

/// The cost of a configuration over that of the best one, and whether both took turns; `None` of
/// the best one itself.
fn cost(one: &Candidate) -> Option<(f64, bool)> {
    let relative = one.relative.as_ref().filter(|_| one.state != State::Best)?;
    Some((relative.cost_ratio.value()?, relative.is_direct))
}

/// `-4.8%` of the best one's, or `~-4.8%` by way of others.
fn against_best(found: &TuningFindings, one: &Candidate) -> String {
    let Some((cost, is_direct)) = cost(one) else {
        return "-".into();
    };
    format!(
        "{}{}",
        if is_direct { "" } else { "~" },
        ratio(found.objective, cost, None)
    )
}

fn notes(found: &TuningFindings, places: &[usize]) -> Vec<String> {
    let candidates = places.iter().map(|&place| &found.candidates[place]);
    let costs: Vec<(f64, bool)> = candidates.filter_map(cost).collect();
    let ratios = (!costs.is_empty()).then(|| {
        format!(
            "vs best: {} against the best one's, from blocks that took turns. Judge by it: the other figures are of \
             different times, between which the machine may have changed its speed.",
            subject(found.objective)
        )
    });
    let has_chains = costs.iter().any(|(_, is_direct)| !is_direct);
    let chains = has_chains
        .then(|| "~: both took turns with others, by way of which the ratio is told.".to_owned());
    ratios.into_iter().chain(chains).collect()
}

fn word(found: &TuningFindings, place: usize) -> &'static str {
    let one = &found.candidates[place];
    match (&one.fate, one.state) {
        (_, State::Best) if found.verdict == TuningVerdict::Found => "best",
        (_, State::Best) if found.verdict == TuningVerdict::Undecided => "undecided",
        (_, State::Best) => "closest",
        _ if found.defaults == Some(place) => "defaults",
        (Some(Fate::Failed { .. }), _) => "failed",
        (_, State::AsGood) => "as good",
        (_, State::Undecided) => "not decided",
        (_, State::Out) => "dropped",
    }
}

fn columns(found: &TuningFindings) -> Vec<Metric> {
    let mut metrics = vec![
        Metric::LatencyP50,
        Metric::LatencyP99,
        Metric::Throughput,
        Metric::PeakMemory,
    ];
    if !metrics.contains(&found.metric) {
        metrics.push(found.metric);
    }
    let scores = Metric::SCORES.into_iter();
    metrics.extend(scores.filter(|&metric| is_measured(found, metric)));
    metrics
}

fn is_measured(found: &TuningFindings, metric: Metric) -> bool {
    let mut figures = found.candidates.iter().filter_map(|one| one.figure(metric));
    figures.any(|figure| figure.measured().is_some())
}

fn became(source: Source<'_>, found: &TuningFindings, place: usize) -> String {
    let one = &found.candidates[place];
    let role = match one.state {
        State::Best if found.verdict == TuningVerdict::Found => return "best".into(),
        State::Best if found.verdict == TuningVerdict::Undecided => "the best so far; ",
        State::Best => "closest; ",
        _ if found.defaults == Some(place) => "defaults; ",
        _ => "",
    };
    let fate = match &one.fate {
        None if one.standing == SloStanding::Open => {
            "not decided: whether it keeps the SLO is not shown".into()
        }
        None => "not decided".into(),
        Some(Fate::Champion { .. }) if one.state == State::AsGood => {
            "as good as the best one".into()
        }
        Some(fate) => fate_in_words(source, found.objective, fate),
    };
    format!("{role}{fate}")
}

fn fate_in_words(source: Source<'_>, objective: Objective, fate: &Fate) -> String {
    match fate {
        Fate::Champion { .. } => "was the best for a while".into(),
        Fate::Worse(contest) => {
            format!("dropped: {}", contest_in_words(source, objective, contest))
        }
        Fate::Tied(contest) => format!("as good as {}", name(source, contest.against)),
        Fate::BreaksSlo(breach) => format!("dropped: breaks {}", plain(&breach.check.to_string())),
        Fate::LessAccurate {
            difference,
            allowed_ratio,
        } => less_accurate(difference, number::points(-allowed_ratio)),
        Fate::NotFinite => "dropped: outputs are not finite".into(),
        Fate::Failed { reason } => format!("failed: {}", plain(reason)),
        Fate::BeyondSlo { batch_size, check } => {
            let (check, batch) = (plain(&check.to_string()), number::count(*batch_size));
            format!("not tried: breaks {check} at batch {batch} already")
        }
    }
}

fn less_accurate(difference: &Bounded, allowed: String) -> String {
    let fall = number::points(difference.value);
    let ends = match (difference.low, difference.high) {
        (Some(low), Some(high)) => {
            format!(" ({} to {})", number::points(low), number::points(high))
        }
        _ => String::new(),
    };
    format!("dropped: top-1 {fall}{ends}, {allowed} allowed")
}

/// `throughput 0.25x (0.24 to 0.26) of int8 at batch 8`.
fn contest_in_words(source: Source<'_>, objective: Objective, contest: &Contest) -> String {
    let Bounded { value, low, high } = contest.cost_ratio;
    let interval = low.zip(high).map(|(low, high)| Interval { low, high });
    format!(
        "{} {} of {}",
        subject(objective),
        ratio(objective, value, interval),
        name(source, contest.against)
    )
}

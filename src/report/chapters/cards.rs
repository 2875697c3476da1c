//! A card for each session: the verdict on it, how much faster it is, and what that costs.

use serde::Serialize;

use super::{Item, Source, plain, tables, words};
use crate::analysis::{Decision, Estimate, Judgement, SessionFindings, Verdict};
use crate::metric::Metric;
use crate::plan::Objective;
use crate::report::words::{judgement, shortened};

/// Cards that a page has room for; the table below them has every session.
const MOST: usize = 12;

/// Characters that a card keeps of a reason.
const REASON_LENGTH: usize = 160;

/// What is to be read of a session at a glance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Card {
    pub name: String,
    pub tone: Tone,
    /// The verdict in a word or two.
    pub verdict: String,
    /// How many times as good as the baseline, with its interval, or why that is not known.
    pub ratio: String,
    pub gauge: Option<Gauge>,
    pub costs: Vec<Item>,
}

/// How a verdict is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Good,
    Neutral,
    Open,
    Bad,
}

/// A ratio as a bar from the baseline's 1, in percents of the bar's room.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gauge {
    /// Where 1 lies.
    pub one: f64,
    pub from: f64,
    pub length: f64,
    /// Ends of the interval.
    pub low: f64,
    pub high: f64,
    pub has_interval: bool,
    /// Better, worse, or neither for sure.
    pub tone: Tone,
}

/// A factor that is drawn.
#[derive(Clone, Copy)]
pub(super) struct Drawn {
    pub(super) factor: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) has_interval: bool,
}

/// The factors that all gauges of a run hold, as logarithms: they share one axis.
pub(super) struct Axis {
    low: f64,
    high: f64,
}

/// An axis is at least as long as a change of a quarter, so that noise does not fill it.
const LEAST_EXTENT: f64 = 1.25;

/// Cards of sessions, and how many have none.
pub(super) struct Cards {
    pub(super) cards: Vec<Card>,
    pub(super) left_count: u64,
}

pub(super) fn cards(source: Source<'_>) -> Cards {
    let sessions = first(source);
    let axis = Axis::of(sessions.iter().filter_map(|one| drawn(source, one)));
    let cards = sessions.iter().map(|one| card(source, one, &axis));
    Cards {
        cards: cards.collect(),
        left_count: (source.sessions().len() - sessions.len()) as u64,
    }
}

/// The baseline and those that the verdict is about before the others, each in the order of the
/// plan.
fn first(source: Source<'_>) -> Vec<&SessionFindings> {
    let subject = source.judgement().session;
    let mut sessions: Vec<&SessionFindings> = source.sessions().collect();
    sessions.sort_by_key(|one| !(one.is_baseline || Some(one.session) == subject));
    sessions.truncate(MOST);
    sessions.sort_by_key(|one| one.session);
    sessions
}

fn card(source: Source<'_>, session: &SessionFindings, axis: &Axis) -> Card {
    let judged = source.judgement().of(session.session);
    let (tone, verdict) = verdict(source, session, judged);
    Card {
        name: plain(&session.label),
        tone,
        verdict,
        ratio: ratio(source, session, judged),
        gauge: drawn(source, session).map(|drawn| axis.gauge(drawn, gauge_tone(source, session))),
        costs: costs(source, session, judged),
    }
}

fn verdict(
    source: Source<'_>,
    session: &SessionFindings,
    judged: Option<&Judgement>,
) -> (Tone, String) {
    let run = source.judgement();
    let Some(judged) = judged else {
        return match run.decision {
            Decision::Keep => (Tone::Good, "Keep".into()),
            _ => (Tone::Neutral, "Baseline".into()),
        };
    };
    if !session.outcome.is_ok() {
        return (Tone::Bad, "Not measured".into());
    }
    let (tone, word) = match judged.decision {
        Decision::Ship if run.session == Some(session.session) => (Tone::Good, "Ship"),
        Decision::Ship => (Tone::Good, "May be shipped"),
        Decision::Keep => (Tone::Neutral, "Not better"),
        Decision::Undecided => (Tone::Open, "Undecided"),
        Decision::DoNotShip => (Tone::Bad, "Do not ship"),
        Decision::NoAnswer => (Tone::Open, "No answer"),
    };
    (tone, word.into())
}

fn ratio(source: Source<'_>, session: &SessionFindings, judged: Option<&Judgement>) -> String {
    if let Some(reason) = session.outcome.reason() {
        return shortened(&plain(reason), REASON_LENGTH);
    }
    let Some(judged) = judged else {
        return "what the others are compared with".into();
    };
    match judgement::gain(judged) {
        Some(gain) => gain,
        None => format!("not compared with {}", source.baseline_name()),
    }
}

fn costs(source: Source<'_>, session: &SessionFindings, judged: Option<&Judgement>) -> Vec<Item> {
    let outputs = judged.and_then(|one| judgement::outputs(source, one));
    let costs = [
        ("Accuracy", accuracy(session, outputs)),
        ("Memory", memory(source, session, judged)),
        ("Size", size(source, session)),
    ];
    costs
        .into_iter()
        .filter_map(|(label, text)| Some(Item::new(label, text?)))
        .collect()
}

/// The score, and what it lost.
fn accuracy(session: &SessionFindings, outputs: Option<String>) -> Option<String> {
    let score = tables::leading_score(session).and_then(|metric| {
        let found = session.figure(metric)?;
        found.value()?;
        Some(tables::named_score(metric, found))
    });
    together(score, outputs)
}

/// `28.1 MiB, 14% less memory`.
fn memory(
    source: Source<'_>,
    session: &SessionFindings,
    judged: Option<&Judgement>,
) -> Option<String> {
    let single = source.single().into_iter();
    let cell = single
        .filter(|cell| cell.outcome.is_ok())
        .find(|cell| cell.key.session == session.session)?;
    let peak = shown(Metric::PeakMemory, cell.figure(Metric::PeakMemory)?)?;
    together(
        Some(peak),
        judged.and_then(|one| judgement::memory(source, one)),
    )
}

/// `398 KiB, 3.9x smaller`.
fn size(source: Source<'_>, session: &SessionFindings) -> Option<String> {
    let own = shown(Metric::FileSize, session.figure(Metric::FileSize)?)?;
    let mut headlines = source.findings.decisions.headlines.iter();
    let factor = headlines
        .find(|one| one.session == session.session)
        .and_then(|one| one.size_factor);
    together(Some(own), factor.and_then(words::size_change))
}

fn shown(metric: Metric, figure: &Estimate) -> Option<String> {
    figure.value().map(|_| words::short(metric, figure))
}

fn together(figure: Option<String>, change: Option<String>) -> Option<String> {
    let parts: Vec<String> = figure.into_iter().chain(change).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn drawn(source: Source<'_>, session: &SessionFindings) -> Option<Drawn> {
    let advantage = source.judgement().of(session.session)?.advantage.as_ref()?;
    let factor = advantage.factor()?;
    let interval = advantage.factor_interval();
    Some(Drawn {
        factor,
        low: interval.map_or(factor, |ends| ends.low),
        high: interval.map_or(factor, |ends| ends.high),
        has_interval: interval.is_some(),
    })
}

/// By the verdict on the comparison, whatever is to be done about it.
fn gauge_tone(source: Source<'_>, session: &SessionFindings) -> Tone {
    let judged = source.judgement().of(session.session);
    let objective = source.judgement().objective;
    let comparison = judged.and_then(|one| source.cell(one.key?)?.comparison.as_ref());
    let change = comparison.map(|found| match objective {
        Objective::Throughput => &found.throughput,
        Objective::Latency | Objective::Memory | Objective::Energy => &found.p50,
    });
    match change.map(|change| change.verdict) {
        Some(Verdict::Faster) => Tone::Good,
        Some(Verdict::Slower) => Tone::Bad,
        Some(Verdict::Same) => Tone::Neutral,
        Some(Verdict::Inconclusive) | None => Tone::Open,
    }
}

impl Axis {
    pub(super) fn of(drawn: impl Iterator<Item = Drawn>) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for one in drawn {
            low = low.min(one.low.ln());
            high = high.max(one.high.ln());
        }
        let missing = (LEAST_EXTENT.ln() - (high - low)).max(0.0) / 2.0;
        let room = 0.04 * (high - low + 2.0 * missing);
        Axis {
            low: low - missing - room,
            high: high + missing + room,
        }
    }

    fn percent(&self, factor: f64) -> f64 {
        let share = (factor.ln() - self.low) / (self.high - self.low);
        (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0
    }

    pub(super) fn gauge(&self, drawn: Drawn, tone: Tone) -> Gauge {
        let [one, end] = [1.0, drawn.factor].map(|factor| self.percent(factor));
        Gauge {
            one,
            from: one.min(end),
            length: ((end - one).abs() * 10.0).round() / 10.0,
            low: self.percent(drawn.low),
            high: self.percent(drawn.high),
            has_interval: drawn.has_interval,
            tone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(low: f64, factor: f64, high: f64) -> Drawn {
        Drawn {
            factor,
            low,
            high,
            has_interval: true,
        }
    }

    #[test]
    fn bars_of_a_run_share_an_axis_that_holds_all_intervals() {
        let all = [drawn(0.4, 0.5, 0.6), drawn(1.9, 2.0, 2.2)];
        let axis = Axis::of(all.into_iter());
        let [slow, fast] = all.map(|one| axis.gauge(one, Tone::Good));
        assert_eq!(slow.one, fast.one);
        assert!(slow.low > 0.0 && slow.low < slow.from && slow.from + slow.length <= slow.one);
        assert!(fast.from == fast.one && fast.high < 100.0 && fast.high > fast.from + fast.length);
    }

    #[test]
    fn noise_does_not_fill_the_axis() {
        let noise = drawn(0.99, 1.0, 1.01);
        let gauge = Axis::of([noise].into_iter()).gauge(noise, Tone::Neutral);
        assert!(gauge.high - gauge.low < 12.0, "{gauge:?}");
    }
}

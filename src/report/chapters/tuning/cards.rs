//! A card for each of the best configurations: what became of it, and how far it lies from the best.

use super::phrases::Search;
use crate::analysis::tuning::{Candidate, State};
use crate::analysis::{Decision, Estimate};
use crate::metric::Metric;
use crate::report::chapters::cards::{Axis, Card, Drawn, Tone};
use crate::report::words::{self, Item};

impl Search<'_> {
    /// Cards of the configurations at `places`, bars of which share an axis.
    pub(super) fn cards(&self, places: &[usize]) -> Vec<Card> {
        let drawn = places
            .iter()
            .filter_map(|&place| drawn(self.candidate(place)));
        let axis = Axis::of(drawn);
        places
            .iter()
            .map(|&place| self.card(place, &axis))
            .collect()
    }

    fn card(&self, place: usize, axis: &Axis) -> Card {
        let one = self.candidate(place);
        let tone = self.tone(place);
        Card {
            name: self.named(one.key),
            tone,
            verdict: words::capital(self.word(place)),
            ratio: self.against_the_best(place),
            gauge: drawn(one).map(|drawn| axis.gauge(drawn, tone)),
            costs: self.costs(one),
        }
    }

    /// By what is to be done about the best one, and whether others do as well.
    fn tone(&self, place: usize) -> Tone {
        match self.candidate(place).state {
            State::Best => match self.source.judgement().decision {
                Decision::Ship | Decision::Keep => Tone::Good,
                Decision::DoNotShip => Tone::Bad,
                Decision::Undecided | Decision::NoAnswer => Tone::Open,
            },
            State::AsGood => Tone::Neutral,
            State::Undecided => Tone::Open,
            State::Out => Tone::Bad,
        }
    }

    fn against_the_best(&self, place: usize) -> String {
        if self.found.best == Some(place) {
            return format!("what the others are compared with, by {}", self.subject());
        }
        let relative = self.candidate(place).relative.as_ref();
        match relative.and_then(|found| found.cost_ratio.measured()) {
            Some(cost) => self.measured_ratio(cost),
            None => "not compared with the best".into(),
        }
    }

    fn costs(&self, one: &Candidate) -> Vec<Item> {
        let score = Metric::SCORES
            .into_iter()
            .find(|&metric| one.figure(metric).and_then(Estimate::value).is_some());
        [Some(self.found.metric), score, Some(Metric::PeakMemory)]
            .into_iter()
            .flatten()
            .filter_map(|metric| {
                let figure = one.figure(metric)?;
                figure.value()?;
                Some(Item::new(
                    words::capital(metric.short_label()),
                    words::short(metric, figure),
                ))
            })
            .collect()
    }
}

/// How many times as good as the best one.
fn drawn(one: &Candidate) -> Option<Drawn> {
    let cost = one.relative.as_ref()?.cost_ratio.measured()?;
    let factor = 1.0 / cost.value;
    let interval = cost.interval.map(crate::stats::Interval::reciprocal);
    Some(Drawn {
        factor,
        low: interval.map_or(factor, |ends| ends.low),
        high: interval.map_or(factor, |ends| ends.high),
        has_interval: interval.is_some(),
    })
}

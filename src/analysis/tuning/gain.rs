//! The cost of one configuration over another, from the rounds that tell it best: the same figure
//! wherever it is shown.
//!
//! A machine runs at different speeds at different times, so that figures of different heats tell
//! more of the machine than of the configurations. Ratios come from blocks that took turns.

use serde::Serialize;

use super::Judge;
use super::contest::{Turns, estimate};
use crate::analysis::{Counted, Estimate, Interval, Measured};
use crate::plan::{CellKey, Objective};
use crate::record::{Stage, Tuning};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gain {
    /// The ratio; below 1 the first one is better.
    pub(super) cost_ratio: Estimate,
    /// Whether both took turns with each other; otherwise each did with others, by way of which the
    /// ratio is told.
    pub(super) is_direct: bool,
    /// Launches of the final heats of both, which chose nothing before; of all where there was no
    /// final heat.
    pub(super) fair_launches: u64,
}

impl Gain {
    /// Whether the ratio rests on nothing else than what chose nothing.
    pub(super) fn is_fair(&self) -> bool {
        self.cost_ratio
            .measured()
            .is_some_and(|measured| measured.n == self.fair_launches)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) tuning: &'a Tuning,
    pub(super) objective: Objective,
}

impl Field<'_> {
    /// The cost of one over the other: from the final heats, if these give an interval; else from
    /// all rounds that both took part in; else by way of the best ones of their time, if that gives
    /// an interval. `None` where both took no turns, and no such way leads from one to the other.
    pub(super) fn gain(self, key: CellKey, against: CellKey) -> Option<Gain> {
        let of_final = self.contest(key, against, |stage| stage == Stage::Final);
        let of_all = self.contest(key, against, |_| true);
        let fair_launches = of_final
            .as_ref()
            .or(of_all.as_ref())
            .and_then(Estimate::measured)
            .map_or(0, |measured| measured.n);
        let (cost_ratio, is_direct) = bounded(&of_final)
            .or_else(|| bounded(&of_all))
            .map(|direct| (direct, true))
            .or_else(|| Some((self.by_way(key, against)?, false)))
            .or_else(|| Some((of_all?, true)))?;
        Some(Gain {
            cost_ratio,
            is_direct,
            fair_launches,
        })
    }

    fn contest(
        self,
        key: CellKey,
        against: CellKey,
        wanted: fn(Stage) -> bool,
    ) -> Option<Estimate> {
        let rounds: Vec<u64> = self
            .tuning
            .heats
            .iter()
            .filter(|heat| wanted(heat.stage))
            .flat_map(|heat| &heat.rounds)
            .copied()
            .collect();
        self.ratio(Turns {
            key,
            against,
            rounds: &rounds,
        })
    }

    fn ratio(self, turns: Turns<'_>) -> Option<Estimate> {
        Some(estimate(&self.judge.contest_on(self.objective, turns)?))
    }

    fn by_way(self, key: CellKey, against: CellKey) -> Option<Estimate> {
        self.way(key, against)
            .or_else(|| Some(self.way(against, key)?.reciprocal()))
    }

    /// From one configuration to another by way of those that won heats over it, each step with an
    /// interval of its own.
    fn way(self, from: CellKey, to: CellKey) -> Option<Estimate> {
        let (mut at, mut legs) = (from, Vec::new());
        for _ in 0..=self.tuning.heats.len() {
            if at == to {
                return multiplied(&legs);
            }
            let (next, leg) = self.leg(at)?;
            legs.push(leg);
            at = next;
        }
        None
    }

    /// To the one that won the last heat over it that gives an interval.
    fn leg(self, from: CellKey) -> Option<(CellKey, Measured)> {
        self.tuning
            .heats
            .iter()
            .rev()
            .filter(|heat| heat.cells.contains(&from))
            .find_map(|heat| {
                let next = heat.champion.filter(|next| *next != from)?;
                let ratio = self.ratio(Turns {
                    key: from,
                    against: next,
                    rounds: &heat.rounds,
                })?;
                let leg = ratio.measured()?;
                leg.interval.is_some().then(|| (next, leg.clone()))
            })
    }
}

fn bounded(estimate: &Option<Estimate>) -> Option<Estimate> {
    estimate.clone().filter(|found| found.interval().is_some())
}

fn multiplied(legs: &[Measured]) -> Option<Estimate> {
    let value = product(legs, |leg| Some(leg.value))?;
    let launches = legs.iter().map(|leg| leg.n).min()?;
    Some(Estimate::Measured(Measured {
        interval: Some(Interval {
            low: product(legs, |leg| Some(leg.interval?.low))?,
            high: product(legs, |leg| Some(leg.interval?.high))?,
        }),
        ..Measured::exact(value, launches, Counted::Launches)
    }))
}

fn product(legs: &[Measured], part: fn(&Measured) -> Option<f64>) -> Option<f64> {
    legs.iter().map(part).product()
}

/// Cost of a configuration over the best one's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relative {
    /// The objective's cost over that of the best one: above 1 is worse. Without an interval where
    /// both took no turns.
    pub cost_ratio: Estimate,
    /// Whether both took turns with each other; otherwise each did with a third one, by way of
    /// which the ratio is told.
    pub is_direct: bool,
}

pub(super) struct Scale<'a> {
    field: Field<'a>,
    rounds: Vec<u64>,
    pub(super) best: CellKey,
}

impl<'a> Scale<'a> {
    pub(super) fn new(field: Field<'a>, best: CellKey) -> Self {
        Scale {
            field,
            rounds: field.tuning.rounds().collect(),
            best,
        }
    }

    /// The cost of a configuration over that of the best one; `None` where no chain of turns leads
    /// there.
    pub(super) fn relative(&self, key: CellKey) -> Option<Relative> {
        let is_best = key == self.best;
        let gain = self.field.gain(key, self.best);
        Some(match gain.filter(|_| !is_best) {
            Some(gain) => Relative {
                cost_ratio: gain.cost_ratio,
                is_direct: gain.is_direct,
            },
            None => Relative {
                cost_ratio: Estimate::exact(
                    self.log_ratio(self.field.objective, key)?.exp(),
                    1,
                    Counted::Pairs,
                ),
                is_direct: is_best,
            },
        })
    }

    /// By way of the best ones of their time: the best one of a heat takes part in the next.
    pub(super) fn log_ratio(&self, objective: Objective, key: CellKey) -> Option<f64> {
        let (mut at, mut sum) = (key, 0.0);
        for _ in 0..=self.field.tuning.heats.len() {
            if at == self.best {
                return Some(sum);
            }
            let to_best = Turns {
                key: at,
                against: self.best,
                rounds: &self.rounds,
            };
            if let Some(last) = self.centre(objective, to_best) {
                return Some(sum + last);
            }
            let mut heats = self.field.tuning.heats.iter();
            let heat = heats.rfind(|heat| heat.cells.contains(&at))?;
            let next = heat.champion.filter(|next| *next != at)?;
            let to_next = Turns {
                key: at,
                against: next,
                rounds: &heat.rounds,
            };
            sum += self.centre(objective, to_next)?;
            at = next;
        }
        None
    }

    fn centre(&self, objective: Objective, turns: Turns<'_>) -> Option<f64> {
        let paired = self.field.judge.contest_on(objective, turns)?;
        Some(paired.evidence(0.0).centre)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_multiplied_with_their_ends() {
        let leg = [(4.0, 3.0, 5.0, 14), (2.0, 1.5, 3.0, 8)];
        let legs = leg.map(|(value, low, high, n)| measured(value, Interval { low, high }, n));
        let product = multiplied(&legs).unwrap();
        assert_eq!(
            product,
            Estimate::Measured(measured(8.0, Interval::between(4.5, 15.0), 8))
        );
        assert_eq!(
            product.reciprocal(),
            Estimate::Measured(measured(0.125, Interval::between(1.0 / 15.0, 1.0 / 4.5), 8))
        );
        assert_eq!(multiplied(&[]), None);
    }

    fn measured(value: f64, ends: Interval, n: u64) -> Measured {
        Measured {
            interval: Some(ends),
            ..Measured::exact(value, n, Counted::Launches)
        }
    }
}

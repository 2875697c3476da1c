//! Whether a configuration keeps what it must: the SLO, the accuracy, outputs that are numbers.

use serde::Serialize;

use super::{SLO_WIDENED, Turns, contest};
use crate::analysis::figures::score_change::same_samples;
use crate::analysis::gate::{GateVerdict, held_at};
use crate::analysis::{AccuracyChange, Bounds, Estimate, Figures, Index, Measured};
use crate::check::{Side, Slo};
use crate::metric::{Metric, Unit};
use crate::plan::{CellKey, Objective};
use crate::record::{AccuracyRecord, Bounded, Contest, Fate, RunRecord, SloBreach};
use crate::stats::PairedRatio;

/// Whether a configuration may be the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SloStanding {
    /// It keeps everything, as far as the rules ask for proof.
    Meets,
    /// The figures do not decide.
    Open,
    /// It breaks something.
    Violates,
}

/// A check of the SLO on one configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldSlo {
    /// The check, as written.
    pub check: Slo,
    /// The metric that is checked.
    pub metric: Metric,
    /// The figure.
    pub figure: Estimate,
    /// The budget, in the metric's base unit.
    pub budget: f64,
    /// The verdict.
    pub verdict: GateVerdict,
    /// How far the value is on the wrong side, as a share of the budget (for a rate: of the value);
    /// below zero on the right one; absent without a value.
    pub excess_ratio: Option<f64>,
}

/// A record under judgement, with what is looked up in it time and again.
pub struct Judge<'a> {
    /// The record.
    pub record: &'a RunRecord,
    pub(super) figures: Figures<'a>,
    index: Index<'a>,
}

impl<'a> Judge<'a> {
    /// Takes a record with its figures.
    #[must_use]
    pub fn new(record: &'a RunRecord, figures: Figures<'a>) -> Self {
        Judge {
            record,
            figures,
            index: Index::new(record),
        }
    }

    /// Each check of the SLO on a configuration.
    #[must_use]
    pub fn slo(&self, key: CellKey) -> Vec<HeldSlo> {
        let slo = self
            .record
            .plan
            .tuning
            .iter()
            .flat_map(|tuning| &tuning.slo);
        slo.filter_map(|slo| self.held(slo, key)).collect()
    }

    fn held(&self, slo: &Slo, key: CellKey) -> Option<HeldSlo> {
        let (figure, judgement) = held_at(slo, self.record, self.figures, key)?;
        let excess_ratio = figure.value().map(|value| match slo.side {
            Side::AtMost => value / slo.limit - 1.0,
            Side::AtLeast => slo.limit / value - 1.0,
        });
        let verdict = match judgement.verdict {
            GateVerdict::Pass if !surely_keeps(&figure, slo) => GateVerdict::Inconclusive,
            GateVerdict::Fail if !surely_breaks(&figure, slo) => GateVerdict::Inconclusive,
            verdict => verdict,
        };
        Some(HeldSlo {
            check: slo.clone(),
            metric: slo.metric,
            figure,
            budget: slo.limit,
            verdict,
            excess_ratio,
        })
    }

    /// The largest excess over a check of the SLO; infinite where a figure is absent.
    #[must_use]
    pub fn excess(&self, key: CellKey) -> f64 {
        self.slo(key)
            .into_iter()
            .map(|slo| slo.excess_ratio.unwrap_or(f64::INFINITY))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether a configuration may be the answer: everything has to be shown.
    #[must_use]
    pub fn standing(&self, key: CellKey) -> SloStanding {
        if self.breach(key).is_some() {
            return SloStanding::Violates;
        }
        let is_measured = self
            .record
            .cell(key)
            .is_some_and(|cell| cell.outcome.is_ok());
        if is_measured
            && self
                .slo(key)
                .iter()
                .all(|slo| slo.verdict == GateVerdict::Pass)
            && self.keeps_accuracy(key.session)
        {
            SloStanding::Meets
        } else {
            SloStanding::Open
        }
    }

    /// Reason to put a configuration out of the race on its own, if there is one.
    #[must_use]
    pub fn breach(&self, key: CellKey) -> Option<Fate> {
        if self.is_not_finite(key.session) {
            return Some(Fate::NotFinite);
        }
        self.less_accurate(key.session)
            .or_else(|| self.broken_slo(key))
    }

    /// Where all of the interval lies beyond what is allowed.
    fn less_accurate(&self, session: usize) -> Option<Fate> {
        let (allowed_ratio, difference) = self.accuracy_change(session)?;
        let is_less = difference.interval()?.high < -allowed_ratio;
        is_less.then_some(Fate::LessAccurate {
            difference: bounded(&difference)?,
            allowed_ratio,
        })
    }

    fn broken_slo(&self, key: CellKey) -> Option<Fate> {
        self.slo(key)
            .into_iter()
            .filter(|slo| slo.verdict == GateVerdict::Fail)
            .find_map(|slo| {
                Some(Fate::BreaksSlo(SloBreach {
                    figure: bounded(&slo.figure)?,
                    check: slo.check,
                    budget: slo.budget,
                }))
            })
    }

    /// The fall that is allowed, and the change that was measured; `None` where nothing is known.
    fn accuracy_change(&self, session: usize) -> Option<(f64, Estimate)> {
        let allowed = self.record.plan.max_accuracy_drop();
        let change = self.accuracy(session)?;
        (change.metric.unit() == Unit::Ratio).then_some((allowed.0, change.difference))
    }

    /// Where nothing is known, it is only where a limit was named that this is not enough.
    fn keeps_accuracy(&self, session: usize) -> bool {
        let is_limited = self
            .record
            .plan
            .tuning
            .as_ref()
            .is_some_and(|tuning| tuning.max_accuracy_drop_ratio.is_some());
        self.is_reference(session)
            || self
                .accuracy_change(session)
                .map_or(!is_limited, |(allowed, change)| {
                    surely_kept(allowed, &change)
                })
    }

    /// Whether the accuracy of a session is what the others' is held against.
    fn is_reference(&self, session: usize) -> bool {
        self.record
            .plan
            .baseline_session()
            .is_some_and(|baseline| self.computes_alike(baseline, session))
    }

    /// The change of accuracy of a session against the baseline on the same samples; `None` for the
    /// baseline, and where one of both is not scored.
    #[must_use]
    pub fn accuracy(&self, session: usize) -> Option<AccuracyChange> {
        let baseline = self.scored(self.record.plan.baseline_session()?)?;
        let own = self.scored(session)?;
        same_samples(
            baseline.scores.as_ref()?,
            own.scores.as_ref()?,
            self.record.plan.schedule.seed,
        )
        .filter(|_| baseline.session != own.session)
    }

    /// The scores of a session, or of one that computes the same numbers: threads, arena, patterns
    /// and spinning change when something is computed, not what.
    #[must_use]
    pub fn scored(&self, session: usize) -> Option<&'a AccuracyRecord> {
        self.all_scored()
            .find(|record| record.session == session)
            .or_else(|| {
                self.all_scored()
                    .find(|record| self.computes_alike(record.session, session))
            })
    }

    fn all_scored(&self) -> impl Iterator<Item = &'a AccuracyRecord> + use<'a> {
        self.record
            .accuracy
            .iter()
            .filter(|record| record.outcome.is_ok())
    }

    fn computes_alike(&self, one: usize, other: usize) -> bool {
        let sessions = &self.record.plan.sessions;
        sessions[one].computes_alike(&sessions[other])
    }

    fn is_not_finite(&self, session: usize) -> bool {
        self.has_unhealthy_outputs(session)
            && !self
                .record
                .plan
                .baseline_session()
                .is_some_and(|baseline| self.has_unhealthy_outputs(baseline))
    }

    fn has_unhealthy_outputs(&self, session: usize) -> bool {
        self.scored(session)
            .is_some_and(|record| record.unhealthy_outputs().next().is_some())
    }

    /// The cost of one configuration over another's, by the plan's objective.
    #[must_use]
    pub fn contest(&self, turns: Turns<'_>) -> Option<PairedRatio> {
        self.contest_on(self.record.plan.tuning.as_ref()?.objective, turns)
    }

    /// The cost of one configuration over another's, by any objective.
    #[must_use]
    pub fn contest_on(&self, objective: Objective, turns: Turns<'_>) -> Option<PairedRatio> {
        contest::contest(&self.index, objective, turns)
    }

    /// The value of a figure of a configuration.
    #[must_use]
    pub fn value(&self, key: CellKey, metric: Metric) -> Option<f64> {
        self.figures.cells.at(key)?.value(metric)
    }
}

/// Whether the lower end of a change's interval keeps the fall that is allowed.
fn surely_kept(allowed: f64, change: &Estimate) -> bool {
    change
        .interval()
        .is_some_and(|interval| interval.low >= -allowed)
}

/// Whether the unfavourable end of a widened interval keeps a budget; where there is no interval,
/// there is none to widen.
fn surely_keeps(figure: &Estimate, slo: &Slo) -> bool {
    let Some((value, ends)) = figure
        .measured()
        .and_then(|found| Some((found.value, found.interval?)))
    else {
        return true;
    };
    let unfavourable = match slo.side {
        Side::AtMost => ends.high,
        Side::AtLeast => ends.low,
    };
    slo.side.allows(widened(value, unfavourable), slo.limit)
}

/// Whether the favourable end of a widened interval breaks a budget; a figure that is only bounded
/// breaks it with its bound, because the rule of early stopping alone takes inferences as
/// independent.
fn surely_breaks(figure: &Estimate, slo: &Slo) -> bool {
    let Some(Bounded { value, low, high }) = bounded(figure) else {
        return false;
    };
    let favourable = match slo.side {
        Side::AtMost => low,
        Side::AtLeast => high,
    };
    !slo.side
        .allows(widened(value, favourable.unwrap_or(value)), slo.limit)
}

fn widened(value: f64, end: f64) -> f64 {
    value + SLO_WIDENED * (end - value)
}

/// A contest as the record holds it.
#[must_use]
pub fn described(paired: &PairedRatio, against: CellKey, floor: f64, error: f64) -> Contest {
    Contest {
        against,
        cost_ratio: with_ends(&Measured::over_launches(&paired.ratio())),
        p_different: paired.evidence(floor).p_different,
        error,
    }
}

fn with_ends(measured: &Measured) -> Bounded {
    Bounded {
        value: measured.value,
        low: measured.interval.map(|ends| ends.low),
        high: measured.interval.map(|ends| ends.high),
    }
}

fn bounded(estimate: &Estimate) -> Option<Bounded> {
    match estimate {
        Estimate::Measured(measured) => Some(with_ends(measured)),
        Estimate::Absent { bounds, .. } => {
            let Bounds { at_least, at_most } = (*bounds)?;
            Some(Bounded {
                value: at_least.or(at_most)?,
                low: at_least,
                high: at_most,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Counted, Interval};

    fn figure(interval: Option<Interval>) -> Estimate {
        Estimate::Measured(Measured {
            interval,
            ..Measured::exact(10.0, 8, Counted::Launches)
        })
    }

    fn slo(text: &str) -> Slo {
        Slo::parse(text).unwrap()
    }

    #[test]
    fn an_slo_is_held_against_more_than_the_interval() {
        // Widened: 10 - 1.35 x 1 = 8.65 and 10 + 1.35 x 2 = 12.7.
        let one = figure(Some(Interval::between(9.0, 12.0)));
        let keeps = |text| surely_keeps(&one, &slo(text));
        assert!(keeps("file_size<=12.7B") && !keeps("file_size<=12.6B"));
        assert!(keeps("throughput>=8.65/s") && !keeps("throughput>=8.7/s"));
        let breaks = |text| surely_breaks(&one, &slo(text));
        assert!(breaks("file_size<=8.6B") && !breaks("file_size<=8.65B"));
        assert!(breaks("throughput>=12.8/s") && !breaks("throughput>=12.7/s"));
    }

    #[test]
    fn what_is_read_off_is_held_against_itself() {
        let (size, limit) = (figure(None), slo("file_size<=10B"));
        assert!(surely_keeps(&size, &limit) && !surely_breaks(&size, &limit));
        assert!(surely_breaks(&size, &slo("file_size<=9.9B")));
        assert!(!surely_breaks(
            &Estimate::absent("not measured"),
            &slo("file_size<=1B")
        ));
    }
}

//! A figure held against a budget: the one place that decides what passes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::{Counted, Decision, Estimate, Interval, Measured, Reason};
use crate::check::Side;
use crate::stats::MIN_LAUNCHES;
use crate::text::Plain;
use crate::units::Nanos;

/// Verdict of a rule, or of a whole gate.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// The budget is kept: even the end of the interval that is closest to it, or farthest beyond
    /// it, keeps it.
    Pass,
    /// The measurement does not tell.
    Inconclusive,
    /// The budget is overrun: even the most favourable end of the interval overruns it; or there is
    /// nothing to check, because what the rule names failed.
    Fail,
}

/// Method behind a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Basis {
    /// The 95% interval of the figure.
    Interval,
    /// A bound of the figure from one side, with 95% confidence, where there is no interval.
    Bound,
    /// The value itself, which is read off and not estimated, such as a size or the largest of
    /// several.
    ReadOff,
    /// How many inferences overran the budget, by the early-stopping rule of MLPerf at 99%
    /// confidence.
    EarlyStopping {
        /// Inferences above the budget.
        overruns_count: u64,
    },
    /// Nothing was measured, since both sides are the same: a ratio is 1, a difference 0.
    Same {
        /// Why they are.
        of: Same,
    },
    /// The judgement on the session, which every command tells.
    Judgement {
        /// The decision.
        decision: Decision,
        /// Why.
        reason: Reason,
    },
    /// Nothing: there is no figure, or none to rely on.
    Nothing,
}

/// Why two sides are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    /// Both are one run.
    Run,
    /// Both have the same files, runtime and options: the runs may differ by what their machine did
    /// and not by their model.
    Files,
}

/// About how much more would settle an inconclusive verdict, if the figure stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Settling {
    /// How many more.
    pub more: u64,
    /// Of what; a launch is one round.
    pub of: Counted,
    /// About how long they take, by how long rounds of the run took; absent where that cannot be
    /// told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<Nanos>,
}

/// A verdict with its grounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The verdict.
    pub verdict: GateVerdict,
    /// The method.
    pub basis: Basis,
    /// Why there is none, or why it failed without a figure, as a lowercase fragment; absent where
    /// the figure says it.
    pub reason: Option<Plain>,
    /// The least that would settle it.
    pub settling: Option<Settling>,
}

impl Judgement {
    pub(super) fn without_figure(verdict: GateVerdict, reason: impl Into<Plain>) -> Self {
        Judgement {
            reason: Some(reason.into()),
            ..Judgement::by(Basis::Nothing, verdict)
        }
    }

    pub(super) fn by(basis: Basis, verdict: GateVerdict) -> Self {
        Judgement {
            verdict,
            basis,
            reason: None,
            settling: None,
        }
    }

    pub(super) fn of(measured: &Measured, side: Side, budget: f64) -> Self {
        match (measured.interval, &measured.remark) {
            (Some(interval), _) => Self::by_interval(measured, interval, side, budget),
            (None, Some(remark)) => Judgement {
                settling: launches_to_interval(measured),
                ..Judgement::without_figure(GateVerdict::Inconclusive, remark)
            },
            (None, None) if side.allows(measured.value, budget) => {
                Judgement::by(Basis::ReadOff, GateVerdict::Pass)
            }
            (None, None) => Judgement::by(Basis::ReadOff, GateVerdict::Fail),
        }
    }

    fn by_interval(measured: &Measured, interval: Interval, side: Side, budget: f64) -> Self {
        let (best, worst) = match side {
            Side::AtMost => (interval.low, interval.high),
            Side::AtLeast => (interval.high, interval.low),
        };
        let across = if side.allows(measured.value, budget) {
            worst
        } else {
            best
        };
        match (side.allows(worst, budget), side.allows(best, budget)) {
            (true, _) => Judgement::by(Basis::Interval, GateVerdict::Pass),
            (false, false) => Judgement::by(Basis::Interval, GateVerdict::Fail),
            (false, true) => Judgement {
                settling: settling(measured, across, budget),
                ..Judgement::by(Basis::Interval, GateVerdict::Inconclusive)
            },
        }
    }
}

/// `None` where there are enough of them, and of what is not of launches.
fn launches_to_interval(measured: &Measured) -> Option<Settling> {
    let is_of_few = measured.n_of == Counted::Launches && measured.n < MIN_LAUNCHES;
    is_of_few.then(|| Settling {
        more: MIN_LAUNCHES - measured.n,
        of: Counted::Launches,
        time_ns: None,
    })
}

/// The half-width shrinks with the square root of their number; `None` if the value stands at the
/// budget, or nearly.
fn settling(measured: &Measured, across: f64, budget: f64) -> Option<Settling> {
    let distance = (budget - measured.value).abs();
    if distance == 0.0 {
        return None;
    }
    let needed = measured.n as f64 * ((across - measured.value) / distance).powi(2);
    // Beyond this the figure stands at the budget for every practical purpose.
    const HOPELESS: f64 = 1e9;
    let more = (needed.ceil() - measured.n as f64).max(1.0);
    (more < HOPELESS).then_some(Settling {
        more: more as u64,
        of: measured.n_of,
        time_ns: None,
    })
}

/// The worst counts: pass only if each passes.
pub(super) fn worst(verdicts: impl Iterator<Item = GateVerdict>) -> GateVerdict {
    verdicts.max().unwrap_or(GateVerdict::Inconclusive)
}

pub(super) fn judge(estimate: &Estimate, side: Side, budget: f64) -> Judgement {
    match estimate {
        Estimate::Measured(measured) => Judgement::of(measured, side, budget),
        Estimate::Absent { reason, .. } => {
            Judgement::without_figure(GateVerdict::Inconclusive, reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(low: f64, high: f64, side: Side, budget: f64) -> Judgement {
        let measured = Measured {
            interval: Some(Interval { low, high }),
            ..Measured::exact(10.0, 8, Counted::Launches)
        };
        Judgement::of(&measured, side, budget)
    }

    fn launches(more: u64) -> Option<Settling> {
        let of = Counted::Launches;
        Some(Settling {
            more,
            of,
            time_ns: None,
        })
    }

    #[test]
    fn the_unfavourable_end_must_keep_the_budget() {
        for (side, budget, verdict) in [
            (Side::AtMost, 12.0, GateVerdict::Pass),
            (Side::AtMost, 11.9, GateVerdict::Inconclusive),
            (Side::AtMost, 9.0, GateVerdict::Inconclusive),
            (Side::AtMost, 8.9, GateVerdict::Fail),
            (Side::AtLeast, 9.0, GateVerdict::Pass),
            (Side::AtLeast, 9.1, GateVerdict::Inconclusive),
            (Side::AtLeast, 12.1, GateVerdict::Fail),
        ] {
            assert_eq!(
                judged(9.0, 12.0, side, budget).verdict,
                verdict,
                "{side:?} {budget}"
            );
        }
    }

    #[test]
    fn what_would_settle_follows_from_the_spread() {
        // Half the half-width takes four times the launches: 32 in all.
        for (budget, settling) in [
            (11.0, launches(24)),
            (9.0, launches(24)),
            (10.0, None),
            (12.0, None),
        ] {
            assert_eq!(
                judged(8.0, 12.0, Side::AtMost, budget).settling,
                settling,
                "{budget}"
            );
        }
    }

    #[test]
    fn without_an_interval_nothing_is_decided_but_of_what_is_read_off() {
        let few = Measured {
            remark: Some("no interval: needs 6 launches, has 3".into()),
            ..Measured::exact(1.0, 3, Counted::Launches)
        };
        let judgement = Judgement::of(&few, Side::AtMost, 1e9);
        assert_eq!(judgement.verdict, GateVerdict::Inconclusive);
        assert_eq!(judgement.settling, launches(3));
        let size = Estimate::exact(400.0, 1, Counted::Files);
        assert_eq!(judge(&size, Side::AtMost, 400.0).verdict, GateVerdict::Pass);
        assert_eq!(judge(&size, Side::AtMost, 399.0).verdict, GateVerdict::Fail);
    }

    #[test]
    fn one_failure_fails_all_and_nothing_does_not_pass() {
        use GateVerdict::{Fail, Inconclusive, Pass};
        assert_eq!(worst([Pass, Fail, Inconclusive].into_iter()), Fail);
        assert_eq!(worst([Pass, Inconclusive].into_iter()), Inconclusive);
        assert_eq!(worst([].into_iter()), Inconclusive);
    }
}

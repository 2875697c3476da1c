//! The verdict on a search: an answer, or what it leaves open and how much time would close it.

use schemars::JsonSchema;
use serde::Serialize;

use super::gain::Gain;
use super::{Candidate, LOOKS, SloStanding, State, floor};
use crate::analysis::figures::change::settling_half_width;
use crate::analysis::{Estimate, Measured};
use crate::plan::{CellKey, Objective};
use crate::record::{EndReason, Fate, RunRecord, Tuning};
use crate::units::Nanos;

/// Verdict of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TuningVerdict {
    /// A configuration keeps the SLO and is shown to be better than the defaults; or these do, and
    /// everything that there was to try was tried and is shown not to be better by more than the
    /// noise floor.
    Found,
    /// The best configuration keeps the SLO, but is neither shown to be better than the defaults
    /// nor not to be; or these are the best so far, and there was more to try.
    Undecided,
    /// No configuration is shown to keep the SLO, but not all are shown to break it.
    NotShown,
    /// Every configuration that was tried breaks the SLO.
    NothingMeets,
    /// Nothing was measured.
    NothingMeasured,
}

/// A configuration that looks better than the defaults, or may be, and is not shown to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contender {
    /// Index of the configuration.
    pub place: usize,
    /// Its cost over the defaults', below 1 where it looks better; absent where both took no turns.
    pub cost_ratio: Option<Estimate>,
    /// Whether the ratio rests on rounds that chose the configuration out of several, among which
    /// the best would look better by chance alone.
    pub is_chosen_by_it: bool,
    /// About how much more time would decide it; absent where that cannot be told.
    pub more_ns: Option<Nanos>,
}

/// A race that is judged: the configurations of a search, which of them is the best and which are
/// the defaults.
pub(super) struct Race<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) tuning: &'a Tuning,
    pub(super) objective: Objective,
    pub(super) candidates: &'a [Candidate],
    pub(super) best: Option<usize>,
    pub(super) defaults: Option<usize>,
    pub(super) gain: Option<&'a Gain>,
    /// The one that the best one was preferred over, because it does as well and is better in
    /// another figure.
    pub(super) preferred_over: Option<CellKey>,
}

impl Race<'_> {
    pub(super) fn verdict(&self) -> TuningVerdict {
        let Some(best) = self.best else {
            return TuningVerdict::NothingMeasured;
        };
        match self.candidates[best].standing {
            SloStanding::Meets if self.is_shown(best) => TuningVerdict::Found,
            SloStanding::Meets => TuningVerdict::Undecided,
            SloStanding::Open => TuningVerdict::NotShown,
            SloStanding::Violates if self.is_any_open() => TuningVerdict::NotShown,
            SloStanding::Violates => TuningVerdict::NothingMeets,
        }
    }

    fn default(&self) -> Option<&Candidate> {
        self.defaults.map(|place| &self.candidates[place])
    }

    fn is_any_open(&self) -> bool {
        self.candidates
            .iter()
            .any(|one| one.standing == SloStanding::Open && one.is_measured())
    }

    fn is_shown(&self, best: usize) -> bool {
        if self.defaults == Some(best) {
            return self.is_done()
                && self
                    .candidates
                    .iter()
                    .filter(|one| one.state != State::Best)
                    .all(|one| self.is_not_better(one));
        }
        self.default()
            .is_some_and(|one| Some(one.key) == self.preferred_over)
            || self.is_shown_better()
            || (self.defaults_are_no_choice() && self.is_measured_surely(best))
    }

    /// Beyond the noise floor, by an interval: from rounds that chose nothing, or where the
    /// defaults were dropped.
    fn is_shown_better(&self) -> bool {
        let are_out = self.default().is_some_and(|one| one.state == State::Out);
        self.gain
            .filter(|gain| gain.is_fair() || are_out)
            .and_then(|gain| gain.cost_ratio.measured())
            .is_some_and(|gain| {
                let beyond_floor = gain.value < (-floor(self.objective)).exp();
                beyond_floor && gain.interval.is_some_and(|interval| interval.high < 1.0)
            })
    }

    /// Not measured, or breaking what was asked for. Defaults that were beaten are to be shown to
    /// be, like all others.
    fn defaults_are_no_choice(&self) -> bool {
        self.default().is_none_or(|one| {
            one.state == State::Out
                && !matches!(
                    one.fate,
                    Some(Fate::Worse(_) | Fate::Tied(_) | Fate::Champion { .. })
                )
        })
    }

    /// Whether nothing was left to try when the search ended.
    fn is_done(&self) -> bool {
        matches!(
            self.record.run.ended_by,
            Some(EndReason::SearchDone | EndReason::NothingLeft)
        )
    }

    fn is_measured_surely(&self, place: usize) -> bool {
        self.candidates[place]
            .figure(crate::metric::Metric::LatencyP50)
            .and_then(Estimate::interval)
            .is_some()
    }

    /// By more than the noise floor, or out. Nothing is shown of one that was to be measured and
    /// was not.
    fn is_not_better(&self, one: &Candidate) -> bool {
        if matches!(one.state, State::Out | State::AsGood) {
            return true;
        }
        one.relative
            .as_ref()
            .and_then(|relative| relative.cost_ratio.interval())
            .is_some_and(|interval| interval.low >= (-floor(self.objective)).exp())
    }

    /// The configuration that most likely is better than the defaults, where that is open.
    pub(super) fn contender(&self, costs: &dyn Fn(CellKey) -> Option<Gain>) -> Option<Contender> {
        let (place, gain) = self
            .candidates
            .iter()
            .enumerate()
            .filter(|(place, one)| Some(*place) != self.defaults && self.may_be_better(one))
            .map(|(place, one)| (place, costs(one.key)))
            .min_by(|one, other| value(one.1.as_ref()).total_cmp(&value(other.1.as_ref())))?;
        let more_ns = self.more_time(gain.as_ref());
        let is_chosen_by_it = gain.as_ref().is_some_and(|gain| !gain.is_fair());
        Some(Contender {
            place,
            cost_ratio: gain.map(|gain| gain.cost_ratio),
            is_chosen_by_it,
            more_ns,
        })
    }

    fn may_be_better(&self, one: &Candidate) -> bool {
        let is_sure = one.state != State::Best && self.is_not_better(one);
        one.is_measured() && one.state != State::Out && !is_sure
    }

    /// In rounds as long as those so far, of which an interval shrinks with the square root.
    fn more_time(&self, gain: Option<&Gain>) -> Option<Nanos> {
        let done = gain.map_or(0, |gain| gain.fair_launches);
        let more = gain
            .and_then(|gain| gain.cost_ratio.measured())
            .and_then(|contest| self.rounds_needed(contest))
            .unwrap_or(0)
            .max(LOOKS[0].0.max(done + 1))
            .saturating_sub(done);
        Some(Nanos((self.round_ns()? * more as f64) as u64))
    }

    /// Of all, those so far among them.
    fn rounds_needed(&self, contest: &Measured) -> Option<u64> {
        let interval = contest.interval?;
        let width = (interval.high.ln() - interval.low.ln()) / 2.0;
        let floor = floor(self.objective);
        Some(
            (contest.n as f64
                * (width / settling_half_width(contest.value, floor).max(floor / 4.0)).powi(2))
            .ceil() as u64,
        )
    }

    /// As long as one took so far, in nanoseconds.
    fn round_ns(&self) -> Option<f64> {
        let rounds = self.tuning.rounds().count() as u64;
        let measured = self
            .record
            .blocks
            .iter()
            .map(|block| block.round + 1)
            .max()?
            .max(rounds);
        Some(self.record.run.elapsed_ns?.as_f64() / measured as f64)
    }
}

/// The cost of one over the other; infinite where nothing is known of it.
fn value(gain: Option<&Gain>) -> f64 {
    gain.and_then(|gain| gain.cost_ratio.value())
        .unwrap_or(f64::INFINITY)
}

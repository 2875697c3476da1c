//! Which configurations are worth a heat: those that nothing is known of yet, and nothing speaks
//! against.

use super::course::Course;
use crate::analysis::tuning::default_cell;
use crate::metric::{Group, Metric, Unit};
use crate::plan::{CellKey, SessionSpec};
use crate::record::{Decision, Fate};
use crate::runner::Move;
use crate::text::Plain;
use crate::tune::space::{self, Configuration};

/// How many times the best one's cost is far from it.
const FAR: f64 = 1.5;

impl Course<'_> {
    /// Sessions that are out before anything was timed, for their outputs or an unreadable model,
    /// each decided once.
    pub(super) fn excluded(&self) -> Vec<Decision> {
        if !self.tuning.heats.is_empty() {
            return Vec::new();
        }
        (0..self.plan.base_sessions_count)
            .filter_map(|session| self.exclusion(session))
            .collect()
    }

    fn exclusion(&self, session: usize) -> Option<Decision> {
        let key = CellKey {
            session,
            ..default_cell(self.record)?
        };
        self.tuning
            .fate(key)
            .is_none()
            .then_some(untimed(key, self.why_excluded(key)?))
    }

    fn why_excluded(&self, key: CellKey) -> Option<Fate> {
        if let Some(reason) = self.why_not_started(key.session).cloned() {
            return Some(Fate::Failed { reason });
        }
        let fate = self.judge.breach(key);
        fate.filter(|fate| matches!(fate, Fate::LessAccurate { .. } | Fate::NotFinite))
    }

    /// For its model, or else its first launch.
    fn why_not_started(&self, session: usize) -> Option<&Plain> {
        let variant = &self.record.variants[self.record.plan.sessions[session].variant];
        let first = self
            .record
            .launches
            .iter()
            .find(|launch| launch.session == session);
        variant.outcome.reason().or_else(|| first?.outcome.reason())
    }

    fn is_excluded(&self, configuration: &Configuration) -> bool {
        self.tuning
            .decisions
            .iter()
            .any(|decision| self.excludes(decision, configuration))
    }

    fn excludes(&self, decision: &Decision, configuration: &Configuration) -> bool {
        let spec = &self.record.plan.sessions[decision.key.session];
        match (&decision.fate, decision.heat) {
            (Fate::LessAccurate { .. } | Fate::NotFinite, _) | (Fate::Failed { .. }, None) => {
                spec.computes_alike(&configuration.spec)
            }
            // What failed at one batch size is not tried at larger ones.
            (Fate::Failed { .. }, Some(_)) => {
                *spec == configuration.spec && decision.key.batch_size <= configuration.batch_size
            }
            _ => false,
        }
    }

    /// Those that were in no heat yet, and are worth one.
    pub(super) fn untried(&self, mut configurations: Vec<Configuration>) -> Vec<Configuration> {
        configurations.retain(|one| !self.is_tried(one) && !self.is_excluded(one));
        configurations
    }

    fn is_tried(&self, configuration: &Configuration) -> bool {
        space::cell_of(self.record, configuration).is_some_and(|key| {
            self.raced().any(|raced| raced == key) || self.tuning.fate(key).is_some()
        })
    }

    /// Configurations of variants and execution providers first of which one came near the best one
    /// so far, or of which none was tried: where time is short, larger batches of what is far
    /// slower are worth least.
    pub(super) fn promising_first(
        &self,
        mut all: Vec<Configuration>,
        reference: CellKey,
    ) -> Vec<Configuration> {
        let far = FAR * above_zero(self.cost(reference));
        all.sort_by_cached_key(|one| self.least_cost_like(one) > Some(far));
        all
    }

    /// Of those tried of the same variant, library and execution provider; `None` where there were
    /// none.
    fn least_cost_like(&self, configuration: &Configuration) -> Option<f64> {
        self.raced()
            .filter(|key| {
                let tried = &self.record.plan.sessions[key.session];
                is_of_one_base(tried, &configuration.spec)
            })
            .map(|key| above_zero(self.cost(key)))
            .reduce(f64::min)
    }

    /// Larger batches of sessions of which a smaller one takes too long or too much memory already.
    pub(super) fn beyond_slo(&self, candidates: &[Configuration]) -> Vec<Decision> {
        candidates
            .iter()
            .filter_map(|candidate| space::cell_of(self.record, candidate))
            .filter_map(|key| self.broken_below(key))
            .collect()
    }

    /// A check that a smaller batch of the session broke, and that a larger one breaks as well.
    fn broken_below(&self, key: CellKey) -> Option<Decision> {
        self.tuning.decisions.iter().find_map(|decision| {
            let CellKey {
                session,
                batch_size,
                ..
            } = decision.key;
            match &decision.fate {
                Fate::BreaksSlo(breach)
                    if session == key.session
                        && batch_size < key.batch_size
                        && grows_with_batch(breach.check.metric) =>
                {
                    let check = breach.check.clone();
                    Some(untimed(key, Fate::BeyondSlo { batch_size, check }))
                }
                _ => None,
            }
        })
    }
}

pub(super) fn decided(decisions: Vec<Decision>) -> Move {
    Move::Look {
        decisions,
        champion: None,
    }
}

fn untimed(key: CellKey, fate: Fate) -> Decision {
    Decision {
        key,
        heat: None,
        rounds_count: 0,
        fate,
    }
}

fn is_of_one_base(one: &SessionSpec, other: &SessionSpec) -> bool {
    one.variant == other.variant
        && one.runtime == other.runtime
        && one.execution_provider == other.execution_provider
}

/// A cost of which less is better on a scale on which it can be multiplied.
fn above_zero(cost: f64) -> f64 {
    if cost < 0.0 { -1.0 / cost } else { cost }
}

/// Whether a metric only grows with the batch size: latencies and memory of the process.
fn grows_with_batch(metric: Metric) -> bool {
    let is_latency = metric.group() == Group::Timing && metric.unit() == Unit::Ns;
    is_latency || matches!(metric, Metric::PeakMemory | Metric::PeakMemoryAboveLoad)
}

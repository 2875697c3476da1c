//! Looking at a heat: what is dropped, who leads, and whether the heat ends.
//!
//! **When.** After fixed numbers of rounds ([`LOOKS`]), because looking after every round and stopping at the first
//! difference would make false ones likelier than stated.
//!
//! **What is dropped.** A configuration is dropped if another one of the heat that keeps the SLO costs less: by the
//! signed-rank test on the log-ratios of neighbouring blocks, one for each round, on the one side that is claimed, and by
//! more than the noise floor. The probability of dropping a configuration that is no worse than any other is divided
//! between the looks, and at each look between the others of the heat (Bonferroni): whatever the number of
//! configurations, 2.5% for each in each heat, which is what a 95% interval leaves out on one side. It is also dropped if
//! the SLO or the accuracy allowed is out of reach even for the favourable end of the interval, by the rules of the gate.

use crate::analysis::tuning::{self, Judge, LOOKS, SloStanding};
use crate::plan::CellKey;
use crate::record::{Contest, Decision, Fate, Heat, Outcome, RunRecord, Stage, Tuning};
use crate::runner::{Clock, Move};
use crate::stats::{PairedRatio, Relation};

/// How many of the [`LOOKS`] a heat comes to that only sorts out.
const LOOKS_TO_SORT: usize = 2;

/// Error, on both sides, of calling two configurations the same or one the better one to go on with: neither drops any.
const LEAD_ERROR: f64 = 0.05;

pub(super) fn is_due(heat: &Heat) -> bool {
    let rounds = heat.rounds.len() as u64;
    LOOKS.iter().any(|(look, _)| *look == rounds) && !heat.looks.contains(&rounds)
}

/// The configurations that take part in the next round: those that are not out, and the reference in any case.
pub(super) fn members(record: &RunRecord, tuning: &Tuning, heat: &Heat) -> Vec<CellKey> {
    let is_in = |key: &CellKey| {
        let failed = matches!(tuning.fate(*key), Some(Fate::Failed { .. }));
        !failed
            && (*key == heat.reference || is_default(record, heat, *key) || !tuning.is_out(*key))
    };
    heat.cells.iter().copied().filter(is_in).collect()
}

/// The defaults stay to the end of the final heat, for the gain over them.
fn is_default(record: &RunRecord, heat: &Heat, key: CellKey) -> bool {
    heat.stage == Stage::Final && tuning::default_cell(record) == Some(key)
}

/// Configurations of a heat that failed since they were last looked at.
pub(super) fn failures(record: &RunRecord, heat: &Heat) -> Vec<Decision> {
    let tuning = record.tuning.as_ref();
    let failure = |key: &CellKey| {
        let outcome = &record.cell(*key)?.outcome;
        let known = tuning.and_then(|tuning| tuning.fate(*key));
        let tried = matches!(outcome, Outcome::Failed(_)) || !heat.rounds.is_empty();
        if outcome.is_ok() || !tried || matches!(known, Some(Fate::Failed { .. })) {
            return None;
        }
        let reason = outcome.reason().cloned().unwrap_or_default();
        Some(decision(heat, *key, Fate::Failed { reason }))
    };
    heat.cells.iter().filter_map(failure).collect()
}

fn decision(heat: &Heat, key: CellKey, fate: Fate) -> Decision {
    Decision {
        key,
        heat: Some(heat.number),
        rounds_count: heat.rounds.len() as u64,
        fate,
    }
}

struct View<'a> {
    judge: &'a Judge<'a>,
    heat: &'a Heat,
    floor: f64,
    /// Those that are still in, with their standing.
    members: Vec<(CellKey, SloStanding)>,
}

/// Looks at a heat; `decisions` have been taken already.
pub(super) fn look(
    judge: &Judge<'_>,
    heat: &Heat,
    mut decisions: Vec<Decision>,
    clock: Clock,
) -> Move {
    let (Some(plan), Some(tuning)) = (&judge.record.plan.tuning, &judge.record.tuning) else {
        return Move::Look {
            decisions,
            champion: Some(heat.reference),
        };
    };
    let is_due = is_due(heat);
    let failed: Vec<CellKey> = decisions.iter().map(|decision| decision.key).collect();
    let members = members(judge.record, tuning, heat)
        .into_iter()
        .filter(|key| !failed.contains(key));
    let members: Vec<(CellKey, SloStanding)> =
        members.map(|key| (key, judge.standing(key))).collect();
    let floor = tuning::floor(plan.objective);
    let view = View {
        judge,
        heat,
        floor,
        members,
    };
    if is_due || clock.is_over {
        decisions.extend(view.dropped(tuning));
    }
    let is_out = |key: CellKey| {
        tuning.is_out(key)
            || decisions
                .iter()
                .any(|known| known.key == key && known.fate.is_out())
    };
    let left: Vec<(CellKey, SloStanding)> = view
        .members
        .iter()
        .copied()
        .filter(|(key, _)| !is_out(*key))
        .collect();
    if view.members.len() > 1 && !clock.is_over && !(is_due && view.is_settled(&left)) {
        return Move::Look {
            decisions,
            champion: None,
        };
    }
    let champion = view.champion(&left);
    decisions.extend(view.crowning(champion));
    decisions.extend(view.ties(champion, &left));
    Move::Look {
        decisions,
        champion: Some(champion),
    }
}

impl View<'_> {
    fn contest(&self, one: CellKey, other: CellKey) -> Option<PairedRatio> {
        self.judge.contest([one, other], &self.heat.rounds)
    }

    /// The share of a look's error that one comparison may spend, on both sides.
    fn error(&self) -> f64 {
        let rounds = self.heat.rounds.len() as u64;
        let spent = LOOKS
            .iter()
            .find(|(look, _)| *look >= rounds)
            .map_or(0.0, |(_, error)| *error);
        2.0 * spent / (self.members.len() as f64 - 1.0).max(1.0)
    }

    fn dropped(&self, tuning: &Tuning) -> Vec<Decision> {
        let fate = |&(key, standing): &(CellKey, SloStanding)| {
            if tuning.is_out(key) {
                return None;
            }
            let fate = if standing == SloStanding::Violates {
                self.judge.breach(key)
            } else {
                self.beaten(key)
            };
            Some(decision(self.heat, key, fate?))
        };
        self.members.iter().filter_map(fate).collect()
    }

    /// The one that beats a configuration most surely, if one does.
    fn beaten(&self, key: CellKey) -> Option<Fate> {
        let error = self.error();
        let others = self
            .members
            .iter()
            .filter(|(other, standing)| *other != key && *standing == SloStanding::Meets);
        let beats = |(other, _): &(CellKey, SloStanding)| {
            let paired = self.contest(key, *other)?;
            let evidence = paired.evidence(self.floor);
            let contest = tuning::described(&paired, *other, self.floor, error);
            (evidence.relation(error) == Relation::Above).then_some(contest)
        };
        let surest = |one: &Contest, other: &Contest| {
            one.p_different
                .total_cmp(&other.p_different)
                .then(other.cost_ratio.value.total_cmp(&one.cost_ratio.value))
        };
        others.filter_map(beats).min_by(surest).map(Fate::Worse)
    }

    /// Whether more rounds would tell nothing that is worth them.
    fn is_settled(&self, left: &[(CellKey, SloStanding)]) -> bool {
        let rounds = self.heat.rounds.len() as u64;
        let looks = if self.heat.stage == Stage::Final {
            LOOKS.len()
        } else {
            LOOKS_TO_SORT
        };
        if rounds >= LOOKS[looks - 1].0 {
            return true;
        }
        let champion = self.champion(left);
        let is_proven = |key: CellKey| {
            self.members
                .iter()
                .any(|(known, standing)| *known == key && *standing != SloStanding::Open)
        };
        let is_final = self.heat.stage == Stage::Final;
        let is_told = |key: CellKey| key == champion || self.is_same(key, champion);
        // Those left in the final heat are worth knowing, and so is whether the best one keeps the SLO.
        let worth = !is_final || is_proven(champion);
        worth && left.iter().all(|(key, _)| is_told(*key)) && (!is_final || rounds >= LOOKS[1].0)
    }

    fn is_same(&self, one: CellKey, other: CellKey) -> bool {
        let paired = self.contest(one, other);
        paired.is_some_and(|paired| {
            paired.evidence(self.floor).relation(LEAD_ERROR) == Relation::Same
        })
    }

    /// The best of those that are left; of all, where nothing is left: the one that comes closest to the SLO.
    fn champion(&self, left: &[(CellKey, SloStanding)]) -> CellKey {
        let best = left.iter().map(|(_, standing)| *standing).min();
        let Some(best) = best.filter(|standing| *standing != SloStanding::Violates) else {
            return self.closest();
        };
        let pool: Vec<CellKey> = left
            .iter()
            .filter(|(_, standing)| *standing == best)
            .map(|(key, _)| *key)
            .collect();
        let stays = pool.contains(&self.heat.reference);
        let measure = if stays { self.heat.reference } else { pool[0] };
        let cost = |key: CellKey| -> Option<f64> {
            if key == measure {
                return Some(0.0);
            }
            let evidence = self.contest(key, measure)?.evidence(self.floor);
            // Without proof the one before stays: the simpler one, and the one that is known best.
            (!stays || evidence.relation(LEAD_ERROR) == Relation::Below).then_some(evidence.centre)
        };
        let costs = pool.iter().filter_map(|&key| Some((key, cost(key)?)));
        costs
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map_or(measure, |(key, _)| key)
    }

    fn closest(&self) -> CellKey {
        let keys = || self.members.iter().map(|(key, _)| *key);
        let own = self.judge.excess(self.heat.reference);
        let nearest = keys()
            .min_by(|&one, &other| self.judge.excess(one).total_cmp(&self.judge.excess(other)));
        let is_clearly_nearer =
            |key: &CellKey| (1.0 + self.judge.excess(*key)).ln() < (1.0 + own).ln() - self.floor;
        let has_failed = !keys().any(|key| key == self.heat.reference);
        nearest
            .filter(|key| has_failed || is_clearly_nearer(key))
            .unwrap_or(self.heat.reference)
    }

    fn crowning(&self, champion: CellKey) -> Option<Decision> {
        let reference = self.heat.reference;
        if champion == reference && self.heat.number > 0 {
            return None;
        }
        let paired = (champion != reference)
            .then(|| self.contest(champion, reference))
            .flatten();
        let over =
            paired.map(|paired| tuning::described(&paired, reference, self.floor, LEAD_ERROR));
        // What is out cannot be crowned; it is only where the search goes on from.
        let keeps = self
            .members
            .iter()
            .any(|(key, standing)| *key == champion && *standing != SloStanding::Violates);
        keeps.then(|| decision(self.heat, champion, Fate::Champion { over }))
    }

    fn ties(&self, champion: CellKey, left: &[(CellKey, SloStanding)]) -> Vec<Decision> {
        let tie = |&(key, _): &(CellKey, SloStanding)| {
            let paired = self.contest(key, champion).filter(|_| key != champion)?;
            let contest = tuning::described(&paired, champion, self.floor, LEAD_ERROR);
            let same = paired.evidence(self.floor).relation(LEAD_ERROR) == Relation::Same;
            same.then(|| decision(self.heat, key, Fate::Tied(contest)))
        };
        left.iter().filter_map(tie).collect()
    }
}

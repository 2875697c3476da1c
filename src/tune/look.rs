//! Looking at a heat: what is dropped, who leads, and whether the heat ends.
//!
//! **When.** After fixed numbers of rounds ([`LOOKS`]), because looking after every round and
//! stopping at the first difference would make false ones likelier than stated.
//!
//! **What is dropped.** A configuration is dropped if another one of the heat that keeps the SLO
//! costs less: by the signed-rank test on the log-ratios of neighbouring blocks, one for each
//! round, on the one side that is claimed, and by more than the noise floor. The probability of
//! dropping a configuration that is no worse than any other is divided between the looks, and at
//! each look between the others of the heat (Bonferroni): whatever the number of configurations,
//! 2.5% for each in each heat, which is what a 95% interval leaves out on one side. It is also
//! dropped if the SLO or the accuracy allowed is out of reach even for the favourable end of the
//! interval, by the rules of the gate.

use std::cmp::Ordering;

use crate::analysis::tuning::{self, Judge, LOOKS, SloStanding, Turns};
use crate::plan::CellKey;
use crate::record::{Contest, Decision, Fate, Heat, Outcome, RunRecord, Stage, Tuning};
use crate::runner::{Clock, Move};
use crate::stats::{PairedRatio, Relation};

/// How many of the [`LOOKS`] a heat comes to that only sorts out.
const LOOKS_TO_SORT: usize = 2;

/// Error, on both sides, of calling two configurations the same or one the better one to go on
/// with: neither drops any.
const LEAD_ERROR: f64 = 0.05;

pub(super) fn is_due(heat: &Heat) -> bool {
    let rounds = heat.rounds.len() as u64;
    LOOKS.iter().any(|(look, _)| *look == rounds) && !heat.looks.contains(&rounds)
}

/// The configurations that take part in the next round: those that are not out, and the reference
/// in any case.
pub(super) fn members(record: &RunRecord, tuning: &Tuning, heat: &Heat) -> Vec<CellKey> {
    let mut cells = heat.cells.clone();
    cells.retain(|&key| {
        let stays = key == heat.reference || is_default(record, heat, key);
        (stays || !tuning.is_out(key)) && !has_failed(tuning, key)
    });
    cells
}

fn has_failed(tuning: &Tuning, key: CellKey) -> bool {
    matches!(tuning.fate(key), Some(Fate::Failed { .. }))
}

/// The defaults stay to the end of the final heat, for the gain over them.
fn is_default(record: &RunRecord, heat: &Heat, key: CellKey) -> bool {
    heat.stage == Stage::Final && tuning::default_cell(record) == Some(key)
}

/// Configurations of a heat that failed since they were last looked at.
pub(super) fn failures(record: &RunRecord, heat: &Heat) -> Vec<Decision> {
    heat.cells
        .iter()
        .filter_map(|&key| failure(record, heat, key))
        .collect()
}

fn failure(record: &RunRecord, heat: &Heat, key: CellKey) -> Option<Decision> {
    let outcome = &record.cell(key)?.outcome;
    let is_known = record
        .tuning
        .as_ref()
        .is_some_and(|tuning| has_failed(tuning, key));
    let tried = matches!(outcome, Outcome::Failed(_)) || !heat.rounds.is_empty();
    let reason = outcome.reason().cloned();
    (!outcome.is_ok() && tried && !is_known).then(|| {
        decision(
            heat,
            key,
            Fate::Failed {
                reason: reason.unwrap_or_default(),
            },
        )
    })
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
    /// Those that are still in.
    members: Vec<Member>,
}

#[derive(Clone, Copy)]
struct Member {
    key: CellKey,
    standing: SloStanding,
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
    let mut members = members(judge.record, tuning, heat);
    members.retain(|key| decisions.iter().all(|decision| decision.key != *key));
    let view = View {
        judge,
        heat,
        floor: tuning::floor(plan.objective),
        members: members
            .into_iter()
            .map(|key| Member {
                key,
                standing: judge.standing(key),
            })
            .collect(),
    };
    if is_due || clock.is_over {
        decisions.extend(view.dropped(tuning));
    }
    let left = view.left(tuning, &decisions);
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
    fn contest(&self, key: CellKey, against: CellKey) -> Option<PairedRatio> {
        self.judge.contest(Turns {
            key,
            against,
            rounds: &self.heat.rounds,
        })
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
        self.members
            .iter()
            .filter(|member| !tuning.is_out(member.key))
            .filter_map(|member| {
                Some(decision(
                    self.heat,
                    member.key,
                    self.reason_to_drop(member)?,
                ))
            })
            .collect()
    }

    fn reason_to_drop(&self, member: &Member) -> Option<Fate> {
        match member.standing {
            SloStanding::Violates => self.judge.breach(member.key),
            SloStanding::Meets | SloStanding::Open => self.beaten(member.key),
        }
    }

    /// Those that are in after some decisions.
    fn left(&self, tuning: &Tuning, decisions: &[Decision]) -> Vec<Member> {
        let mut left = self.members.clone();
        left.retain(|&Member { key, .. }| {
            !tuning.is_out(key)
                && !decisions
                    .iter()
                    .any(|known| known.key == key && known.fate.is_out())
        });
        left
    }

    /// The one that beats a configuration most surely, if one does.
    fn beaten(&self, key: CellKey) -> Option<Fate> {
        self.members
            .iter()
            .filter(|other| other.key != key && other.standing == SloStanding::Meets)
            .filter_map(|other| self.beaten_by(key, other.key))
            .min_by(surer)
            .map(Fate::Worse)
    }

    fn beaten_by(&self, key: CellKey, other: CellKey) -> Option<Contest> {
        let error = self.error();
        let paired = self.contest(key, other)?;
        (self.relation(&paired, error) == Relation::Above)
            .then(|| tuning::described(&paired, other, self.floor, error))
    }

    fn relation(&self, paired: &PairedRatio, error: f64) -> Relation {
        paired.evidence(self.floor).relation(error)
    }

    /// Whether more rounds would tell nothing that is worth them.
    fn is_settled(&self, left: &[Member]) -> bool {
        let rounds = self.heat.rounds.len() as u64;
        if rounds >= LOOKS[self.looks() - 1].0 {
            return true;
        }
        let champion = self.champion(left);
        // Those left in the final heat are worth knowing, and so is whether the best one keeps the
        // SLO.
        let is_enough =
            self.heat.stage != Stage::Final || (rounds >= LOOKS[1].0 && self.is_proven(champion));
        is_enough
            && left
                .iter()
                .all(|&Member { key, .. }| key == champion || self.is_same(key, champion))
    }

    /// How many of the [`LOOKS`] the heat comes to at most.
    fn looks(&self) -> usize {
        if self.heat.stage == Stage::Final {
            LOOKS.len()
        } else {
            LOOKS_TO_SORT
        }
    }

    fn is_proven(&self, key: CellKey) -> bool {
        self.members
            .iter()
            .any(|known| known.key == key && known.standing != SloStanding::Open)
    }

    fn is_same(&self, one: CellKey, other: CellKey) -> bool {
        self.contest(one, other)
            .is_some_and(|paired| self.relation(&paired, LEAD_ERROR) == Relation::Same)
    }

    /// The best of those that are left; of all, where nothing is left: the one that comes closest
    /// to the SLO.
    fn champion(&self, left: &[Member]) -> CellKey {
        let best = left.iter().map(|member| member.standing).min();
        let Some(best) = best.filter(|standing| *standing != SloStanding::Violates) else {
            return self.closest();
        };
        let pool: Vec<CellKey> = left
            .iter()
            .filter(|member| member.standing == best)
            .map(|member| member.key)
            .collect();
        let measure = if pool.contains(&self.heat.reference) {
            self.heat.reference
        } else {
            pool[0]
        };
        pool.iter()
            .filter_map(|&key| Some((key, self.cost_over(key, measure)?)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map_or(measure, |(key, _)| key)
    }

    /// On the scale of the logarithm; `None` where the two took no turns, and of one that must not
    /// take the reference's place.
    fn cost_over(&self, key: CellKey, measure: CellKey) -> Option<f64> {
        if key == measure {
            return Some(0.0);
        }
        let evidence = self.contest(key, measure)?.evidence(self.floor);
        // Without proof the one before stays: the simpler one, and the one that is known best.
        let is_taken =
            measure != self.heat.reference || evidence.relation(LEAD_ERROR) == Relation::Below;
        is_taken.then_some(evidence.centre)
    }

    fn closest(&self) -> CellKey {
        let reference = self.heat.reference;
        let has_failed = self.members.iter().all(|member| member.key != reference);
        self.members
            .iter()
            .map(|member| member.key)
            .min_by(|&one, &other| self.judge.excess(one).total_cmp(&self.judge.excess(other)))
            .filter(|&key| has_failed || self.is_clearly_nearer(key))
            .unwrap_or(reference)
    }

    /// To the SLO than the reference.
    fn is_clearly_nearer(&self, key: CellKey) -> bool {
        let own = self.judge.excess(self.heat.reference);
        (1.0 + self.judge.excess(key)).ln() < (1.0 + own).ln() - self.floor
    }

    fn crowning(&self, champion: CellKey) -> Option<Decision> {
        let reference = self.heat.reference;
        if champion == reference && self.heat.number > 0 {
            return None;
        }
        // What is out cannot be crowned; it is only where the search goes on from.
        let crowned = self.members.iter().find(|known| known.key == champion)?;
        if crowned.standing == SloStanding::Violates {
            return None;
        }
        let over = (champion != reference)
            .then(|| self.contest(champion, reference))
            .flatten()
            .map(|paired| tuning::described(&paired, reference, self.floor, LEAD_ERROR));
        Some(decision(self.heat, champion, Fate::Champion { over }))
    }

    fn ties(&self, champion: CellKey, left: &[Member]) -> Vec<Decision> {
        left.iter()
            .filter(|member| member.key != champion)
            .filter_map(|member| self.tie(member.key, champion))
            .collect()
    }

    fn tie(&self, key: CellKey, champion: CellKey) -> Option<Decision> {
        let paired = self.contest(key, champion)?;
        (self.relation(&paired, LEAD_ERROR) == Relation::Same).then(|| {
            let contest = tuning::described(&paired, champion, self.floor, LEAD_ERROR);
            decision(self.heat, key, Fate::Tied(contest))
        })
    }
}

/// By their probability of chance, then by the larger difference.
fn surer(one: &Contest, other: &Contest) -> Ordering {
    one.p_different
        .total_cmp(&other.p_different)
        .then(other.cost_ratio.value.total_cmp(&one.cost_ratio.value))
}

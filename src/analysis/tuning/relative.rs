//! Configurations of different heats on one scale: the cost of each over that of the best one.
//!
//! A machine runs at different speeds at different times, so that figures of different heats tell more of the machine
//! than of the configurations. Ratios come from blocks that took turns.

use serde::Serialize;

use super::gain::Field;
use super::standing::Judge;
use crate::analysis::Estimate;
use crate::plan::{CellKey, Objective};
use crate::record::Tuning;

/// Cost of a configuration over the best one's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relative {
    /// The objective's cost over that of the best one: above 1 is worse. Without an interval where both took no turns.
    pub cost_ratio: Estimate,
    /// Whether both took turns with each other; otherwise each did with a third one, by way of which the ratio is told.
    pub is_direct: bool,
}

pub(super) struct Scale<'a> {
    judge: &'a Judge<'a>,
    tuning: &'a Tuning,
    rounds: Vec<u64>,
    best: CellKey,
}

impl<'a> Scale<'a> {
    pub(super) fn new(judge: &'a Judge<'a>, tuning: &'a Tuning, best: CellKey) -> Self {
        let rounds = tuning.heats.iter().flat_map(|heat| heat.rounds.iter().copied()).collect();
        Scale { judge, tuning, rounds, best }
    }

    /// The cost of a configuration over that of the best one; `None` where no chain of turns leads there.
    pub(super) fn relative(&self, objective: Objective, key: CellKey) -> Option<Relative> {
        let field = Field { judge: self.judge, tuning: self.tuning, objective };
        match field.gain([key, self.best]).filter(|_| key != self.best) {
            Some(gain) => Some(Relative { cost_ratio: gain.cost_ratio, is_direct: gain.is_direct }),
            None => {
                let ratio = self.log_ratio(objective, key)?.exp();
                let cost_ratio = Estimate::exact(ratio, 1, crate::analysis::Counted::Pairs);
                Some(Relative { cost_ratio, is_direct: key == self.best })
            }
        }
    }

    /// The logarithm of the cost over that of the best one, by way of the best ones of their time: the best one of a heat
    /// takes part in the next.
    pub(super) fn log_ratio(&self, objective: Objective, key: CellKey) -> Option<f64> {
        let centre = |keys: [CellKey; 2], rounds: &[u64]| {
            Some(self.judge.contest_on(objective, keys, rounds)?.evidence(0.0).centre)
        };
        let (mut at, mut sum) = (key, 0.0);
        for _ in 0..=self.tuning.heats.len() {
            if at == self.best {
                return Some(sum);
            }
            if let Some(last) = centre([at, self.best], &self.rounds) {
                return Some(sum + last);
            }
            let heat = self.tuning.heats.iter().rev().find(|heat| heat.cells.contains(&at))?;
            let next = heat.champion.filter(|next| *next != at)?;
            sum += centre([at, next], &heat.rounds)?;
            at = next;
        }
        None
    }
}

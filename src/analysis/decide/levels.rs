//! Two levels of latency in one cell.

use crate::analysis::figures::CellFindings;
use crate::stats::{LatencyModes, SpeedStates};

/// Two levels of a cell's latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TwoLevels {
    /// Among its latencies.
    OfLatencies {
        /// The modes.
        modes: LatencyModes,
        /// Whether whole blocks were at one level or the other.
        are_of_blocks: bool,
    },
    /// Among the medians of its blocks alone.
    OfBlocks(SpeedStates),
}

impl TwoLevels {
    /// Those of a cell, if there are.
    #[must_use]
    pub fn of(cell: &CellFindings) -> Option<Self> {
        let states = cell.speed_states;
        cell.modes
            .map(|modes| TwoLevels::OfLatencies {
                modes,
                are_of_blocks: states.is_some(),
            })
            .or(states.map(TwoLevels::OfBlocks))
    }

    /// The upper one over the lower one.
    #[must_use]
    pub fn apart(&self) -> f64 {
        match self {
            TwoLevels::OfLatencies { modes, .. } => modes.slow_ns / modes.fast_ns,
            TwoLevels::OfBlocks(states) => states.slow_to_fast_ratio.0,
        }
    }
}

/// The cells that have two levels of latency, those in which they lie furthest apart first.
#[must_use]
pub fn two_levels(cells: &[CellFindings]) -> Vec<(&CellFindings, TwoLevels)> {
    let mut found: Vec<_> = cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .filter_map(|cell| Some((cell, TwoLevels::of(cell)?)))
        .collect();
    found.sort_by(|(_, one), (_, other)| other.apart().total_cmp(&one.apart()));
    found
}

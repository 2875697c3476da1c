//! What other ways of serving would bring: the queue that serves, in a time of its own, with the
//! service times that were measured.
//!
//! Inferences take times that are drawn from the whole distribution measured at their batch size,
//! independently of each other. Several threads run as fast as one does alone, which is only
//! assumed of as many as have CPUs of their own; of more than that, only what was measured with so
//! many is taken. Nothing here is measured: a report calls it simulated.

mod grid;
mod run;
mod simulation;
#[cfg(test)]
mod tests;
mod times;
mod types;

use super::pool::Loaded;
use crate::plan::{Offer, Serving};
use crate::record::RunRecord;
use crate::units::PerSecond;
use grid::Grid;
use simulation::Simulation;
use times::ServiceTimes;
pub use types::{MachinesNeeded, MeasuredSize, Simulated, WhatIf, WhatIfCapacity, WhatIfRate};

/// What a simulation says of a session of a run under load; `None` where no service times were
/// measured.
#[must_use]
pub fn what_if(record: &RunRecord, session: usize) -> Option<WhatIf> {
    let loaded = Loaded::of(record)?;
    let times = ServiceTimes::of(loaded, session)?;
    let grid = Grid::of(loaded, session, &times);
    let simulation = Simulation::of(loaded, &times);
    let rates: Vec<WhatIfRate> = grid
        .rates
        .iter()
        .map(|&rate| simulation.at(rate, &grid.servings))
        .collect();
    let highest = simulation.highest(&rates);
    Some(WhatIf {
        session,
        arrivals: simulation.arrivals.clone(),
        measured: times.measured(),
        needed: needed(&rates, highest.as_ref()),
        rates,
        highest,
    })
}

/// The best up to three ways of serving a session at a rate, the best first, which are worth being
/// really run; empty where no service times were measured.
#[must_use]
pub fn best_servings(record: &RunRecord, session: usize, rate: PerSecond) -> Vec<Serving> {
    let Some(loaded) = Loaded::of(record) else {
        return Vec::new();
    };
    let Some(times) = ServiceTimes::of(loaded, session) else {
        return Vec::new();
    };
    let grid = Grid::of(loaded, session, &times);
    let at_rate = Simulation::of(loaded, &times).at(rate, &grid.servings);
    let settings = at_rate.best.iter().map(|&index| &at_rate.settings[index]);
    settings.map(|one| one.serving.clone()).collect()
}

/// What becomes of requests in one way of serving at one rate, simulated with so many of them;
/// `None` where no service times were measured that it is simulated from.
#[must_use]
pub fn simulated(
    record: &RunRecord,
    session: usize,
    serving: &Serving,
    offer: Offer,
) -> Option<Simulated> {
    let loaded = Loaded::of(record)?;
    let times = ServiceTimes::of(loaded, session)?;
    let simulation = Simulation::of(loaded, &times);
    let can_be = serving.max_batch() <= times.largest_size();
    can_be.then(|| simulation.one(serving, offer))
}

fn needed(rates: &[WhatIfRate], highest: Option<&WhatIfCapacity>) -> Vec<MachinesNeeded> {
    let Some(highest) = highest else {
        return Vec::new();
    };
    let of_rate = |rate: &WhatIfRate| MachinesNeeded {
        rate_per_sec: rate.rate_per_sec,
        machines_count: (rate.rate_per_sec.0 / highest.rate_per_sec.0).ceil() as u64,
    };
    let needed = rates.iter().map(of_rate);
    needed.filter(|needed| needed.machines_count > 1).collect()
}

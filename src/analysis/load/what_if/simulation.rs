//! All ways of serving at one rate, and the rate that the best of them holds.

use super::run::Run;
use super::times::ServiceTimes;
use super::types::{Simulated, WhatIfCapacity, WhatIfRate};
use crate::analysis::load::pool::Loaded;
use crate::plan::{Arrivals, Offer, Serving};
use crate::units::{Nanos, PerSecond};

/// Requests of each setting at each rate, before the best are known.
const SCREENED: u64 = 2_000;
/// Requests of each of the best.
const REFINED: u64 = 20_000;
/// How many settings are the best of a rate.
const BEST: usize = 3;
/// How often the search for the highest rate halves what is left.
const HALVINGS: u32 = 8;

/// What every simulation of a session has in common.
pub(super) struct Simulation<'a> {
    loaded: Loaded<'a>,
    times: &'a ServiceTimes,
    pub(super) arrivals: Arrivals,
}

impl<'a> Simulation<'a> {
    pub(super) fn of(loaded: Loaded<'a>, times: &'a ServiceTimes) -> Self {
        let arrivals = match &loaded.plan.arrivals {
            Arrivals::Users { .. } | Arrivals::Trace { .. } => Arrivals::Poisson,
            open @ (Arrivals::Constant
            | Arrivals::Poisson
            | Arrivals::Gamma { .. }
            | Arrivals::Bursts { .. }) => open.clone(),
        };
        Simulation {
            loaded,
            times,
            arrivals,
        }
    }

    /// All settings at a rate in the same requests, and the best of them in more of them.
    pub(super) fn at(&self, rate: PerSecond, servings: &[Serving]) -> WhatIfRate {
        let mut settings: Vec<Simulated> = servings
            .iter()
            .map(|serving| self.one(serving, self.offer(rate, SCREENED)))
            .collect();
        let mut best = ranked(&settings);
        best.truncate(BEST);
        for &index in &best {
            settings[index] = self.one(&servings[index], self.offer(rate, REFINED));
        }
        best.sort_by_key(|&index| settings[index].rank());
        WhatIfRate {
            rate_per_sec: rate,
            settings,
            best,
        }
    }

    /// So many requests, the same ones for every setting at a rate.
    fn offer(&self, rate: PerSecond, requests: u64) -> Offer {
        let length = Nanos((requests as f64 / rate.0 * 1e9) as u64);
        Offer::at(rate, length, self.loaded.record.plan.schedule.seed)
    }

    pub(super) fn one(&self, serving: &Serving, offer: Offer) -> Simulated {
        let run = Run {
            serving,
            offer,
            arrivals: &self.arrivals,
            times: self.times,
            slo: &self.loaded.plan.slo,
        };
        run.simulated()
    }

    /// Of the setting that keeps the SLO at the highest rate.
    pub(super) fn highest(&self, rates: &[WhatIfRate]) -> Option<WhatIfCapacity> {
        let (place, serving) = rates
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, rate)| Some((place, kept(rate)?)))?;
        let holds = rates[place].rate_per_sec;
        let above = rates.get(place + 1).map(|rate| rate.rate_per_sec);
        let most = self.times.most_per_sec(&serving).0;
        let breaks = above.map_or(most, |above| above.0.min(most));
        let rate_per_sec = self.edge(&serving, holds, PerSecond(breaks));
        Some(WhatIfCapacity {
            serving,
            rate_per_sec,
        })
    }

    /// The highest rate between one that keeps the SLO and one that does not.
    fn edge(&self, serving: &Serving, holds: PerSecond, breaks: PerSecond) -> PerSecond {
        let (mut holds, mut breaks) = (holds.0, breaks.0.max(holds.0));
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(holds, breaks);
            let one = self.one(serving, self.offer(PerSecond(middle), REFINED));
            if one.keeps_slo == Some(true) {
                holds = middle;
            } else {
                breaks = middle;
            }
        }
        PerSecond(holds)
    }
}

/// The best setting, if it keeps the SLO.
fn kept(rate: &WhatIfRate) -> Option<Serving> {
    let best = rate.settings.get(*rate.best.first()?)?;
    (best.keeps_slo == Some(true)).then(|| best.serving.clone())
}

fn ranked(settings: &[Simulated]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..settings.len()).collect();
    order.sort_by_key(|&index| settings[index].rank());
    order
}

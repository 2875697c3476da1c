//! All that is found of one candidate.

use super::pool::Loaded;
use super::types::{LoadCandidate, Stress};
use super::{at_rate, capacity, integrity, saturation, soak, stress, worth};
use crate::analysis::figures::{Estimate, Figure, OfLoad, Source, source};
use crate::metric::Group;
use crate::observed::Observed;
use crate::record::LoadKey;

pub(super) fn candidate(loaded: Loaded<'_>, key: LoadKey) -> LoadCandidate {
    let pools = loaded.pools(key);
    let points: Vec<_> = pools
        .iter()
        .map(|pool| at_rate::point(loaded, pool))
        .collect();
    let capacity = capacity::capacity(loaded.record, key);
    let mut candidate = LoadCandidate {
        key,
        label: loaded.record.session_label(key.session).into(),
        figures: Vec::new(),
        saturation: saturation::of_points(loaded, &points),
        stress: stress::of(loaded, &pools),
        soak: soak::of(&pools),
        integrity: integrity::of(loaded, key),
        worth: worth::of(&capacity, loaded.plan),
        points,
        capacity,
    };
    candidate.figures = figures(&candidate);
    candidate
}

fn figures(candidate: &LoadCandidate) -> Vec<Figure> {
    Group::Load
        .metrics()
        .filter_map(|metric| {
            let Source::Load(of_load) = source(metric) else {
                return None;
            };
            Some(Figure {
                metric,
                estimate: estimate(candidate, of_load)?,
            })
        })
        .collect()
}

/// `None` of what is of one rate.
fn estimate(candidate: &LoadCandidate, of_load: OfLoad) -> Option<Estimate> {
    match of_load {
        OfLoad::Capacity => Some(candidate.capacity.rate_per_sec.clone()),
        OfLoad::Recovery => Some(recovery(&candidate.stress)),
        OfLoad::MemoryGrowth => Some(soak::memory_growth(&candidate.soak)),
        OfLoad::Response(_) | OfLoad::ErrorRate | OfLoad::Goodput => None,
    }
}

fn recovery(stress: &Observed<Stress>) -> Estimate {
    match stress {
        Ok(stress) => stress.recovery.clone(),
        Err(reason) => Estimate::absent(reason),
    }
}

//! With how little a rate is held, where several ways of serving were measured.

use super::kept::{Kept, kept};
use super::pool::Loaded;
use super::types::{Fewest, LoadCandidate};
use crate::record::LoadStage;

/// For each session and each rate that was asked for: fewest sessions, and of these fewest threads,
/// of the ways of serving that are shown to keep the SLO there. None without an SLO, or where there
/// is one way of serving.
pub(super) fn all(loaded: Loaded<'_>, candidates: &[LoadCandidate]) -> Vec<Fewest> {
    if loaded.plan.servings.len() < 2 {
        return Vec::new();
    }
    let mut least: Vec<Fewest> = Vec::new();
    for found in candidates
        .iter()
        .flat_map(|candidate| holding(loaded, candidate))
    {
        let known = least.iter_mut().find(|known| {
            (known.key.session, known.rate_per_sec) == (found.key.session, found.rate_per_sec)
        });
        match known {
            Some(known) if size(&found) < size(known) => *known = found,
            Some(_) => {}
            None => least.push(found),
        }
    }
    least
}

fn size(fewest: &Fewest) -> (u64, u64) {
    (fewest.sessions_count, fewest.threads_count)
}

/// The rates at which a candidate keeps the SLO.
fn holding(loaded: Loaded<'_>, candidate: &LoadCandidate) -> Vec<Fewest> {
    let key = candidate.key;
    let serving = &loaded.plan.servings[key.serving];
    let pool = loaded.record.plan.sessions[key.session]
        .options
        .intra_threads;
    candidate
        .of_stage(LoadStage::Asked)
        .filter(|point| kept(point, &loaded.plan.slo) == Some(Kept::Yes))
        .map(|point| Fewest {
            rate_per_sec: point.asked,
            key,
            sessions_count: serving.sessions * serving.processes,
            threads_count: serving.threads(pool),
        })
        .collect()
}

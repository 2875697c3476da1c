//! All that is found of one candidate.

use super::at_rate;
use super::capacity;
use super::pool::Loaded;
use super::types::{CapacityWorth, LoadCandidate};
use crate::analysis::figures::{Estimate, Figure};
use crate::metric::Group;
use crate::record::LoadKey;

const NOT_YET: &str = "it is not computed";

pub(super) fn candidate(loaded: Loaded<'_>, key: LoadKey) -> LoadCandidate {
    let pools = loaded.pools(key);
    let capacity = capacity::capacity(loaded.record, key);
    LoadCandidate {
        key,
        label: loaded.record.session_label(key.session).into(),
        figures: Group::Load
            .metrics()
            .map(|metric| Figure {
                metric,
                estimate: Estimate::absent(NOT_YET),
            })
            .collect(),
        points: pools
            .iter()
            .map(|pool| at_rate::point(loaded, pool))
            .collect(),
        capacity,
        saturation: Err(NOT_YET.into()),
        stress: Err(NOT_YET.into()),
        soak: Err(NOT_YET.into()),
        integrity: Err(NOT_YET.into()),
        worth: CapacityWorth {
            transactions_per_minute: Estimate::absent(NOT_YET),
            virtual_users: Estimate::absent(NOT_YET),
            cost_per_million: Estimate::absent(NOT_YET),
        },
    }
}

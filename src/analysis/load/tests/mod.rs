//! Made-up runs under load, and what is found of them.

#[path = "../../../../tests/it/support/load.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "tests of several rooms make up the same records"
)]
pub(super) mod load;
#[path = "../../../../tests/it/support/record.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "tests of several rooms make up the same records"
)]
#[expect(dead_code, reason = "other tests use the rest")]
mod record;

mod at_rate;
mod gated;
mod over_rates;

use std::sync::LazyLock;

use super::{LoadCandidate, LoadFindings, findings};
use crate::record::{LoadKey, RunRecord};

fn found(record: &RunRecord) -> LoadFindings {
    findings(record).unwrap()
}

/// Of a session that is served in the first way.
fn candidate(found: &LoadFindings, session: usize) -> &LoadCandidate {
    found
        .candidate(LoadKey {
            session,
            serving: 0,
        })
        .unwrap()
}

/// A search for the highest rate, made up once: it is large.
static SEARCHED: LazyLock<RunRecord> = LazyLock::new(load::capacity);

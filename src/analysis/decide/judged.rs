//! On how many samples outputs were held against anything.

use crate::analysis::{AccuracyFindings, Findings, HeldAgainst, SessionFindings};
use crate::record::RunRecord;

/// On how many samples outputs were held against the best that there is for some variant: labels, a
/// reference, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedOutputs {
    /// The best that there is.
    pub against: HeldAgainst,
    /// The most samples of a variant that were held against it.
    pub samples_count: u64,
    /// Samples of the data; absent where they are made up.
    pub all_count: Option<u64>,
    /// Whether there are several variants, each with as many samples.
    pub is_same_for_all: bool,
}

impl JudgedOutputs {
    /// `None` where no outputs were computed.
    #[must_use]
    pub fn of(record: &RunRecord, findings: &Findings) -> Option<Self> {
        let measured: Vec<&SessionFindings> = findings
            .sessions
            .iter()
            .filter(|session| session.outcome.is_ok())
            .collect();
        let against = best_held(&measured)?;
        let counts: Vec<u64> = measured
            .iter()
            .filter(|session| !is_reference(session, against))
            .map(|session| held_count(&session.accuracy, against))
            .collect();
        let samples_count = counts.iter().copied().max()?;
        Some(JudgedOutputs {
            against,
            samples_count,
            all_count: record.dataset.as_ref().map(|data| data.samples_count),
            is_same_for_all: counts.len() > 1 && counts.iter().all(|&count| count == samples_count),
        })
    }

    /// Samples that outputs were held against something on; `None` where there was nothing.
    #[must_use]
    pub fn compared_count(&self) -> Option<u64> {
        (self.against != HeldAgainst::Nothing).then_some(self.samples_count)
    }

    /// Whether samples of the data were left out.
    #[must_use]
    pub fn is_part(&self) -> bool {
        self.all_count.is_some_and(|all| self.samples_count < all)
    }
}

/// `None` where no outputs were computed.
fn best_held(measured: &[&SessionFindings]) -> Option<HeldAgainst> {
    measured
        .iter()
        .filter(|session| session.accuracy.samples_count > 0)
        .map(|session| session.accuracy.held_against)
        .max()
}

fn held_count(accuracy: &AccuracyFindings, against: HeldAgainst) -> u64 {
    if accuracy.held_against == against {
        accuracy.samples_count
    } else {
        0
    }
}

/// Others are held against it, and nothing is expected of itself then.
fn is_reference(session: &SessionFindings, against: HeldAgainst) -> bool {
    against == HeldAgainst::Reference
        && session.is_baseline
        && session.accuracy.held_against == HeldAgainst::Nothing
}

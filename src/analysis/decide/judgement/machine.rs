//! What the state of the machine can do to a comparison.

use serde::Serialize;

use crate::record::{FitnessVerdict, RunRecord};

/// What the state of the machine can do to a comparison with the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineEffect {
    /// Nothing was seen that speaks against it.
    None,
    /// It was not quiet, but both took turns on the same CPUs with as many threads, so that it met
    /// both alike.
    Little,
    /// It was not quiet, and the two differ in threads, spinning or execution provider, which other
    /// work slows down unlike.
    Much,
    /// It was not fit to measure on.
    Unfit,
}

pub(in crate::analysis) fn effect(record: &RunRecord, session: usize) -> MachineEffect {
    let sessions = &record.plan.sessions;
    let verdict = record
        .fitness
        .as_ref()
        .map_or(FitnessVerdict::Valid, |fitness| fitness.verdict);
    match verdict {
        FitnessVerdict::Valid => MachineEffect::None,
        FitnessVerdict::Invalid => MachineEffect::Unfit,
        FitnessVerdict::Suspect => match record.plan.baseline_session() {
            Some(baseline) if !sessions[baseline].uses_machine_alike(&sessions[session]) => {
                MachineEffect::Much
            }
            _ => MachineEffect::Little,
        },
    }
}

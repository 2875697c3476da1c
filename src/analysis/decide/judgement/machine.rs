//! What the state of the machine can do to a comparison.

use serde::Serialize;

use crate::plan::SessionSpec;
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
            Some(baseline) if !use_alike(&sessions[baseline], &sessions[session]) => {
                MachineEffect::Much
            }
            _ => MachineEffect::Little,
        },
    }
}

/// Whether two sessions use the machine alike.
fn use_alike(one: &SessionSpec, other: &SessionSpec) -> bool {
    let (options, others) = (&one.options, &other.options);
    one.execution_provider == other.execution_provider
        && one.provider == other.provider
        && one.binding == other.binding
        && options.intra_threads == others.intra_threads
        && options.inter_threads == others.inter_threads
        && options.execution_mode == others.execution_mode
        && options.allow_spinning == others.allow_spinning
}

//! Figures of the process that a model is in, which a run does not have where that is a server.

use crate::metric::Metric;
use crate::record::RunRecord;

const LOADED_BEFORE: &str = "the server had loaded the model before";
const ELSEWHERE: &str = "the model is in a server, not in a process of the run";
const NOT_TOLD: &str = "a server does not tell which file it has loaded";

const REASONS: [(&str, &[Metric]); 3] = [
    (
        LOADED_BEFORE,
        &[
            Metric::RuntimeStart,
            Metric::SessionLoad,
            Metric::TimeToFirstPrediction,
        ],
    ),
    (
        ELSEWHERE,
        &[
            Metric::ModelMemory,
            Metric::PeakMemory,
            Metric::PeakMemoryAboveLoad,
            Metric::ArenaPeak,
            Metric::CpuUtilization,
            Metric::CpuUtilizationPeak,
            Metric::CpuEnergy,
            Metric::CpuEnergyAboveIdle,
        ],
    ),
    (NOT_TOLD, &[Metric::FileSize]),
];

/// Why a metric of a session in a server is not known; `None` of other metrics and sessions.
pub(super) fn why_not(record: &RunRecord, session: usize, metric: Metric) -> Option<&'static str> {
    if !record.plan.sessions[session].is_remote() {
        return None;
    }
    let mut reasons = REASONS.iter();
    reasons
        .find(|(_, metrics)| metrics.contains(&metric))
        .map(|(reason, _)| *reason)
}

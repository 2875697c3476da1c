//! Latency against accuracy: which sessions nothing else beats in both.

use super::{CellFindings, Counted, Estimate, Findings, SessionFindings, find};
use crate::metric::Metric;
use crate::plan::CellKey;

/// Metrics that sessions are compared by where none has a score against labels.
const AGREEMENT: [Metric; 2] = [Metric::Top1Agreement, Metric::CosineSimilarity];

/// Sessions by latency and accuracy.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// Metric of the accuracy.
    pub score: Metric,
    /// Sessions of which both are known, in the order of the plan.
    pub points: Vec<FrontPoint>,
}

/// One session by latency and accuracy.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontPoint {
    /// The cell that the latency is of.
    pub key: CellKey,
    /// Median latency of a single prediction, in nanoseconds.
    pub latency: Estimate,
    /// The score, in its metric's unit.
    pub score: Estimate,
    /// Highest peak memory of the session's cells, in bytes.
    pub peak_memory: Estimate,
    /// Whether another session is at least as good in both latency and score, and better in one: by
    /// their values, whatever their intervals.
    pub is_dominated: bool,
}

/// The sessions that `cells` belong to by latency and accuracy; `None` if no session has a score.
#[must_use]
pub fn front(findings: &Findings, cells: &[&CellFindings]) -> Option<Front> {
    let score = Metric::SCORES
        .into_iter()
        .chain(AGREEMENT)
        .find(|&metric| is_known(findings, metric))?;
    let mut points: Vec<FrontPoint> = cells
        .iter()
        .filter_map(|cell| point(findings, cell, score))
        .collect();
    let places: Vec<(f64, f64)> = points.iter().map(|point| place(point, score)).collect();
    for (point, own) in points.iter_mut().zip(&places) {
        point.is_dominated = places
            .iter()
            .any(|other| other.0 <= own.0 && other.1 <= own.1 && other != own);
    }
    Some(Front { score, points })
}

/// Of any session.
fn is_known(findings: &Findings, metric: Metric) -> bool {
    findings
        .sessions
        .iter()
        .any(|session| session.figure(metric).and_then(Estimate::value).is_some())
}

fn point(findings: &Findings, cell: &CellFindings, score: Metric) -> Option<FrontPoint> {
    let session = &findings.sessions[cell.key.session];
    let latency =
        find(&cell.figures, Metric::LatencyP50).filter(|latency| latency.value().is_some())?;
    Some(FrontPoint {
        key: cell.key,
        latency: latency.clone(),
        score: session
            .figure(score)
            .filter(|score| score.value().is_some())
            .cloned()
            .or_else(|| with_itself(session, score))?,
        peak_memory: session
            .figure(Metric::PeakMemory)
            .cloned()
            .unwrap_or_else(|| Estimate::absent("not asked for")),
        is_dominated: false,
    })
}

/// What outputs that others are compared with agree to with themselves.
fn with_itself(session: &SessionFindings, score: Metric) -> Option<Estimate> {
    let samples = session.accuracy.samples_count;
    let is_reference = session.is_baseline && samples > 0 && AGREEMENT.contains(&score);
    is_reference.then(|| Estimate::exact(1.0, samples, Counted::Samples))
}

/// Latency and score so that less is better in both.
fn place(point: &FrontPoint, score: Metric) -> (f64, f64) {
    (
        point.latency.value().unwrap_or_default(),
        score
            .direction()
            .cost(point.score.value().unwrap_or_default()),
    )
}

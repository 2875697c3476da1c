//! Peak memory against batch size.

use super::line::{LEAST_POINTS, Line};
use super::{Index, MemoryFit};
use crate::analysis::figures::{BatchCurve, Estimate, centre};
use crate::observed::Observed;
use crate::plan::LoadMode;
use crate::record::{Host, LaunchRecord};
use crate::units::Bytes;

/// Through the peaks of each launch that exceed all before: what a process once took is not counted
/// as less afterwards.
pub(super) fn fit(index: &Index<'_>, curve: &BatchCurve) -> Observed<MemoryFit> {
    let launches: Vec<Vec<(u64, Bytes)>> = index
        .launches(curve.session)
        .iter()
        .map(|launch| rising(launch, curve.shape, curve.load_mode))
        .collect();
    let lines: Vec<Line> = launches.iter().filter_map(|peaks| line(peaks)).collect();
    let fixed: Vec<f64> = lines.iter().map(|line| line.fixed).collect();
    let per_sample: Vec<f64> = lines.iter().map(|line| line.per_sample).collect();
    let why_none =
        format!("needs a launch in which memory rose at {LEAST_POINTS} batch sizes or more");
    let fixed_bytes = centre(&fixed, &why_none);
    let per_sample_bytes = centre(&per_sample, &why_none);
    let most = upper(&fixed_bytes).zip(upper(&per_sample_bytes));
    let (fixed, per_sample) = most.ok_or(why_none)?;
    if per_sample_bytes.value().is_some_and(|value| value <= 0.0) {
        return Err("memory did not rise with the batch size".into());
    }
    let available_bytes = available(&index.record.host);
    let most = Line { fixed, per_sample };
    Ok(MemoryFit {
        fixed_bytes,
        per_sample_bytes,
        available_bytes,
        largest_batch: available_bytes.map(|available| largest_batch(available, most)),
        largest_measured: largest_measured(&launches),
    })
}

fn line(peaks: &[(u64, Bytes)]) -> Option<Line> {
    let points: Vec<(f64, f64)> = peaks
        .iter()
        .map(|&(batch_size, peak)| (batch_size as f64, peak.as_f64()))
        .collect();
    Line::through(&points)
}

/// The upper end of its interval, if it has one.
fn upper(part: &Estimate) -> Option<f64> {
    let value = part.value()?;
    Some(part.interval().map_or(value, |interval| interval.high))
}

fn largest_batch(available: Bytes, taken: Line) -> u64 {
    ((available.as_f64() - taken.fixed) / taken.per_sample).max(0.0) as u64
}

fn largest_measured(launches: &[Vec<(u64, Bytes)>]) -> u64 {
    let batch_sizes = launches.iter().flatten().map(|&(batch_size, _)| batch_size);
    batch_sizes.max().unwrap_or(0)
}

/// In the order of measuring.
fn rising(launch: &LaunchRecord, shape: usize, load_mode: LoadMode) -> Vec<(u64, Bytes)> {
    let mut most = Bytes(0);
    let mut found = Vec::new();
    for cell in &launch.cells {
        let Some(peak) = cell.peak_memory_bytes.filter(|peak| *peak > most) else {
            continue;
        };
        most = peak;
        let at = cell.workload();
        if (at.shape, at.load) == (shape, load_mode) {
            found.push((at.batch_size, peak));
        }
    }
    found
}

/// At the start of the run.
fn available(host: &Host) -> Option<Bytes> {
    host.memory_available_bytes
        .into_iter()
        .chain(host.cgroup.memory_max_bytes)
        .min()
}

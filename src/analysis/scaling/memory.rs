//! Peak memory against batch size.

use super::line::{LEAST_POINTS, Line};
use super::{Index, MemoryFit};
use crate::analysis::figures::BatchCurve;
use crate::observed::Observed;
use crate::record::{Host, LaunchRecord};
use crate::units::Bytes;

/// Through the peaks of each launch that exceed all before: what a process once took is not counted
/// as less afterwards.
pub(super) fn fit(index: &Index<'_>, curve: &BatchCurve) -> Observed<MemoryFit> {
    let launches: Vec<Vec<(f64, f64)>> = index
        .launches(curve.session)
        .iter()
        .map(|launch| rising(launch, curve))
        .collect();
    let lines = launches.iter().filter_map(|peaks| Line::through(peaks));

    let why_none =
        format!("needs a launch in which memory rose at {LEAST_POINTS} batch sizes or more");
    let [fixed_bytes, per_sample_bytes] = Line::centres(lines, &why_none);
    let (fixed, per_sample) = fixed_bytes
        .measured()
        .zip(per_sample_bytes.measured())
        .ok_or(why_none)?;
    if per_sample.value <= 0.0 {
        return Err("memory did not rise with the batch size".into());
    }
    let most = Line {
        fixed: fixed.high(),
        per_sample: per_sample.high(),
    };
    let available_bytes = available(&index.record.host);
    Ok(MemoryFit {
        available_bytes,
        largest_batch: available_bytes.map(|available| largest_batch(available, most)),
        largest_measured: launches
            .iter()
            .flatten()
            .map(|(batch_size, _)| *batch_size)
            .fold(0.0, f64::max) as u64,
        fixed_bytes,
        per_sample_bytes,
    })
}

fn largest_batch(available: Bytes, taken: Line) -> u64 {
    ((available.as_f64() - taken.fixed) / taken.per_sample).max(0.0) as u64
}

/// In the order of measuring.
fn rising(launch: &LaunchRecord, curve: &BatchCurve) -> Vec<(f64, f64)> {
    let mut most = Bytes(0);
    let mut found = Vec::new();
    for cell in &launch.cells {
        let Some(peak) = cell.peak_memory_bytes.filter(|peak| *peak > most) else {
            continue;
        };
        most = peak;
        if (cell.shape, cell.load_mode) == (curve.shape, curve.load_mode) {
            found.push((cell.batch_size as f64, peak.as_f64()));
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

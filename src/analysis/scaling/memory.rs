//! Peak memory against batch size.

use super::line::{LEAST_POINTS, Line};
use super::{Index, MemoryFit};
use crate::analysis::figures::{BatchCurve, Estimate, centre};
use crate::observed::Observed;
use crate::plan::LoadMode;
use crate::record::{Host, LaunchRecord};
use crate::units::Bytes;

/// Through the peaks of each launch that exceed all before: what a process once took is not counted as less afterwards.
pub(super) fn fit(index: &Index<'_>, curve: &BatchCurve) -> Observed<MemoryFit> {
    let launches: Vec<Vec<(u64, Bytes)>> = index
        .launches(curve.session)
        .iter()
        .map(|launch| rising(launch, curve.shape, curve.load_mode))
        .collect();
    let line = |points: &Vec<(u64, Bytes)>| {
        Line::through(
            &points
                .iter()
                .map(|&(batch_size, peak)| (batch_size as f64, peak.as_f64()))
                .collect::<Vec<_>>(),
        )
    };
    let lines: Vec<Line> = launches.iter().filter_map(line).collect();
    let why_none =
        format!("needs a launch in which memory rose at {LEAST_POINTS} batch sizes or more");
    let figure =
        |part: fn(&Line) -> f64| centre(&lines.iter().map(part).collect::<Vec<_>>(), &why_none);
    let (fixed_bytes, per_sample_bytes) =
        (figure(|line| line.fixed), figure(|line| line.per_sample));
    let (Some(fixed), Some(per_sample)) = (fixed_bytes.value(), per_sample_bytes.value()) else {
        return Err(why_none.into());
    };
    if per_sample <= 0.0 {
        return Err("memory did not rise with the batch size".into());
    }
    let available_bytes = available(&index.record.host);
    let upper =
        |part: &Estimate, value: f64| part.interval().map_or(value, |interval| interval.high);
    let (most_fixed, most_per_sample) = (
        upper(&fixed_bytes, fixed),
        upper(&per_sample_bytes, per_sample),
    );
    let fits =
        |available: Bytes| ((available.as_f64() - most_fixed) / most_per_sample).max(0.0) as u64;
    let largest_measured = launches
        .iter()
        .flatten()
        .map(|&(batch_size, _)| batch_size)
        .max()
        .unwrap_or(0);
    let largest_batch = available_bytes.map(fits);
    Ok(MemoryFit {
        fixed_bytes,
        per_sample_bytes,
        available_bytes,
        largest_batch,
        largest_measured,
    })
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

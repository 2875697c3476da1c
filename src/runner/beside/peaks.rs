//! The most that the machine does with each library and number of threads, measured once and kept
//! for later runs.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::memory;
use crate::observed::Observed;
use crate::plan::SessionSpec;
use crate::protocol::{PeaksRequest, Request, Response};
use crate::record::{Event, Failure, FailureKind, MachinePeaks, PeakRates};
use crate::runner::kept::{digest, keep, kept};
use crate::runner::names::PEAKS_LOG;
use crate::runner::{Progress, Run, RunError};
use crate::runtime::Cache;
use crate::units::{Bytes, Nanos};

/// It is given up after twice as much, or with all that lies beside the rounds: it is done once on
/// a machine.
pub(in crate::runner) const BUDGET_SHARE: f64 = 0.05;
/// Time to measure one library with one number of threads: the worker, three models, and the time
/// for each.
pub(in crate::runner) const LEAST: Duration = Duration::from_millis(1100);
/// Time for each of the three figures: some ten additions, and over a hundred products.
const LENGTH: Nanos = Nanos(200_000_000);
/// Size of each of the three tensors of the addition: several times the largest caches of today's
/// processors.
const TENSOR_SIZE: Bytes = Bytes(256 << 20);
/// Peaks are kept for later runs where the median comes at least this close to the highest: else
/// something disturbed them.
const STEADY: f64 = 0.8;
/// The tensors, the copies that bind them, and some room.
const TENSORS: u64 = 6;

pub(in crate::runner) async fn all(run: &mut Run<'_>) -> Result<(), RunError> {
    let mut left = run.beside_time(BUDGET_SHARE);
    let mut known: Vec<(PathBuf, u64)> = Vec::new();
    let mut is_too_short = false;
    for session in 0..run.plan().sessions.len() {
        let spec = run.plan().sessions[session].clone();
        let key = (spec.runtime.path().clone(), spec.options.intra_threads);
        if spec.is_scripted()
            || spec.is_accelerated()
            || known.contains(&key)
            || !run.has_open_cells(session)
        {
            continue;
        }
        known.push(key);
        let Some(version) = run
            .journal
            .record()
            .runtime_of(session)
            .map(|runtime| runtime.version.exact().to_owned())
        else {
            continue;
        };
        if let Some(peaks) = peaks_file(run, &spec).as_deref().and_then(kept) {
            run.journal.append(Event::Peaks(Box::new(peaks)))?;
            continue;
        }
        if left.is_some_and(|left| left < LEAST) {
            is_too_short = true;
            continue;
        }
        let began = Instant::now();
        let limit = run.beside_time(2.0 * BUDGET_SHARE).unwrap_or(Duration::MAX);
        measure_peaks_of(run, session, version, limit).await?;
        left = left.map(|left| left.saturating_sub(began.elapsed()));
    }
    if is_too_short {
        run.note("the machine's peaks are not measured: the budget is too short for it".into())?;
    }
    Ok(())
}

async fn measure_peaks_of(
    run: &mut Run<'_>,
    session: usize,
    version: String,
    limit: Duration,
) -> Result<(), RunError> {
    run.observer.observe(&Progress::Peaks);
    let spec = run.plan().sessions[session].clone();
    let asked = tokio::time::timeout(limit, ask_for_peaks(run, &spec, version)).await;
    if let Ok(Err(failure)) = &asked {
        run.lose(session, failure)?;
    }
    match asked.unwrap_or_else(|_| Err(too_long())) {
        Ok(peaks) => {
            if let Some(file) = peaks_file(run, &spec).filter(|_| is_steady(&peaks.rates)) {
                keep(&file, &peaks);
            }
            Ok(run.journal.append(Event::Peaks(Box::new(peaks)))?)
        }
        Err(failure) => run.note(format!(
            "the machine's peaks are not known: {}",
            failure.message.exact()
        )),
    }
}

fn too_long() -> Failure {
    let message = format!(
        "measuring them took more than {}% of the time budget",
        200.0 * BUDGET_SHARE
    );
    Failure {
        kind: FailureKind::TimedOut,
        message: message.into(),
        hint: None,
    }
}

async fn ask_for_peaks(
    run: &mut Run<'_>,
    spec: &SessionSpec,
    runtime_version: String,
) -> Result<MachinePeaks, Failure> {
    let number = run.launcher.number();
    let log = run.launcher.log_file(PEAKS_LOG, number, 0);
    let log = log.map_err(|error| Failure::new(FailureKind::Runtime, &error, None))?;
    let mut worker = run
        .launcher
        .open(spec, log, run.launcher.patience())
        .await?
        .worker;
    let request = PeaksRequest {
        options: spec.options.clone(),
        length_ns: LENGTH,
        tensor_bytes: tensor_size(run),
    };
    let rates = match worker
        .ask(
            &Request::Peaks(Box::new(request)),
            "measure the machine's peaks",
        )
        .await?
    {
        Response::Peaks(rates) => *rates,
        other => return Err(worker.unexpected(&other).await),
    };
    worker.end().await;
    Ok(MachinePeaks {
        runtime: spec.runtime.path().clone(),
        runtime_version: runtime_version.into(),
        intra_threads: spec.options.intra_threads,
        rates,
        measured_at: jiff::Timestamp::now().to_string().into(),
    })
}

/// Size of a tensor that no cache holds, or why there is no room for such tensors.
fn tensor_size(run: &Run<'_>) -> Observed<Bytes> {
    let host = &run.journal.record().host;
    let needed = Bytes(TENSORS * TENSOR_SIZE.0);
    match memory::ask(needed, || "tensors that no cache holds".to_owned()) {
        Err(reason) => Err(reason.to_string().into()),
        Ok(())
            if host
                .caches
                .last()
                .is_some_and(|cache| 2 * cache.size_bytes.0 > TENSOR_SIZE.0) =>
        {
            Err("the processor's last cache holds half of the tensors that are added up".into())
        }
        Ok(()) => Ok(TENSOR_SIZE),
    }
}

/// Where peaks are kept: a file for each library, machine and number of threads. Absent where there
/// is no cache.
fn peaks_file(run: &Run<'_>, spec: &SessionSpec) -> Option<PathBuf> {
    let library = fs::metadata(spec.runtime.path()).ok()?;
    let host = &run.journal.record().host;
    let cpus = run
        .launcher
        .cpus
        .as_ref()
        .map_or(host.usable_cpus_count, |cpus| cpus.len() as u64);
    let written = library.modified().ok();
    let name = digest(&(
        spec.runtime.path(),
        library.len(),
        written,
        &host.cpu,
        cpus,
        &spec.options,
    ))?;
    Some(Cache::locate().ok()?.peaks().join(format!("{name}.json")))
}

/// Whether the rates were not disturbed: only such peaks are worth keeping.
fn is_steady(rates: &PeakRates) -> bool {
    let told = [
        &rates.fp32_flops_per_sec,
        &rates.int8_ops_per_sec,
        &rates.memory_bytes_per_sec,
    ];
    told.into_iter()
        .flatten()
        .all(|peak| peak.median_per_sec > STEADY * peak.highest_per_sec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Peak;

    #[test]
    fn disturbed_peaks_are_not_worth_keeping() {
        let peak = Peak {
            highest_per_sec: 2.0,
            median_per_sec: 1.0,
            n: 3,
        };
        let rates = |fp32: Peak| PeakRates {
            fp32_flops_per_sec: Ok(fp32),
            int8_ops_per_sec: Ok(Peak {
                median_per_sec: 1.9,
                ..fp32
            }),
            memory_bytes_per_sec: Err("no room".into()),
        };
        assert!(!is_steady(&rates(peak)));
        assert!(is_steady(&rates(Peak {
            median_per_sec: 1.9,
            ..peak
        })));
    }
}

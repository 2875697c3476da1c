//! The most that the machine does with each library and number of threads, measured once and kept
//! for later runs.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::memory;
use crate::observed::Observed;

use crate::protocol::{PeaksRequest, Request, Response};
use crate::record::{Event, Failure, FailureKind, MachinePeaks, PeakRates};
use crate::runner::kept::{digest, keep, kept};
use crate::runner::names::PEAKS_LOG;
use crate::runner::{Progress, Result, Run};
use crate::runtime::Cache;
use crate::units::{Bytes, Nanos};

/// It is given up after twice as much, or with all that lies beside the rounds: it is done once on
/// a machine.
pub(super) const BUDGET_SHARE: f64 = 0.05;
/// Time to measure one library with one number of threads: the worker, three models, and the time
/// for each.
pub(super) const LEAST: Duration = Duration::from_millis(1100);
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

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    let mut left = run.beside_time(BUDGET_SHARE);
    let mut known: Vec<(PathBuf, u64)> = Vec::new();
    let mut is_too_short = false;
    for session in run.real_sessions().collect::<Vec<_>>() {
        let spec = run.spec(session);
        let key = (spec.runtime.path().to_owned(), spec.options.intra_threads);
        if spec.is_accelerated() || known.contains(&key) || !run.has_open_cells(session) {
            continue;
        }
        known.push(key);
        if run.record().runtime_of(session).is_none() {
            continue;
        }
        if let Some(peaks) = peaks_file(run, session).as_deref().and_then(kept) {
            run.append(Event::Peaks(Box::new(peaks)))?;
        } else if left.is_some_and(|left| left < LEAST) {
            is_too_short = true;
        } else {
            let began = Instant::now();
            measure_peaks_of(run, session).await?;
            left = left.map(|left| left.saturating_sub(began.elapsed()));
        }
    }
    if is_too_short {
        run.note("the machine's peaks are not measured: the budget is too short for it".into())?;
    }
    Ok(())
}

async fn measure_peaks_of(run: &mut Run<'_>, session: usize) -> Result<()> {
    let limit = run.beside_time(2.0 * BUDGET_SHARE);
    run.observer.observe(&Progress::Peaks);
    let number = run.launcher.number();
    let asked = ask_for_peaks(run, session, number);
    let asked = tokio::time::timeout(limit.unwrap_or(Duration::MAX), asked).await;
    if let Ok(Err(failure)) = &asked {
        run.lose(session, failure)?;
    }
    match asked.unwrap_or_else(|_| Err(too_long())) {
        Ok(peaks) => {
            let file = peaks_file(run, session);
            if let Some(file) = file.filter(|_| is_steady(&peaks.rates)) {
                keep(&file, &peaks);
            }
            run.append(Event::Peaks(Box::new(peaks)))
        }
        Err(failure) => {
            let why = failure.message.exact();
            run.note(format!("the machine's peaks are not known: {why}"))
        }
    }
}

async fn ask_for_peaks(
    run: &Run<'_>,
    session: usize,
    launch: u64,
) -> Result<MachinePeaks, Failure> {
    let spec = run.spec(session);
    let log = run
        .launcher
        .log_file(PEAKS_LOG, launch, 0)
        .map_err(|error| Failure::new(FailureKind::Runtime, &error, None))?;
    let mut worker = run
        .launcher
        .open(spec, log, run.launcher.patience())
        .await?
        .worker;
    let request = Request::Peaks(Box::new(PeaksRequest {
        options: spec.options.clone(),
        length_ns: LENGTH,
        tensor_bytes: tensor_size(run),
    }));
    let rates = match worker.ask(&request, "measure the machine's peaks").await? {
        Response::Peaks(rates) => *rates,
        other => return Err(worker.unexpected(&other).await),
    };
    worker.end().await;
    let runtime = run.record().runtime_of(session);
    Ok(MachinePeaks {
        runtime: spec.runtime.path().to_owned(),
        runtime_version: runtime
            .map(|runtime| runtime.version.clone())
            .unwrap_or_default(),
        intra_threads: spec.options.intra_threads,
        rates,
        measured_at: jiff::Timestamp::now().to_string().into(),
    })
}

/// Size of a tensor that no cache holds, or why there is no room for such tensors.
fn tensor_size(run: &Run<'_>) -> Observed<Bytes> {
    memory::ask(Bytes(TENSORS * TENSOR_SIZE.0), || {
        "tensors that no cache holds".to_owned()
    })
    .map_err(|reason| reason.to_string())?;
    if run
        .record()
        .host
        .caches
        .last()
        .is_some_and(|cache| 2 * cache.size_bytes.0 > TENSOR_SIZE.0)
    {
        let why = "the processor's last cache holds half of the tensors that are added up";
        return Err(why.into());
    }
    Ok(TENSOR_SIZE)
}

/// Where peaks are kept: a file for each library, machine and number of threads. Absent where
/// there is no cache.
fn peaks_file(run: &Run<'_>, session: usize) -> Option<PathBuf> {
    let spec = run.spec(session);
    let host = &run.record().host;
    let library = fs::metadata(spec.runtime.path()).ok()?;
    let cpus = run.launcher.cpus.as_ref();
    let name = digest(&(
        spec.runtime.path(),
        library.len(),
        library.modified().ok(),
        &host.cpu,
        cpus.map_or(host.usable_cpus_count, |cpus| cpus.len() as u64),
        &spec.options,
    ))?;
    Some(Cache::locate().ok()?.peaks().join(name + ".json"))
}

fn too_long() -> Failure {
    let percent = 200.0 * BUDGET_SHARE;
    Failure::of(
        FailureKind::TimedOut,
        format!("measuring them took more than {percent}% of the time budget"),
    )
}

/// Whether the rates were not disturbed: only such peaks are worth keeping.
fn is_steady(rates: &PeakRates) -> bool {
    [
        &rates.fp32_flops_per_sec,
        &rates.int8_ops_per_sec,
        &rates.memory_bytes_per_sec,
    ]
    .into_iter()
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

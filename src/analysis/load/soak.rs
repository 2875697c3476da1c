//! What changes over a long time at one rate.

use super::drift::{self, Floor, TESTS};
use super::pool::{Pool, Read};
use super::types::{Drift, Leak, Soak};
use crate::analysis::figures::Estimate;
use crate::metric::Metric;
use crate::observed::Observed;
use crate::record::{LoadStage, ProcessLoad, ProcessSample};
use crate::stats::median;
use crate::stats::slope::Point;
use crate::units::{Bytes, Nanos};

/// Growth over a soak that says nothing: pages that allocators and histograms touch late.
const LATE_PAGES: f64 = 1_048_576.0;
/// Share of the memory by which it must grow in a day to matter: the noise floor of memory.
const MEMORY_IN_A_DAY: f64 = 0.02;
/// Open files more in a day that matter.
const FILES_IN_A_DAY: f64 = 10.0;
/// Open files more over a soak that matter: a library may open one late.
const FILES_OVER_A_SOAK: f64 = 1.5;
/// Share of the response by which it must change over a soak to matter.
const RESPONSE_OVER_A_SOAK: f64 = 0.01;
const SECONDS_OF_AN_HOUR: f64 = 3_600.0;
const HOURS_OF_A_DAY: f64 = 24.0;

pub(super) fn of(pools: &[Pool<'_>]) -> Observed<Soak> {
    let pool = pools
        .iter()
        .find(|pool| pool.stage == LoadStage::Soak)
        .ok_or("the run has no soak")?;
    let segments: Vec<&Read<'_>> = pool.valid().collect();
    if segments.is_empty() {
        return Err("no segment of the soak counts".into());
    }
    let memory = memory(&segments);
    let open_files = open_files(&segments);
    Ok(Soak {
        rate_per_sec: pool.asked,
        length_ns: segments
            .iter()
            .map(|read| read.segment.offer.whole_length())
            .sum::<Nanos>(),
        response: response(&segments),
        memory_per_request: per_request(&memory, &segments),
        leak: leak(&memory, &open_files),
        memory,
        open_files,
        tests_count: TESTS,
    })
}

fn response(segments: &[&Read<'_>]) -> Drift {
    let series: Vec<Vec<Point>> = segments.iter().map(|read| responses(read)).collect();
    let level = level(&series);
    let floor = Floor {
        per_day: level
            * Metric::ResponseP50
                .noise_floor()
                .map_or(0.0, |floor| floor.0),
        over_soak: level * RESPONSE_OVER_A_SOAK,
    };
    drift::of(&series, floor, "no request was completed")
}

fn responses(read: &Read<'_>) -> Vec<Point> {
    let length = read.segment.offer.whole_length();
    read.windows
        .iter()
        .filter(|window| window.end_ns <= length)
        .filter_map(|window| {
            Some(Point {
                x: window.end_ns.as_secs_f64(),
                y: window.response_p50_ns?.as_f64(),
            })
        })
        .collect()
}

fn memory(segments: &[&Read<'_>]) -> Drift {
    let series = of_processes(segments, |sample| Some(sample.memory_bytes?.as_f64()));
    let floor = Floor {
        per_day: level(&series) * MEMORY_IN_A_DAY,
        over_soak: LATE_PAGES,
    };
    drift::of(
        &series,
        floor,
        "the system does not tell the memory of the process",
    )
}

fn open_files(segments: &[&Read<'_>]) -> Drift {
    let series = of_processes(segments, |sample| Some(sample.open_files_count? as f64));
    let floor = Floor {
        per_day: FILES_IN_A_DAY,
        over_soak: FILES_OVER_A_SOAK,
    };
    drift::of(
        &series,
        floor,
        "the system does not tell the open files of the process",
    )
}

fn level(series: &[Vec<Point>]) -> f64 {
    let values: Vec<f64> = series.iter().flatten().map(|point| point.y).collect();
    median(&values).unwrap_or(0.0)
}

fn of_processes(
    segments: &[&Read<'_>],
    value: fn(&ProcessSample) -> Option<f64>,
) -> Vec<Vec<Point>> {
    segments
        .iter()
        .flat_map(|read| &read.segment.processes)
        .map(|process| of_process(process, value))
        .collect()
}

fn of_process(process: &ProcessLoad, value: fn(&ProcessSample) -> Option<f64>) -> Vec<Point> {
    process
        .samples
        .iter()
        .filter_map(|sample| {
            Some(Point {
                x: sample.at_ns.as_secs_f64(),
                y: value(sample)?,
            })
        })
        .collect()
}

/// Of one process, by the requests that it completes.
fn per_request(memory: &Drift, segments: &[&Read<'_>]) -> Estimate {
    let processes: usize = segments
        .iter()
        .map(|read| read.segment.processes.len())
        .sum();
    let completed: u64 = segments.iter().map(|read| read.counts.completed).sum();
    let hours: f64 = segments
        .iter()
        .map(|read| read.elapsed.as_secs_f64() / SECONDS_OF_AN_HOUR)
        .sum();
    let of_process = completed as f64 * segments.len() as f64 / (processes.max(1) as f64 * hours);
    if of_process > 0.0 {
        memory.per_hour.scaled(1.0 / of_process)
    } else {
        Estimate::absent("no request was completed")
    }
}

fn leak(memory: &Drift, open_files: &Drift) -> Leak {
    if memory.grows() {
        return Leak::Memory {
            in_a_day_bytes: Bytes(in_a_day(memory) as u64),
        };
    }
    if open_files.grows() {
        return Leak::Files {
            in_a_day_count: in_a_day(open_files) as u64,
        };
    }
    match memory.per_hour.absent_reason() {
        Some(reason) => Leak::Undecided {
            reason: reason.clone(),
        },
        None => Leak::No,
    }
}

fn in_a_day(drift: &Drift) -> f64 {
    drift.per_hour.value().unwrap_or(0.0) * HOURS_OF_A_DAY
}

/// Growth of memory in a day, of each process.
pub(super) fn memory_growth(soak: &Observed<Soak>) -> Estimate {
    match soak {
        Ok(soak) => soak.memory.per_hour.scaled(HOURS_OF_A_DAY),
        Err(reason) => Estimate::absent(reason),
    }
}

//! How the run tested the model, and how it is tested again.

use super::baseline::{cpu, single};
use super::{Fill, application};
use crate::analysis::gate::GateVerdict;
use crate::analysis::{CellFindings, Requests, requests};
use crate::metric::Metric;
use crate::plan::LoadMode;
use crate::record::RunRecord;
use crate::report::chapters::bottlenecks::own_command;
use crate::report::chapters::context;
use crate::report::template::beside::GateResult;
use crate::report::template::found::{
    Absent, Found, Kind, NO_NETWORK, NOT_GIVEN, measured, not_measured, of_cell, or_why, some,
    stated, told,
};
use crate::report::template::keys::{
    Benchmarks, TestConfiguration, TestEnvironment, TestResults, TestTypes,
};
use crate::report::words::{self, Source, number};
use crate::stats::CONFIDENCE;

pub(super) fn configuration(field: TestConfiguration, source: Source<'_>) -> Found {
    let run = &source.record.run;
    match field {
        TestConfiguration::TestTool => stated(format!("onnxprof {}", run.tool_version)),
        TestConfiguration::VirtualUsers => {
            let modes = source.record.plan.load_modes.iter();
            let requests = words::listed(modes.map(|mode| mode.in_column()));
            stated(format!("{requests} {}, closed loop", LoadMode::COLUMN))
        }
        TestConfiguration::TestDuration => match run.elapsed_ns {
            Some(elapsed) => measured(number::time(elapsed)),
            None => not_measured("the run did not come to its end"),
        },
        TestConfiguration::RampUpPattern => ramp_up(source.record),
    }
}

/// Inferences before each cell was timed.
fn ramp_up(record: &RunRecord) -> Found {
    let cells = record.launches.iter().flat_map(|launch| &launch.cells);
    let warm: Vec<u64> = cells.map(|cell| cell.warmup.inferences_count).collect();
    let (Some(least), Some(most)) = (warm.iter().min(), warm.iter().max()) else {
        return not_measured("nothing was warmed up");
    };
    let inferences = match least == most {
        true => words::counted_noun(*most, "inference"),
        false => format!(
            "{} to {} inferences",
            number::count(*least),
            number::count(*most)
        ),
    };
    measured(format!("constant load, after {inferences} of warm-up"))
}

pub(super) fn result(field: TestResults, source: Source<'_>) -> Found {
    match field {
        TestResults::PeakRpsAchieved => peak(source),
        TestResults::ErrorRate => error_rate(source),
        TestResults::ResourceUtilizationAtPeak => match source.findings.fastest() {
            Some(cell) => told(Kind::Measured, used(source, cell)),
            None => not_measured(NOTHING_MEASURED),
        },
        TestResults::BreakingPoint => not_measured(
            "a closed loop never sends more than is answered; `onnxprof load MODEL --stress` does",
        ),
    }
}

const NOTHING_MEASURED: &str = "no session could be measured";

fn used(source: Source<'_>, cell: &CellFindings) -> Vec<String> {
    let memory = or_why(of_cell(Some(cell), Metric::PeakMemory));
    vec![
        format!("CPU: {}", cpu(source, Some(cell))),
        format!("memory: {memory}"),
    ]
}

/// A request is an inference, whatever the size of its batch.
fn peak(source: Source<'_>) -> Found {
    let Some(cell) = source.findings.fastest() else {
        return not_measured(NOTHING_MEASURED);
    };
    let key = cell.key;
    let predictions = or_why(of_cell(Some(cell), Metric::Throughput));
    let requests = cell.value(Metric::Throughput).unwrap_or_default() / key.batch_size as f64;
    let requests = number::value(Metric::Throughput.unit(), requests, None);
    let each = match key.batch_size {
        1 => "of one prediction each".to_owned(),
        size => format!("of {size} predictions each"),
    };
    told(
        Kind::Measured,
        vec![
            format!(
                "{requests} {each}, with {}: {}",
                key.load_mode,
                source.place(key)
            ),
            format!("predictions: {predictions}"),
        ],
    )
}

/// Of requests in timed blocks, at the peak and in all.
pub(super) fn error_rate(source: Source<'_>) -> Found {
    let peak = source.findings.fastest().map(|cell| cell.key.session);
    let peak = peak.and_then(|session| {
        let found = requests(source.record, Some(session))?;
        Some(format!("{} of {}", failed(&found), source.name(session)))
    });
    let all = requests(source.record, None).map(|found| format!("{} in all", failed(&found)));
    some(
        Kind::Measured,
        peak.into_iter().chain(all).chain([failed_launches(source)]),
        NOTHING_MEASURED,
    )
}

/// `0 of 58,210 requests failed (at most 0.006% with 95% confidence)`.
fn failed(found: &Requests) -> String {
    format!(
        "{} of {} timed requests failed (at most {} with {} confidence)",
        number::count(found.failed_count),
        number::count(found.sent_count),
        small_percent(found.interval.high),
        number::limit(CONFIDENCE)
    )
}

/// With two significant digits.
pub(super) fn small_percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = (1.0 - percent.max(1e-9).log10().floor()).clamp(0.0, 9.0);
    format!("{percent:.*}%", decimals as usize)
}

fn failed_launches(source: Source<'_>) -> String {
    let sessions = source.sessions();
    let failed = sessions
        .clone()
        .map(|session| session.failed_launches_count);
    let launches = sessions.map(|session| session.all_launches_count);
    let [failed, launches] = [failed.sum(), launches.sum()].map(number::count);
    format!("{failed} of {launches} launches failed")
}

pub(super) fn test(field: TestTypes, fill: Fill<'_>) -> Found {
    match field {
        TestTypes::Unit => stated(format!(
            "the model alone: {}",
            own_command(&fill.record.run)
        )),
        TestTypes::Regression => regression(fill),
        TestTypes::Integration | TestTypes::EndToEnd => NOT_GIVEN,
    }
}

/// What a regression has to be for a run like this one to show it, and results of gates.
pub(super) fn regression(fill: Fill<'_>) -> Found {
    let smallest = smallest_regression(*fill).into_iter();
    some(
        Kind::Measured,
        smallest.chain(fill.beside.gates.iter().map(gate)),
        "the median of the baseline has no interval",
    )
}

fn smallest_regression(source: Source<'_>) -> Option<String> {
    let cell = single(source)?;
    let median = cell.figure(Metric::LatencyP50)?.measured()?;
    let floor = Metric::LatencyP50.noise_floor()?.0;
    let width = median.half_width_ratio()?.max(floor);
    Some(format!(
        "a run like this one shows a median of {} that rises by more than {}, n = {}",
        source.place(cell.key),
        number::percent(width),
        words::counted(median)
    ))
}

/// `gate.json: FAIL: 13 passed, 7 failed, 5 inconclusive: latency_p99 <= 20 ms of int8`.
fn gate(result: &GateResult) -> String {
    let counts = [
        (GateVerdict::Pass, "passed"),
        (GateVerdict::Fail, "failed"),
        (GateVerdict::Inconclusive, "inconclusive"),
    ]
    .map(|(verdict, word)| {
        let of_it = result
            .checks
            .iter()
            .filter(|check| check.verdict == verdict);
        format!("{} {word}", of_it.count())
    });
    let failed = result
        .checks
        .iter()
        .filter(|check| check.verdict == GateVerdict::Fail)
        .map(|check| format!("{} of {}", check.check, check.session));
    let failed = match words::listed(words::once(failed)) {
        none if none.is_empty() => none,
        failed => format!("; failed: {failed}"),
    };
    format!("{}: {}{failed}", result.path, counts.join(", "))
}

pub(super) fn environment(field: TestEnvironment, source: Source<'_>) -> Found {
    match field {
        TestEnvironment::HardwareSpecifications => {
            told(Kind::Stated, context::hardware(&source.record.host))
        }
        TestEnvironment::DataVolume => stated(match &source.record.dataset {
            Some(data) => format!(
                "{} samples of {}",
                number::count(data.samples_count),
                data.source
            ),
            None => "inputs were made up".into(),
        }),
        TestEnvironment::NetworkConditions => NO_NETWORK,
        TestEnvironment::MonitoringTools => NOT_GIVEN,
    }
}

pub(super) fn benchmark(field: Benchmarks, fill: Fill<'_>) -> Found {
    match field {
        Benchmarks::SimilarSystems => match fill.beside.comparisons.as_slice() {
            [] => NOT_GIVEN,
            sentences => told(Kind::Measured, sentences.to_vec()),
        },
        Benchmarks::IndustryStandards => NOT_GIVEN,
        Benchmarks::BestInClass => best_in_class(fill),
    }
}

/// What the node that takes the most time attains of what the machine was seen to do.
fn best_in_class(fill: Fill<'_>) -> Found {
    let profile = application::today(fill)
        .ok_or_else(|| Absent::because("the run profiled no operators of the baseline"))?;
    let attained = profile.nodes.iter().find_map(|node| {
        let attained = application::attained(node)?;
        Some(format!(
            "{} (node {}, {} of the time of all nodes) attains {attained}",
            node.operator,
            node.name,
            number::share(node.share.0)
        ))
    });
    match attained {
        Some(attained) => measured(attained),
        None => not_measured("what its nodes attain of the machine's peaks is not known"),
    }
}

/// This run against earlier ones, and results of gates.
pub(super) fn detection(fill: Fill<'_>) -> Found {
    let beside = &fill.beside;
    let gates = beside.gates.iter().map(gate);
    some(
        Kind::Measured,
        beside.comparisons.iter().cloned().chain(gates),
        "no earlier run and no result of a gate was named beside this one",
    )
}

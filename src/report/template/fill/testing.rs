//! How the run tested the model, and how it is tested again.

use super::baseline::cpu;
use super::{
    Found, Metric, NO_NETWORK, NOT_GIVEN, Source, not_measured, number, of_cell, or_why, words,
};
use crate::plan::LoadMode;
use crate::report::chapters::bottlenecks::own_command;
use crate::report::chapters::context;
use crate::report::template::keys::{TestConfiguration, TestEnvironment, TestResults, TestTypes};

pub(super) fn configuration(field: TestConfiguration, source: Source<'_>) -> Found {
    let run = &source.record.run;
    Ok(match field {
        TestConfiguration::TestTool => format!("onnxprof {}", run.tool_version),
        TestConfiguration::VirtualUsers => {
            let modes = source.record.plan.load_modes.iter();
            let requests = words::listed(modes.map(|mode| mode.in_column()));
            format!("{requests} {}, closed loop", LoadMode::COLUMN)
        }
        TestConfiguration::TestDuration => match run.elapsed_ns {
            Some(elapsed) => number::time(elapsed),
            None => return not_measured("the run did not come to its end"),
        },
        TestConfiguration::RampUpPattern => {
            "none: the load is constant, after a warm-up of its own for every cell".into()
        }
    })
}

pub(super) fn result(field: TestResults, source: Source<'_>) -> Found {
    match field {
        TestResults::PeakRpsAchieved => peak(source),
        TestResults::ErrorRate => Ok(failed_launches(source)),
        TestResults::ResourceUtilizationAtPeak => Ok(at_peak(source)),
        TestResults::BreakingPoint => {
            not_measured("a closed loop never sends more than is answered")
        }
    }
}

/// Where throughput is highest.
fn at_peak(source: Source<'_>) -> String {
    let cell = source.findings.fastest();
    format!(
        "CPU: {}; memory: {}",
        cpu(source, cell),
        or_why(of_cell(cell, Metric::PeakMemory))
    )
}

fn peak(source: Source<'_>) -> Found {
    let Some(cell) = source.findings.fastest() else {
        return not_measured("no session could be measured");
    };
    let rate = or_why(of_cell(Some(cell), Metric::Throughput));
    Ok(format!("{}: {rate}", source.place(cell.key)))
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

pub(super) fn test(field: TestTypes, source: Source<'_>) -> Found {
    match field {
        TestTypes::Unit => Ok(format!(
            "the model alone: {}",
            own_command(&source.record.run)
        )),
        TestTypes::Regression => Ok("onnxprof gate RUN --rules gate.toml, on every change".into()),
        TestTypes::Integration | TestTypes::EndToEnd => NOT_GIVEN,
    }
}

pub(super) fn environment(field: TestEnvironment, source: Source<'_>) -> Found {
    match field {
        TestEnvironment::HardwareSpecifications => {
            Ok(context::hardware(&source.record.host).join("; "))
        }
        TestEnvironment::DataVolume => Ok(match &source.record.dataset {
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

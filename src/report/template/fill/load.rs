//! What requests that arrived by themselves give to the template.

use super::super::found::{Found, Kind, measured, not_measured, some, stated, told};
use super::super::keys::{
    Indicators, Key, MemoryOptimization, ResponseTimes, StressConfiguration, StressResults,
    Sustained, TestConfiguration, TestResults, Throughputs,
};
use crate::analysis::load::{Kept, LoadCandidate, LoadPoint, Saturation, Stress, kept};
use crate::analysis::{Estimate, Measured};
use crate::metric::Unit;
use crate::plan::Question;
use crate::record::{LoadSegment, LoadStage};
use crate::report::chapters::load::{by, small_share, soaked, wrong};
use crate::report::words::load::{Load, arrivals, asked, asked_rate, requests, short_time};
use crate::report::words::{self, Source, number, plain};
use crate::units::Nanos;

/// Candidates that a field tells of.
const MOST: usize = 4;

/// Of a run under load; `None` of others, and of fields that a load says nothing of.
pub(super) fn found(key: Key, source: Source<'_>) -> Option<Found> {
    let load = Load::of(source)?;
    match key {
        Key::ResponseTimes(ResponseTimes::Average) => {
            Some(response(load, |point| &point.response.mean))
        }
        Key::ResponseTimes(ResponseTimes::Percentile95) => {
            Some(response(load, |point| &point.response.p95))
        }
        Key::ResponseTimes(ResponseTimes::Percentile99) => {
            Some(response(load, |point| &point.response.p99))
        }
        Key::Throughputs(field) => Some(throughput(load, field)),
        Key::TestConfiguration(field) => configuration(load, field),
        Key::TestResults(field) => Some(result(load, field)),
        Key::StressConfiguration(field) => Some(stress_configuration(load, field)),
        Key::StressResults(field) => Some(stress_result(load, field)),
        Key::Indicators(Indicators::ErrorRates) => Some(errors(load)),
        Key::MemoryOptimization(MemoryOptimization::MemoryLeakDetection)
        | Key::Sustained(Sustained::PerformanceStability) => soak(load),
        _ => None,
    }
}

/// A line for each candidate that has one, named where there are several.
fn of_each(load: Load<'_>, line: impl Fn(&LoadCandidate) -> Option<String>, none: &str) -> Found {
    let has_one = load.candidates().len() == 1;
    let lines = load.candidates().take(MOST).filter_map(|candidate| {
        let line = line(candidate)?;
        Some(match has_one {
            true => line,
            false => format!("{}: {line}", load.name(candidate.key)),
        })
    });
    some(Kind::Measured, lines, none)
}

/// `2.1 ms (2.0 to 2.2), n = 6 launches`.
fn amount(unit: Unit, estimate: &Estimate) -> Option<String> {
    let measured: &Measured = estimate.measured()?;
    Some(format!(
        "{}, n = {}",
        words::amount(unit, estimate),
        words::counted(measured)
    ))
}

/// At the highest rate that keeps the SLO, or else the lowest.
fn response(load: Load<'_>, of: fn(&LoadPoint) -> &Estimate) -> Found {
    of_each(
        load,
        |candidate| {
            let point = usual(load, candidate)?;
            let figure =
                amount(Unit::Ns, of(point)).or_else(|| words::bound(Unit::Ns, of(point)))?;
            Some(format!("{figure}, at {}", load.at(point)))
        },
        "no rate was measured that counts",
    )
}

/// Where the system is meant to run: at the highest rate that keeps the SLO, or else the lowest.
fn usual<'a>(load: Load<'_>, candidate: &'a LoadCandidate) -> Option<&'a LoadPoint> {
    let steady = || steady(candidate);
    let kept = steady().filter(|point| kept(point, &load.plan.slo) == Some(Kept::Yes));
    kept.max_by(|one, other| one.asked.0.total_cmp(&other.asked.0))
        .or_else(|| steady().min_by(|one, other| one.asked.0.total_cmp(&other.asked.0)))
}

/// Points of one rate each that count.
fn steady(candidate: &LoadCandidate) -> impl Iterator<Item = &LoadPoint> {
    candidate
        .points
        .iter()
        .filter(|point| point.is_valid() && point.stage != LoadStage::Ramp)
}

/// Where the most requests are completed per second.
fn peak(candidate: &LoadCandidate) -> Option<&LoadPoint> {
    let achieved =
        steady(candidate).filter_map(|point| Some((point, point.flow.achieved_per_sec.value()?)));
    achieved
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(point, _)| point)
}

fn throughput(load: Load<'_>, field: Throughputs) -> Found {
    match field {
        Throughputs::RequestsPerSecond | Throughputs::PeakLoadCapacity => most_completed(load),
        Throughputs::TransactionsPerMinute => of_each(
            load,
            |candidate| {
                let worth = &candidate.worth.transactions_per_minute;
                let n = worth.measured().map(words::counted)?;
                let shown = words::amount(Unit::Count, worth);
                Some(format!("{shown} at the SLO, n = {n}"))
            },
            &no_capacity(load),
        ),
        Throughputs::SustainedLoadCapacity => sustained(load),
    }
}

fn most_completed(load: Load<'_>) -> Found {
    of_each(
        load,
        |candidate| {
            if let Ok(stress) = &candidate.stress
                && stress.breaking_point.measured().is_some()
            {
                return Some(format!("{}, where a rising rate broke it", broken(stress)?));
            }
            let point = peak(candidate)?;
            let n = point.flow.achieved_per_sec.measured().map(words::counted)?;
            Some(format!(
                "{} completed at most, of {} offered, n = {n}",
                requests(&point.flow.achieved_per_sec),
                load.at(point)
            ))
        },
        "no rate was measured that counts",
    )
}

/// The rate that keeps the SLO in a state that is steady, and the users whom it serves.
fn sustained(load: Load<'_>) -> Found {
    of_each(
        load,
        |candidate| {
            let rate = &candidate.capacity.rate_per_sec;
            let n = rate.measured().map(words::counted)?;
            let slo = load.slo().map(|slo| format!(" at {slo}"));
            let users = candidate.worth.virtual_users.measured().map(|_| {
                format!(
                    "; {} users that send a request each {}",
                    words::amount(Unit::Count, &candidate.worth.virtual_users),
                    short_time(candidate.worth.user_cycle_ns)
                )
            });
            Some(format!(
                "{}{}, n = {n}{}",
                requests(rate),
                slo.unwrap_or_default(),
                users.unwrap_or_default()
            ))
        },
        &no_capacity(load),
    )
}

/// Why no candidate has a capacity.
fn no_capacity(load: Load<'_>) -> String {
    load.candidates()
        .find_map(|candidate| candidate.capacity.rate_per_sec.absent_reason())
        .map_or_else(|| "nothing was loaded".into(), plain)
}

fn configuration(load: Load<'_>, field: TestConfiguration) -> Option<Found> {
    match field {
        TestConfiguration::TestTool | TestConfiguration::TestDuration => None,
        TestConfiguration::VirtualUsers => Some(stated(match &load.plan.question {
            Question::Users { counts } => format!(
                "{}: {}",
                words::listed(counts.iter().map(|&count| number::count(count))),
                arrivals(load)
            ),
            Question::Curve { .. }
            | Question::Capacity
            | Question::Stress
            | Question::Soak { .. }
            | Question::Scenario(_) => format!("none: {}", arrivals(load)),
        })),
        TestConfiguration::RampUpPattern => Some(ramp_up(load)),
    }
}

fn ramp_up(load: Load<'_>) -> Found {
    let segment = short_time(load.plan.segment_ns);
    match &load.plan.question {
        Question::Curve { rates } => stated(format!(
            "steps of {segment} at {} requests/s, in each round",
            words::listed(rates.iter().map(|&rate| asked(rate)))
        )),
        Question::Capacity => stated(
            "rates far apart until one keeps the SLO and the next breaks it, then rates about that edge in each round",
        ),
        Question::Users { .. } => stated(format!("so many users for {segment}, in each round")),
        Question::Soak { length_ns, .. } => {
            stated(format!("one rate for {}", short_time(*length_ns)))
        }
        Question::Scenario(_) => stated("none: the scenario says how requests arrive"),
        Question::Stress => match ramp(load) {
            Some(ramp) => stated(format!(
                "from {} to {} evenly in {}",
                asked_rate(ramp.offer.from),
                asked_rate(ramp.offer.to),
                short_time(ramp.offer.length_ns)
            )),
            None => not_measured("no ramp came to its end"),
        },
    }
}

fn ramp(load: Load<'_>) -> Option<&LoadSegment> {
    load.segments()
        .find(|segment| segment.stage == LoadStage::Ramp)
}

fn result(load: Load<'_>, field: TestResults) -> Found {
    match field {
        TestResults::PeakRpsAchieved => most_completed(load),
        TestResults::ErrorRate => errors(load),
        TestResults::ResourceUtilizationAtPeak => of_each(
            load,
            |candidate| {
                let point = peak(candidate)?;
                let cpu = amount(Unit::Ratio, &point.usage.cpu_utilization)?;
                let memory = point
                    .usage
                    .peak_memory_bytes
                    .map(|bytes| format!("; memory {} at most", number::bytes(bytes)));
                Some(format!(
                    "CPU {cpu}{}, at {}",
                    memory.unwrap_or_default(),
                    load.at(point)
                ))
            },
            "no rate was measured that counts",
        ),
        TestResults::BreakingPoint => breaking_point(load),
    }
}

/// At the peak, with what it may be at most where none failed.
fn errors(load: Load<'_>) -> Found {
    of_each(
        load,
        |candidate| {
            let point = peak(candidate)?;
            let found = point.flow.error_rate.measured()?;
            Some(format!(
                "{} at {}, n = {}",
                small_share(&point.flow.error_rate),
                load.at(point),
                words::counted(found)
            ))
        },
        "no rate was measured that counts",
    )
}

/// Under stress, or where less is completed than comes.
fn breaking_point(load: Load<'_>) -> Found {
    of_each(
        load,
        |candidate| match (&candidate.stress, &candidate.saturation) {
            (Ok(stress), _) => broken(stress),
            (Err(_), Ok(Saturation::From { rate_per_sec, .. })) => Some(format!(
                "from {} on less is completed than comes",
                asked_rate(*rate_per_sec)
            )),
            (Err(_), Ok(Saturation::No { up_to_per_sec })) => Some(format!(
                "none up to {}, the highest that was offered",
                asked_rate(*up_to_per_sec)
            )),
            (Err(_), Err(_)) => None,
        },
        "no rate was measured that counts",
    )
}

fn broken(stress: &Stress) -> Option<String> {
    match stress.breaking_point.measured() {
        Some(found) => Some(format!(
            "{}, n = {}",
            requests(&stress.breaking_point),
            words::counted(found)
        )),
        None => Some(format!(
            "none up to {}, the highest that was offered",
            asked_rate(stress.highest_offered_per_sec)
        )),
    }
}

const NO_STRESS: &str =
    "the load was not driven up until it broke: `onnxprof load MODEL --stress` does";

fn stress_configuration(load: Load<'_>, field: StressConfiguration) -> Found {
    let Some(ramp) = ramp(load) else {
        return not_measured(NO_STRESS);
    };
    match field {
        StressConfiguration::MaximumLoad => measured(asked_rate(ramp.offer.to)),
        StressConfiguration::TestDuration => {
            let ramps = load
                .segments()
                .filter(|segment| segment.stage == LoadStage::Ramp);
            let lengths = ramps.clone().map(|segment| segment.offer.whole_length());
            measured(format!(
                "{} in {}",
                number::time(lengths.sum::<Nanos>()),
                words::number_of(ramps.count() as u64, "ramp")
            ))
        }
        StressConfiguration::RecoveryTest => match ramp.offer.fall {
            Some(fall) => stated(format!(
                "the rate falls at once to {} for {}",
                asked_rate(fall.to),
                short_time(fall.length_ns)
            )),
            None => not_measured("nothing came after the ramp"),
        },
    }
}

fn stress_result(load: Load<'_>, field: StressResults) -> Found {
    if ramp(load).is_none() && field != StressResults::DataIntegrity {
        return not_measured(NO_STRESS);
    }
    match field {
        StressResults::SystemBreakingPoint => of_each(
            load,
            |candidate| broken(candidate.stress.as_ref().ok()?),
            "no ramp counts",
        ),
        StressResults::FailureMode => of_each(
            load,
            |candidate| Some(by(candidate.stress.as_ref().ok()?.failure_mode?).to_owned()),
            "no ramp broke it",
        ),
        StressResults::RecoveryTime => of_each(
            load,
            |candidate| {
                let recovery = &candidate.stress.as_ref().ok()?.recovery;
                amount(Unit::Ns, recovery)
                    .or_else(|| Some(words::not_measured(recovery.absent_reason()?)))
            },
            "no ramp counts",
        ),
        StressResults::DataIntegrity => of_each(
            load,
            |candidate| {
                let found = candidate.integrity.as_ref().ok()?;
                Some(wrong(found))
            },
            &integrity_reason(load),
        ),
    }
}

fn integrity_reason(load: Load<'_>) -> String {
    load.candidates()
        .find_map(|candidate| candidate.integrity.as_ref().err())
        .map_or_else(|| "nothing was compared".into(), plain)
}

/// What changed over a soak; `None` where the run had none.
fn soak(load: Load<'_>) -> Option<Found> {
    let lines: Vec<String> = load
        .candidates()
        .take(MOST)
        .filter_map(|candidate| {
            let soak = candidate.soak.as_ref().ok()?;
            Some(format!("{}: {}", load.name(candidate.key), soaked(soak)))
        })
        .collect();
    (!lines.is_empty()).then(|| told(Kind::Measured, lines))
}

//! Where it breaks, how, and how long it takes to recover.

use crate::analysis::load::{FailureMode, LoadCandidate, Stress};
use crate::analysis::{Bounds, Estimate};
use crate::metric::Unit;
use crate::report::words::load::{Load, asked_rate, requests};
use crate::report::words::{self, number, plain};

pub(super) fn of(load: Load<'_>, candidate: &LoadCandidate) -> String {
    let name = load.name(candidate.key);
    match &candidate.stress {
        Ok(stress) => format!("{name} {}", broken(stress)),
        Err(reason) => format!("{name}: where it breaks is not known: {}", plain(reason)),
    }
}

/// `breaks at 480 requests/s (470 to 495), by rejections, and recovers in 1.2 s (1.0 to 1.4)`.
pub(in crate::report::chapters::load) fn broken(stress: &Stress) -> String {
    if stress.breaking_point.measured().is_none() {
        return format!(
            "does not break up to {}",
            asked_rate(stress.highest_offered_per_sec)
        );
    }
    let by = stress.failure_mode.map(|mode| format!(", {}", by(mode)));
    format!(
        "breaks at {}{}{}",
        requests(&stress.breaking_point),
        by.unwrap_or_default(),
        recovers(&stress.recovery)
    )
}

fn recovers(recovery: &Estimate) -> String {
    match recovery {
        Estimate::Measured(_) => {
            format!(", and recovers in {}", words::amount(Unit::Ns, recovery))
        }
        Estimate::Absent {
            bounds:
                Some(Bounds {
                    at_least: Some(time),
                    ..
                }),
            ..
        } => format!(
            ", and has not recovered after {}",
            number::value(Unit::Ns, *time, None)
        ),
        Estimate::Absent { reason, .. } => {
            format!(", and how it recovers is not known: {}", plain(reason))
        }
    }
}

pub(in crate::report) fn by(mode: FailureMode) -> &'static str {
    match mode {
        FailureMode::Waiting => "by longer and longer waiting",
        FailureMode::Rejections => "by rejections from a full queue",
        FailureMode::Errors => "by failed inferences",
        FailureMode::Memory => "by running out of memory",
        FailureMode::Crash => "by a process that ends or hangs",
    }
}

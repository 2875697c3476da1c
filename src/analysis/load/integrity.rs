//! Whether outputs under load are those without.

use super::pool::Loaded;
use super::types::OutputsUnderLoad;
use crate::analysis::figures::{Counted, Estimate, Measured};
use crate::observed::Observed;
use crate::record::{Integrity, LoadKey};
use crate::stats::Proportion;

/// Of all segments of a candidate, invalid ones included: what is sent late is computed all the
/// same.
pub(super) fn of(loaded: Loaded<'_>, key: LoadKey) -> Observed<OutputsUnderLoad> {
    let mut sum = Integrity::default();
    let mut why_not = None;
    let served = loaded
        .segments()
        .iter()
        .filter(|segment| segment.key == key)
        .flat_map(|segment| &segment.processes);
    for process in served {
        match &process.served.integrity {
            Ok(found) => sum = plus(sum, *found),
            Err(reason) => why_not = Some(reason.clone()),
        }
    }
    match (Proportion::new(sum.wrong, sum.checked), why_not) {
        (Some(wrong), _) => Ok(told(sum, wrong)),
        (None, Some(reason)) => Err(reason),
        (None, None) => Err("no output was compared".into()),
    }
}

fn told(sum: Integrity, wrong: Proportion) -> OutputsUnderLoad {
    OutputsUnderLoad {
        checked_count: sum.checked,
        same_count: sum.same,
        close_count: sum.close,
        wrong_count: sum.wrong,
        wrong_ratio: Estimate::Measured(Measured {
            interval: Some(wrong.interval()),
            ..Measured::exact(wrong.share(), sum.checked, Counted::Requests)
        }),
        cost_ns: sum.cost_ns,
    }
}

fn plus(one: Integrity, other: Integrity) -> Integrity {
    Integrity {
        checked: one.checked + other.checked,
        same: one.same + other.same,
        close: one.close + other.close,
        wrong: one.wrong + other.wrong,
        cost_ns: one.cost_ns + other.cost_ns,
    }
}

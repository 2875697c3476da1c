//! What an idle gap costs the inference after it.

use super::types::{GapFindings, IdleFindings};
use crate::analysis::estimate::{Counted, Estimate, Interval, Measured};
use crate::record::{IdleGap, RunRecord};
use crate::stats;
use crate::units::Ratio;

/// What was measured after idle gaps, in the order of the record.
pub(in crate::analysis) fn idle_gaps(record: &RunRecord) -> Vec<IdleFindings> {
    let of = |found: &crate::record::IdleGaps| IdleFindings {
        session: found.session,
        shape: found.shape,
        batch_size: found.batch_size,
        gaps: found.gaps.as_ref().map(|gaps| compared(gaps)).map_err(Clone::clone),
    };
    record.idle_gaps.iter().map(of).collect()
}

fn compared(gaps: &[IdleGap]) -> Vec<GapFindings> {
    let none = gaps.iter().find(|gap| gap.gap_ns.0 == 0).and_then(|gap| latency(gap).value());
    let of = |gap: &IdleGap| {
        let latency_ns = latency(gap);
        let over_none = none.zip(latency_ns.value()).map(|(none, value)| Ratio(value / none));
        GapFindings { gap_ns: gap.gap_ns, latency_ns, over_none }
    };
    gaps.iter().map(of).collect()
}

/// The median with the range. Inferences of one launch say nothing of another one's, so there is no interval.
fn latency(gap: &IdleGap) -> Estimate {
    let latencies = match &gap.latencies_ns {
        Ok(latencies) => latencies.iter().map(|latency| latency.as_f64()).collect::<Vec<_>>(),
        Err(reason) => return Estimate::absent(reason.as_str()),
    };
    let Some(value) = stats::median(&latencies) else { return Estimate::absent("no inference was completed") };
    let end = |pick: fn(f64, f64) -> f64| latencies.iter().copied().fold(value, pick);
    Estimate::Measured(Measured {
        value,
        interval: None,
        range: Some(Interval { low: end(f64::min), high: end(f64::max) }),
        n: latencies.len() as u64,
        n_of: Counted::Inferences,
        bounds: None,
        remark: Some("no interval: one launch".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    #[test]
    fn gaps_are_held_against_none() {
        let gap = |gap, latencies: &[u64]| IdleGap {
            gap_ns: Nanos(gap),
            latencies_ns: Ok(latencies.iter().copied().map(Nanos).collect()),
        };
        let left_out = IdleGap { gap_ns: Nanos(9), latencies_ns: Err("does not fit".into()) };
        let found = compared(&[gap(0, &[10, 12, 11]), gap(5, &[40, 22, 33]), left_out]);
        assert_eq!(found.iter().map(|gap| gap.latency_ns.value()).collect::<Vec<_>>(), [Some(11.0), Some(33.0), None]);
        assert_eq!(found[1].over_none, Some(Ratio(3.0)));
        assert_eq!(found[1].latency_ns.measured().unwrap().range, Some(Interval { low: 22.0, high: 40.0 }));
        assert_eq!(found[2].over_none, None);
    }

    #[test]
    fn without_a_gap_of_zero_nothing_is_compared() {
        let only = IdleGap { gap_ns: Nanos(5), latencies_ns: Ok(vec![Nanos(3)]) };
        assert_eq!(compared(&[only])[0].over_none, None);
    }
}

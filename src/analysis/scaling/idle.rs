//! Cost of an idle gap for the inference after it.

use super::{GapFindings, IdleFindings};
use crate::analysis::figures::change::{judge_bounded, log_rounds};
use crate::analysis::figures::over_launches::median_of;
use crate::analysis::figures::{Change, Estimate, centre};
use crate::metric::Metric;
use crate::record::{IdleGap, IdleGaps, RunRecord};

/// In the order of the record. All gaps of the run are judged together.
pub(in crate::analysis) fn idle_gaps(record: &RunRecord) -> Vec<IdleFindings> {
    let mut found: Vec<IdleFindings> = record.idle_gaps.iter().map(unjudged).collect();
    // What too few launches were measured of cannot have a verdict, and takes no part in the
    // others'.
    judge_bounded(
        found
            .iter_mut()
            .flat_map(|found| &mut found.gaps)
            .flatten()
            .filter_map(|gap| gap.change.as_mut()),
    );
    found
}

fn unjudged(found: &IdleGaps) -> IdleFindings {
    IdleFindings {
        session: found.session,
        shape: found.shape,
        batch_size: found.batch_size,
        gaps: found
            .gaps
            .as_ref()
            .map(|gaps| compared(gaps))
            .map_err(Clone::clone),
    }
}

fn compared(gaps: &[IdleGap]) -> Vec<GapFindings> {
    let none = gaps.iter().find(|gap| gap.gap_ns.0 == 0);
    gaps.iter()
        .map(|gap| GapFindings {
            gap_ns: gap.gap_ns,
            latency_ns: latency(gap),
            inferences_count: inferences_count(gap),
            change: none
                .filter(|none| none.gap_ns != gap.gap_ns)
                .and_then(|none| change(gap, none)),
        })
        .collect()
}

fn inferences_count(gap: &IdleGap) -> u64 {
    gap.latencies_ns
        .iter()
        .flatten()
        .map(|launch| launch.len() as u64)
        .sum()
}

/// By launch; `None` for one that did not measure the gap.
fn medians(gap: &IdleGap) -> Vec<Option<f64>> {
    gap.latencies_ns
        .iter()
        .flatten()
        .map(|launch| median_of(launch.iter().map(|latency| latency.as_f64())))
        .collect()
}

fn latency(gap: &IdleGap) -> Estimate {
    match &gap.latencies_ns {
        Ok(_) => centre(
            &medians(gap).into_iter().flatten().collect::<Vec<_>>(),
            "no inference was completed",
        ),
        Err(reason) => Estimate::absent(reason),
    }
}

/// The latency after a gap / the one without, launch by launch.
fn change(gap: &IdleGap, none: &IdleGap) -> Option<Change> {
    Change::paired(
        Metric::LatencyP50RatioToBaseline,
        &log_rounds(
            medians(gap)
                .into_iter()
                .zip(medians(none))
                .filter_map(|(gap, none)| Some(gap? / none?)),
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::figures::Interval;
    use crate::units::Nanos;

    fn gap(gap: u64, launches: &[&[u64]]) -> IdleGap {
        IdleGap {
            gap_ns: Nanos(gap),
            latencies_ns: Ok(launches
                .iter()
                .map(|latencies: &&[u64]| latencies.iter().copied().map(Nanos).collect())
                .collect()),
        }
    }

    #[test]
    fn gaps_are_held_against_none_within_each_launch() {
        let none: [&[u64]; 6] = [&[10, 12, 11], &[22], &[11], &[22], &[11], &[22]];
        let after: [&[u64]; 6] = [&[33], &[40, 66, 99], &[33], &[66], &[33], &[66]];
        let [without, found] = &compared(&[gap(0, &none), gap(5, &after)])[..] else {
            panic!("two gaps")
        };
        let ratio = found.change.as_ref().unwrap().ratio.measured().unwrap();
        let Interval { low, high } = ratio.interval.unwrap();
        assert!(
            [low, ratio.value, high]
                .iter()
                .all(|it| (it - 3.0).abs() < 1e-9),
            "{ratio:?}"
        );
        assert_eq!((ratio.n, found.inferences_count), (6, 8));

        assert_eq!(
            found.latency_ns.measured().unwrap().range,
            Some(Interval::between(33.0, 66.0))
        );
        assert!(without.change.is_none());
    }

    #[test]
    fn a_gap_that_few_launches_measured_has_no_interval_and_one_without_none_beside_it_no_change() {
        let left_out = IdleGap {
            gap_ns: Nanos(9),
            latencies_ns: Err("does not fit".into()),
        };
        let found = compared(&[
            gap(0, &[&[10], &[20], &[10]]),
            gap(5, &[&[], &[40], &[30]]),
            left_out,
        ]);
        let change = found[1].change.as_ref().unwrap().ratio.measured().unwrap();
        assert!((change.value - 6.0_f64.sqrt()).abs() < 1e-9, "{change:?}");
        assert_eq!(change.interval, None);
        assert_eq!(
            change.remark.as_ref().unwrap(),
            "no interval: needs 6 launches, has 2"
        );
        assert_eq!(
            (found[2].latency_ns.value(), &found[2].change),
            (None, &None)
        );
        assert_eq!(compared(&[gap(5, &[&[3]])])[0].change, None);
    }
}

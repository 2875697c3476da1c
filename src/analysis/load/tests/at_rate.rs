use super::load::{Planted, curve, curve_shape, made_up};
use super::{candidate, found};
use crate::analysis::Estimate;
use crate::analysis::load::LoadPoint;
use crate::metric::Metric;
use crate::record::{LoadKey, LoadStage};
use crate::units::{Nanos, PerSecond};

fn near(estimate: &Estimate, expected: f64, share: f64) {
    let value = estimate.value().unwrap_or_else(|| panic!("{estimate:?}"));
    assert!(
        (value / expected - 1.0).abs() <= share,
        "{value}, expected {expected}"
    );
}

fn at(points: &[LoadPoint], rate: f64) -> &LoadPoint {
    points
        .iter()
        .find(|point| point.asked == PerSecond(rate))
        .unwrap()
}

#[test]
fn points_are_those_of_each_rate_with_intervals_over_rounds() {
    let found = found(&curve());
    assert_eq!(found.candidates.len(), 2);
    let points = &candidate(&found, 1).points;
    assert_eq!(points.len(), 4);
    let point = at(points, 400.0);
    assert_eq!(
        (point.stage, point.segments.rounds_count),
        (LoadStage::Asked, 6)
    );
    near(&point.flow.offered_per_sec, 400.0, 0.05);
    near(&point.flow.achieved_per_sec, 400.0, 0.05);
    near(&point.service.p50, 1e6, 0.02);
    near(&point.usage.cpu_utilization, 0.4 / 2.0, 0.05);
    near(&point.usage.batch_mean, 1.0, 1e-9);
    let p99 = point.figure(Metric::ResponseP99).unwrap();
    let interval = p99.interval().unwrap();
    assert!(interval.low <= p99.value().unwrap() && p99.value().unwrap() <= interval.high);
    // 400 requests per second of 1 ms each: M/D/1 waits 0.33 ms on average.
    near(&point.waiting.mean, 1e6 * 0.4 / (2.0 * 0.6), 0.15);
}

#[test]
fn goodput_counts_what_is_answered_in_time_and_errors_have_an_upper_bound_where_there_are_none() {
    let found = found(&curve());
    let kept = at(&candidate(&found, 0).points, 200.0);
    near(&kept.flow.goodput_per_sec, 200.0, 0.05);
    let errors = &kept.flow.error_rate;
    assert_eq!(errors.value(), Some(0.0));
    assert!(errors.interval().unwrap().high > 1e-4);
    let beyond = at(&candidate(&found, 0).points, 600.0);
    assert!(beyond.flow.goodput_per_sec.value().unwrap() < 60.0);
    near(&beyond.flow.achieved_per_sec, 500.0, 0.03);
    assert!(beyond.usage.queue_slope_per_sec.interval().unwrap().low > 50.0);
}

#[test]
fn what_is_sent_late_counts_for_nothing_and_is_listed() {
    let mut shape = curve_shape();
    shape.slo = Vec::new();
    shape.planted = Planted {
        lag: Nanos(300_000),
        ..Planted::default()
    };
    let found = found(&made_up(&shape));
    let late = &candidate(&found, 1).points[0];
    assert!(!late.is_valid());
    assert_eq!(late.segments.invalid.len(), 6);
    assert!(
        late.segments.invalid[0]
            .reason
            .exact()
            .contains("of the median response, more than 5%")
    );
    assert_eq!(late.response.p99.value(), None);
    assert!(candidate(&found, 0).points.iter().all(LoadPoint::is_valid));
}

#[test]
fn one_round_has_values_and_no_intervals() {
    let mut shape = curve_shape();
    shape.rounds = 1;
    let found = found(&made_up(&shape));
    let point = at(&candidate(&found, 0).points, 200.0);
    let p50 = point.response.p50.measured().unwrap();
    assert_eq!(p50.interval, None);
    assert!(
        p50.remark
            .as_ref()
            .unwrap()
            .exact()
            .contains("there is one round")
    );
    assert!(point.response.p999.value().is_none());
}

#[test]
fn processes_of_a_segment_are_one() {
    let mut record = curve();
    for segment in &mut record.load.as_mut().unwrap().segments {
        let twin = segment.processes[0].clone();
        segment.processes.push(twin);
    }
    let (once, twice) = (found(&curve()), found(&record));
    let key = LoadKey {
        session: 1,
        serving: 0,
    };
    let [once, twice] = [&once, &twice].map(|found| &found.candidate(key).unwrap().points[1]);
    assert_eq!(2 * once.requests_count, twice.requests_count);
    assert_eq!(once.response.p50, twice.response.p50);
    near(
        &twice.flow.achieved_per_sec,
        2.0 * once.flow.achieved_per_sec.value().unwrap(),
        1e-9,
    );
}

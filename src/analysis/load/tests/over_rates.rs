use super::load::{Planted, curve, curve_shape, made_up, soak, stress};
use super::{candidate, found};
use crate::analysis::load::{FailureMode, Leak, LoadPoint, Saturation, SaturationSign, Soak};
use crate::metric::Metric;
use crate::plan::{Arrivals, Serving};
use crate::record::{Failure, FailureKind, LoadStage, RunRecord};
use crate::units::{Nanos, PerSecond};

#[test]
fn saturation_is_from_the_rate_that_is_not_completed() {
    let found = found(&curve());
    let Ok(Saturation::From {
        rate_per_sec,
        kept_up_per_sec,
        sign,
    }) = &candidate(&found, 0).saturation
    else {
        panic!("{:?}", candidate(&found, 0).saturation);
    };
    assert_eq!(
        (*rate_per_sec, *kept_up_per_sec),
        (PerSecond(600.0), Some(PerSecond(400.0)))
    );
    assert!(matches!(sign, SaturationSign::Behind { .. }));
    assert_eq!(
        candidate(&found, 1).saturation,
        Ok(Saturation::No {
            up_to_per_sec: PerSecond(600.0)
        })
    );
}

#[test]
fn rates_that_are_kept_are_not_called_saturated_whatever_the_seed() {
    let mut shape = curve_shape();
    shape.offers.truncate(3);
    for seed in 1..=8 {
        shape.planted.seed = seed;
        let found = found(&made_up(&shape));
        for session in [0, 1] {
            let points = &candidate(&found, session).points;
            assert!(
                points.iter().all(|point| point.saturated.is_none()),
                "seed {seed}: {:?}",
                points
                    .iter()
                    .map(|point| &point.saturated)
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn one_round_far_beyond_what_is_served_is_saturated_too() {
    let mut shape = curve_shape();
    shape.rounds = 1;
    let found = found(&made_up(&shape));
    let saturated: Vec<f64> = candidate(&found, 0)
        .points
        .iter()
        .filter(|point| point.saturated.is_some())
        .map(|point| point.asked.0)
        .collect();
    assert_eq!(saturated, [600.0]);
}

#[test]
fn virtual_users_do_not_saturate() {
    let mut record = curve();
    record.plan.load.as_mut().unwrap().arrivals = Arrivals::Users { think_ns: Nanos(0) };
    let found = found(&record);
    assert!(candidate(&found, 0).saturation.is_err());
    let none = |point: &LoadPoint| point.saturated.is_none();
    assert!(candidate(&found, 0).points.iter().all(none));
}

#[test]
fn a_ramp_shows_where_it_breaks_how_and_when_it_has_recovered() {
    let found = found(&stress());
    for (session, capacity) in [(0, 500.0), (1, 1_000.0)] {
        let candidate = candidate(&found, session);
        let stress = candidate.stress.as_ref().unwrap();
        let broken = stress.breaking_point.value().unwrap();
        assert!(
            (broken / capacity - 1.0).abs() < 0.05,
            "session {session} at {broken}"
        );
        assert!(stress.breaking_point.interval().is_some());
        assert_eq!(stress.failure_mode, Some(FailureMode::Rejections));
        assert_eq!(stress.rounds_count, 6);
        // 200 requests that wait are served in 0.4 s or 0.2 s, while few come.
        let recovery = stress.recovery.value().unwrap() / 1e9;
        let drained = 200.0 / (capacity - 100.0);
        assert!(
            (drained * 0.7..drained + 0.8).contains(&recovery),
            "session {session}: {recovery} s, expected {drained} s"
        );
        let figure = candidate.figure(Metric::RecoveryTime).unwrap();
        assert_eq!(figure, &stress.recovery);
    }
}

/// The ramp of a made-up stress run, with another queue or another top.
fn ramp(queue: Option<u64>, top: f64) -> RunRecord {
    let mut shape = super::load::stress_shape();
    shape.servings = vec![Serving::single(queue)];
    shape.offers[1].1.to = PerSecond(top);
    made_up(&shape)
}

#[test]
fn a_queue_without_a_limit_fails_by_waiting_and_a_low_ramp_does_not_fail() {
    let waiting = found(&ramp(None, 1_500.0));
    let stress = candidate(&waiting, 0).stress.as_ref().unwrap();
    assert_eq!(stress.failure_mode, Some(FailureMode::Waiting));
    // So many requests wait in the end that they are not served in the time after.
    assert!(
        stress
            .recovery
            .absent_reason()
            .unwrap()
            .exact()
            .contains("were not again what they were")
    );
    let low = found(&ramp(Some(200), 350.0));
    let stress = candidate(&low, 0).stress.as_ref().unwrap();
    assert_eq!(stress.failure_mode, None);
    assert_eq!(
        stress.breaking_point.absent_reason().unwrap().exact(),
        "all that was offered was completed"
    );
}

#[test]
fn a_process_that_ends_under_a_ramp_says_how() {
    let mut record = stress();
    for segment in &mut record.load.as_mut().unwrap().segments {
        if segment.stage == LoadStage::Ramp && segment.key.session == 1 {
            segment.processes.clear();
            segment.failure = Some(Failure {
                kind: FailureKind::OutOfMemory,
                message: "the process was killed".into(),
                hint: None,
            });
        }
    }
    let found = found(&record);
    let stress = candidate(&found, 1).stress.as_ref().unwrap();
    assert_eq!(stress.failure_mode, Some(FailureMode::Memory));
    assert!(stress.breaking_point.value().is_none());
    assert!(
        candidate(&found, 0).stress.as_ref().unwrap().failure_mode != Some(FailureMode::Memory)
    );
}

#[test]
fn ratios_to_the_first_candidate_are_of_the_same_rounds() {
    let found = found(&curve());
    let [comparison] = found.comparisons.as_slice() else {
        panic!("{:?}", found.comparisons);
    };
    let at_100 = &comparison.rates[0];
    assert_eq!(at_100.rate_per_sec, PerSecond(100.0));
    let ratio = &at_100.response_p50_ratio;
    assert!((ratio.value().unwrap() - 0.5).abs() < 0.03, "{ratio:?}");
    assert!(ratio.interval().unwrap().contains(ratio.value().unwrap()));
}

fn soaked(planted: Planted) -> Soak {
    let found = found(&soak(planted));
    candidate(&found, 1).soak.clone().unwrap()
}

#[test]
fn a_leak_of_a_kilobyte_a_request_is_found_with_its_size() {
    let soak = soaked(Planted {
        leaked_bytes: 1_024.0,
        ..Planted::default()
    });
    let Leak::Memory { in_a_day_bytes } = soak.leak else {
        panic!("{:?}", soak.leak);
    };
    let expected = 1_024.0 * 100.0 * 86_400.0;
    assert!((in_a_day_bytes.as_f64() / expected - 1.0).abs() < 0.03);
    let per_request = &soak.memory_per_request;
    assert!(
        per_request
            .interval()
            .unwrap()
            .contains(per_request.value().unwrap())
    );
    assert!((per_request.value().unwrap() / 1_024.0 - 1.0).abs() < 0.03);
    assert!(!soak.response.drifts && !soak.open_files.drifts);
}

#[test]
fn a_drift_of_a_percent_a_minute_is_found_and_is_no_leak() {
    let soak = soaked(Planted {
        drift_per_minute: 0.01,
        ..Planted::default()
    });
    let level = soak.response.level.value().unwrap();
    let per_minute = soak.response.per_hour.value().unwrap() / 60.0 / level;
    assert!(soak.response.drifts, "{:?}", soak.response);
    assert!((0.008..0.013).contains(&per_minute), "{per_minute}");
    assert_eq!(soak.leak, Leak::No);
}

#[test]
fn one_wrong_output_in_ten_thousand_is_found() {
    let found = found(&soak(Planted {
        wrong_one_in: 10_000,
        ..Planted::default()
    }));
    let wrong = candidate(&found, 1).integrity.as_ref().unwrap();
    assert!(wrong.checked_count > 55_000);
    assert!((5..=6).contains(&wrong.wrong_count));
    assert!(wrong.wrong_ratio.interval().unwrap().contains(1e-4));
    let right = candidate(&found, 0).integrity.as_ref().unwrap();
    assert_eq!(
        (right.wrong_count, right.same_count),
        (0, right.checked_count)
    );
}

/// Two sessions of each soak: 40 of them.
#[test]
fn a_soak_of_nothing_finds_nothing() {
    let found_something = (1..=20)
        .flat_map(|seed| {
            let found = found(&soak(Planted {
                seed,
                ..Planted::default()
            }));
            [0, 1].map(|session| candidate(&found, session).soak.clone().unwrap())
        })
        .filter(|soak| {
            let levels = [&soak.response, &soak.memory, &soak.open_files];
            soak.leak != Leak::No
                || levels
                    .iter()
                    .any(|level| level.drifts || !level.shifts.is_empty())
        })
        .count();
    assert!(found_something <= 2, "{found_something} of 40");
}

#[test]
fn the_least_that_holds_a_rate_is_told_where_ways_of_serving_are_compared() {
    let two = Serving {
        callers: 2,
        sessions: 2,
        ..Serving::single(Some(1000))
    };
    let mut shape = curve_shape();
    shape.servings = vec![two, Serving::single(Some(1000))];
    let least: Vec<(usize, f64, u64)> = found(&made_up(&shape))
        .fewest
        .iter()
        .map(|one| (one.key.session, one.rate_per_sec.0, one.sessions_count))
        .collect();
    // One server of 2 ms does not hold 600 requests per second, and two do.
    assert!(
        least.contains(&(0, 100.0, 1)) && least.contains(&(0, 600.0, 2)),
        "{least:?}"
    );
    shape.servings.truncate(1);
    assert!(
        found(&made_up(&shape)).fewest.is_empty(),
        "nothing is compared"
    );
}

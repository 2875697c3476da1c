//! Simulated ways of serving: against what was served, and in what they recommend.

use super::*;
use crate::analysis::load::tests::load::{capacity, curve};
use crate::record::{LoadKey, LoadStage};
use crate::units::Nanos;

const FP32: usize = 0;

fn ratio(one: Nanos, other: Nanos) -> f64 {
    one.as_f64() / other.as_f64()
}

#[test]
fn what_was_served_is_simulated_as_it_was() {
    let record = curve();
    let found = crate::analysis::load::findings(&record).unwrap();
    let key = LoadKey {
        session: FP32,
        serving: 0,
    };
    let serving = record.plan.load.as_ref().unwrap().servings[0].clone();
    let candidate = found.candidate(key).unwrap();
    for point in candidate
        .of_stage(LoadStage::Asked)
        .filter(|point| point.asked.0 < 300.0)
    {
        let length = Nanos(100_000_000_000);
        let offer = Offer::at(point.asked, length, 3);
        let simulated = simulated(&record, FP32, &serving, offer).unwrap();
        let mean = point.response.mean.value().unwrap();
        let p99 = point.response.p99.value().unwrap();
        let near = |simulated: Nanos, served: f64| (simulated.as_f64() / served - 1.0).abs() < 0.1;
        assert!(
            near(simulated.response_mean_ns, mean),
            "{simulated:?}, {mean}"
        );
        assert!(near(simulated.response_p99_ns, p99), "{simulated:?}, {p99}");
        let utilization = point.asked.0 * 2e-3;
        assert!((simulated.utilization_ratio.0 / utilization - 1.0).abs() < 0.05);
        assert_eq!(simulated.batch_size_mean, 1.0);
    }
}

#[test]
fn the_best_of_a_high_rate_gathers_batches_and_the_same_record_says_the_same() {
    let record = capacity();
    let found = what_if(&record, FP32).unwrap();
    assert_eq!(Some(&found), what_if(&record, FP32).as_ref());
    let sizes: Vec<u64> = found.measured.iter().map(|of| of.batch_size).collect();
    assert!(
        sizes.starts_with(&[1, 2]) && sizes.ends_with(&[8]),
        "{sizes:?}"
    );
    assert_eq!(found.rates.len(), 5);
    for rate in &found.rates {
        let best = rate.best.iter().map(|&index| &rate.settings[index]);
        let ranks: Vec<_> = best.map(Simulated::rank).collect();
        assert!(ranks.len() == 3 && ranks.is_sorted(), "{ranks:?}");
    }
    // Two threads, batches of 8 in 7.6 ms: 2,105 requests per second at most.
    let highest = found.highest.unwrap();
    assert!(highest.serving.max_batch() > 1, "{highest:?}");
    assert!(
        (1_200.0..2_200.0).contains(&highest.rate_per_sec.0),
        "{highest:?}"
    );
}

#[test]
fn only_threads_with_cpus_of_their_own_are_simulated() {
    let callers = |record: &RunRecord| {
        let found = what_if(record, FP32).unwrap();
        let settings = found.rates.into_iter().flat_map(|rate| rate.settings);
        settings.map(|one| one.serving.callers).max().unwrap()
    };
    let mut record = curve();
    assert_eq!(record.host.usable_cpus_count, 2);
    assert_eq!(callers(&record), 2);
    record.plan.sessions[FP32].options.intra_threads = 2;
    assert_eq!(callers(&record), 1);
    record.plan.sessions[FP32].options.intra_threads = 0;
    assert_eq!(callers(&record), 1);
}

#[test]
fn machines_are_counted_by_what_one_holds() {
    let mut record = curve();
    record.plan.load.as_mut().unwrap().question = crate::plan::Question::Curve {
        rates: [200.0, 9_000.0].map(PerSecond).to_vec(),
    };
    let found = what_if(&record, FP32).unwrap();
    let highest = found.highest.unwrap().rate_per_sec;
    let [needed] = found.needed[..] else {
        panic!("{:?}", found.needed);
    };
    assert_eq!(needed.machines_count, (9_000.0 / highest.0).ceil() as u64);
    assert!(needed.machines_count > 3);
}

#[test]
fn the_best_servings_of_a_rate_are_its_best_settings() {
    let record = capacity();
    let best = best_servings(&record, FP32, PerSecond(900.0));
    assert_eq!(best.len(), 3);
    assert!(
        best.iter()
            .any(|serving| serving.max_batch() > 1 || serving.callers > 1)
    );
    assert!(best_servings(&record, 7, PerSecond(900.0)).is_empty());
}

#[test]
fn sizes_between_two_take_times_between_theirs() {
    let record = capacity();
    let loaded = Loaded::of(&record).unwrap();
    let times = ServiceTimes::of(loaded, FP32).unwrap();
    let mut random = rand::SeedableRng::seed_from_u64(1);
    let mut mean = |size| {
        let sum: Nanos = (0..2_000).map(|_| times.draw(1, size, &mut random)).sum();
        Nanos(sum.0 / 2_000)
    };
    let means = [4, 6, 8].map(&mut mean);
    assert!(means.is_sorted(), "{means:?}");
    // 0.6 and 0.4 of 2 ms for each request.
    assert!(
        (ratio(means[1], means[0]) - 3.0 / 2.2).abs() < 0.1,
        "{means:?}"
    );
    assert_eq!(times.largest_size(), 8);
}

#[test]
fn nothing_is_simulated_of_what_was_not_measured() {
    let mut record = curve();
    record.cells.clear();
    record.load = None;
    assert_eq!(what_if(&record, FP32), None);
}

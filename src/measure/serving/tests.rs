use std::convert::Infallible;
use std::time::Duration;

use super::*;
use crate::plan::{Arrivals, Batcher, Offer, Share};
use crate::traffic::{self, Arriving, Request};
use crate::units::PerSecond;

const MS: u64 = 1_000_000;

/// Counts what it is handed, and takes a while for it.
#[derive(Default)]
struct Counting {
    takes: Duration,
    batches: Vec<usize>,
    numbers: Vec<u64>,
    checked: usize,
}

impl Caller for Counting {
    type Error = Infallible;

    fn run(&mut self, batch: &[Request]) -> Result<(), Infallible> {
        self.batches.push(batch.len());
        self.numbers
            .extend(batch.iter().map(|request| request.number));
        std::thread::sleep(self.takes);
        Ok(())
    }

    fn check(&mut self, batch: &[Request]) {
        self.checked += batch.len();
    }
}

fn arrivals(rate: f64, length: Nanos) -> Box<dyn Arriving> {
    let offer = Offer::at(PerSecond(rate), length, 1);
    traffic::arrivals(&Arrivals::Constant, &offer, Share::WHOLE).unwrap()
}

fn target(serving: &Serving, length: Nanos) -> ServingTarget<'_> {
    ServingTarget {
        serving,
        length,
        windows: 4,
        start: None,
        model_threads: 1,
        limit: Nanos(length.0 * 100),
    }
}

#[test]
fn each_request_is_served_once_and_waits_no_less_than_it_must() {
    let serving = Serving::single(None);
    let length = Nanos(200 * MS);
    let mut callers = [
        Counting::default(),
        Counting::default(),
        Counting::default(),
    ];
    let segment = serve(
        &target(&serving, length),
        arrivals(1_000.0, length).as_mut(),
        &mut callers,
    );
    let mut numbers: Vec<u64> = callers
        .iter()
        .flat_map(|caller| caller.numbers.clone())
        .collect();
    numbers.sort_unstable();
    assert!(numbers.iter().copied().eq(0..199), "{numbers:?}");
    let tally = &segment.tally;
    assert_eq!([tally.response.count(), tally.lag.count()], [199; 2]);
    assert!(tally.response.min() >= tally.service.min());
    assert!(segment.elapsed >= length && segment.first_error.is_none());
    assert!(callers.iter().map(|caller| caller.checked).sum::<usize>() >= 4);
    let offered: u64 = tally.windows.iter().map(|window| window.offered).sum();
    assert_eq!(offered, 199);
}

#[test]
fn a_batch_is_run_when_its_oldest_request_has_waited_long_enough() {
    let batcher = Batcher {
        max_batch: 100,
        max_delay_ns: Nanos(50 * MS),
        preferred: Vec::new(),
    };
    let serving = Serving {
        batcher: Some(batcher),
        ..Serving::single(None)
    };
    let length = Nanos(240 * MS);
    let mut callers = [Counting::default(), Counting::default()];
    let segment = serve(
        &target(&serving, length),
        arrivals(1_000.0, length).as_mut(),
        &mut callers,
    );
    let batches: Vec<usize> = callers
        .iter()
        .flat_map(|caller| caller.batches.clone())
        .collect();
    assert_eq!(batches.iter().sum::<usize>(), 239);
    // Some 50 in each; fewer only where a machine is slow to wake up.
    assert!(batches.len() <= 10, "{batches:?}");
    assert_eq!(
        segment
            .tally
            .runs
            .iter()
            .map(|runs| runs.count())
            .sum::<u64>(),
        batches.len() as u64
    );
}

#[test]
fn a_full_queue_rejects_and_what_waits_at_the_limit_has_failed() {
    let serving = Serving::single(Some(3));
    let length = Nanos(100 * MS);
    let mut callers = [Counting {
        takes: Duration::from_millis(60),
        ..Counting::default()
    }];
    let limited = ServingTarget {
        limit: Nanos(100 * MS),
        ..target(&serving, length)
    };
    let segment = serve(&limited, arrivals(1_000.0, length).as_mut(), &mut callers);
    let sum = |of: fn(&crate::traffic::Window) -> u64| -> u64 {
        segment.tally.windows.iter().map(of).sum()
    };
    let completed = sum(|window| window.completed);
    assert_eq!(completed as usize, callers[0].numbers.len());
    assert!((1..=3).contains(&completed));
    assert_eq!(
        sum(|window| window.offered),
        completed + sum(|window| window.rejected) + sum(|window| window.failed)
    );
    assert!(sum(|window| window.rejected) > 50);
    assert!(
        segment
            .first_error
            .is_some_and(|error| error.contains("time was up"))
    );
}

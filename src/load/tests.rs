//! Guided runs in a time of their own: the real queue, with service times that are made up.

#[path = "../../tests/it/support/record.rs"]
#[expect(
    clippy::duplicate_mod,
    reason = "tests of several rooms make up the same records"
)]
#[expect(dead_code, reason = "other tests use the rest")]
mod record;

use std::time::Duration;

use record::{RunShape, VariantShape, build};

use super::Demand;
use crate::analysis::load::capacity::{Capacity, capacity};
use crate::check::Slo;
use crate::plan::{Arrivals, LoadPlan, Question, Serving, Share};
use crate::record::{
    EndReason, Failure, FailureKind, LoadCounts, LoadKey, LoadRecord, LoadSegment, LoadStage,
    LoadTimes, LoadWindow, ProcessLoad, RunRecord, ServedLoad,
};
use crate::runner::{Clock, LoadGuide, LoadMove, NextSegment};
use crate::traffic::{Desk, Request, Service, Tally, arrivals, simulate};
use crate::units::{Nanos, PerSecond};

const WINDOWS: usize = 40;
const FIRST: LoadKey = LoadKey {
    session: 0,
    serving: 0,
};

/// A server, its faults planted.
#[derive(Clone, Copy, Default)]
struct Server {
    service: f64,
    /// Share by which the service time grows in a second.
    drift: f64,
    last_end: Nanos,
}

impl Service for Server {
    fn time(&mut self, _: &[Request], start: Nanos) -> Option<Nanos> {
        let time = Nanos((self.service * (1.0 + self.drift * start.as_secs_f64())) as u64);
        self.last_end = self.last_end.max(start + time);
        Some(time)
    }
}

fn served(next: &NextSegment, mut server: Server) -> ServedLoad {
    let offer = next.offer;
    let mut arrivals = arrivals(&Arrivals::Poisson, &offer, Share::WHOLE).unwrap();
    let mut tally = Tally::new(offer.length_ns, WINDOWS, 1);
    let mut desk = Desk::new(&Serving::single(None));
    simulate(arrivals.as_mut(), &mut desk, 1, &mut server, &mut tally);
    let windows: Vec<LoadWindow> = (1..)
        .zip(&tally.windows)
        .map(|(number, window)| LoadWindow {
            end_ns: Nanos(tally.window_length().0 * number),
            counts: LoadCounts {
                offered: window.offered,
                completed: window.completed,
                rejected: window.rejected,
                failed: window.failed,
            },
            queue: window.queue,
            response_p50_ns: window.responses.median(),
            response_max_ns: None,
        })
        .collect();
    ServedLoad {
        counts: windows
            .iter()
            .fold(LoadCounts::default(), |sum, window| sum.plus(window.counts)),
        elapsed_ns: server.last_end.max(offer.length_ns),
        times: LoadTimes {
            response: tally.response.encode(),
            service: tally.service.encode(),
            waiting: tally.waiting.encode(),
            lag: tally.lag.encode(),
        },
        windows,
        batches: Vec::new(),
        integrity: Err("not asked for".into()),
        cpu_time_ns: Nanos(0),
        first_error: None,
        exchanged: None,
        sender: None,
    }
}

/// What becomes of a segment.
type Outcome<'a> = &'a dyn Fn(&NextSegment) -> Result<ServedLoad, Failure>;

struct Drive {
    record: RunRecord,
    reason: EndReason,
    note: Option<String>,
}

impl Drive {
    fn segments(&self) -> &[LoadSegment] {
        &self.record.load.as_ref().unwrap().segments
    }
}

fn drive(mut record: RunRecord, outcome: Outcome<'_>) -> Drive {
    let clock = Clock {
        spent_ratio: 0.0,
        left: Duration::from_secs(1_000_000),
        is_over: false,
    };
    let mut guide = Demand::default();
    loop {
        match guide.next(&record, clock) {
            LoadMove::End { reason, note } => {
                return Drive {
                    record,
                    reason,
                    note,
                };
            }
            LoadMove::Segment(next) => {
                let (processes, failure) = match outcome(&next) {
                    Ok(served) => (
                        vec![ProcessLoad {
                            launch: 0,
                            served,
                            samples: Vec::new(),
                        }],
                        None,
                    ),
                    Err(failure) => (Vec::new(), Some(failure)),
                };
                let load = record.load.as_mut().unwrap();
                load.segments.push(LoadSegment {
                    key: next.key,
                    round: next.round,
                    stage: next.stage,
                    offer: next.offer,
                    started_ns: Nanos(0),
                    processes,
                    server_cpu_time_ns: None,
                    failure,
                });
                assert!(load.segments.len() < 2_000, "it does not end");
            }
        }
    }
}

/// Two variants of 2 ms and of 1 ms, and none of the segments yet.
fn asked(question: Question, slo: &[&str]) -> RunRecord {
    let mut run = build(&RunShape {
        name: "digits".into(),
        variants: vec![
            VariantShape::new("fp32", "fp32", 2e6, 1_574_542),
            VariantShape::new("int8", "int8 QDQ", 1e6, 407_804),
        ],
        batch_sizes: vec![1],
        rounds: 6,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    });
    run.plan.schedule.rounds_count = None;
    run.plan.load = Some(LoadPlan {
        question,
        arrivals: Arrivals::Poisson,
        slo: slo.iter().map(|text| Slo::parse(text).unwrap()).collect(),
        servings: vec![Serving::single(None)],
        segment_ns: LoadPlan::SEGMENT,
        samples_count: 1,
        price: None,
    });
    run.load = Some(LoadRecord::default());
    run
}

fn service(key: LoadKey) -> f64 {
    [2e6, 1e6][key.session]
}

fn as_planned(next: &NextSegment) -> Result<ServedLoad, Failure> {
    Ok(served(
        next,
        Server {
            service: service(next.key),
            ..Server::default()
        },
    ))
}

#[test]
fn candidates_take_turns_at_every_rate_in_six_rounds() {
    let question = Question::Curve {
        rates: [50.0, 100.0].map(PerSecond).to_vec(),
    };
    let ran = drive(asked(question, &[]), &as_planned);
    assert_eq!(ran.reason, EndReason::LoadAnswered);
    let told: Vec<(u64, f64, usize)> = ran
        .segments()
        .iter()
        .map(|one| (one.round, one.offer.from.0, one.key.session))
        .collect();
    assert_eq!(told.len(), 6 * 2 * 2);
    assert_eq!(
        told[..8],
        [
            (0, 50.0, 0),
            (0, 50.0, 1),
            (0, 100.0, 1),
            (0, 100.0, 0),
            (1, 100.0, 1),
            (1, 100.0, 0),
            (1, 50.0, 0),
            (1, 50.0, 1)
        ]
    );
    let seeds = |at: usize| ran.segments()[at].offer.seed;
    assert_eq!(seeds(0), seeds(1), "the same requests for both");
    assert_ne!(seeds(0), seeds(2));
}

#[test]
fn rates_that_nobody_names_are_shares_of_what_is_served_at_most() {
    let ran = drive(
        asked(Question::Curve { rates: Vec::new() }, &[]),
        &as_planned,
    );
    let rates = |stage| {
        let segments = ran.segments().iter().filter(move |one| one.stage == stage);
        segments.map(|one| one.offer.from.0)
    };
    assert_eq!(rates(LoadStage::Bracket).count(), 2);
    let highest = rates(LoadStage::Asked).fold(0.0, f64::max);
    assert!((highest / 550.0 - 1.0).abs() < 0.02, "{highest}");
}

fn rate(found: &Capacity) -> (f64, f64, f64) {
    let measured = found.rate_per_sec.measured().unwrap();
    let interval = measured.interval.unwrap();
    (interval.low, measured.value, interval.high)
}

/// The rate at which 1% of responses of a server of 1 ms take longer than 5 ms, by Lindley's
/// recursion over 40 million requests.
const EDGE_AT_5_MS: f64 = 560.9;

#[test]
fn the_highest_rate_that_keeps_an_slo_is_found() {
    let ran = drive(
        asked(Question::Capacity, &["response_p99<=5ms"]),
        &as_planned,
    );
    assert_eq!(ran.reason, EndReason::LoadAnswered);
    let int8 = LoadKey {
        session: 1,
        serving: 0,
    };
    let found = capacity(&ran.record, int8);
    let (low, value, high) = rate(&found);
    assert!(
        (value / EDGE_AT_5_MS - 1.0).abs() < 0.03,
        "{low} {value} {high}"
    );
    assert!(
        low < EDGE_AT_5_MS * 1.01 && high > EDGE_AT_5_MS * 0.99,
        "{low} {high}"
    );
    assert_eq!(found.limited_by.unwrap().exact(), "response_p99<=5ms");
    let proven = found.proven_per_sec.unwrap().0;
    assert!(
        proven < EDGE_AT_5_MS && proven > 0.8 * EDGE_AT_5_MS,
        "{proven}"
    );
    // In both, rates lie about their own edges.
    let slower = rate(&capacity(&ran.record, FIRST)).1;
    assert!(slower < 250.0, "{slower}");
}

#[test]
fn a_server_whose_queue_drifts_has_no_capacity() {
    let ran = drive(
        asked(Question::Capacity, &["response_p99<=200ms"]),
        &|next| {
            Ok(served(
                next,
                Server {
                    service: service(next.key),
                    drift: 0.02,
                    ..Server::default()
                },
            ))
        },
    );
    for session in [0, 1] {
        let found = capacity(
            &ran.record,
            LoadKey {
                session,
                serving: 0,
            },
        );
        let reason = found.rate_per_sec.absent_reason().unwrap();
        assert!(reason.exact().contains("not steady"), "{}", reason.exact());
    }
}

#[test]
fn an_slo_that_single_requests_break_ends_the_run_with_the_floor() {
    let ran = drive(
        asked(Question::Capacity, &["response_p99<=0.5ms"]),
        &as_planned,
    );
    assert_eq!(
        (ran.reason, ran.segments().len()),
        (EndReason::SloBroken, 0)
    );
    let note = ran.note.unwrap();
    assert!(
        note.contains("no rate keeps `response_p99<=0.5ms`"),
        "{note}"
    );
    // One of both could keep this.
    let ran = drive(
        asked(Question::Capacity, &["response_p99<=1.5ms"]),
        &as_planned,
    );
    assert_eq!(ran.reason, EndReason::LoadAnswered);
}

#[test]
fn a_ramp_goes_from_half_of_what_is_served_to_beyond_it_and_back() {
    let ran = drive(asked(Question::Stress, &[]), &as_planned);
    let stages: Vec<LoadStage> = ran
        .segments()
        .iter()
        .filter(|one| one.key == FIRST)
        .map(|one| one.stage)
        .collect();
    assert_eq!(stages.len(), 1 + 6 * 2);
    assert_eq!(
        stages[..3],
        [LoadStage::Bracket, LoadStage::Before, LoadStage::Ramp]
    );
    let ramps = ran
        .segments()
        .iter()
        .filter(|one| one.stage == LoadStage::Ramp);
    for ramp in ramps {
        let most = 1e9 / service(ramp.key);
        assert!((ramp.offer.to.0 / most - 2.0).abs() < 0.1);
        assert_eq!(ramp.offer.fall.unwrap().to, ramp.offer.from);
    }
}

#[test]
fn a_candidate_that_fails_twice_is_left_out_and_the_others_go_on() {
    let question = Question::Curve {
        rates: vec![PerSecond(100.0)],
    };
    let ran = drive(asked(question, &[]), &|next| {
        if next.key == FIRST {
            Err(Failure::of(FailureKind::Crashed, "it ended"))
        } else {
            as_planned(next)
        }
    });
    let of = |session| {
        let segments = ran.segments().iter();
        segments.filter(|one| one.key.session == session).count()
    };
    assert_eq!((of(0), of(1)), (2, 6));
}

#[test]
fn no_segment_is_begun_that_would_not_end_in_time() {
    let record = asked(Question::Capacity, &["response_p99<=5ms"]);
    let clock = Clock {
        spent_ratio: 0.9,
        left: Duration::from_millis(100),
        is_over: false,
    };
    let step = Demand::default().next(&record, clock);
    assert_eq!(
        step,
        LoadMove::End {
            reason: EndReason::BudgetSpent,
            note: None
        }
    );
}

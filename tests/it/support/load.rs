//! Synthetic records of runs under load: the real queue in a time of its own, with service times
//! that are made up, the same on every machine.

use onnxprof::check::Slo;
use onnxprof::plan::{Arrivals, Batcher, LoadPlan, Question, Serving, Share};
use onnxprof::record::{
    BatchRuns, Fall, Integrity, LoadCounts, LoadKey, LoadRecord, LoadSegment, LoadStage, LoadTimes,
    LoadWindow, Offer, ProcessLoad, ProcessSample, RunRecord, ServedLoad,
};
use onnxprof::stats::Latencies;
use onnxprof::traffic::{Desk, Request, Service, Tally, arrivals, simulate};
use onnxprof::units::{Bytes, Nanos, PerSecond};

use super::record::{RunShape, VariantShape, build};

/// A run under load to make up: two variants, `fp32` of 2 ms and `int8` of 1 ms.
pub struct LoadShape {
    pub question: Question,
    pub slo: Vec<&'static str>,
    pub servings: Vec<Serving>,
    pub rounds: u64,
    /// What each candidate is offered in each round.
    pub offers: Vec<(LoadStage, Offer)>,
    /// Parts of a segment.
    pub windows: usize,
    pub planted: Planted,
}

/// Faults of the second variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Planted {
    /// Memory that each request keeps.
    pub leaked_bytes: f64,
    /// Growth of the service time in a minute, as a share.
    pub drift_per_minute: f64,
    /// One output in so many is wrong; 0: none.
    pub wrong_one_in: u64,
    /// Requests are sent so late.
    pub lag: Nanos,
    /// One inference in so many fails; 0: none.
    pub failed_one_in: u64,
    /// Seed of all noise.
    pub seed: u64,
}

const SECOND: u64 = 1_000_000_000;
const MEMORY: f64 = 180e6;

/// Rates of which the last saturates `fp32` and the others neither.
pub fn curve() -> RunRecord {
    made_up(&curve_shape())
}

/// What [`curve`] is made of.
pub fn curve_shape() -> LoadShape {
    let rates = [100.0, 200.0, 400.0, 600.0];
    LoadShape {
        question: Question::Curve {
            rates: rates.map(PerSecond).to_vec(),
        },
        slo: vec!["response_p99<=20ms", "error_rate<=0.1%"],
        servings: vec![Serving::single(Some(1000))],
        rounds: 6,
        offers: rates
            .into_iter()
            .map(|rate| (LoadStage::Asked, at(rate, 8)))
            .collect(),
        windows: 40,
        planted: Planted::default(),
    }
}

/// A search for the highest rate that keeps the SLO: alone, and with a batcher.
pub fn capacity() -> RunRecord {
    let batcher = Serving {
        batcher: Some(Batcher {
            max_batch: 8,
            max_delay_ns: Nanos(2_000_000),
            preferred: Vec::new(),
        }),
        ..Serving::single(Some(1000))
    };
    let rates = [100.0, 200.0, 400.0, 800.0, 1600.0];
    let edges = [
        350.0, 380.0, 410.0, 440.0, 700.0, 760.0, 820.0, 880.0, 940.0,
    ];
    let of_stage = |stage| move |rate| (stage, at(rate, 4));
    made_up(&LoadShape {
        question: Question::Capacity,
        servings: vec![Serving::single(Some(1000)), batcher],
        offers: rates
            .into_iter()
            .map(of_stage(LoadStage::Bracket))
            .chain(edges.into_iter().map(of_stage(LoadStage::Edge)))
            .collect(),
        ..curve_shape()
    })
}

/// A ramp to beyond what is served, with a queue of 200.
pub fn stress() -> RunRecord {
    made_up(&stress_shape())
}

/// What [`stress`] is made of.
pub fn stress_shape() -> LoadShape {
    let ramp = Offer {
        to: PerSecond(1500.0),
        fall: Some(Fall {
            to: PerSecond(100.0),
            length_ns: Nanos(6 * SECOND),
        }),
        ..at(200.0, 12)
    };
    LoadShape {
        question: Question::Stress,
        servings: vec![Serving::single(Some(200))],
        offers: vec![(LoadStage::Before, at(200.0, 8)), (LoadStage::Ramp, ramp)],
        windows: 90,
        ..curve_shape()
    }
}

/// Ten minutes at 100 requests per second, in one round.
pub fn soak(planted: Planted) -> RunRecord {
    made_up(&LoadShape {
        question: Question::Soak {
            rate: Some(PerSecond(100.0)),
            length_ns: Nanos(600 * SECOND),
        },
        rounds: 1,
        offers: vec![(LoadStage::Soak, at(100.0, 600))],
        windows: 200,
        planted,
        ..curve_shape()
    })
}

/// A rate that arrives for so many seconds.
pub fn at(rate: f64, seconds: u64) -> Offer {
    Offer::at(PerSecond(rate), Nanos(seconds * SECOND), 0)
}

/// The record of `shape`.
pub fn made_up(shape: &LoadShape) -> RunRecord {
    let mut run = base();
    run.plan.load = Some(LoadPlan {
        question: shape.question.clone(),
        arrivals: Arrivals::Poisson,
        slo: shape
            .slo
            .iter()
            .map(|text| Slo::parse(text).unwrap())
            .collect(),
        servings: shape.servings.clone(),
        segment_ns: shape.offers[0].1.length_ns,
        samples_count: 64,
        price: None,
    });
    run.load = Some(LoadRecord {
        segments: segments(shape),
    });
    run
}

fn base() -> RunRecord {
    build(&RunShape {
        name: "digits".into(),
        variants: vec![
            VariantShape::new("fp32", "fp32", 2e6, 1_574_542),
            VariantShape::new("int8", "int8 QDQ", 1e6, 407_804),
        ],
        batch_sizes: vec![1, 2, 4, 8],
        rounds: 6,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    })
}

fn segments(shape: &LoadShape) -> Vec<LoadSegment> {
    let mut segments: Vec<LoadSegment> = Vec::new();
    let mut started = 0;
    for round in 0..shape.rounds {
        for &(stage, offer) in &shape.offers {
            for session in 0..2 {
                for serving in 0..shape.servings.len() {
                    let number = segments.len() as u64;
                    let made = Made {
                        shape,
                        key: LoadKey { session, serving },
                        offer: Offer {
                            seed: shape.planted.seed * 1_000 + number + 1,
                            ..offer
                        },
                    };
                    segments.push(LoadSegment {
                        key: made.key,
                        round,
                        stage,
                        offer: made.offer,
                        started_ns: Nanos(started),
                        processes: vec![made.process(1_000 + round * 4 + session as u64)],
                        server_cpu_time_ns: None,
                        failure: None,
                    });
                    started += offer.whole_length().0;
                }
            }
        }
    }
    segments
}

struct Made<'a> {
    shape: &'a LoadShape,
    key: LoadKey,
    offer: Offer,
}

impl Made<'_> {
    fn planted(&self) -> Planted {
        match self.key.session {
            1 => self.shape.planted,
            _ => Planted::default(),
        }
    }

    fn process(&self, launch: u64) -> ProcessLoad {
        let serving = &self.shape.servings[self.key.serving];
        let length = self.offer.whole_length();
        let mut tally = Tally::new(length, self.shape.windows, serving.max_batch());
        let mut times = Times::new(self);
        let mut arrivals = arrivals(&Arrivals::Poisson, &self.offer, Share::WHOLE).unwrap();
        let callers = serving.callers as usize;
        let mut desk = Desk::new(serving);
        simulate(
            arrivals.as_mut(),
            &mut desk,
            callers,
            &mut times,
            &mut tally,
        );
        let windows: Vec<LoadWindow> = windows(&tally);
        let samples = self.samples(&windows);
        ProcessLoad {
            launch,
            served: ServedLoad {
                counts: windows
                    .iter()
                    .fold(LoadCounts::default(), |sum, window| sum.plus(window.counts)),
                elapsed_ns: times.last_end.max(length),
                times: self.times(&tally),
                windows,
                batches: (1..).zip(&tally.runs).filter_map(runs).collect(),
                integrity: Ok(times.integrity),
                cpu_time_ns: times.busy,
                first_error: None,
                exchanged: None,
                sender: None,
            },
            samples,
        }
    }

    /// A lag that is planted is in the response already, which runs from the scheduled arrival.
    fn times(&self, tally: &Tally) -> LoadTimes {
        let mut lag = Latencies::new();
        for _ in 0..tally.lag.count() {
            lag.record(Nanos(20_000) + self.planted().lag);
        }
        LoadTimes {
            response: tally.response.encode(),
            service: tally.service.encode(),
            waiting: tally.waiting.encode(),
            lag: lag.encode(),
        }
    }

    fn samples(&self, windows: &[LoadWindow]) -> Vec<ProcessSample> {
        let mut noise = Noise::new(self.offer.seed + 77);
        let mut served = 0;
        windows
            .iter()
            .map(|window| {
                served += window.counts.completed;
                let kept = self.planted().leaked_bytes * served as f64;
                ProcessSample {
                    at_ns: window.end_ns,
                    memory_bytes: Some(Bytes((MEMORY + kept + 40_960.0 * noise.uniform()) as u64)),
                    open_files_count: Some(14),
                }
            })
            .collect()
    }
}

fn windows(tally: &Tally) -> Vec<LoadWindow> {
    (1..)
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
            response_max_ns: (window.completed > 0).then_some(window.response_max),
        })
        .collect()
}

fn runs((size, times): (u64, &Latencies)) -> Option<BatchRuns> {
    (!times.is_empty()).then(|| BatchRuns {
        size,
        runs_count: times.count(),
        service: times.encode(),
    })
}

/// A linear congruential generator (Knuth's MMIX constants).
struct Noise(u64);

impl Noise {
    fn new(seed: u64) -> Self {
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        noise.uniform();
        noise
    }

    /// Uniform in 0..1.
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Service times: those of a round differ by some percent, those of one segment by ten.
struct Times {
    single: f64,
    planted: Planted,
    noise: Noise,
    integrity: Integrity,
    runs: u64,
    last_end: Nanos,
    busy: Nanos,
}

impl Times {
    fn new(made: &Made<'_>) -> Self {
        let mut noise = Noise::new(made.offer.seed);
        let of_launch = 0.99 + 0.02 * noise.uniform();
        Times {
            single: [2e6, 1e6][made.key.session] * of_launch,
            planted: made.planted(),
            noise,
            integrity: Integrity::default(),
            runs: 0,
            last_end: Nanos(0),
            busy: Nanos(0),
        }
    }

    fn compare(&mut self, request: &Request) {
        let every = self.planted.wrong_one_in;
        let is_wrong = every > 0 && request.number % every == every - 1;
        self.integrity.checked += 1;
        self.integrity.same += u64::from(!is_wrong);
        self.integrity.wrong += u64::from(is_wrong);
        self.integrity.cost_ns = self.integrity.cost_ns + Nanos(900);
    }
}

impl Service for Times {
    fn time(&mut self, batch: &[Request], start: Nanos) -> Option<Nanos> {
        self.runs += 1;
        let every = self.planted.failed_one_in;
        if every > 0 && self.runs.is_multiple_of(every) {
            return None;
        }
        let minutes = start.as_secs_f64() / 60.0;
        let drift = 1.0 + self.planted.drift_per_minute * minutes;
        let size = 0.6 + 0.4 * batch.len() as f64;
        let jitter = 0.95 + 0.1 * self.noise.uniform();
        let time = Nanos((self.single * drift * size * jitter) as u64);
        batch.iter().for_each(|request| self.compare(request));
        self.last_end = self.last_end.max(start + time);
        self.busy = self.busy + time;
        Some(time)
    }
}

//! Waiting in the queue that serves, in a time of its own, beside what theory says of it.
//!
//! Of exponential service times and one server: Erlang. Of constant ones and any number of servers:
//! C. D. Crommelin, *Delay probability formulae when the holding times are constant*, Post Office
//! Electrical Engineers' Journal 25 (1932), for the number of requests, and G. J. Franx, *A simple
//! solution for the M/D/c waiting time distribution*, Operations Research Letters 29 (2001), for the
//! distribution of the waiting time, in which all terms are positive.

use std::time::Instant;

use onnxprof::plan::{Arrivals, Offer, Serving, Share};
use onnxprof::stats::Quantile;
use onnxprof::traffic::{self, Desk, Request, Service, Tally};
use onnxprof::units::{Nanos, PerSecond};
use rand::{RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_pcg::Pcg64Mcg;

use super::COMMAND;
use super::support::{BenchError, Rows, Targets};

/// Chosen before the first run.
const SEEDS: [u64; 10] = [
    11, 223, 3_345, 44_567, 556_789, 6_677, 77_881, 889, 9_991, 10_103,
];
const UTILIZATIONS: [f64; 4] = [0.3, 0.6, 0.8, 0.9];
/// Of each seed.
const REQUESTS: f64 = 2e6;
/// Mean time of an inference.
const SERVICE: Nanos = Nanos(1_000_000);
/// How far the mean over seeds may lie from theory.
const WITHIN: f64 = 0.05;

/// A queue by Kendall's notation; arrivals are Poisson's.
#[derive(Clone, Copy)]
enum Queue {
    /// M/M/1.
    Exponential,
    /// M/D/c.
    Constant { servers: usize },
}

/// Waiting times, in service times.
#[derive(Clone, Copy, Default)]
struct Waiting {
    mean: f64,
    p99: f64,
}

pub fn run(targets: &mut Targets) -> Result<(), BenchError> {
    let queues = [
        Queue::Constant { servers: 1 },
        Queue::Exponential,
        Queue::Constant { servers: 2 },
        Queue::Constant { servers: 4 },
    ];
    let began = Instant::now();
    let mut rows = Rows::new(&[
        "queue",
        "utilization",
        "mean waiting (service times)",
        "theory",
        "off",
        "p99 of waiting",
        "theory",
        "off",
    ]);
    let mut farthest = 0.0_f64;
    for queue in queues {
        for utilization in UTILIZATIONS {
            let found = simulated(queue, utilization)?;
            let expected = queue.theory(utilization);
            let off = [
                found.mean / expected.mean - 1.0,
                found.p99 / expected.p99 - 1.0,
            ];
            farthest = off.iter().fold(farthest, |far, off| far.max(off.abs()));
            rows.push(&[
                &queue.name(),
                &utilization,
                &format_args!("{:.4}", found.mean),
                &format_args!("{:.4}", expected.mean),
                &format_args!("{:+.2}%", off[0] * 100.0),
                &format_args!("{:.4}", found.p99),
                &format_args!("{:.4}", expected.p99),
                &format_args!("{:+.2}%", off[1] * 100.0),
            ]);
        }
    }
    rows.print(&format!("{COMMAND} -- theory"));
    let requests = REQUESTS * (SEEDS.len() * UTILIZATIONS.len() * queues.len()) as f64;
    println!(
        "mean over {} seeds of {REQUESTS:.0} requests each; {:.1} million requests simulated per second\n",
        SEEDS.len(),
        requests / began.elapsed().as_secs_f64() / 1e6
    );
    targets.check(
        &format!(
            "mean and p99 of waiting are within {:.0}% of theory; the farthest is {:.2}% off",
            WITHIN * 100.0,
            farthest * 100.0
        ),
        farthest <= WITHIN,
    );
    Ok(())
}

/// The mean over seeds.
fn simulated(queue: Queue, utilization: f64) -> Result<Waiting, BenchError> {
    let mut sum = Waiting::default();
    for seed in SEEDS {
        let one = of_seed(queue, utilization, seed)?;
        sum.mean += one.mean / SEEDS.len() as f64;
        sum.p99 += one.p99 / SEEDS.len() as f64;
    }
    Ok(sum)
}

fn of_seed(queue: Queue, utilization: f64, seed: u64) -> Result<Waiting, BenchError> {
    let servers = queue.servers();
    let rate = utilization * servers as f64 / SERVICE.as_secs_f64();
    let length = Nanos((REQUESTS / rate * 1e9) as u64);
    let offer = Offer::at(PerSecond(rate), length, seed);
    let mut arrivals = traffic::arrivals(&Arrivals::Poisson, &offer, Share::WHOLE)?;
    let mut tally = Tally::new(length, 1, 1);
    let mut desk = Desk::new(&Serving::single(None));
    let mut service = Times {
        queue,
        random: Pcg64Mcg::seed_from_u64(!seed),
    };
    traffic::simulate(
        arrivals.as_mut(),
        &mut desk,
        servers,
        &mut service,
        &mut tally,
    );
    let mean = tally.waiting.mean().ok_or("nothing was served")?;
    let p99 = tally.waiting.nearest_rank(Quantile::P99);
    Ok(Waiting {
        mean: mean / SERVICE.as_f64(),
        p99: p99.unwrap_or_default().as_f64() / SERVICE.as_f64(),
    })
}

struct Times {
    queue: Queue,
    random: Pcg64Mcg,
}

impl Service for Times {
    fn time(&mut self, _: &[Request], _: Nanos) -> Option<Nanos> {
        match self.queue {
            Queue::Constant { .. } => Some(SERVICE),
            Queue::Exponential => {
                let drawn: f64 = self.random.sample(Exp1);
                Some(Nanos((drawn * SERVICE.as_f64()) as u64))
            }
        }
    }
}

impl Queue {
    fn servers(self) -> usize {
        match self {
            Queue::Exponential => 1,
            Queue::Constant { servers } => servers,
        }
    }

    fn name(self) -> String {
        match self {
            Queue::Exponential => "M/M/1".to_owned(),
            Queue::Constant { servers } => format!("M/D/{servers}"),
        }
    }

    fn theory(self, utilization: f64) -> Waiting {
        match self {
            Queue::Exponential => Waiting {
                mean: utilization / (1.0 - utilization),
                p99: (utilization / 0.01).ln() / (1.0 - utilization),
            },
            Queue::Constant { servers } => ConstantServers::new(servers, utilization).waiting(),
        }
    }
}

/// Requests in a system of servers of constant time 1: the probability of each number of them.
struct ConstantServers {
    servers: usize,
    /// Requests that come in a service time, the mean.
    load: f64,
    probabilities: Vec<f64>,
}

impl ConstantServers {
    /// More requests than this are as good as never there.
    const MOST: usize = 600;
    /// Service times after which an empty system is as it always is.
    const STEPS: usize = 4_000;

    fn new(servers: usize, utilization: f64) -> Self {
        let load = utilization * servers as f64;
        let mut system = ConstantServers {
            servers,
            load,
            probabilities: vec![0.0; Self::MOST],
        };
        system.probabilities[0] = 1.0;
        let arrivals = poisson(load, 60);
        for _ in 0..Self::STEPS {
            system.step(&arrivals);
        }
        system
    }

    /// After a service time those that were served are gone, and others have come.
    fn step(&mut self, arrivals: &[f64]) {
        let mut after = vec![0.0; Self::MOST];
        for (requests, &probability) in self.probabilities.iter().enumerate() {
            let left = requests.saturating_sub(self.servers);
            for (came, &share) in arrivals.iter().enumerate() {
                if let Some(slot) = after.get_mut(left + came) {
                    *slot += probability * share;
                }
            }
        }
        self.probabilities = after;
    }

    fn waiting(&self) -> Waiting {
        let waiting = self.probabilities.iter().enumerate();
        // Little's law: those that wait, over those that come in a service time.
        let queue: f64 = waiting
            .map(|(requests, share)| requests.saturating_sub(self.servers) as f64 * share)
            .sum();
        Waiting {
            mean: queue / self.load,
            p99: self.quantile(0.99),
        }
    }

    fn quantile(&self, share: f64) -> f64 {
        let (mut low, mut high) = (0.0, 200.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if self.at_most(middle) < share {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// The probability of waiting for at most so many service times (Franx 2001, equation 4).
    fn at_most(&self, time: f64) -> f64 {
        let whole = time.floor() as usize + 1;
        let left = whole as f64 - time;
        let terms = whole * self.servers;
        let mut no_more = 0.0;
        let cumulated: Vec<f64> = (0..self.servers + terms)
            .map(|requests| {
                no_more += self.probabilities.get(requests).copied().unwrap_or(0.0);
                no_more
            })
            .collect();
        poisson(self.load * left, terms)
            .into_iter()
            .enumerate()
            .map(|(came, share)| share * cumulated[self.servers + terms - 1 - came])
            .sum()
    }
}

/// Probabilities of 0, 1, ... events where `mean` are expected.
fn poisson(mean: f64, count: usize) -> Vec<f64> {
    let next = |(number, share): &(usize, f64)| {
        let number = number + 1;
        Some((number, share * mean / number as f64))
    };
    std::iter::successors(Some((0, (-mean).exp())), next)
        .take(count)
        .map(|(_, share)| share)
        .collect()
}

//! What a pair of two threads on two CPUs shows beside another process, in simulation: by the
//! quantity of a block that is compared, by which pairs count, and by the length of a block.
//!
//! The main thread, the pool's thread and the other process are on two CPUs, so that two of the
//! three share one, in turns of a slice each; the kernel moves them now and then, those of each
//! worker by themselves. An inference takes its parallel time where the pool's thread runs as it
//! begins, and its serial time where it does not; while a thread that has begun waits for a CPU, the
//! inference waits.
//!
//! The rule of the choice, of which the median of all pairs is in use, its threads put by the kernel:
//! another estimate or place takes over if
//!
//! 1. it holds the truth in 93 to 97% of comparisons, as far as the 95% interval of that share can
//!    tell, of a model with itself and with one that is 3% slower, of every model and machine,
//! 2. its half-width on the busy machine is at most half of that in use, in the geometric mean over
//!    the models, and
//! 3. it is nowhere wider on the idle machine than 1.1 times that in use.

use onnxprof::stats::{PairedRatio, median as median_of};

use crate::options::Options;
use crate::random::Random;
use crate::support::{BenchError, Rows, Targets, median};
use crate::tally::{Share, written};

const COMPARISONS: usize = 1_000;
const ROUNDS: usize = 8;
const PAIRS: usize = 4;
const BLOCK_NS: f64 = 30e6;
/// Inferences of a block at least.
const LEAST: usize = 3;
/// What a thread runs before another one that shares its CPU has its turn.
const SLICE_NS: f64 = 4e6;
/// Mean time for which the threads of a worker stay on their CPUs while it runs.
const STAY_NS: f64 = 100e6;
const LAUNCH_SD: f64 = 0.01;
const JITTER_SD: f64 = 0.03;
const SLOWER: f64 = 1.03;

/// Times of an inference with one thread and with two.
struct Model {
    name: &'static str,
    serial_ns: f64,
    parallel_ns: f64,
}

const MODELS: [Model; 3] = [
    Model {
        name: "0.09 ms",
        serial_ns: 137e3,
        parallel_ns: 87e3,
    },
    Model {
        name: "0.8 ms",
        serial_ns: 1_400e3,
        parallel_ns: 800e3,
    },
    Model {
        name: "3 ms",
        serial_ns: 5_600e3,
        parallel_ns: 3_000e3,
    },
];

/// Which two share a CPU.
#[derive(Clone, Copy, PartialEq)]
enum Sharing {
    Nobody,
    MainAndOther,
    PoolAndOther,
    MainAndPool,
}

/// A name, and who may share. In the last, each of both threads keeps a CPU for itself.
const MACHINES: [(&str, &[Sharing]); 3] = [
    ("idle", &[Sharing::Nobody]),
    (
        "busy",
        &[
            Sharing::MainAndOther,
            Sharing::PoolAndOther,
            Sharing::MainAndPool,
        ],
    ),
    (
        "busy, a CPU each",
        &[Sharing::MainAndOther, Sharing::PoolAndOther],
    ),
];

/// A machine with two CPUs as one worker meets it: the kernel puts the threads of each as it comes.
struct Machine {
    all: &'static [Sharing],
    sharing: Sharing,
    moves_at: f64,
    now: f64,
    /// Where in the turn of two slices the machine is at time 0.
    phase: f64,
}

impl Machine {
    fn new(all: &'static [Sharing], random: &mut Random) -> Self {
        let mut machine = Machine {
            all,
            sharing: Sharing::Nobody,
            moves_at: 0.0,
            now: 0.0,
            phase: 0.0,
        };
        machine.pass(0.0, random);
        machine
    }

    fn pass(&mut self, time: f64, random: &mut Random) {
        self.now += time;
        while self.now >= self.moves_at {
            self.moves_at += STAY_NS * random.exponential();
            self.phase = 2.0 * SLICE_NS * random.uniform();
            self.sharing = self.all[(self.all.len() as f64 * random.uniform()) as usize];
        }
    }

    /// Place in the turn: in the first slice the first of the two that share runs.
    fn turn(&self) -> f64 {
        (self.now + self.phase) % (2.0 * SLICE_NS)
    }

    fn main_runs(&self) -> bool {
        match self.sharing {
            Sharing::MainAndOther | Sharing::MainAndPool => self.turn() < SLICE_NS,
            Sharing::Nobody | Sharing::PoolAndOther => true,
        }
    }

    fn pool_runs(&self) -> bool {
        match self.sharing {
            Sharing::PoolAndOther => self.turn() < SLICE_NS,
            Sharing::MainAndPool => self.turn() >= SLICE_NS,
            Sharing::Nobody | Sharing::MainAndOther => true,
        }
    }

    /// How long it is until who runs changes.
    fn left(&self) -> f64 {
        let in_slice = SLICE_NS - self.turn() % SLICE_NS;
        match self.sharing {
            Sharing::Nobody => f64::INFINITY,
            Sharing::MainAndOther | Sharing::PoolAndOther | Sharing::MainAndPool => {
                in_slice.max(1.0)
            }
        }
    }

    /// Latency and CPU time of an inference.
    fn run(&mut self, model: &Model, factor: f64, random: &mut Random) -> (f64, f64) {
        let began = self.now;
        let mut cpu = 0.0;
        let is_parallel = self.pool_runs() && self.main_runs();
        let mut work = factor
            * if is_parallel {
                model.parallel_ns
            } else {
                model.serial_ns
            };
        while work > 0.0 {
            let runs = self.main_runs() && (!is_parallel || self.pool_runs());
            let running = f64::from(self.main_runs()) + f64::from(self.pool_runs());
            let step = if runs {
                work.min(self.left())
            } else {
                self.left()
            };
            if runs {
                work -= step;
            }
            cpu += running * step;
            self.pass(step, random);
        }
        (self.now - began, cpu)
    }
}

/// A timed block.
struct Block {
    /// Ascending.
    latencies: Vec<f64>,
    cpu_ns: f64,
}

impl Block {
    fn of(
        machine: &mut Machine,
        model: &Model,
        factor: f64,
        length: f64,
        random: &mut Random,
    ) -> Self {
        let end = machine.now + length;
        let mut block = Block {
            latencies: Vec::new(),
            cpu_ns: 0.0,
        };
        while machine.now < end || block.latencies.len() < LEAST {
            let jitter = (JITTER_SD * random.normal()).exp();
            let (latency, cpu) = machine.run(model, factor * jitter, random);
            block.latencies.push(latency);
            block.cpu_ns += cpu;
        }
        block.latencies.sort_unstable_by(f64::total_cmp);
        block
    }

    fn at(&self, share: f64) -> f64 {
        let rank = (share * self.latencies.len() as f64).ceil().max(1.0) as usize;
        self.latencies[rank - 1]
    }

    fn elapsed(&self) -> f64 {
        self.latencies.iter().sum()
    }

    fn mean(&self) -> f64 {
        self.elapsed() / self.latencies.len() as f64
    }

    fn cpu_share(&self) -> f64 {
        self.cpu_ns / self.elapsed()
    }
}

type Pair = [Block; 2];

/// What a round's pairs amount to, as a logarithm.
struct Estimate {
    name: &'static str,
    /// Blocks are so many times as long, and so many times fewer.
    length: usize,
    quantity: fn(&Block) -> f64,
    /// Pairs of which both blocks had like shares of CPUs, the better half.
    alike: bool,
}

const IN_USE: Estimate = Estimate {
    name: "median",
    length: 1,
    quantity: |block| block.at(0.5),
    alike: false,
};

const ESTIMATES: [Estimate; 7] = [
    IN_USE,
    Estimate {
        name: "p25",
        quantity: |block| block.at(0.25),
        ..IN_USE
    },
    Estimate {
        name: "p10",
        quantity: |block| block.at(0.1),
        ..IN_USE
    },
    Estimate {
        name: "mean",
        quantity: Block::mean,
        ..IN_USE
    },
    Estimate {
        name: "CPU time",
        quantity: |block| block.cpu_ns / block.latencies.len() as f64,
        ..IN_USE
    },
    Estimate {
        name: "median, pairs alike in CPU share",
        alike: true,
        ..IN_USE
    },
    Estimate {
        name: "median, blocks of 120 ms",
        length: PAIRS,
        ..IN_USE
    },
];

impl Estimate {
    fn of(&self, pairs: &[Pair]) -> Option<f64> {
        let mut ratios: Vec<(f64, f64)> = pairs
            .iter()
            .map(|[candidate, baseline]| {
                let unlike = (candidate.cpu_share() / baseline.cpu_share()).ln().abs();
                let ratio = (self.quantity)(candidate) / (self.quantity)(baseline);
                (unlike, ratio.ln())
            })
            .collect();
        if self.alike {
            ratios.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            ratios.truncate(pairs.len().div_ceil(2));
        }
        median_of(
            &ratios
                .into_iter()
                .map(|(_, ratio)| ratio)
                .collect::<Vec<_>>(),
        )
    }
}

#[derive(Default)]
struct Fared {
    itself: Share,
    slower: Share,
    half_widths: Vec<f64>,
}

/// Coverage and width of each estimate.
pub fn compare(options: &Options, _: &mut Targets) -> Result<(), BenchError> {
    let mut rows = Rows::new(&[
        "model",
        "machine",
        "estimate",
        "n of each",
        "holds 1 of itself",
        "holds 3% slower",
        "half-width, median",
    ]);
    for (place, model) in MODELS.iter().enumerate() {
        for (kind, (machine, all)) in MACHINES.into_iter().enumerate() {
            for (at, estimate) in ESTIMATES.iter().enumerate() {
                let seed = 950 + (100 * place + 10 * kind + at) as u64;
                let mut random = Random::new(options.seed, seed);
                let mut fared = Fared::default();
                for _ in 0..options.scaled(COMPARISONS) {
                    fared.note(model, all, estimate, &mut random)?;
                }
                let width = format!("{:.2}%", 100.0 * median(&fared.half_widths)?);
                rows.push(&[
                    &model.name,
                    &machine,
                    &estimate.name,
                    &fared.itself.n(),
                    &fared.itself,
                    &fared.slower,
                    &width,
                ]);
            }
        }
    }
    rows.print(&written("busy", options));
    Ok(())
}

impl Fared {
    fn note(
        &mut self,
        model: &Model,
        all: &'static [Sharing],
        estimate: &Estimate,
        random: &mut Random,
    ) -> Result<(), BenchError> {
        for truth in [1.0, SLOWER] {
            let rounds: Vec<Vec<f64>> = (0..ROUNDS)
                .map(|_| round(all, model, estimate, truth, random))
                .collect();
            let interval = PairedRatio::of(&rounds)
                .and_then(|paired| paired.interval())
                .ok_or("too few rounds")?;
            if truth == 1.0 {
                self.itself.count(interval.contains(truth));
                self.half_widths
                    .push((interval.high / interval.low).ln() / 2.0);
            } else {
                self.slower.count(interval.contains(truth));
            }
        }
        Ok(())
    }
}

/// One launch of each side, whose blocks alternate.
fn round(
    all: &'static [Sharing],
    model: &Model,
    estimate: &Estimate,
    truth: f64,
    random: &mut Random,
) -> Vec<f64> {
    let factors = [truth, 1.0].map(|factor| factor * (LAUNCH_SD * random.normal()).exp());
    let mut machines = [Machine::new(all, random), Machine::new(all, random)];
    let length = BLOCK_NS * estimate.length as f64;
    let pairs: Vec<Pair> = (0..PAIRS / estimate.length)
        .map(|alternation| {
            let mut block = |side: usize| {
                let machine = &mut machines[side];
                Block::of(machine, model, factors[side], length, random)
            };
            if alternation % 2 == 0 {
                let candidate = block(0);
                [candidate, block(1)]
            } else {
                let baseline = block(1);
                [block(0), baseline]
            }
        })
        .collect();
    estimate.of(&pairs).into_iter().collect()
}

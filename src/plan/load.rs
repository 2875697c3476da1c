//! Load: how requests arrive by themselves, how they are served, and what is asked of it.

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scenario::Scenario;
use crate::check::Slo;
use crate::text::Plain;
use crate::units::{Nanos, PerSecond, Ratio};

/// A run under load: every session of the plan is served in every one of these ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadPlan {
    /// What is asked.
    pub question: Question,
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// Limits that a rate must keep, as written: `response_p99<=20ms`; empty where none was given.
    #[schemars(with = "Vec<String>")]
    pub slo: Vec<Slo>,
    /// The ways in which a session is served, each compared with the first.
    pub servings: Vec<Serving>,
    /// Length of one segment: a stretch in which requests arrive at one rate.
    pub segment_ns: Nanos,
    /// Different samples that requests carry in turn.
    pub samples_count: u64,
    /// What the machine costs; absent where nobody said it.
    #[serde(default)]
    pub price: Option<Price>,
}

/// What a kind of machine costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// The kind of machine, by its name in the price list.
    pub machine: Plain,
    /// Price of an hour.
    pub per_hour: f64,
    /// Currency.
    pub currency: Plain,
}

/// What is asked of a run under load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// What happens at these rates.
    Curve {
        /// Requests per second, ascending and distinct.
        rates: Vec<PerSecond>,
    },
    /// The highest rate that keeps the SLO.
    Capacity,
    /// Where it breaks, and how it recovers: a ramp to beyond the breaking point, then half the load.
    Stress,
    /// What changes over a long time at one rate.
    Soak {
        /// Requests per second; absent: half of what was completed per second at most.
        rate: Option<PerSecond>,
        /// How long.
        length_ns: Nanos,
    },
    /// What virtual users see, for each of these numbers of them.
    Users {
        /// Users, ascending and distinct.
        counts: Vec<u64>,
    },
    /// A scenario of MLPerf Inference, with its rules.
    Scenario(Scenario),
}

/// How requests arrive, whatever their rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// At equal distances.
    Constant,
    /// Independently of each other.
    Poisson,
    /// At independent distances of a gamma distribution.
    Gamma {
        /// Standard deviation of a distance over its mean: 1 is Poisson, more is burstier.
        variation: Ratio,
    },
    /// Several at the same moment, bursts at independent exponential distances.
    Bursts {
        /// Requests of a burst.
        size: u64,
    },
    /// As they were recorded, again from the start where the trace is shorter than the stretch; at
    /// another rate than its own, all distances are stretched alike.
    Trace {
        /// CSV or JSON lines of times.
        path: PathBuf,
        /// SHA-256 of the file.
        sha256: String,
    },
    /// Each of some virtual users sends its next request when the last one is answered and it has
    /// thought.
    Users {
        /// Mean time of thinking, exponential; 0: none.
        think_ns: Nanos,
    },
}

/// How one session is served.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Serving {
    /// Threads of each process that run inferences; they share its sessions evenly.
    pub callers: u64,
    /// Sessions of the model in each process.
    pub sessions: u64,
    /// Processes.
    pub processes: u64,
    /// Requests that may wait in each process; one that comes when it is full is rejected, which
    /// counts as an error. Absent: any number.
    pub queue_limit: Option<u64>,
    /// How requests are gathered into batches; absent: each is run alone.
    pub batcher: Option<Batcher>,
}

/// How requests are gathered into batches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Batcher {
    /// Requests of a batch at most.
    pub max_batch: u64,
    /// How long the oldest request waits for others at most.
    pub max_delay_ns: Nanos,
    /// Sizes, ascending, at which a batch is run without waiting for more.
    pub preferred: Vec<u64>,
}

impl LoadPlan {
    /// Length of a segment where none is named.
    pub const SEGMENT: Nanos = Nanos(2_000_000_000);
}

/// Requests that are to come. The same offer gives the same requests at the same times.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// Requests per second at the start, or virtual users.
    pub from: PerSecond,
    /// Requests per second at the end; between, the rate changes evenly.
    pub to: PerSecond,
    /// Time over which they arrive so.
    pub length_ns: Nanos,
    /// Seed of the draw.
    pub seed: u64,
    /// How the rate falls after that time; absent: no requests come after it.
    #[serde(default)]
    pub fall: Option<Fall>,
}

/// A rate that requests still arrive at when another one has passed, with the queue as it is then.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fall {
    /// Requests per second.
    pub to: PerSecond,
    /// Time over which they arrive.
    pub length_ns: Nanos,
}

/// The part of an offer that one of several processes serves: of its requests, or of its virtual
/// users, every `of`th from number `index` on. The parts of all processes are the whole offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Number of the process, from 0.
    pub index: u64,
    /// Processes.
    pub of: u64,
}

impl Share {
    /// All of it, for one process.
    pub const WHOLE: Share = Share { index: 0, of: 1 };

    /// Whether what has this number, from 0, is in it.
    #[must_use]
    pub fn has(self, number: u64) -> bool {
        number % self.of.max(1) == self.index
    }
}

impl Offer {
    /// Requests of one rate.
    #[must_use]
    pub fn at(rate: PerSecond, length_ns: Nanos, seed: u64) -> Self {
        Offer {
            from: rate,
            to: rate,
            length_ns,
            seed,
            fall: None,
        }
    }

    /// Time over which requests arrive, a fall included.
    #[must_use]
    pub fn whole_length(&self) -> Nanos {
        self.length_ns + self.fall.map_or(Nanos(0), |fall| fall.length_ns)
    }

    /// Requests per second until the rate falls, the mean.
    #[must_use]
    pub fn mean_rate(&self) -> PerSecond {
        PerSecond(f64::midpoint(self.from.0, self.to.0))
    }
}

impl LoadPlan {
    /// Whether rates are numbers of virtual users.
    #[must_use]
    pub fn is_of_users(&self) -> bool {
        match &self.question {
            Question::Users { .. } => true,
            Question::Curve { .. }
            | Question::Capacity
            | Question::Stress
            | Question::Soak { .. }
            | Question::Scenario(_) => matches!(self.arrivals, Arrivals::Users { .. }),
        }
    }
}

impl Serving {
    /// Requests that may wait where nothing is said.
    pub const QUEUE: u64 = 1000;

    /// One thread and one session in one process, with a queue of this many requests.
    #[must_use]
    pub const fn single(queue_limit: Option<u64>) -> Self {
        Serving {
            callers: 1,
            sessions: 1,
            processes: 1,
            queue_limit,
            batcher: None,
        }
    }

    /// Threads of all processes that compute at once, where a session has a pool of so many: its
    /// callers are among them.
    #[must_use]
    pub fn threads(&self, pool: u64) -> u64 {
        self.processes * (self.sessions * pool.saturating_sub(1) + self.callers)
    }

    /// Requests of a batch at most.
    #[must_use]
    pub fn max_batch(&self) -> u64 {
        self.batcher
            .as_ref()
            .map_or(1, |batcher| batcher.max_batch.max(1))
    }
}

impl fmt::Display for Serving {
    /// `2 sessions, 4 threads, max-batch=16,max-delay=2000us`: what there is one of is left out, but
    /// for threads.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (count, what) in [(self.processes, "processes"), (self.sessions, "sessions")] {
            if count > 1 {
                write!(out, "{count} {what}, ")?;
            }
        }
        let plural = if self.callers == 1 { "" } else { "s" };
        write!(out, "{} thread{plural}", self.callers)?;
        match &self.batcher {
            Some(batcher) => write!(out, ", {batcher}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Batcher {
    /// As the command line takes it: `max-batch=16,max-delay=2ms,preferred=4:8`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "max-batch={},max-delay={}us",
            self.max_batch,
            self.max_delay_ns.0 / 1_000
        )?;
        if self.preferred.is_empty() {
            return Ok(());
        }
        let sizes: Vec<String> = self.preferred.iter().map(u64::to_string).collect();
        write!(out, ",preferred={}", sizes.join(":"))
    }
}

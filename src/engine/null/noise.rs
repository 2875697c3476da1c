//! The noise of real machines, for scripted latencies: what a machine does to every process on it,
//! and what is a process's own.
//!
//! Machine-wide noise (drift, bursts, speed modes) is a function of the seed and of a virtual time
//! that all processes share, so that processes that take turns meet the same machine. A process's
//! own noise (launch effect, autocorrelation, jitter) follows from the seed and the process's
//! number. The same seed and the same order of inferences give the same latencies.

use std::f64::consts::TAU;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::Deserialize;

use super::shared_clock::SharedClock;
use crate::units::Nanos;

/// Noise of a scripted machine: a part of a script. What is left out is not there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noise {
    /// Name of the file beside the script that holds the machine's virtual time and counts its
    /// processes.
    pub clock: PathBuf,
    #[serde(default)]
    pub seed: u64,
    pub drift: Option<Drift>,
    pub modes: Option<Modes>,
    pub bursts: Option<Bursts>,
    pub launch: Option<LaunchEffect>,
    pub autocorrelation: Option<Autocorrelation>,
    pub jitter: Option<Jitter>,
}

/// Slow change of the machine's speed: a straight line times a sinusoid.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Share by which latencies grow in each second of virtual time.
    #[serde(default)]
    pub ratio_per_sec: f64,
    /// Largest deviation of the sinusoid, as a share.
    #[serde(default)]
    pub swing_ratio: f64,
    pub period_ns: Nanos,
}

/// Two speeds of the machine, each held for a time drawn from an exponential distribution.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modes {
    pub mean_dwell_ns: Nanos,
    /// Latency in the slow mode / in the fast one.
    pub slowdown_ratio: f64,
}

/// Slow stretches of one length, that begin after times drawn from an exponential distribution.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bursts {
    /// Bursts in each second that is free of them.
    pub rate_per_sec: f64,
    pub length_ns: Nanos,
    /// Latency within / outside.
    pub slowdown_ratio: f64,
}

/// A factor that a process keeps for a batch size: memory is placed anew for each. Log-normal, with
/// median 1; as of all noise, `log_sd` is the standard deviation of its logarithm.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchEffect {
    pub log_sd: f64,
}

/// Logarithms of latencies that follow a stationary autoregressive process of first order.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Autocorrelation {
    /// Correlation of neighbouring inferences.
    pub rho: f64,
    pub log_sd: f64,
}

/// Independent noise with a heavy tail.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jitter {
    pub log_sd: f64,
    /// Share of inferences that are in the tail.
    #[serde(default)]
    pub tail_share_ratio: f64,
    /// Exponent of the Pareto distribution that multiplies those in the tail; the smaller, the
    /// heavier.
    #[serde(default = "default_tail_index")]
    pub tail_index: f64,
}

/// A finite mean, an infinite variance.
fn default_tail_index() -> f64 {
    1.5
}

/// Largest factor of the tail, so that one inference cannot outlast a run.
const MAX_TAIL: f64 = 1_000.0;

/// A machine as one process meets it.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    noise: Noise,
    clock: Arc<SharedClock>,
    process: u64,
    /// Batch sizes that this process has begun.
    begun: Arc<AtomicU64>,
}

impl Machine {
    /// Joins a machine as its next process. Its clock lies beside the script, in `folder`.
    pub(super) fn join(noise: Noise, folder: &Path) -> io::Result<Self> {
        let clock = Arc::new(SharedClock::open(folder, &noise.clock)?);
        Ok(Machine {
            noise,
            process: clock.next_process(),
            clock,
            begun: Arc::default(),
        })
    }

    pub(super) fn pass(&self, span: Nanos) {
        self.clock.advance(span);
    }

    pub(super) fn begin(&self) -> CellNoise {
        let begun = self.begun.fetch_add(1, Ordering::Relaxed);
        let mut own = Pcg64::seed_from_u64(spread(self.noise.seed) ^ (self.process << 20 | begun));
        let effect = self
            .noise
            .launch
            .map_or(0.0, |launch| launch.log_sd * standard_normal(&mut own));
        let correlated = self
            .noise
            .autocorrelation
            .map_or(0.0, |chain| chain.log_sd * standard_normal(&mut own));
        CellNoise {
            modes: self.noise.modes.map(|modes| self.speeds(modes)),
            bursts: self.noise.bursts.map(|bursts| self.slow_stretches(bursts)),
            machine: self.clone(),
            own,
            launch_factor: effect.exp(),
            correlated,
        }
    }

    fn speeds(&self, modes: Modes) -> Switching {
        Switching {
            random: self.machine_wide(0),
            means_ns: [modes.mean_dwell_ns.as_f64(); 2],
            lasts: [Lasts::Exponential; 2],
            is_slow: false,
            until_ns: 0.0,
            slowdown: modes.slowdown_ratio,
        }
    }

    fn slow_stretches(&self, bursts: Bursts) -> Switching {
        Switching {
            random: self.machine_wide(1),
            means_ns: [1e9 / bursts.rate_per_sec, bursts.length_ns.as_f64()],
            lasts: [Lasts::Exponential, Lasts::Exactly],
            is_slow: true,
            until_ns: 0.0,
            slowdown: bursts.slowdown_ratio,
        }
    }

    /// Random numbers that all processes of the machine draw alike.
    fn machine_wide(&self, stream: u64) -> Pcg64 {
        Pcg64::seed_from_u64(!spread(self.noise.seed) ^ stream)
    }
}

/// The noise that the inferences of one process at one batch size meet.
pub(super) struct CellNoise {
    machine: Machine,
    own: Pcg64,
    launch_factor: f64,
    correlated: f64,
    modes: Option<Switching>,
    bursts: Option<Switching>,
}

impl CellNoise {
    /// The latency now of one that takes `undisturbed` on a quiet machine, whose time moves on by
    /// it.
    pub(super) fn run(&mut self, undisturbed: Nanos) -> Nanos {
        let now = self.machine.clock.now();
        let latency = Nanos(
            (undisturbed.as_f64() * self.machine_factor(now) * self.own_factor()).round() as u64,
        );
        self.machine.clock.advance(latency);
        latency
    }

    fn machine_factor(&mut self, now: Nanos) -> f64 {
        let drift = self.machine.noise.drift.map_or(1.0, |drift| {
            let swing = drift.swing_ratio * (TAU * now.as_f64() / drift.period_ns.as_f64()).sin();
            (1.0 + drift.ratio_per_sec * now.as_secs_f64()) * (1.0 + swing)
        });
        drift
            * [&mut self.modes, &mut self.bursts]
                .into_iter()
                .flatten()
                .map(|switching| switching.at(now))
                .product::<f64>()
    }

    fn own_factor(&mut self) -> f64 {
        let mut log = 0.0;
        let mut tail = 1.0;
        if let Some(chain) = self.machine.noise.autocorrelation {
            log += self.correlated;
            let fresh = (1.0 - chain.rho * chain.rho).max(0.0).sqrt() * chain.log_sd;
            self.correlated = chain.rho * self.correlated + fresh * standard_normal(&mut self.own);
        }
        if let Some(jitter) = self.machine.noise.jitter {
            log += jitter.log_sd * standard_normal(&mut self.own);
            if self.own.random::<f64>() < jitter.tail_share_ratio {
                tail = (1.0 - self.own.random::<f64>())
                    .powf(-1.0 / jitter.tail_index)
                    .min(MAX_TAIL);
            }
        }
        self.launch_factor * log.exp() * tail
    }
}

#[derive(Clone, Copy)]
enum Lasts {
    Exponential,
    Exactly,
}

/// A machine that goes back and forth between a fast and a slow state. Every process walks the same
/// way from the beginning of virtual time.
struct Switching {
    random: Pcg64,
    /// Mean time in the fast and in the slow state.
    means_ns: [f64; 2],
    lasts: [Lasts; 2],
    is_slow: bool,
    until_ns: f64,
    slowdown: f64,
}

impl Switching {
    /// The factor on latencies at a time that is no earlier than the one asked for last.
    fn at(&mut self, now: Nanos) -> f64 {
        while now.as_f64() >= self.until_ns {
            self.is_slow = !self.is_slow;
            let state = usize::from(self.is_slow);
            // At least a nanosecond, so that the walk arrives whatever the script says.
            self.until_ns += self.means_ns[state].max(1.0)
                * match self.lasts[state] {
                    Lasts::Exactly => 1.0,
                    Lasts::Exponential => -(1.0 - self.random.random::<f64>()).ln(),
                };
        }
        if self.is_slow { self.slowdown } else { 1.0 }
    }
}

/// Seeds that differ little, made to differ in all bits: a multiple of the golden ratio, as in Weyl
/// sequences.
fn spread(seed: u64) -> u64 {
    seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A draw from the standard normal distribution (Box and Muller, *Ann. Math. Stat.* 29, 1958).
fn standard_normal(random: &mut Pcg64) -> f64 {
    (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt() * (TAU * random.random::<f64>()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNDISTURBED: Nanos = Nanos(100_000);

    fn machine(folder: &Path, mut noise: serde_json::Value) -> Machine {
        noise["clock"] = "clock".into();
        Machine::join(serde_json::from_value(noise).unwrap(), folder).unwrap()
    }

    /// Noise of the only process of a machine.
    fn alone(noise: serde_json::Value) -> CellNoise {
        machine(tempfile::tempdir().unwrap().path(), noise).begin()
    }

    fn latencies(cell: &mut CellNoise, count: usize) -> Vec<f64> {
        (0..count).map(|_| cell.run(UNDISTURBED).as_f64()).collect()
    }

    #[test]
    fn processes_share_time_and_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [(), ()].map(|()| machine(folder.path(), serde_json::json!({})));
        assert_eq!((one.process, other.process), (0, 1));
        assert_eq!(one.begin().run(UNDISTURBED), UNDISTURBED);
        other.pass(Nanos(5));
        assert_eq!(
            (one.clock.now(), other.clock.now()),
            (Nanos(100_005), Nanos(100_005))
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_latencies() {
        let all = serde_json::json!({
            "seed": 7,
            "drift": {"ratio_per_sec": 0.01, "swing_ratio": 0.05, "period_ns": 1_000_000_000},
            "modes": {"mean_dwell_ns": 5_000_000, "slowdown_ratio": 1.5},
            "bursts": {"rate_per_sec": 20.0, "length_ns": 3_000_000, "slowdown_ratio": 3.0},
            "launch": {"log_sd": 0.02},
            "autocorrelation": {"rho": 0.9, "log_sd": 0.05},
            "jitter": {"log_sd": 0.02, "tail_share_ratio": 0.02},
        });
        let run = || {
            let folder = tempfile::tempdir().unwrap();
            let [one, other] = [(), ()].map(|()| machine(folder.path(), all.clone()));
            let mut of_both = latencies(&mut one.begin(), 500);
            of_both.extend(latencies(&mut other.begin(), 500));
            of_both
        };
        let first = run();
        assert_eq!(first, run());
        assert_ne!(first[..500], first[500..]);
    }

    #[test]
    fn machine_wide_states_are_the_same_for_processes_that_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let modes =
            serde_json::json!({"modes": {"mean_dwell_ns": 20_000_000, "slowdown_ratio": 1.5}});
        let [one, other] = [(), ()].map(|()| machine(folder.path(), modes.clone()));
        let mut ours = one.begin();
        let mut theirs = other.begin();
        let turns: Vec<_> = (0..4_000)
            .map(|_| (ours.run(UNDISTURBED), theirs.run(UNDISTURBED)))
            .collect();
        let unlike = turns.iter().filter(|(one, other)| one != other).count();
        let slow = turns
            .iter()
            .filter(|(one, _)| *one == Nanos(150_000))
            .count();
        // A switch falls between the two of a turn at most once a switch: about 1,000 ms / 20 ms of
        // them.
        assert!(unlike < 100, "{unlike}");
        assert!((800..3_200).contains(&slow), "{slow}");
    }

    #[test]
    fn bursts_take_the_share_of_time_that_their_rate_and_length_give() {
        let bursts = serde_json::json!({"bursts": {"rate_per_sec": 10.0, "length_ns": 20_000_000, "slowdown_ratio": 2.0}});
        let all = latencies(&mut alone(bursts), 200_000);
        let total: f64 = all.iter().sum();
        let slow: f64 = all.iter().filter(|&&latency| latency > 150_000.0).sum();
        // A burst of 20 ms after 100 ms in the mean: a sixth of the time; about 190 bursts, so
        // within 15% of it.
        assert!((slow / total - 1.0 / 6.0).abs() < 0.025, "{}", slow / total);
    }

    #[test]
    fn a_process_keeps_its_launch_effect_and_the_next_has_another() {
        let folder = tempfile::tempdir().unwrap();
        let launch = serde_json::json!({"launch": {"log_sd": 0.05}});
        let effects: Vec<f64> = (0..400)
            .map(|_| {
                let all = latencies(&mut machine(folder.path(), launch.clone()).begin(), 2);
                assert_eq!(all[0], all[1]);
                (all[0] / UNDISTURBED.as_f64()).ln()
            })
            .collect();
        let sd = (effects.iter().map(|effect| effect * effect).sum::<f64>() / 400.0).sqrt();
        // The standard error of a standard deviation of 400 values is 3.5%.
        assert!((sd / 0.05 - 1.0).abs() < 0.12, "{sd}");
    }

    #[test]
    fn neighbouring_inferences_correlate_as_asked() {
        let chain = serde_json::json!({"autocorrelation": {"rho": 0.8, "log_sd": 0.1}});
        let logs: Vec<f64> = latencies(&mut alone(chain), 50_000)
            .iter()
            .map(|latency| (latency / UNDISTURBED.as_f64()).ln())
            .collect();
        let variance = logs.iter().map(|log| log * log).sum::<f64>() / logs.len() as f64;
        let lagged =
            logs.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / (logs.len() - 1) as f64;
        assert!((variance.sqrt() - 0.1).abs() < 0.005, "{variance}");
        assert!(
            (lagged / variance - 0.8).abs() < 0.02,
            "{}",
            lagged / variance
        );
    }

    #[test]
    fn drift_follows_the_virtual_time() {
        let folder = tempfile::tempdir().unwrap();
        let drift = serde_json::json!({"drift": {"ratio_per_sec": 0.1, "swing_ratio": 0.2, "period_ns": 4_000_000_000_u64}});
        let machine = machine(folder.path(), drift);
        machine.pass(Nanos(1_000_000_000));
        // (1 + 0.1) x (1 + 0.2 sin(pi / 2)).
        assert_eq!(machine.begin().run(UNDISTURBED), Nanos(132_000));
    }

    #[test]
    fn the_tail_of_jitter_is_as_long_as_its_index_says() {
        let jitter = serde_json::json!({"jitter": {"log_sd": 0.0, "tail_share_ratio": 0.1, "tail_index": 1.5}});
        let beyond = latencies(&mut alone(jitter), 100_000)
            .iter()
            .filter(|&&latency| latency > 4.0 * UNDISTURBED.as_f64())
            .count();
        // 10% x 4^-1.5 = 1.25%.
        assert!((1_100..1_400).contains(&beyond), "{beyond}");
    }
}

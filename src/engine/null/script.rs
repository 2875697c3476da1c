//! The script of latencies and faults: a JSON file.

use std::collections::BTreeMap;
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, raise, signal};
use serde::Deserialize;

use super::noise::Noise;
use super::options::OptionEffect;
use super::served::UnderLoad;
use crate::engine::{EngineError, Result};
use crate::units::Nanos;

/// A script for the engine that only plays latencies: a JSON file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Behaviour by the model file's name without its extension.
    pub variants: BTreeMap<String, ScriptedVariant>,
    /// Noise of the machine, on top of what the variants do; without it the machine is quiet.
    pub noise: Option<Noise>,
    /// Whether its latencies pass on the system's clock, while it sleeps; without it nobody waits
    /// for them.
    #[serde(default)]
    pub real_time: bool,
    /// Execution providers that it pretends to have besides the CPU's.
    #[serde(default)]
    pub execution_providers: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedVariant {
    #[serde(default)]
    pub load_ns: Nanos,
    /// Time of an inference, whatever its batch size.
    pub fixed_ns: Nanos,
    /// Time that each sample of a batch adds.
    #[serde(default)]
    pub per_sample_ns: Nanos,
    /// Every latency is multiplied by a number drawn uniformly from `1 - jitter_ratio` to `1 +
    /// jitter_ratio`.
    #[serde(default)]
    pub jitter_ratio: f64,
    pub fault: Option<Fault>,
    /// Every latency is multiplied by a number drawn from the exponential distribution of mean 1.
    #[serde(default)]
    pub exponential: bool,
    /// What happens only while requests are served that arrive by themselves.
    #[serde(default)]
    pub under_load: UnderLoad,
    /// Effects of session options; those that apply are multiplied (latency) or added (memory).
    #[serde(default)]
    pub options: Vec<OptionEffect>,
}

impl ScriptedVariant {
    /// In nanoseconds.
    pub(super) fn latency_of(&self, batch_size: u64) -> u64 {
        self.fixed_ns
            .0
            .saturating_add(self.per_sample_ns.0.saturating_mul(batch_size))
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub at: FaultSite,
    pub kind: FaultKind,
    /// Smallest batch size at which an inference is struck.
    #[serde(default)]
    pub from_batch_size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultSite {
    Load,
    Run,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    Error,
    OutOfMemory,
    Hang,
    /// The process is killed by SIGSEGV.
    Crash,
    /// The process is killed by SIGKILL.
    Kill,
}

pub(super) fn strike(kind: FaultKind, error: impl Fn(String) -> EngineError) -> Result<()> {
    match kind {
        FaultKind::Error => Err(error("a scripted fault".into())),
        FaultKind::OutOfMemory => Err(error(
            "Failed to allocate memory for requested buffer (scripted)".into(),
        )),
        FaultKind::Hang => loop {
            std::thread::sleep(Duration::from_secs(3600));
        },
        FaultKind::Crash => crash().map_err(|errno| error(errno.to_string())),
        FaultKind::Kill => raise(Signal::SIGKILL).map_err(|errno| error(errno.to_string())),
    }
}

/// Rust's own handler of SIGSEGV returns when the signal is not a fault of the stack, so it is
/// taken away first.
fn crash() -> nix::Result<()> {
    // SAFETY: the default action installs no handler that could run.
    unsafe { signal(Signal::SIGSEGV, SigHandler::SigDfl) }?;
    raise(Signal::SIGSEGV)
}

//! An engine that runs nothing: latencies and faults come from a script, and time stands still
//! between them.
//!
//! It is for tests of the harness, which must not depend on how fast a machine is, and for benches
//! of the timed loop.

mod noise;
mod options;
mod served;
mod shared_clock;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{SigHandler, Signal, raise, signal};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;

use super::{
    Effect, EngineError, Inference, LogCounts, ProfileTarget, Result, Runtime, ServedInference,
    ServedInputs, Session, SessionProfile,
};
use crate::files::{self, Kind};
use crate::inputs::{Argument, InputSet, Tensor};
use crate::measure::{Clock, EngineClock, ManualClock, MonotonicClock};
use crate::observed::Observed;
use crate::plan::{SessionOptions, SessionSpec};
use crate::provider::CPU_PROVIDER;
use crate::record::{ArenaStats, PeakRates};
use crate::runtime::LibraryInfo;
use crate::units::{Bytes, Nanos};
use noise::{CellNoise, Machine, Noise};
pub use options::OptionEffect;
use served::Load;
pub use served::UnderLoad;

const VERSION: &str = "script";

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
    fn latency_of(&self, batch_size: u64) -> u64 {
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

/// A script, opened.
#[derive(Debug)]
pub struct ScriptedRuntime {
    script: Script,
    info: LibraryInfo,
    clock: Arc<ManualClock>,
    machine: Option<Machine>,
}

impl ScriptedRuntime {
    /// Reads a script, and joins its machine as one more process if it has one with noise.
    ///
    /// # Errors
    /// [`EngineError::Script`] if the file cannot be read or is no script, or the machine's clock
    /// cannot be mapped.
    pub fn open(path: &Path) -> Result<Self> {
        let mut script = read(path).map_err(|message| script_error(path, message))?;
        let machine = script
            .noise
            .take()
            .map(|noise| Machine::join(noise, path.parent().unwrap_or(Path::new(""))))
            .transpose()
            .map_err(|error| script_error(path, format!("the noise has no clock: {error}")))?;
        let execution_providers = script
            .execution_providers
            .drain(..)
            .chain([CPU_PROVIDER.to_owned()])
            .collect();
        Ok(ScriptedRuntime {
            script,
            info: LibraryInfo {
                version: VERSION.into(),
                build_info: "scripted latencies; nothing is executed".into(),
                execution_providers,
            },
            clock: Arc::default(),
            machine,
        })
    }

    fn variant(&self, model: &Path) -> Result<ScriptedVariant> {
        let name = model
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let variant = self.script.variants.get(&name).cloned();
        variant.ok_or_else(|| load_error(model, format!("the script has no variant `{name}`")))
    }

    /// Lets time pass on all clocks.
    fn pass(&self, span: Nanos) {
        self.clock.advance(span);
        if self.script.real_time {
            std::thread::sleep(span.into());
        }
        if let Some(machine) = &self.machine {
            machine.pass(span);
        }
    }
}

fn read(path: &Path) -> Result<Script, String> {
    let text = files::text(path, Kind::SCRIPT).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

fn script_error(path: &Path, message: String) -> EngineError {
    EngineError::Script {
        path: path.to_owned(),
        message,
    }
}

fn load_error(model: &Path, message: String) -> EngineError {
    EngineError::Load {
        model: model.to_owned(),
        message,
    }
}

impl Runtime for ScriptedRuntime {
    fn info(&self) -> &LibraryInfo {
        &self.info
    }

    fn clock(&self) -> EngineClock {
        if self.script.real_time {
            EngineClock::Monotonic
        } else {
            EngineClock::Manual(Arc::clone(&self.clock))
        }
    }

    fn register_library(&mut self, _name: &str, path: &Path) -> Result<()> {
        Err(EngineError::EpLibrary {
            path: path.to_owned(),
            message: "a script takes no libraries".into(),
        })
    }

    fn profile(
        &self,
        _model: &Path,
        _spec: &SessionSpec,
        _inputs: InputSet,
        _target: &ProfileTarget,
    ) -> Result<SessionProfile> {
        Err(EngineError::Profile("a script runs no nodes".into()))
    }

    fn load(&self, model: &Path, spec: &SessionSpec) -> Result<Box<dyn Session>> {
        let variant = self.variant(model)?;
        if let Some(fault) = &variant.fault
            && fault.at == FaultSite::Load
        {
            strike(fault.kind, |message| load_error(model, message))?;
        }
        self.pass(variant.load_ns);
        let effect = Effect {
            execution_providers: vec![spec.execution_provider.exact().to_owned()],
            ..Effect::default()
        };
        Ok(Box::new(ScriptedSession {
            latency_ratio: options::latency_ratio(&variant.options, &spec.options),
            _memory: options::taken(&variant.options, &spec.options)
                .map_err(|message| load_error(model, message))?,
            model: model.to_owned(),
            real_time: self.script.real_time,
            clock: Arc::clone(&self.clock),
            machine: self.machine.clone(),
            load: Load::default(),
            variant,
            effect,
        }))
    }

    fn peaks(&self, _: &SessionOptions, _: Nanos, _: Observed<Bytes>) -> PeakRates {
        PeakRates {
            fp32_flops_per_sec: absent(),
            int8_ops_per_sec: absent(),
            memory_bytes_per_sec: absent(),
        }
    }

    fn log_counts(&self) -> LogCounts {
        LogCounts::default()
    }
}

fn absent<T>() -> Observed<T> {
    Err("a script of latencies computes nothing".into())
}

fn strike(kind: FaultKind, error: impl Fn(String) -> EngineError) -> Result<()> {
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

struct ScriptedSession {
    variant: ScriptedVariant,
    latency_ratio: f64,
    _memory: Vec<u8>,
    model: PathBuf,
    real_time: bool,
    clock: Arc<ManualClock>,
    machine: Option<Machine>,
    load: Load,
    effect: Effect,
}

impl ScriptedSession {
    fn request(&self, batch_size: u64) -> Box<dyn Inference + '_> {
        Box::new(self.inference(batch_size, u64::from(std::process::id())))
    }

    fn inference(&self, batch_size: u64, seed: u64) -> ScriptedInference<'_> {
        ScriptedInference {
            session: self,
            batch_size,
            random: Pcg64Mcg::seed_from_u64(seed),
            noise: self.machine.as_ref().map(Machine::begin),
        }
    }

    fn now(&self) -> Nanos {
        if self.real_time {
            MonotonicClock.now()
        } else {
            self.clock.now()
        }
    }

    fn pass(&self, span: Nanos) {
        self.clock.advance(span);
        if self.real_time {
            std::thread::sleep(span.into());
        }
    }
}

impl Session for ScriptedSession {
    fn effect(&self) -> Effect {
        self.effect.clone()
    }

    fn bind(&self, sets: Vec<InputSet>, requests: u64) -> Result<Vec<Box<dyn Inference + '_>>> {
        let batch_size = sets
            .first()
            .and_then(|set| set.first())
            .and_then(|input| input.value.as_tensor()?.shape().first())
            .map_or(1, |&size| size as u64);
        Ok((0..requests).map(|_| self.request(batch_size)).collect())
    }

    fn serve(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>> {
        Ok((0..callers)
            .map(|caller| served::caller(self, inputs, caller))
            .collect())
    }

    fn evaluate(&mut self, _inputs: &[Argument]) -> Result<Vec<Tensor>> {
        Err(EngineError::Run {
            message: format!(
                "a script computes no outputs for `{}`",
                self.model.display()
            ),
        })
    }

    fn arena(&self) -> Observed<ArenaStats> {
        Err("a script has no arena".into())
    }
}

struct ScriptedInference<'session> {
    session: &'session ScriptedSession,
    batch_size: u64,
    random: Pcg64Mcg,
    noise: Option<CellNoise>,
}

impl ScriptedInference<'_> {
    /// The latency of the next inference, or its fault.
    fn next_latency(&mut self) -> Result<Nanos> {
        let variant = &self.session.variant;
        if let Some(fault) = &variant.fault
            && fault.at == FaultSite::Run
            && self.batch_size >= fault.from_batch_size
        {
            strike(fault.kind, |message| EngineError::Run { message })?;
        }
        let mut factor = 1.0 + variant.jitter_ratio * (self.random.random::<f64>() * 2.0 - 1.0);
        if variant.exponential {
            factor *= -(1.0 - self.random.random::<f64>()).ln();
        }
        let latency = variant.latency_of(self.batch_size) as f64;
        let undisturbed = Nanos((latency * factor * self.session.latency_ratio) as u64);
        Ok(match &mut self.noise {
            Some(noise) => noise.run(undisturbed),
            None => undisturbed,
        })
    }
}

impl Inference for ScriptedInference<'_> {
    fn run(&mut self) -> Result<()> {
        let latency = self.next_latency()?;
        self.session.pass(latency);
        Ok(())
    }
}

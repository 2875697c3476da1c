//! An engine that runs nothing: latencies and faults come from a script, and time stands still
//! between them.
//!
//! It is for tests of the harness, which must not depend on how fast a machine is, and for benches
//! of the timed loop.

mod noise;
mod options;
mod script;
mod served;
mod session;
mod shared_clock;

use std::path::Path;
use std::sync::Arc;

use super::{
    Effect, EngineError, LogCounts, ProfileTarget, Result, Runtime, Session, SessionProfile,
};
use crate::files::{self, Kind};
use crate::inputs::InputSet;
use crate::measure::{EngineClock, ManualClock};
use crate::observed::Observed;
use crate::plan::{SessionOptions, SessionSpec};
use crate::provider::CPU_PROVIDER;
use crate::record::PeakRates;
use crate::runtime::LibraryInfo;
use crate::units::{Bytes, Nanos};
use noise::Machine;
use script::{FaultSite, Script, ScriptedVariant, strike};
use served::Load;
use session::ScriptedSession;

const VERSION: &str = "script";

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

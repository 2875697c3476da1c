//! ONNX Runtime, through `ort` and, for what `ort` does not offer, its C API.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use ort::AsPointer;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::memory::{Allocator, AllocatorType};
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;

use super::assignment::{self, Api};
use super::ep::plugin::Plugin;
use super::gathered::Gathered;
use super::io_binding::{self, GraphNumbers, MemoryPlace, NO_GRAPH};
use super::message::words;
use super::profile::{self, Pair};
use super::run::run;
use super::value::{self, HeldSet};
use super::{
    Distortion, Effect, EngineError, Inference, LogCounts, ProfileTarget, Result, Runtime,
    ServedInference, ServedInputs, Session, SessionProfile, builder, ep, library, log, peaks,
    placement, served,
};
use crate::inputs::{Argument, InputSet, Tensor};
use crate::measure::{Clock, EngineClock, MonotonicClock};
use crate::observed::Observed;
use crate::plan::{SessionOptions, SessionSpec};
use crate::provider::{self, Options};
use crate::record::{ArenaStats, PeakRates, Placement, Profiled, ProviderNodes};
use crate::runtime::LibraryInfo;
use crate::text::Plain;
use crate::trace::Counted;
use crate::units::{Bytes, Nanos};

const SPINNING: [&str; 2] = [
    "session.intra_op.allow_spinning",
    "session.inter_op.allow_spinning",
];

/// An ONNX Runtime library, opened, with its environment.
pub struct OnnxRuntime {
    environment: Environment,
    info: LibraryInfo,
    /// ONNX Runtime's account of where nodes run; absent in libraries before 1.24.
    account: Option<&'static Api>,
    plugin: Option<Plugin>,
}

impl OnnxRuntime {
    /// Opens a library and creates its environment. Its log lines go to stderr and are counted.
    ///
    /// # Errors
    /// [`EngineError::Library`] or [`EngineError::Environment`].
    pub fn open(path: &Path) -> Result<Self> {
        let opened = library::open(path)?;
        let environment = opened
            .builder
            .with_telemetry(false)
            .with_logger(Arc::new(log::write))
            .build()
            .map_err(|error| EngineError::Environment {
                path: path.to_owned(),
                message: words(error.message()),
            })?;
        environment.set_log_level(LogLevel::Warning);
        Ok(OnnxRuntime {
            environment,
            info: library::describe_opened(path, opened.version)?,
            account: Api::of(opened.base),
            plugin: None,
        })
    }

    /// Profiled into a file whose name begins with `profile`; checks that it runs where it was
    /// asked to.
    fn create(&self, model: &Path, spec: &SessionSpec, profile: Option<&Path>) -> Result<Created> {
        let load_error = |error: ort::Error| load_error(model, spec, &error);
        let builder = builder::of(&self.environment, &spec.options).map_err(load_error)?;
        let builder = builder::with_custom_ops(builder, &spec.options)?;
        let plugin = self
            .plugin
            .as_ref()
            .filter(|_| spec.provider.library.is_some());
        let registered = ep::register(builder, &self.environment, spec, plugin)?;
        let account = self.account_of(spec);
        let mut builder = registered.builder;
        if account.is_some() {
            builder = builder
                .with_config_entry(assignment::RECORD, "1")
                .map_err(|error| load_error(error.into()))?;
        }
        let mut builder = builder::for_file(builder, model, profile).map_err(load_error)?;
        let config_entries = config_entries(&builder, &spec.options);
        let session = builder.commit_from_file(model).map_err(load_error)?;
        let nodes = account
            .map(|account| account.nodes(&session))
            .transpose()
            .map_err(load_error)?;
        let effect = Effect {
            config_entries,
            execution_providers: registered.names,
            provider_options: registered.options,
        };
        let created = Created {
            session,
            effect,
            nodes,
        };
        created.check(model, spec, created.nodes.as_deref().unwrap_or_default())?;
        Ok(created)
    }

    /// ONNX Runtime's account, where it is kept of a session.
    fn account_of(&self, spec: &SessionSpec) -> Option<&'static Api> {
        let is_declined = spec
            .options
            .session_config
            .get(&assignment::RECORD.into())
            .is_some_and(|value| *value == "0");
        self.account
            .filter(|_| spec.is_accelerated() && !is_declined)
    }

    /// The trace of a session that keeps weights as the model has them, so that their shapes are
    /// told; `None` where there is none to be had, or kernels of another execution provider may do
    /// without that option.
    fn unpacked(
        &self,
        model: &Path,
        spec: &SessionSpec,
        sets: &[HeldSet],
        target: &ProfileTarget,
    ) -> Option<Profiled> {
        if spec.is_accelerated() {
            return None;
        }
        let mut spec = spec.clone();
        spec.options
            .session_config
            .insert(profile::KEEP_WEIGHTS.into(), "1".into());
        let mut created = self
            .create(model, &spec, Some(&target.scratch.join("weights")))
            .ok()?;
        run_twice(&created.session, &spec, sets).ok()?;
        let written = created.session.end_profiling().ok()?;
        Some(
            crate::trace::read(Path::new(&written), Counted::Typical)
                .ok()?
                .profiled,
        )
    }
}

impl Runtime for OnnxRuntime {
    fn info(&self) -> &LibraryInfo {
        &self.info
    }

    fn clock(&self) -> EngineClock {
        EngineClock::Monotonic
    }

    fn register_library(&mut self, name: &str, path: &Path) -> Result<()> {
        self.plugin = Some(Plugin::open(&self.environment, name, path)?);
        Ok(())
    }

    fn load(&self, model: &Path, spec: &SessionSpec) -> Result<Box<dyn Session>> {
        Ok(Box::new(LoadedSession {
            created: self.create(model, spec, None)?,
            environment: self.environment.clone(),
            place: place(spec),
            graphs: GraphNumbers::default(),
        }))
    }

    fn profile(
        &self,
        model: &Path,
        spec: &SessionSpec,
        inputs: InputSet,
        target: &ProfileTarget,
    ) -> Result<SessionProfile> {
        let began = MonotonicClock.now();
        let mut created = self.create(model, spec, Some(&target.scratch.join("trace")))?;
        let is_affordable = MonotonicClock.now().since(began) <= target.length;
        let is_compared = is_affordable && target.distortion == Distortion::Measured;
        // Where there is no room for another session, the profile is worth having without it.
        let plain = is_compared
            .then(|| self.create(model, spec, None))
            .and_then(Result::ok);
        // The profiler does not see into a replayed graph.
        let place = place(spec);
        let sets = value::hold(vec![inputs], &self.environment)?;
        let mut pair = Pair {
            profiled: io_binding::bind(&created.session, place, NO_GRAPH, &sets)?,
            plain: plain
                .as_ref()
                .and_then(|plain| io_binding::bind(&plain.session, place, NO_GRAPH, &sets).ok()),
            spins: spins(&spec.options),
        };
        let turns = pair.take_turns(target)?;
        drop(pair);
        let written = created
            .session
            .end_profiling()
            .map_err(|error| EngineError::Profile(words(error.message())))?;
        let operators = profile::read(Path::new(&written), target, &turns)?;
        let unpacked = is_affordable
            .then(|| self.unpacked(model, spec, &sets, target))
            .flatten();
        let operators = match unpacked {
            Some(unpacked) => profile::with_weights(operators, &unpacked),
            None => operators,
        };
        Ok(SessionProfile {
            placement: created.placement(model, spec, &operators)?,
            operators,
        })
    }

    fn peaks(
        &self,
        options: &SessionOptions,
        length: Nanos,
        tensor_size: Observed<Bytes>,
    ) -> PeakRates {
        peaks::measure(
            &|| builder::of(&self.environment, options),
            length,
            tensor_size,
        )
    }

    fn log_counts(&self) -> LogCounts {
        log::counts()
    }
}

fn load_error(model: &Path, spec: &SessionSpec, error: &ort::Error) -> EngineError {
    let model = model.to_owned();
    let message = words(error.message());
    if spec.is_accelerated() {
        EngineError::LoadOn {
            model,
            name: spec.execution_provider.exact().to_owned(),
            message,
        }
    } else {
        EngineError::Load { model, message }
    }
}

fn run_twice(session: &OrtSession, spec: &SessionSpec, sets: &[HeldSet]) -> Result<()> {
    let mut inference = io_binding::bind(session, place(spec), NO_GRAPH, sets)?;
    profile::run_anew(inference.as_mut())?;
    profile::run_anew(inference.as_mut())
}

/// The entries that were asked for, and those that say whether threads spin, as the session has
/// them.
fn config_entries(builder: &SessionBuilder, options: &SessionOptions) -> Options {
    options
        .session_config
        .keys()
        .map(Plain::exact)
        .chain(SPINNING)
        .filter_map(|key| Some((key.into(), read_config(builder, key)?.into())))
        .collect()
}

/// Reads a session configuration entry back from the options that the session is created with.
fn read_config(builder: &SessionBuilder, key: &str) -> Option<String> {
    let key = CString::new(key).ok()?;
    let get = ort::api().GetSessionConfigEntry;
    let mut size = 0;
    // SAFETY: the options live as long as `builder`; a null buffer asks for the size, terminator
    // included. The status, which says that it is too small, is used once.
    drop(unsafe {
        ort::Error::result_from_status(get(builder.ptr(), key.as_ptr(), ptr::null_mut(), &mut size))
    });
    let mut value = vec![0_u8; size];
    // SAFETY: the buffer has the size that was just asked for.
    let status = unsafe {
        get(
            builder.ptr(),
            key.as_ptr(),
            value.as_mut_ptr().cast(),
            &mut size,
        )
    };
    // SAFETY: the status comes from the call above and is used once.
    unsafe { ort::Error::result_from_status(status) }.ok()?;
    CStr::from_bytes_until_nul(&value)
        .ok()
        .map(|text| text.to_string_lossy().into_owned())
}

struct Created {
    session: OrtSession,
    effect: Effect,
    /// Where its nodes run; absent if ONNX Runtime does not tell.
    nodes: Option<Vec<ProviderNodes>>,
}

impl Created {
    fn check(&self, model: &Path, spec: &SessionSpec, nodes: &[ProviderNodes]) -> Result<()> {
        let name = self
            .effect
            .execution_providers
            .first()
            .map_or(spec.execution_provider.exact(), String::as_str);
        ep::check(model, spec, name, nodes)
    }

    /// By ONNX Runtime's own account, or else by a profile; checked where the account was not.
    fn placement(
        &mut self,
        model: &Path,
        spec: &SessionSpec,
        operators: &Profiled,
    ) -> Result<Placement> {
        let found = placement::placement_of(operators);
        match self.nodes.take() {
            Some(nodes) => Ok(placement::with_times(nodes, found)),
            None => self.check(model, spec, &found.providers).map(|()| found),
        }
    }
}

/// Whether threads of a session are busy for a while after an inference.
fn spins(options: &SessionOptions) -> bool {
    options.allow_spinning != Some(false)
        && (options.intra_threads != 1 || options.inter_threads != 1)
}

fn place(spec: &SessionSpec) -> MemoryPlace {
    MemoryPlace {
        memory: provider::known(spec.execution_provider.exact()).memory,
        device: spec
            .device()
            .map_or(0, |device| device.try_into().unwrap_or(0)),
        binding: spec.binding,
        captures: spec.captures_graphs(),
    }
}

struct LoadedSession {
    created: Created,
    environment: Environment,
    place: MemoryPlace,
    graphs: GraphNumbers,
}

impl LoadedSession {
    fn gather(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>> {
        let shared = Arc::new(served::shared(inputs, &self.environment)?);
        (0..callers)
            .map(|_| {
                let gathered = Gathered::new(&self.created.session, self.place, &shared)?;
                Ok(Box::new(gathered) as Box<dyn ServedInference>)
            })
            .collect()
    }
}

impl Session for LoadedSession {
    fn effect(&self) -> Effect {
        self.created.effect.clone()
    }

    fn bind(&self, sets: Vec<InputSet>, requests: u64) -> Result<Vec<Box<dyn Inference + '_>>> {
        let sets = value::hold(sets, &self.environment)?;
        let session = &self.created.session;
        (0..requests)
            .map(|_| io_binding::bind(session, self.place, self.graphs.next(), &sets))
            .collect()
    }

    fn serve(
        &self,
        inputs: &ServedInputs,
        callers: u64,
    ) -> Result<Vec<Box<dyn ServedInference + '_>>> {
        if self.place.captures {
            return Err(EngineError::Bind {
                name: "requests".into(),
                message: "a session that captures graphs is not served under load".into(),
            });
        }
        if !inputs.batches.is_empty() {
            return self.gather(inputs, callers);
        }
        let samples_count = inputs.samples.len();
        self.bind(inputs.samples.clone(), callers)?
            .into_iter()
            .map(|inference| served::alone(inference, samples_count))
            .collect()
    }

    fn evaluate(&mut self, inputs: &[Argument]) -> Result<Vec<Tensor>> {
        run(&mut self.created.session, &self.environment, inputs)
    }

    fn arena(&self) -> Observed<ArenaStats> {
        let info = self
            .place
            .own_memory(AllocatorType::Arena)
            .map_err(|error| error.to_string())?;
        let allocator =
            Allocator::new(&self.created.session, info).map_err(|error| error.to_string())?;
        let stats = arena_entries(&allocator)?;
        Ok(ArenaStats {
            in_use_bytes: Bytes(statistic(&stats, "InUse")?),
            peak_in_use_bytes: Bytes(statistic(&stats, "MaxInUse")?),
            total_allocated_bytes: Bytes(statistic(&stats, "TotalAllocated")?),
            extensions_count: statistic(&stats, "NumArenaExtensions")?,
        })
    }
}

fn statistic(stats: &BTreeMap<String, String>, key: &str) -> Result<u64, String> {
    stats
        .get(key)
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("the library does not report `{key}`"))
}

fn arena_entries(allocator: &Allocator) -> Observed<BTreeMap<String, String>> {
    let api = ort::api();
    let mut pairs = ptr::null_mut();
    // SAFETY: the allocator is alive, and `pairs` receives an object that is released below.
    unsafe { ort::Error::result_from_status((api.AllocatorGetStats)(allocator.ptr(), &mut pairs)) }
        .map_err(|error| error.to_string())?;
    if pairs.is_null() {
        return Err("this session's allocator keeps no statistics".into());
    }
    let mut keys = ptr::null();
    let mut values = ptr::null();
    let mut count = 0;
    // SAFETY: the arrays belong to `pairs`, hold `count` C strings each, and are copied before
    // `pairs` is released.
    let entries = unsafe {
        (api.GetKeyValuePairs)(pairs, &mut keys, &mut values, &mut count);
        (0..count)
            .map(|index| (text(*keys.add(index)), text(*values.add(index))))
            .collect()
    };
    // SAFETY: `pairs` is not used after this.
    unsafe { (api.ReleaseKeyValuePairs)(pairs) };
    Ok(entries)
}

/// # Safety
/// `pointer` is a C string.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

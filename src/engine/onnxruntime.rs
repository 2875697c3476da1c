//! ONNX Runtime, through `ort` and, for what `ort` does not offer, its C API.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::io::Write;
use std::path::Path;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ort::AsPointer;
use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::IoBinding;
use ort::session::Session as OrtSession;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::words::words;
use super::{EngineError, Inference, LogCounts, Runtime, Session, library, tensor};
use crate::inputs::Tensor;
use crate::measure::EngineClock;
use crate::plan::{ExecutionMode, GraphOptimization, SessionOptions, SessionSpec};
use crate::record::ArenaStats;
use crate::runtime::LibraryInfo;
use crate::units::Bytes;

/// Session configuration entries behind options of their own.
const SPINNING: [&str; 2] = ["session.intra_op.allow_spinning", "session.inter_op.allow_spinning"];

static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// An ONNX Runtime library, opened, with its environment.
#[derive(Debug)]
pub struct OnnxRuntime {
    environment: Environment,
    info: LibraryInfo,
}

impl OnnxRuntime {
    /// Opens a library and creates its environment. Its log lines go to stderr and are counted.
    ///
    /// # Errors
    /// [`EngineError::Library`] or [`EngineError::Environment`].
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let (version, builder) = library::open(path)?;
        let environment = builder
            .with_telemetry(false)
            .with_logger(Arc::new(log))
            .build()
            .map_err(|error| EngineError::Environment { path: path.to_owned(), message: words(error.message()) })?;
        environment.set_log_level(LogLevel::Warning);
        let info = library::describe_opened(path, version)?;
        Ok(OnnxRuntime { environment, info })
    }

    fn builder(&self, options: &SessionOptions) -> Result<SessionBuilder, ort::Error> {
        let level = match options.graph_optimization {
            GraphOptimization::Disable => GraphOptimizationLevel::Disable,
            GraphOptimization::Basic => GraphOptimizationLevel::Level1,
            GraphOptimization::Extended => GraphOptimizationLevel::Level2,
            GraphOptimization::All => GraphOptimizationLevel::All,
        };
        let mut builder = OrtSession::builder(&self.environment)?
            .with_log_level(LogLevel::Warning)?
            .with_optimization_level(level)?
            .with_intra_threads(options.intra_threads as usize)?
            .with_inter_threads(options.inter_threads as usize)?
            .with_parallel_execution(options.execution_mode == ExecutionMode::Parallel)?;
        if let Some(spin) = options.allow_spinning {
            builder = builder.with_intra_op_spinning(spin)?.with_inter_op_spinning(spin)?;
        }
        for (key, value) in &options.session_config {
            builder = builder.with_config_entry(key, value)?;
        }
        Ok(builder)
    }
}

/// Writes a log line of ONNX Runtime to stderr, which is the worker's log.
fn log(level: LogLevel, category: &str, _id: &str, location: &str, message: &str) {
    let letter = match level {
        LogLevel::Verbose | LogLevel::Info => return,
        LogLevel::Warning => {
            WARNINGS.fetch_add(1, Ordering::Relaxed);
            'W'
        }
        LogLevel::Error | LogLevel::Fatal => {
            ERRORS.fetch_add(1, Ordering::Relaxed);
            'E'
        }
    };
    // A log that cannot be written, because the disk is full for one, must not end the worker.
    let _ = writeln!(std::io::stderr(), "[{letter}:{category}] {} ({location})", message.trim_end());
}

impl Runtime for OnnxRuntime {
    fn info(&self) -> &LibraryInfo {
        &self.info
    }

    fn clock(&self) -> EngineClock {
        EngineClock::Monotonic
    }

    fn load(&self, model: &Path, spec: &SessionSpec) -> Result<Box<dyn Session>, EngineError> {
        let load_error =
            |error: ort::Error| EngineError::Load { model: model.to_owned(), message: words(error.message()) };
        let mut builder = self.builder(&spec.options).map_err(load_error)?;
        let asked = spec.options.session_config.keys().map(String::as_str);
        let config_entries = read_config(&builder, asked.chain(SPINNING));
        let session = builder.commit_from_file(model).map_err(load_error)?;
        Ok(Box::new(LoadedSession { session, config_entries }))
    }

    fn log_counts(&self) -> LogCounts {
        LogCounts { warnings: WARNINGS.load(Ordering::Relaxed), errors: ERRORS.load(Ordering::Relaxed) }
    }
}

/// Reads session configuration entries back from the options that the session is created with.
fn read_config<'k>(builder: &SessionBuilder, keys: impl Iterator<Item = &'k str>) -> BTreeMap<String, String> {
    keys.filter_map(|key| Some((key.to_owned(), read_config_entry(builder, key)?))).collect()
}

fn read_config_entry(builder: &SessionBuilder, key: &str) -> Option<String> {
    let key = CString::new(key).ok()?;
    let get = ort::api().GetSessionConfigEntry;
    let mut size = 0;
    // SAFETY: the options live as long as `builder`; a null buffer asks for the size, terminator included.
    unsafe { release(get(builder.ptr(), key.as_ptr(), ptr::null_mut(), &mut size)) };
    let mut value = vec![0_u8; size];
    // SAFETY: the buffer has the size that was just asked for.
    let status = unsafe { get(builder.ptr(), key.as_ptr(), value.as_mut_ptr().cast(), &mut size) };
    // SAFETY: the status comes from the call above and is used once.
    unsafe { ort::Error::result_from_status(status) }.ok()?;
    CStr::from_bytes_until_nul(&value).ok().map(|text| text.to_string_lossy().into_owned())
}

/// Frees a status that says nothing of interest.
///
/// # Safety
/// `status` comes from ONNX Runtime and is used once.
unsafe fn release(status: ort::sys::OrtStatusPtr) {
    // SAFETY: as the caller promises.
    drop(unsafe { ort::Error::result_from_status(status) });
}

#[derive(Debug)]
struct LoadedSession {
    session: OrtSession,
    config_entries: BTreeMap<String, String>,
}

impl LoadedSession {
    fn bind_set(&self, set: &[Tensor], host: &MemoryInfo<'_>) -> Result<IoBinding, EngineError> {
        let bind_error = |name: &str, error: ort::Error| EngineError::Bind {
            name: name.to_owned(),
            message: words(error.message()),
        };
        let mut binding = self.session.create_binding().map_err(|error| bind_error("session", error))?;
        for input in set {
            let value = tensor::to_value(&input.data).map_err(|error| bind_error(&input.name, error))?;
            binding.bind_input(&input.name, &value).map_err(|error| bind_error(&input.name, error))?;
        }
        for output in self.session.outputs() {
            binding.bind_output_to_device(output.name(), host).map_err(|error| bind_error(output.name(), error))?;
        }
        Ok(binding)
    }
}

impl Session for LoadedSession {
    fn config_entries(&self) -> BTreeMap<String, String> {
        self.config_entries.clone()
    }

    fn bind(&self, sets: &[Vec<Tensor>]) -> Result<Box<dyn Inference + '_>, EngineError> {
        let host = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::CPUOutput)
            .map_err(|error| EngineError::Bind { name: "outputs".into(), message: words(error.message()) })?;
        let bindings = sets.iter().map(|set| self.bind_set(set, &host)).collect::<Result<_, _>>()?;
        Ok(Box::new(BoundInference { session: &self.session, run: ort::api().RunWithBinding, bindings, next: 0 }))
    }

    fn evaluate(&mut self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let run_error = |error: ort::Error| EngineError::Run { message: words(error.message()) };
        let values = inputs
            .iter()
            .map(|input| Ok((input.name.clone(), tensor::to_value(&input.data)?)))
            .collect::<Result<Vec<_>, ort::Error>>()
            .map_err(run_error)?;
        let outputs = self.session.run(values).map_err(run_error)?;
        Ok(outputs
            .iter()
            .filter_map(|(name, value)| Some(Tensor { name: name.to_owned(), data: tensor::from_value(&value)? }))
            .collect())
    }

    fn arena(&self) -> Result<ArenaStats, String> {
        let info = MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Arena, MemoryType::Default)
            .map_err(|error| error.to_string())?;
        let allocator = Allocator::new(&self.session, info).map_err(|error| error.to_string())?;
        let stats = arena_entries(&allocator)?;
        let read = |key: &str| {
            stats
                .get(key)
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| format!("the library does not report `{key}`"))
        };
        Ok(ArenaStats {
            in_use_bytes: Bytes(read("InUse")?),
            peak_in_use_bytes: Bytes(read("MaxInUse")?),
            total_allocated_bytes: Bytes(read("TotalAllocated")?),
            extensions_count: read("NumArenaExtensions")?,
        })
    }
}

/// The allocator's statistics by ONNX Runtime's keys.
fn arena_entries(allocator: &Allocator) -> Result<BTreeMap<String, String>, String> {
    let api = ort::api();
    let mut pairs = ptr::null_mut();
    // SAFETY: the allocator is alive, and `pairs` receives an object that is released below.
    unsafe { ort::Error::result_from_status((api.AllocatorGetStats)(allocator.ptr(), &mut pairs)) }
        .map_err(|error| error.to_string())?;
    if pairs.is_null() {
        return Err("this session's allocator keeps no statistics".into());
    }
    let (mut keys, mut values, mut count) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the arrays belong to `pairs`, hold `count` C strings each, and are copied before `pairs` is released.
    let entries = unsafe {
        (api.GetKeyValuePairs)(pairs, &mut keys, &mut values, &mut count);
        (0..count).map(|index| (text(*keys.add(index)), text(*values.add(index)))).collect()
    };
    // SAFETY: `pairs` is not used after this.
    unsafe { (api.ReleaseKeyValuePairs)(pairs) };
    Ok(entries)
}

/// # Safety
/// `pointer` is a C string.
unsafe fn text(pointer: *const c_char) -> String {
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// Bindings of one request in flight, run in turn.
struct BoundInference<'session> {
    session: &'session OrtSession,
    run: RunWithBinding,
    bindings: Vec<IoBinding>,
    next: usize,
}

/// The C API's function that is timed, looked up once.
type RunWithBinding = unsafe extern "system" fn(
    *mut ort::sys::OrtSession,
    *const ort::sys::OrtRunOptions,
    *const ort::sys::OrtIoBinding,
) -> ort::sys::OrtStatusPtr;

impl Inference for BoundInference<'_> {
    #[inline]
    fn run(&mut self) -> Result<(), EngineError> {
        let binding = &self.bindings[self.next];
        self.next += 1;
        if self.next == self.bindings.len() {
            self.next = 0;
        }
        // SAFETY: session and binding are alive, and the binding is of this session. `ort` wants the session to itself
        // for this call; ONNX Runtime's own contract is that `Run` may be called by several threads at once on one
        // session of the CPU or CUDA provider, each with a binding of its own, which is how servers use it.
        let status = unsafe { (self.run)(self.session.ptr().cast_mut(), ptr::null(), binding.ptr()) };
        if status.0.is_null() {
            return Ok(());
        }
        // SAFETY: the status comes from the call above and is used once.
        Err(unsafe { run_error(status) })
    }
}

/// Not inlined, so that the way without an error stays short.
///
/// # Safety
/// `status` comes from ONNX Runtime and is used once.
#[cold]
unsafe fn run_error(status: ort::sys::OrtStatusPtr) -> EngineError {
    // SAFETY: as the caller promises.
    let result = unsafe { ort::Error::result_from_status(status) };
    EngineError::Run { message: result.err().map(|error| words(error.message())).unwrap_or_default() }
}

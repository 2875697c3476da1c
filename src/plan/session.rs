//! One session: a variant under one runtime, execution provider and set of session options.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provider::{self, CPU_PROVIDER, Hardware, Options};
use crate::text::Plain;

/// A variant under one runtime, execution provider and set of session options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSpec {
    /// Index into [`Plan::variants`](super::Plan::variants).
    pub variant: usize,
    /// The library or script that executes the model.
    pub runtime: RuntimeChoice,
    /// ONNX Runtime's identifier of the execution provider, such as `CPUExecutionProvider`.
    pub execution_provider: Plain,
    /// How the execution provider is set up; the default in records before version 1.2.
    #[serde(default)]
    pub provider: ProviderSpec,
    /// Where inputs and outputs lie; the default in records before version 1.2.
    #[serde(default)]
    pub binding: Binding,
    /// Session options.
    pub options: SessionOptions,
}

impl SessionSpec {
    /// Whether another session is set up in the same way, whatever its variant and its library: with
    /// the same execution provider, binding and options.
    #[must_use]
    pub fn is_alike(&self, other: &SessionSpec) -> bool {
        self.execution_provider == other.execution_provider
            && self.provider == other.provider
            && self.binding == other.binding
            && self.options == other.options
    }

    /// Whether two sessions compute the same numbers: threads, arena, patterns and spinning change
    /// when something is computed, not what.
    #[must_use]
    pub fn computes_alike(&self, other: &Self) -> bool {
        self.variant == other.variant && self.computes_alike_of_one_file(other)
    }

    /// Whether two sessions would compute the same numbers if they ran one file.
    #[must_use]
    pub fn computes_alike_of_one_file(&self, other: &Self) -> bool {
        self.runtime == other.runtime
            && self.execution_provider == other.execution_provider
            && self.provider == other.provider
            && self.options.graph_optimization == other.options.graph_optimization
            && self.options.session_config == other.options.session_config
    }

    /// Whether its latencies come from a script, and nothing is executed.
    #[must_use]
    pub fn is_scripted(&self) -> bool {
        matches!(self.runtime, RuntimeChoice::Script(_))
    }

    /// Whether a server executes the model, so that nothing of it is in a process of a launch.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.runtime.server().is_some()
    }

    /// Whether two sessions use the machine alike, so that other work slows both down alike: by
    /// execution provider, binding, threads and spinning.
    #[must_use]
    pub fn uses_machine_alike(&self, other: &SessionSpec) -> bool {
        let (options, others) = (&self.options, &other.options);
        self.execution_provider == other.execution_provider
            && self.provider == other.provider
            && self.binding == other.binding
            && options.intra_threads == others.intra_threads
            && options.inter_threads == others.inter_threads
            && options.execution_mode == others.execution_mode
            && options.allow_spinning == others.allow_spinning
    }

    /// Whether the session asks for another execution provider than the CPU's.
    #[must_use]
    pub fn is_accelerated(&self) -> bool {
        self.execution_provider != CPU_PROVIDER && !self.is_remote()
    }

    /// How floats are rounded. What computes in a server is not known. Execution providers of
    /// accelerators choose by themselves, and which
    /// way can differ from one batch size to the next, but where an option forbids it (ONNX
    /// Runtime's documentation of CUDA's `use_tf32`).
    #[must_use]
    pub fn float_rounding(&self) -> FloatRounding {
        let key = provider::known(self.execution_provider.exact())
            .options
            .short_floats;
        let value = key.and_then(|key| self.provider.options.get(&key.into()));
        let may_be_short = self.is_accelerated() && value.is_none_or(|value| *value != "0");
        if may_be_short || self.is_remote() {
            FloatRounding::Half
        } else {
            FloatRounding::Full
        }
    }

    /// Options as the execution provider is registered with them: those asked for, with the device
    /// and the threads.
    #[must_use]
    pub fn provider_options(&self) -> Options {
        let ProviderSpec {
            options, device, ..
        } = &self.provider;
        provider::known(self.execution_provider.exact()).with_defaults(
            options,
            *device,
            self.options.intra_threads,
        )
    }

    /// Whether the session captures the kernels of an inference, so that no two threads may run it.
    #[must_use]
    pub fn captures_graphs(&self) -> bool {
        provider::known(self.execution_provider.exact())
            .graphs
            .asked(&self.provider.options)
            .is_some()
    }

    /// Index of the device that the session asks for, by an option or beside these; `None` for its
    /// default.
    #[must_use]
    pub fn device(&self) -> Option<u64> {
        provider::known(self.execution_provider.exact())
            .device(&self.provider.options)
            .or(self.provider.device)
    }

    /// The NVIDIA GPU that the session computes on, by CUDA's number; `None` for a session on
    /// anything else.
    #[must_use]
    pub fn nvidia_device(&self) -> Option<u64> {
        let hardware = provider::known(self.execution_provider.exact()).hardware;
        (hardware == Hardware::NvidiaGpu).then(|| self.device().unwrap_or(0))
    }
}

/// To how many bits floats of 32 bits are rounded while a session computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloatRounding {
    /// To those that are stored.
    #[default]
    Full,
    /// Perhaps to those of a half-precision number, as tensor cores do (TF32 has 11 significant
    /// bits, as `float16` has).
    Half,
}

/// What stands for an execution provider where a server executes the model: on what it does so is
/// not known.
pub const SERVER_PROVIDER: &str = "server";

/// The library, script or server that executes the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeChoice {
    /// An ONNX Runtime shared library.
    Library(PathBuf),
    /// A script of latencies and faults, for tests of the harness itself.
    Script(PathBuf),
    /// A server that has the model loaded; not in records before version 1.4.
    Server(ModelServer),
}

/// A model in a server that speaks the Open Inference Protocol, version 2, over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelServer {
    /// Address of the model: `http://HOST:PORT/v2/models/NAME`.
    pub url: Plain,
    /// Process of the server on this machine, whose memory and CPU time are sampled; absent where
    /// nobody named it.
    pub pid: Option<u32>,
    /// Whether the user says that the server may be loaded although it is not on this machine.
    pub is_owned: bool,
}

impl RuntimeChoice {
    /// The library's file, the script's, or the address of the model in a server, as
    /// [`RuntimeInfo::path`](crate::record::RuntimeInfo::path) has it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            RuntimeChoice::Library(path) | RuntimeChoice::Script(path) => path,
            RuntimeChoice::Server(server) => Path::new(server.url.exact()),
        }
    }

    /// The server, if it is one.
    #[must_use]
    pub fn server(&self) -> Option<&ModelServer> {
        match self {
            RuntimeChoice::Server(server) => Some(server),
            RuntimeChoice::Library(_) | RuntimeChoice::Script(_) => None,
        }
    }

    /// Its value for `--runtime`; of a server, that for `--url`.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            RuntimeChoice::Library(path) => path.display().to_string(),
            RuntimeChoice::Script(path) => format!("script:{}", path.display()),
            RuntimeChoice::Server(server) => server.url.exact().to_owned(),
        }
    }
}

/// ONNX Runtime session options, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionOptions {
    /// Threads that run one operator.
    pub intra_threads: u64,
    /// Threads that run independent operators, in parallel execution mode.
    pub inter_threads: u64,
    /// Graph optimization level.
    pub graph_optimization: GraphOptimization,
    /// Whether independent operators may run at once.
    pub execution_mode: ExecutionMode,
    /// Whether idle threads of the pool spin; absent: the library's default.
    pub allow_spinning: Option<bool>,
    /// Whether memory is planned ahead for inputs of one shape; absent: the library's default, and
    /// in records before version 1.3.
    #[serde(default)]
    pub memory_pattern: Option<bool>,
    /// Whether memory on the CPU comes from an arena; absent: the library's default, and in records
    /// before version 1.3.
    #[serde(default)]
    pub memory_arena: Option<bool>,
    /// Further session configuration entries, by ONNX Runtime's keys.
    pub session_config: BTreeMap<Plain, Plain>,
    /// Libraries of custom operators that are registered with the session; empty in records before
    /// version 1.4.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_ops: Vec<PathBuf>,
}

impl Default for SessionOptions {
    /// One thread of each kind, and otherwise the library's own defaults.
    fn default() -> Self {
        SessionOptions {
            intra_threads: 1,
            inter_threads: 1,
            graph_optimization: GraphOptimization::default(),
            execution_mode: ExecutionMode::default(),
            allow_spinning: None,
            memory_pattern: None,
            memory_arena: None,
            session_config: BTreeMap::new(),
            custom_ops: Vec::new(),
        }
    }
}

/// ONNX Runtime's graph optimization levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraphOptimization {
    /// `ORT_DISABLE_ALL`.
    Disable,
    /// `ORT_ENABLE_BASIC`.
    Basic,
    /// `ORT_ENABLE_EXTENDED`.
    Extended,
    /// `ORT_ENABLE_ALL`, the library's default.
    #[default]
    All,
}

/// ONNX Runtime's execution modes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionMode {
    /// `ORT_SEQUENTIAL`, the library's default.
    #[default]
    Sequential,
    /// `ORT_PARALLEL`.
    Parallel,
}

/// How the execution provider of a session is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderSpec {
    /// Index of the device, as the execution provider counts; absent: its default.
    pub device: Option<u64>,
    /// Options as asked for, by the execution provider's own keys.
    pub options: Options,
    /// Library that brings the execution provider; absent: ONNX Runtime's own has it.
    pub library: Option<PathBuf>,
    /// Whether a node that runs on another execution provider is an error.
    pub required: bool,
}

/// Where inputs and outputs of a timed inference lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In host memory: copies to the device and back are part of the latency.
    #[default]
    Host,
    /// In the device's memory, copied there beforehand: the latency is that of the computation
    /// alone.
    Device,
}

impl Binding {
    /// Its value for `--bind`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Binding::Host => "host",
            Binding::Device => "device",
        }
    }
}

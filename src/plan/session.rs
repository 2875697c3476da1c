//! One session: a variant under one runtime and one set of session options.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A variant under one runtime, execution provider and set of session options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionSpec {
    /// Index into [`Plan::variants`](super::Plan::variants).
    pub variant: usize,
    /// What executes the model.
    pub runtime: RuntimeChoice,
    /// ONNX Runtime's identifier of the execution provider, such as `CPUExecutionProvider`.
    pub execution_provider: String,
    /// Session options.
    pub options: SessionOptions,
}

/// What executes the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuntimeChoice {
    /// An ONNX Runtime shared library.
    Library(PathBuf),
    /// A script of latencies and faults, for tests of the harness itself.
    Script(PathBuf),
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
    /// Further session configuration entries, by ONNX Runtime's keys.
    pub session_config: BTreeMap<String, String>,
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
            session_config: BTreeMap::new(),
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

//! Options of a session that is to be created, as ONNX Runtime takes them.

use std::path::Path;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session as OrtSession;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::message::words;
use super::{EngineError, Result, ep};
use crate::files::{self, Kind};
use crate::onnx::is_ort_format;
use crate::plan::{ExecutionMode, GraphOptimization, SessionOptions};

/// Session configuration by which ONNX Runtime takes a file for one of its own format, whatever it
/// is called.
const LOAD_FORMAT: (&str, &str) = ("session.load_model_format", "ORT");

pub(super) fn of(
    environment: &Environment,
    options: &SessionOptions,
) -> ort::Result<SessionBuilder> {
    let mut builder = OrtSession::builder(environment)?
        .with_log_level(LogLevel::Warning)?
        .with_optimization_level(level(options.graph_optimization))?
        .with_intra_threads(threads(options.intra_threads)?)?
        .with_inter_threads(threads(options.inter_threads)?)?
        .with_parallel_execution(options.execution_mode == ExecutionMode::Parallel)?;
    if let Some(spin) = options.allow_spinning {
        builder = builder
            .with_intra_op_spinning(spin)?
            .with_inter_op_spinning(spin)?;
    }
    if let Some(pattern) = options.memory_pattern {
        builder = builder.with_memory_pattern(pattern)?;
    }
    if let Some(arena) = options.memory_arena {
        builder = ep::with_arena(builder, arena)?;
    }
    for (key, value) in &options.session_config {
        builder = builder.with_config_entry(key.exact(), value.exact())?;
    }
    Ok(builder)
}

fn level(wanted: GraphOptimization) -> GraphOptimizationLevel {
    match wanted {
        GraphOptimization::Disable => GraphOptimizationLevel::Disable,
        GraphOptimization::Basic => GraphOptimizationLevel::Level1,
        GraphOptimization::Extended => GraphOptimizationLevel::Level2,
        GraphOptimization::All => GraphOptimizationLevel::All,
    }
}

/// A number of threads as ONNX Runtime takes it, which would cut off what has more bits.
fn threads(count: u64) -> ort::Result<usize> {
    i32::try_from(count)
        .ok()
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| {
            ort::Error::new(format!("{count} threads are more than ONNX Runtime counts"))
        })
}

pub(super) fn with_custom_ops(
    mut builder: SessionBuilder,
    options: &SessionOptions,
) -> Result<SessionBuilder> {
    for path in &options.custom_ops {
        // The loader looks for a name without folders elsewhere than here.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        builder =
            builder
                .with_operator_library(absolute)
                .map_err(|error| EngineError::CustomOps {
                    path: path.clone(),
                    message: words(error.message()),
                })?;
    }
    Ok(builder)
}

/// For a model's own format, and profiled into a file whose name begins with `profile`.
pub(super) fn for_file(
    mut builder: SessionBuilder,
    model: &Path,
    profile: Option<&Path>,
) -> ort::Result<SessionBuilder> {
    if let Some(profile) = profile {
        builder = builder.with_profiling(profile)?;
    }
    if is_unmarked_ort_format(model) {
        builder = builder.with_config_entry(LOAD_FORMAT.0, LOAD_FORMAT.1)?;
    }
    Ok(builder)
}

/// Whether a file is of ONNX Runtime's own format without the extension by which ONNX Runtime knows
/// it.
fn is_unmarked_ort_format(model: &Path) -> bool {
    let mut begin = [0; 8];
    let read = files::open(model, Kind::MODEL).and_then(|file| file.read_exact_at(&mut begin, 0));
    read.is_ok()
        && is_ort_format(&begin)
        && model.extension().is_none_or(|extension| extension != "ort")
}

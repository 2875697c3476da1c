//! ONNX Runtime's own kernels for the CPU.

use ort::ep::{CPU, ExecutionProviderDispatch};
use ort::session::builder::SessionBuilder;

use crate::plan::SessionSpec;
use crate::provider::Options;
use crate::provider::cpu::ARENA;

/// Every session has this execution provider; it is only touched where its option was given.
pub(super) fn dispatch(options: &Options) -> Vec<ExecutionProviderDispatch> {
    let arena = options.get(ARENA).map(|value| value != "0");
    arena.map(|arena| CPU::default().with_arena_allocator(arena).build().error_on_failure()).into_iter().collect()
}

/// Switches the arena of memory on the CPU on or off, whatever else a session computes on.
pub(in crate::engine) fn with_arena(builder: SessionBuilder, arena: bool) -> Result<SessionBuilder, ort::Error> {
    let dispatch = CPU::default().with_arena_allocator(arena).build().error_on_failure();
    Ok(builder.with_execution_providers([dispatch])?)
}

/// Why a session on the CPU cannot have one of its options, if it cannot.
pub(super) fn refusal(spec: &SessionSpec) -> Option<String> {
    let other = spec.provider.options.keys().find(|key| *key != ARENA && !spec.is_accelerated())?;
    Some(format!("unknown option `{other}`: the only one is `{ARENA}`"))
}

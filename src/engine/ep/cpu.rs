//! ONNX Runtime's own kernels for the CPU.

use ort::ep::{CPU, ExecutionProviderDispatch};
use ort::session::builder::SessionBuilder;

use super::{Graphs, Kind, Memory, Options};
use crate::plan::{CPU_PROVIDER, SessionSpec};

/// The one option that there is: whether memory comes from an arena.
const ARENA: &str = "use_arena";

pub(super) const KIND: Kind = Kind {
    identifier: CPU_PROVIDER,
    build: Some("cpu"),
    memory: Memory::Host,
    graphs: Graphs::None,
    options,
    dispatch,
};

fn options(spec: &SessionSpec) -> Options {
    spec.provider.options.clone()
}

/// Every session has this execution provider; it is only touched where its option was given.
fn dispatch(options: &Options) -> Vec<ExecutionProviderDispatch> {
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

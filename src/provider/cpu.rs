//! ONNX Runtime's own kernels for the CPU, which every library has and every session falls back on.

use super::build::Build;
use super::known::{ExecutionProvider, InRust, OptionKeys};

/// ONNX Runtime's identifier of the execution provider that every library has.
pub const CPU_PROVIDER: &str = "CPUExecutionProvider";

/// Key of its one option: whether memory comes from an arena.
pub const ARENA: &str = "use_arena";

/// Facts about ONNX Runtime's own kernels for the CPU.
pub const PROVIDER: ExecutionProvider = ExecutionProvider {
    build: Some(Build::Cpu),
    options: OptionKeys {
        device: None,
        threads: None,
        short_floats: None,
    },
    in_rust: Some(InRust {
        name: "CPU",
        feature: None,
    }),
    ..ExecutionProvider::named(CPU_PROVIDER, &["cpu"])
};

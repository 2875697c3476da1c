{
// Cargo.toml: ort = "=2.0.0-rc.15"
use ort::ep::CPU;
use ort::session::{Session, builder::GraphOptimizationLevel};

let environment = ort::init().build()?;
let session = Session::builder(&environment)?
    .with_optimization_level(GraphOptimizationLevel::Level2)?
    .with_intra_threads(2)?
    .with_parallel_execution(true)?
    .with_inter_threads(2)?
    .with_memory_pattern(false)?
    .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
    .with_config_entry("session.intra_op.allow_spinning", "0")?
    .with_config_entry("session.inter_op.allow_spinning", "0")?
    .with_config_entry("session.set_denormal_as_zero", "1")?
    .commit_from_file("models/digits/digits-fp32.onnx")?;
// feed 8 samples in each run; measured with ONNX Runtime 1.31.1
}

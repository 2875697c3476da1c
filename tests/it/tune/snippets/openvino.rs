{
// Cargo.toml: ort = { version = "=2.0.0-rc.15", features = ["openvino"] }
use ort::ep::{ArbitrarilyConfigurableExecutionProvider, OpenVINO};
use ort::session::{Session, builder::GraphOptimizationLevel};

let environment = ort::init().build()?;
let session = Session::builder(&environment)?
    .with_optimization_level(GraphOptimizationLevel::All)?
    .with_intra_threads(1)?
    .with_execution_providers([OpenVINO::default().with_arbitrary_config("device_id", "0").with_arbitrary_config("num_of_threads", "1").build().error_on_failure()])?
    .commit_from_file("models/digits/digits-fp32.onnx")?;
// feed 8 samples in each run; measured with ONNX Runtime 1.31.1
}

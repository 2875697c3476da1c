//! Intel's CPUs, GPUs and NPUs through OpenVINO.

use super::build::Build;
use super::known::{DeviceOption, ExecutionProvider, InCpp, InRust, OptionKeys};

/// Facts about the OpenVINO execution provider. A device counts GPUs; without one the build's own
/// default holds, which is the CPU in the official one. It has threads of its own, and gets as many
/// as the session's.
pub const PROVIDER: ExecutionProvider = ExecutionProvider {
    build: Some(Build::OpenVino),
    options: OptionKeys {
        device: Some(DeviceOption {
            key: "device_type",
            prefix: "GPU.",
        }),
        threads: Some("num_of_threads"),
        short_floats: None,
    },
    in_rust: Some(InRust {
        name: "OpenVINO",
        feature: Some("openvino"),
    }),
    in_cpp: InCpp::Pairs("OpenVINO"),
    hint,
    ..ExecutionProvider::named("OpenVINOExecutionProvider", &["openvino"])
};

fn hint(message: &str) -> Option<String> {
    (message.contains("OpenVINO") && message.contains("is not available"))
        .then(|| "leave out `--device` and `device_type` to run on the CPU; OpenVINO finds no such device here".into())
}

//! NVIDIA GPUs through TensorRT, with CUDA behind it for the nodes that TensorRT does not take.

use super::build::Build;
use super::known::{ExecutionProvider, Graphs, Hardware, InCpp, InRust, Memory};

/// Facts about the TensorRT execution provider.
pub const PROVIDER: ExecutionProvider = ExecutionProvider {
    build: Some(Build::Cuda),
    hardware: Hardware::NvidiaGpu,
    memory: Memory::Cuda,
    graphs: Graphs::One {
        key: "trt_cuda_graph_enable",
        instead: "--ep cuda --ep-option enable_cuda_graph=1",
    },
    in_rust: Some(InRust {
        name: "TensorRT",
        feature: Some("tensorrt"),
    }),
    in_cpp: InCpp::Struct("TensorRT"),
    hint,
    ..ExecutionProvider::of_device("TensorrtExecutionProvider", &["tensorrt", "trt"])
};

fn hint(message: &str) -> Option<String> {
    ["libnvinfer", "libnvonnxparser"].iter().any(|library| message.contains(library)).then(|| {
        "TensorRT is no part of the build: install it in the version that the library's name ends in, from NVIDIA's \
         packages or the Python package `tensorrt`, and put its folder into LD_LIBRARY_PATH; or use `--ep cuda`"
            .into()
    })
}

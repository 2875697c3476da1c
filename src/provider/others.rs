//! Execution providers that no official build for this system has, and of which more is known than
//! what they are called.

use super::known::{ExecutionProvider, Hardware, InRust};

/// Models that run on a service.
pub(super) const AZURE: ExecutionProvider = ExecutionProvider {
    hardware: Hardware::Service,
    ..ExecutionProvider::named("AzureExecutionProvider", &["azure"])
};

/// CPUs through oneDNN.
pub(super) const DNNL: ExecutionProvider = ExecutionProvider {
    in_rust: Some(InRust {
        name: "OneDNN",
        feature: Some("onednn"),
    }),
    ..ExecutionProvider::named("DnnlExecutionProvider", &["dnnl", "onednn"])
};

/// NVIDIA GPUs through TensorRT for RTX.
pub(super) const NV_TENSORRT_RTX: ExecutionProvider = ExecutionProvider {
    hardware: Hardware::NvidiaGpu,
    ..ExecutionProvider::of_device("NvTensorRTRTXExecutionProvider", &["nvtensorrtrtx"])
};

/// CPUs through XNNPACK.
pub(super) const XNNPACK: ExecutionProvider = ExecutionProvider {
    in_rust: Some(InRust {
        name: "XNNPACK",
        feature: Some("xnnpack"),
    }),
    ..ExecutionProvider::named("XnnpackExecutionProvider", &["xnnpack"])
};

//! NVIDIA GPUs through TensorRT, with CUDA behind it for the nodes that TensorRT does not take, as ONNX Runtime's
//! documentation recommends.

use ort::ep::{ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch, TensorRT};

use super::{Graphs, Kind, Memory, Options, cuda, with_default};
use crate::plan::SessionSpec;

/// The option that both execution providers have.
const DEVICE: &str = "device_id";

pub(super) const KIND: Kind = Kind {
    identifier: "TensorrtExecutionProvider",
    build: Some("cuda"),
    memory: Memory::Cuda,
    graphs: Graphs::One("trt_cuda_graph_enable"),
    options,
    dispatch,
};

fn options(spec: &SessionSpec) -> Options {
    with_default(&spec.provider.options, DEVICE, spec.provider.device)
}

fn dispatch(options: &Options) -> Vec<ExecutionProviderDispatch> {
    let with = |provider: TensorRT, (key, value): (&String, &String)| provider.with_arbitrary_config(key, value);
    let tensorrt = options.iter().fold(TensorRT::default(), with).build().error_on_failure();
    let shared: Options =
        options.iter().filter(|(key, _)| *key == DEVICE).map(|(k, v)| (k.clone(), v.clone())).collect();
    vec![tensorrt, cuda::dispatch(&shared)]
}

/// What to do about a message of TensorRT.
pub(super) fn hint(message: &str) -> Option<String> {
    ["libnvinfer", "libnvonnxparser"].iter().any(|library| message.contains(library)).then(|| {
        "TensorRT is no part of the build: install it in the version that the library's name ends in, from NVIDIA's \
         packages or the Python package `tensorrt`, and put its folder into LD_LIBRARY_PATH; or use `--ep cuda`"
            .into()
    })
}

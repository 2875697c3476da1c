//! Intel's CPUs, GPUs and NPUs through OpenVINO.

use ort::ep::{ArbitrarilyConfigurableExecutionProvider, ExecutionProviderDispatch, OpenVINO};

use super::{Graphs, Kind, Memory, Options, with_default};
use crate::plan::SessionSpec;

pub(super) const KIND: Kind = Kind {
    identifier: "OpenVINOExecutionProvider",
    build: Some("openvino"),
    memory: Memory::Host,
    graphs: Graphs::None,
    options,
    dispatch,
};

/// `--device` counts GPUs; without it the build's own default holds, which is the CPU in the official one. OpenVINO has
/// threads of its own, and gets as many as the session's.
fn options(spec: &SessionSpec) -> Options {
    let gpu = spec.provider.device.map(|device| format!("GPU.{device}"));
    let options = with_default(&spec.provider.options, "device_type", gpu);
    with_default(&options, "num_of_threads", Some(spec.options.intra_threads))
}

fn dispatch(options: &Options) -> Vec<ExecutionProviderDispatch> {
    let with = |provider: OpenVINO, (key, value): (&String, &String)| provider.with_arbitrary_config(key, value);
    vec![options.iter().fold(OpenVINO::default(), with).build().error_on_failure()]
}

/// What to do about a message of OpenVINO.
pub(super) fn hint(message: &str) -> Option<String> {
    (message.contains("OpenVINO") && message.contains("is not available"))
        .then(|| "leave out `--device` and `device_type` to run on the CPU; OpenVINO finds no such device here".into())
}

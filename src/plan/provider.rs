//! Execution providers: what they are called, and how a session asks for one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// ONNX Runtime's identifier of the execution provider that every library has.
pub const CPU_PROVIDER: &str = "CPUExecutionProvider";

/// What the identifiers of ONNX Runtime's own execution providers end with.
const SUFFIX: &str = "ExecutionProvider";

/// Short names, and ONNX Runtime's identifiers.
const NAMES: [(&str, &str); 17] = [
    ("cpu", CPU_PROVIDER),
    ("cuda", "CUDAExecutionProvider"),
    ("tensorrt", "TensorrtExecutionProvider"),
    ("openvino", "OpenVINOExecutionProvider"),
    ("dnnl", "DnnlExecutionProvider"),
    ("xnnpack", "XnnpackExecutionProvider"),
    ("acl", "ACLExecutionProvider"),
    ("azure", "AzureExecutionProvider"),
    ("cann", "CANNExecutionProvider"),
    ("coreml", "CoreMLExecutionProvider"),
    ("dml", "DmlExecutionProvider"),
    ("migraphx", "MIGraphXExecutionProvider"),
    ("nvtensorrtrtx", "NvTensorRTRTXExecutionProvider"),
    ("qnn", "QNNExecutionProvider"),
    ("rocm", "ROCMExecutionProvider"),
    ("vitisai", "VitisAIExecutionProvider"),
    ("webgpu", "WebGpuExecutionProvider"),
];

/// Other short names in use, and those above.
const OTHER_NAMES: [(&str, &str); 2] = [("trt", "tensorrt"), ("onednn", "dnnl")];

/// How the execution provider of a session is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderSpec {
    /// Index of the device, as the execution provider counts; absent: its default.
    pub device: Option<u64>,
    /// Options as asked for, by the execution provider's own keys.
    pub options: BTreeMap<String, String>,
    /// Library that brings the execution provider; absent: ONNX Runtime's own has it.
    pub library: Option<PathBuf>,
    /// Whether a node that runs on another execution provider is an error.
    pub required: bool,
}

/// Where inputs and outputs of a timed inference lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In host memory: copies to the device and back are part of the latency.
    #[default]
    Host,
    /// In the device's memory, copied there beforehand: the latency is that of the computation alone.
    Device,
}

/// ONNX Runtime's identifier of an execution provider: `cpu` is `CPUExecutionProvider`.
///
/// Short names and the identifiers known here are recognized whatever their case; any other word is an identifier if
/// it ends like one, and else the beginning of one.
#[must_use]
pub fn provider_identifier(word: &str) -> String {
    let same = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let short = OTHER_NAMES.iter().find(|(other, _)| same(other, word)).map_or(word, |(_, short)| short);
    match NAMES.iter().find(|(name, identifier)| same(name, short) || same(identifier, short)) {
        Some((_, identifier)) => (*identifier).to_owned(),
        None if word.ends_with(SUFFIX) => word.to_owned(),
        None => format!("{word}{SUFFIX}"),
    }
}

/// The short name of an execution provider: `cuda` for `CUDAExecutionProvider`. A plug-in keeps its own name.
#[must_use]
pub fn provider_short_name(identifier: &str) -> String {
    match NAMES.iter().find(|(_, known)| *known == identifier) {
        Some((name, _)) => (*name).to_owned(),
        None => identifier.strip_suffix(SUFFIX).map_or_else(|| identifier.to_owned(), str::to_lowercase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_identifiers_lead_to_identifiers() {
        for (word, identifier) in [
            ("cpu", "CPUExecutionProvider"),
            ("CUDA", "CUDAExecutionProvider"),
            ("cudaexecutionprovider", "CUDAExecutionProvider"),
            ("trt", "TensorrtExecutionProvider"),
            ("TensorRT", "TensorrtExecutionProvider"),
            ("openvino", "OpenVINOExecutionProvider"),
            ("oneDNN", "DnnlExecutionProvider"),
            ("Foo", "FooExecutionProvider"),
            ("BarExecutionProvider", "BarExecutionProvider"),
        ] {
            assert_eq!(provider_identifier(word), identifier, "{word}");
        }
    }

    #[test]
    fn identifiers_have_short_names() {
        assert_eq!(provider_short_name("CUDAExecutionProvider"), "cuda");
        assert_eq!(provider_short_name("TensorrtExecutionProvider"), "tensorrt");
        assert_eq!(provider_short_name("FooExecutionProvider"), "foo");
        assert_eq!(provider_short_name("My_Plugin"), "My_Plugin");
    }

    #[test]
    fn every_short_name_leads_back_to_itself() {
        for (name, identifier) in NAMES {
            assert_eq!(provider_short_name(&provider_identifier(name)), name);
            assert_eq!(provider_identifier(identifier), identifier);
        }
    }
}

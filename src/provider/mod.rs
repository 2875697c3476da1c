//! Execution providers: what is known of each before a library is opened. How ONNX Runtime is told
//! of them is `engine`'s.
//!
//! One file each, and [`ALL`], the one list of them; nothing else names one by its identifier. What
//! none of them is called is an execution provider all the same, of which nothing is known. Read
//! [`ExecutionProvider`] first.

mod build;
pub mod cpu;
pub mod cuda;
mod known;
pub mod openvino;
mod others;
pub mod tensorrt;

pub use build::Build;
pub use cpu::CPU_PROVIDER;
pub use known::{
    DeviceOption, ExecutionProvider, Graphs, Hardware, HostWork, InCpp, InRust, Memory, OptionKeys,
    Options,
};

/// The execution providers whose names are known. One that builds on another comes after it.
pub static ALL: &[ExecutionProvider] = &[
    cpu::PROVIDER,
    cuda::PROVIDER,
    tensorrt::PROVIDER,
    openvino::PROVIDER,
    others::AZURE,
    others::DNNL,
    others::NV_TENSORRT_RTX,
    others::XNNPACK,
    ExecutionProvider::named("ACLExecutionProvider", &["acl"]),
    ExecutionProvider::of_device("CANNExecutionProvider", &["cann"]),
    ExecutionProvider::named("CoreMLExecutionProvider", &["coreml"]),
    ExecutionProvider::of_device("DmlExecutionProvider", &["dml"]),
    ExecutionProvider::of_device("MIGraphXExecutionProvider", &["migraphx"]),
    ExecutionProvider::named("QNNExecutionProvider", &["qnn"]),
    ExecutionProvider::of_device("ROCMExecutionProvider", &["rocm"]),
    ExecutionProvider::named("VitisAIExecutionProvider", &["vitisai"]),
    ExecutionProvider::of_device("WebGpuExecutionProvider", &["webgpu"]),
];

/// End of the identifiers of ONNX Runtime's own execution providers.
const SUFFIX: &str = "ExecutionProvider";

/// Facts that hold for an execution provider of which nothing is known.
static UNKNOWN: ExecutionProvider = ExecutionProvider::named("", &[]);

/// Known facts about an execution provider: for one that is not in [`ALL`] those that can be taken
/// for granted, without a name.
#[must_use]
pub fn known(identifier: &str) -> &'static ExecutionProvider {
    ALL.iter()
        .find(|known| known.identifier == identifier)
        .unwrap_or(&UNKNOWN)
}

/// ONNX Runtime's identifier of an execution provider: `cpu` is `CPUExecutionProvider`.
///
/// Short names and the identifiers known here are recognized whatever their case; any other word is
/// an identifier if it ends like one, and else the beginning of one.
#[must_use]
pub fn identifier(word: &str) -> String {
    let known = ALL.iter().find(|known| {
        known
            .names
            .iter()
            .chain([&known.identifier])
            .any(|name| name.eq_ignore_ascii_case(word))
    });
    match known {
        Some(known) => known.identifier.to_owned(),
        None if word.ends_with(SUFFIX) => word.to_owned(),
        None => format!("{word}{SUFFIX}"),
    }
}

/// The short name of an execution provider: `cuda` for `CUDAExecutionProvider`. A plug-in keeps its
/// own name.
#[must_use]
pub fn short_name(identifier: &str) -> String {
    match known(identifier).names {
        [name, ..] => (*name).to_owned(),
        [] => identifier
            .strip_suffix(SUFFIX)
            .map_or_else(|| identifier.to_owned(), str::to_lowercase),
    }
}

/// The official build that has these execution providers.
#[must_use]
pub fn build_with<'a>(identifiers: impl IntoIterator<Item = &'a str>) -> Build {
    let identifiers: Vec<&str> = identifiers.into_iter().collect();
    ALL.iter()
        .filter(|known| identifiers.contains(&known.identifier))
        .find_map(|known| known.build.filter(|build| *build != Build::Cpu))
        .unwrap_or_default()
}

/// Remedy for a message of an execution provider; absent where none is known.
#[must_use]
pub fn hint(message: &str) -> Option<String> {
    ALL.iter().rev().find_map(|known| (known.hint)(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_and_identifiers_lead_to_identifiers() {
        for (word, expected) in [
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
            assert_eq!(identifier(word), expected, "{word}");
        }
    }

    #[test]
    fn every_name_leads_back_to_its_own_execution_provider_and_identifiers_have_short_ones() {
        for known in ALL {
            for name in known.names.iter().chain([&known.identifier]) {
                assert_eq!(identifier(name), known.identifier);
            }
            assert_eq!(short_name(known.identifier), known.names[0]);
        }
        let words = [
            "CUDAExecutionProvider",
            "TensorrtExecutionProvider",
            "FooExecutionProvider",
            "My_Plugin",
        ];
        assert_eq!(
            words.map(short_name),
            ["cuda", "tensorrt", "foo", "My_Plugin"]
        );
    }

    #[test]
    fn what_an_execution_provider_builds_on_has_the_second_word() {
        let message = "libonnxruntime_providers_tensorrt.so: libnvinfer.so.10: cannot open shared object file";
        assert!(
            hint(message)
                .unwrap()
                .starts_with("TensorRT is no part of the build")
        );
        assert!(
            hint("libonnxruntime_providers_tensorrt.so: libcudart.so.12")
                .unwrap()
                .contains("cuda@VERSION")
        );
        assert_eq!(hint("something else"), None);
    }

    #[test]
    fn providers_are_known_by_build_and_memory() {
        assert_eq!(
            [
                "TensorrtExecutionProvider",
                "OpenVINOExecutionProvider",
                "FooExecutionProvider",
            ]
            .map(|name| known(name).build),
            [Some(Build::Cuda), Some(Build::OpenVino), None]
        );
        assert_eq!(known("CUDAExecutionProvider").memory, Memory::Cuda);
        assert_eq!(
            known("CUDAExecutionProvider").graphs,
            Graphs::PerShape("enable_cuda_graph")
        );
        assert_eq!(known("FooExecutionProvider").graphs, Graphs::None);
        assert_eq!(known("OpenVINOExecutionProvider").memory, Memory::Host);
    }
}

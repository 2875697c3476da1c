//! NVIDIA GPUs through CUDA.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::build::Build;
use super::known::{ExecutionProvider, Graphs, Hardware, InCpp, InRust, Memory, OptionKeys};
use crate::text::joined;

const GPUS: &str = "/proc/driver/nvidia/gpus";

/// Facts about the CUDA execution provider.
pub const PROVIDER: ExecutionProvider = ExecutionProvider {
    build: Some(Build::Cuda),
    hardware: Hardware::NvidiaGpu,
    memory: Memory::Cuda,
    graphs: Graphs::PerShape("enable_cuda_graph"),
    options: OptionKeys {
        short_floats: Some("use_tf32"),
        ..IN_GENERAL.options
    },
    in_rust: Some(InRust {
        name: "CUDA",
        feature: Some("cuda"),
    }),
    in_cpp: InCpp::Struct("CUDA"),
    hint,
    ..IN_GENERAL
};

const IN_GENERAL: ExecutionProvider =
    ExecutionProvider::of_device("CUDAExecutionProvider", &["cuda"]);

/// Signs in its messages, and what to do about the first that is there.
const REMEDIES: [(&[&str], &str); 4] = [
    (
        &["driver version is insufficient", "CUDA failure 35"],
        "update NVIDIA's driver, or use a build for an older CUDA with `--runtime`",
    ),
    (
        &[
            "no CUDA-capable device",
            "CUDA failure 100",
            "CUDA_ERROR_NO_DEVICE",
            "libcuda.so",
        ],
        "there is no NVIDIA GPU with a driver here: check with `nvidia-smi`, install NVIDIA's driver, or in a container \
         give it the GPUs (`docker run --gpus all`); the same library runs with `--ep cpu`",
    ),
    (
        &["graph capture feature"],
        "leave out `--ep-option enable_cuda_graph`: not all of the model can be captured",
    ),
    (
        &[
            "providers_cuda",
            "providers_tensorrt",
            "libcublas",
            "libcudnn",
            "libcudart",
            "libcufft",
        ],
        "the build's own libraries are not all found: install it with `onnxprof runtime install cuda@VERSION`, or \
         put their folders into LD_LIBRARY_PATH",
    ),
];

fn says(message: &str, signs: &[&str]) -> bool {
    signs
        .iter()
        .any(|sign| message.contains(&sign.to_lowercase()))
}

fn hint(message: &str) -> Option<String> {
    // Its own words differ in their case from one version to the next.
    let message = message.to_lowercase();
    if says(&message, &["invalid device ordinal", "invalid device id"]) {
        return Some(match &gpus(Path::new(GPUS))[..] {
            [] => "this machine's NVIDIA driver lists no GPU".into(),
            gpus => format!("choose one of these with `--device`: {}", joined(gpus)),
        });
    }
    let remedy = REMEDIES.iter().find(|(signs, _)| says(&message, signs));
    remedy.map(|(_, remedy)| (*remedy).to_owned())
}

/// The GPUs that the driver lists in the order of their bus addresses, with their numbers: `0
/// (NVIDIA H100)`.
fn model(address: &Path) -> String {
    fs::read_to_string(address.join("information"))
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("Model:"))
        .map_or("unknown", str::trim)
        .to_owned()
}

fn gpus(folder: &Path) -> Vec<String> {
    let addresses: BTreeSet<_> = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    addresses
        .iter()
        .map(|address| model(address))
        .enumerate()
        .map(|(number, model)| format!("{number} ({model})"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_listed_as_the_driver_describes_them() {
        let folder = tempfile::tempdir().unwrap();
        for (address, model) in [
            ("0000:81:00.0", "NVIDIA L4"),
            ("0000:01:00.0", "NVIDIA A10"),
        ] {
            let address = folder.path().join(address);
            fs::create_dir(&address).unwrap();
            fs::write(
                address.join("information"),
                format!("Model: \t\t {model}\nIRQ: 1\n"),
            )
            .unwrap();
        }
        assert_eq!(gpus(folder.path()), ["0 (NVIDIA A10)", "1 (NVIDIA L4)"]);
        assert_eq!(gpus(Path::new("/no/such/folder")), Vec::<String>::new());
    }

    #[test]
    fn messages_of_cuda_have_remedies() {
        for (message, words) in [
            (
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version",
                "driver",
            ),
            (
                "CUDA failure 100: no CUDA-capable device is detected",
                "nvidia-smi",
            ),
            (
                "Failed to load library libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open \
                 shared object file: No such file or directory",
                "install NVIDIA's driver",
            ),
            ("CUDA failure 101: invalid device ordinal ; GPU=99", "GPU"),
            (
                "Invalid device ID: 5, must be between 0 (inclusive) and 1 (exclusive).",
                "GPU",
            ),
            (
                "libcublasLt.so.13: cannot open shared object file",
                "LD_LIBRARY_PATH",
            ),
        ] {
            assert!(hint(message).unwrap().contains(words), "{message}");
        }
        assert_eq!(hint("something else"), None);
    }
}

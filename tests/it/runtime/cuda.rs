//! The CUDA libraries that the GPU build needs, with wheels made here: no real one is downloaded.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use super::{DEFAULT, compile, which};
use crate::support::wheels::{Wheel, Wheels, names};
use crate::support::{BAD_INPUT, Onnxprof, library, model};

const RELEASE: &str = "cuda@1.31.1";
const FOLDER: &str = "cuda-1.31.1";
const PROVIDER: &str = "libonnxruntime_providers_cuda.so";
/// Of a CUDA that there never was, so that no system has them.
const LIBRARIES: [&str; 3] = ["libcudart.so.99", "libcudnn.so.99", "libcublas.so.99"];
const REQUIRES: [&str; 3] = [
    "numpy>=1.21",
    "nvidia-cuda-runtime-cu99~=99.0; extra == \"cuda\"",
    "nvidia-cudnn-cu99~=9.0; extra == \"cudnn\"",
];

/// A folder with the CUDA libraries, their paths, and in a folder of its own the execution provider
/// that needs them.
struct Cuda {
    system: TempDir,
    libraries: Vec<PathBuf>,
    elsewhere: TempDir,
}

impl Cuda {
    fn new() -> Self {
        let [system, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let libraries = LIBRARIES.map(|name| system.path().join(name)).to_vec();
        for path in &libraries {
            compile(path, "int f(void) { return 0; }", &[]);
        }
        compile(
            &elsewhere.path().join(PROVIDER),
            "int g(void) { return 0; }",
            &libraries,
        );
        Cuda {
            system,
            libraries,
            elsewhere,
        }
    }

    fn provider(&self) -> PathBuf {
        self.elsewhere.path().join(PROVIDER)
    }
}

/// An index with the GPU build, whose library is the real one for the CPU, and with the CUDA
/// libraries.
fn index(requires: &[&str]) -> (Wheels, Cuda) {
    let (wheels, cuda) = (Wheels::new(), Cuda::new());
    let (real, provider) = (
        fs::read(library(DEFAULT)).unwrap(),
        fs::read(cuda.provider()).unwrap(),
    );
    let files: [(&str, &[u8]); 3] = [
        ("onnxruntime/capi/libonnxruntime.so.1.31.1", &real),
        (
            "onnxruntime/capi/libonnxruntime_providers_cuda.so",
            &provider,
        ),
        (
            "onnxruntime/capi/libonnxruntime_providers_shared.so",
            b"shared",
        ),
    ];
    wheels.runtime("onnxruntime-gpu", DEFAULT, requires, &files);
    let packages = [
        (
            "nvidia-cuda-runtime-cu99",
            "99.1.2",
            "nvidia/cuda_runtime/lib/libcudart.so.99",
            &[][..],
        ),
        (
            "nvidia-cudnn-cu99",
            "9.8.7",
            "nvidia/cudnn/lib/libcudnn.so.99",
            &["nvidia-cublas-cu99", "nvidia-open-cu99"][..],
        ),
        (
            "nvidia-cublas-cu99",
            "99.1.2",
            "nvidia/cublas/lib/libcublas.so.99",
            &[][..],
        ),
        (
            "nvidia-cublas-cu99",
            "100.0.0",
            "nvidia/cublas/lib/libcublas.so.100",
            &[][..],
        ),
        (
            "nvidia-nvjitlink-cu99",
            "99.1.2",
            "nvidia/nvjitlink/lib/libnvJitLink.so.99",
            &[][..],
        ),
        (
            "nvidia-open-cu99",
            "1.0.0",
            "nvidia/open/lib/libopen.so.1",
            &[][..],
        ),
    ];
    for (package, version, entry, requires) in packages {
        let name = entry.rsplit('/').next().unwrap();
        let content = fs::read(cuda.system.path().join(name)).unwrap_or_else(|_| name.into());
        let files: [(&str, &[u8]); 2] =
            [(entry, &content), ("nvidia/include/cuda.h", b"// header")];
        let tags = "py3-none-manylinux2014_x86_64".into();
        wheels.add(&Wheel {
            package,
            version,
            tags,
            requires,
            files: &files,
        });
    }
    (wheels, cuda)
}

#[test]
fn the_cuda_libraries_come_with_the_build() {
    let (wheels, _cuda) = index(&REQUIRES);
    let output = wheels.command(&["install", RELEASE]).run();
    let needed = "it needs: nvidia-cuda-runtime-cu99~=99.0, nvidia-cudnn-cu99~=9.0, nvidia-cublas-cu99~=99.0, \
                  nvidia-nvjitlink-cu99~=99.0\n";
    output
        .assert_code(0)
        .assert_stderr("downloading more than 1 GB of CUDA libraries that ")
        .assert_stderr(needed);
    let folder = wheels.folder(FOLDER);
    let packages = [
        "cublas_cu99-99.1.2",
        "cuda_runtime_cu99-99.1.2",
        "cudnn_cu99-9.8.7",
        "nvjitlink_cu99-99.1.2",
    ];
    let mut kept: Vec<String> = packages
        .map(|name| format!("nvidia_{name}-LICENSE.txt"))
        .into();
    kept.extend(LIBRARIES.map(str::to_owned));
    kept.extend(
        [
            "libnvJitLink.so.99",
            "libopen.so.1",
            "nvidia_open_cu99-1.0.0-LICENSE.txt",
        ]
        .map(str::to_owned),
    );
    kept.sort();
    assert_eq!(names(&folder.join("cuda")), kept);
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["companions"].as_array().unwrap().len(), 5);
    assert_eq!(manifest["files"].as_array().unwrap().len(), 3 + kept.len());
    assert_eq!(wheels.names(), [".lock", FOLDER]);
    let listed = wheels
        .command(&["list", "--json"])
        .run()
        .assert_code(0)
        .data();
    assert_eq!(listed[0]["build"], "cuda");
    assert_eq!(listed[0]["missing_libraries"], Value::Array(Vec::new()));
    fs::remove_file(folder.join("cuda/libcudnn.so.99")).unwrap();
    wheels
        .command(&["list"])
        .run()
        .assert_code(BAD_INPUT)
        .assert_stdout("`cuda/libcudnn.so.99` is unreadable");
}

#[test]
fn the_systems_cuda_libraries_are_taken_where_they_are() {
    let (wheels, cuda) = index(&REQUIRES);
    let with_system = |words: &[&str]| {
        wheels
            .command(words)
            .env("LD_LIBRARY_PATH", cuda.system.path())
    };
    let output = with_system(&["install", RELEASE]).run();
    output
        .assert_code(0)
        .assert_stderr("using the CUDA libraries of this system, and downloading none: `");
    assert!(!wheels.folder(FOLDER).join("cuda").exists());
    with_system(&["which", "--runtime", RELEASE])
        .run()
        .assert_code(0);
    let output = wheels.command(&["which", "--runtime", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "1.31.1 for CUDA is not installed",
        "runtime install cuda@1.31.1",
    );
    let listed = wheels.command(&["list"]).run();
    listed
        .assert_code(BAD_INPUT)
        .assert_stdout("libcudart.so.99, libcudnn.so.99, libcublas.so.99");
    let output = wheels.command(&["install", RELEASE]).run();
    output
        .assert_code(0)
        .assert_stderr("is not as it was installed")
        .assert_stderr("of CUDA libraries that it needs");
    wheels
        .command(&["which", "--runtime", RELEASE])
        .run()
        .assert_code(0);
}

#[test]
fn libraries_that_nobody_has_are_named() {
    for (requires, missing) in [
        (
            &REQUIRES[..1],
            "libcudart.so.99, libcudnn.so.99, libcublas.so.99\n",
        ),
        (&REQUIRES[..2], "libcudnn.so.99\n"),
    ] {
        let (wheels, _cuda) = index(requires);
        let output = wheels.command(&["install", RELEASE]).run();
        output.assert_error(
            BAD_INPUT,
            "that neither its wheels nor this system have: ",
            "`ldconfig -p`",
        );
        output.assert_stderr(missing);
        assert_eq!(wheels.names(), [".lock"]);
    }
}

#[test]
fn a_cuda_library_that_the_index_lacks_is_named_with_the_remedy() {
    let (wheels, _cuda) = index(&["nvidia-cuda-runtime-cu99~=98.0; extra == \"cuda\""]);
    let output = wheels.command(&["install", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "asks for CUDA libraries that the package index does not have",
        "list --remote",
    );
    output.assert_stderr("No matching distribution found for nvidia-cuda-runtime-cu99~=98.0");
}

#[test]
fn a_gpu_build_without_its_execution_provider_is_refused() {
    let wheels = Wheels::new();
    wheels.runtime(
        "onnxruntime-gpu",
        DEFAULT,
        &[],
        &[("onnxruntime/capi/libonnxruntime.so.1.31.1", b"library")],
    );
    let output = wheels.command(&["install", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "it has no `libonnxruntime_providers_cuda.so`",
        "which index pip uses",
    );
}

#[test]
fn a_gpu_build_of_ones_own_tells_which_libraries_it_lacks() {
    let (cuda, own) = (Cuda::new(), tempfile::tempdir().unwrap());
    fs::copy(
        library(DEFAULT),
        own.path().join("libonnxruntime.so.1.31.1"),
    )
    .unwrap();
    fs::copy(cuda.provider(), own.path().join(PROVIDER)).unwrap();
    which(own.path())
        .assert_code(0)
        .assert_stderr("libcudart.so.99, libcudnn.so.99, libcublas.so.99 are neither");
    for path in &cuda.libraries {
        fs::copy(path, own.path().join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(which(own.path()).assert_code(0).stderr, "");
}

#[test]
fn children_find_the_libraries_beside_a_provider() {
    let (cuda, own) = (Cuda::new(), tempfile::tempdir().unwrap());
    let path = own.path().join("libonnxruntime.so.1.31.1");
    compile(&path, "int h(void) { return 0; }", &cuda.libraries[..1]);
    which(&path).assert_error(BAD_INPUT, "libcudart.so.99", "official");
    fs::create_dir(own.path().join("cuda")).unwrap();
    for library in &cuda.libraries {
        fs::copy(
            library,
            own.path().join("cuda").join(library.file_name().unwrap()),
        )
        .unwrap();
    }
    fs::copy(cuda.provider(), own.path().join(PROVIDER)).unwrap();
    // It is opened now, and found to be something else.
    which(&path).assert_error(BAD_INPUT, "does not offer `OrtGetApiBase`", "official");
    let profile = Onnxprof::new()
        .arg("profile")
        .arg(model("fixtures/one-node.onnx"))
        .arg("--runtime")
        .arg(&path);
    let output = profile.arg("--out").arg(own.path().join("run")).run();
    output.assert_error(BAD_INPUT, "does not offer `OrtGetApiBase`", "official");
}

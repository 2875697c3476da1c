//! Builds for other execution providers than the CPU's: from wheels made here, and the real one for
//! OpenVINO.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;

use super::{DEFAULT, python, runtime, which, without_network};
use crate::support::wheels::{self, Wheels};
use crate::support::{BAD_INPUT, USAGE, installed, library};

const OPENVINO: &str = "onnxruntime-openvino";
const RELEASE: &str = "openvino@1.30.98";
const FOLDER: &str = "openvino-1.30.98";

/// Adds a build for OpenVINO whose library is the real one for the CPU, with a library under two
/// names.
pub(super) fn add_openvino(wheels: &Wheels, version: &str) {
    let real = fs::read(library(DEFAULT)).unwrap();
    let files: [(&str, &[u8]); 6] = [
        ("onnxruntime/LICENSE", b"as you like"),
        (
            &format!("onnxruntime/capi/libonnxruntime.so.{version}"),
            &real,
        ),
        (
            "onnxruntime/capi/libonnxruntime_providers_openvino.so",
            b"provider",
        ),
        ("onnxruntime/capi/libtbb.so", b"threads"),
        ("onnxruntime/capi/libtbb.so.12", b"threads"),
        (
            "onnxruntime/capi/onnxruntime_pybind11_state.cpython-312-x86_64-linux-gnu.so",
            b"python",
        ),
    ];
    wheels.runtime(OPENVINO, version, &[], &files);
}

fn with_openvino(versions: &[&str]) -> Wheels {
    let wheels = Wheels::new();
    for version in versions {
        add_openvino(&wheels, version);
    }
    wheels
}

/// Wheels of two builds in several versions, which cannot be installed.
fn index() -> Wheels {
    let wheels = Wheels::new();
    for version in ["1.9.0", "1.30.98", "1.31.9", "1.99.0"] {
        wheels.runtime("onnxruntime", version, &[], &[]);
    }
    wheels.runtime(
        OPENVINO,
        "1.24.1",
        &[],
        &[("onnxruntime/capi/libonnxruntime.so.1.24.1", b"evil")],
    );
    wheels
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

#[test]
fn a_build_is_installed_with_every_library_and_without_python() {
    let wheels = with_openvino(&["1.30.98"]);
    let output = wheels.command(&["install", RELEASE]).run();
    output
        .assert_code(0)
        .assert_stderr("installing ONNX Runtime 1.30.98 for OpenVINO with pip");
    output
        .assert_stderr("unpacking `onnxruntime_openvino-1.30.98")
        .assert_stderr(" MB)")
        .assert_stderr(", and takes ");
    let folder = wheels.folder(FOLDER);
    let kept = [
        "LICENSE",
        "libonnxruntime.so.1.30.98",
        "libonnxruntime_providers_openvino.so",
        "libtbb.so",
        "libtbb.so.12",
        "manifest.json",
    ];
    assert_eq!(wheels::names(&folder), kept);
    let inode = |name: &str| fs::metadata(folder.join(name)).unwrap().ino();
    assert_eq!(inode("libtbb.so"), inode("libtbb.so.12"));
    let manifest = manifest(&folder);
    assert_eq!(manifest["build"], "openvino");
    assert_eq!(
        manifest["verified_against"], "nothing",
        "a folder of wheels states no hash"
    );
    output.assert_stderr("was compared with no SHA-256");
    let files = manifest["files"].as_array().unwrap();
    assert_eq!(files.len(), kept.len() - 1);
    let tbb = files
        .iter()
        .find(|file| file["name"] == "libtbb.so.12")
        .unwrap();
    assert_eq!(tbb["size_bytes"], 7);
    // printf threads | sha256sum
    assert_eq!(
        tbb["sha256"],
        "4cc500db62ede737f8f7a8c83c02b5fc5cbcebf26bffc48fb49b4540ffc67306"
    );
}

#[test]
fn a_changed_companion_breaks_the_build_until_it_is_installed_again() {
    let wheels = with_openvino(&["1.30.98"]);
    wheels.command(&["install", RELEASE]).run().assert_code(0);
    let provider = wheels
        .folder(FOLDER)
        .join("libonnxruntime_providers_openvino.so");
    fs::File::options()
        .append(true)
        .open(&provider)
        .unwrap()
        .write_all(b"x")
        .unwrap();
    let output = wheels.command(&["which", "--runtime", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "1.30.98 for OpenVINO is not installed",
        "runtime install openvino@1.30.98",
    );
    let output = wheels.command(&["list"]).run();
    output
        .assert_code(BAD_INPUT)
        .assert_stdout("the size of `libonnxruntime_providers_openvino.so`");
    wheels
        .command(&["install", RELEASE])
        .run()
        .assert_code(0)
        .assert_stderr("is not as it was installed");
    fs::remove_file(wheels.folder(FOLDER).join("libtbb.so.12")).unwrap();
    wheels
        .command(&["list"])
        .run()
        .assert_code(BAD_INPUT)
        .assert_stdout("`libtbb.so.12` is unreadable");
}

#[test]
fn other_builds_are_used_only_where_they_are_asked_for() {
    let wheels = with_openvino(&["1.30.98"]);
    wheels.command(&["install", RELEASE]).run().assert_code(0);
    wheels.command(&["which"]).run().assert_error(
        BAD_INPUT,
        "1.31.1 for the CPU is not installed",
        "cpu@1.31.1",
    );
    let listed = wheels
        .command(&["list", "--json"])
        .run()
        .assert_code(0)
        .data();
    assert_eq!(listed[0]["build"], "openvino");
    assert_eq!(listed[0]["used_because"], Value::Null);
    assert!(
        listed[0]["size_bytes"].as_u64().unwrap() > 10_000_000,
        "{listed}"
    );
    assert_eq!(listed[0]["missing_libraries"], Value::Array(Vec::new()));
}

#[test]
fn latest_is_the_newest_that_the_index_has() {
    let wheels = with_openvino(&["1.30.98", "1.29.0"]);
    let output = wheels
        .command(&["which", "--runtime", "openvino@latest"])
        .run();
    output.assert_error(
        BAD_INPUT,
        "1.30.98 for OpenVINO is not installed",
        "runtime install openvino@1.30.98",
    );
    wheels
        .command(&["install", "openvino@latest"])
        .run()
        .assert_code(0);
    assert_eq!(wheels.names(), [".lock", FOLDER]);
    let output = wheels
        .command(&["which", "--runtime", "openvino@latest"])
        .run();
    output
        .assert_code(0)
        .assert_stdout("asked for by --runtime, in the cache")
        .assert_stdout(FOLDER);
    wheels.runtime(OPENVINO, "1.99.0", &[], &[]);
    let output = wheels
        .command(&["which", "--runtime", "openvino@latest"])
        .run();
    output.assert_error(
        BAD_INPUT,
        "1.99.0 for OpenVINO is not installed",
        "runtime install openvino@1.99.0",
    );
}

#[test]
fn latest_of_an_index_with_nothing_that_can_be_loaded_is_an_error() {
    let wheels = Wheels::new();
    wheels.runtime(OPENVINO, "1.22.0", &[], &[]);
    let output = wheels.command(&["install", "openvino@latest"]).run();
    output.assert_error(
        BAD_INPUT,
        "from 1.23 on, the oldest that onnxprof loads",
        "openvino@VERSION",
    );
}

#[test]
fn what_the_index_has_is_listed_newest_first_and_without_what_cannot_be_loaded() {
    let wheels = index();
    let output = wheels.command(&["list", "--remote", "--json"]).run();
    output
        .assert_code(0)
        .assert_stderr("pip found no ONNX Runtime for CUDA");
    let listed = output.data();
    let row = |row: &Value| {
        (
            row["request"].as_str().unwrap().to_owned(),
            row["latest"].as_bool().unwrap(),
        )
    };
    let rows: Vec<(String, bool)> = listed.as_array().unwrap().iter().map(row).collect();
    let expected = [
        ("cpu@1.99.0", true),
        ("cpu@1.31.9", false),
        ("cpu@1.30.98", false),
        ("openvino@1.24.1", true),
    ];
    assert_eq!(
        rows,
        expected.map(|(request, latest)| (request.to_owned(), latest))
    );
    let output = wheels.command(&["list", "--remote"]).run();
    output
        .assert_code(0)
        .assert_stdout("cpu@1.99.0       latest\n")
        .assert_stdout("openvino@1.24.1  latest\n");
}

#[test]
fn what_is_installed_is_marked_in_the_list_of_what_can_be() {
    let wheels = with_openvino(&["1.30.98"]);
    wheels.command(&["install", RELEASE]).run().assert_code(0);
    let output = wheels.command(&["list", "--remote"]).run();
    output
        .assert_code(0)
        .assert_stdout("openvino@1.30.98  latest, installed\n");
}

#[test]
fn an_index_that_cannot_be_reached_lists_nothing_and_is_an_error() {
    let output = without_network(runtime(["list", "--remote"])).run();
    output.assert_error(BAD_INPUT, "Connection refused", "check the network");
}

#[test]
fn an_unknown_version_of_a_build_lists_those_of_that_build() {
    let output = index().command(&["install", "openvino@1.99.0"]).run();
    let hint = "use one of those that there are: 1.24.1";
    output.assert_error(BAD_INPUT, "has no ONNX Runtime 1.99.0 for OpenVINO", hint);
}

#[test]
fn an_unknown_build_lists_the_builds() {
    let builds = "`cpu@VERSION`, `cuda@VERSION`, `openvino@VERSION`";
    which("gpu@1.31.1").assert_error(BAD_INPUT, "there is no build `gpu`", builds);
}

#[test]
fn a_wheel_of_a_build_that_is_not_the_published_one_is_refused() {
    let wheels = index();
    let output = wheels.command(&["install", "openvino@1.24.1"]).run();
    output.assert_error(
        BAD_INPUT,
        "is not the published file",
        "which index pip uses",
    );
    output.assert_stderr(", a download of 84 MB");
    assert_eq!(wheels.names(), [".lock"]);
}

#[test]
fn what_pip_says_of_hashes_and_full_disks_is_understood() {
    let full = "Could not install packages due to an OSError: [Errno 28] No space left on device";
    for (said, message, hint) in [
        (
            "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "its SHA-256 is not the one",
            "which index",
        ),
        (full, "no space left", "make room"),
    ] {
        let cache = tempfile::tempdir().unwrap();
        let pip = python(&format!(
            r#"case "$*" in *--version*) exit 0;; esac; echo "ERROR: {said}" >&2; exit 1"#
        ));
        let path =
            std::env::join_paths([pip.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let install = runtime(["install", "openvino@1.24.1"])
            .env("PATH", path)
            .env("ONNXPROF_CACHE", cache.path());
        install.run().assert_error(BAD_INPUT, message, hint);
        assert_eq!(super::names(&cache), [".lock"]);
    }
}

#[test]
fn a_release_is_removed_and_can_be_installed_again() {
    let wheels = with_openvino(&["1.30.98"]);
    wheels.command(&["install", RELEASE]).run().assert_code(0);
    let output = wheels.command(&["remove", RELEASE]).run();
    output
        .assert_code(0)
        .assert_stdout(FOLDER)
        .assert_stderr("1.30.98 for OpenVINO is removed, which took ");
    assert_eq!(wheels.names(), [".lock"]);
    wheels.command(&["install", RELEASE]).run().assert_code(0);
    assert_eq!(wheels.names(), [".lock", FOLDER]);
}

#[test]
fn removing_what_is_not_there_says_what_is() {
    let wheels = Wheels::new();
    let output = wheels.command(&["remove", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "1.30.98 for OpenVINO is not installed",
        "nothing is installed",
    );
    fs::create_dir_all(wheels.folder("cpu-1.30.98")).unwrap();
    let output = wheels.command(&["remove", RELEASE]).run();
    output.assert_error(
        BAD_INPUT,
        "1.30.98 for OpenVINO is not installed",
        "name one that is: `cpu@1.30.98`",
    );
    for words in ["openvino@latest", "/usr/lib"] {
        let output = wheels.command(&["remove", words]).run();
        output.assert_error(
            USAGE,
            "is not a build and version in the cache",
            "runtime list",
        );
    }
}

#[test]
fn the_real_build_for_openvino_offers_its_execution_provider() {
    let path = installed("openvino@1.24.1");
    let output = runtime(["which", "--json", "--runtime", "openvino@1.24.1"]).run();
    let described = output.assert_code(0).data();
    assert_eq!(described["path"], path.to_str().unwrap());
    assert_eq!(described["version"], "1.24.1");
    assert_eq!(described["build"], "openvino");
    assert!(
        super::providers(&described).contains(&"OpenVINOExecutionProvider"),
        "{output}"
    );
    let folder = path.parent().unwrap();
    assert_eq!(manifest(folder)["verified_against"], "pinned");
    for name in [
        "libopenvino.so.2541",
        "libopenvino_intel_cpu_plugin.so",
        "libtbb.so.12",
    ] {
        assert!(folder.join(name).is_file(), "{name}");
    }
}

//! The ONNX Runtime of the Python environment that a user works in.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use onnxprof::units::Nanos;
use tempfile::TempDir;

use super::{DEFAULT, OLDEST, python, runtime};
use crate::support::{Onnxprof, library};
use crate::workbench::{QUICK, Workbench};

/// An environment of Python whose package has these files, links to others.
fn environment(files: &[(&str, &Path)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(capi(&root)).unwrap();
    files
        .iter()
        .for_each(|(name, target)| symlink(target, capi(&root).join(name)).unwrap());
    root
}

fn capi(root: &TempDir) -> PathBuf {
    root.path()
        .join("lib/python3.12/site-packages/onnxruntime/capi")
}

/// `onnxprof runtime` with these words, which looks into environments of Python.
fn looking<const N: usize>(words: [&str; N]) -> Onnxprof {
    runtime(words)
        .env_remove("ONNXPROF_PYTHON")
        .env("PATH", "/nonexistent")
}

#[test]
fn library_of_an_active_environment_comes_before_the_cache() {
    let default = library(DEFAULT);
    let root = environment(&[("libonnxruntime.so.1.23.2", &library(OLDEST))]);
    for variable in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let output = looking(["which"]).env(variable, root.path()).run();
        output
            .assert_code(0)
            .assert_stdout(capi(&root).to_str().unwrap())
            .assert_stdout(OLDEST);
        output.assert_stdout(&format!(
            "the package of the active Python environment ({variable})"
        ));
    }
    let listed = looking(["list"]).env("VIRTUAL_ENV", root.path()).run();
    listed
        .assert_code(0)
        .assert_stdout("* is used: the package of the active")
        .assert_stdout("VIRTUAL_ENV");
    let output = looking(["which"])
        .env("VIRTUAL_ENV", root.path())
        .env("ORT_DYLIB_PATH", &default)
        .run();
    output
        .assert_code(0)
        .assert_stdout("named by ORT_DYLIB_PATH");
}

#[test]
fn library_of_the_python_on_the_path_is_found_by_asking_it() {
    let root = environment(&[("libonnxruntime.so.1.23.2", &library(OLDEST))]);
    let packages = capi(&root).join("../..").canonicalize().unwrap();
    let interpreter = python(&format!("echo {}", packages.display()));
    let output = looking(["which"]).env("PATH", interpreter.path()).run();
    output
        .assert_code(0)
        .assert_stdout("the package of the python3 on PATH")
        .assert_stdout(OLDEST);
}

#[test]
fn package_that_cannot_be_used_is_said_and_the_cache_is_taken() {
    library(DEFAULT);
    for (file, why) in [
        ("onnxruntime_pybind11_state.so", "has no shared library"),
        (
            "libonnxruntime.so.1.19.2",
            "ONNX Runtime 1.19.2 is older than 1.23",
        ),
        ("libonnxruntime.so", "as a shared library"),
    ] {
        let root = environment(&[]);
        std::fs::write(capi(&root).join(file), "no library").unwrap();
        let output = looking(["which"]).env("VIRTUAL_ENV", root.path()).run();
        output
            .assert_code(0)
            .assert_stdout("the default, in the cache; the onnxruntime of the active Python");
        output.assert_stdout(why);
        looking(["list"])
            .env("VIRTUAL_ENV", root.path())
            .run()
            .assert_code(0)
            .assert_stdout("unusable: ");
    }
}

#[test]
fn environments_without_the_package_change_nothing() {
    library(DEFAULT);
    let empty = tempfile::tempdir().unwrap();
    let silent = python("exit 1");
    let output = looking(["which"])
        .env("VIRTUAL_ENV", empty.path())
        .env("PATH", silent.path())
        .run();
    output
        .assert_code(0)
        .assert_stdout("used because         the default, in the cache\n");
}

#[test]
fn looking_for_the_library_is_time_of_the_run() {
    library(DEFAULT);
    let slow = python("/bin/sleep 2\nexit 1");
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "m.onnx");
    let command = Onnxprof::new()
        .arg("profile")
        .arg(&model)
        .arg("--out")
        .arg(bench.run_folder())
        .args(QUICK);
    let command = command
        .args(["--batch", "1"])
        .env_remove("ONNXPROF_PYTHON")
        .env("PATH", slow.path());
    command.run().assert_code(0);
    let elapsed = bench.record().run.elapsed_ns.unwrap();
    assert!(elapsed >= Nanos(2_000_000_000), "{elapsed:?}");
}

//! `onnxprof runtime`, against real libraries and a real pip.

#[cfg(target_arch = "x86_64")]
mod builds;
#[cfg(target_arch = "x86_64")]
mod cuda;
mod environments;
mod foreign;
#[cfg(target_arch = "x86_64")]
mod index;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::wheels::{self, Wheels};
use crate::support::{BAD_INPUT, Onnxprof, Output, library};
use crate::workbench::wait_until;

const DEFAULT: &str = "1.31.1";
const OLDEST: &str = "1.23.2";

fn runtime<const N: usize>(words: [&str; N]) -> Onnxprof {
    Onnxprof::new().arg("runtime").args(words)
}

fn which(request: impl AsRef<Path>) -> Output {
    runtime(["which", "--runtime"]).arg(request.as_ref()).run()
}

/// Names of everything in the cache's folder of libraries.
fn names(cache: &TempDir) -> Vec<String> {
    wheels::names(&cache.path().join("runtimes"))
}

fn unfinished(cache: &TempDir) -> usize {
    names(cache)
        .iter()
        .filter(|name| name.starts_with(".unfinished-"))
        .count()
}

fn providers(described: &Value) -> Vec<&str> {
    described["execution_providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect()
}

/// A shared library built from C.
fn compiled(folder: &TempDir, source: &str) -> PathBuf {
    let built = folder.path().join("lib.so");
    compile(&built, source, &[]);
    built
}

/// Builds a shared library from C, which needs the libraries `needed` whether it uses them or not.
fn compile(built: &Path, source: &str, needed: &[PathBuf]) {
    let code = built.with_extension("c");
    fs::write(&code, source).unwrap();
    let soname = format!(
        "-Wl,--no-as-needed,-soname,{}",
        built.file_name().unwrap().to_str().unwrap()
    );
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", &soname, "-o"])
        .arg(built)
        .arg(&code)
        .args(needed);
    assert!(compiler.status().unwrap().success());
    fs::remove_file(code).unwrap();
}

/// A folder for `PATH` whose `python3` is the shell script `body`.
fn python(body: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("python3");
    fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn the_oldest_and_the_default_version_load_and_offer_the_cpu_provider() {
    for version in [OLDEST, DEFAULT] {
        let path = library(version);
        let output = runtime(["which", "--json", "--runtime", &format!("cpu@{version}")]).run();
        let described = output.assert_code(0).data();
        assert_eq!(described["path"], path.to_str().unwrap());
        assert_eq!(described["version"], version);
        assert_eq!(
            described["used_because"],
            "asked for by --runtime, in the cache"
        );
        assert!(
            providers(&described).contains(&"CPUExecutionProvider"),
            "{output}"
        );
        assert!(
            described["build_info"]
                .as_str()
                .unwrap()
                .contains("build type=Release"),
            "{output}"
        );
    }
}

#[test]
fn licences_and_a_manifest_stand_beside_the_library() {
    let folder = library(DEFAULT).parent().unwrap().to_owned();
    for name in ["LICENSE", "ThirdPartyNotices.txt", "manifest.json"] {
        assert!(folder.join(name).is_file(), "{name}");
    }
    let manifest: Value =
        serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["verified_against"], "pinned");
}

#[test]
fn the_default_comes_before_other_versions_in_the_cache() {
    library(OLDEST);
    let path = library(DEFAULT);
    runtime(["which"])
        .run()
        .assert_code(0)
        .assert_stdout(path.to_str().unwrap())
        .assert_stdout("the default, in the cache");
    let listed = runtime(["list", "--json"]).run().assert_code(0).data();
    let used: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|library| !library["used_because"].is_null())
        .collect();
    assert!(
        matches!(used[..], [library] if library["version"] == DEFAULT),
        "{listed}"
    );
    runtime(["list"])
        .run()
        .assert_code(0)
        .assert_stdout(OLDEST)
        .assert_stdout("* is used: the default, in the cache");
}

#[test]
fn without_the_default_the_newest_in_the_cache_is_used() {
    let cache = tempfile::tempdir().unwrap();
    fs::create_dir(cache.path().join("runtimes")).unwrap();
    std::os::unix::fs::symlink(
        library(OLDEST).parent().unwrap(),
        cache.path().join("runtimes/cpu-1.23.2"),
    )
    .unwrap();
    let output = runtime(["which"]).env("ONNXPROF_CACHE", cache.path()).run();
    output
        .assert_code(0)
        .assert_stdout("the newest in the cache, where the default 1.31.1 is not");
}

#[test]
fn ort_dylib_path_is_used_before_the_cache_and_after_the_flag() {
    let (older, newer) = (library(OLDEST), library(DEFAULT));
    let output = runtime(["which"]).env("ORT_DYLIB_PATH", &older).run();
    output
        .assert_code(0)
        .assert_stdout("named by ORT_DYLIB_PATH")
        .assert_stdout(older.to_str().unwrap());
    let output = runtime(["which", "--runtime"])
        .arg(&newer)
        .env("ORT_DYLIB_PATH", &older)
        .run();
    output
        .assert_code(0)
        .assert_stdout("given by --runtime")
        .assert_stdout(newer.to_str().unwrap());
    let output = runtime(["list"]).env("ORT_DYLIB_PATH", &older).run();
    output
        .assert_code(0)
        .assert_stdout("* is used: named by ORT_DYLIB_PATH");
}

#[test]
fn a_folder_stands_for_the_library_in_it() {
    let path = library(DEFAULT);
    which(path.parent().unwrap())
        .assert_code(0)
        .assert_stdout(path.to_str().unwrap());
}

#[test]
fn telemetry_is_off_before_a_library_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = compiled(
        &folder,
        "#include <stdlib.h>
         __attribute__((constructor)) static void f(void) { if (!getenv(\"ORT_DISABLE_TELEMETRY\")) abort(); }",
    );
    which(&path).assert_error(BAD_INPUT, "does not offer `OrtGetApiBase`", "official");
}

#[test]
fn an_empty_cache_lists_nothing_and_tells_what_would_be_installed() {
    let cache = tempfile::tempdir().unwrap();
    let output = runtime(["list"]).env("ONNXPROF_CACHE", cache.path()).run();
    assert_eq!(
        output
            .assert_code(0)
            .assert_stderr("installs ONNX Runtime 1.31.1")
            .stdout,
        ""
    );
    assert_eq!(
        runtime(["list", "--json"])
            .env("ONNXPROF_CACHE", cache.path())
            .run()
            .data(),
        json!([])
    );
    let output = runtime(["which"]).env("ONNXPROF_CACHE", cache.path()).run();
    output.assert_error(
        BAD_INPUT,
        "ONNX Runtime 1.31.1 for the CPU is not installed",
        "onnxprof runtime install cpu@1.31.1",
    );
    assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
}

#[test]
fn concurrent_installs_end_with_one_library() {
    let cache = tempfile::tempdir().unwrap();
    let start = |_| {
        runtime(["install"])
            .env("ONNXPROF_CACHE", cache.path())
            .spawn()
    };
    let running: Vec<_> = (0..3).map(start).collect();
    let outputs: Vec<_> = running.into_iter().map(|running| running.wait()).collect();
    for output in &outputs {
        assert_eq!(output.assert_code(0).stdout, outputs[0].stdout);
    }
    let installing = outputs.iter().filter(|output| {
        output
            .stderr
            .contains("installing ONNX Runtime 1.31.1 for the CPU")
    });
    assert_eq!(installing.count(), 1);
    assert_eq!(names(&cache), [".lock", "cpu-1.31.1"]);
}

#[test]
fn an_install_killed_while_pip_downloads_is_cleaned_up_by_the_next() {
    let cache = tempfile::tempdir().unwrap();
    let started = cache.path().join("started");
    let shim = python(
        r#"case "$*" in *--version*) exit 0;; esac; echo $$ > "$STARTED.part"; mv "$STARTED.part" "$STARTED"; exec sleep 60"#,
    );
    let path =
        std::env::join_paths([shim.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let install = || runtime(["install"]).env("ONNXPROF_CACHE", cache.path());
    let running = install().env("PATH", path).env("STARTED", &started).spawn();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !started.exists() {
        assert!(Instant::now() < deadline, "pip was not called");
        std::thread::sleep(Duration::from_millis(5));
    }
    running.kill();
    assert_eq!(unfinished(&cache), 1);
    install().run().assert_code(0);
    assert_eq!(names(&cache), [".lock", "cpu-1.31.1"]);
}

/// Everything in a folder and in those below it.
fn paths(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    entries
        .flat_map(|path| paths(&path).into_iter().chain([path]))
        .collect()
}

#[test]
fn an_install_killed_however_far_it_is_leaves_nothing_broken() {
    let cache = tempfile::tempdir().unwrap();
    let run = |words: [&str; 1]| runtime(words).env("ONNXPROF_CACHE", cache.path());
    for new_paths in [0, 1, 2, 3, 5, 8] {
        let before = paths(cache.path());
        let mut running = run(["install"]).spawn();
        wait_until(|| {
            running.has_ended() || paths(cache.path()).difference(&before).count() >= new_paths
        });
        running.kill();
        run(["list"]).run().assert_code(0);
    }
    run(["install"]).run().assert_code(0);
    run(["which"])
        .run()
        .assert_code(0)
        .assert_stdout("the default, in the cache");
}

#[test]
fn a_changed_library_is_not_used_and_is_installed_again() {
    let cache = tempfile::tempdir().unwrap();
    let run = |words: [&str; 1]| runtime(words).env("ONNXPROF_CACHE", cache.path());
    let path = PathBuf::from(run(["install"]).run().assert_code(0).stdout.trim_end());
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"x")
        .unwrap();
    run(["which"])
        .run()
        .assert_error(BAD_INPUT, "is not installed", "runtime install");
    run(["list"])
        .run()
        .assert_code(BAD_INPUT)
        .assert_stdout("SHA-256")
        .assert_stdout("unusable");
    run(["install"])
        .run()
        .assert_code(0)
        .assert_stderr("is not as it was installed");
    run(["list"]).run().assert_code(0);
    assert_eq!(names(&cache), [".lock", "cpu-1.31.1"]);
}

#[test]
fn an_installed_version_is_not_installed_again() {
    library(DEFAULT);
    let nowhere = tempfile::tempdir().unwrap();
    let output = runtime(["install"]).env("PATH", nowhere.path()).run();
    output
        .assert_code(0)
        .assert_stderr("ONNX Runtime 1.31.1 for the CPU is installed already");
}

#[test]
fn no_pip_is_an_error_with_the_remedy() {
    let empty = tempfile::tempdir().unwrap();
    let output = runtime(["install"])
        .env("PATH", empty.path())
        .env("ONNXPROF_CACHE", empty.path())
        .run();
    output.assert_error(BAD_INPUT, "no working pip", "install Python 3 with pip");
    assert_eq!(names(&empty), [".lock"]);
}

#[test]
fn a_python_without_pip_is_passed_over() {
    let cache = tempfile::tempdir().unwrap();
    let shim = python("exit 1");
    let output = runtime(["install"])
        .env("PATH", shim.path())
        .env("ONNXPROF_CACHE", cache.path())
        .run();
    output.assert_error(BAD_INPUT, "`pip3`", "--runtime PATH");
}

/// The command with an index that nobody can reach.
fn without_network(command: Onnxprof) -> Onnxprof {
    command
        .env("PIP_CONFIG_FILE", "/dev/null")
        .env("PIP_FIND_LINKS", "")
        .env("PIP_EXTRA_INDEX_URL", "")
        // The discard port: nothing listens there.
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_RETRIES", "1")
}

#[test]
fn no_network_is_an_error_with_the_remedy() {
    let cache = tempfile::tempdir().unwrap();
    let output = without_network(runtime(["install"]))
        .env("ONNXPROF_CACHE", cache.path())
        .run();
    output.assert_error(BAD_INPUT, "Connection refused", "check the network");
    assert_eq!(names(&cache), [".lock"]);
}

#[test]
fn an_unknown_version_lists_those_that_there_are() {
    let cache = tempfile::tempdir().unwrap();
    let output = runtime(["install", "cpu@1.99.0"])
        .env("ONNXPROF_CACHE", cache.path())
        .run();
    output.assert_error(BAD_INPUT, "has no ONNX Runtime 1.99.0", "1.31.1");
}

#[test]
fn a_wheel_that_is_not_the_published_one_is_refused() {
    let wheels = Wheels::new();
    wheels.runtime(
        "onnxruntime",
        DEFAULT,
        &[],
        &[("onnxruntime/capi/libonnxruntime.so.1.31.1", b"evil")],
    );
    let output = wheels.command(&["install", "cpu@1.31.1"]).run();
    output.assert_error(
        BAD_INPUT,
        "is not the published file",
        "which index pip uses",
    );
    assert_eq!(wheels.names(), [".lock"]);
}

#[test]
fn a_wheel_without_a_library_is_refused() {
    let wheels = Wheels::new();
    wheels.runtime("onnxruntime", "1.30.99", &[], &[]);
    let output = wheels.command(&["install", "cpu@1.30.99"]).run();
    output.assert_error(
        BAD_INPUT,
        "it has no `onnxruntime/capi/libonnxruntime.so.*`",
        "which index pip uses",
    );
    assert_eq!(wheels.names(), [".lock"]);
}

/// `onnxprof runtime install` with a cache on a disk of 8 MB of its own, and a pip that ends the
/// test if it is asked to download; `None` where this user may not mount one.
fn install_on_a_small_disk(words: &[&str]) -> Option<std::process::Output> {
    let folder = tempfile::tempdir().unwrap();
    let pip = python(
        r#"case "$*" in *--version*) exit 0;; esac; echo "ERROR: it downloads" >&2; exit 1"#,
    );
    let path = std::env::join_paths([
        pip.path(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
        Path::new("/sbin"),
    ])
    .unwrap();
    let script = r#"mount -t tmpfs -o size=8m none "$0" || exit 99; exec "$@""#;
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script])
        .arg(folder.path())
        .arg(env!("CARGO_BIN_EXE_onnxprof"));
    command
        .args(["runtime", "install"])
        .args(words)
        .env("PATH", path)
        .env("ONNXPROF_CACHE", folder.path());
    let output = command.env_remove("LD_LIBRARY_PATH").output().ok()?;
    let is_allowed = output.status.code() != Some(99) && !output.stderr.starts_with(b"unshare");
    is_allowed.then_some(output)
}

#[test]
fn no_room_is_an_error_before_anything_is_downloaded() {
    for (release, needed) in [
        ("cpu@1.31.1", "MB"),
        ("openvino@1.24.1", "244 MB"),
        ("cuda@1.31.1", "MB"),
    ] {
        let Some(output) = install_on_a_small_disk(&[release]) else {
            println!("skipped: this user may not mount a disk in a namespace of its own");
            return;
        };
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(BAD_INPUT), "{text}");
        assert!(
            text.starts_with("error: no space for ONNX Runtime 1.") && text.contains(needed),
            "{text}"
        );
        assert!(
            text.contains(" which has 8 MB left\nhint: make room there, set ONNXPROF_CACHE"),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_is_no_library_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "not a library").unwrap();
    which(file.path()).assert_error(
        BAD_INPUT,
        "as a shared library",
        "official `libonnxruntime.so`",
    );
}

#[test]
fn a_library_that_is_not_onnx_runtime_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = compiled(&folder, "int f(void) { return 0; }");
    which(&path).assert_error(
        BAD_INPUT,
        "does not offer `OrtGetApiBase`",
        "official `libonnxruntime.so`",
    );
}

#[test]
fn a_truncated_library_costs_only_the_process_that_opens_it() {
    let whole = fs::read(library(DEFAULT)).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &whole[..whole.len() / 5]).unwrap();
    which(file.path()).assert_error(BAD_INPUT, file.path().to_str().unwrap(), "--runtime");
}

#[test]
fn a_library_that_crashes_when_opened_is_listed_as_unusable() {
    library(DEFAULT);
    let folder = tempfile::tempdir().unwrap();
    let path = compiled(
        &folder,
        "void abort(void); __attribute__((constructor)) static void f(void) { abort(); }",
    );
    which(&path).assert_error(BAD_INPUT, "SIGABRT", "another library");
    let output = runtime(["list"]).env("ORT_DYLIB_PATH", &path).run();
    output
        .assert_code(BAD_INPUT)
        .assert_stdout("unusable")
        .assert_stdout(DEFAULT);
}

#[test]
fn a_library_that_is_too_old_names_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = compiled(
        &folder,
        "static const void *api(unsigned v) { return 0; }
         static const char *version(void) { return \"1.22.1\"; }
         static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
         const void *OrtGetApiBase(void) { return &base; }",
    );
    let message = "ONNX Runtime 1.22.1 is older than 1.23, the oldest that onnxprof loads";
    which(&path).assert_error(BAD_INPUT, message, "cpu@1.31.1");
    which("cpu@1.22.1").assert_error(BAD_INPUT, message, "cpu@1.31.1");
}

#[test]
fn a_path_that_does_not_exist_names_who_gave_it() {
    which("/nonexistent/lib.so").assert_error(BAD_INPUT, "named by --runtime", "give the path");
    let output = runtime(["which"])
        .env("ORT_DYLIB_PATH", "/nonexistent/lib.so")
        .run();
    output.assert_error(BAD_INPUT, "named by ORT_DYLIB_PATH", "give the path");
}

#[test]
fn no_cache_folder_is_an_error_with_the_remedy() {
    let output = ["ONNXPROF_CACHE", "XDG_CACHE_HOME", "HOME"]
        .into_iter()
        .fold(runtime(["install"]), Onnxprof::env_remove);
    output.run().assert_error(
        BAD_INPUT,
        "no folder to keep ONNX Runtime in",
        "set ONNXPROF_CACHE",
    );
}

#[test]
fn a_cache_that_cannot_be_written_is_an_error_with_the_remedy() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = runtime(["install"])
        .env("ONNXPROF_CACHE", file.path())
        .run();
    output.assert_error(
        BAD_INPUT,
        file.path().to_str().unwrap(),
        "set ONNXPROF_CACHE",
    );
}

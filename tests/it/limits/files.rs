//! Files that are none, or larger than any of their kind: refused at once, by every command that
//! takes one.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::stat::Mode;

use crate::support::{BAD_INPUT, Onnxprof, model};
use crate::workbench::Workbench;

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// The record of a run that came to its end.
fn finished() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record/run-1.0.json")
}

/// What a command is given where `@` stands, and how the file is to be called.
fn commands(run: &str, rules: &str) -> Vec<(Vec<OsString>, &'static str)> {
    let one = model("fixtures/one-node.onnx");
    let one = one.to_str().unwrap();
    vec![
        (words(&["inspect", "@"]), "m.onnx"),
        (words(&["inspect", "@"]), "m.ort"),
        (words(&["profile", "@", "--out", "run"]), "m.onnx"),
        (words(&["inspect", one, "--data", "@"]), "x.npz"),
        (words(&["inspect", one, "--data", "@"]), "x.npy"),
        (
            words(&["profile", one, "--out", "run", "--runtime", "script:@"]),
            "s.json",
        ),
        (
            words(&["profile", one, "--out", "run", "--runtime", "@"]),
            "libonnxruntime.so",
        ),
        (
            words(&["profile", one, "--out", "run", "--custom-ops", "@"]),
            "libops.so",
        ),
        (words(&["show", "@"]), "run.json"),
        (words(&["report", "@"]), "run.json"),
        (words(&["compare", "@", run]), "run.json"),
        (words(&["gate", "@", "--rules", rules]), "run.json"),
        (words(&["gate", run, "--rules", "@"]), "gate.toml"),
        (
            words(&["report", run, "--full", "--context", "@"]),
            "context.toml",
        ),
        (words(&["trace", "@"]), "trace.json"),
    ]
}

fn given(template: &[OsString], path: &Path) -> Vec<OsString> {
    let path = path.to_str().unwrap();
    template
        .iter()
        .map(|word| word.to_str().unwrap().replace('@', path).into())
        .collect()
}

#[test]
fn pipes_devices_and_sockets_are_refused_without_waiting_for_them() {
    let bench = Workbench::new();
    let (run, rules) = (finished(), bench.path("rules.toml"));
    std::fs::write(&rules, "[[rule]]\ncheck = \"latency_p50 <= 3600 s\"\n").unwrap();
    for (template, name) in commands(run.to_str().unwrap(), rules.to_str().unwrap()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let makers: [fn(&Path); 3] = [
            |path| nix::unistd::mkfifo(path, Mode::S_IRWXU).unwrap(),
            |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            |path| drop(UnixListener::bind(path).unwrap()),
        ];
        for make in makers {
            make(&path);
            let output = Onnxprof::new().args(given(&template, &path)).promptly();
            let is_refused =
                matches!(output.code(), Some(2 | BAD_INPUT)) && output.stderr.contains("error: ");
            assert!(is_refused && output.stderr.contains(name), "{output}");
            std::fs::remove_file(&path).unwrap();
        }
    }
}

#[test]
fn a_file_with_a_hole_larger_than_its_kind_is_not_read() {
    let bench = Workbench::new();
    for (word, name, size, most) in [
        (
            "show",
            "run.json",
            2_u64 << 30,
            "2.1 GB, and a run's record may have 1.1 GB at most",
        ),
        (
            "trace",
            "trace.json",
            1 << 40,
            "1.1 TB, and a trace may have 69 GB at most",
        ),
        (
            "inspect",
            "m.onnx",
            1 << 40,
            "1.1 TB, and a model may have 69 GB at most",
        ),
    ] {
        let path = bench.path(name);
        let file = File::create(&path).unwrap();
        if file.set_len(size).is_err() {
            println!("skipped: the file system has no files of {size} bytes");
            continue;
        }
        let output = Onnxprof::new().arg(word).arg(&path).promptly();
        output
            .assert_code(BAD_INPUT)
            .assert_stderr(name)
            .assert_stderr(most);
    }
}

#[test]
fn a_context_may_come_through_a_pipe() {
    let bench = Workbench::new();
    let copy = bench.write("run.json", std::fs::read(finished()).unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_onnxprof"))
        .args([
            "report".as_ref(),
            copy.as_os_str(),
            "--full".as_ref(),
            "--context".as_ref(),
            "/dev/stdin".as_ref(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(50));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"[document]\nreview_schedule = \"through a pipe\"\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("**Review Schedule**: through a pipe"),
        "{text}"
    );
}

/// A header that opens as many brackets as were met in the field, and many more.
#[test]
fn nested_brackets_in_a_header_take_no_time() {
    let bench = Workbench::new();
    for depth in [25, 10_000] {
        let nested = "[".repeat(depth) + &"]".repeat(depth);
        let header = format!("{{'descr': {nested}, 'fortran_order': False, 'shape': (1, 3), }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        let data: PathBuf = bench.write("x.npy", &bytes);
        let model = bench.copy("fixtures/labels/number.onnx", "m.onnx");
        let output = Onnxprof::new()
            .arg("inspect")
            .arg(model)
            .arg("--data")
            .arg(&data)
            .promptly();
        output.assert_code(BAD_INPUT).assert_stderr("x.npy");
        assert!(output.stderr.len() < 2_000, "{output}");
    }
}

#[test]
fn what_is_said_of_a_name_without_end_has_one() {
    let name = "n".repeat(100_000);
    for words in [["inspect", &name], ["show", &name], ["profile", &name]] {
        let output = Onnxprof::new().args(words).promptly();
        assert!(
            output.code() != Some(0) && output.stderr.len() < 30_000,
            "{} bytes",
            output.stderr.len()
        );
    }
    let output = Onnxprof::new()
        .args(["profile", "m.onnx", "--target", &name])
        .promptly();
    output.assert_code(2);
    assert!(
        output.stderr.len() < 30_000,
        "{} bytes",
        output.stderr.len()
    );
}

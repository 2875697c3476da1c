//! Whether the code that a search gives to paste works: the Rust code is compiled here and run,
//! that of the other languages where this machine has what it takes.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use onnxprof::plan::{
    ExecutionMode, GraphOptimization, ProviderSpec, RuntimeChoice, SessionOptions, SessionSpec,
};
use onnxprof::provider;
use onnxprof::report::view::{Deployment, session_code};

use crate::support::{library, model};

/// A model that is there, from the folder in which tests run.
const MODEL: &str = "models/digits/digits-fp32.onnx";

fn spec(provider: &str, options: SessionOptions) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Library("lib.so".into()),
        execution_provider: provider::identifier(provider).into(),
        provider: ProviderSpec::default(),
        binding: Default::default(),
        options,
    }
}

/// Every option that a search changes, and an entry of the configuration.
fn changed() -> SessionOptions {
    SessionOptions {
        intra_threads: 2,
        inter_threads: 2,
        execution_mode: ExecutionMode::Parallel,
        graph_optimization: GraphOptimization::Extended,
        allow_spinning: Some(false),
        memory_arena: Some(false),
        memory_pattern: Some(false),
        session_config: [("session.set_denormal_as_zero".into(), "1".into())].into(),
        custom_ops: Vec::new(),
    }
}

/// The code in Rust, Python and C++.
fn code(spec: &SessionSpec) -> [String; 3] {
    let one = Deployment {
        spec,
        model: MODEL,
        batch_size: 8,
        runtime_version: Some("1.31.1"),
        effective: None,
    };
    let code = session_code(&one);
    [0, 1, 2].map(|place| code[place].lines.join("\n") + "\n")
}

fn on(provider: &str) -> SessionSpec {
    let options = [("device_id".into(), "0".into())].into();
    SessionSpec {
        provider: ProviderSpec {
            options,
            ..ProviderSpec::default()
        },
        ..spec(provider, SessionOptions::default())
    }
}

/// What is compiled below is what is given to paste.
#[track_caller]
fn assert_compiled(spec: &SessionSpec, snippet: &str) {
    let [rust, ..] = code(spec);
    assert_eq!(format!("{{\n{rust}}}\n"), snippet);
}

#[test]
#[expect(unused_variables, reason = "the code to paste ends with the session")]
fn rust_with_every_option_creates_a_session() -> ort::Result<()> {
    assert_compiled(&spec("cpu", changed()), include_str!("snippets/changed.rs"));
    // From here on this is the library that the process uses.
    drop(ort::init_from(library("1.31.1")).map_err(|error| ort::Error::new(error.to_string()))?);
    include!("snippets/changed.rs");
    Ok(())
}

/// It is enough that these compile: a process has one environment, and the libraries of the
/// providers are not here. Other providers than these are features of the crate that are off here.
#[test]
fn rust_of_other_sessions_compiles() {
    #[expect(unused_variables, reason = "the code to paste ends with the session")]
    fn _sessions() -> ort::Result<()> {
        include!("snippets/defaults.rs");
        include!("snippets/cuda.rs");
        include!("snippets/tensorrt.rs");
        include!("snippets/openvino.rs");
        Ok(())
    }
    assert_compiled(
        &spec("cpu", SessionOptions::default()),
        include_str!("snippets/defaults.rs"),
    );
    assert_compiled(&on("cuda"), include_str!("snippets/cuda.rs"));
    assert_compiled(&on("tensorrt"), include_str!("snippets/tensorrt.rs"));
    assert_compiled(&on("openvino"), include_str!("snippets/openvino.rs"));
}

/// Runs a program on a text; `None` if there is no such program.
fn run(program: &str, words: &[&str], text: &str) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command
        .args(words)
        .arg(&file)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .stdin(Stdio::null());
    command.output().ok()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// With the Python of the environment variable `PYTHON`, or `python3`.
#[test]
fn python_creates_a_session() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    if !run(&python, &[], "import onnxruntime").is_some_and(|output| output.status.success()) {
        eprintln!("skipped: `{python}` has no onnxruntime");
        return;
    }
    assert!(model("digits/digits-fp32.onnx").exists());
    for spec in [
        spec("cpu", changed()),
        spec("cpu", SessionOptions::default()),
    ] {
        let [_, python_code, _] = code(&spec);
        let threads = spec.options.intra_threads;
        let check =
            format!("assert session.get_session_options().intra_op_num_threads == {threads}\n");
        let output = run(&python, &[], &format!("{python_code}{check}")).unwrap();
        assert!(output.status.success(), "{}\n{python_code}", said(&output));
    }
}

/// With the headers of ONNX Runtime where `CPLUS_INCLUDE_PATH` or the system has them; old ones
/// know less.
#[test]
fn cpp_compiles() {
    let words = ["-std=c++17", "-fsyntax-only", "-x", "c++"];
    let compiled = |text: &str| run("c++", &words, text);
    if !compiled("#include <onnxruntime_cxx_api.h>\n").is_some_and(|output| output.status.success())
    {
        eprintln!("skipped: there is no C++ compiler, or no header of ONNX Runtime");
        return;
    }
    let knows = |class: &str| {
        let text = format!("#include <onnxruntime_cxx_api.h>\nOrt::{class} options{{nullptr}};\n");
        compiled(&text).is_some_and(|output| output.status.success())
    };
    let is_old = !knows("CUDAProviderOptions") || !knows("TensorRTProviderOptions");
    let others: &[&str] = if is_old { &[] } else { &["cuda", "tensorrt"] };
    if is_old {
        eprintln!("skipped for CUDA and TensorRT: the header has no class for their options");
    }
    let others = others
        .iter()
        .chain(&["openvino", "xnnpack", "dnnl"])
        .map(|provider| on(provider));
    for spec in others.chain([
        spec("cpu", changed()),
        spec("cpu", SessionOptions::default()),
    ]) {
        let [.., code] = code(&spec);
        let (include, body) = code.split_once('\n').unwrap();
        let output = compiled(&format!("{include}\nint main() {{\n{body}}}\n")).unwrap();
        assert!(output.status.success(), "{}\n{code}", said(&output));
    }
}

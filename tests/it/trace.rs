//! `onnxprof trace` on traces of ONNX Runtime 1.31.1 and on what is none.

mod gpu;

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{BAD_INPUT, Onnxprof, Output, USAGE};
use crate::workbench::Workbench;

/// Three inferences of a model with a loop that runs its body twice, and whose node is called
/// `loop "<b>`, a line break and an escape sequence.
fn real() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/trace/loop.json")
}

fn trace(file: &Path, words: &[&str]) -> Output {
    Onnxprof::new().arg("trace").arg(file).args(words).run()
}

#[test]
fn trace_is_summed_up_for_people() {
    let output = trace(&real(), &[]);
    output.assert_code(0);
    insta::assert_snapshot!("trace_terminal", output.stdout);
    assert!(
        output
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 100)
    );
    insta::assert_snapshot!(
        "trace_markdown",
        trace(&real(), &["--format", "markdown"]).stdout
    );
}

#[test]
fn trace_is_summed_up_for_programs() {
    let output = trace(&real(), &["--format", "csv"]);
    output.assert_code(0);
    insta::assert_snapshot!("trace_csv", output.stdout);
    let json = trace(&real(), &["--json"]).data();
    // One of two took over 5/4 of the other, as it would not count in a run.
    assert_eq!(json["profiled"]["inferences_count"], 1);
    let nodes = json["profiled"]["nodes"].as_array().unwrap();
    let sum: u64 = nodes
        .iter()
        .map(|node| node["time_ns"].as_u64().unwrap())
        .sum();
    assert_eq!(json["breakdown"]["nodes_ns"], sum);
    assert!(sum <= json["profiled"]["mean_inference_ns"].as_u64().unwrap());
}

#[test]
fn body_of_a_loop_counts_once() {
    let json = trace(&real(), &["--json"]).data();
    let operators = json["breakdown"]["by_operator"].as_array().unwrap();
    let calls = |name: &str| {
        operators.iter().find(|it| it["operator"] == name).unwrap()["calls"]
            .as_f64()
            .unwrap()
    };
    assert_eq!(
        (calls("Loop"), calls("Relu"), calls("MatMul")),
        (1.0, 2.0, 3.0)
    );
}

#[test]
fn trace_that_was_cut_off_is_read_as_far_as_it_goes() {
    let bench = Workbench::new();
    let whole = fs::read(real()).unwrap();
    let cut = bench.write("cut.json", &whole[..whole.len() - 200]);
    trace(&cut, &[])
        .assert_code(0)
        .assert_stdout("The trace was cut off: it was read as far as it goes");
    let early = bench.write("early.json", &whole[..2000]);
    trace(&early, &[]).assert_error(
        BAD_INPUT,
        "was cut off before its first inference came to its end",
        "end_profiling",
    );
}

#[test]
fn what_is_no_trace_is_refused_with_a_hint() {
    let bench = Workbench::new();
    let is_refused = |name: &str, content: &[u8], message: &str| {
        let file = bench.write(name, content);
        trace(&file, &[]).assert_error(BAD_INPUT, message, "");
    };
    is_refused("empty.json", b"", "is empty");
    is_refused(
        "text.json",
        b"loss: 0.3\n",
        "is no trace: it is no JSON array of events",
    );
    is_refused("object.json", b"{\"traceEvents\": 1}", "is no trace");
    is_refused("numbers.json", b"[1, 2, 3]", "is no trace");
    is_refused(
        "binary.json",
        &[0x7f, b'E', b'L', b'F', 0, 0xff, 0xfe],
        "is no trace",
    );
    is_refused("trace.json.gz", &[0x1f, 0x8b, 8, 0, 0, 0], "is compressed");
    let other = r#"[{"name":"paint","ph":"X","ts":1,"dur":2,"pid":1,"tid":1}]"#;
    is_refused(
        "of-another-program.json",
        other.as_bytes(),
        "holds no inference",
    );
    is_refused("nothing.json", b"[]", "holds no inference");
    let inference = r#"{"cat":"Session","ph":"X","ts":1,"dur":5,"name":"model_run","args":{}}"#;
    is_refused(
        "no-operators.json",
        format!("[{inference},{inference}]").as_bytes(),
        "holds no operators",
    );
    trace(&bench.path("missing.json"), &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("missing.json");
    trace(bench.path("").as_path(), &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("is not a file");
    trace(Path::new("/dev/null"), &[])
        .assert_code(BAD_INPUT)
        .assert_stderr("is not a file");
    Onnxprof::new().arg("trace").run().assert_code(USAGE);
}

#[test]
fn result_goes_into_a_file_where_one_is_named() {
    let bench = Workbench::new();
    let file = bench.path("trace.md");
    let words = ["--format", "markdown", "--output", file.to_str().unwrap()];
    assert_eq!(trace(&real(), &words).assert_code(0).stdout, "");
    assert!(
        fs::read_to_string(file)
            .unwrap()
            .starts_with("# Operators in loop")
    );
}

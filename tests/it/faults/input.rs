//! Options, libraries and data that do not fit, and folders that cannot be written to.

use std::fs;
use std::os::unix::ffi::OsStrExt;

use super::{ONE_NODE, long_run, one_node};
use crate::support::{BAD_INPUT, Onnxprof, USAGE, model};
use crate::workbench::{Workbench, assert_nothing_left};

/// An error before anything was written.
#[track_caller]
fn refused(words: &[&str], code: i32, message: &str, hint: &str) {
    let bench = Workbench::new();
    let output = one_node(&bench, words);
    output.assert_error(code, message, hint);
    assert_nothing_left(&bench, &output);
}

#[test]
fn values_that_no_option_takes_are_usage_errors() {
    for (option, value) in [
        ("--batch", "0"),
        ("--batch", "x"),
        ("--concurrency", "0"),
        ("--intra-threads", "0"),
        ("--budget", "20"),
        ("--timeout", "0s"),
        ("--pin", "3-1"),
        ("--session-config", "key"),
        ("--target", "0%"),
    ] {
        let output = Onnxprof::new()
            .arg("profile")
            .arg(model(ONE_NODE))
            .args([option, value])
            .run();
        output
            .assert_code(USAGE)
            .assert_stderr(&format!("invalid value '{value}' for '{option}"));
    }
}

#[test]
fn names_that_there_are_not_are_usage_errors_whichever_option_has_them() {
    for option in [
        ["--dim", "nope=3"],
        ["--batch-dim", "nope"],
        ["--sweep", "dim=nope:3,4"],
    ] {
        refused(
            &option,
            USAGE,
            "no input has a dimension `nope`",
            "onnxprof inspect",
        );
    }
    refused(
        &["--range", "nope=0..1"],
        USAGE,
        "the model has no input `nope`",
        "onnxprof inspect",
    );
    refused(
        &["--baseline", "nope"],
        USAGE,
        "no variant is called `nope`",
        "one-node",
    );
    refused(
        &["--pin", "4000"],
        USAGE,
        "may not run on CPU 4000",
        "`--pin`",
    );
}

#[test]
fn a_path_that_no_record_can_name_is_refused_before_anything_is_written() {
    let bench = Workbench::new();
    let path = bench
        .path("")
        .join(std::ffi::OsStr::from_bytes(b"m\xff.onnx"));
    fs::copy(model(ONE_NODE), &path).unwrap();
    let output = bench.profile(&path, [""; 0]).run();
    output.assert_error(BAD_INPUT, "is not UTF-8", "rename the file");
    assert_nothing_left(&bench, &output);
}

#[test]
fn two_models_of_one_name_are_told_apart_by_their_folders() {
    let bench = Workbench::new();
    let [first, second] = ["a/m.onnx", "b/m.onnx"].map(|to| bench.copy(ONE_NODE, to));
    bench.profile(&first, [second]).run().assert_code(0);
    let names: Vec<String> = bench
        .record()
        .plan
        .variants
        .into_iter()
        .map(|variant| variant.name.into_exact())
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn execution_provider_that_the_library_lacks_is_an_error_that_lists_those_present() {
    refused(
        &["--ep", "Foo"],
        BAD_INPUT,
        "no `FooExecutionProvider`; it offers",
        "`--ep`",
    );
    let bench = Workbench::new();
    one_node(&bench, &["--ep", "Foo"]).assert_stderr("CPUExecutionProvider");
}

#[test]
fn execution_provider_of_another_build_is_an_error_that_names_the_build() {
    refused(
        &["--ep", "cuda"],
        BAD_INPUT,
        "no `CUDAExecutionProvider`; it offers",
        "`--runtime cuda@VERSION`",
    );
    refused(
        &["--ep", "cpu,openvino"],
        BAD_INPUT,
        "no `OpenVINOExecutionProvider`",
        "`--runtime openvino@VERSION`",
    );
}

#[test]
fn execution_provider_that_takes_no_node_is_never_replaced_by_the_cpu() {
    let bench = Workbench::new();
    let output = one_node(&bench, &["--ep", "azure"]);
    output.assert_error(
        BAD_INPUT,
        "fell back from `AzureExecutionProvider` to `CPUExecutionProvider`",
        "`--ep`",
    );
    let record = bench.record();
    assert!(
        record.blocks.is_empty() && record.cells.iter().all(|cell| !cell.outcome.is_ok()),
        "{output}"
    );
}

#[test]
fn words_about_execution_providers_that_do_not_fit_are_usage_errors() {
    refused(
        &["--ep-option", "a=b"],
        USAGE,
        "does not say for which execution provider",
        "EP:a=",
    );
    refused(
        &["--device", "0"],
        USAGE,
        "`--device` has no effect",
        "`--ep`",
    );
    refused(
        &["--bind", "device"],
        USAGE,
        "memory of its own",
        "`--bind`",
    );
    refused(
        &["--ep-library", "x=/no/such.so", "--ep", "x"],
        BAD_INPUT,
        "cannot read `/no/such.so`",
        "NAME=PATH",
    );
    for (option, value) in [
        ("--ep-option", "a"),
        ("--ep-library", "a"),
        ("--bind", "both"),
        ("--device", "-1"),
    ] {
        let output = Onnxprof::new()
            .arg("profile")
            .arg(model(ONE_NODE))
            .arg(format!("{option}={value}"))
            .run();
        output
            .assert_code(USAGE)
            .assert_stderr(&format!("invalid value '{value}' for '{option}"));
    }
}

#[test]
fn library_of_execution_providers_that_is_none_is_an_error_before_anything_is_measured() {
    let bench = Workbench::new();
    let library = format!("x={}", bench.write("libx.so", "not a library").display());
    let output = one_node(&bench, &["--ep-library", &library, "--ep", "x"]);
    output.assert_error(
        BAD_INPUT,
        "failed to register the execution provider library",
        "`--ep-library`",
    );
    assert_nothing_left(&bench, &output);
}

#[test]
fn option_that_an_execution_provider_rejects_is_shown_in_its_own_words() {
    let bench = Workbench::new();
    let output = one_node(&bench, &["--ep-option", "cpu:arena=0"]);
    output.assert_error(
        BAD_INPUT,
        "failed to set up `CPUExecutionProvider`: unknown option `arena`",
        "`--ep-option`",
    );
}

#[test]
fn file_that_is_no_library_is_an_error_before_anything_is_measured() {
    let bench = Workbench::new();
    let file = bench.write("libonnxruntime.so", "not a library");
    let words = [
        "profile".into(),
        model(ONE_NODE),
        "--out".into(),
        bench.run_folder(),
        "--runtime".into(),
        file,
    ];
    let output = Onnxprof::new().args(words).run();
    output.assert_error(
        BAD_INPUT,
        "as a shared library",
        "official `libonnxruntime.so`",
    );
    assert_nothing_left(&bench, &output);
    assert!(!output.stderr.contains("warning"), "{output}");
}

#[test]
fn library_version_that_is_too_old_is_an_input_error() {
    let output = Onnxprof::new()
        .arg("profile")
        .arg(model(ONE_NODE))
        .args(["--runtime", "cpu@1.10.0"])
        .run();
    output.assert_error(BAD_INPUT, "1.10.0 is older than", "cpu@");
}

/// An archive with float arrays of these names and shapes, and labels.
fn data(bench: &Workbench, name: &str, shape: (usize, usize), labels: usize) -> String {
    let path = bench.path("data.npz");
    let mut archive = ndarray_npy::NpzWriter::new(fs::File::create(&path).unwrap());
    archive
        .add_array(name, &ndarray::Array2::<f32>::zeros(shape))
        .unwrap();
    archive
        .add_array("labels", &ndarray::Array1::<i64>::zeros(labels))
        .unwrap();
    archive.finish().unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn data_that_does_not_fit_is_an_error_that_names_what_does_not() {
    for (name, shape, labels, message) in [
        ("wrong", (4, 7), 4, "`x`"),
        ("x", (4, 7), 4, "7"),
        ("x", (4, 4), 3, "3"),
    ] {
        let bench = Workbench::new();
        let data = data(&bench, name, shape, labels);
        let output = one_node(&bench, &["--data", &data]);
        output
            .assert_code(BAD_INPUT)
            .assert_stderr("error: ")
            .assert_stderr(message);
        assert_nothing_left(&bench, &output);
    }
}

#[test]
fn data_that_is_missing_or_damaged_is_an_input_error() {
    let bench = Workbench::new();
    one_node(&bench, &["--data", "/no/such.npz"])
        .assert_code(BAD_INPUT)
        .assert_stderr("`/no/such.npz`");
    let damaged = bench.write("damaged.npz", "no archive");
    let damaged = damaged.to_str().unwrap();
    one_node(&bench, &["--data", damaged])
        .assert_code(BAD_INPUT)
        .assert_stderr("damaged.npz");
    assert!(!bench.run_folder().exists());
}

#[test]
fn unwritable_output_is_found_before_measuring() {
    let bench = Workbench::new();
    let file = bench.write("run", "a file");
    let output = one_node(&bench, &[]);
    output.assert_error(BAD_INPUT, "cannot write to run folder", "`--out`");
    assert!(!output.stderr.contains("scoring"), "{output}");
    assert_eq!(fs::read(file).unwrap(), b"a file");
}

#[test]
fn folder_of_an_earlier_run_is_not_overwritten() {
    let bench = Workbench::new();
    one_node(&bench, &[]).assert_code(0);
    let before = fs::read(bench.path("run/run.json")).unwrap();
    one_node(&bench, &[]).assert_error(BAD_INPUT, "already holds a run", "`--out`");
    assert_eq!(fs::read(bench.path("run/run.json")).unwrap(), before);
}

#[test]
fn folder_of_a_run_under_way_is_refused() {
    let bench = Workbench::new();
    let first = long_run(&bench).spawn();
    bench.wait_for_blocks(1);
    one_node(&bench, &[]).assert_error(BAD_INPUT, "is in use by another run", "`--out`");
    first.kill();
}

#[test]
fn failed_run_leaves_the_rest_of_its_folder_alone() {
    let bench = Workbench::new();
    fs::create_dir_all(bench.path("run/logs")).unwrap();
    let [mine, log] = ["run/mine.txt", "run/logs/mine.log"].map(|name| bench.write(name, "mine"));
    bench
        .profile(&model("fixtures/broken/empty.onnx"), ["--quiet"])
        .run()
        .assert_code(BAD_INPUT);
    assert!(mine.exists() && log.exists());
}

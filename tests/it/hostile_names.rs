//! Names with quotes, line breaks, HTML, Markdown, formulas and terminal escape sequences: text
//! wherever they come out.

use std::fs;
use std::path::{Path, PathBuf};

use onnxprof::report::view::text::is_acted_on;

use crate::support::{Onnxprof, Output, library};
use crate::workbench::Workbench;

/// What a model file holds as name of its graph, nodes, inputs and producer.
const NAME: &str =
    "x\"'`\n<script>alert(1)</script>\u{1b}[31m\u{9b}5m\u{202e}|*_[a](b)_*&amp;,=cmd";

/// What a model file is called: everything but the separator of folders.
const STEM: &str = "=cmd|'x'!A1\"`<b>\u{1b}[31m\n*y*[a](b),\u{202e}#";

/// Protocol buffers: a number and its value.
fn number(field: u8, value: u8) -> Vec<u8> {
    vec![field << 3, value]
}

/// A field of bytes: a text or a message.
fn bytes(field: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let mut out = vec![(field << 3) | 2];
    let mut length = value.len();
    while length >= 0x80 {
        out.push((length as u8 & 0x7f) | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend(value);
    out
}

/// `ValueInfoProto` of a tensor of floats, `[N, 2]`.
fn value(name: &str) -> Vec<u8> {
    let dims = [bytes(1, bytes(2, "N")), bytes(1, number(1, 2))].concat();
    let tensor = [number(1, 1), bytes(2, dims)].concat();
    [bytes(1, name), bytes(2, bytes(1, tensor))].concat()
}

/// `NodeProto`.
fn node(operator: &str, input: &str, output: &str) -> Vec<u8> {
    bytes(
        1,
        [
            bytes(1, input),
            bytes(2, output),
            bytes(3, NAME),
            bytes(4, operator),
        ]
        .concat(),
    )
}

/// `ModelProto` of a graph with one input and one output.
fn model(nodes: &[Vec<u8>], input: &str, output: &str) -> Vec<u8> {
    let graph = [
        nodes.concat(),
        bytes(2, NAME),
        bytes(11, value(input)),
        bytes(12, value(output)),
    ]
    .concat();
    let metadata = [bytes(1, NAME), bytes(2, NAME)].concat();
    [
        number(1, 8),
        bytes(2, NAME),
        bytes(6, NAME),
        bytes(7, graph),
        bytes(8, number(2, 13)),
        bytes(14, metadata),
    ]
    .concat()
}

/// A model that hands its input on, with such names everywhere.
fn identity() -> Vec<u8> {
    let output = format!("{NAME} out");
    model(&[node("Identity", NAME, &output)], NAME, &output)
}

#[track_caller]
fn assert_harmless(what: &str, text: &str) {
    let found = text.chars().find(|&c| c != '\n' && is_acted_on(c));
    assert_eq!(found, None, "{what}: {text:?}");
}

/// Harmless, and what looks like HTML or a link is escaped.
#[track_caller]
fn assert_markdown(what: &str, text: &str) {
    assert_harmless(what, text);
    for (at, _) in text.match_indices("<script") {
        assert!(
            text[..at].ends_with('\\'),
            "{what}: {}",
            &text[at.saturating_sub(80)..at + 30]
        );
    }
    // Lines of a list, a table or a heading that a name began.
    for line in text.lines() {
        assert!(
            !line.starts_with("<script") && !line.starts_with("*y*") && !line.starts_with("=cmd"),
            "{what}: {line}"
        );
    }
}

#[track_caller]
fn assert_output(output: &Output) {
    assert_harmless("stdout", &output.stdout);
    assert_harmless("stderr", &output.stderr);
}

/// A run of two such models on the library, and its folder.
fn measured(bench: &Workbench) -> PathBuf {
    let path = bench.path("models");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(format!("{STEM}.onnx")), identity()).unwrap();
    fs::write(path.join(format!("{STEM}2.onnx")), identity()).unwrap();
    let mut broken = identity();
    broken.truncate(broken.len() / 2);
    fs::write(path.join(format!("{STEM}3.onnx")), broken).unwrap();
    let words = [
        "profile",
        "--batch",
        "1",
        "--rounds",
        "6",
        "--alternations",
        "2",
        "--block",
        "1ms",
        "--runtime",
    ];
    let output = Onnxprof::new()
        .args(words)
        .arg(library("1.31.1"))
        .arg(&path)
        .arg("--out")
        .arg(bench.run_folder())
        .run();
    output.assert_code(crate::support::PARTIAL);
    assert_output(&output);
    bench.run_folder()
}

#[test]
fn inspect_shows_them_as_text() {
    let bench = Workbench::new();
    let path = bench.write(&format!("{STEM}.onnx"), identity());
    for words in [&["inspect"][..], &["inspect", "--json"]] {
        let output = Onnxprof::new().args(words).arg(&path).run();
        output.assert_code(0);
        assert_output(&output);
        assert!(output.stdout.contains("script"), "{output}");
    }
}

#[test]
fn reports_of_a_run_hold_them_as_text() {
    let bench = Workbench::new();
    let run = measured(&bench);
    for name in ["report.md", "cells.csv"] {
        let text = fs::read_to_string(run.join(name)).unwrap();
        assert_markdown(name, &text);
    }
    for words in [
        &["--full"][..],
        &["--format", "terminal"],
        &["--json"],
        &["--format", "csv"],
    ] {
        let output = Onnxprof::new().arg("report").arg(&run).args(words).run();
        output.assert_code(0);
        assert_output(&output);
        if words == ["--full"] {
            assert_markdown("--full", &output.stdout);
        }
    }
    let csv = fs::read(run.join("cells.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let variants: Vec<String> = reader
        .records()
        .map(|row| row.unwrap()[0].to_owned())
        .collect();
    assert!(
        variants
            .iter()
            .all(|name| name.starts_with("'=cmd|'x'!A1\"`<b>\\u{1b}[31m *y*[a](b),\\u{202e}#")),
        "{variants:?}"
    );
    raw_names(&run);
    compare(&bench, &run);
    gate(&bench, &run);
    files(&run);
}

/// Programs are given names without the apostrophe that keeps a spreadsheet from computing them,
/// and numbers as they are.
fn raw_names(run: &Path) {
    let csv = |words: &[&str]| {
        let output = Onnxprof::new()
            .args(words)
            .arg(run)
            .args(["--format", "csv"])
            .run();
        assert_output(output.assert_code(0));
        output.stdout
    };
    let (guarded, raw) = (csv(&["report"]), csv(&["report", "--raw-names"]));
    assert_eq!(
        guarded.replace("'=cmd", "=cmd"),
        raw.replace("'=cmd", "=cmd")
    );
    assert!(guarded.contains("'=cmd") && !raw.contains("'=cmd") && raw.contains("=cmd"));
    let operators = fs::read_to_string(run.join("operators.csv")).unwrap();
    assert!(
        operators.contains("'=cmd")
            && !operators.contains("\"=cmd")
            && !operators.contains("\n=cmd"),
        "{operators}"
    );
    let output = Onnxprof::new()
        .arg("report")
        .arg(run)
        .arg("--raw-names")
        .run();
    output.assert_error(
        crate::support::USAGE,
        "`--raw-names` is about CSV alone",
        "--format csv",
    );
}

/// Models whose names leave nothing to see, or look like others.
#[test]
fn blank_and_invisible_names_show_by_their_code_points() {
    let bench = Workbench::new();
    let path = bench.path("models");
    fs::create_dir(&path).unwrap();
    for name in ["   ", "\u{3164}", "fp32", "fp\u{200b}32", "\u{a0}\u{2060}"] {
        fs::write(
            path.join(format!("{name}.onnx")),
            model(&[node("Identity", "in", "out")], "in", "out"),
        )
        .unwrap();
    }
    let output = bench.profile(&path, ["--batch", "1"]).run();
    output.assert_code(0);
    let run = bench.run_folder();
    let texts = [
        ("stdout", bench.report().stdout),
        (
            "report.html",
            fs::read_to_string(run.join("report.html")).unwrap(),
        ),
        (
            "cells.csv",
            fs::read_to_string(run.join("cells.csv")).unwrap(),
        ),
        // A backslash is escaped there.
        (
            "report.md",
            fs::read_to_string(run.join("report.md"))
                .unwrap()
                .replace("\\\\", "\\"),
        ),
    ];
    for (what, text) in texts {
        for shown in [
            "\\u{20}\\u{20}\\u{20}",
            "\\u{3164}",
            "fp\\u{200b}32",
            "\\u{a0}\\u{2060}",
        ] {
            let is_shown = text.contains(shown) || text.contains(&shown.replace('\\', "\\\\"));
            assert!(is_shown, "{shown} is not in {what}: {text}");
        }
        // The library of charts in the page has some of its own.
        let is_page = what == "report.html";
        assert!(
            is_page || !text.contains(['\u{200b}', '\u{3164}', '\u{2060}', '\u{a0}']),
            "{what}"
        );
        assert!(!text.contains("fp\u{200b}32"), "{what}");
    }
}

/// Every file of a run's folder, but for the traces, which are the library's own.
fn files(run: &Path) {
    for folder in [run.to_owned(), run.join("logs"), run.join("figures")] {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            assert_harmless("name of a file", &name);
            let is_page = name == "report.html";
            if entry.path().is_file() && !is_page {
                assert_harmless(&name, &fs::read_to_string(entry.path()).unwrap());
            }
        }
    }
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("&lt;b&gt;"), "an element of a name");
    assert!(
        !page.contains("<script>alert")
            && !page.contains('\u{202e}')
            && !page.contains("\u{1b}[31m")
    );
}

/// A name of 5,000 characters is cut where people read it, and whole for programs.
#[test]
fn endless_names_do_not_fill_the_screen() {
    let bench = Workbench::new();
    let endless = "L".repeat(5_000);
    let path = bench.path("models");
    fs::create_dir(&path).unwrap();
    fs::write(
        path.join("a.onnx"),
        model(&[node("Identity", "in", "out")], "in", "out"),
    )
    .unwrap();
    fs::write(
        path.join("b.onnx"),
        model(&[node("Identity", &endless, "out")], &endless, "out"),
    )
    .unwrap();
    let output = bench
        .profile(&path.join("a.onnx"), ["--batch", "1"])
        .arg(path.join("b.onnx"))
        .run();
    assert!(
        output.stdout.contains("Left out: b: ") && output.stdout.contains("LLL"),
        "{output}"
    );
    assert!(
        output.stdout.lines().all(|line| line.chars().count() < 700),
        "{output}"
    );
}

fn compare(bench: &Workbench, run: &Path) {
    let other = bench.path("other\u{1b}[31m<script>");
    fs::create_dir(&other).unwrap();
    fs::copy(run.join("run.json"), other.join("run.json")).unwrap();
    for format in [
        "--format=terminal",
        "--format=markdown",
        "--format=csv",
        "--json",
    ] {
        let output = Onnxprof::new()
            .arg("compare")
            .arg(run)
            .arg(&other)
            .args([format, "--accept-invalid"])
            .run();
        output.assert_code(0);
        assert_output(&output);
        if format == "--format=markdown" {
            assert_markdown("compare", &output.stdout);
        }
    }
}

/// Rules made of such a run are read again, and what becomes of them is told everywhere.
fn gate(bench: &Workbench, run: &Path) {
    let rules = bench.path("gate.toml");
    let output = Onnxprof::new()
        .args(["gate", "init"])
        .arg(run)
        .arg("--output")
        .arg(&rules)
        .run();
    output.assert_code(0);
    assert_harmless("rules", &fs::read_to_string(&rules).unwrap());
    let junit = bench.path("junit.xml");
    let gate = || {
        Onnxprof::new()
            .arg("gate")
            .arg(run)
            .arg("--rules")
            .arg(&rules)
    };
    let summary = bench.write("summary.md", "");
    let output = gate()
        .args(["--github", "always"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .arg("--junit")
        .arg(&junit)
        .run();
    assert_output(&output);
    assert!(output.stdout.contains("<b>"), "{output}");
    assert_harmless("junit", &fs::read_to_string(&junit).unwrap());
    assert!(!fs::read_to_string(&junit).unwrap().contains("<b>"));
    assert_output(&gate().arg("--json").run());
    assert_markdown("summary", &fs::read_to_string(&summary).unwrap());
}

#[test]
fn messages_of_the_library_are_text() {
    let bench = Workbench::new();
    let operator = format!("No{NAME}");
    let path = bench.write(
        "unknown.onnx",
        model(&[node(&operator, "in", "out")], "in", "out"),
    );
    let output = bench.profile(&path, ["--batch", "1"]).run();
    assert_output(&output);
    assert!(output.stderr.contains("error: "), "{output}");
}

#[test]
fn mistakes_in_the_command_line_are_repeated_as_text() {
    let output = Onnxprof::new()
        .args(["profile", "model.onnx", "--batch", "\u{1b}[31m1\u{9b}"])
        .run();
    output.assert_code(crate::support::USAGE);
    assert_output(&output);
    let output = Onnxprof::new()
        .args(["show", &format!("/no/such{STEM}")])
        .run();
    assert_output(&output);
}

/// A graph in which one node hands its input on and nothing computes.
#[test]
fn model_without_operators_that_count_is_measured_and_advised_on_soberly() {
    let bench = Workbench::new();
    let path = bench.write(
        "plain.onnx",
        model(&[node("Identity", "in", "out")], "in", "out"),
    );
    Onnxprof::new()
        .arg("inspect")
        .arg(&path)
        .run()
        .assert_code(0);
    bench
        .profile(&path, ["--batch", "1,2"])
        .run()
        .assert_code(0);
    let report = fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(
        !report.contains("NaN") && !report.contains("inf%") && !report.contains("infx"),
        "{report}"
    );
    // There are no weights that could be quantized.
    assert!(
        report.contains("### Not tried") && !report.contains("QUANTIZED.onnx"),
        "{report}"
    );
}

#[test]
fn graph_without_any_node_is_bad_input() {
    let bench = Workbench::new();
    let path = bench.write("empty.onnx", model(&[], "in", "in"));
    for output in [
        Onnxprof::new().arg("inspect").arg(&path).run(),
        bench.profile(&path, ["--quiet"]).run(),
    ] {
        assert_eq!(output.code(), Some(crate::support::BAD_INPUT), "{output}");
        assert!(
            output.stderr.contains("empty.onnx` has no nodes"),
            "{output}"
        );
    }
}

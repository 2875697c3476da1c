use std::time::{Duration, Instant};

use super::*;
use crate::record::{NodeProfile, TensorShape};
use crate::units::{Bytes, Nanos};

fn read_text(text: impl AsRef<[u8]>) -> std::result::Result<Trace, TraceError> {
    read_counted(text, Counted::All)
}

fn read_counted(
    text: impl AsRef<[u8]>,
    counted: Counted,
) -> std::result::Result<Trace, TraceError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    read(file.path(), counted)
}

/// The trace of these events.
fn of(events: &[String]) -> Trace {
    read_text(array(events)).unwrap()
}

/// A node's event: name, operator, start and length in microseconds.
fn node(name: &str, operator: &str, start: u64, length: u64) -> String {
    let name = serde_json::to_string(&format!("{name}_kernel_time")).unwrap();
    format!(
        r#"{{"cat":"Node","pid":1,"tid":7,"dur":{length},"ts":{start},"ph":"X","name":{name},"args":{{"op_name":"{operator}","provider":"CPUExecutionProvider","node_index":"3"}}}}"#
    )
}

fn inference(start: u64, length: u64) -> String {
    format!(
        r#"{{"cat":"Session","pid":1,"tid":7,"dur":{length},"ts":{start},"ph":"X","name":"model_run","args":{{}}}}"#
    )
}

fn array(events: &[String]) -> String {
    format!("[\n{}\n]\n", events.join(",\n"))
}

/// Three inferences of two nodes: the first takes ten times as long.
fn three() -> Vec<String> {
    let run = |start: u64, factor: u64, gemm: u64| {
        [
            node("a", "Gemm", start + 1, gemm * factor),
            node("b", "Relu", start + 900, 5 * factor),
            inference(start, 100 * factor),
        ]
    };
    [run(0, 10, 60), run(2000, 1, 60), run(3000, 1, 80)].concat()
}

fn names(trace: &Trace) -> Vec<(&str, u64, u64)> {
    trace
        .profiled
        .nodes
        .iter()
        .map(|node| (node.name.exact(), node.calls_count, node.time_ns.0))
        .collect()
}

#[test]
fn times_are_means_of_all_inferences_but_the_first_unless_that_is_alone() {
    let trace = of(&three());
    assert_eq!(names(&trace), [("a", 2, 70_000), ("b", 2, 5_000)]);
    assert_eq!(trace.inferences, Inferences::WithoutFirst);
    let profiled = &trace.profiled;
    assert_eq!(profiled.inferences_count, 2);
    assert_eq!(profiled.inference_ns, Nanos(100_000));
    assert_eq!(profiled.mean_inference_ns, Nanos(100_000));
    assert!(profiled.complete && profiled.unreadable_events_count == 0);
    assert_eq!(profiled.nodes[0].node_index, Some(3));
    let lone = of(&three()[..3]);
    assert_eq!(names(&lone), [("a", 1, 600_000), ("b", 1, 50_000)]);
    assert_eq!(lone.inferences, Inferences::OnlyFirst);
    assert_eq!(lone.profiled.inferences_count, 1);
}

/// Inferences of these lengths, one after the other, of one node.
fn inferences(lengths: &[u64]) -> String {
    let mut events = Vec::new();
    for (start, &length) in (0..).step_by(1000).zip(lengths) {
        events.push(node("a", "Gemm", start + 1, length - 2));
        events.push(inference(start, length));
    }
    array(&events)
}

#[test]
fn inferences_that_were_disturbed_are_not_typical() {
    let text = inferences(&[900, 100, 400, 110]);
    let trace = read_counted(&text, Counted::Typical).unwrap();
    assert_eq!(names(&trace), [("a", 2, 103_000)]);
    let typical = &trace.profiled;
    assert_eq!(typical.inference_ns, Nanos(110_000));
    assert_eq!(typical.mean_inference_ns, Nanos(105_000));
    let all = read_text(&text).unwrap().profiled;
    for (profiled, counts) in [(typical, (2, 1)), (&all, (3, 0))] {
        let disturbed_count = profiled.disturbed_inferences_count;
        assert_eq!((profiled.inferences_count, disturbed_count), counts);
    }
    // The slower half is not what is typical.
    let text = inferences(&[900, 180, 100, 170, 110]);
    let trace = read_counted(&text, Counted::Typical).unwrap();
    assert_eq!(names(&trace), [("a", 2, 103_000)]);
}

#[test]
fn a_trace_cut_off_anywhere_gives_what_is_whole() {
    let whole = array(&three());
    let end = r#"model_run","args":{}}"#;
    let (second, _) = whole.match_indices(end).nth(1).unwrap();
    for cut in second + end.len()..whole.len() - 2 {
        let trace = read_text(&whole[..cut]).unwrap();
        assert!(!trace.profiled.complete, "{cut}");
        assert_eq!(trace.profiled.unreadable_events_count, 0, "{cut}");
        let count = trace.profiled.inferences_count;
        let gemm = if count == 2 { 70_000 } else { 60_000 };
        let expected = [("a", count, gemm), ("b", count, 5_000)];
        assert_eq!(names(&trace), expected, "{cut}");
    }
}

#[test]
fn what_is_no_trace_is_refused() {
    let without_nodes = array(&[inference(0, 5), inference(10, 5)]);
    let kernel =
        r#"{"tid":1,"dur":9,"ts":1,"name":"_kernel_time","args":{"op_name":"Conv"}}"#.to_owned();
    let run = [kernel, inference(0, 20)];
    let of_the_first_versions = array(&[run.clone(), run].concat());
    let whole = array(&three());
    for (text, why) in [
        ("no trace", "is no trace"),
        ("{}", "is no trace"),
        ("[1,2]", "is no trace"),
        ("[true", "is no trace"),
        ("\u{7f}ELF", "is no trace"),
        ("  \n", "is no trace"),
        ("[\n\"a\",\n\"b\"\n]", "is no trace"),
        ("", "is empty"),
        ("[]", "holds no inference"),
        ("[", "was cut off before"),
        (&whole[..400], "was cut off before"),
        (&without_nodes, "holds no operators"),
        (&of_the_first_versions, "is of a format before"),
    ] {
        let error = read_text(text).unwrap_err();
        assert!(error.to_string().contains(why), "{text}: {error}");
        assert!(error.hint().is_some(), "{text}: {error}");
    }
    let old = read_text(of_the_first_versions).unwrap_err();
    assert!(old.hint().unwrap().contains("a newer ONNX Runtime"));
}

#[test]
fn time_inside_a_loop_counts_once_and_in_its_body() {
    let run = |start: u64| {
        vec![
            node("before", "Relu", start, 10),
            node("body", "MatMul", start + 12, 20),
            node("inner", "If", start + 11, 25),
            node("body", "MatMul", start + 40, 20),
            node("loop", "Loop", start + 10, 60),
            node("after", "Softmax", start + 75, 5),
            inference(start, 90),
        ]
    };
    let trace = of(&[run(0), run(100)].concat());
    assert_eq!(
        names(&trace),
        [
            ("before", 1, 10_000),
            ("body", 2, 40_000),
            ("inner", 1, 5_000),
            ("loop", 1, 15_000),
            ("after", 1, 5_000)
        ]
    );
    let sum: u64 = trace.profiled.nodes.iter().map(|node| node.time_ns.0).sum();
    assert_eq!(sum, 75_000);
}

#[test]
fn nodes_of_two_threads_are_not_inside_each_other() {
    let run = |start: u64| {
        let other = node("b", "Gemm", start + 5, 10).replace("\"tid\":7", "\"tid\":8");
        [
            other,
            node("a", "Gemm", start + 1, 50),
            inference(start, 60),
        ]
    };
    let trace = of(&[run(0), run(100)].concat());
    assert_eq!(names(&trace), [("b", 1, 10_000), ("a", 1, 50_000)]);
}

#[test]
fn nodes_without_names_and_shapes_are_told_apart_by_index() {
    let unnamed = |index: &str| node("", "Relu", 1, 4).replace(r#""3""#, index);
    let run = [unnamed(r#""1""#), unnamed(r#""2""#), inference(0, 10)];
    let trace = of(&[run.clone(), run].concat());
    for (node, index) in trace.profiled.nodes.iter().zip(1..) {
        let found = (node.node_index, node.inputs.clone(), node.bytes());
        assert_eq!(found, (Some(index), None, None));
    }
    assert_eq!(trace.profiled.nodes.len(), 2);
}

fn described(args: &str) -> NodeProfile {
    let event = node("a", "Conv", 1, 4).replace(r#""node_index":"3""#, args);
    let run = [event, inference(0, 9)];
    of(&[run.clone(), run].concat()).profiled.nodes.remove(0)
}

#[test]
fn sizes_and_shapes_are_read_as_onnx_runtime_writes_them_and_absent_where_they_make_no_sense() {
    let node = described(
        r#""activation_size":"512","parameter_size":"1280","output_size":"16384","mem_in_use_peak":"1073192","thread_scheduling_stats":{"main_thread":{"block_size":[1]}},"input_type_shape":[{"float":[2,1,8,8]},{"int64":[]}],"output_type_shape":[{"float":[2,32,8,8]}]"#,
    );
    assert_eq!(node.bytes(), Some(Bytes(512 + 1280 + 16384)));
    assert_eq!(node.arena_peak_bytes, Some(Bytes(1_073_192)));
    let shape = |element_type: &str, dims: &[u64]| TensorShape {
        element_type: element_type.into(),
        dims: dims.to_vec(),
    };
    assert_eq!(
        node.inputs,
        Some(vec![shape("float", &[2, 1, 8, 8]), shape("int64", &[])])
    );
    assert_eq!(node.outputs.unwrap()[0].elements_count(), 4096);
    let node = described(
        r#""activation_size":"-5","output_size":7,"input_type_shape":[{"float":[-1]}],"output_type_shape":"?""#,
    );
    assert_eq!(
        (node.activation_bytes, node.output_bytes),
        (None, Some(Bytes(7)))
    );
    assert_eq!((node.inputs, node.outputs), (None, None));
}

#[test]
fn numbers_that_no_sum_holds_end_at_the_largest() {
    let most = u64::MAX;
    let sized = described(&format!(
        r#""activation_size":"{most}","parameter_size":"{most}","output_size":"1""#
    ));
    assert_eq!(sized.bytes(), Some(Bytes(most)));
    let run = [
        node("a", "Gemm", 1, most),
        node("b", "Relu", 1, most),
        inference(0, most),
    ];
    let profiled = of(&[run.clone(), run.clone(), run].concat()).profiled;
    assert_eq!(profiled.inferences_count, 2);
    assert_eq!(profiled.inference_ns, Nanos(most));
}

#[test]
fn names_with_quotes_newlines_and_escape_sequences_are_kept_as_they_are() {
    let name = "a \"b\" \n<script> \u{1b}[31m é";
    let run = [node(name, "Relu", 1, 4), inference(0, 10)];
    let trace = of(&[run.clone(), run].concat());
    assert_eq!(names(&trace), [(name, 1, 4_000)]);
}

#[test]
fn events_that_cannot_be_read_are_counted_and_left_out() {
    let mut events = three();
    events.insert(
        3,
        r#"{"name":"a "quoted" name_kernel_time","ts":2,"dur":3}"#.into(),
    );
    events.insert(4, r#"{"name":5}"#.into());
    let trace = of(&events);
    assert_eq!(trace.profiled.unreadable_events_count, 2);
    assert!(trace.profiled.complete);
    assert_eq!(names(&trace), [("a", 2, 70_000), ("b", 2, 5_000)]);
}

#[test]
fn a_trace_on_one_line_with_fractions_of_microseconds_is_read_as_well() {
    let line = array(&three())
        .replace('\n', "")
        .replace(r#""dur":60,"#, r#""dur":60.5,"#);
    assert_eq!(
        names(&read_text(line).unwrap()),
        [("a", 2, 70_250), ("b", 2, 5_000)]
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.json");
    let error = read(&missing, Counted::All).unwrap_err();
    assert!(error.to_string().contains("missing.json"), "{error}");
    let error = read(folder.path(), Counted::All).unwrap_err();
    assert!(matches!(error, TraceError::NotFile(_)), "{error}");
}

#[test]
fn events_are_the_same_wherever_what_is_in_memory_ends() {
    // Longer than one stretch, with a long event, values that are none, and lines that cannot be
    // read.
    let run = |start: u64| {
        let long = node("long", "Conv", start + 1, 5).replace(
            "\"args\":{",
            &format!("\"args\":{{\"x\":\"{}\",", "y".repeat(3 << 20)),
        );
        let short = (0..5_000)
            .map(|index| node("a", "Gemm", start + 10 + 4 * index, 3))
            .collect();
        let broken = r#"{"name":"a "quoted" name_kernel_time","ts":2,"dur":3}"#.to_owned();
        [
            vec![long, "7".repeat(300_000), broken],
            short,
            vec![inference(start, 90_000)],
        ]
        .concat()
    };
    let trace = of(&[run(0), run(100_000), run(200_000)].concat());
    assert_eq!(
        names(&trace),
        [("long", 2, 5_000), ("a", 10_000, 15_000_000)]
    );
    assert!(trace.profiled.complete);
    assert_eq!(trace.profiled.unreadable_events_count, 6);
    assert_eq!(trace.profiled.inferences_count, 2);
}

#[test]
fn nodes_of_one_name_are_found_in_no_time() {
    let mut run: Vec<String> = (0..30_000)
        .map(|index| node("", "Relu", 1, 4).replace("\"3\"", &format!("\"{index}\"")))
        .collect();
    run.push(inference(0, 9));
    let began = Instant::now();
    let trace = of(&[run.clone(), run].concat());
    assert_eq!(trace.profiled.nodes.len(), 30_000);
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_trace_that_is_shortened_while_it_is_read_is_said_to_have_changed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), array(&three())).unwrap();
    let opened = files::open(file.path(), Kind::TRACE).unwrap();
    file.as_file().set_len(100).unwrap();
    let error = fold(&opened, Counted::All).unwrap_err().of(file.path());
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "the file changed while it was read");
}

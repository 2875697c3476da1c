use std::time::{Duration, Instant};

use super::*;
use crate::record::{NodeProfile, Profiled, TensorShape};
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

/// A kernel or copy of a device, in microseconds, with these arguments.
fn on_device(name: &str, start: u64, length: u64, args: &str) -> String {
    format!(
        r#"{{"cat" : "Kernel","pid" :-1,"tid" :-1,"dur" :{length},"ts" :{start},"ph" : "X","name" :"{name}","args" : {{{args}}}}}"#
    )
}

/// Two inferences of 100 us, of a convolution and of a node that has the device run nothing, with
/// `device` between the nodes of each.
fn on_a_device(device: impl Fn(u64) -> Vec<String>) -> Profiled {
    let run = |start: u64| {
        let mut events = vec![node("conv", "Conv", start + 10, 20)];
        events.extend(device(start));
        events.push(node("flat", "Reshape", start + 40, 5));
        events.push(inference(start, 100));
        events
    };
    of(&[run(1_000), run(2_000)].concat()).profiled
}

fn device_times(profiled: &Profiled) -> Vec<Option<(u64, u64)>> {
    let nodes = profiled.nodes.iter();
    nodes
        .map(|node| node.device.map(|own| (own.time_ns.0, own.events_count)))
        .collect()
}

#[test]
fn kernels_count_for_the_node_that_they_name_or_that_stands_before_them() {
    // By ONNX Runtime's merging of CUDA's and ROCm's events, by CUDA's first profiler, by the plug-in
    // for CUDA, and by the example of a plug-in.
    for args in [
        r#""stream" : "7","op_name" : "Conv","parent_name" : "conv_kernel_time""#,
        r#""op_name" : "Conv","stream" : "7""#,
        r#""ort_correlation_id" : "9","ort_event_name" : "conv_kernel_time","ort_op_name" : "Conv","ort_node_index" : "3""#,
        r#""parent_name" : "conv_kernel_time""#,
    ] {
        let profiled = on_a_device(|start| {
            vec![
                on_device("implicit_gemm", start + 25, 30, args),
                on_device("bias", start + 60, 10, args),
            ]
        });
        assert_eq!(device_times(&profiled), [Some((40_000, 2)), None], "{args}");
        let device = profiled.device.unwrap();
        assert_eq!(
            (device.compute_ns.0, device.outside_nodes_ns.0),
            (40_000, 0)
        );
        assert_eq!((device.span_ns.0, device.busy_ns.0), (45_000, 40_000));
        // The host's own time is what it was.
        assert_eq!(profiled.nodes[0].time_ns, Nanos(20_000));
    }
}

#[test]
fn kernels_that_name_no_node_of_the_trace_count_outside_of_nodes() {
    for args in [
        r#""stream" : "7""#,
        r#""op_name" : "","parent_name" : "model_run""#,
        r#""op_name" : "Gemm""#,
        r#""parent_name" : "other_kernel_time""#,
        r#""ort_event_name" : "conv_kernel_time","ort_node_index" : "4""#,
    ] {
        let profiled = on_a_device(|start| vec![on_device("kernel", start + 25, 30, args)]);
        assert_eq!(device_times(&profiled), [None, None], "{args}");
        assert_eq!(profiled.device.unwrap().outside_nodes_ns, Nanos(30_000));
    }
}

#[test]
fn copies_are_known_by_cupti_s_names_and_by_the_kind_of_hip_s() {
    let profiled = on_a_device(|start| {
        let hip = |kind: &str| format!(r#""stream" : "0x0","kind" : "{kind}""#);
        vec![
            on_device("MemcpyHostToDevice", start, 1, r#""stream" : "7""#),
            on_device("hipMemcpyAsync", start + 1, 2, &hip("H2D")),
            on_device("MemcpyDeviceToHost", start + 3, 4, r#""stream" : "7""#),
            on_device("hipMemcpyWithStream", start + 7, 8, &hip("D2H")),
            on_device("MemcpyDeviceToDevice", start + 15, 16, r#""stream" : "7""#),
        ]
    });
    let device = profiled.device.unwrap();
    assert_eq!(
        [device.to_device_ns, device.to_host_ns, device.compute_ns].map(|time| time.0),
        [3_000, 12_000, 16_000]
    );
    assert_eq!((device.events_count, device.busy_ns), (5, Nanos(31_000)));
}

#[test]
fn a_trace_of_the_host_alone_says_nothing_of_a_device() {
    let profiled = on_a_device(|_| Vec::new());
    assert_eq!((profiled.device, profiled.nodes[0].device), (None, None));
}

#[test]
fn events_by_when_they_began_give_what_those_by_when_they_ended_do() {
    let run = |start: u64| {
        vec![
            node("before", "Relu", start, 10),
            node("body", "MatMul", start + 12, 20),
            node("inner", "If", start + 11, 25),
            node("body", "MatMul", start + 40, 20),
            // A microsecond that both ends were cut off by.
            node("last", "MatMul", start + 61, 10),
            node("loop", "Loop", start + 10, 60),
            node("after", "Softmax", start + 75, 16),
            inference(start, 90),
        ]
    };
    let by_end = [run(0), run(100), run(200)].concat();
    let begin =
        |event: &String| serde_json::from_str::<serde_json::Value>(event).unwrap()["ts"].as_u64();
    // What holds others comes before them.
    let mut by_begin: Vec<String> = by_end.iter().rev().cloned().collect();
    by_begin.sort_by_key(begin);
    let (found, expected) = (of(&by_begin), of(&by_end));
    assert_eq!(found.inferences, expected.inferences);
    let sorted = |trace: &Trace| {
        let mut nodes = names(trace)
            .iter()
            .map(|(name, count, time)| (name.to_string(), *count, *time))
            .collect::<Vec<_>>();
        nodes.sort();
        nodes
    };
    assert_eq!(sorted(&found), sorted(&expected));
    assert_eq!(found.profiled.mean_inference_ns, Nanos(90_000));
    assert_eq!(found.profiled.inferences_count, 2);
    // Cut off, the last inference is not whole.
    let cut = array(&by_begin);
    let cut = read_text(&cut[..cut.len() - 5]).unwrap().profiled;
    assert_eq!((cut.inferences_count, cut.complete), (1, false));
}

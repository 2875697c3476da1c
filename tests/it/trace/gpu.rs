//! `onnxprof trace` on traces of GPUs, which are written by hand after ONNX Runtime's sources: see
//! `gpu/README.md`.

use serde_json::{Value, json};

use super::*;

fn by_hand(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/trace/gpu");
    folder.join(format!("{name}-by-hand.json"))
}

fn breakdown(name: &str) -> Value {
    trace(&by_hand(name), &["--json"]).data()["breakdown"].clone()
}

/// Nodes by the time that stands for them, with it and the host's, in microseconds.
fn times(name: &str) -> Vec<(u64, u64)> {
    let micros = |value: &Value| value.as_u64().unwrap() / 1000;
    let breakdown = breakdown(name);
    let nodes = breakdown["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| (micros(&node["time_ns"]), micros(&node["host_ns"])))
        .collect()
}

#[test]
fn kernels_stand_for_nodes_and_the_hosts_times_stand_apart() {
    let expected = [(400, 25), (200, 30), (20, 20), (0, 4)];
    assert_eq!(times("cuda"), expected);
    // The plug-in's events stand behind those of the host, which come by when they began.
    assert_eq!(times("cuda-plugin"), expected[..3]);
    // A node of the host keeps its own time.
    assert_eq!(times("cuda-copies"), [(200, 30), (12, 12)]);
    assert_eq!(times("tensorrt"), [(590, 630)]);
    for name in ["cuda", "cuda-plugin", "cuda-copies", "tensorrt"] {
        assert_eq!(breakdown(name)["times"], "device", "{name}");
        assert_eq!(breakdown(name)["inferences_count"], 3, "{name}");
    }
}

#[test]
fn verdicts_are_told_where_the_trace_shows_them_and_nowhere_else() {
    for (name, verdicts) in [
        ("cuda", json!([])),
        ("cuda-plugin", json!([])),
        ("cuda-enqueue-bound", json!(["enqueue_bound", "gaps"])),
        ("cuda-copies", json!(["copies_dominate"])),
        ("tensorrt", json!(["host_waits"])),
    ] {
        assert_eq!(breakdown(name)["device"]["verdicts"], verdicts, "{name}");
    }
    assert_eq!(breakdown("directml")["device"], Value::Null);
    for (name, words) in [
        (
            "cuda-enqueue-bound",
            "Throughput may be bound by enqueue time rather than by compute on the device",
        ),
        ("cuda-enqueue-bound", "Idle device between kernels"),
        (
            "cuda-copies",
            "Throughput may be bound by copies rather than by compute",
        ),
        ("tensorrt", "Enqueue time is not known"),
    ] {
        trace(&by_hand(name), &[])
            .assert_code(0)
            .assert_stdout(words);
    }
    let well_fed = trace(&by_hand("cuda"), &[]).stdout;
    assert!(
        !well_fed.contains("may be") || !well_fed.contains("bound"),
        "{well_fed}"
    );
}

#[test]
fn trace_of_a_gpu_is_summed_up_for_people() {
    for name in ["cuda", "cuda-enqueue-bound", "directml"] {
        let output = trace(&by_hand(name), &[]);
        insta::assert_snapshot!(format!("trace_{name}"), output.stdout);
    }
}

#[test]
fn times_of_the_host_alone_are_marked_in_every_table() {
    assert_eq!(breakdown("directml")["times"], "handing_over");
    let rows = trace(&by_hand("directml"), &["--format", "csv"]).stdout;
    let mut lines = rows.lines();
    assert!(lines.next().unwrap().ends_with(",times,host_time_ns"));
    assert!(lines.all(|line| line.contains(",handing_over,")), "{rows}");
    let text = trace(&by_hand("directml"), &["--format", "markdown"]).stdout;
    let tables = text.matches(", on the host alone").count();
    assert_eq!(
        (tables, text.matches("times are the host's").count()),
        (2, 2),
        "{text}"
    );
}

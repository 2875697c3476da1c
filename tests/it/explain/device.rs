//! Sessions whose nodes hand work over to a device: its own times stand for them, or nothing does.

use onnxprof::analysis::{BottleneckKind, NodeTimes, Untried};
use onnxprof::record::{DeviceProfile, DeviceTime};

use super::*;

const CUDA: &str = "CUDAExecutionProvider";

/// `profiled` with the nodes of these sessions on a GPU.
fn on_a_gpu(sessions: &[usize]) -> RunRecord {
    let mut run = profiled();
    for &session in sessions {
        for node in nodes(&mut run, session) {
            node.execution_provider = CUDA.into();
        }
    }
    run
}

fn nodes(run: &mut RunRecord, session: usize) -> &mut Vec<NodeProfile> {
    &mut run.operators[session].profile.as_mut().unwrap().nodes
}

#[test]
fn times_of_handing_work_over_are_in_no_waterfall_and_no_roofline() {
    let run = on_a_gpu(&[1]);
    let findings = analysis::findings(&run);
    let explanation = only(&findings);
    assert!(explanation.steps.is_empty() && explanation.latency.is_some());
    assert_eq!(
        explanation.steps_absent_reason.as_ref().unwrap(),
        &"times of the operators of int8 are the host's, of handing work over to a device, and its trace tells none of the \
          device's own"
    );
    let rooflines = findings.causes.rooflines.iter();
    assert!(rooflines.map(|roofline| roofline.session).eq([0]));
    let of_operators = findings.decisions.bottlenecks.iter().filter(|found| {
        matches!(
            found.kind,
            BottleneckKind::DominatingOperator { .. } | BottleneckKind::Conversions { .. }
        )
    });
    assert!(of_operators.map(|found| found.session).eq([0]));
}

#[test]
fn tables_and_charts_say_whose_times_they_have() {
    let run = on_a_gpu(&[1]);
    let report = Report::new(&run, &analysis::findings(&run));
    let sections = shown::sections(&report, "operators");
    let [fp32, int8, roofline] = sections.as_slice() else {
        panic!("{sections:?}")
    };
    for table in &int8.tables {
        assert!(table.title.ends_with(", on the host alone"), "{table:?}");
        let note = table.notes.last().unwrap();
        assert!(note.starts_with("times are the host's"), "{note}");
    }
    assert!(int8.lines[0].contains(" of it on the host in 5 nodes"));
    assert!(int8.lines[1].starts_with("Times of the host alone: nodes of cuda hand work over"));
    let all_notes = fp32.tables.iter().flat_map(|table| &table.notes);
    assert!(all_notes.clone().all(|note| !note.contains("host")));
    assert!(
        roofline.lines.iter().any(|line| line
            == "None of int8: times of nodes are the host's there, which handed work over to a device"),
        "{:?}",
        roofline.lines
    );
    let topic = shown::charts(&report, "operators");
    assert!(
        topic.left_out[0].contains("int8: the traces tell times of the host alone"),
        "{:?}",
        topic.left_out
    );
    let rows = &topic.charts[0].table.rows;
    assert!(rows.iter().all(|row| row.cells[0] == "fp32"));
    let summary = report::terminal(&report, None, Color::Never);
    assert!(
        summary.contains("int8: times are the host's, of handing work over"),
        "{summary}"
    );
}

#[test]
fn where_all_times_are_of_handing_over_reports_say_so_in_place_of_charts() {
    let run = on_a_gpu(&[0, 1]);
    let findings = analysis::findings(&run);
    assert!(findings.causes.rooflines.is_empty());
    let report = Report::new(&run, &findings);
    let topic = shown::charts(&report, "operators");
    assert!(topic.charts.is_empty());
    assert!(topic.left_out[0].contains("the traces tell times of the host alone"));
    let markdown = report::markdown(&report).unwrap();
    assert!(
        !markdown.contains("the run profiled no operators"),
        "{markdown}"
    );
    assert!(!markdown.contains("Roofline: what limits"), "{markdown}");
}

#[test]
fn a_devices_own_times_stand_for_its_nodes() {
    let mut run = on_a_gpu(&[1]);
    for node in nodes(&mut run, 1) {
        // Each took the host a tenth of what it took the device.
        node.device = Some(DeviceTime {
            time_ns: node.time_ns,
            events_count: 10,
        });
        node.time_ns = Nanos(node.time_ns.0 / 10);
    }
    let (of_device, of_host) = (analysis::findings(&run), analysis::findings(&profiled()));
    assert_eq!(only(&of_device).steps, only(&of_host).steps);
    let breakdown = |findings: &Findings| findings.causes.operators[1].breakdown.clone().unwrap();
    let (found, expected) = (breakdown(&of_device), breakdown(&of_host));
    assert_eq!(
        (found.times, expected.times),
        (NodeTimes::Device, NodeTimes::Host)
    );
    // A device's times stand as they are: nothing is taken off for the profiler.
    assert_eq!(found.nodes_ns.0, 9_500 + 59_500 + 19_500 + 19_500 + 9_500);
    assert_eq!(found.nodes[0].host_ns.0, expected.nodes[0].host_ns.0 / 10);
    let report = Report::new(&run, &of_device);
    let table = &shown::sections(&report, "operators")[1].tables[0];
    assert!(
        table.header.contains(&"on host".to_owned()),
        "{:?}",
        table.header
    );
    let summary = &shown::charts(&report, "operators").charts[0].summary;
    let said = "Of int8, nodes that ran on a device have its own times, with the profiler.";
    assert!(summary.contains(said), "{summary}");
}

/// A session of CUDA's execution provider whose device computes for `compute_us` of a span of
/// `span_us`, and copies for `copies_us` each way; its nodes take the host 49 us.
fn with_device(compute_us: u64, copies_us: u64, span_us: u64) -> RunRecord {
    let mut run = on_a_gpu(&[1]);
    run.plan.sessions[1].execution_provider = CUDA.into();
    for node in nodes(&mut run, 1) {
        node.device = Some(DeviceTime {
            time_ns: node.time_ns,
            events_count: 10,
        });
        node.time_ns = Nanos(9_800);
    }
    let nanos = |micros: u64| Nanos(micros * 1_000);
    run.operators[1].profile.as_mut().unwrap().device = Some(DeviceProfile {
        events_count: 50,
        compute_ns: nanos(compute_us),
        to_device_ns: nanos(copies_us),
        to_host_ns: nanos(copies_us),
        outside_nodes_ns: Nanos(0),
        span_ns: nanos(span_us),
        busy_ns: nanos(compute_us + 2 * copies_us),
    });
    run
}

/// Titles of the bottlenecks of the session on the device, each with its fields in a line.
fn told_of_device(run: &RunRecord) -> Vec<String> {
    let report = Report::new(run, &analysis::findings(run));
    let markdown = report::markdown(&report).unwrap();
    let (_, rest) = markdown.split_once("### AI/ML Bottlenecks").unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap_or((rest, ""));
    let titles = [
        "Bound by enqueue time",
        "Bound by copies to and from the device",
        "Idle device between kernels",
    ];
    titles
        .into_iter()
        .filter_map(|title| {
            let (_, rest) = section.split_once(title)?;
            let lines = rest.lines().take(8).collect::<Vec<&str>>();
            Some(format!("{title}{}", lines.join(" ")))
        })
        .collect()
}

#[test]
fn what_keeps_a_device_waiting_is_a_bottleneck_with_what_can_be_done() {
    let found = told_of_device(&with_device(50, 0, 100));
    assert_eq!(found.len(), 2, "{found:#?}");
    for part in [
        "handing work over takes the host 49.0 µs, and the device computes for 50.0 µs",
        "enqueue time rather than by compute",
        "--ep-option enable_cuda_graph=1 --bind device",
    ] {
        assert!(found[0].contains(part), "{part}: {found:#?}");
    }
    assert!(
        found[1].contains("nothing runs on the device for 50.0 µs (50%) of the 100"),
        "{found:#?}"
    );
    let of_copies = told_of_device(&with_device(100, 60, 220));
    assert_eq!(of_copies.len(), 1, "{of_copies:#?}");
    assert!(
        of_copies[0].contains("copies take 60.0 µs to the device and 60.0 µs from it")
            && of_copies[0].contains("--bind device"),
        "{of_copies:#?}"
    );
    // Well fed, or waiting in its nodes: nothing is known to limit it.
    for (compute, span) in [(200, 205), (50, 51)] {
        let none = told_of_device(&with_device(compute, 0, span));
        assert!(none.is_empty(), "{none:#?}");
    }
}

#[test]
fn graphs_are_a_thing_not_tried_where_a_device_waits_for_the_host_alone() {
    let untried = |run: &RunRecord| {
        let findings = analysis::findings(run);
        let mut all = findings.decisions.not_tried.into_iter();
        all.find(|found| found.what == Untried::CapturedGraphs)
            .map(|found| found.command.join(" "))
    };
    let command = untried(&with_device(50, 0, 100)).unwrap();
    assert!(
        command.contains("--ep-option cuda:enable_cuda_graph=1")
            && command.contains("--bind device"),
        "{command}"
    );
    assert_eq!(untried(&with_device(200, 0, 205)), None);
    let mut captured = with_device(50, 0, 100);
    let options = &mut captured.plan.sessions[1].provider.options;
    options.insert("enable_cuda_graph".into(), "1".into());
    assert_eq!(untried(&captured), None);
}

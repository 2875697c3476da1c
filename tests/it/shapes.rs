//! `profile --sweep`, `--idle-gaps` and `--latency-limit`: shapes beside batch sizes, and pauses
//! between requests.

use onnxprof::analysis::{self, Bottleneck, BottleneckKind, CliffEvidence, CliffSign};
use onnxprof::record::{CpuCache, IdleGaps, RunRecord};
use onnxprof::report::{self, Report};
use onnxprof::units::Bytes;

use crate::support::{Onnxprof, model, record};
use crate::workbench::Workbench;

const BERT: &str = "fixtures/bert-tiny-random-weights.onnx";

#[test]
fn every_batch_size_is_measured_at_every_size_of_a_swept_dimension() {
    let bench = Workbench::new();
    // Long enough for the inferences that an answer takes.
    let schedule = ["--rounds", "1", "--alternations", "1", "--block", "60ms"];
    let sweep = ["--sweep", "dim=sequence_length:16,64", "--batch", "1,2"];
    bench
        .profile_of(&model(BERT), [&schedule[..], &sweep].concat())
        .run()
        .assert_code(0);
    let record = bench.record();
    let measured: Vec<(usize, u64)> = record
        .cells
        .iter()
        .filter(|cell| cell.outcome.is_ok())
        .map(|cell| (cell.key.shape, cell.key.batch_size))
        .collect();
    assert_eq!(measured, [(0, 1), (0, 2), (1, 1), (1, 2)]);
    let shapes: Vec<String> = record.plan.shapes.iter().map(ToString::to_string).collect();
    assert_eq!(shapes, ["sequence_length 16", "sequence_length 64"]);
    let blocks = |shape| {
        record
            .blocks
            .iter()
            .filter(move |block| block.key.shape == shape && block.key.batch_size == 1)
    };
    assert!(blocks(0).count() > 0 && blocks(1).count() > 0);
    // Four times as many tokens take longer in every launch, whatever the machine does meanwhile.
    let fastest = |shape| blocks(shape).map(|block| block.p10_ns).min().unwrap();
    assert!(fastest(1) > fastest(0));

    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    for shape in ["batch 1, sequence\\_length 16", "sequence\\_length 64"] {
        assert!(report.contains(shape), "no `{shape}` in {report}");
    }
    let [longer] = analysis::findings(&record)
        .decisions
        .answer
        .other_shapes
        .try_into()
        .unwrap();
    let chosen = longer.throughput.pick().unwrap().key;
    assert_eq!((longer.shape, chosen.shape), (1, 1));
    let answer =
        "With sequence\\_length 64: bert-tiny-random-weights at batch 1 for the shortest latency";
    assert!(report.contains(answer), "{report}");
    assert!(
        report.contains("measures what the first request after a pause takes"),
        "{report}"
    );
    let view = Report::new(&record, &analysis::findings(&record));
    let titles: Vec<&str> = view.charts().map(|chart| chart.title.as_str()).collect();
    for title in [
        "Median latency over batch sizes",
        "Median latency over sequence_length",
        "Throughput over sequence_length",
    ] {
        assert!(titles.contains(&title), "no `{title}` in {titles:?}");
    }
    let csv = std::fs::read_to_string(bench.run_folder().join("cells.csv")).unwrap();
    assert!(
        csv.contains("sequence_length=16") && csv.contains("sequence_length=64"),
        "{csv}"
    );
}

#[test]
fn latencies_after_idle_gaps_are_kept_by_gap() {
    let bench = Workbench::new();
    bench
        .profile(&model(BERT), ["--idle-gaps=5ms,0", "--batch", "1"])
        .run()
        .assert_code(0);
    let record = bench.record();
    let [
        IdleGaps {
            session: 0,
            batch_size: 1,
            gaps: Ok(gaps),
            ..
        },
    ] = record.idle_gaps.as_slice()
    else {
        panic!("{:?}", record.idle_gaps)
    };
    assert_eq!(
        gaps.iter().map(|gap| gap.gap_ns.0).collect::<Vec<_>>(),
        [0, 5_000_000]
    );
    for gap in gaps {
        let latencies = gap.latencies_ns.as_ref().unwrap();
        assert!(
            latencies.len() >= 6 && latencies.iter().all(|launch| !launch.is_empty()),
            "{gap:?}"
        );
        assert!(
            latencies.iter().flatten().all(|latency| latency.0 > 0),
            "{gap:?}"
        );
    }
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(
        report.contains("bert-tiny-random-weights, batch 1, gap 5.00 ms"),
        "{report}"
    );
}

#[test]
fn without_a_list_the_gaps_are_those_of_the_help() {
    let bench = Workbench::new();
    let script = serde_json::json!({ "bert-tiny-random-weights": { "fixed_ns": 100_000 } });
    bench
        .scripted(
            &model(BERT),
            &script,
            ["--idle-gaps", "--batch", "1", "--rounds", "1"],
        )
        .run()
        .assert_code(0);
    let gaps: Vec<u64> = bench
        .record()
        .plan
        .idle_gaps_ns
        .iter()
        .map(|gap| gap.0)
        .collect();
    assert_eq!(gaps, [0, 10_000_000, 100_000_000, 1_000_000_000]);
}

#[test]
fn the_limit_of_a_report_takes_the_place_of_the_runs() {
    let bench = Workbench::new();
    let script = serde_json::json!({ "bert-tiny-random-weights": { "fixed_ns": 100_000 } });
    let words = [
        "--batch",
        "1,2",
        "--rounds",
        "2",
        "--alternations",
        "2",
        "--latency-limit",
        "1s",
    ];
    bench
        .scripted(&model(BERT), &script, words)
        .run()
        .assert_code(0);
    let report = |limit: &[&str]| {
        let run = Onnxprof::new()
            .arg("report")
            .arg(bench.run_folder())
            .args(["--format", "markdown"])
            .args(limit)
            .run();
        run.assert_code(0).stdout.clone()
    };
    assert!(
        report(&[]).contains("with median latency within 1.00 s at batch"),
        "{}",
        report(&[])
    );
    let strict = report(&["--latency-limit", "1us"]);
    assert!(
        strict
            .contains("no batch size has its median latency within 1.00 µs; batch 1 comes closest"),
        "{strict}"
    );
}

#[test]
fn what_cannot_be_swept_is_told_with_what_can() {
    let mut told = String::new();
    for sweep in [
        "seq:16",
        "dim=sequence_length",
        "dim=sequence_length:",
        "dim=sequence_length:-1,4",
        "dim=sequence_length:16,long",
        "dim=nope:4",
    ] {
        let bench = Workbench::new();
        let run = bench
            .profile(&model(BERT), ["--sweep", sweep, "--batch", "1"])
            .run();
        // What stands before the error names the CPUs of this machine.
        let error = run
            .stderr
            .find("error: ")
            .map_or("", |start| &run.stderr[start..]);
        told += &format!("--sweep {sweep}, exit code {:?}\n{error}\n", run.code());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_dimension_has_one_source_of_its_size() {
    let bench = Workbench::new();
    let twice = [
        "--sweep",
        "dim=sequence_length:4",
        "--sweep",
        "dim=sequence_length:8",
    ];
    bench.profile(&model(BERT), twice).run().assert_code(2);
    let fixed = [
        "--sweep",
        "dim=sequence_length:4",
        "--dim",
        "sequence_length=8",
    ];
    bench.profile(&model(BERT), fixed).run().assert_code(2);
    let fixed = bench
        .profile(
            &model("fixtures/fixed-batch.onnx"),
            ["--sweep", "dim=sequence_length:4"],
        )
        .run();
    fixed.assert_code(2);
}

#[test]
fn a_cliff_is_told_with_what_went_along_with_it() {
    let mut run = record::digits();
    run.host.caches = vec![CpuCache {
        level: 3,
        size_bytes: Bytes(2_300_000),
        shared_by_count: 2,
    }];
    for cell in run
        .launches
        .iter_mut()
        .flat_map(|launch| &mut launch.cells)
        .filter(|cell| cell.batch_size >= 32)
    {
        cell.arena.as_mut().unwrap().extensions_count += 3;
    }
    for block in &mut run.blocks {
        let faults = if block.key.batch_size >= 32 { 10 } else { 2 };
        block.minor_faults_count = Some(faults * block.inferences_count);
    }
    let findings = analysis::findings(&run);
    let [cliff] = findings.scaling[0].cliffs.as_slice() else {
        panic!("{:?}", findings.scaling[0].cliffs)
    };
    assert_eq!((cliff.from, cliff.to), (16, 32));
    // The arena of the first model holds its 1,574,542 bytes and 30,000 for each sample.
    let expected = [
        CliffEvidence::ArenaExtensions {
            extensions_count: 3.0,
        },
        CliffEvidence::CacheExceeded {
            level: 3,
            cache_bytes: Bytes(2_300_000),
            arena_bytes: Bytes(2_534_542),
        },
        CliffEvidence::MinorFaults {
            from: 2.0,
            to: 10.0,
        },
    ];
    assert_eq!(
        (cliff.evidence.as_slice(), cliff.unknown.as_slice()),
        (&expected[..], &[][..])
    );
    let view = Report::new(&run, &findings);
    assert!(
        report::markdown(&view)
            .unwrap()
            .contains("along with it, be it the cause or not, the memory arena grew 3 times")
    );
}

#[test]
fn throughput_falls_only_where_launches_agree_on_it() {
    let falls = |run: &RunRecord| {
        let is_fall =
            |found: &&Bottleneck| matches!(found.kind, BottleneckKind::ThroughputFalls { .. });
        analysis::findings(run)
            .decisions
            .bottlenecks
            .iter()
            .filter(is_fall)
            .count()
    };
    let mut run = record::digits();
    assert!(falls(&run) > 0);
    // Four launches have no interval, however much lower the throughput is.
    run.blocks.retain(|block| block.round < 4);
    assert_eq!(falls(&run), 0);
}

#[test]
fn what_a_cliff_was_not_looked_at_for_is_said() {
    let mut run = record::digits();
    run.host.caches.clear();
    run.blocks
        .iter_mut()
        .for_each(|block| block.minor_faults_count = None);
    let findings = analysis::findings(&run);
    let [cliff] = findings.scaling[0].cliffs.as_slice() else {
        panic!("{:?}", findings.scaling[0].cliffs)
    };
    assert_eq!(cliff.unknown, [CliffSign::Caches, CliffSign::MinorFaults]);
    assert!(cliff.evidence.is_empty(), "{cliff:?}");
    let text = report::markdown(&Report::new(&run, &findings)).unwrap();
    let told = "nothing that was observed went along with it; not known: the sizes of the caches and page faults";
    assert!(text.contains(told), "{text}");
}

#[test]
fn memory_is_a_line_over_batch_sizes_up_to_what_is_available() {
    let mut run = record::digits();
    run.host.memory_available_bytes = Some(Bytes(100_000_000));
    run.host.cgroup.memory_max_bytes = Some(Bytes(50_000_000));
    let findings = analysis::findings(&run);
    let memory = findings.scaling[0]
        .memory
        .as_ref()
        .unwrap()
        .as_ref()
        .unwrap();
    let [fixed, per_sample] =
        [&memory.fixed_bytes, &memory.per_sample_bytes].map(|part| part.value().unwrap());
    assert!((per_sample - 40_000.0).abs() < 1.0, "{per_sample}");
    assert_eq!(memory.available_bytes, Some(Bytes(50_000_000)));
    // By the upper ends of both intervals, so a little less than by the line itself.
    let by_line = (50_000_000.0 - fixed) / per_sample;
    let largest = memory.largest_batch.unwrap() as f64;
    assert!(
        (by_line - 2.0..=by_line).contains(&largest),
        "{largest} of {by_line}"
    );
    assert_eq!(memory.largest_measured, 64);

    for cell in run.launches.iter_mut().flat_map(|launch| &mut launch.cells) {
        cell.peak_memory_bytes = Some(Bytes(30_000_000));
    }
    let findings = analysis::findings(&run);
    let reason = findings.scaling[0]
        .memory
        .as_ref()
        .unwrap()
        .as_ref()
        .unwrap_err();
    assert_eq!(
        reason,
        "needs a launch in which memory rose at 3 batch sizes or more"
    );
}

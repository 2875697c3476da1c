//! Outputs as they come: declared wrongly, of changing size, random, of unlike shape, and no
//! classes.

use onnxprof::record::{AccuracyRecord, LaunchCell, OutputKind, RunRecord};
use onnxprof::text::Plain;

use crate::support::model;
use crate::workbench::{Workbench, cell};

fn cells(record: &RunRecord) -> impl Iterator<Item = &LaunchCell> {
    record.launches.iter().flat_map(|launch| &launch.cells)
}

#[test]
fn output_of_another_size_than_declared_is_measured_with_outputs_bound_anew() {
    let bench = Workbench::new();
    bench
        .profile(
            &model("fixtures/outputs/forgotten.onnx"),
            ["--batch", "1,8"],
        )
        .run()
        .assert_code(0);
    let record = bench.record();
    for size in [1, 8] {
        assert!(cell(&record, "forgotten", size).outcome.is_ok());
    }
    let of = |size| cells(&record).find(|cell| cell.batch_size == size).unwrap();
    assert_eq!(of(1).outputs_anew, None);
    let reason = of(8).outputs_anew.as_ref().unwrap();
    assert!(
        reason.ends_with("output `verdict` is declared as [1, 4] and came as [8, 4]"),
        "{reason}"
    );
    for block in &record.blocks {
        assert_eq!(block.rebinding_ns.is_some(), block.key.batch_size == 8);
    }
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(
        report.contains("bound anew before each inference at batch size 8, outside its latency"),
        "{report}"
    );
}

#[test]
fn output_of_random_length_is_measured() {
    let bench = Workbench::new();
    bench
        .profile(
            &model("fixtures/outputs/noise-length.onnx"),
            ["--batch", "1"],
        )
        .run()
        .assert_code(0);
    let record = bench.record();
    assert!(cell(&record, "noise-length", 1).outcome.is_ok());
    assert!(cells(&record).all(|cell| cell.outputs_anew.is_some()));
}

#[test]
fn outputs_of_all_variants_are_bound_in_one_way() {
    let bench = Workbench::new();
    bench.copy("fixtures/outputs/forgotten.onnx", "pair/family-a.onnx");
    let other = bench.copy(
        "fixtures/outputs/forgotten-fixed.onnx",
        "pair/family-b.onnx",
    );
    bench
        .profile(other.parent().unwrap(), ["--batch", "1,4"])
        .run()
        .assert_code(0);
    let record = bench.record();
    assert_eq!(
        cells(&record)
            .filter(|cell| cell.batch_size == 4 && cell.outputs_anew.is_some())
            .count(),
        2
    );
    assert_eq!(
        cells(&record)
            .filter(|cell| cell.batch_size == 1 && cell.outputs_anew.is_some())
            .count(),
        0
    );
}

/// A run of two models of that folder as variants, with what was found of the second one's outputs.
fn pair(one: &str, other: &str) -> (Workbench, AccuracyRecord) {
    pair_of("outputs", [one, other])
}

fn pair_of(folder: &str, [one, other]: [&str; 2]) -> (Workbench, AccuracyRecord) {
    let bench = Workbench::new();
    let first = bench.copy(
        &format!("fixtures/{folder}/{one}.onnx"),
        "pair/family-a.onnx",
    );
    let second = bench.copy(
        &format!("fixtures/{folder}/{other}.onnx"),
        "pair/family-b.onnx",
    );
    let words = [second.to_str().unwrap(), "--batch", "1"];
    bench.profile(&first, words).run().assert_code(0);
    let record = bench.record();
    let second = record
        .accuracy
        .iter()
        .find(|scored| record.plan.variant_of(scored.session).name.ends_with("b"));
    let second = second.unwrap().clone();
    assert!(second.outcome.is_ok(), "{:?}", second.outcome);
    (bench, second)
}

fn report(bench: &Workbench) -> String {
    std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap()
}

#[test]
fn another_number_of_rows_is_not_compared_and_no_failure() {
    for (one, other, outputs) in [
        ("picked-a", "picked-b", ["marks", "scores"]),
        ("nameless-a", "nameless-b", ["y1", "y2"]),
    ] {
        let (bench, second) = pair(one, other);
        assert_eq!(
            second.batch_size, 1,
            "rows of several samples are not separated"
        );
        let unlike: Vec<&str> = second
            .not_comparable
            .iter()
            .map(|unlike| unlike.output.exact())
            .collect();
        assert_eq!((unlike, second.agreement.len()), (outputs.to_vec(), 0));
        let reason = &second.not_comparable[0].reason;
        assert!(
            reason.contains("it is int64 [") && reason.contains("where the reference is int64 ["),
            "{reason}"
        );
        assert!(
            reason.contains(" in sample ")
                && reason.ends_with(" of 8 samples are unlike the reference's"),
            "{reason}"
        );
        let report = report(&bench);
        assert!(report.contains(" is not compared: it is int64"), "{report}");
        assert!(
            report.contains("outputs compared") && report.contains("0 of 2"),
            "{report}"
        );
        assert!(!report.contains("nothing says what is right"), "{report}");
    }
}

#[test]
fn what_a_decoder_keeps_is_no_image_and_its_tokens_have_classes() {
    for name in [
        "plain",
        "plain-nameless",
        "merged",
        "merged-nameless",
        "fused",
        "fused-nameless",
    ] {
        let (bench, second) = pair_of("decoders", [name, name]);
        let of = |output: &str| {
            second
                .agreement
                .iter()
                .find(|one| one.output == output)
                .unwrap()
        };
        let scores = of("scores");
        assert_eq!(
            (scores.kind, scores.top1_agreeing_count),
            (Some(OutputKind::Classes), None),
            "{name}"
        );
        let tokens: Vec<(u64, u64)> = scores
            .top1_by_row
            .iter()
            .map(|sample| (sample.right_count, sample.elements_count))
            .collect();
        assert_eq!(tokens, [(128, 128); 8], "{name}");
        assert_eq!(
            (of("keys").kind, of("keys").signal_to_noise_db),
            (Some(OutputKind::Numbers), None),
            "{name}"
        );
        let report = report(&bench);
        assert!(
            !report.contains("is an image") && report.contains("top-1 agreement is of 1,024 rows"),
            "{report}"
        );
    }
}

#[test]
fn sound_is_judged_by_its_noise() {
    let (bench, second) = pair("wave-a", "wave-b");
    let [sound] = second.agreement.as_slice() else {
        panic!("{:?}", second.agreement)
    };
    assert_eq!(
        (sound.kind, sound.top1_agreeing_count),
        (Some(OutputKind::Signal), None)
    );
    assert!(
        sound.signal_to_noise_db.is_some_and(|ratio| ratio > 0.0),
        "{sound:?}"
    );
    let report = report(&bench);
    assert!(
        report.contains("is a signal") && report.contains("dB signal to noise"),
        "{report}"
    );
}

#[test]
fn vectors_are_no_classes_and_classes_are() {
    let kind = |name: &str| pair(name, name).1.agreement[0].clone();
    let (sphere, classes) = (kind("sphere"), kind("classes"));
    assert_eq!(
        (sphere.kind, sphere.top1_agreeing_count),
        (Some(OutputKind::Vector), None)
    );
    assert_eq!(
        (classes.kind, classes.top1_agreeing_count),
        (Some(OutputKind::Classes), Some(classes.samples_count))
    );
}

#[test]
fn nothing_is_compared_by_random_outputs() {
    for name in ["noise", "noise-length"] {
        let (bench, second) = pair(name, name);
        assert_eq!(
            (second.not_comparable.len(), second.agreement.len()),
            (1, 0),
            "{second:?}"
        );
        assert!(
            report(&bench).contains("it is random"),
            "{}",
            report(&bench)
        );
    }
}

#[test]
fn maps_of_scores_are_compared_with_a_matrix_under_another_name() {
    let (_bench, second) = pair("maps", "matrix");
    let pairs: Vec<(&str, Option<&str>)> = second
        .agreement
        .iter()
        .map(|one| {
            (
                one.output.exact(),
                one.reference_output.as_ref().map(Plain::exact),
            )
        })
        .collect();
    assert_eq!(pairs, [("chances", Some("odds")), ("which", Some("name"))]);
    for agreement in &second.agreement {
        assert_eq!(
            agreement.top1_agreeing_count,
            Some(agreement.samples_count),
            "{agreement:?}"
        );
    }
    assert_eq!(second.agreement[0].relative_error, Some(0.0));
}

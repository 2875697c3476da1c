//! Outputs as they come: declared wrongly, of changing size, random, of unlike shape, and no classes.

use onnxprof::record::{LaunchCell, RunRecord};

use crate::support::model;
use crate::workbench::{Workbench, cell};

fn cells(record: &RunRecord) -> impl Iterator<Item = &LaunchCell> {
    record.launches.iter().flat_map(|launch| &launch.cells)
}

#[test]
fn output_of_another_size_than_declared_is_measured_with_outputs_bound_anew() {
    let bench = Workbench::new();
    bench.profile(&model("fixtures/outputs/forgotten.onnx"), ["--batch", "1,8"]).run().assert_code(0);
    let record = bench.record();
    for size in [1, 8] {
        assert!(cell(&record, "forgotten", size).outcome.is_ok());
    }
    let of = |size| cells(&record).find(|cell| cell.batch_size == size).unwrap();
    assert_eq!(of(1).outputs_anew, None);
    let reason = of(8).outputs_anew.as_deref().unwrap();
    assert!(reason.ends_with("output `verdict` is declared as [1, 4] and came as [8, 4]"), "{reason}");
    for block in &record.blocks {
        assert_eq!(block.rebinding_ns.is_some(), block.key.batch_size == 8);
    }
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).unwrap();
    assert!(report.contains("bound anew before each inference at batch size 8, outside its latency"), "{report}");
}

#[test]
fn output_of_random_length_is_measured() {
    let bench = Workbench::new();
    bench.profile(&model("fixtures/outputs/noise-length.onnx"), ["--batch", "1"]).run().assert_code(0);
    let record = bench.record();
    assert!(cell(&record, "noise-length", 1).outcome.is_ok());
    assert!(cells(&record).all(|cell| cell.outputs_anew.is_some()));
}

#[test]
fn outputs_of_all_variants_are_bound_in_one_way() {
    let bench = Workbench::new();
    bench.copy("fixtures/outputs/forgotten.onnx", "pair/family-a.onnx");
    let other = bench.copy("fixtures/outputs/forgotten-fixed.onnx", "pair/family-b.onnx");
    bench.profile(other.parent().unwrap(), ["--batch", "1,4"]).run().assert_code(0);
    let record = bench.record();
    assert_eq!(cells(&record).filter(|cell| cell.batch_size == 4 && cell.outputs_anew.is_some()).count(), 2);
    assert_eq!(cells(&record).filter(|cell| cell.batch_size == 1 && cell.outputs_anew.is_some()).count(), 0);
}

//! Memory that inputs take in a worker.

use std::fs::File;

use ndarray::Array2;
use ndarray_npy::NpzWriter;
use onnxprof::plan::LoadMode;
use onnxprof::record::RunRecord;

use crate::workbench::Workbench;

/// Multiplies rows of three floats by a column of them: inputs are three times as large as outputs,
/// and nothing lies between.
const MODEL: &str = "fixtures/labels/number.onnx";
const ROWS: u64 = 1 << 20;
const INPUT_BYTES: u64 = ROWS * 3 * 4;
const OUTPUT_BYTES: u64 = ROWS * 4;

/// Most memory of a process with so many requests in flight at the large batch size, beyond what
/// one of one row needs.
fn added(record: &RunRecord, in_flight: u64) -> u64 {
    let peaks = |batch_size: u64, concurrency: u64| {
        let load = LoadMode::Closed { concurrency };
        let cells = record.launches.iter().flat_map(|launch| &launch.cells);
        let cells =
            cells.filter(move |cell| (cell.batch_size, cell.load_mode) == (batch_size, load));
        cells
            .filter_map(|cell| cell.peak_memory_bytes)
            .map(|peak| peak.0)
    };
    peaks(ROWS, in_flight).max().unwrap() - peaks(1, 1).min().unwrap()
}

/// Each request has outputs of its own. A second copy of the inputs would add all of their size;
/// half of it is left to what else grows.
#[track_caller]
fn assert_held_once(record: &RunRecord, in_flight: u64) {
    let (found, needed) = (
        added(record, in_flight),
        INPUT_BYTES + in_flight * OUTPUT_BYTES,
    );
    assert!(
        found > INPUT_BYTES,
        "{found} bytes were added, and inputs alone take {INPUT_BYTES}"
    );
    assert!(
        found < needed + INPUT_BYTES / 2,
        "{found} bytes were added by what takes {needed} at {in_flight}"
    );
}

/// Profiles a single row and many of them.
fn profiled(words: &[&str]) -> RunRecord {
    let bench = Workbench::new();
    let model = bench.copy(MODEL, "product.onnx");
    let batch = format!("1,{ROWS}");
    let usual = [
        "--batch",
        &batch,
        "--rounds",
        "2",
        "--alternations",
        "1",
        "--block",
        "2ms",
        "--intra-threads",
        "1",
    ];
    bench
        .profile_of(&model, usual)
        .args(words)
        .run()
        .assert_code(0);
    bench.record()
}

#[test]
fn inputs_are_held_once_however_many_requests_are_in_flight() {
    let record = profiled(&["--concurrency", "1,4"]);
    assert_held_once(&record, 1);
    assert_held_once(&record, 4);
}

#[test]
fn rows_of_a_file_are_held_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.npz");
    let mut archive = NpzWriter::new(File::create(&path).unwrap());
    let rows = Array2::from_shape_fn((ROWS as usize, 3), |(row, column)| {
        (row % 100 + column) as f32
    });
    archive.add_array("a", &rows).unwrap();
    archive.finish().unwrap();
    assert_held_once(&profiled(&["--data", path.to_str().unwrap()]), 1);
}

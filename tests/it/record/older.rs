//! Records that earlier builds wrote: what is found in them stays what it was.

use std::fmt::Write as _;
use std::path::Path;

use onnxprof::analysis;
use onnxprof::record::RunRecord;
use onnxprof::store::load;
use serde_json::Value;

/// Longest part of a snapshot that stands on one line.
const WIDTH: usize = 100;

/// The record in a file beside this one.
fn written(name: &str) -> RunRecord {
    load(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/it/record")
            .join(name),
    )
    .unwrap()
}

fn version(record: &RunRecord) -> (u64, u64) {
    (record.schema_version.major, record.schema_version.minor)
}

/// Its findings as JSON in lines, keys in order.
fn findings(record: &RunRecord) -> String {
    let findings = serde_json::to_value(analysis::findings(record)).unwrap();
    let mut lines = String::new();
    write(&findings, 0, &mut lines);
    lines
}

/// What fits into one line stands on one.
fn write(value: &Value, depth: usize, lines: &mut String) {
    let compact = compact(value);
    let (ends, items): (&str, Vec<(String, &Value)>) = match value {
        _ if compact.len() <= WIDTH => return lines.push_str(&compact),
        Value::Array(items) => (
            "[]",
            items.iter().map(|item| (String::new(), item)).collect(),
        ),
        Value::Object(_) => (
            "{}",
            fields(value)
                .map(|(key, item)| (format!("{key}: "), item))
                .collect(),
        ),
        _ => return lines.push_str(&compact),
    };
    lines.push_str(&ends[..1]);
    for (key, item) in items {
        write!(lines, "\n{:1$}{key}", "", depth + 1).unwrap();
        write(item, depth + 1, lines);
    }
    write!(lines, "\n{:depth$}{}", "", &ends[1..]).unwrap();
}

fn compact(value: &Value) -> String {
    match value {
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(compact).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(_) => {
            let fields: Vec<String> = fields(value)
                .map(|(key, item)| format!("{key}: {}", compact(item)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        // The last digits are those of the mathematical library.
        Value::Number(number) if number.is_f64() => format!("{:.8e}", number.as_f64().unwrap())
            .parse::<f64>()
            .unwrap()
            .to_string(),
        _ => value.to_string(),
    }
}

/// Fields in the order of their names, whatever the order in memory.
fn fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let mut fields: Vec<_> = object.as_object().unwrap().iter().collect();
    fields.sort_by_key(|(key, _)| *key);
    fields.into_iter()
}

#[test]
fn findings_in_a_record_of_schema_1_0_stay() {
    let record = written("run-1.0.json");
    assert_eq!(version(&record), (1, 0));
    assert_eq!((&record.statistics, &record.fitness), (&None, &None));
    assert!(
        record.blocks.len() >= 6 * 2 * 2 * 2,
        "{}",
        record.blocks.len()
    );
    insta::assert_snapshot!(findings(&record));
}

#[test]
fn findings_in_a_record_of_schema_1_1_stay() {
    let record = written("run-1.1.json");
    assert_eq!(version(&record), (1, 1));
    insta::assert_snapshot!(findings(&record));
}

#[test]
fn findings_in_a_record_of_schema_1_2_stay() {
    let record = written("run-1.2.json");
    assert_eq!(version(&record), (1, 2));
    insta::assert_snapshot!(findings(&record));
}

#[test]
fn findings_in_a_record_of_schema_1_3_stay() {
    let record = written("run-1.3.json");
    assert_eq!(version(&record), (1, 3));
    assert!(!record.operators.is_empty());
    insta::assert_snapshot!(findings(&record));
}

#[test]
fn findings_in_a_search_of_schema_1_3_stay() {
    let record = written("tune-1.3.json");
    assert_eq!(version(&record), (1, 3));
    assert!(record.tuning.is_some());
    insta::assert_snapshot!(findings(&record));
}

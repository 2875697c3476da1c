//! Records in which as much as can differ does, of one form: three of each kind.

use onnxprof::record::RunRecord;
use onnxprof::stats::{Latencies, Quantile};
use onnxprof::units::Nanos;
use serde_json::Value;

use crate::support::record::{self, RunShape, VariantShape};

/// So many records of one form are held together.
pub const COPIES: usize = 3;

/// By what times, sizes, rates, shares and counts of nodes are multiplied in each.
const TIMES: [f64; COPIES] = [1.0, 1.31, 0.77];
const SIZES: [f64; COPIES] = [1.0, 1.23, 0.87];
const RATES: [f64; COPIES] = [1.0, 1.17, 0.83];
const SHARES: [f64; COPIES] = [1.0, 0.93, 0.86];
const CALLS: [u64; COPIES] = [1, 2, 3];
/// Each session further is slower by that much.
const APART: [f64; COPIES] = [0.0, 0.043, 0.091];

/// Kinds of records: their name, and the records.
pub fn kinds() -> Vec<(&'static str, [RunRecord; COPIES])> {
    vec![
        ("digits", each(|copy| altered(&digits(copy), copy))),
        (
            "operators",
            each(|copy| altered(&stored("run-1.3.json"), copy)),
        ),
        ("tune", each(|copy| altered(&stored("tune-1.3.json"), copy))),
        ("no labels", each(|copy| altered(&unlabelled(copy), copy))),
        ("few launches", each(|copy| altered(&few(copy), copy))),
    ]
}

fn each(record: impl Fn(usize) -> RunRecord) -> [RunRecord; COPIES] {
    std::array::from_fn(record)
}

pub fn stored(name: &str) -> RunRecord {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/record");
    let text = std::fs::read_to_string(path.join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn shape(copy: usize, samples: usize, rounds: u64) -> RunShape {
    let shift = copy as f64;
    let count = copy as u64;
    let mut fp32 = VariantShape::new("fp32", "fp32", 213_000.0, 1_574_542 + 31_000 * count);
    fp32.per_sample = 0.5 + 0.04 * shift;
    let mut fp16 = VariantShape::new("fp16", "fp16", 287_000.0 + 9_000.0 * shift, 788_470);
    fp16.per_sample = 0.45 + 0.05 * shift;
    let mut int8 = VariantShape::new("int8", "int8 QDQ", 101_000.0 + 6_000.0 * shift, 407_804);
    int8.wrong.extend(200..202 + 3 * copy);
    RunShape {
        name: "net".into(),
        variants: vec![fp32, fp16, int8],
        batch_sizes: [[1, 2, 4, 8, 16], [1, 3, 5, 9, 17], [1, 6, 11, 13, 19]][copy].to_vec(),
        rounds: rounds + count,
        alternations: 6 + count,
        block_inferences: 60 + 7 * count,
        samples: if samples == 0 { 0 } else { samples + 37 * copy },
    }
}

fn digits(copy: usize) -> RunRecord {
    record::build(&shape(copy, 597, 8))
}

fn few(copy: usize) -> RunRecord {
    record::build(&RunShape {
        rounds: [3, 4, 5][copy],
        ..shape(copy, 0, 3)
    })
}

fn unlabelled(copy: usize) -> RunRecord {
    let mut run = record::build(&shape(copy, 300, 8));
    if let Some(data) = &mut run.dataset {
        data.class_labels = None;
    }
    run.accuracy
        .iter_mut()
        .for_each(|accuracy| accuracy.scores = None);
    run
}

/// The record with its numbers changed by what they count.
pub fn altered(run: &RunRecord, copy: usize) -> RunRecord {
    let mut json = serde_json::to_value(run).unwrap();
    alter(&mut json, "", copy, 0);
    let mut run: RunRecord = serde_json::from_value(json).unwrap();
    run.plan.schedule.seed = 7 + 1000 * copy as u64;
    run
}

fn alter(json: &mut Value, key: &str, copy: usize, session: u64) {
    match json {
        Value::Object(fields) => {
            let own = fields
                .get("session")
                .or_else(|| fields.get("key")?.get("session"));
            let session = own.and_then(Value::as_u64).unwrap_or(session);
            for (name, value) in fields {
                alter(value, name, copy, session);
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| alter(item, key, copy, session)),
        Value::String(text) if key.ends_with("_histogram") => {
            *text = slowed(text, time_factor(copy, session));
        }
        Value::Number(number) => {
            if let Some(changed) = changed(number, key, copy, session) {
                *json = changed;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn time_factor(copy: usize, session: u64) -> f64 {
    TIMES[copy] * (1.0 + APART[copy] * session as f64)
}

fn changed(number: &serde_json::Number, key: &str, copy: usize, session: u64) -> Option<Value> {
    let value = number.as_f64()?;
    let factor = match key {
        _ if key.ends_with("_ns") => time_factor(copy, session),
        _ if key.ends_with("_bytes") => SIZES[copy],
        _ if key.ends_with("_per_sec") => RATES[copy],
        _ if key.ends_with("_ratio") && value < 1.0 => SHARES[copy],
        "calls_count" | "periods_count" | "disturbed_inferences_count" => CALLS[copy] as f64,
        _ => return None,
    };
    let changed = value * factor;
    Some(if number.is_f64() {
        Value::from(changed)
    } else {
        Value::from(changed.round() as u64)
    })
}

/// Latencies of about the histogram's percentiles, multiplied.
fn slowed(text: &str, factor: f64) -> String {
    let all = Latencies::decode(text).unwrap();
    let steps = [
        Quantile::P1,
        Quantile::P10,
        Quantile::P50,
        Quantile::P90,
        Quantile::P95,
        Quantile::P99,
        Quantile::P999,
    ];
    let steps = steps.map(|step| (step.share(), all.nearest_rank(step).unwrap()));
    let mut slowed = Latencies::new();
    for rank in 0..all.count() {
        let share = (rank as f64 + 0.5) / all.count() as f64;
        let step = steps.iter().find(|(step, _)| *step >= share);
        let (_, latency) = step.unwrap_or(&steps[steps.len() - 1]);
        slowed.record(Nanos((latency.as_f64() * factor) as u64));
    }
    slowed.encode()
}

//! Kinds of noise that a scripted machine is given: each alone, and all at once.

use serde_json::{Value, json};

/// A name and the parts of a script's `noise`, all of them on top of white jitter with a heavy
/// tail.
///
/// Sizes are those seen on small cloud machines: two speeds 1.5 apart held for half a second,
/// launches that differ by 2%, bursts that take a tenth of the time.
pub fn kinds() -> Vec<(&'static str, Value)> {
    let jitter = json!({"jitter": {"log_sd": 0.03, "tail_share_ratio": 0.02, "tail_index": 1.5}});
    let parts = [
        ("launch effect", json!({"launch": {"log_sd": 0.02}})),
        (
            "drift",
            json!({"drift": {"ratio_per_sec": 0.002, "swing_ratio": 0.1, "period_ns": 7_000_000_000_u64}}),
        ),
        (
            "bursts",
            json!({"bursts": {"rate_per_sec": 1.0, "length_ns": 100_000_000, "slowdown_ratio": 2.0}}),
        ),
        (
            "autocorrelation",
            json!({"autocorrelation": {"rho": 0.98, "log_sd": 0.1}}),
        ),
        (
            "two speeds",
            json!({"modes": {"mean_dwell_ns": 500_000_000, "slowdown_ratio": 1.5}}),
        ),
    ];
    let mut all = jitter.clone();
    let mut kinds = vec![("white", jitter.clone())];
    for (name, part) in parts {
        kinds.push((name, joined(jitter.clone(), &part)));
        all = joined(all, &part);
    }
    kinds.push(("all at once", all));
    kinds
}

fn joined(mut noise: Value, part: &Value) -> Value {
    if let (Some(noise), Some(part)) = (noise.as_object_mut(), part.as_object()) {
        noise.extend(part.clone());
    }
    noise
}

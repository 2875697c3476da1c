//! Values of records and findings, and which of them a number may come from.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use onnxprof::analysis::Findings;
use onnxprof::record::RunRecord;
use serde_json::Value;

use super::spelled::Spelled;

/// Every number of a record and its findings by where it stands, and the texts in them.
#[derive(Default)]
pub struct Pool {
    /// By path, places in lists left out: which of several cells a sentence is about may differ.
    values: HashMap<String, Vec<f64>>,
    /// What is made of them, ascending.
    sorted: Vec<(f64, Source)>,
    /// The same by source, each ascending.
    by_source: HashMap<Source, Vec<f64>>,
    /// Texts with digits, which reports show as they are.
    pub texts: BTreeSet<String>,
}

/// Parts of a record that reports do not show: they show what is found of them.
const RAW: [&str; 3] = ["/record/accuracy", "scored", "log_ratios"];

impl Pool {
    pub fn new(record: &RunRecord, findings: &Findings) -> Self {
        let mut pool = Pool::default();
        pool.add("/record", &serde_json::to_value(record).unwrap());
        pool.add("/findings", &serde_json::to_value(findings).unwrap());
        pool
    }

    /// To be called when all was added.
    pub fn sort(&mut self) {
        for (path, values) in &self.values {
            let path: Rc<str> = path.as_str().into();
            for (value, way) in values
                .iter()
                .flat_map(|value| Way::ALL.map(|way| (value, way)))
            {
                self.sorted
                    .push((way.of(*value).abs(), (Rc::clone(&path), way)));
            }
        }
        self.sorted.retain(|(value, _)| value.is_finite());
        self.sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (value, source) in &self.sorted {
            self.by_source
                .entry(source.clone())
                .or_default()
                .push(*value);
        }
    }

    pub fn add(&mut self, path: &str, json: &Value) {
        match json {
            Value::Object(fields) => {
                self.value(format!("{path}/#"), fields.len() as f64);
                self.half_width(path, fields);
                for (name, value) in fields {
                    self.add(&format!("{path}/{name}"), value);
                }
            }
            Value::Array(items) => {
                self.value(format!("{path}/#"), items.len() as f64);
                if RAW.iter().any(|raw| path.contains(raw)) {
                    return;
                }
                let path = format!("{path}/*");
                items.iter().for_each(|item| self.add(&path, item));
            }
            Value::Number(number) => {
                if let Some(value) = number.as_f64() {
                    self.value(path.to_owned(), value);
                }
            }
            Value::String(text) => {
                let has_digit = text.chars().any(|letter| letter.is_ascii_digit());
                if has_digit && !path.ends_with("_histogram") {
                    self.texts.insert(text.clone());
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    pub fn value(&mut self, path: String, value: f64) {
        self.values.entry(path).or_default().push(value);
    }

    /// The wider half of an interval, as a share of the value.
    fn half_width(&mut self, path: &str, fields: &serde_json::Map<String, Value>) {
        let number = |json: &Value| json.as_f64();
        let value = fields.get("value").and_then(number);
        let ends = fields.get("interval");
        let end = |name| ends.and_then(|ends| number(ends.get(name)?));
        if let (Some(value), Some(low), Some(high)) = (value, end("low"), end("high")) {
            let wider = (high - value).max(value - low) / value;
            self.value(format!("{path}/wider half"), wider);
            let wider = (high / value).max(value / low) - 1.0;
            self.value(format!("{path}/wider ratio"), wider);
        }
    }

    /// Where a number may come from.
    pub fn sources(&self, number: &Spelled) -> impl Iterator<Item = &Source> {
        scales(&number.unit).iter().flat_map(|scale| {
            let (low, high) = ends(number, *scale);
            let from = self.sorted.partition_point(|(value, _)| *value < low);
            let to = self.sorted.partition_point(|(value, _)| *value <= high);
            self.sorted[from..to].iter().map(|(_, source)| source)
        })
    }

    /// Whether a number may come from there.
    pub fn has(&self, source: &Source, number: &Spelled) -> bool {
        let made = self.by_source.get(source).map_or(&[][..], Vec::as_slice);
        scales(&number.unit).iter().any(|scale| {
            let (low, high) = ends(number, *scale);
            let from = made.partition_point(|value| *value < low);
            made.get(from).is_some_and(|value| *value <= high)
        })
    }
}

/// A value by where it stands, and what is made of it.
pub type Source = (Rc<str>, Way);

/// Values that are rounded to a number; bounds are rounded outward.
fn ends(number: &Spelled, scale: f64) -> (f64, f64) {
    let within = number.step * 1.000_001;
    (
        (number.value - within) * scale,
        (number.value + within) * scale,
    )
}

/// How a number is made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    Same,
    Reciprocal,
    /// What is more than one, or less.
    Beyond,
    ReciprocalBeyond,
    /// Of a time the rate.
    Rate,
}

impl Way {
    const ALL: [Way; 5] = [
        Way::Same,
        Way::Reciprocal,
        Way::Beyond,
        Way::ReciprocalBeyond,
        Way::Rate,
    ];

    fn of(self, value: f64) -> f64 {
        match self {
            Way::Same => value,
            Way::Reciprocal => 1.0 / value,
            Way::Beyond => value - 1.0,
            Way::ReciprocalBeyond => 1.0 / value - 1.0,
            Way::Rate => 1e9 / value,
        }
    }
}

/// How many base units the units are that a number without one may have from its neighbour.
const SCALES: [f64; 12] = [
    1.0,
    0.01,
    1e3,
    1e6,
    1e9,
    60e9,
    1024.0,
    1_048_576.0,
    1_073_741_824.0,
    1e-3,
    1e-6,
    1e-9,
];

fn scales(unit: &str) -> &'static [f64] {
    match unit {
        "ns" | "B" | "J" | "W" | "x" | "/s" => &[1.0],
        "µs" | "kB" => &[1e3],
        "ms" | "MB" => &[1e6],
        "s" | "GB" | "GB/s" => &[1e9],
        "min" => &[60e9],
        "h" => &[3600e9],
        "KiB" => &[1024.0],
        "MiB" => &[1_048_576.0],
        "GiB" => &[1_073_741_824.0],
        "mJ" => &[1e-3],
        "µJ" => &[1e-6],
        "nJ" => &[1e-9],
        "%" => &[0.01],
        _ => &SCALES,
    }
}

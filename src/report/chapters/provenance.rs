//! Where figures come from: versions, models, data, and what measuring itself costs.

use std::collections::BTreeSet;

use super::{Item, gpu, number, plain, words};
use crate::metric::Unit;
use crate::plan::{Pin, Variant};
use crate::record::{DatasetInfo, RunRecord, RuntimeInfo, VariantRecord};
use crate::report::words::number::time;
use crate::text::Plain;
use crate::units::Nanos;

pub(super) fn items(record: &RunRecord) -> Vec<Item> {
    let (run, schedule) = (&record.run, &record.plan.schedule);
    let mut items = vec![
        Item::new("onnxprof", plain(&run.tool_version)),
        Item::new("Started", to_seconds(&run.started_at)),
        Item::new("Seed", schedule.seed.to_string()),
        Item::new("Pinned to CPUs", pin(&schedule.pin)),
    ];
    items.extend(record.runtimes.iter().map(runtime));
    items.extend(record.dataset.iter().map(data));
    items.extend(cost("Timed loop's cost per inference", run.harness_cost_ns));
    items.extend(outputs_anew(record));
    items.extend(cost("Sampling cost per block", run.sampling_cost_ns));
    items.extend(gpu::provenance(record));
    items
}

/// Without a fraction of a second: `2026-11-25T18:16:03Z`.
fn to_seconds(time: &Plain) -> String {
    let time = plain(time);
    let Some((whole, fraction)) = time.split_once('.') else {
        return time;
    };
    let zone = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{whole}{zone}")
}

fn runtime(runtime: &RuntimeInfo) -> Item {
    Item::new(
        "ONNX Runtime",
        format!(
            "{}, {}, found by: {}",
            runtime.version,
            Plain::from(runtime.path.as_path()),
            runtime.found_by
        ),
    )
}

fn data(data: &DatasetInfo) -> Item {
    Item::new(
        "Data",
        format!(
            "{}, {} samples",
            data.source,
            number::count(data.samples_count)
        ),
    )
}

fn cost(label: &str, cost: Option<Nanos>) -> Option<Item> {
    cost.map(|cost| Item::new(label, time(cost)))
}

fn outputs_anew(record: &RunRecord) -> Option<Item> {
    let anew = record
        .launches
        .iter()
        .flat_map(|launch| &launch.cells)
        .filter(|cell| cell.outputs_anew.is_some());
    let reason = anew.clone().find_map(|cell| cell.outputs_anew.as_ref())?;
    let sizes: BTreeSet<u64> = anew.map(|cell| cell.batch_size).collect();
    let text = format!(
        "bound anew before each inference at batch size {}, outside its latency, which includes their allocation: {}; that \
         took {} of the time of the blocks, which no figure of speed includes",
        words::joined(sizes, ", "),
        reason,
        rebinding_share(record)
    );
    Some(Item::new("Outputs", text))
}

/// Share of the time of blocks that binding outputs anew took.
fn rebinding_share(record: &RunRecord) -> String {
    let (rebinding, span) = record
        .blocks
        .iter()
        .filter_map(|block| Some((block.rebinding_ns?, block.span())))
        .fold((0, 0), |sums, (rebinding, span)| {
            (sums.0 + rebinding.0, sums.1 + span.0)
        });
    number::value(Unit::Ratio, rebinding as f64 / (span as f64).max(1.0), None)
}

fn pin(pin: &Pin) -> String {
    match pin {
        Pin::Auto => "as many as a session has threads, the same for all".into(),
        Pin::Each => "as many as a session has threads, each thread on one".into(),
        Pin::None => "wherever the kernel puts them".into(),
        Pin::Cpus(cpus) => words::joined(cpus, ","),
    }
}

pub(super) fn models(record: &RunRecord) -> Vec<Item> {
    record
        .plan
        .variants
        .iter()
        .zip(&record.variants)
        .map(|(variant, found)| model(variant, found))
        .collect()
}

fn model(variant: &Variant, found: &VariantRecord) -> Item {
    let mut text = plain(&Plain::from(variant.path.as_path()));
    if let Some(model) = &found.model {
        text += &format!(", {}", model.precision.label);
    }
    text += ", SHA-256 ";
    text += &found
        .sha256
        .as_ref()
        .map_or_else(|| words::not_measured("the file could not be read"), plain);
    Item::new(plain(&variant.name), text)
}

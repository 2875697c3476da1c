//! Where figures come from: versions, models, data, and what measuring itself costs.

use std::collections::BTreeSet;

use super::{Item, Source, gpu, number, plain};
use crate::metric::Unit;
use crate::plan::{Pin, Variant};
use crate::record::VariantRecord;
use crate::report::words::number::time;
use crate::units::Nanos;

pub(in crate::report) fn items(source: Source<'_>) -> Vec<Item> {
    let run = &source.record.run;
    let mut items = vec![
        Item::new("onnxprof", plain(&run.tool_version)),
        Item::new("Started", plain(&run.started_at)),
        Item::new("Seed", source.record.plan.schedule.seed.to_string()),
        Item::new("Workers' CPUs", pin(&source.record.plan.schedule.pin)),
    ];
    for runtime in &source.record.runtimes {
        let path = plain(&runtime.path.display().to_string());
        let text = format!(
            "{}, {path}, found by: {}",
            plain(&runtime.version),
            plain(&runtime.found_by)
        );
        items.push(Item::new("ONNX Runtime", text));
    }
    let samples = |count: u64| format!("{} samples", number::count(count));
    let data = source.record.dataset.iter();
    items.extend(data.map(|data| {
        Item::new(
            "Data",
            format!("{}, {}", plain(&data.source), samples(data.samples_count)),
        )
    }));
    let cost = |label: &str, cost: Option<Nanos>| cost.map(|cost| Item::new(label, time(cost)));
    items.extend(cost("Timed loop's cost per inference", run.harness_cost_ns));
    items.extend(outputs_anew(source));
    items.extend(cost("Sampling cost per block", run.sampling_cost_ns));
    items.extend(gpu::provenance(source));
    items
}

fn outputs_anew(source: Source<'_>) -> Option<Item> {
    let record = source.record;
    let cells = record.launches.iter().flat_map(|launch| &launch.cells);
    let anew = cells.filter(|cell| cell.outputs_anew.is_some());
    let reason = anew.clone().find_map(|cell| cell.outputs_anew.as_ref())?;
    let sizes: BTreeSet<u64> = anew.map(|cell| cell.batch_size).collect();
    let rebound = record
        .blocks
        .iter()
        .filter_map(|block| Some((block.rebinding_ns?, block.span())));
    let (rebinding, span) = rebound.fold((0, 0), |sums, (rebinding, span)| {
        (sums.0 + rebinding.0, sums.1 + span.0)
    });
    let share = number::value(Unit::Ratio, rebinding as f64 / (span as f64).max(1.0), None);
    let sizes = sizes
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!(
        "bound anew before each inference at batch size {sizes}, outside its latency, which includes their allocation: {}; \
         that took {share} of the time of the blocks, which no figure of speed includes",
        plain(reason)
    );
    Some(Item::new("Outputs", text))
}

fn pin(pin: &Pin) -> String {
    match pin {
        Pin::Auto => "as many as a session has threads, the same for all".into(),
        Pin::None => "wherever the kernel puts them".into(),
        Pin::Cpus(cpus) => cpus
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(","),
    }
}

pub(in crate::report) fn models(source: Source<'_>) -> Vec<Item> {
    let plan = &source.record.plan;
    let item = |(variant, found): (&Variant, &VariantRecord)| {
        let path = plain(&variant.path.display().to_string());
        let precision = found
            .model
            .as_ref()
            .map(|model| format!(", {}", plain(&model.precision.label)));
        let sum = found.sha256.as_ref().map_or_else(
            || "SHA-256 not measured: the file could not be read".into(),
            |sum| format!("SHA-256 {}", plain(sum)),
        );
        Item::new(
            plain(&variant.name),
            format!("{path}{}, {sum}", precision.unwrap_or_default()),
        )
    };
    plan.variants
        .iter()
        .zip(&source.record.variants)
        .map(item)
        .collect()
}

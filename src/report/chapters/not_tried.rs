//! Possibilities that were not tried, in words, with the commands that would.

use super::bottlenecks::command;
use crate::analysis::Untried;
use crate::provider;
use crate::report::words::{self, Item, Source, plain};

pub(super) fn not_tried(source: Source<'_>) -> Vec<Item> {
    source
        .findings
        .decisions
        .not_tried
        .iter()
        .map(|found| Item::new(untried(&found.what), command(&found.command)))
        .collect()
}

pub(super) fn not_tried_line(source: Source<'_>) -> Option<String> {
    let found = &source.findings.decisions.not_tried;
    let first = words::listed(found.iter().take(3).map(|found| untried(&found.what)));
    let count = found.len() as u64;
    let more = if count > 3 { ", for example" } else { "" };
    let things = format!("{count} thing{}{more} {first}", words::plural(count));
    (count > 0)
        .then(|| format!("Not tried: {things}. The written report has the command for each."))
}

fn untried(what: &Untried) -> String {
    match what {
        Untried::Quantization => "a quantized file beside those in full precision".into(),
        Untried::LargerBatches(largest) => {
            format!("batches beyond {largest}, where throughput still rose")
        }
        Untried::Threads(only) => format!("another number of intra-op threads than {only}"),
        Untried::ExecutionProvider(provider) => {
            format!(
                "the execution provider {}",
                plain(&provider::short_name(provider))
            )
        }
        Untried::OfAnotherBuild(provider) => format!(
            "the execution provider {}, of a build that can be installed",
            plain(&provider::short_name(provider))
        ),
        Untried::DeviceBinding => "inputs and outputs in the device's memory".into(),
        Untried::CapturedGraphs => {
            "kernels captured as graphs, which are handed over as one".into()
        }
        Untried::AnotherRuntime(version) => {
            format!("another version of ONNX Runtime than {version}")
        }
        Untried::Concurrency => "several requests in flight".into(),
        Untried::OpenDimension(name) => {
            format!("other sizes of the open dimension {}", plain(name))
        }
        Untried::IdleGaps => "latency after pauses".into(),
        Untried::ColdStart => "loading from storage instead of the page cache".into(),
        Untried::Labels => "scoring the outputs on labelled data".into(),
        Untried::Tuning => "a search over session options".into(),
    }
}

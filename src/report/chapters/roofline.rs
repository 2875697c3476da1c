//! What limits the nodes that take the time, against what the machine was seen to do at most.

use crate::analysis::{Bound, HotNode, LEAST_NODE_SHARE, Roofline};
use crate::metric::Metric;
use crate::observed::Observed;
use crate::record::{MachinePeaks, Peak};
use crate::report::words::{self, Builder, MEANINGLESS, Section, Source, Table, number, plain};
use crate::text::Plain;
use crate::units::Ratio;

/// Nodes of a table at most: the rest is named below it.
const ROWS: usize = 10;
/// A smaller share of the time is not worth a word.
const LEAST_SHARE: f64 = 0.005;

/// The machine's peaks, and for every session the nodes that take the time at the first shape's smallest batch size.
pub(in crate::report) fn sections(source: Source<'_>) -> Vec<Section> {
    let rooflines = &source.findings.causes.rooflines;
    if rooflines.is_empty() {
        return Vec::new();
    }
    let is_first =
        |place: usize| place == 0 || rooflines[place - 1].session != rooflines[place].session;
    let mut lines: Vec<String> = source
        .record
        .peaks
        .iter()
        .map(|peaks| machine(source, peaks))
        .collect();
    lines.extend(rooflines.iter().map(|roofline| bounds(source, roofline)));
    lines.push(
        "Times of nodes are without what the profiler adds to each run, at the speed of the profiled launch".into(),
    );
    let firsts = rooflines
        .iter()
        .enumerate()
        .filter(|(place, _)| is_first(*place));
    let tables = firsts
        .map(|(_, roofline)| table(source, roofline))
        .collect();
    vec![Section {
        title: "Roofline: what limits the nodes that take the time".into(),
        lines,
        tables,
    }]
}

fn machine(source: Source<'_>, peaks: &MachinePeaks) -> String {
    let told = |label: &str, unit: &str, peak: &Observed<Peak>| match peak {
        Ok(peak) => format!(
            "{label} {} (median {} of {})",
            rate(peak.highest_per_sec, unit),
            rate(peak.median_per_sec, unit),
            number::count(peak.n)
        ),
        Err(reason) => format!("{label} {}", words::not_measured(reason)),
    };
    let several = source.record.peaks.len() > 1;
    let version = if several {
        format!(" (ONNX Runtime {})", plain(&peaks.runtime_version))
    } else {
        String::new()
    };
    let threads = match peaks.intra_threads {
        1 => "one intra-op thread".into(),
        threads => format!("{threads} intra-op threads"),
    };
    format!(
        "Most that this machine was seen to do with {threads}{version}: {}; {}; {}",
        told(
            "products of 512 x 512 fp32 matrices",
            "FLOP/s",
            &peaks.rates.fp32_flops_per_sec
        ),
        told("of int8 matrices", "op/s", &peaks.rates.int8_ops_per_sec),
        told("memory", "B/s", &peaks.rates.memory_bytes_per_sec)
    )
}

fn bounds(source: Source<'_>, roofline: &Roofline) -> String {
    let kinds = [
        Bound::Compute,
        Bound::Memory,
        Bound::Overhead,
        Bound::Conversion,
    ];
    let mut shares: Vec<String> = kinds
        .into_iter()
        .map(|bound| (bound, roofline.share_of(bound).0))
        .filter(|(_, share)| *share > LEAST_SHARE)
        .map(|(bound, share)| format!("{} {}", number::share(share), word(bound)))
        .collect();
    let unknown = 1.0
        - roofline
            .bound_shares
            .iter()
            .map(|(_, share)| share.0)
            .sum::<f64>();
    if unknown > LEAST_SHARE {
        shares.push(format!("{} not known", number::share(unknown)));
    }
    format!(
        "{} at batch {}{}: of the time in nodes {}",
        source.name(roofline.session),
        roofline.batch_size,
        source.record.plan.shape_words(roofline.shape),
        words::listed(&shares)
    )
}

pub(in crate::report) fn word(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "compute-bound",
        Bound::Memory => "memory-bound",
        Bound::Overhead => "overhead-bound",
        Bound::Conversion => "conversion",
    }
}

fn table(source: Source<'_>, roofline: &Roofline) -> Table {
    let name = source.name(roofline.session);
    let shape = source.record.plan.shape_words(roofline.shape);
    let title = format!(
        "{name} at batch {}{shape}: nodes that take the time",
        roofline.batch_size
    );
    let header = [
        "node",
        "operator",
        "time",
        "share",
        "operations",
        "rate",
        "of peak",
        "bytes",
        "bandwidth",
        "op/B",
        "bound",
    ];
    let mut builder = Builder::new(title, &header);
    for node in roofline.nodes.iter().take(ROWS) {
        let row = row(&mut builder, node);
        builder.plain_row(row);
    }
    builder.finish(notes(roofline))
}

fn notes(roofline: &Roofline) -> Vec<String> {
    let shown = || roofline.nodes.iter().take(ROWS);
    let left = roofline.nodes.len().saturating_sub(ROWS);
    let notes = [
        Some("of peak: operations, or bytes where memory is the bound, over the most that was seen".to_owned()),
        (left > 0).then(|| {
            let left = left as u64;
            let least = number::limit(LEAST_NODE_SHARE);
            format!("{} more node{} above {least} of the time not shown", number::count(left), words::plural(left))
        }),
        shown().any(|node| node.memory_ratio.is_some_and(|ratio| ratio.0 > 1.0)).then(|| {
            "a bandwidth above that of the memory: the data lies in a cache, whose peak was not measured".to_owned()
        }),
        shown().any(|node| limiting(node).is_some_and(|ratio| ratio.0 > 1.0)).then(|| {
            "more than 100% of peak: the product of matrices that stands for the peak was disturbed, or is the slower \
             kernel"
                .to_owned()
        }),
    ];
    notes.into_iter().flatten().collect()
}

fn row(builder: &mut Builder, node: &HotNode) -> Vec<String> {
    let label = if node.name.is_empty() {
        "(no name)".into()
    } else {
        plain(&node.name)
    };
    let mut known = |column: &str, shown: Option<String>, reason: &Plain| {
        shown.unwrap_or_else(|| builder.absence(column, &label, reason))
    };
    let computes = node
        .work
        .as_ref()
        .map_or(true, |work| work.operations_count > 0);
    let unless_it_moves = |is_of_computing: bool, shown: String| match computes || !is_of_computing
    {
        true => shown,
        false => MEANINGLESS.to_owned(),
    };
    let is_memory = node.bound == Ok(Bound::Memory);
    let no_work = node.work.as_ref().err().cloned().unwrap_or_default();
    let no_bytes = &Plain::from("the trace does not tell");
    let no_peak = node
        .bound
        .as_ref()
        .err()
        .cloned()
        .unwrap_or_else(|| match node.bound {
            Ok(Bound::Memory) => "its data lies in a cache".into(),
            _ => "its peak was not measured".into(),
        });
    let operations = node
        .work
        .as_ref()
        .ok()
        .map(|work| amount(work.operations_count as f64));
    vec![
        label.clone(),
        plain(&node.operator),
        number::value(Metric::LatencyP50.unit(), node.time_ns.as_f64(), None),
        number::share(node.share.0),
        known("operations", operations, &no_work),
        known(
            "rate",
            node.operations_per_sec
                .map(|per_sec| unless_it_moves(true, rate(per_sec, "op/s"))),
            &no_work,
        ),
        known(
            "of peak",
            limiting(node).map(|ratio| unless_it_moves(!is_memory, number::share(ratio.0))),
            &no_peak,
        ),
        known("bytes", node.bytes.map(number::bytes), no_bytes),
        known(
            "bandwidth",
            node.bytes_per_sec.map(|per_sec| rate(per_sec, "B/s")),
            no_bytes,
        ),
        known(
            "op/B",
            node.intensity.map(|intensity| format!("{intensity:.1}")),
            &no_work,
        ),
        known(
            "bound",
            node.bound
                .as_ref()
                .ok()
                .map(|&bound| word(bound).to_owned()),
            &no_peak,
        ),
    ]
}

/// Share that the node attains of the peak that limits it; `None` where that was not measured, as of caches.
fn limiting(node: &HotNode) -> Option<Ratio> {
    match node.bound {
        Ok(Bound::Memory) => node.memory_ratio.filter(|ratio| ratio.0 <= 1.0),
        _ => node.compute_ratio,
    }
}

/// A rate in thousands of `unit`: `64.3 GFLOP/s`.
fn rate(per_sec: f64, unit: &str) -> String {
    let (value, prefix) = thousands(per_sec);
    format!("{value} {prefix}{unit}")
}

fn amount(count: f64) -> String {
    let (value, prefix) = thousands(count);
    format!(
        "{value}{}{prefix}",
        if prefix.is_empty() { "" } else { " " }
    )
}

fn thousands(value: f64) -> (String, &'static str) {
    let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (factor, prefix) = prefixes
        .into_iter()
        .find(|(factor, _)| value >= *factor)
        .unwrap_or((1.0, ""));
    let scaled = value / factor;
    let digits = if scaled >= 100.0 || prefix.is_empty() {
        0
    } else if scaled >= 10.0 {
        1
    } else {
        2
    };
    (format!("{scaled:.digits$}"), prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits_and_a_prefix() {
        assert_eq!(rate(64_305_865_760.0, "FLOP/s"), "64.3 GFLOP/s");
        assert_eq!(rate(427.5e9, "op/s"), "428 Gop/s");
        assert_eq!(amount(4_718_592.0), "4.72 M");
        assert_eq!(amount(12.0), "12");
    }
}

//! Limits of the nodes that take the time, against the most that the machine was seen to do.

use crate::analysis::{Bound, FAR_SHARE, HotNode, LEAST_NODE_SHARE, NodeTimes, Roofline};
use crate::observed::Observed;
use crate::record::{MachinePeaks, Peak};
use crate::report::words::{
    self, Builder, MEANINGLESS, RowKind, Section, Source, Table, number, plain,
};
use crate::text::Plain;
use crate::units::Ratio;

/// Nodes of a table at most: the rest is named below it.
const ROWS: usize = 10;
/// A smaller share of the time is not worth a word.
const LEAST_SHARE: f64 = 0.005;

/// The machine's peaks, and for every session the nodes that take the time at the first shape's
/// smallest batch size.
pub(super) fn sections(source: Source<'_>) -> Vec<Section> {
    let rooflines = &source.findings.causes.rooflines;
    if rooflines.is_empty() {
        return Vec::new();
    }
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
    lines.extend(left_without(source));
    let firsts = rooflines
        .chunk_by(|one, other| one.session == other.session)
        .filter_map(<[Roofline]>::first);
    vec![Section {
        title: "Roofline: what limits the nodes that take the time".into(),
        lines,
        tables: firsts.map(|roofline| table(source, roofline)).collect(),
    }]
}

/// Sessions that have none, because their operators' own times are not known.
fn left_without(source: Source<'_>) -> Option<String> {
    let handed_over = source.findings.causes.operators.iter().filter(|found| {
        let times = found.breakdown.as_ref().map(|breakdown| breakdown.times);
        times == Ok(NodeTimes::HandingOver)
    });
    let names = words::listed(words::once(
        handed_over.map(|found| source.name(found.session)),
    ));
    (!names.is_empty()).then(|| {
        format!(
            "None of {names}: times of nodes are the host's there, which handed work over to a device"
        )
    })
}

fn machine(source: Source<'_>, peaks: &MachinePeaks) -> String {
    let version = match source.record.peaks.len() {
        ..=1 => String::new(),
        _ => format!(" (ONNX Runtime {})", peaks.runtime_version),
    };
    let threads = match peaks.intra_threads {
        1 => "one intra-op thread".into(),
        threads => format!("{threads} intra-op threads"),
    };
    let rates = &peaks.rates;
    format!(
        "Most that this machine was seen to do with {threads}{version}: products of 512 x 512 fp32 matrices {}; of int8 \
         matrices {}; memory {}",
        peak_words("FLOP/s", &rates.fp32_flops_per_sec),
        peak_words("op/s", &rates.int8_ops_per_sec),
        peak_words("B/s", &rates.memory_bytes_per_sec)
    )
}

fn peak_words(unit: &str, peak: &Observed<Peak>) -> String {
    peak.as_ref().map_or_else(words::not_measured, |peak| {
        format!(
            "{} (median {} of {})",
            rate(peak.highest_per_sec, unit),
            rate(peak.median_per_sec, unit),
            number::count(peak.n)
        )
    })
}

fn bounds(source: Source<'_>, roofline: &Roofline) -> String {
    format!(
        "{}: of the operators' time {}",
        place(source, roofline),
        words::listed(shares(roofline))
    )
}

/// `int8 at batch 1, seq 16`.
fn place(source: Source<'_>, roofline: &Roofline) -> String {
    format!(
        "{} at batch {}{}",
        source.name(roofline.session),
        roofline.batch_size,
        source.record.plan.shape_words(roofline.shape)
    )
}

/// `62.1% compute-bound`, and so on for each bound that is worth a word.
fn shares(roofline: &Roofline) -> Vec<String> {
    let bounds = [
        Bound::Compute,
        Bound::Memory,
        Bound::FarFromBoth,
        Bound::Overhead,
        Bound::Conversion,
    ];
    let known: f64 = roofline.bound_shares.iter().map(|(_, share)| share.0).sum();
    bounds
        .into_iter()
        .map(|bound| (roofline.share_of(bound).0, word(bound)))
        .chain([(1.0 - known, "not known")])
        .filter(|(share, _)| *share > LEAST_SHARE)
        .map(|(share, word)| format!("{} {word}", number::share(share)))
        .collect()
}

pub(in crate::report) fn word(bound: Bound) -> &'static str {
    match bound {
        Bound::Compute => "compute-bound",
        Bound::Memory => "memory-bound",
        Bound::FarFromBoth => "far from both peaks",
        Bound::Overhead => "overhead-bound",
        Bound::Conversion => "conversion",
    }
}

fn table(source: Source<'_>, roofline: &Roofline) -> Table {
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
    let title = format!("{}: nodes that take the time", place(source, roofline));
    let mut builder = Builder::new(title, &header);
    for node in roofline.nodes.iter().take(ROWS) {
        add_node(&mut builder, node);
    }
    builder.finish(notes(roofline))
}

fn notes(roofline: &Roofline) -> Vec<String> {
    let (shown, left) = roofline.nodes.split_at(roofline.nodes.len().min(ROWS));
    let is_cached = shown.iter().any(|node| exceeds(node.memory_ratio));
    let is_beyond = shown.iter().any(|node| exceeds(node.attained()));
    let is_far = shown
        .iter()
        .any(|node| node.bound == Ok(Bound::FarFromBoth));
    let mut notes = vec![
        "of peak: operations, or bytes where memory is the bound, over the most that was seen"
            .to_owned(),
    ];
    notes.extend(is_far.then(far));
    notes.extend((!left.is_empty()).then(|| left_out(left.len() as u64)));
    notes.extend(is_cached.then(|| {
        "a bandwidth above that of the memory: the data lies in a cache, whose peak was not measured".to_owned()
    }));
    notes.extend(is_beyond.then(|| {
        "more than 100% of peak: the product of matrices that stands for the peak was disturbed, or is the slower kernel"
            .to_owned()
    }));
    notes
}

fn far() -> String {
    format!(
        "far from both peaks: below {} of either, of which the nearer one is shown; the kernel, threads or overhead limit \
         the node",
        number::limit(FAR_SHARE)
    )
}

fn left_out(count: u64) -> String {
    format!(
        "{} above {} of the time not shown",
        words::counted_noun(count, "more node"),
        number::limit(LEAST_NODE_SHARE)
    )
}

/// Whether a node attains more than was seen to be possible.
fn exceeds(ratio: Option<Ratio>) -> bool {
    ratio.is_some_and(|ratio| ratio.0 > 1.0)
}

fn add_node(builder: &mut Builder, node: &HotNode) {
    let label = if node.name.is_empty() {
        "(no name)".into()
    } else {
        plain(&node.name)
    };
    let mut line = builder.line(label);
    line.text(plain(&node.operator));
    line.text(number::time(node.time_ns));
    line.text(number::share(node.share.0));
    for (column, shown) in figures(node) {
        let shown = shown.unwrap_or_else(|reason| line.absence(column, &reason));
        line.text(shown);
    }
    line.end(RowKind::Plain);
}

/// Work of a node and bytes that it moves, column by column, or why they are not known.
fn figures(node: &HotNode) -> [(&'static str, Observed<String>); 7] {
    let no_work = node.work.as_ref().err().cloned().unwrap_or_default();
    let no_bytes = node.bytes.as_ref().err().cloned().unwrap_or_default();
    let no_intensity = if node.work.is_err() {
        &no_work
    } else {
        &no_bytes
    };
    let operations = node
        .work
        .as_ref()
        .map(|work| amount(work.operations_count as f64));
    let bytes = node.bytes.as_ref().map(|&bytes| number::bytes(bytes));
    let bandwidth = node.bytes_per_sec.map(|per_sec| rate(per_sec, "B/s"));
    let intensity = node.intensity.map(|intensity| format!("{intensity:.1}"));
    let bound = node.bound.as_ref().map(|&bound| word(bound).to_owned());
    [
        ("operations", operations.map_err(Plain::clone)),
        ("rate", operation_rate(node).ok_or_else(|| no_work.clone())),
        ("of peak", share_of_peak(node).ok_or_else(|| no_peak(node))),
        ("bytes", bytes.map_err(Plain::clone)),
        ("bandwidth", bandwidth.ok_or_else(|| no_bytes.clone())),
        ("op/B", intensity.ok_or_else(|| no_intensity.clone())),
        ("bound", bound.map_err(Plain::clone)),
    ]
}

/// Whether a node computes, as far as is known, and does not only move data.
fn computes(node: &HotNode) -> bool {
    node.work
        .as_ref()
        .map_or(true, |work| work.operations_count > 0)
}

fn operation_rate(node: &HotNode) -> Option<String> {
    let rate = rate(node.operations_per_sec?, "op/s");
    let is_meant = computes(node);
    Some(if is_meant { rate } else { MEANINGLESS.into() })
}

fn share_of_peak(node: &HotNode) -> Option<String> {
    let share = number::share(node.attained()?.0);
    let moves = matches!(node.bound, Ok(Bound::Memory | Bound::FarFromBoth));
    let is_meant = computes(node) || moves;
    Some(if is_meant { share } else { MEANINGLESS.into() })
}

/// Why it is not known how much of a peak a node attains.
fn no_peak(node: &HotNode) -> Plain {
    match &node.bound {
        Err(reason) => reason.clone(),
        Ok(Bound::Memory) => "its data lies in a cache".into(),
        Ok(_) => "its peak was not measured".into(),
    }
}

/// A rate in thousands of `unit`: `64.3 GFLOP/s`.
fn rate(per_sec: f64, unit: &str) -> String {
    let (value, prefix) = thousands(per_sec);
    format!("{value} {prefix}{unit}")
}

fn amount(count: f64) -> String {
    match thousands(count) {
        (value, "") => value,
        (value, prefix) => format!("{value} {prefix}"),
    }
}

fn thousands(value: f64) -> (String, &'static str) {
    let (factor, prefix) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(factor, _)| value >= *factor)
        .unwrap_or((1.0, ""));
    let scaled = value / factor;
    let digits = match scaled {
        100.0.. => 0,
        _ if prefix.is_empty() => 0,
        10.0.. => 1,
        _ => 2,
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

//! How far batching pays: how latency, throughput and memory go with batch size and shape.

use super::{
    Block, Builder, Chapter, Section, Source, Table, charts, idle, number, plain, tables, words,
};
use crate::analysis::{
    BatchCurve, BatchFit, CellFindings, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, Knee,
    KneePlace, LINE_TOLERANCE, MemoryFit, Scaling, Support, Within, WithinLimit,
};
use crate::metric::{Metric, Unit};
use crate::plan::CellKey;
use crate::report::words::not_measured;
use crate::report::words::number::bytes;

const NAMED_DEVIATIONS: usize = 3;

fn empty() -> Chapter {
    Chapter::new("batch", "Batch sizes", "Batch sizes")
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    empty()
        .with(Block::Charts(charts::batch(source)))
        .folded([tables::sweep(source)])
}

pub(super) fn scaling(source: Source<'_>) -> Chapter {
    empty().with_all(
        Some(sections(source))
            .filter(|sections| !sections.is_empty())
            .map(Block::Sections),
    )
}

pub(super) fn summary(source: Source<'_>) -> Chapter {
    let lines = summary_lines(source);
    let chapter = Chapter::untitled("batch");
    if lines.is_empty() {
        chapter
    } else {
        chapter
            .with(Block::heading("Batch size"))
            .with(Block::Lines(lines))
    }
}

fn sections(source: Source<'_>) -> Vec<Section> {
    let curves = (!source.findings.scaling.is_empty()).then(|| of_curves(source));
    curves.into_iter().chain([idle::section(source)]).collect()
}

fn of_curves(source: Source<'_>) -> Section {
    let lines = pairs(source).flat_map(|(scaling, curve)| curve_lines(source, scaling, curve));
    let first_runs = Some(first_runs(source)).filter(|table| !table.rows.is_empty());
    Section {
        title: "Batch size and shape".into(),
        lines: lines.collect(),
        tables: first_runs.into_iter().collect(),
    }
}

/// Of the session that is chosen for throughput, or else of the first one that was measured.
fn summary_lines(source: Source<'_>) -> Vec<String> {
    let chosen = source.findings.decisions.answer.throughput.pick();
    let mut pairs = pairs(source);
    let Some((scaling, curve)) = pairs
        .find(|(_, curve)| chosen.is_none_or(|pick| curve.key(pick.key.batch_size) == pick.key))
    else {
        return Vec::new();
    };
    let knee = scaling.knee.as_ref();
    let knee = knee.map(|knee| knee_words(source, curve, knee));
    let mut limits = scaling.limits.iter();
    let limit = limits.find(|limit| limit.metric == Metric::LatencyP99);
    let limit = limit.map(|limit| limit_words(source, curve, limit));
    let subject = subject(source, scaling);
    knee.into_iter()
        .chain(limit)
        .map(|told| format!("{subject}: {told}."))
        .collect()
}

/// Words of the template on a curve beyond where it saturates: its knee, and its line.
pub(in crate::report) fn of_curve(source: Source<'_>, curve: &BatchCurve) -> Option<String> {
    let (scaling, _) = pairs(source).find(|(_, other)| *other == curve)?;
    let fit = scaling.fit.as_ref().ok().map(line);
    let knee = scaling.knee.as_ref().map(short_knee);
    let parts: Vec<String> = knee.into_iter().chain(fit).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn short_knee(knee: &Knee) -> String {
    let batch = knee.batch_size;
    match knee.place {
        KneePlace::Within => format!("knee at batch {batch}"),
        KneePlace::Smallest => format!("no knee beyond batch {batch}"),
        KneePlace::Largest => format!("no knee up to batch {batch}"),
    }
}

fn pairs(source: Source<'_>) -> impl Iterator<Item = (&Scaling, &BatchCurve)> {
    source
        .findings
        .scaling
        .iter()
        .zip(&source.findings.batch_curves)
}

/// `fp32, seq 64, 2 requests in flight`.
fn subject(source: Source<'_>, scaling: &Scaling) -> String {
    let plan = &source.record.plan;
    let load = plan
        .load_words(scaling.load_mode)
        .map(|load| format!(", {load}"))
        .unwrap_or_default();
    format!(
        "{}{}{load}",
        source.name(scaling.session),
        plain(&plan.shape_words(scaling.shape))
    )
}

fn curve_lines(source: Source<'_>, scaling: &Scaling, curve: &BatchCurve) -> Vec<String> {
    let knee = scaling.knee.as_ref();
    let mut parts = vec![match &scaling.fit {
        Ok(fit) => format!("median latency is {}; {}", line(fit), goodness(curve, fit)),
        Err(reason) => format!(
            "latency as a line over batch sizes {}",
            not_measured(reason)
        ),
    }];
    parts.extend(knee.map(|knee| knee_words(source, curve, knee)));
    parts.extend(
        scaling
            .limits
            .iter()
            .map(|limit| limit_words(source, curve, limit)),
    );
    parts.extend(scaling.cliffs.iter().map(cliff_words));
    parts.extend(scaling.memory.as_ref().map(|memory| match memory {
        Ok(memory) => memory_words(memory),
        Err(reason) => format!("memory as a line over batch sizes {}", not_measured(reason)),
    }));
    let subject = subject(source, scaling);
    parts
        .into_iter()
        .map(|part| format!("{subject}: {part}."))
        .collect()
}

/// `82 µs (80 to 84) + 21 µs (20 to 22) for each sample`.
fn line(fit: &BatchFit) -> String {
    let [fixed, slope] =
        [&fit.fixed_ns, &fit.per_sample_ns].map(|part| words::amount(Unit::Ns, part));
    format!("{fixed} + {slope} for each sample")
}

fn goodness(curve: &BatchCurve, fit: &BatchFit) -> String {
    let speeds = two_speeds(fit.two_speeds_count, curve.points.len() as u64);
    if fit.off.is_empty() {
        let worst = number::share(fit.worst.0);
        return format!("every batch size lies within {worst} of that line{speeds}");
    }
    let mut off: Vec<&Deviation> = fit.off.iter().collect();
    off.sort_by(|one, other| other.deviation.0.abs().total_cmp(&one.deviation.0.abs()));
    let named = words::listed(
        off.iter()
            .take(NAMED_DEVIATIONS)
            .map(|found| deviation(found)),
    );
    let more = match off.len().saturating_sub(NAMED_DEVIATIONS) {
        0 => String::new(),
        more => format!(
            ", and {more} more by over {}",
            number::limit(LINE_TOLERANCE)
        ),
    };
    format!("that line does not hold: {named} it{more}{speeds}")
}

fn two_speeds(two: u64, all: u64) -> String {
    if 2 * two < all {
        return String::new();
    }
    format!(
        "; at {two} of {all} batch sizes the machine had two speeds, between whose lines this one lies"
    )
}

fn deviation(found: &Deviation) -> String {
    let (batch, deviation) = (found.batch_size, found.deviation.0);
    let side = if deviation > 0.0 { "above" } else { "below" };
    format!(
        "batch {batch} lies {} {side}",
        number::share(deviation.abs())
    )
}

fn knee_words(source: Source<'_>, curve: &BatchCurve, knee: &Knee) -> String {
    let Knee {
        batch_size,
        place,
        ties,
    } = knee;
    let tied: Vec<String> = ties.iter().map(|size| format!("batch {size}")).collect();
    let tied = match tied.as_slice() {
        [] => String::new(),
        all => format!(" ({} not told apart from it)", words::listed(all)),
    };
    let trade = trade(curve, *batch_size);
    match place {
        KneePlace::Within => format!(
            "the knee is at batch {batch_size}{tied}, {}: up to there throughput grows by a larger factor than latency, \
             beyond it by a smaller one{trade}",
            throughput_and_latency(source, curve.key(*batch_size))
        ),
        KneePlace::Smallest => format!(
            "there is no knee: from batch {batch_size} on{tied} latency grows by a larger factor than throughput{trade}"
        ),
        KneePlace::Largest => format!(
            "there is no knee up to batch {batch_size}, the largest measured{tied}: throughput grows by a larger factor \
             than latency"
        ),
    }
}

/// Cost and gain of the batch size with enough throughput against the knee's, where it is another
/// one.
fn trade(curve: &BatchCurve, knee: u64) -> String {
    let Some(trade) = curve.trade(knee) else {
        return String::new();
    };
    let throughput = number::factor(trade.throughput_factor, None);
    let latency = number::factor(trade.latency_factor, None);
    format!(
        "; batch {} has {throughput}x the throughput of batch {knee} at {latency}x its latency",
        trade.batch_size
    )
}

fn throughput_and_latency(source: Source<'_>, key: CellKey) -> String {
    let cell = source.cell(key);
    let [rate, latency] =
        [Metric::Throughput, Metric::LatencyP50].map(|metric| known(cell, metric));
    let is_of_few = cell.is_some_and(|cell| cell.support() == Some(Support::FewInferences));
    let few = if is_of_few {
        format!(", {}", source.behind(key))
    } else {
        String::new()
    };
    format!("{rate} at a median of {latency}{few}")
}

fn known(cell: Option<&CellFindings>, metric: Metric) -> String {
    let value = cell.and_then(|cell| cell.value(metric));
    value.map_or_else(
        || "unknown".into(),
        |value| number::value(metric.unit(), value, None),
    )
}

fn limit_words(source: Source<'_>, curve: &BatchCurve, limit: &WithinLimit) -> String {
    let metric = match limit.metric {
        Metric::LatencyP99 => "p99",
        _ => "median latency",
    };
    let most = number::time(limit.limit_ns);
    match &limit.outcome {
        Within::Best(batch) => format!(
            "best throughput with {metric} within {most} at batch {batch}: {}",
            throughput_and_latency(source, curve.key(*batch))
        ),
        Within::Closest(batch) => {
            let cell = source.cell(curve.key(*batch));
            let value = cell.and_then(|cell| cell.figure(limit.metric));
            let value = value
                .map(|value| words::amount(Unit::Ns, value))
                .unwrap_or_default();
            format!(
                "no batch size has its {metric} within {most}; batch {batch} comes closest with {value}"
            )
        }
        Within::Unknown(reason) => {
            let why = not_measured(reason);
            format!("best batch size with {metric} within {most} {why}")
        }
    }
}

fn cliff_words(cliff: &Cliff) -> String {
    let (from, to) = (cliff.from, cliff.to);
    let unknown: Vec<&str> = cliff.unknown.iter().map(|&sign| sign_words(sign)).collect();
    let unknown = match unknown.as_slice() {
        [] => String::new(),
        all => format!("; not known: {}", words::listed(all)),
    };
    let change = words::throughput_change(&cliff.change);
    let evidence = along_with(cliff);
    format!("throughput falls from batch {from} to {to} ({change}); {evidence}{unknown}")
}

fn along_with(cliff: &Cliff) -> String {
    let evidence: Vec<String> = cliff.evidence.iter().map(evidence_words).collect();
    match evidence.as_slice() {
        [] if cliff.unknown.is_empty() => {
            "the arena did not grow, its peak outgrew no cache, and page faults did not double"
                .to_owned()
        }
        [] => "nothing that was looked at went along with it".to_owned(),
        all => format!(
            "along with it, be it the cause or not, {}",
            words::listed(all)
        ),
    }
}

fn sign_words(sign: CliffSign) -> &'static str {
    match sign {
        CliffSign::Arena => "what the arena did",
        CliffSign::Caches => "the sizes of the caches",
        CliffSign::MinorFaults => "page faults",
    }
}

fn evidence_words(evidence: &CliffEvidence) -> String {
    match evidence {
        CliffEvidence::ArenaExtensions { extensions_count } => {
            let count = extensions_count.round().max(1.0) as u64;
            format!("the memory arena grew {count} time{}", words::plural(count))
        }
        CliffEvidence::CacheExceeded {
            level,
            cache_bytes,
            arena_bytes,
        } => {
            let (arena, cache) = (bytes(*arena_bytes), bytes(*cache_bytes));
            format!("the arena's peak ({arena}) outgrew the L{level} cache ({cache})")
        }
        CliffEvidence::MinorFaults { from, to } => {
            let [from, to] = [*from, *to].map(|count| number::value(Unit::Count, count, None));
            format!("minor page faults rose from {from} to {to} an inference")
        }
    }
}

fn memory_words(memory: &MemoryFit) -> String {
    let [fixed, slope] = [&memory.fixed_bytes, &memory.per_sample_bytes]
        .map(|part| words::amount(Unit::Bytes, part));
    format!(
        "peak memory is {fixed} + {slope} for each sample; {}",
        room(memory)
    )
}

/// Largest batch size that the memory that was available holds.
fn room(memory: &MemoryFit) -> String {
    let measured = memory.largest_measured;
    match (memory.largest_batch, memory.available_bytes.map(bytes)) {
        (Some(batch), Some(available)) if batch > measured => {
            let batch = number::value(Unit::Count, two_digits(batch), None);
            format!(
                "by that line the {available} available hold about batch {batch}; batch {measured} is the largest \
                 behind it"
            )
        }
        (Some(batch), Some(available)) => {
            let batch = number::count(batch);
            format!("the {available} available hold batch {batch} at most")
        }
        _ => "how much was available is not known".into(),
    }
}

/// A count cut to its two leading digits: an extrapolation supports no more.
fn two_digits(count: u64) -> f64 {
    let unit = 10_u64.pow(count.max(1).ilog10().saturating_sub(1));
    (count / unit * unit) as f64
}

fn first_runs(source: Source<'_>) -> Table {
    let title = "First inference at each batch size: what does a new shape cost?";
    let mut table = Builder::new(title, &["variant, batch", FIRST_RUN, OVER_MEDIAN]);
    for (scaling, _) in pairs(source) {
        let name = source.name(scaling.session);
        for found in &scaling.first_runs {
            let row = format!("{name}, {}", source.batch(scaling.shape, found.batch_size));
            let cells = first_run_cells(&mut table, found, row);
            table.plain_row(cells);
        }
    }
    table.finish(vec![
        "over median: the first inference / the median of the same launch".into(),
    ])
}

const FIRST_RUN: &str = "first inference";
const OVER_MEDIAN: &str = "over median";

fn first_run_cells(table: &mut Builder, found: &FirstRun, row: String) -> Vec<String> {
    let time = table.figure(FIRST_RUN, &row, Some(&found.first_run_ns), |time| {
        words::amount(Unit::Ns, time)
    });
    let ratio = table.figure(OVER_MEDIAN, &row, Some(&found.over_median), |ratio| {
        let ratio = ratio.measured();
        ratio
            .map(|ratio| number::times(ratio.value, ratio.interval))
            .unwrap_or_default()
    });
    vec![row, time, ratio]
}

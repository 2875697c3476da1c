//! How far batching pays: how latency, throughput and memory go with batch size and shape.

use super::{
    Block, Builder, Chapter, Section, Source, Table, charts, idle, number, plain, tables, words,
};
use crate::analysis::{
    BatchCurve, BatchFit, CellFindings, Cliff, CliffEvidence, CliffSign, Deviation, FirstRun, Knee,
    KneePlace, LINE_TOLERANCE, MemoryFit, Scaling, Support, Within, WithinLimit,
};
use crate::metric::{Metric, Unit};
use crate::report::words::number::bytes;
use crate::report::words::{Line, RowKind, not_measured};

const NAMED_DEVIATIONS: usize = 3;

fn empty() -> Chapter {
    Chapter::new("batch", "Batch sizes", "Batch sizes")
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    empty()
        .with(Block::Charts(charts::sweeps(source)))
        .folded([tables::sweep(source)])
}

pub(super) fn scaling(source: Source<'_>) -> Chapter {
    let has_curves = !source.findings.scaling.is_empty();
    let curves = has_curves.then(|| of_curves(source)).into_iter();
    empty().sections(curves.chain([idle::section(source)]).collect())
}

pub(super) fn summary(source: Source<'_>) -> Chapter {
    Chapter::untitled("batch").lines("Batch size", summary_lines(source))
}

fn of_curves(source: Source<'_>) -> Section {
    let first_runs = Some(first_runs(source)).filter(|table| !table.rows.is_empty());
    Section {
        title: "Batch size and shape".into(),
        lines: curves(source).flat_map(|curve| curve.lines()).collect(),
        tables: first_runs.into_iter().collect(),
    }
}

/// Of the session that is chosen for throughput, or else of the first one that was measured.
fn summary_lines(source: Source<'_>) -> Vec<String> {
    let chosen = source.answer().throughput.pick();
    let Some(curve) = curves(source).find(|Curve { curve, .. }| {
        chosen.is_none_or(|pick| curve.key(pick.key.batch_size) == pick.key)
    }) else {
        return Vec::new();
    };
    let limit = curve
        .scaling
        .limits
        .iter()
        .find(|limit| limit.metric == Metric::LatencyP99)
        .map(|limit| curve.limit_words(limit));
    curve
        .knee_words()
        .into_iter()
        .chain(limit)
        .map(|part| curve.line(&part))
        .collect()
}

/// Words of the template on a curve beyond where it saturates: its knee, and its line.
pub(in crate::report) fn of_curve(source: Source<'_>, curve: &BatchCurve) -> Option<String> {
    let Curve { scaling, .. } = curves(source).find(|other| other.curve == curve)?;
    let knee = scaling.knee.as_ref().map(short_knee);
    let parts = words::joined(
        knee.into_iter().chain(scaling.fit.as_ref().ok().map(line)),
        "; ",
    );
    Some(parts).filter(|parts| !parts.is_empty())
}

fn short_knee(knee: &Knee) -> String {
    let batch = knee.batch_size;
    match knee.place {
        KneePlace::Within => format!("best balance at batch {batch}"),
        KneePlace::Smallest => format!("best balance at batch {batch}, the smallest"),
        KneePlace::Largest => format!("best balance at batch {batch}, the largest"),
    }
}

/// A curve with what was found of it.
struct Curve<'a> {
    source: Source<'a>,
    scaling: &'a Scaling,
    curve: &'a BatchCurve,
}

fn curves(source: Source<'_>) -> impl Iterator<Item = Curve<'_>> {
    source
        .findings
        .scaling
        .iter()
        .zip(&source.findings.batch_curves)
        .map(move |(scaling, curve)| Curve {
            source,
            scaling,
            curve,
        })
}

impl Curve<'_> {
    /// `fp32, seq 64, 2 requests in flight: PART.`
    fn line(&self, part: &str) -> String {
        let (plan, scaling) = (&self.source.record.plan, self.scaling);
        let load = plan
            .load_words(scaling.load_mode)
            .map(|load| format!(", {load}"));
        format!(
            "{}{}{}: {part}.",
            self.source.name(scaling.session),
            plain(&plan.shape_words(scaling.shape)),
            load.unwrap_or_default()
        )
    }

    fn lines(&self) -> Vec<String> {
        let scaling = self.scaling;
        let mut parts = vec![match &scaling.fit {
            Ok(fit) => format!("median latency is {}; {}", line(fit), self.goodness(fit)),
            Err(reason) => format!(
                "latency as a line over batch sizes {}",
                not_measured(reason)
            ),
        }];
        parts.extend(self.knee_words());
        parts.extend(scaling.limits.iter().map(|limit| self.limit_words(limit)));
        parts.extend(scaling.cliffs.iter().map(cliff_words));
        parts.extend(scaling.memory.as_ref().map(|memory| match memory {
            Ok(memory) => memory_words(memory),
            Err(reason) => format!("memory as a line over batch sizes {}", not_measured(reason)),
        }));
        parts.iter().map(|part| self.line(part)).collect()
    }

    fn goodness(&self, fit: &BatchFit) -> String {
        let speeds = two_speeds(fit.two_speeds_count, self.curve.points.len() as u64);
        if fit.off.is_empty() {
            return format!(
                "every batch size lies within {} of that line{speeds}",
                number::share(fit.worst.0)
            );
        }
        let mut off: Vec<&Deviation> = fit.off.iter().collect();
        off.sort_by(|one, other| other.deviation.0.abs().total_cmp(&one.deviation.0.abs()));
        let more = off.len().saturating_sub(NAMED_DEVIATIONS);
        let more = match more {
            0 => String::new(),
            more => format!(
                ", and {more} more by over {}",
                number::limit(LINE_TOLERANCE)
            ),
        };
        format!(
            "that line does not hold: {} it{more}{speeds}",
            words::listed(off.into_iter().take(NAMED_DEVIATIONS).map(deviation))
        )
    }

    fn knee_words(&self) -> Option<String> {
        let Knee {
            batch_size,
            place,
            ties,
        } = self.scaling.knee.as_ref()?;
        let tied = match words::listed(ties.iter().map(|size| format!("batch {size}"))) {
            none if none.is_empty() => none,
            all => format!(" ({all} not shown to be better or worse)"),
        };
        let trade = self.trade(*batch_size).unwrap_or_default();
        Some(match place {
            KneePlace::Within => format!(
                "the best balance of throughput and latency is at batch {batch_size}{tied}, {}: up to there throughput grows by a larger factor than latency, \
                 beyond it by a smaller one{trade}",
                self.throughput_and_latency(*batch_size)
            ),
            KneePlace::Smallest => format!(
                "batch {batch_size} has the best balance of throughput and latency: from there on{tied} latency grows by a larger factor than throughput{trade}"
            ),
            KneePlace::Largest => format!(
                "batch {batch_size}, the largest measured, has the best balance of throughput and latency{tied}: up to there throughput grows by a larger factor \
                 than latency"
            ),
        })
    }

    /// Cost and gain of the batch size with enough throughput against the knee's, where it is
    /// another one.
    fn trade(&self, knee: u64) -> Option<String> {
        let trade = self.curve.trade(knee)?;
        Some(format!(
            "; batch {} has {}x the throughput of batch {knee} at {}x its latency",
            trade.batch_size,
            number::factor(trade.throughput_factor, None),
            number::factor(trade.latency_factor, None)
        ))
    }

    fn throughput_and_latency(&self, batch_size: u64) -> String {
        let key = self.curve.key(batch_size);
        let cell = self.source.cell(key);
        let [rate, latency] =
            [Metric::Throughput, Metric::LatencyP50].map(|metric| known(cell, metric));
        let few = match cell.and_then(CellFindings::support) {
            Some(Support::FewInferences) => format!(", {}", self.source.behind(key)),
            _ => String::new(),
        };
        format!("{rate} at a median of {latency}{few}")
    }

    fn limit_words(&self, limit: &WithinLimit) -> String {
        let metric = match limit.metric {
            Metric::LatencyP99 => "p99",
            _ => "median latency",
        };
        let most = number::time(limit.limit_ns);
        match &limit.outcome {
            Within::Best(batch) => format!(
                "best throughput with {metric} within {most} at batch {batch}: {}",
                self.throughput_and_latency(*batch)
            ),
            Within::Closest(batch) => {
                let value = self
                    .source
                    .cell(self.curve.key(*batch))
                    .and_then(|cell| cell.figure(limit.metric));
                format!(
                    "no batch size has its {metric} within {most}; batch {batch} comes closest with {}",
                    words::shown(limit.metric, value)
                )
            }
            Within::Unknown(reason) => {
                format!(
                    "best batch size with {metric} within {most} {}",
                    not_measured(reason)
                )
            }
        }
    }
}

/// `82 µs (80 to 84) + 21 µs (20 to 22) for each sample`.
fn line(fit: &BatchFit) -> String {
    let [fixed, slope] =
        [&fit.fixed_ns, &fit.per_sample_ns].map(|part| words::amount(Unit::Ns, part));
    format!("{fixed} + {slope} for each sample")
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

fn known(cell: Option<&CellFindings>, metric: Metric) -> String {
    cell.and_then(|cell| cell.value(metric)).map_or_else(
        || "unknown".into(),
        |value| number::value(metric.unit(), value, None),
    )
}

fn cliff_words(cliff: &Cliff) -> String {
    let unknown = match words::listed(cliff.unknown.iter().map(sign_words)) {
        none if none.is_empty() => none,
        all => format!("; not known: {all}"),
    };
    format!(
        "throughput falls from batch {} to {} ({}); {}{unknown}",
        cliff.from,
        cliff.to,
        words::throughput_change(&cliff.change),
        along_with(cliff)
    )
}

fn along_with(cliff: &Cliff) -> String {
    let nothing = match cliff.evidence.as_slice() {
        [] if cliff.unknown.is_empty() => {
            "the arena did not grow, its peak outgrew no cache, and page faults did not double"
        }
        [] => "nothing that was observed went along with it",
        all => {
            return format!(
                "along with it, be it the cause or not, {}",
                words::listed(all.iter().map(evidence_words))
            );
        }
    };
    nothing.into()
}

fn sign_words(sign: &CliffSign) -> &'static str {
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
            format!("the memory arena grew {}", words::number_of(count, "time"))
        }
        CliffEvidence::CacheExceeded {
            level,
            cache_bytes,
            arena_bytes,
        } => {
            format!(
                "the arena's peak ({}) outgrew the L{level} cache ({})",
                bytes(*arena_bytes),
                bytes(*cache_bytes)
            )
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
            format!(
                "by that line the {available} available hold about batch {}; batch {measured} is the largest \
                 behind it",
                number::value(Unit::Count, two_digits(batch), None)
            )
        }
        (Some(batch), Some(available)) => {
            format!(
                "the {available} available hold batch {} at most",
                number::count(batch)
            )
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
    for scaling in &source.findings.scaling {
        let name = source.name(scaling.session);
        for found in &scaling.first_runs {
            add_first_run(
                table.line(format!(
                    "{name}, {}",
                    source.batch(scaling.shape, found.batch_size)
                )),
                found,
            );
        }
    }
    table.finish(["over median: the first inference / the median of the same launch".into()])
}

const FIRST_RUN: &str = "first inference";
const OVER_MEDIAN: &str = "over median";

fn add_first_run(mut line: Line<'_>, found: &FirstRun) {
    line.estimate(FIRST_RUN, Some(&found.first_run_ns), |time| {
        words::amount(Unit::Ns, time)
    });
    line.estimate(OVER_MEDIAN, Some(&found.over_median), |ratio| {
        ratio
            .measured()
            .map(|ratio| number::times(ratio.value, ratio.interval))
            .unwrap_or_default()
    });
    line.end(RowKind::Plain);
}

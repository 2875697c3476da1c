//! How far batching pays: how latency, throughput and memory go with batch size and shape, and what idle gaps cost.

use super::{
    Block, Builder, Chapter, Section, Source, Table, charts, number, plain, tables, words,
};
use crate::analysis::{
    BatchCurve, BatchFit, Cliff, CliffEvidence, CliffSign, GapFindings, Knee, KneePlace,
    LINE_TOLERANCE, MemoryFit, Scaling, Support, Within, WithinLimit,
};
use crate::metric::{Metric, Unit};
use crate::plan::CellKey;
use crate::report::words::number::bytes;
use crate::report::words::{MEANINGLESS, not_measured};

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
    let mut sections = Vec::new();
    if !source.findings.scaling.is_empty() {
        let lines = pairs(source)
            .flat_map(|(scaling, curve)| curve_lines(source, scaling, curve))
            .collect();
        sections.push(Section {
            title: "Batch size and shape".into(),
            lines,
            tables: vec![first_runs(source)]
                .into_iter()
                .filter(|table| !table.rows.is_empty())
                .collect(),
        });
    }
    sections.push(idle(source));
    sections
}

/// Of the session that is chosen for throughput, or else of the first one that was measured.
fn summary_lines(source: Source<'_>) -> Vec<String> {
    let chosen = source
        .findings
        .decisions
        .answer
        .throughput
        .pick()
        .map(|pick| pick.key);
    let is_chosen = |curve: &BatchCurve| chosen.is_none_or(|key| curve.key(key.batch_size) == key);
    let Some((scaling, curve)) = pairs(source).find(|(_, curve)| is_chosen(curve)) else {
        return Vec::new();
    };
    let subject = subject(source, scaling);
    let knee = scaling
        .knee
        .as_ref()
        .map(|knee| format!("{subject}: {}.", knee_words(source, curve, knee)));
    let limit = scaling
        .limits
        .iter()
        .find(|limit| limit.metric == Metric::LatencyP99);
    let limit = limit.map(|limit| format!("{subject}: {}.", limit_words(source, curve, limit)));
    knee.into_iter().chain(limit).collect()
}

/// Words of the template on a curve beyond where it saturates: its knee, and its line.
pub(in crate::report) fn of_curve(source: Source<'_>, curve: &BatchCurve) -> Option<String> {
    let (scaling, _) = pairs(source).find(|(_, other)| *other == curve)?;
    let fit = scaling.fit.as_ref().ok().map(line);
    let knee = scaling.knee.as_ref().map(|knee| match knee.place {
        KneePlace::Within => format!("knee at batch {}", knee.batch_size),
        KneePlace::Smallest => format!("no knee beyond batch {}", knee.batch_size),
        KneePlace::Largest => format!("no knee up to batch {}", knee.batch_size),
    });
    let parts: Vec<String> = knee.into_iter().chain(fit).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
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
    let mut parts = vec![match &scaling.fit {
        Ok(fit) => format!("median latency is {}; {}", line(fit), goodness(curve, fit)),
        Err(reason) => format!(
            "latency as a line over batch sizes {}",
            not_measured(reason)
        ),
    }];
    parts.extend(
        scaling
            .knee
            .as_ref()
            .map(|knee| knee_words(source, curve, knee)),
    );
    parts.extend(
        scaling
            .limits
            .iter()
            .map(|limit| limit_words(source, curve, limit)),
    );
    parts.extend(scaling.cliffs.iter().map(cliff_words));
    match &scaling.memory {
        Some(Ok(memory)) => parts.push(memory_words(memory)),
        Some(Err(reason)) => parts.push(format!(
            "memory as a line over batch sizes {}",
            not_measured(reason)
        )),
        None => {}
    }
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
    let (two, all) = (fit.two_speeds_count, curve.points.len() as u64);
    let speeds = if 2 * two >= all {
        format!(
            "; at {two} of {all} batch sizes the machine had two speeds, between whose lines this one lies"
        )
    } else {
        String::new()
    };
    if fit.off.is_empty() {
        return format!(
            "every batch size lies within {} of that line{speeds}",
            number::share(fit.worst.0)
        );
    }
    let mut off = fit.off.clone();
    off.sort_by(|one, other| other.deviation.0.abs().total_cmp(&one.deviation.0.abs()));
    let named = off.iter().take(NAMED_DEVIATIONS).map(|found| {
        let side = if found.deviation.0 > 0.0 {
            "above"
        } else {
            "below"
        };
        format!(
            "batch {} lies {} {side}",
            found.batch_size,
            number::share(found.deviation.0.abs())
        )
    });
    let named = words::listed(named);
    let more = off.len().saturating_sub(NAMED_DEVIATIONS);
    let more = if more > 0 {
        format!(
            ", and {more} more by over {}",
            number::limit(LINE_TOLERANCE)
        )
    } else {
        String::new()
    };
    format!("that line does not hold: {named} it{more}{speeds}")
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

/// Cost and gain of the batch size with enough throughput against the knee's, where it is another one.
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
    let shown = |metric: Metric| {
        let value = source.cell(key).and_then(|cell| cell.value(metric));
        value.map_or_else(
            || "unknown".into(),
            |value| number::value(metric.unit(), value, None),
        )
    };
    let is_of_few = source
        .cell(key)
        .is_some_and(|cell| cell.support() == Some(Support::FewInferences));
    let few = if is_of_few {
        format!(", {}", source.behind(key))
    } else {
        String::new()
    };
    format!(
        "{} at a median of {}{few}",
        shown(Metric::Throughput),
        shown(Metric::LatencyP50)
    )
}

fn limit_words(source: Source<'_>, curve: &BatchCurve, limit: &WithinLimit) -> String {
    let metric = if limit.metric == Metric::LatencyP99 {
        "p99"
    } else {
        "median latency"
    };
    let most = number::time(limit.limit_ns);
    match &limit.outcome {
        Within::Best(batch) => format!(
            "best throughput with {metric} within {most} at batch {batch}: {}",
            throughput_and_latency(source, curve.key(*batch))
        ),
        Within::Closest(batch) => {
            let value = source
                .cell(curve.key(*batch))
                .and_then(|cell| cell.figure(limit.metric));
            let value = value
                .map(|value| words::amount(Unit::Ns, value))
                .unwrap_or_default();
            format!(
                "no batch size has its {metric} within {most}; batch {batch} comes closest with {value}"
            )
        }
        Within::Unknown(reason) => format!(
            "best batch size with {metric} within {most} {}",
            not_measured(reason)
        ),
    }
}

fn cliff_words(cliff: &Cliff) -> String {
    let evidence: Vec<String> = cliff.evidence.iter().map(evidence_words).collect();
    let unknown: Vec<String> = cliff
        .unknown
        .iter()
        .map(|sign| sign_words(*sign).to_owned())
        .collect();
    let unknown = match unknown.as_slice() {
        [] => String::new(),
        all => format!("; not known: {}", words::listed(all)),
    };
    let evidence = match evidence.as_slice() {
        [] if cliff.unknown.is_empty() => {
            "the arena did not grow, its peak outgrew no cache, and page faults did not double"
                .to_owned()
        }
        [] => "nothing that was looked at went along with it".to_owned(),
        all => format!(
            "along with it, be it the cause or not, {}",
            words::listed(all)
        ),
    };
    let change = words::throughput_change(&cliff.change);
    format!(
        "throughput falls from batch {} to {} ({change}); {evidence}{unknown}",
        cliff.from, cliff.to
    )
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
            format!(
                "the arena's peak ({}) outgrew the L{level} cache ({})",
                bytes(*arena_bytes),
                bytes(*cache_bytes)
            )
        }
        CliffEvidence::MinorFaults { from, to } => {
            let count = |value: f64| number::value(Unit::Count, value, None);
            format!(
                "minor page faults rose from {} to {} an inference",
                count(*from),
                count(*to)
            )
        }
    }
}

fn memory_words(memory: &MemoryFit) -> String {
    let [fixed, slope] = [&memory.fixed_bytes, &memory.per_sample_bytes]
        .map(|part| words::amount(Unit::Bytes, part));
    let measured = memory.largest_measured;
    let fits = match (memory.largest_batch, memory.available_bytes.map(bytes)) {
        (Some(batch), Some(available)) if batch > measured => {
            let batch = number::value(Unit::Count, two_digits(batch), None);
            format!(
                "by that line the {available} available hold about batch {batch}; batch {measured} is the largest \
                 behind it"
            )
        }
        (Some(batch), Some(available)) => {
            format!(
                "the {available} available hold batch {} at most",
                number::count(batch)
            )
        }
        _ => "how much was available is not known".into(),
    };
    format!("peak memory is {fixed} + {slope} for each sample; {fits}")
}

/// A count cut to its two leading digits: an extrapolation supports no more.
fn two_digits(count: u64) -> f64 {
    let unit = 10_u64.pow(count.max(1).ilog10().saturating_sub(1));
    (count / unit * unit) as f64
}

fn first_runs(source: Source<'_>) -> Table {
    let title = "First inference at each batch size: what does a new shape cost?";
    let mut table = Builder::new(title, &["variant, batch", "first inference", "over median"]);
    for (scaling, _) in pairs(source) {
        for found in &scaling.first_runs {
            let name = source.name(scaling.session);
            let row = format!("{name}, {}", source.batch(scaling.shape, found.batch_size));
            let time = table.figure("first inference", &row, Some(&found.first_run_ns), |time| {
                words::amount(Unit::Ns, time)
            });
            let ratio = table.figure("over median", &row, Some(&found.over_median), |ratio| {
                ratio
                    .measured()
                    .map(|ratio| number::times(ratio.value, ratio.interval))
                    .unwrap_or_default()
            });
            table.plain_row(vec![row, time, ratio]);
        }
    }
    table.finish(vec![
        "over median: the first inference / the median of the same launch".into(),
    ])
}

fn idle(source: Source<'_>) -> Section {
    let title = "Latency after idle gaps".to_owned();
    let found = &source.findings.idle_gaps;
    if found.is_empty() {
        let line =
            "Not measured: `--idle-gaps` measures what the first request after a pause takes."
                .into();
        return Section {
            title,
            lines: vec![line],
            tables: Vec::new(),
        };
    }
    let mut table = Builder::new(
        "Single inferences after a time without any: what does a pause cost?",
        &[
            "variant, gap",
            "latency",
            "against no gap",
            "launches",
            "inferences",
        ],
    );
    let mut lines =
        vec!["Each variant was launched for this alone; a gap is held against none within the same launch.".to_owned()];
    for session in found {
        let name = format!(
            "{}, {}",
            source.name(session.session),
            source.batch(session.shape, session.batch_size)
        );
        match &session.gaps {
            Ok(gaps) => gaps.iter().for_each(|gap| {
                let gap_words = match gap.gap_ns.0 {
                    0 => "no gap".to_owned(),
                    _ => format!("gap {}", number::time(gap.gap_ns)),
                };
                let row = format!("{name}, {gap_words}");
                let cells = gap_cells(&mut table, gap, row);
                table.plain_row(cells);
            }),
            Err(reason) => lines.push(format!("{name}: {}.", not_measured(reason))),
        }
    }
    let table = table.finish(Vec::new());
    Section {
        title,
        lines,
        tables: if table.rows.is_empty() {
            Vec::new()
        } else {
            vec![table]
        },
    }
}

fn gap_cells(table: &mut Builder, gap: &GapFindings, row: String) -> Vec<String> {
    let latency = table.figure("latency", &row, Some(&gap.latency_ns), |latency| {
        words::amount(Unit::Ns, latency)
    });
    let measured = gap.latency_ns.measured();
    if let Some(remark) = measured.and_then(|measured| measured.remark.as_ref()) {
        table.absence(
            "interval",
            &row,
            remark.exact().trim_start_matches("no interval: "),
        );
    }
    let change = gap.change.as_ref().map(words::latency_change);
    let change = change.map_or(MEANINGLESS.into(), |change| change.to_string());
    let launches = measured
        .map(|measured| number::count(measured.n))
        .unwrap_or_default();
    vec![
        row,
        latency,
        change,
        launches,
        number::count(gap.inferences_count),
    ]
}

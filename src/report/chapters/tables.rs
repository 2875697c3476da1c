//! One table per question.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::analysis::{
    CellFindings, Change, Comparison, Decision, Estimate, SATURATION_SHARE, SessionFindings,
    Verdict,
};
use crate::metric::{Metric, Unit};
use crate::plan::{LoadMode, PageCache};
use crate::report::words::{
    self, BASELINE, Builder, Line, MEANINGLESS, REFERENCE, RowKind, Source, Table, number, plain,
};

pub(super) fn kind(source: Source<'_>, session: &SessionFindings) -> RowKind {
    let judgement = source.judgement();
    let is_decided = matches!(judgement.decision, Decision::Ship | Decision::Keep);
    if is_decided && judgement.session == Some(session.session) {
        RowKind::Pick
    } else if session.is_baseline {
        RowKind::Baseline
    } else {
        RowKind::Plain
    }
}

pub(super) const P99_CHANGE: &str = "p99 change";

pub(super) fn variants(source: Source<'_>) -> Table {
    let title = format!(
        "Variants at {}: which is the fastest?",
        source.single_batch()
    );
    let header = [
        "variant",
        "median latency",
        "p99",
        "vs baseline",
        P99_CHANGE,
        "accuracy",
        "file size",
    ];
    let mut table = Builder::new(title, &header);
    let single: HashMap<usize, &CellFindings> = source
        .single()
        .into_iter()
        .map(|cell| (cell.key.session, cell))
        .collect();
    for session in source.sessions() {
        if let Some(cell) = single.get(&session.session) {
            add_variant(&mut table, session, cell, kind(source, session));
        }
    }
    table.finish(variants_notes(source))
}

pub(super) fn variants_notes(source: Source<'_>) -> Vec<String> {
    let mut notes = vec![words::BOUND.to_owned()];
    if has_comparison(source) {
        notes.push("vs baseline: median latency of blocks measured back to back".into());
        notes.push(format!(
            "{P99_CHANGE}: that of p99, over the launches of the same rounds"
        ));
    }
    let single = source.single();
    let compared = single.iter().filter_map(|cell| cell.comparison.as_ref());
    notes.extend(words::kept_open_note(compared.flat_map(|found| {
        [Some(&found.p50), found.p99.as_ref().ok()]
            .into_iter()
            .flatten()
    })));
    notes
}

fn add_variant(table: &mut Builder, session: &SessionFindings, cell: &CellFindings, kind: RowKind) {
    let name = plain(&session.label);
    let mut outcomes = [&session.outcome, &cell.outcome].into_iter();
    if let Some(outcome) = outcomes.find(|outcome| !outcome.is_ok()) {
        return table.absent_row(vec![name.clone()], &name, outcome);
    }
    let mut line = table.line(name);
    line.figure(
        "median latency",
        Metric::LatencyP50,
        &cell.figures,
        half_width,
    );
    line.bound("p99", Metric::LatencyP99, &cell.figures);
    match &cell.comparison {
        Some(comparison) => {
            line.text(short_change(&comparison.p50));
            p99_change(&mut line, comparison);
        }
        None => {
            no_change(&mut line, session, cell);
            line.text(MEANINGLESS);
        }
    }
    add_score(&mut line, session);
    line.figure(
        "file size",
        Metric::FileSize,
        &session.figures,
        words::short,
    );
    line.end(kind);
}

pub(super) fn p99_change(line: &mut Line<'_>, comparison: &Comparison) {
    match &comparison.p99 {
        Ok(change) => line.text(short_phrase(change)),
        Err(reason) => {
            let absent = line.absence(P99_CHANGE, reason);
            line.text(absent);
        }
    }
}

pub(super) fn no_change(line: &mut Line<'_>, session: &SessionFindings, cell: &CellFindings) {
    let change = cell.figure(Metric::LatencyP50RatioToBaseline);
    let text = match change.and_then(Estimate::absent_reason) {
        _ if session.is_baseline => BASELINE.into(),
        Some(reason) => line.absence("vs baseline", reason),
        None => line.absence("vs baseline", "not compared"),
    };
    line.text(text);
}

/// The first score of a session that there is, or its agreement with the reference.
pub(super) fn add_score(line: &mut Line<'_>, session: &SessionFindings) {
    let accuracy = &session.accuracy;
    let score = match leading_score(session) {
        Some(metric) => line.shown("accuracy", metric, &session.figures, named_score),
        None if accuracy.samples_count > 0 && session.is_baseline => REFERENCE.into(),
        None => line.absence(
            "accuracy",
            accuracy
                .absent_reason
                .as_deref()
                .unwrap_or("it was compared with neither labels nor a reference"),
        ),
    };
    let not_a_number = if accuracy.unhealthy_outputs.is_empty() {
        ""
    } else {
        " NaN!"
    };
    line.text(score + not_a_number);
}

/// Of the first figure that was measured, or else of the first that was asked for.
pub(super) fn leading_score(session: &SessionFindings) -> Option<Metric> {
    let mut asked = Metric::SCORES
        .into_iter()
        .chain([Metric::Top1Agreement, Metric::CosineSimilarity])
        .filter(|&metric| session.figure(metric).is_some());
    asked
        .clone()
        .find(|&metric| {
            session
                .figure(metric)
                .is_some_and(|figure| figure.value().is_some())
        })
        .or_else(|| asked.next())
}

/// A score with its name, where the head of the column does not say it.
pub(super) fn named_score(metric: Metric, estimate: &Estimate) -> String {
    let score = score(metric, estimate);
    match metric {
        Metric::MeanAbsoluteError => format!("MAE {score}"),
        Metric::AccuracyExactMatch | Metric::TokenAccuracy | Metric::PixelAccuracy => {
            format!("{} {score}", metric.short_label())
        }
        Metric::Top1Agreement => format!("{score} agree"),
        Metric::CosineSimilarity => format!("cosine {score}"),
        _ => score,
    }
}

pub(super) fn sweep(source: Source<'_>) -> Table {
    let plan = &source.record.plan;
    let mut header = vec!["variant", "batch"];
    header.extend(plan.is_swept().then_some("shape"));
    header.extend((plan.load_modes.len() > 1).then_some(LoadMode::COLUMN));
    header.extend(["median latency", "p99", "throughput", "vs baseline", "CPU"]);
    let mut table = Builder::new("Batch sweep: how far does batching pay?", &header);
    let enough: HashSet<_> = source
        .curves()
        .map(|curve| curve.key(curve.enough))
        .collect();
    for cell in source.cells() {
        let kind = if enough.contains(&cell.key) {
            RowKind::Pick
        } else {
            RowKind::Plain
        };
        if source.session(cell.key.session).outcome.is_ok() {
            add_cell(&mut table, source, cell, kind);
        }
    }
    table.finish(sweep_notes(source))
}

/// A row of the sweep.
fn add_cell(table: &mut Builder, source: Source<'_>, cell: &CellFindings, kind: RowKind) {
    let (place, row) = (place_cells(source, cell), source.place(cell.key));
    if !cell.outcome.is_ok() {
        return table.absent_row(place, &row, &cell.outcome);
    }
    let figures = &cell.figures;
    let mut line = table.line_of(place, row);
    line.figure("median latency", Metric::LatencyP50, figures, half_width);
    line.bound("p99", Metric::LatencyP99, figures);
    let throughput = line.shown("throughput", Metric::Throughput, figures, half_width);
    line.text(throughput + if kind == RowKind::Pick { " *" } else { "" });
    let cpu = line.shown("CPU", Metric::CpuUtilization, figures, |_, cpu| {
        cpu.value().map(number::whole_percent).unwrap_or_default()
    });
    match &cell.comparison {
        Some(comparison) => line.text(short_change(&comparison.p50)),
        None => no_change(&mut line, source.session(cell.key.session), cell),
    }
    line.text(cpu);
    line.end(kind);
}

/// Variant, batch size, and what else the plan varies.
fn place_cells(source: Source<'_>, cell: &CellFindings) -> Vec<String> {
    let (plan, key) = (&source.record.plan, cell.key);
    let mut cells = vec![source.name(key.session), key.batch_size.to_string()];
    let shape = &plan.shapes[key.shape];
    cells.extend(plan.is_swept().then(|| plain(&shape.to_string())));
    cells.extend((plan.load_modes.len() > 1).then(|| key.load_mode.in_column()));
    cells
}

fn sweep_notes(source: Source<'_>) -> Vec<String> {
    let shape = if source.record.plan.is_swept() {
        " and shape"
    } else {
        ""
    };
    let mut notes = vec![
        format!(
            "* the smallest batch size that reaches {} of the variant's best throughput",
            number::limit(SATURATION_SHARE)
        ),
        words::BOUND.into(),
        "CPU: utilization of the CPUs that the process may use".into(),
    ];
    notes.extend(
        has_comparison(source)
            .then(|| format!("vs baseline: median latency at the same batch size{shape}")),
    );
    let compared = source.cells().filter_map(|cell| cell.comparison.as_ref());
    notes.extend(words::kept_open_note(compared.map(|found| &found.p50)));
    notes.extend(left_out(source));
    notes
}

fn has_comparison(source: Source<'_>) -> bool {
    source.cells().any(|cell| cell.comparison.is_some())
}

pub(super) fn left_out(source: Source<'_>) -> Option<String> {
    let names = unmeasured(source);
    (!names.is_empty()).then(|| format!("not in this table: {names}, for the reason given above"))
}

/// Names of the sessions that could not be measured.
fn unmeasured(source: Source<'_>) -> String {
    let sessions = source.sessions().filter(|one| !one.outcome.is_ok());
    words::listed(sessions.map(|one| source.name(one.session)))
}

pub(super) fn half_width(metric: Metric, estimate: &Estimate) -> String {
    match (estimate.value(), estimate.interval()) {
        (Some(value), Some(interval)) => number::with_half_width(metric.unit(), value, interval),
        _ => words::short(metric, estimate),
    }
}

/// `2.10x faster`.
fn short_phrase(change: &Change) -> String {
    let phrase = words::latency_change(change).phrase;
    match change.verdict {
        Verdict::Faster | Verdict::Slower | Verdict::Same => phrase,
        Verdict::Inconclusive => phrase
            .replace("not settled: ", "open: ")
            .replace(" as fast", ""),
    }
}

/// `2.10x faster ± 4.8%`.
pub(in crate::report) fn short_change(change: &Change) -> String {
    let phrase = short_phrase(change);
    match change.half_width_ratio() {
        Some(half_width) => format!("{phrase} {}", number::plus_or_minus(half_width)),
        None => phrase,
    }
}

pub(in crate::report) fn score(metric: Metric, estimate: &Estimate) -> String {
    match (metric, estimate.value()) {
        (Metric::CosineSimilarity, Some(value)) => format!("{value:.4}"),
        _ => words::short(metric, estimate),
    }
}

pub(super) fn loading(source: Source<'_>) -> Table {
    let mut header = vec!["variant"];
    header.extend(LOADING.map(|(column, _)| column));
    let mut table = Builder::new("Loading and memory: what does a restart cost?", &header);
    for session in source.measured() {
        let mut line = table.line(plain(&session.label));
        for (column, metric) in LOADING {
            line.figure(column, metric, &session.figures, start_figure);
        }
        line.end(kind(source, session));
    }
    table.finish(load_notes(source))
}

/// Columns of the table of loading, and their figures.
const LOADING: [(&str, Metric); 6] = [
    ("session load", Metric::SessionLoad),
    ("first run", Metric::FirstRun),
    ("first prediction", Metric::TimeToFirstPrediction),
    ("model memory", Metric::ModelMemory),
    ("peak memory", Metric::PeakMemory),
    ("arena peak", Metric::ArenaPeak),
];

fn start_figure(metric: Metric, estimate: &Estimate) -> String {
    if metric.unit() == Unit::Ns && metric != Metric::FirstRun {
        half_width(metric, estimate)
    } else {
        words::short(metric, estimate)
    }
}

fn load_notes(source: Source<'_>) -> Vec<String> {
    let mut notes = vec![
        format!(
            "medians over {}, each a fresh process; {}",
            launches(source),
            cache_words(source.record.plan.schedule.page_cache)
        ),
        "first prediction: runtime start, session load and first run together".into(),
        "peak memory and arena peak: the most of all launches".into(),
    ];
    notes.extend(left_out(source));
    notes
}

fn cache_words(cache: PageCache) -> &'static str {
    match cache {
        PageCache::Warm => "the page cache is warm",
        PageCache::Cold => "the model's files are dropped from the page cache before each launch",
    }
}

/// `14 launches`, or `12 to 14 launches` where sessions have different numbers of them.
fn launches(source: Source<'_>) -> String {
    let counts: BTreeSet<u64> = source
        .measured()
        .map(|session| session.launches_count)
        .collect();
    match (counts.first(), counts.last()) {
        (Some(1), Some(1)) => "1 launch".into(),
        (Some(least), Some(most)) if least == most => format!("{least} launches"),
        (Some(least), Some(most)) => format!("{least} to {most} launches"),
        _ => "no launch".into(),
    }
}

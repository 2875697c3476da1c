//! One table per question.

use std::collections::{HashMap, HashSet};

use crate::analysis::{
    Bounds, CellFindings, Change, Estimate, SATURATION_SHARE, SessionFindings, Verdict,
};
use crate::metric::{Metric, Unit};
use crate::plan::{LoadMode, PageCache};
use crate::report::words::{
    self, BASELINE, Builder, REFERENCE, RowKind, Source, Table, number, plain,
};

pub(in crate::report) fn kind(source: Source<'_>, session: &SessionFindings) -> RowKind {
    let picked = source
        .findings
        .decisions
        .answer
        .latency
        .pick()
        .is_some_and(|pick| pick.key.session == session.session);
    match (session.is_baseline, picked) {
        (_, true) => RowKind::Pick,
        (true, _) => RowKind::Baseline,
        _ => RowKind::Plain,
    }
}

fn no_change(
    table: &mut Builder,
    session: &SessionFindings,
    cell: &CellFindings,
    row: &str,
) -> String {
    if session.is_baseline {
        return BASELINE.into();
    }
    match cell.figure(Metric::LatencyP50RatioToBaseline) {
        Some(Estimate::Absent { reason, .. }) => table.absence("vs baseline", row, reason),
        _ => table.absence("vs baseline", row, "not compared"),
    }
}

pub(in crate::report) fn variants(source: Source<'_>) -> Table {
    let title = format!(
        "Variants at {}: which is the fastest?",
        source.single_batch()
    );
    let header = [
        "variant",
        "median latency",
        "p99",
        "vs baseline",
        "accuracy",
        "file size",
    ];
    let mut table = Builder::new(title, &header);
    let single = source.single().into_iter();
    let single: HashMap<usize, &CellFindings> =
        single.map(|cell| (cell.key.session, cell)).collect();
    for session in &source.findings.sessions {
        if let Some(cell) = single.get(&session.session) {
            add_variant(&mut table, session, cell, kind(source, session));
        }
    }
    let compared = "vs baseline: median latency of blocks measured back to back";
    let compared = has_comparison(source).then(|| compared.to_owned());
    table.finish(compared.into_iter().collect())
}

fn add_variant(table: &mut Builder, session: &SessionFindings, cell: &CellFindings, kind: RowKind) {
    let row = plain(&session.label);
    let mut outcomes = [&session.outcome, &cell.outcome].into_iter();
    match outcomes.find(|outcome| !outcome.is_ok()) {
        Some(outcome) => table.absent_row(vec![row.clone()], &row, outcome),
        None => {
            let cells = variant_cells(table, session, cell, row);
            table.row(kind, cells);
        }
    }
}

fn variant_cells(
    table: &mut Builder,
    session: &SessionFindings,
    cell: &CellFindings,
    row: String,
) -> Vec<String> {
    let p50 = cell.figure(Metric::LatencyP50);
    let p50 = table.figure("median latency", &row, p50, |p50| {
        words::value(Metric::LatencyP50, p50)
    });
    let p99 = p99(table, cell, &row);
    let change = match &cell.comparison {
        Some(comparison) => words::latency_change(&comparison.p50)
            .to_string()
            .replace("not settled: ", "open: "),
        None => no_change(table, session, cell, &row),
    };
    let accuracy = leading_score(table, session, &row);
    let size = session.figure(Metric::FileSize);
    let size = table.figure("file size", &row, size, |size| {
        words::short(Metric::FileSize, size)
    });
    vec![row, p50, p99, change, accuracy, size]
}

/// The first score of a session that there is, or its agreement with the reference.
fn leading_score(table: &mut Builder, session: &SessionFindings, row: &str) -> String {
    let score = match leading_figure(session) {
        Some((metric, estimate)) => table.figure("accuracy", row, Some(estimate), |estimate| {
            named_score(metric, score(metric, estimate))
        }),
        None if session.accuracy.samples_count > 0 && session.is_baseline => REFERENCE.into(),
        None => {
            let reason = session.accuracy.absent_reason.as_deref();
            let reason = reason.unwrap_or("it was held against neither labels nor a reference");
            table.absence("accuracy", row, reason)
        }
    };
    if session.accuracy.unhealthy_outputs.is_empty() {
        score
    } else {
        format!("{score}, NaN!")
    }
}

/// The first figure that was measured, or else the first that was asked for.
fn leading_figure(session: &SessionFindings) -> Option<(Metric, &Estimate)> {
    let metrics = Metric::SCORES.into_iter();
    let figures: Vec<(Metric, &Estimate)> = metrics
        .chain([Metric::Top1Agreement, Metric::CosineSimilarity])
        .filter_map(|metric| Some((metric, session.figure(metric)?)))
        .collect();
    let measured = figures
        .iter()
        .find(|(_, estimate)| estimate.value().is_some());
    measured.or(figures.first()).copied()
}

/// A score with its name, where the head of the column does not say it.
fn named_score(metric: Metric, score: String) -> String {
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

/// The 99th percentile, or what it is not below where there are too few inferences for it.
fn p99(table: &mut Builder, cell: &CellFindings, row: &str) -> String {
    match cell.figure(Metric::LatencyP99) {
        Some(Estimate::Absent {
            bounds:
                Some(Bounds {
                    at_least: Some(least),
                    ..
                }),
            reason,
        }) => {
            let needs = reason.exact().split(", has ").next().unwrap_or_default();
            table.absence(
                "p99",
                row,
                &format!("{needs}; ≥: at least that, with 95% confidence"),
            );
            format!("≥ {}", number::value(Unit::Ns, *least, None))
        }
        estimate => table.figure("p99", row, estimate, |p99| {
            words::short(Metric::LatencyP99, p99)
        }),
    }
}

pub(in crate::report) fn sweep(source: Source<'_>) -> Table {
    let plan = &source.record.plan;
    let mut header = vec!["variant", "batch"];
    header.extend(plan.is_swept().then_some("shape"));
    header.extend((plan.load_modes.len() > 1).then_some(LoadMode::COLUMN));
    header.extend(["median latency", "p99", "throughput", "vs baseline", "CPU"]);
    let mut table = Builder::new("Batch sweep: how far does batching pay?", &header);
    let curves = source.findings.batch_curves.iter();
    let enough: HashSet<_> = curves.map(|curve| curve.key(curve.enough)).collect();
    for cell in &source.findings.cells {
        let session = source.session(cell.key.session);
        if !session.outcome.is_ok() {
            continue;
        }
        let place = place_cells(source, cell);
        let row = format!("{} {}", place[0], source.at(cell.key));
        if !cell.outcome.is_ok() {
            table.absent_row(place, &row, &cell.outcome);
            continue;
        }
        let mut figures = sweep_cells(&mut table, session, cell, &row);
        let mut kind = RowKind::Plain;
        if enough.contains(&cell.key) {
            figures[THROUGHPUT].push_str(" *");
            kind = RowKind::Pick;
        }
        table.row(kind, place.into_iter().chain(figures).collect());
    }
    table.finish(sweep_notes(source))
}

/// Variant, batch size, and what else the plan varies.
fn place_cells(source: Source<'_>, cell: &CellFindings) -> Vec<String> {
    let (plan, key) = (&source.record.plan, cell.key);
    let mut cells = vec![source.name(key.session), key.batch_size.to_string()];
    cells.extend(
        plan.is_swept()
            .then(|| plain(&plan.shapes[key.shape].to_string())),
    );
    cells.extend((plan.load_modes.len() > 1).then(|| key.load_mode.in_column()));
    cells
}

/// Place of the throughput among the figures of a row of the sweep.
const THROUGHPUT: usize = 2;

fn sweep_notes(source: Source<'_>) -> Vec<String> {
    let mut notes = vec![
        format!(
            "* the smallest batch size that reaches {} of the variant's best throughput",
            number::limit(SATURATION_SHARE)
        ),
        "CPU: utilization of the CPUs that the worker may use".into(),
    ];
    if has_comparison(source) {
        let shape = if source.record.plan.is_swept() {
            " and shape"
        } else {
            ""
        };
        notes.push(format!(
            "vs baseline: median latency at the same batch size{shape}"
        ));
    }
    notes.extend(left_out(source));
    notes
}

fn has_comparison(source: Source<'_>) -> bool {
    source
        .findings
        .cells
        .iter()
        .any(|cell| cell.comparison.is_some())
}

pub(in crate::report) fn left_out(source: Source<'_>) -> Option<String> {
    let unmeasured = source
        .findings
        .sessions
        .iter()
        .filter(|session| !session.outcome.is_ok());
    let unmeasured: Vec<String> = unmeasured.map(|session| plain(&session.label)).collect();
    (!unmeasured.is_empty()).then(|| {
        format!(
            "not in this table: {}, for the reason given above",
            words::listed(&unmeasured)
        )
    })
}

fn sweep_cells(
    table: &mut Builder,
    session: &SessionFindings,
    cell: &CellFindings,
    row: &str,
) -> [String; 5] {
    let p99 = p99(table, cell, row);
    let p50 = table.figure(
        "median latency",
        row,
        cell.figure(Metric::LatencyP50),
        |p50| half_width(Metric::LatencyP50, p50),
    );
    let throughput = table.figure("throughput", row, cell.figure(Metric::Throughput), |rate| {
        half_width(Metric::Throughput, rate)
    });
    let cpu = table.figure("CPU", row, cell.figure(Metric::CpuUtilization), |cpu| {
        cpu.value().map(number::whole_percent).unwrap_or_default()
    });
    let change = match &cell.comparison {
        Some(comparison) => short_change(&comparison.p50),
        None => no_change(table, session, cell, row),
    };
    [p50, p99, throughput, change, cpu]
}

fn half_width(metric: Metric, estimate: &Estimate) -> String {
    match (estimate.value(), estimate.interval()) {
        (Some(value), Some(interval)) => number::with_half_width(metric.unit(), value, interval),
        _ => words::short(metric, estimate),
    }
}

/// `2.10x faster ± 4.8%`.
fn short_change(change: &Change) -> String {
    let phrase = words::latency_change(change).phrase;
    let phrase = match change.verdict {
        Verdict::Inconclusive => phrase
            .replace("not settled: ", "open: ")
            .replace(" as fast", ""),
        Verdict::Faster | Verdict::Slower | Verdict::Same => phrase,
    };
    format!("{phrase}{}", change_half_width(change).unwrap_or_default())
}

/// ` ± 4.8%`: the wider half of the interval.
fn change_half_width(change: &Change) -> Option<String> {
    let (speedup, interval) = change.speedup()?;
    let interval = interval?;
    let wider = (interval.high - speedup).max(speedup - interval.low) / speedup;
    Some(format!(" ± {:.1}%", wider * 100.0))
}

pub(in crate::report) fn score(metric: Metric, estimate: &Estimate) -> String {
    match metric {
        Metric::CosineSimilarity => estimate
            .value()
            .map(|value| format!("{value:.4}"))
            .unwrap_or_default(),
        _ => words::short(metric, estimate),
    }
}

pub(in crate::report) fn loading(source: Source<'_>) -> Table {
    let mut header = vec!["variant"];
    header.extend(LOADING.map(|(column, _)| column));
    let mut table = Builder::new("Loading and memory: what does a restart cost?", &header);
    let sessions = source.findings.sessions.iter();
    for session in sessions.filter(|session| session.outcome.is_ok()) {
        let row = plain(&session.label);
        let figures = LOADING.map(|(column, metric)| {
            table.figure(column, &row, session.figure(metric), |estimate| {
                start_figure(metric, estimate)
            })
        });
        let cells = std::iter::once(row).chain(figures).collect();
        table.row(kind(source, session), cells);
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
    let cache = match source.record.plan.schedule.page_cache {
        PageCache::Warm => "the page cache is warm",
        PageCache::Cold => "the model's files are dropped from the page cache before each launch",
    };
    let launches = launches(source);
    let mut notes = vec![
        format!("medians over {launches}, each a fresh process; {cache}"),
        "first prediction: runtime start, session load and first run together".into(),
        "peak memory and arena peak: the most of all launches".into(),
    ];
    notes.extend(left_out(source));
    notes
}

/// `14 launches`, or `12 to 14 launches` where sessions have different numbers of them.
fn launches(source: Source<'_>) -> String {
    let sessions = source.findings.sessions.iter();
    let launches = sessions
        .filter(|session| session.outcome.is_ok())
        .map(|session| session.launches_count);
    match (launches.clone().min(), launches.max()) {
        (Some(1), Some(1)) => "1 launch".into(),
        (Some(least), Some(most)) if least == most => format!("{least} launches"),
        (Some(least), Some(most)) => format!("{least} to {most} launches"),
        _ => "no launch".into(),
    }
}

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
use crate::text::Plain;

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

fn no_change(table: &mut Builder, session: &SessionFindings, row: &str, reason: &Plain) -> String {
    if session.is_baseline {
        BASELINE.into()
    } else {
        table.absence("vs baseline", row, reason)
    }
}

pub(in crate::report) fn variants(source: Source<'_>) -> Table {
    let title = format!(
        "Variants at {}: which is the fastest?",
        source.single_batch()
    );
    let mut table = Builder::new(
        title,
        &[
            "variant",
            "median latency",
            "p99",
            "vs baseline",
            "accuracy",
            "file size",
        ],
    );
    let single: HashMap<usize, &CellFindings> = source
        .single()
        .into_iter()
        .map(|cell| (cell.key.session, cell))
        .collect();
    for session in &source.findings.sessions {
        let row = plain(&session.label);
        let Some(cell) = single.get(&session.session) else {
            continue;
        };
        match [&session.outcome, &cell.outcome]
            .into_iter()
            .find(|outcome| !outcome.is_ok())
        {
            Some(outcome) => table.absent_row(vec![row.clone()], &row, outcome),
            None => {
                let cells = variant_cells(&mut table, session, cell, row);
                table.row(kind(source, session), cells);
            }
        }
    }
    let compared = "vs baseline: median latency of blocks measured back to back";
    table.finish(
        has_comparison(source)
            .then(|| compared.to_owned())
            .into_iter()
            .collect(),
    )
}

fn variant_cells(
    table: &mut Builder,
    session: &SessionFindings,
    cell: &CellFindings,
    row: String,
) -> Vec<String> {
    let p50 = table.figure(
        "median latency",
        &row,
        cell.figure(Metric::LatencyP50),
        |p50| words::value(Metric::LatencyP50, p50),
    );
    let p99 = p99(table, cell, &row);
    let change = match &cell.comparison {
        Some(comparison) => words::latency_change(&comparison.p50)
            .to_string()
            .replace("not settled: ", "open: "),
        None => no_change(
            table,
            session,
            &row,
            &reason(cell.figure(Metric::LatencyP50RatioToBaseline)),
        ),
    };
    let accuracy = leading_score(table, session, &row);
    let size = table.figure(
        "file size",
        &row,
        session.figure(Metric::FileSize),
        |size| words::short(Metric::FileSize, size),
    );
    vec![row, p50, p99, change, accuracy, size]
}

fn reason(estimate: Option<&Estimate>) -> Plain {
    match estimate {
        Some(Estimate::Absent { reason, .. }) => reason.clone(),
        _ => "not compared".into(),
    }
}

/// The first score of a session that there is, or its agreement with the reference.
fn leading_score(table: &mut Builder, session: &SessionFindings, row: &str) -> String {
    let scores = || {
        Metric::SCORES
            .into_iter()
            .chain([Metric::Top1Agreement, Metric::CosineSimilarity])
    };
    let figure = |metric: Metric| Some((metric, session.figure(metric)?));
    let measured = scores()
        .filter_map(figure)
        .find(|(_, estimate)| estimate.value().is_some());
    let found = measured.or_else(|| scores().find_map(figure));
    let score = match found {
        Some((metric, estimate)) => {
            let score = table.figure("accuracy", row, Some(estimate), |estimate| {
                score(metric, estimate)
            });
            match metric {
                _ if estimate.value().is_none() => score,
                Metric::MeanAbsoluteError => format!("MAE {score}"),
                Metric::AccuracyExactMatch | Metric::TokenAccuracy | Metric::PixelAccuracy => {
                    format!("{} {score}", metric.short_label())
                }
                Metric::Top1Agreement => format!("{score} agree"),
                Metric::CosineSimilarity => format!("cosine {score}"),
                _ => score,
            }
        }
        None if session.accuracy.samples_count > 0 && session.is_baseline => REFERENCE.into(),
        None => {
            let reason = session.accuracy.absent_reason.as_deref();
            table.absence(
                "accuracy",
                row,
                reason.unwrap_or("it was held against neither labels nor a reference"),
            )
        }
    };
    if session.accuracy.unhealthy_outputs.is_empty() {
        score
    } else {
        format!("{score}, NaN!")
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
    let modes = source.record.plan.load_modes.len() > 1;
    let swept = source.record.plan.is_swept();
    let mut header = vec!["variant", "batch"];
    header.extend(swept.then_some("shape"));
    header.extend(modes.then_some(LoadMode::COLUMN));
    header.extend(["median latency", "p99", "throughput", "vs baseline", "CPU"]);
    let mut table = Builder::new("Batch sweep: how far does batching pay?", &header);
    let curves = source.findings.batch_curves.iter();
    let enough: HashSet<_> = curves.map(|curve| curve.key(curve.enough)).collect();
    for cell in &source.findings.cells {
        let session = source.session(cell.key.session);
        if !session.outcome.is_ok() {
            continue;
        }
        let mut cells = vec![plain(&session.label), cell.key.batch_size.to_string()];
        cells.extend(swept.then(|| plain(&source.record.plan.shapes[cell.key.shape].to_string())));
        cells.extend(modes.then(|| cell.key.load_mode.in_column()));
        let row = format!("{} {}", cells[0], source.at(cell.key));
        if !cell.outcome.is_ok() {
            table.absent_row(cells, &row, &cell.outcome);
            continue;
        }
        let is_enough = enough.contains(&cell.key);
        cells.extend(sweep_cells(&mut table, session, cell, &row));
        if is_enough {
            // Throughput is the third cell from the end.
            let place = cells.len() - 3;
            cells[place].push_str(" *");
        }
        table.row(
            if is_enough {
                RowKind::Pick
            } else {
                RowKind::Plain
            },
            cells,
        );
    }
    table.finish(sweep_notes(source))
}

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
) -> Vec<String> {
    let p99 = p99(table, cell, row);
    let mut figure = |column: &str, metric: Metric, shown: &dyn Fn(&Estimate) -> String| {
        table.figure(column, row, cell.figure(metric), shown)
    };
    let p50 = figure("median latency", Metric::LatencyP50, &|p50| {
        half_width(Metric::LatencyP50, p50)
    });
    let throughput = figure("throughput", Metric::Throughput, &|rate| {
        half_width(Metric::Throughput, rate)
    });
    let cpu = figure("CPU", Metric::CpuUtilization, &|cpu| {
        cpu.value().map(number::whole_percent).unwrap_or_default()
    });
    let change = match &cell.comparison {
        Some(comparison) => short_change(&comparison.p50),
        None => no_change(
            table,
            session,
            row,
            &reason(cell.figure(Metric::LatencyP50RatioToBaseline)),
        ),
    };
    vec![p50, p99, throughput, change, cpu]
}

fn half_width(metric: Metric, estimate: &Estimate) -> String {
    match (estimate.value(), estimate.interval()) {
        (Some(value), Some(interval)) => number::with_half_width(metric.unit(), value, interval),
        _ => words::short(metric, estimate),
    }
}

/// `2.10x faster ± 4.8%`.
fn short_change(change: &Change) -> String {
    let half = change.speedup().and_then(|(speedup, interval)| {
        let interval = interval?;
        let wider = (interval.high - speedup).max(speedup - interval.low) / speedup;
        Some(format!(" ± {:.1}%", wider * 100.0))
    });
    let phrase = words::latency_change(change).phrase;
    let phrase = if change.verdict == Verdict::Inconclusive {
        phrase
            .replace("not settled: ", "open: ")
            .replace(" as fast", "")
    } else {
        phrase
    };
    format!("{phrase}{}", half.unwrap_or_default())
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
    const COLUMNS: [(&str, Metric); 6] = [
        ("session load", Metric::SessionLoad),
        ("first run", Metric::FirstRun),
        ("first prediction", Metric::TimeToFirstPrediction),
        ("model memory", Metric::ModelMemory),
        ("peak memory", Metric::PeakMemory),
        ("arena peak", Metric::ArenaPeak),
    ];
    let mut header = vec!["variant"];
    header.extend(COLUMNS.map(|(column, _)| column));
    let mut table = Builder::new("Loading and memory: what does a restart cost?", &header);
    for session in source
        .findings
        .sessions
        .iter()
        .filter(|session| session.outcome.is_ok())
    {
        let row = plain(&session.label);
        let mut cells = vec![row.clone()];
        for (column, metric) in COLUMNS {
            cells.push(
                table.figure(column, &row, session.figure(metric), |estimate| {
                    start_figure(metric, estimate)
                }),
            );
        }
        table.row(kind(source, session), cells);
    }
    table.finish(load_notes(source))
}

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
    let launches = source
        .findings
        .sessions
        .iter()
        .filter(|session| session.outcome.is_ok());
    let launches = launches.map(|session| session.launches_count);
    let counts = match (launches.clone().min(), launches.max()) {
        (Some(1), Some(1)) => "1 launch".into(),
        (Some(least), Some(most)) if least == most => format!("{least} launches"),
        (Some(least), Some(most)) => format!("{least} to {most} launches"),
        _ => "no launch".into(),
    };
    let mut notes = vec![
        format!("medians over {counts}, each a fresh process; {cache}"),
        "first prediction: runtime start, session load and first run together".into(),
        "peak memory and arena peak: the most of all launches".into(),
    ];
    notes.extend(left_out(source));
    notes
}

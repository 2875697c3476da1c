//! Tables of accuracy, and of agreement where there are no labels.

use super::{Block, Builder, Chapter, Source, Table, charts, number, plain, words};
use crate::analysis::{OutputAgreement, SessionFindings};
use crate::metric::{Group, Metric, Unit};
use crate::record::{DatasetInfo, OutputKind};
use crate::report::chapters::tables::{kind, left_out, score};
use crate::report::words::judged::{judged, reference};
use crate::report::words::{BASELINE, MEANINGLESS, REFERENCE};

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let charts = source
        .findings
        .tuning
        .is_none()
        .then(|| Block::Charts(charts::pareto(source)));
    Chapter::new("accuracy", "Accuracy", "Accuracy, and what speed costs")
        .with_all(charts)
        .folded(scores(source).into_iter().chain(agreement(source)))
}

/// Are the outputs still right? `None` if nothing was scored.
fn scores(source: Source<'_>) -> Option<Table> {
    let sessions = &source.findings.sessions;
    let has = |metric: Metric| {
        sessions
            .iter()
            .any(|session| session.figure(metric).is_some())
    };
    let groups = if is_scored(source) {
        &[Group::LeadingScore, Group::OtherScore][..]
    } else {
        &[Group::Agreement]
    };
    let is_shown = |metric: &Metric| groups.contains(&metric.group()) && has(*metric);
    let metrics: Vec<Metric> = Metric::ALL.iter().copied().filter(is_shown).collect();
    let is_unlike = sessions
        .iter()
        .any(|session| !session.accuracy.not_comparable.is_empty());
    if metrics.is_empty()
        && !is_unlike
        && sessions
            .iter()
            .all(|session| session.accuracy.unhealthy_outputs.is_empty())
    {
        return None;
    }
    let mut header = vec!["variant"];
    header.extend(is_unlike.then_some(COMPARED));
    header.extend(metrics.iter().map(|metric| metric.short_label()));
    let in_points = metrics
        .first()
        .is_some_and(|metric| Metric::SCORES.contains(metric) && metric.unit() == Unit::Ratio);
    header.push(if in_points {
        "vs baseline, points"
    } else {
        "vs baseline"
    });
    header.extend(["lost/gained", "NaN or inf"]);
    let mut table = Builder::new("Accuracy: are the outputs still right?", &header);
    for session in sessions.iter().filter(|session| session.outcome.is_ok()) {
        let mut cells = vec![plain(&session.label)];
        cells.extend(is_unlike.then(|| outputs_compared(session)));
        cells.extend(accuracy_cells(&mut table, session, &metrics));
        table.row(kind(source, session), cells);
    }
    Some(table.finish(accuracy_notes(source)))
}

const COMPARED: &str = "outputs compared";

/// `2 of 3`, or nothing where the outputs were not to be compared.
fn outputs_compared(session: &SessionFindings) -> String {
    let accuracy = &session.accuracy;
    let compared = accuracy.agreement.len();
    match compared + accuracy.not_comparable.len() {
        0 if session.is_baseline && accuracy.samples_count > 0 => REFERENCE.into(),
        0 => MEANINGLESS.into(),
        all => format!("{compared} of {all}"),
    }
}

/// How far each output agrees with the reference; `None` where there are labels, or where one output says it all.
fn agreement(source: Source<'_>) -> Option<Table> {
    let sessions = &source.findings.sessions;
    if is_scored(source)
        || sessions
            .iter()
            .all(|session| session.accuracy.agreement.len() < 2)
    {
        return None;
    }
    let mut header = vec!["variant", "output"];
    header.extend(Group::Agreement.metrics().map(Metric::short_label));
    let mut table = Builder::new("Agreement with the reference, output by output", &header);
    for session in sessions {
        for output in &session.accuracy.agreement {
            let (name, output_name) = (plain(&session.label), plain(&output.output));
            let row = format!("{name}, {output_name}");
            let mut cells = vec![name, output_name];
            for metric in Group::Agreement.metrics() {
                let estimate = output.figure(metric);
                cells.push(
                    table.figure(metric.short_label(), &row, estimate, |estimate| {
                        score(metric, estimate)
                    }),
                );
            }
            table.row(kind(source, session), cells);
        }
    }
    Some(table.finish(Vec::new()))
}

fn is_scored(source: Source<'_>) -> bool {
    let scores = |session: &SessionFindings| {
        Metric::SCORES
            .into_iter()
            .any(|score| session.figure(score).is_some())
    };
    source.findings.sessions.iter().any(scores)
}

fn accuracy_notes(source: Source<'_>) -> Vec<String> {
    let sessions = &source.findings.sessions;
    let mut notes: Vec<String> = source.judged().iter().map(judged).collect();
    let changes = || {
        sessions
            .iter()
            .filter_map(|session| session.accuracy.change.as_ref())
    };
    if changes().any(|change| change.lost_count.is_some()) {
        notes.push(
            "lost/gained: samples that only the baseline, or only the variant, got right".into(),
        );
        notes.push("p: the chance of so one-sided a change if both were equally good; significant below 0.05".into());
    } else if changes().next().is_some() {
        notes.push(
            "significant: the interval of the change on the same samples excludes zero".into(),
        );
    } else if !is_scored(source)
        && let Some(reference) = reference(source)
    {
        let has_labels = source
            .record
            .dataset
            .as_ref()
            .is_some_and(DatasetInfo::has_labels);
        let caveat = match reference.starts_with("baseline") && !has_labels {
            true => "; without labels, nothing says what is right",
            false => "",
        };
        notes.push(format!("the reference is the {}{caveat}", plain(reference)));
        notes.extend(sessions.iter().filter_map(renamed_outputs));
    }
    notes.extend(sessions.iter().flat_map(kinds));
    notes.extend(sessions.iter().flat_map(not_compared));
    notes.extend(left_out(source));
    notes
}

fn renamed_outputs(session: &SessionFindings) -> Option<String> {
    let renamed = |output: &OutputAgreement| {
        Some(format!(
            "`{}` with `{}`",
            plain(&output.output),
            plain(output.reference_output.as_ref()?)
        ))
    };
    let pairs: Vec<String> = session
        .accuracy
        .agreement
        .iter()
        .filter_map(renamed)
        .collect();
    let label = plain(&session.label);
    (!pairs.is_empty()).then(|| {
        format!(
            "outputs of {label} are compared by their place: {}",
            words::listed(&pairs)
        )
    })
}

/// Contents of outputs that are no scores of classes, with the figure that is usual for them.
fn kinds(session: &SessionFindings) -> Vec<String> {
    let label = plain(&session.label);
    let noted = session.accuracy.agreement.iter().filter_map(|output| {
        let kind = match output.kind? {
            OutputKind::Signal => "a signal",
            OutputKind::Image => "an image",
            OutputKind::Vector => "a vector, judged by its direction",
            OutputKind::Classes if output.rows_count > 0 => {
                let rows = number::count(output.rows_count);
                return Some(format!(
                    "{label}: output `{}` holds scores of classes row by row, and top-1 agreement is of {rows} rows",
                    plain(&output.output)
                ));
            }
            OutputKind::Classes | OutputKind::Values | OutputKind::Numbers => return None,
        };
        let ratio =
            output.signal_to_noise_db.map(|ratio| format!(", {ratio:.1} dB signal to noise")).unwrap_or_default();
        Some(format!("{label}: output `{}` is {kind}{ratio}", plain(&output.output)))
    });
    noted.collect()
}

fn not_compared(session: &SessionFindings) -> Vec<String> {
    let label = plain(&session.label);
    let unlike = session.accuracy.not_comparable.iter();
    unlike
        .map(|unlike| {
            format!(
                "{label}: output `{}` is not compared: {}",
                plain(&unlike.output),
                plain(&unlike.reason)
            )
        })
        .collect()
}

fn accuracy_cells(
    table: &mut Builder,
    session: &SessionFindings,
    metrics: &[Metric],
) -> Vec<String> {
    let row = plain(&session.label);
    let mut cells = Vec::new();
    for &metric in metrics {
        let is_reference = session.is_baseline && session.figure(metric).is_none();
        let is_share = metric.unit() == Unit::Ratio && Metric::SCORES.contains(&metric);
        let shown = if is_share { words::value } else { score };
        cells.push(match (is_reference, &session.accuracy.absent_reason) {
            (_, Some(reason)) => table.absence(metric.short_label(), &row, reason),
            (true, None) => REFERENCE.into(),
            (false, None) => table.figure(
                metric.short_label(),
                &row,
                session.figure(metric),
                |found| shown(metric, found),
            ),
        });
    }
    let change = session.accuracy.change.as_ref();
    cells.push(match change {
        Some(change) => words::short_accuracy_change(change),
        None if session.is_baseline => BASELINE.into(),
        None => MEANINGLESS.into(),
    });
    cells.push(
        match change.and_then(|change| Some((change.lost_count?, change.gained_count?))) {
            Some((lost, gained)) => format!("{lost} / {gained}"),
            None => MEANINGLESS.into(),
        },
    );
    let affected = session
        .accuracy
        .unhealthy_outputs
        .iter()
        .map(|output| output.affected_samples_count)
        .max();
    cells.push(affected.map_or(MEANINGLESS.into(), |affected| {
        format!("{} samples", number::count(affected))
    }));
    cells
}

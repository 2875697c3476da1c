//! Tables of accuracy, and of agreement where there are no labels.

use super::{Block, Builder, Chapter, Source, Table, charts, number, plain, words};
use crate::analysis::{AccuracyChange, Estimate, OutputAgreement, SessionFindings};
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
    let metrics = shown_metrics(source);
    let is_unlike = sessions
        .iter()
        .any(|session| !session.accuracy.not_comparable.is_empty());
    let is_healthy = sessions
        .iter()
        .all(|session| session.accuracy.unhealthy_outputs.is_empty());
    if metrics.is_empty() && !is_unlike && is_healthy {
        return None;
    }
    let header = header(&metrics, is_unlike.then_some(COMPARED));
    let mut table = Builder::new("Accuracy: are the outputs still right?", &header);
    for session in sessions.iter().filter(|session| session.outcome.is_ok()) {
        let mut cells = vec![plain(&session.label)];
        cells.extend(is_unlike.then(|| outputs_compared(session)));
        cells.extend(
            metrics
                .iter()
                .map(|&metric| score_cell(&mut table, session, metric)),
        );
        cells.extend(change_cells(session));
        table.row(kind(source, session), cells);
    }
    Some(table.finish(accuracy_notes(source)))
}

/// Scores where there are labels, else kinds of agreement, of which any session has a figure.
fn shown_metrics(source: Source<'_>) -> Vec<Metric> {
    let groups = if is_scored(source) {
        &[Group::LeadingScore, Group::OtherScore][..]
    } else {
        &[Group::Agreement]
    };
    Metric::ALL
        .iter()
        .copied()
        .filter(|metric| groups.contains(&metric.group()) && has_figure(source, *metric))
        .collect()
}

fn header(metrics: &[Metric], compared: Option<&'static str>) -> Vec<&'static str> {
    let in_points = metrics
        .first()
        .is_some_and(|metric| Metric::SCORES.contains(metric) && metric.unit() == Unit::Ratio);
    let change = if in_points {
        "vs baseline, points"
    } else {
        "vs baseline"
    };
    let mut header = vec!["variant"];
    header.extend(compared);
    header.extend(metrics.iter().map(|metric| metric.short_label()));
    header.extend([change, "lost/gained", "NaN or inf"]);
    header
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

/// How far each output agrees with the reference; `None` where there are labels, or where one
/// output says it all.
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
            let cells = agreement_cells(&mut table, plain(&session.label), output);
            table.row(kind(source, session), cells);
        }
    }
    Some(table.finish(Vec::new()))
}

fn agreement_cells(table: &mut Builder, name: String, output: &OutputAgreement) -> Vec<String> {
    let output_name = plain(&output.output);
    let row = format!("{name}, {output_name}");
    let mut cells = vec![name, output_name];
    cells.extend(Group::Agreement.metrics().map(|metric| {
        let estimate = output.figure(metric);
        table.figure(metric.short_label(), &row, estimate, |estimate| {
            score(metric, estimate)
        })
    }));
    cells
}

fn is_scored(source: Source<'_>) -> bool {
    Metric::SCORES
        .into_iter()
        .any(|score| has_figure(source, score))
}

fn has_figure(source: Source<'_>, metric: Metric) -> bool {
    let mut sessions = source.findings.sessions.iter();
    sessions.any(|session| session.figure(metric).is_some())
}

fn accuracy_notes(source: Source<'_>) -> Vec<String> {
    let sessions = &source.findings.sessions;
    let changes: Vec<&AccuracyChange> = sessions
        .iter()
        .filter_map(|session| session.accuracy.change.as_ref())
        .collect();
    let mut notes: Vec<String> = source.judged().iter().map(judged).collect();
    if changes.is_empty() {
        notes.extend(reference_notes(source));
    } else {
        notes.extend(change_notes(&changes).iter().map(|&note| note.to_owned()));
    }
    notes.extend(sessions.iter().flat_map(kinds));
    notes.extend(sessions.iter().flat_map(not_compared));
    notes.extend(left_out(source));
    notes
}

fn change_notes(changes: &[&AccuracyChange]) -> &'static [&'static str] {
    if changes.iter().any(|change| change.lost_count.is_some()) {
        &[
            "lost/gained: samples that only the baseline, or only the variant, got right",
            "p: the chance of so one-sided a change if both were equally good; significant below 0.05",
        ]
    } else {
        &["significant: the interval of the change on the same samples excludes zero"]
    }
}

/// The outputs that others are compared with; nothing where labels say what is right.
fn reference_notes(source: Source<'_>) -> Vec<String> {
    let Some(reference) = reference(source).filter(|_| !is_scored(source)) else {
        return Vec::new();
    };
    let dataset = source.record.dataset.as_ref();
    let has_labels = dataset.is_some_and(DatasetInfo::has_labels);
    let caveat = match reference.starts_with("baseline") && !has_labels {
        true => "; without labels, nothing says what is right",
        false => "",
    };
    let mut notes = vec![format!("the reference is the {}{caveat}", plain(reference))];
    notes.extend(source.findings.sessions.iter().filter_map(renamed_outputs));
    notes
}

fn renamed_outputs(session: &SessionFindings) -> Option<String> {
    let outputs = session.accuracy.agreement.iter();
    let pairs: Vec<String> = outputs.filter_map(renamed).collect();
    let label = plain(&session.label);
    (!pairs.is_empty()).then(|| {
        let pairs = words::listed(&pairs);
        format!("outputs of {label} are compared by their place: {pairs}")
    })
}

/// `` `probs` with `output` ``; `None` where both have the same name.
fn renamed(output: &OutputAgreement) -> Option<String> {
    let reference = plain(output.reference_output.as_ref()?);
    Some(format!("`{}` with `{reference}`", plain(&output.output)))
}

/// Contents of outputs that are no scores of classes, with the figure that is usual for them.
fn kinds(session: &SessionFindings) -> Vec<String> {
    let label = plain(&session.label);
    let outputs = session.accuracy.agreement.iter();
    outputs
        .filter_map(|output| Some(format!("{label}: output {}", kind_words(output)?)))
        .collect()
}

fn kind_words(output: &OutputAgreement) -> Option<String> {
    let name = plain(&output.output);
    let kind = match output.kind? {
        OutputKind::Signal => "a signal",
        OutputKind::Image => "an image",
        OutputKind::Vector => "a vector, judged by its direction",
        OutputKind::Classes if output.rows_count > 0 => {
            let rows = number::count(output.rows_count);
            return Some(format!(
                "`{name}` holds scores of classes row by row, and top-1 agreement is of {rows} rows"
            ));
        }
        OutputKind::Classes | OutputKind::Values | OutputKind::Numbers => return None,
    };
    let ratio = output
        .signal_to_noise_db
        .map(|ratio| format!(", {ratio:.1} dB signal to noise"));
    Some(format!("`{name}` is {kind}{}", ratio.unwrap_or_default()))
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

fn score_cell(table: &mut Builder, session: &SessionFindings, metric: Metric) -> String {
    let (label, row) = (metric.short_label(), plain(&session.label));
    let figure = session.figure(metric);
    match &session.accuracy.absent_reason {
        Some(reason) => table.absence(label, &row, reason),
        None if session.is_baseline && figure.is_none() => REFERENCE.into(),
        None => table.figure(label, &row, figure, |found| score_words(metric, found)),
    }
}

fn score_words(metric: Metric, found: &Estimate) -> String {
    if metric.unit() == Unit::Ratio && Metric::SCORES.contains(&metric) {
        words::value(metric, found)
    } else {
        score(metric, found)
    }
}

/// A session's change against the baseline, samples lost and gained, and samples with outputs that
/// are no numbers.
fn change_cells(session: &SessionFindings) -> [String; 3] {
    let accuracy = &session.accuracy;
    let change = match &accuracy.change {
        Some(change) => words::short_accuracy_change(change),
        None if session.is_baseline => BASELINE.into(),
        None => MEANINGLESS.into(),
    };
    let affected = accuracy
        .unhealthy_outputs
        .iter()
        .map(|output| output.affected_samples_count)
        .max();
    let affected = affected.map_or(MEANINGLESS.into(), |affected| {
        format!("{} samples", number::count(affected))
    });
    [change, flips(accuracy.change.as_ref()), affected]
}

/// `3 / 2`: samples lost and gained.
fn flips(change: Option<&AccuracyChange>) -> String {
    match change.and_then(|change| Some((change.lost_count?, change.gained_count?))) {
        Some((lost, gained)) => format!("{lost} / {gained}"),
        None => MEANINGLESS.into(),
    }
}

//! Tables of accuracy, and of agreement where there are no labels.

use super::{Audience, Block, Builder, Chapter, Source, Table, charts, number, plain, words};
use crate::analysis::{AccuracyChange, Estimate, OutputAgreement, SessionFindings};
use crate::metric::{Group, Metric, Unit};
use crate::record::{DatasetInfo, OutputKind};
use crate::report::chapters::tables::{kind, left_out, score};
use crate::report::words::judged::{judged, reference};
use crate::report::words::{BASELINE, Line, MEANINGLESS, REFERENCE};

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::new("accuracy", "Accuracy", "Accuracy, and what speed costs");
    let chapter = match source.findings.tuning {
        Some(_) => chapter,
        None => chapter.only(Audience::MARKDOWN, Block::Charts(charts::pareto(source))),
    };
    chapter.folded(scores(source)).folded(agreement(source))
}

/// The one chart that a page opens with.
pub(super) fn speed(source: Source<'_>) -> Chapter {
    Chapter::new("speed", "Speed and accuracy", "Speed against accuracy")
        .open()
        .with(Block::Charts(charts::pareto(source)))
}

/// Are the outputs still right? `None` if nothing was scored.
fn scores(source: Source<'_>) -> Option<Table> {
    let metrics = shown_metrics(source);
    let mut findings = source.sessions().map(|one| &one.accuracy);
    let is_unlike = findings.clone().any(|one| !one.not_comparable.is_empty());
    let is_healthy = findings.all(|one| one.unhealthy_outputs.is_empty());
    if metrics.is_empty() && !is_unlike && is_healthy {
        return None;
    }
    let header = header(&metrics, is_unlike.then_some(COMPARED));
    let mut table = Builder::new("Accuracy: are the outputs still right?", &header);
    for session in source.measured() {
        let mut line = table.line(plain(&session.label));
        if is_unlike {
            line.text(outputs_compared(session));
        }
        for &metric in &metrics {
            let score = score_cell(&mut line, session, metric);
            line.text(score);
        }
        for cell in change_cells(session) {
            line.text(cell);
        }
        line.end(kind(source, session));
    }
    Some(table.finish(accuracy_notes(source)))
}

/// Scores where there are labels, else kinds of agreement, of which any session has a figure.
fn shown_metrics(source: Source<'_>) -> Vec<Metric> {
    Metric::ALL
        .iter()
        .copied()
        .filter(|metric| groups(source).contains(&metric.group()))
        .filter(|&metric| has_figure(source, metric))
        .collect()
}

fn groups(source: Source<'_>) -> &'static [Group] {
    if is_scored(source) {
        &[Group::LeadingScore, Group::OtherScore]
    } else {
        &[Group::Agreement]
    }
}

fn header(metrics: &[Metric], compared: Option<&'static str>) -> Vec<&'static str> {
    let change = if metrics.first().is_some_and(is_share) {
        "vs baseline, points"
    } else {
        "vs baseline"
    };
    let mut header = vec!["variant"];
    header.extend(compared);
    header.extend(metrics.iter().map(|metric| metric.short_label()));
    header.extend([change, "wrong/right", "NaN or inf"]);
    header
}

/// Whether a metric is a score that is a share.
fn is_share(metric: &Metric) -> bool {
    Metric::SCORES.contains(metric) && metric.unit() == Unit::Ratio
}

const COMPARED: &str = "outputs compared";

/// `2 of 3`, or nothing where the outputs were not to be compared.
fn outputs_compared(session: &SessionFindings) -> String {
    let accuracy = &session.accuracy;
    match (accuracy.agreement.len(), accuracy.not_comparable.len()) {
        (0, 0) if session.is_baseline && accuracy.samples_count > 0 => REFERENCE.into(),
        (0, 0) => MEANINGLESS.into(),
        (compared, others) => format!("{compared} of {}", compared + others),
    }
}

/// How far each output agrees with the reference; `None` where there are labels, or where one
/// output says it all.
fn agreement(source: Source<'_>) -> Option<Table> {
    let sessions = &source.findings.sessions;
    let mut outputs = sessions.iter().map(|session| &session.accuracy.agreement);
    if is_scored(source) || outputs.all(|outputs| outputs.len() < 2) {
        return None;
    }
    let mut header = vec!["variant", "output"];
    header.extend(Group::Agreement.metrics().map(Metric::short_label));
    let mut table = Builder::new("Agreement with the reference, output by output", &header);
    for session in sessions {
        for found in &session.accuracy.agreement {
            let (name, output) = (plain(&session.label), plain(&found.output));
            let row = format!("{name}, {output}");
            let mut line = table.line_of(vec![name, output], row);
            for metric in Group::Agreement.metrics() {
                line.estimate(metric.short_label(), found.figure(metric), |estimate| {
                    score(metric, estimate)
                });
            }
            line.end(kind(source, session));
        }
    }
    Some(table.finish([]))
}

fn is_scored(source: Source<'_>) -> bool {
    Metric::SCORES
        .into_iter()
        .any(|score| has_figure(source, score))
}

fn has_figure(source: Source<'_>, metric: Metric) -> bool {
    source
        .sessions()
        .any(|session| session.figure(metric).is_some())
}

fn accuracy_notes(source: Source<'_>) -> Vec<String> {
    let sessions = source.sessions();
    let changes: Vec<&AccuracyChange> = sessions
        .clone()
        .filter_map(|one| one.accuracy.change.as_ref())
        .collect();
    let mut notes: Vec<String> = source.judged().iter().map(judged).collect();
    if changes.is_empty() {
        notes.extend(reference_notes(source));
    } else {
        notes.extend(change_notes(&changes).iter().map(|&note| note.to_owned()));
    }
    notes.extend(sessions.clone().flat_map(kinds));
    notes.extend(sessions.flat_map(not_compared));
    notes.extend(left_out(source));
    notes
}

fn change_notes(changes: &[&AccuracyChange]) -> &'static [&'static str] {
    if changes.iter().any(|change| change.lost_count.is_some()) {
        &[
            "wrong/right: samples that the variant newly gets wrong, and newly gets right",
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
    let has_labels = source
        .record
        .dataset
        .as_ref()
        .is_some_and(DatasetInfo::has_labels);
    let caveat = if reference.starts_with("baseline") && !has_labels {
        "; without labels, nothing says what is right"
    } else {
        ""
    };
    let note = format!("the reference is the {reference}{caveat}");
    [note]
        .into_iter()
        .chain(source.sessions().filter_map(renamed_outputs))
        .collect()
}

fn renamed_outputs(session: &SessionFindings) -> Option<String> {
    let pairs = words::listed(session.accuracy.agreement.iter().filter_map(renamed));
    let label = plain(&session.label);
    (!pairs.is_empty()).then(|| format!("outputs of {label} are compared by their place: {pairs}"))
}

/// `` `probs` with `output` ``; `None` where both have the same name.
fn renamed(output: &OutputAgreement) -> Option<String> {
    let reference = output.reference_output.as_ref()?;
    Some(format!("`{}` with `{reference}`", output.output))
}

/// Contents of outputs that are no scores of classes, with the figure that is usual for them.
fn kinds(session: &SessionFindings) -> Vec<String> {
    let label = plain(&session.label);
    session
        .accuracy
        .agreement
        .iter()
        .filter_map(|output| Some(format!("{label}: output {}", kind_words(output)?)))
        .collect()
}

fn kind_words(output: &OutputAgreement) -> Option<String> {
    let name = &output.output;
    let kind = match output.kind? {
        OutputKind::Signal => "a signal",
        OutputKind::Image => "an image",
        OutputKind::Vector => "a vector, judged by its direction",
        OutputKind::Classes if output.rows_count > 0 => {
            return Some(format!(
                "`{name}` holds scores of classes row by row, and top-1 agreement is of {} rows",
                number::count(output.rows_count)
            ));
        }
        OutputKind::Classes | OutputKind::Values | OutputKind::Numbers => return None,
    };
    Some(match output.signal_to_noise_db {
        Some(ratio) => format!("`{name}` is {kind}, {ratio:.1} dB signal to noise"),
        None => format!("`{name}` is {kind}"),
    })
}

fn not_compared(session: &SessionFindings) -> Vec<String> {
    session
        .accuracy
        .not_comparable
        .iter()
        .map(|unlike| {
            format!(
                "{}: output `{}` is not compared: {}",
                plain(&session.label),
                unlike.output,
                unlike.reason
            )
        })
        .collect()
}

fn score_cell(line: &mut Line<'_>, session: &SessionFindings, metric: Metric) -> String {
    let label = metric.short_label();
    match &session.accuracy.absent_reason {
        Some(reason) => line.absence(label, reason),
        None if session.is_baseline && session.figure(metric).is_none() => REFERENCE.into(),
        None => line.shown(label, metric, &session.figures, score_words),
    }
}

fn score_words(metric: Metric, found: &Estimate) -> String {
    if is_share(&metric) {
        words::value(metric, found)
    } else {
        score(metric, found)
    }
}

/// A session's change against the baseline, samples lost and gained, and samples with outputs that
/// are no numbers.
fn change_cells(session: &SessionFindings) -> [String; 3] {
    let change = session.accuracy.change.as_ref();
    let told = match change {
        Some(change) => words::short_accuracy_change(change),
        None if session.is_baseline => BASELINE.into(),
        None => MEANINGLESS.into(),
    };
    [told, flips(change), affected(session)]
}

/// `3 samples` of which some output is no number.
fn affected(session: &SessionFindings) -> String {
    match session
        .accuracy
        .unhealthy_outputs
        .iter()
        .map(|output| output.affected_samples_count)
        .max()
    {
        Some(count) => format!("{} samples", number::count(count)),
        None => MEANINGLESS.into(),
    }
}

/// `3 / 2`: samples lost and gained.
fn flips(change: Option<&AccuracyChange>) -> String {
    match change.and_then(|change| Some((change.lost_count?, change.gained_count?))) {
        Some((lost, gained)) => format!("{lost} / {gained}"),
        None => MEANINGLESS.into(),
    }
}

//! Latency after idle gaps.

use super::{Builder, Section, Source, number, words};
use crate::analysis::{Decision, GapFindings, IdleFindings, Verdict};
use crate::metric::Unit;
use crate::report::words::{Line, MEANINGLESS, RowKind, not_measured};

pub(super) fn section(source: Source<'_>) -> Section {
    if source.findings.idle_gaps.is_empty() {
        return beginning(WITHOUT);
    }
    let mut section = beginning(ALONE);
    after_gaps(source, &mut section);
    section
}

fn beginning(line: &str) -> Section {
    Section {
        title: "Latency after idle gaps".into(),
        lines: vec![line.into()],
        tables: Vec::new(),
    }
}

const WITHOUT: &str =
    "Not measured: `--idle-gaps` measures what the first request after a pause takes.";
const ALONE: &str =
    "Each variant was launched for this alone; a gap is compared with none within the same launch.";

/// `After a pause of 10 ms, fp32 at batch 1 is 19x slower (17 to 21) than without one.`, of the
/// shortest pause that is shown to slow down what runs today, or what is to be shipped.
pub(super) fn remarks(source: Source<'_>) -> Vec<String> {
    let judged = source.judgement();
    let shipped = judged.session.filter(|_| judged.decision == Decision::Ship);
    let baseline = source.baseline().map(|baseline| baseline.session);
    let used = shipped.or(baseline);
    let mut found = source.findings.idle_gaps.iter();
    let found = found.find(|found| Some(found.session) == used);
    found
        .and_then(|found| slowed(source, found))
        .into_iter()
        .collect()
}

fn slowed(source: Source<'_>, found: &IdleFindings) -> Option<String> {
    let mut gaps = found.gaps.as_ref().ok()?.iter();
    let is_slower = |gap: &GapFindings| {
        gap.change.as_ref().map(|change| change.verdict) == Some(Verdict::Slower)
    };
    let gap = gaps.find(|gap| is_slower(gap))?;
    let words::Comparison { phrase, interval } = words::latency_change(gap.change.as_ref()?);
    Some(format!(
        "After a pause of {}, {} at {} is {phrase} than without one{interval}.",
        number::time(gap.gap_ns),
        source.name(found.session),
        source.batch(found.shape, found.batch_size)
    ))
}

const GAP_HEADER: [&str; 5] = [
    "variant, gap",
    "latency",
    "against no gap",
    "launches",
    "inferences",
];

fn after_gaps(source: Source<'_>, section: &mut Section) {
    let title = "Single inferences after a time without any: what does a pause cost?";
    let mut table = Builder::new(title, &GAP_HEADER);
    for session in &source.findings.idle_gaps {
        let name = format!(
            "{}, {}",
            source.name(session.session),
            source.batch(session.shape, session.batch_size)
        );
        match &session.gaps {
            Ok(gaps) => gaps.iter().for_each(|gap| {
                add_gap(table.line(format!("{name}, {}", gap_words(gap))), gap);
            }),
            Err(reason) => section
                .lines
                .push(format!("{name}: {}.", not_measured(reason))),
        }
    }
    let table = Some(table.finish([]));
    section
        .tables
        .extend(table.filter(|table| !table.rows.is_empty()));
}

fn gap_words(gap: &GapFindings) -> String {
    match gap.gap_ns.0 {
        0 => "no gap".to_owned(),
        _ => format!("gap {}", number::time(gap.gap_ns)),
    }
}

fn add_gap(mut line: Line<'_>, gap: &GapFindings) {
    line.estimate("latency", Some(&gap.latency_ns), |latency| {
        words::amount(Unit::Ns, latency)
    });
    let measured = gap.latency_ns.measured();
    if let Some(remark) = measured.and_then(|measured| measured.remark.as_ref()) {
        line.absence(
            "interval",
            remark.exact().trim_start_matches("no interval: "),
        );
    }
    let change = gap.change.as_ref().map(words::latency_change);
    line.text(change.map_or(MEANINGLESS.into(), |change| change.to_string()));
    let launches = measured.map(|measured| number::count(measured.n));
    line.text(launches.unwrap_or_default());
    line.text(number::count(gap.inferences_count));
    line.end(RowKind::Plain);
}

//! The variants to ship, in sentences.

use super::{
    Audience, Block, Chapter, Source, failed, idle, number, plain, prediction, rival, tuning, words,
};
use crate::analysis::{
    Basis, Caveat, CellFindings, Choice, Headline, Pick, Rejection, RejectionReason, ShapeAnswer,
    Verdict,
};
use crate::metric::Metric;
use crate::plan::{CellKey, Objective};
use crate::record::{EndReason, RunRecord};
use crate::report::words::{judged, judgement, shortened};

/// The answer, with what one prediction was in its second line. Beside tables that say the rest, a
/// report repeats none of it.
pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let chapter = Chapter::untitled("answer");
    let with_prediction = |mut answer: Vec<String>| {
        let second = answer.len().min(1);
        answer.splice(second..second, prediction::lines(source.record));
        Block::Verdict(answer)
    };
    if let Some(answer) = tuning::answer(source) {
        return chapter.with(with_prediction(answer));
    }
    chapter
        .only(Audience::ON_TERMINALS, with_prediction(lines(source)))
        .only(
            Audience::MARKDOWN.and(Audience::BROWSER),
            with_prediction(beside_tables(source)),
        )
}

/// The verdict, and what neither the table of variants nor a card says.
fn beside_tables(source: Source<'_>) -> Vec<String> {
    std::iter::once(judgement::verdict(source))
        .chain(untimed(source.record))
        .chain(other_winner(source))
        .chain(words::gain_by_cause(source))
        .chain(rival::not_reached(source))
        .chain(other_shapes(source))
        .chain(idle::remarks(source))
        .chain(judged::line(source))
        .chain(failed::lines(source))
        .chain(mind(source))
        .collect()
}

pub(super) fn variants(source: Source<'_>) -> Chapter {
    let headlines: Vec<String> = source
        .findings
        .decisions
        .headlines
        .iter()
        .map(|one| headline(source, one))
        .collect();
    let chapter = Chapter::untitled("answer");
    if headlines.is_empty() {
        return chapter;
    }
    chapter.with(Block::Lines(headlines))
}

fn lines(source: Source<'_>) -> Vec<String> {
    let answer = source.answer();
    let (latency, throughput) = (answer.latency.pick(), answer.throughput.pick());
    let mut lines = vec![judgement::verdict(source)];
    if latency.is_none() {
        let single = source.single().into_iter();
        lines.extend(single.filter_map(|cell| so_far(source, cell)));
    }
    lines.extend(untimed(source.record));
    lines.extend(latency.map(|pick| shortest_latency(source, pick)));
    lines.extend(throughput.map(|pick| most_throughput(source, pick)));
    lines.extend(words::gain_by_cause(source));
    lines.extend(rival::not_reached(source));
    lines.extend(other_shapes(source));
    lines.extend(idle::remarks(source));
    lines.extend(judged::line(source));
    lines.extend(failed::lines(source));
    lines.extend(mind(source));
    lines.extend(rejected(source));
    lines
}

/// `; a verdict needs about 40 s: --budget 40s`, where that is known and more than there was.
fn enough(source: Source<'_>) -> String {
    let had = source.record.plan.schedule.budget_ns;
    match source.answer().enough_budget_ns {
        Some(enough) if had.is_some_and(|had| enough > had) => {
            format!(
                "; a verdict needs about {}: `--budget {}`",
                words::rounded_time(enough),
                words::budget(enough)
            )
        }
        _ => String::new(),
    }
}

/// Figures of a cell that nothing is decided by: `So far: fp32 at batch 1: 5.2 s, n = 1 inference`.
pub(super) fn so_far(source: Source<'_>, cell: &CellFindings) -> Option<String> {
    let median = cell.figure(Metric::LatencyP50)?;
    Some(format!(
        "So far: {}: median {}.",
        source.place(cell.key),
        words::figure(Metric::LatencyP50, median).ok()?
    ))
}

/// Figures where the budget was spent before anything was timed: `So far: one inference took 5.2 s
/// (n = 1).`
pub(super) fn untimed(record: &RunRecord) -> Option<String> {
    let took = number::time(record.untimed_inference_ns()?);
    let is_of_budget =
        record.blocks.is_empty() && record.run.ended_by == Some(EndReason::BudgetSpent);
    is_of_budget.then(|| format!("So far: one inference took {took} (n = 1)."))
}

/// The session with the most throughput, where another one is told to be shipped or kept.
pub(super) fn other_winner(source: Source<'_>) -> Option<String> {
    let judgement = source.judgement();
    if source.findings.tuning.is_some() || judgement.objective == Objective::Throughput {
        return None;
    }
    let pick = source.answer().throughput.gain().ok()?;
    let key = pick.key;
    let first = source.single_place()?;
    if Some(key.session) == judgement.session && key.batch_size == first.batch_size {
        return None;
    }
    let cell = source.cell(key)?;
    Some(format!(
        "Most throughput: {}: {}; one inference takes {} there.",
        source.place(key),
        words::shown(Metric::Throughput, cell.figure(Metric::Throughput)),
        words::shown(Metric::LatencyP50, cell.figure(Metric::LatencyP50)),
    ))
}

/// The choices at every shape but the first.
pub(super) fn other_shapes(source: Source<'_>) -> Vec<String> {
    let others = source.answer().other_shapes.iter();
    others
        .map(|answer| at_other_shape(source, answer))
        .collect()
}

/// The choices at another shape: `With seq 64: int8 at batch 1 (median 1.2 ms) for the shortest
/// latency, ...`.
fn at_other_shape(source: Source<'_>, answer: &ShapeAnswer) -> String {
    format!(
        "With {}: {}; {}.",
        source.shape(answer.shape).unwrap_or_default(),
        chosen(source, &answer.latency, Metric::LatencyP50),
        chosen(source, &answer.throughput, Metric::Throughput)
    )
}

fn chosen(source: Source<'_>, choice: &Choice, metric: Metric) -> String {
    let goal = if metric == Metric::Throughput {
        "the most throughput"
    } else {
        "the shortest latency"
    };
    let pick = match choice {
        Choice::Ship(pick) => pick,
        Choice::None { reason } => {
            return format!("nothing can be recommended for {goal}: {reason}");
        }
    };
    let cell = source.cell(pick.key);
    let figure = words::shown(metric, cell.and_then(|cell| cell.figure(metric)));
    let higher = rival::looks_higher(source, pick)
        .map(|higher| format!(" ({higher})"))
        .unwrap_or_default();
    format!(
        "{} {} for {goal}: {figure}{higher}",
        source.name(pick.key.session),
        source.at_batch(pick.key)
    )
}

/// A figure of a cell with its interval; empty where it was not measured.
fn shown(cell: &CellFindings, metric: Metric) -> String {
    words::shown(metric, cell.figure(metric))
}

fn shortest_latency(source: Source<'_>, pick: &Pick) -> String {
    format!("Shortest latency: {}", told(source, pick, latency))
}

/// A pick in words, or its name alone where nothing was found of its cell.
fn told(
    source: Source<'_>,
    pick: &Pick,
    words: fn(Source<'_>, &Pick, &CellFindings) -> String,
) -> String {
    match source.cell(pick.key) {
        Some(cell) => words(source, pick, cell),
        None => source.name(pick.key.session),
    }
}

fn latency(source: Source<'_>, pick: &Pick, cell: &CellFindings) -> String {
    let change = cell
        .comparison
        .as_ref()
        .map(|found| words::latency_change(&found.p50));
    format!(
        "{}: median {}{}.{}",
        source.place(pick.key),
        shown(cell, Metric::LatencyP50),
        why(source, pick, change, ""),
        ties(source, pick)
    )
}

fn most_throughput(source: Source<'_>, pick: &Pick) -> String {
    let open = match rival::is_open(source.answer(), pick) {
        Some(_) => " shown",
        None => "",
    };
    format!("Most throughput{open}: {}", told(source, pick, throughput))
}

fn throughput(source: Source<'_>, pick: &Pick, cell: &CellFindings) -> String {
    let change = cell
        .comparison
        .as_ref()
        .map(|comparison| words::throughput_change(&comparison.throughput));
    let remarks: String = larger_batches(source, pick)
        .into_iter()
        .chain(rival::looks_higher(source, pick))
        .map(|remark| format!("; {remark}"))
        .collect();
    format!(
        "{}: {}{}; one inference takes {} there{remarks}.{}",
        source.place(pick.key),
        shown(cell, Metric::Throughput).replacen("/s", " predictions/s", 1),
        why(source, pick, change, " at that batch size"),
        shown(cell, Metric::LatencyP50),
        ties(source, pick)
    )
}

/// `larger batches bring less than 5% more`, where the throughput is saturated at the pick.
fn larger_batches(source: Source<'_>, pick: &Pick) -> Option<String> {
    source
        .curves()
        .find(|curve| curve.key(curve.enough) == pick.key)?
        .saturated
        .then(|| words::saturated(""))
}

/// Behind the figure of a pick: its gain over the baseline `at` the same place, or why none is
/// told.
fn why(source: Source<'_>, pick: &Pick, change: Option<words::Comparison>, at: &str) -> String {
    match (pick.basis, change) {
        (Basis::BeatsBaseline, Some(words::Comparison { phrase, interval })) => {
            format!(", {phrase} than {}{at}{interval}", source.baseline_name())
        }
        (Basis::BeatsBaseline, None) => String::new(),
        (Basis::NothingBetter, _) => "; no usable variant was shown to be better".into(),
        (Basis::OnlyUsable, _) if source.findings.sessions.len() == 1 => String::new(),
        (Basis::OnlyUsable, _) => "; no other variant could be used".into(),
        (Basis::BestWithoutBaseline, _) => {
            "; the baseline could not be used, so that variants are compared unpaired".into()
        }
    }
}

fn ties(source: Source<'_>, pick: &Pick) -> String {
    match words::listed(
        pick.ties
            .iter()
            .map(|tie| tie_words(source, pick.key, *tie)),
    ) {
        none if none.is_empty() => none,
        names => format!(" Neither shown to be better nor worse: {names}."),
    }
}

/// Name of a tie, and its place where that is another one than the pick's.
fn tie_words(source: Source<'_>, key: CellKey, tie: CellKey) -> String {
    let name = source.name(tie.session);
    match (tie.shape, tie.batch_size) == (key.shape, key.batch_size) {
        true => name,
        false => format!("{name} {}", source.at_batch(tie)),
    }
}

fn mind(source: Source<'_>) -> Vec<String> {
    words::once(source.picks().flat_map(|pick| {
        pick.caveats
            .iter()
            .map(move |&caveat| mind_line(source, pick, caveat))
    }))
}

fn mind_line(source: Source<'_>, pick: &Pick, caveat: Caveat) -> String {
    let mut told = words::caveat(caveat).to_owned();
    if caveat == Caveat::NoInterval {
        told += &enough(source);
    }
    format!("Mind: {}: {told}.", source.name(pick.key.session))
}

/// Characters that a line keeps of a reason; the record has all of it.
const REASON_LENGTH: usize = 600;

/// Those that could not be measured, with why.
pub(super) fn left_out(source: Source<'_>) -> Vec<String> {
    let mut lines = rejected(source);
    lines.retain(|line| line.starts_with(LEFT_OUT));
    lines
}

const LEFT_OUT: &str = "Left out: ";

fn rejected(source: Source<'_>) -> Vec<String> {
    let rejected = source.answer().rejected.iter();
    words::grouped(rejected.map(|one| (why_left_out(source, one), source.name(one.session))))
        .iter()
        .map(|(why, names)| {
            let verb = if names.len() == 1 { "is" } else { "are" };
            let names = words::listed(names);
            match why {
                Some(why) => format!("{LEFT_OUT}{names}: {}.", shortened(why, REASON_LENGTH)),
                None => {
                    format!(
                        "Open: whether {names} {verb} faster than {}.",
                        source.baseline_name()
                    )
                }
            }
        })
        .collect()
}

/// Why a session cannot be recommended; `None` where that is open.
fn why_left_out(source: Source<'_>, rejection: &Rejection) -> Option<String> {
    let found = source.session(rejection.session);
    match &rejection.reason {
        RejectionReason::NotMeasured(reason) => {
            Some(plain(reason).trim_end_matches('.').to_owned())
        }
        RejectionReason::NotFinite => Some(words::not_finite(&found.accuracy).unwrap_or_default()),
        RejectionReason::AccuracyFell => Some(words::accuracy(found)),
        RejectionReason::OutputsDiffer => source
            .judgement()
            .of(rejection.session)
            .and_then(|one| judgement::outputs(source, one)),
        RejectionReason::Inconclusive => None,
    }
}

pub(in crate::report) fn headline(source: Source<'_>, headline: &Headline) -> String {
    let accuracy = words::accuracy(source.session(headline.session));
    let size = headline.size_factor.and_then(words::size_change);
    let mut parts = vec![speed(source, headline), accuracy];
    parts.extend(size);
    parts.retain(|part| !part.is_empty());
    format!("{}: {}", source.name(headline.session), parts.join(", "))
}

fn speed(source: Source<'_>, headline: &Headline) -> String {
    let (Some(change), Some(batch_size)) = (&headline.change, headline.batch_size) else {
        return "not compared with the baseline".into();
    };
    let words::Comparison { phrase, interval } = words::latency_change(change);
    let extra = match change.verdict {
        Verdict::Faster | Verdict::Slower => String::new(),
        Verdict::Same => {
            format!(
                ", within the noise floor of {}",
                number::share(change.noise_floor.0)
            )
        }
        Verdict::Inconclusive => format!(", {}", words::to_settle(change)),
    };
    format!(
        "{phrase} at {}{interval}{extra}",
        source.batch(headline.shape, batch_size)
    )
}

//! Why each session takes the time that it takes, against the baseline.

mod sentence;
mod step;
mod tables;

use crate::analysis::{
    Change, DenormalFindings, Explanation, Instructions, ReducedArithmetic, Verdict,
};
use crate::record::RunRecord;
use crate::report::chapter::{Block, Chapter};
use crate::report::charts;
use crate::report::words::{self, Section, Source, quantization::quantization};
use crate::text::Plain;
use sentence::{sentence, too_small};
pub(in crate::report) use step::{change_words, clearer, is_leading, names, place, step_label};
use step::{pair, time};

/// A latency with denormals flushed to zero that is this much shorter is worth a word, even where
/// it is not settled.
const SUGGESTIVE: f64 = 0.9;

pub(super) fn summary(source: Source<'_>) -> Chapter {
    Chapter::untitled("why").lines("Why", sentences(source))
}

pub(super) fn in_search(source: Source<'_>) -> Chapter {
    Chapter::untitled("why").with(Block::Lines(sentences(source)))
}

pub(super) fn chapter(source: Source<'_>) -> Chapter {
    let sections = in_order(source).map(|explanation| section(source, explanation));
    Chapter::new("why", "Why", "Why variants are as fast as they are")
        .with(Block::Charts(charts::waterfall(source)))
        .sections(sections.chain(denormals(source)).collect())
}

/// One for each pair of sessions: at the smallest profiled batch size, or first at the smallest one
/// that shows parts of a difference of which none is sure there.
pub(super) fn sentences(source: Source<'_>) -> Vec<String> {
    told(source)
        .filter(|told| is_leading(source, told))
        .map(|leading| match clearer(source, leading) {
            Some(clearer) => sentence(source, clearer) + &too_small(source, leading),
            None => sentence(source, leading),
        })
        .chain(denormals_of_others(source))
        .collect()
}

/// Explanations in the order of telling: of each pair the one that names parts first.
fn in_order(source: Source<'_>) -> impl Iterator<Item = &'_ Explanation> {
    let mut explanations: Vec<&Explanation> = told(source).collect();
    for of_pair in explanations.chunk_by_mut(|one, other| pair(one) == pair(other)) {
        if of_pair[0].is_open() {
            of_pair.sort_by_key(|told| !told.names_parts());
        }
    }
    explanations.into_iter()
}

fn section(source: Source<'_>, explanation: &Explanation) -> Section {
    let [reference, name] = names(source, explanation);
    let place = match is_leading(source, explanation) {
        true => String::new(),
        false => place(source, explanation),
    };
    Section {
        title: format!("Why: {name} against {reference}{place}"),
        lines: lines(source, explanation),
        tables: tables::tables(source, explanation),
    }
}

fn denormals(source: Source<'_>) -> Option<Section> {
    let found = source.findings.causes.denormals.iter();
    let lines = found.map(|one| denormal_line(source, one));
    (lines.len() > 0).then(|| Section {
        title: "Denormal numbers".into(),
        lines: lines.collect(),
        tables: Vec::new(),
    })
}

/// Explanations that say more than that nothing is known: of operators that were profiled, of a
/// difference, or of one file.
fn told(source: Source<'_>) -> impl Iterator<Item = &'_ Explanation> {
    let is_profiled = !source.record.operators.is_empty();
    source
        .findings
        .causes
        .explanations
        .iter()
        .filter(move |told| {
            is_profiled || told.is_same_file || (told.latency.is_some() && !told.clauses.is_empty())
        })
}

fn lines(source: Source<'_>, explanation: &Explanation) -> Vec<String> {
    let mut lines = vec![sentence(source, explanation)];
    if is_leading(source, explanation) {
        lines.extend(schemes(source, explanation));
        lines.extend(explanation.instructions.as_ref().map(instructions));
    }
    lines
}

/// How both sessions' models are quantized, where that is not the same.
fn schemes(source: Source<'_>, explanation: &Explanation) -> Vec<String> {
    let schemes =
        [explanation.reference, explanation.session].map(|session| scheme(source.record, session));
    if schemes[0] == schemes[1] {
        return Vec::new();
    }
    names(source, explanation)
        .into_iter()
        .zip(schemes)
        .filter_map(|(name, scheme)| Some(format!("Quantization of {name}: {}.", scheme?)))
        .collect()
}

fn scheme(record: &RunRecord, session: usize) -> Option<String> {
    let variant = record.plan.sessions[session].variant;
    record.variants[variant]
        .model
        .as_ref()?
        .quantization
        .as_ref()
        .map(quantization)
}

fn instructions(found: &Instructions) -> String {
    let arithmetic = match found.arithmetic {
        ReducedArithmetic::Int8 => "sums of 8-bit products",
        ReducedArithmetic::Float16 => "half-precision arithmetic",
    };
    let present = match found.present.as_slice() {
        [] => "none of them".into(),
        present => present.join(", "),
    };
    let used = if found.has_kernels {
        "any of them would do"
    } else {
        "ONNX Runtime uses none of them"
    };
    format!(
        "Instructions for {arithmetic}, {}: {used}; this CPU has {present}.",
        found.wanted.join(", ")
    )
}

/// Sessions that have no sentence of their own, as the baseline's, and are slow from denormal
/// numbers.
fn denormals_of_others(source: Source<'_>) -> Vec<String> {
    source
        .findings
        .causes
        .denormals
        .iter()
        .filter(|found| is_slow(found) && !told(source).any(|told| told.session == found.session))
        .map(|found| denormal_line(source, found))
        .collect()
}

/// Whether a session is shown to be faster with denormal numbers flushed to zero.
fn is_slow(found: &DenormalFindings) -> bool {
    found
        .change
        .as_ref()
        .is_some_and(|change| change.verdict == Verdict::Faster)
}

fn denormal_line(source: Source<'_>, found: &DenormalFindings) -> String {
    let name = source.name(found.session);
    let (Some(change), Some(flushed_ns), Some(unchanged_ns)) =
        (&found.change, found.flushed_ns, found.unchanged_ns)
    else {
        let reason = found
            .absent_reason
            .as_ref()
            .map_or("no reason recorded", Plain::exact);
        return format!(
            "{name} with denormal numbers flushed to zero was {}.",
            words::not_measured(reason)
        );
    };
    let batch = found.batch_size;
    let (flushed, unchanged) = (time(flushed_ns), time(unchanged_ns));
    if change.verdict == Verdict::Faster {
        return format!(
            "{name} is slow from denormal numbers: with them flushed to zero it is {} at batch {batch} ({flushed} \
             instead of {unchanged}).",
            words::latency_change(change)
        );
    }
    let is_suggestive = change.verdict == Verdict::Inconclusive
        && flushed_ns as f64 <= SUGGESTIVE * unchanged_ns as f64;
    let gain = if is_suggestive {
        suggestion(change)
    } else {
        "no gain was shown".into()
    };
    format!(
        "{name} takes {flushed} at batch {batch} with denormal numbers flushed to zero and {unchanged} without, in launches \
         of their own: {gain}."
    )
}

fn suggestion(change: &Change) -> String {
    let pairs = change.ratio.measured().map_or(0, |measured| measured.n);
    format!(
        "denormal numbers seem to slow it down, but there was time for {} of launches, which settle nothing",
        words::number_of(pairs, "pair")
    )
}

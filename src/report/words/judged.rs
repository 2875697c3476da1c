//! On how many samples outputs were scored, compared, or only computed.

use crate::analysis::{HeldAgainst, JudgedOutputs};
use crate::record::DatasetInfo;
use crate::report::words::{Source, number};
use crate::text::Plain;

/// `24 of 597 samples`, or `8 made-up samples`.
fn samples(judged: &JudgedOutputs) -> String {
    let count = number::count(judged.samples_count);
    match judged.all_count {
        Some(all) => format!("{count} of {} samples", number::count(all)),
        None => format!("{count} made-up samples"),
    }
}

pub(in crate::report) fn judged(found: &JudgedOutputs) -> String {
    let samples = samples(found);
    match found.against {
        HeldAgainst::Labels => format!("scored {samples}"),
        HeldAgainst::Reference => format!("compared on {samples}"),
        HeldAgainst::Nothing => format!("computed for {samples}"),
    }
}

/// Name of the outputs that others were compared with, where any were.
pub(in crate::report) fn reference(source: Source<'_>) -> Option<&Plain> {
    let mut compared = source
        .sessions()
        .filter(|session| session.accuracy.held_against == HeldAgainst::Reference);
    compared.find_map(|session| session.accuracy.reference.as_ref())
}

/// On how many samples of the data outputs were scored or compared, or why on none; `None` where
/// there is no data.
pub(in crate::report) fn line(source: Source<'_>) -> Option<String> {
    let judged = source.judged()?;
    judged.all_count?;
    let what = match judged.against {
        HeldAgainst::Labels => format!("scored {}", samples(&judged)),
        HeldAgainst::Reference => {
            format!(
                "compared with the {} on {}",
                reference(source)?,
                samples(&judged)
            )
        }
        HeldAgainst::Nothing => return not_judged(source, &judged),
    };
    let every = if judged.is_same_for_all {
        ", the same for every variant"
    } else {
        ""
    };
    let all = if judged.is_part() {
        "; `--score-samples all` takes all of them"
    } else {
        ""
    };
    Some(format!("Outputs: {what}{every}{all}."))
}

/// Why outputs that were computed say nothing of what they are worth.
fn not_judged(source: Source<'_>, judged: &JudgedOutputs) -> Option<String> {
    let sessions = &source.findings.sessions;
    if sessions
        .iter()
        .any(|session| session.accuracy.reference.is_some())
    {
        return Some(format!(
            "Outputs: computed for {}; none of them could be compared.",
            samples(judged)
        ));
    }
    let unlabelled = source
        .record
        .dataset
        .as_ref()
        .filter(|data| !DatasetInfo::has_labels(data))?;
    let other = match sessions.len() {
        1 => "there is no other variant to compare with",
        _ => "no outputs of a baseline are there to compare with",
    };
    Some(format!(
        "Outputs: not scored: no labels came with the {} samples, and {other}.",
        number::count(unlabelled.samples_count)
    ))
}

//! On how many samples outputs were scored, compared, or only computed.

use std::fmt;

use crate::analysis::{HeldAgainst, SessionFindings};
use crate::record::DatasetInfo;
use crate::report::chapters::accuracy::reference;
use crate::report::words::Source;
use crate::report::words::number;
use crate::report::words::text::plain;

/// On how many samples outputs were held against the best that there is for some variant: labels, a reference, or nothing.
pub(in crate::report) struct Judged {
    against: HeldAgainst,
    samples_count: u64,
    /// Samples of the data; absent where they are made up.
    all_count: Option<u64>,
    is_same_for_all: bool,
}

impl Judged {
    /// `None` where no outputs were computed.
    pub(in crate::report) fn of(source: Source<'_>) -> Option<Judged> {
        let sessions = || source.findings.sessions.iter().filter(|session| session.outcome.is_ok());
        let computed = sessions().filter(|session| session.accuracy.samples_count > 0);
        let against = computed.map(|session| session.accuracy.held_against).max()?;
        // Nothing is expected of a baseline that others are held against.
        let is_reference = |session: &&SessionFindings| {
            against == HeldAgainst::Reference
                && session.is_baseline
                && session.accuracy.held_against == HeldAgainst::Nothing
        };
        let count = |session: &SessionFindings| {
            if session.accuracy.held_against == against { session.accuracy.samples_count } else { 0 }
        };
        let counts: Vec<u64> = sessions().filter(|session| !is_reference(session)).map(count).collect();
        let samples_count = counts.iter().copied().max()?;
        let is_same_for_all = counts.len() > 1 && counts.iter().all(|&count| count == samples_count);
        let all_count = source.record.dataset.as_ref().map(|data| data.samples_count);
        Some(Judged { against, samples_count, all_count, is_same_for_all })
    }

    /// Samples that outputs were held against something on; `None` where there was nothing.
    pub(in crate::report) fn samples_count(&self) -> Option<u64> {
        (self.against != HeldAgainst::Nothing).then_some(self.samples_count)
    }

    /// `24 of 597 samples`, or `8 made-up samples`.
    fn samples(&self) -> String {
        let count = number::count(self.samples_count);
        match self.all_count {
            Some(all) => format!("{count} of {} samples", number::count(all)),
            None => format!("{count} made-up samples"),
        }
    }

    fn is_part(&self) -> bool {
        self.all_count.is_some_and(|all| self.samples_count < all)
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let samples = self.samples();
        match self.against {
            HeldAgainst::Labels => write!(out, "scored {samples}"),
            HeldAgainst::Reference => write!(out, "compared on {samples}"),
            HeldAgainst::Nothing => write!(out, "computed for {samples}"),
        }
    }
}

/// On how many samples of the data outputs were scored or compared, or why on none; `None` where there is no data.
pub(in crate::report) fn line(source: Source<'_>) -> Option<String> {
    let judged = Judged::of(source)?;
    judged.all_count?;
    let what = match judged.against {
        HeldAgainst::Labels => format!("scored {}", judged.samples()),
        HeldAgainst::Reference => {
            format!("compared with the {} on {}", plain(reference(source)?), judged.samples())
        }
        HeldAgainst::Nothing => return not_judged(source, &judged),
    };
    let every = if judged.is_same_for_all { ", the same for every variant" } else { "" };
    let all = if judged.is_part() { "; `--score-samples all` takes all of them" } else { "" };
    Some(format!("Outputs: {what}{every}{all}."))
}

/// Why outputs that were computed say nothing of what they are worth.
fn not_judged(source: Source<'_>, judged: &Judged) -> Option<String> {
    let sessions = &source.findings.sessions;
    if sessions.iter().any(|session| session.accuracy.reference.is_some()) {
        return Some(format!("Outputs: computed for {}; none of them could be compared.", judged.samples()));
    }
    let unlabelled = source.record.dataset.as_ref().filter(|data| !DatasetInfo::has_labels(data))?;
    let other = match sessions.len() {
        1 => "there is no other variant to compare with",
        _ => "no outputs of a baseline are there to compare with",
    };
    Some(format!(
        "Outputs: not scored: no labels came with the {} samples, and {other}.",
        number::count(unlabelled.samples_count)
    ))
}

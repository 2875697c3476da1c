//! Advice from launches of their own: an option that makes a session faster, and pauses that make
//! it slower.

use super::weighed::{Gain, advice};
use super::{Action, Advice, Against, DenormalFindings, Facts, IdleFindings, Level};
use crate::analysis::decide::commands::compare_with_baseline;
use crate::analysis::{Change, Verdict};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::{Contrast, RunRecord};
use crate::units::Nanos;

/// Those that made a session faster, as `denormals` judges the contrasts of the record.
pub(super) fn options(facts: &Facts<'_>, denormals: &[DenormalFindings]) -> Vec<Advice> {
    facts
        .index
        .record
        .contrasts
        .iter()
        .filter_map(|contrast| set_option(facts, contrast, gain_of(denormals, contrast.session)?))
        .collect()
}

/// Where it made the session of the contrast faster.
fn gain_of(denormals: &[DenormalFindings], session: usize) -> Option<&Change> {
    denormals
        .iter()
        .find(|found| found.session == session)?
        .change
        .as_ref()
        .filter(|change| change.verdict == Verdict::Faster)
}

fn set_option(facts: &Facts<'_>, contrast: &Contrast, change: &Change) -> Option<Advice> {
    let key = key(facts, contrast.session, contrast.shape, contrast.batch_size)?;
    let option = contrast.option.clone();
    let gain = Gain {
        metric: Metric::LatencyP50,
        factor: change.ratio.reciprocal(),
        against: Against::WithoutOption(option.clone()),
        verdict: Some(change.verdict),
    };
    // Its command needs no option: every run holds the session against itself with it.
    Some(advice(
        facts.index.record,
        Action::SetOption { key, option },
        gain,
        Level::Low,
        Level::Medium,
    ))
}

/// Under the plan's first load mode; `None` for a session that must not be shipped.
fn key(facts: &Facts<'_>, session: usize, shape: usize, batch_size: u64) -> Option<CellKey> {
    facts.usable(session).then_some(CellKey {
        session,
        shape,
        batch_size,
        load_mode: *facts.index.record.plan.load_modes.first()?,
    })
}

/// Of sessions that are slower after a pause, the longest pause after which that is not shown.
pub(super) fn keep_warm(facts: &Facts<'_>, idle_gaps: &[IdleFindings]) -> Vec<Advice> {
    idle_gaps
        .iter()
        .filter_map(|found| after_pauses(facts, found))
        .collect()
}

fn after_pauses(facts: &Facts<'_>, found: &IdleFindings) -> Option<Advice> {
    let pauses: Vec<(Nanos, &Change)> = found
        .gaps
        .iter()
        .flatten()
        .filter_map(|gap| Some((gap.gap_ns, gap.change.as_ref()?)))
        .collect();
    let (idle_ns, slower) = *pauses.last().filter(|(_, change)| is_slower(change))?;
    let (longest_ns, _) = *pauses
        .iter()
        .take_while(|(_, change)| !is_slower(change))
        .last()
        .filter(|(gap_ns, _)| *gap_ns > Nanos(0))?;
    let action = Action::KeepWarm {
        key: key(facts, found.session, found.shape, found.batch_size)?,
        longest_ns,
        idle_ns,
    };
    Some(without_pauses(facts.index.record, action, slower))
}

fn is_slower(change: &Change) -> bool {
    change.verdict == Verdict::Slower
}

fn without_pauses(record: &RunRecord, action: Action, change: &Change) -> Advice {
    let key = action.key();
    let command = compare_with_baseline(record, key, &[key.batch_size])
        .with_idle_gaps(&record.plan.idle_gaps_ns)
        .words();
    let gain = Gain {
        metric: Metric::LatencyP50,
        factor: change.ratio.clone(),
        against: Against::WithoutPause,
        verdict: Some(change.verdict),
    };
    Advice {
        command,
        ..advice(record, action, gain, Level::Medium, Level::Low)
    }
}

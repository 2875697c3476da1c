//! What launches of their own show: an option that makes a session faster, and pauses that make it slower.

use super::types::{Action, Advice, Against, Level, Priority};
use super::weighed::evidence;
use crate::analysis::decide::commands::compare_with_baseline;
use crate::analysis::decide::facts::Facts;
use crate::analysis::explain::DenormalFindings;
use crate::analysis::figures::{Change, Verdict};
use crate::analysis::scaling::{GapFindings, IdleFindings};
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::record::Contrast;
use crate::units::Nanos;

/// Those that made a session faster, as `denormals` judges the contrasts of the record.
pub(super) fn options(facts: &Facts<'_>, denormals: &[DenormalFindings]) -> Vec<Advice> {
    let change = |contrast: &Contrast| {
        let found = denormals.iter().find(|found| found.session == contrast.session)?;
        found.change.as_ref().filter(|change| change.verdict == Verdict::Faster)
    };
    let contrasts = facts.index.record.contrasts.iter();
    contrasts.filter_map(|contrast| set_option(facts, contrast, change(contrast)?)).collect()
}

fn set_option(facts: &Facts<'_>, contrast: &Contrast, change: &Change) -> Option<Advice> {
    let key = key(facts, contrast.session, contrast.shape, contrast.batch_size)?;
    let gain = change.ratio.reciprocal();
    // Every run holds the session against itself with the option.
    let command = compare_with_baseline(facts.index.record, key, &[key.batch_size]).words();
    let against = Against::WithoutOption(contrast.option.clone());
    Some(Advice {
        action: Action::SetOption { key, option: contrast.option.clone() },
        priority: Priority::Low,
        evidence: evidence(key, against, &gain, Some(change.verdict)).into_iter().collect(),
        gain,
        metric: Metric::LatencyP50,
        accuracy: None,
        memory_factor: None,
        latency_factor: None,
        effort: Level::Low,
        risk: Level::Medium,
        caveats: Vec::new(),
        command,
    })
}

/// Under the plan's first load mode; `None` for a session that must not be shipped.
fn key(facts: &Facts<'_>, session: usize, shape: usize, batch_size: u64) -> Option<CellKey> {
    let load_mode = *facts.index.record.plan.load_modes.first()?;
    facts.rejection(session).is_none().then_some(CellKey { session, shape, batch_size, load_mode })
}

/// Of sessions that are slower after a pause, the longest pause after which that is not shown.
pub(super) fn keep_warm(facts: &Facts<'_>, idle_gaps: &[IdleFindings]) -> Vec<Advice> {
    idle_gaps.iter().filter_map(|found| after_pauses(facts, found)).collect()
}

fn after_pauses(facts: &Facts<'_>, found: &IdleFindings) -> Option<Advice> {
    let pauses: Vec<(&GapFindings, &Change)> =
        found.gaps.iter().flatten().filter_map(|gap| Some((gap, gap.change.as_ref()?))).collect();
    let is_slower = |pause: &(&GapFindings, &Change)| pause.1.verdict == Verdict::Slower;
    let (longest, change) = *pauses.last().filter(|pause| is_slower(pause))?;
    let (fine, _) =
        pauses.iter().take_while(|pause| !is_slower(pause)).last().filter(|fine| fine.0.gap_ns > Nanos(0))?;
    let key = key(facts, found.session, found.shape, found.batch_size)?;
    let record = facts.index.record;
    let command =
        compare_with_baseline(record, key, &[key.batch_size]).with_idle_gaps(&record.plan.idle_gaps_ns).words();
    Some(Advice {
        action: Action::KeepWarm { key, longest_ns: fine.gap_ns, idle_ns: longest.gap_ns },
        priority: Priority::Low,
        evidence: evidence(key, Against::WithoutPause, &change.ratio, Some(change.verdict)).into_iter().collect(),
        gain: change.ratio.clone(),
        metric: Metric::LatencyP50,
        accuracy: None,
        memory_factor: None,
        latency_factor: None,
        effort: Level::Medium,
        risk: Level::Low,
        caveats: Vec::new(),
        command,
    })
}

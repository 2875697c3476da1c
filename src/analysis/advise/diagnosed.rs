//! What launches of their own show: an option that makes a session faster, and pauses that make it slower.

use super::{Action, Advice, Against, Level, Priority, evidence, reciprocal};
use crate::analysis::choose::Facts;
use crate::analysis::compare;
use crate::analysis::estimate::{Counted, Estimate, Interval, Measured};
use crate::analysis::findings::{Change, Verdict};
use crate::analysis::reproduce;
use crate::plan::CellKey;
use crate::record::{Contrast, IdleGap, IdleGaps, Metric};
use crate::stats::{END_ERROR, Relation, UnpairedRatio};
use crate::units::Nanos;

/// Options that made a session faster. All contrasts are judged together.
pub(super) fn options(facts: &Facts<'_>) -> Vec<Advice> {
    let judged = facts.index.record.contrasts.iter().filter_map(|contrast| {
        let rounds = &contrast.found.as_ref().ok()?.log_ratios;
        Some((contrast, Change::paired(Metric::LatencyP50RatioToBaseline, rounds)?))
    });
    let mut judged: Vec<(&Contrast, Change)> = judged.collect();
    let mut changes: Vec<&mut Change> = judged.iter_mut().map(|(_, change)| change).collect();
    compare::judge(Metric::LatencyP50RatioToBaseline, &mut changes, END_ERROR);
    let faster = judged.iter().filter(|(_, change)| change.verdict == Verdict::Faster);
    faster.filter_map(|(contrast, change)| set_option(facts, contrast, change)).collect()
}

fn set_option(facts: &Facts<'_>, contrast: &Contrast, change: &Change) -> Option<Advice> {
    let key = key(facts, contrast.session, contrast.batch_size)?;
    let gain = reciprocal(&change.ratio);
    let mut command = reproduce::command(facts.index.record, (key.session, key.shape), &[key.batch_size]);
    command.extend(["--session-config".to_owned(), contrast.option.clone()]);
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

/// A session's cell at a batch size under the plan's first load mode; `None` for a session that must not be shipped.
fn key(facts: &Facts<'_>, session: usize, batch_size: u64) -> Option<CellKey> {
    let load_mode = *facts.index.record.plan.load_modes.first()?;
    facts.rejection(session).is_none().then_some(CellKey { session, shape: 0, batch_size, load_mode })
}

/// Sessions that are slower after a pause, each with the longest pause after which it is not.
pub(super) fn keep_warm(facts: &Facts<'_>) -> Vec<Advice> {
    facts.index.record.idle_gaps.iter().filter_map(|found| after_pauses(facts, found)).collect()
}

fn after_pauses(facts: &Facts<'_>, found: &IdleGaps) -> Option<Advice> {
    let gaps = found.gaps.as_ref().ok()?;
    let [none, pauses @ ..] = gaps.as_slice() else { return None };
    let slower = |pause: &&IdleGap| slowdown(pause, none).is_some_and(|(verdict, _)| verdict == Verdict::Slower);
    let longest = pauses.last().filter(slower)?;
    let (verdict, gain) = slowdown(longest, none)?;
    let fine = pauses.iter().take_while(|pause| !slower(pause)).last().filter(|fine| fine.gap_ns > Nanos(0))?;
    let key = key(facts, found.session, found.batch_size)?;
    let mut command = reproduce::command(facts.index.record, (key.session, key.shape), &[key.batch_size]);
    command.push("--idle-gaps".into());
    Some(Advice {
        action: Action::KeepWarm { key, longest_ns: fine.gap_ns, idle_ns: longest.gap_ns },
        priority: Priority::Low,
        evidence: evidence(key, Against::WithoutPause, &gain, Some(verdict)).into_iter().collect(),
        gain,
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

/// Latency after a pause / without one: what it amounts to, and the ratio over the inferences of one launch.
fn slowdown(pause: &IdleGap, none: &IdleGap) -> Option<(Verdict, Estimate)> {
    let values = |gap: &IdleGap| gap.latencies_ns.iter().flatten().map(|latency| latency.as_f64()).collect::<Vec<_>>();
    let (after, without) = (values(pause), values(none));
    let ratio = UnpairedRatio::of(&after, &without)?;
    let floor = Metric::LatencyP50RatioToBaseline.noise_floor().unwrap_or_default();
    let relation: Relation = ratio.evidence(floor.0.ln_1p()).relation(END_ERROR);
    let found = ratio.ratio();
    let interval = found.interval.as_ref().ok().map(|interval| Interval { low: interval.low, high: interval.high });
    let gain = Estimate::Measured(Measured {
        value: found.value,
        interval,
        range: None,
        n: found.n,
        n_of: Counted::Inferences,
        bounds: None,
        remark: Some("within one launch".into()),
    });
    Some((Verdict::of(relation, Metric::LatencyP50.direction()), gain))
}

//! Whether denormal numbers slow a session down: the same session with them flushed to zero, in
//! workers of its own.
//!
//! ONNX Runtime sets the flag for a process's main thread with the first session only, so that the
//! two need a process each.

use std::fs::File;
use std::time::{Duration, Instant};

use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::{CellKey, ElementType};
use crate::protocol::Described;
use crate::record::{Contrast, Contrasted, Event, Failure, ModelSummary};
use crate::runner::block::BlockPlace;
use crate::runner::patience::until;
use crate::runner::time::BlockTime;
use crate::runner::{Progress, Result, Run};
use crate::stats::{MIN_LAUNCHES, median};

use crate::units::Nanos;

/// The session configuration entry that is changed, and its value.
const OPTION: (&str, &str) = ("session.set_denormal_as_zero", "1");
/// Share of the budget that one pair of workers for each session may take.
pub(super) const BUDGET_SHARE: f64 = 0.04;
/// Share of the budget for further pairs of those that gain by it, which are rare, and gain much.
const MORE_SHARE: f64 = 0.1;
/// Pairs of blocks in a pair of workers, and their length: shorter than those that tell sessions
/// apart by a percent.
const ALTERNATIONS: u64 = 3;
const BLOCK: Nanos = Nanos(10_000_000);
/// Inferences of each worker at least: the first, two of its warm-up, and two a block.
const PAIR_INFERENCES: u32 = 3 + 2 * ALTERNATIONS as u32;
/// A first pair of workers that differ by less than this ends the contrast: flushing denormals,
/// where there are any, was seen to gain a factor of 1.3 to 30, and a pair of workers of the same
/// session to differ by a few percent.
const WORTH_MORE_PAIRS: f64 = 0.9;
/// Least time of a pair of workers; a share of the budget below it is not begun.
pub(super) const SHORTEST_PAIR: Duration = Duration::from_millis(250);

#[derive(Default)]
struct Found {
    log_ratios: Vec<Vec<f64>>,
    changed: Vec<f64>,
    unchanged: Vec<f64>,
}

struct Time {
    end: Option<Instant>,
    pair: Duration,
}

impl Found {
    /// Takes the medians of a pair of workers, the one without the change first.
    fn add(&mut self, unchanged: Vec<f64>, changed: Vec<f64>) {
        self.log_ratios.push(
            changed
                .iter()
                .zip(&unchanged)
                .map(|(changed, unchanged)| (changed / unchanged).ln())
                .filter(|ratio| ratio.is_finite())
                .collect(),
        );
        self.changed.extend(changed);
        self.unchanged.extend(unchanged);
    }

    /// Whether further pairs would make a verdict of what the pairs so far suggest.
    fn is_worth_more(&self) -> bool {
        let ratio = median(&self.log_ratios.concat()).map(f64::exp);
        (self.log_ratios.len() as u64) < MIN_LAUNCHES
            && ratio.is_some_and(|ratio| ratio < WORTH_MORE_PAIRS)
    }

    fn contrasted(self) -> Observed<Contrasted> {
        let (changed, unchanged) = median(&self.changed)
            .zip(median(&self.unchanged))
            .ok_or_else(|| {
                let percent = BUDGET_SHARE * 100.0;
                format!("a pair of launches did not fit into {percent}% of the time budget")
            })?;
        Ok(Contrasted {
            log_ratios: self.log_ratios,
            changed_ns: Nanos(changed as u64),
            unchanged_ns: Nanos(unchanged as u64),
        })
    }
}

pub(super) async fn all(run: &mut Run<'_>) -> Result<()> {
    let mut time = Time {
        end: beside_end(run, BUDGET_SHARE),
        pair: SHORTEST_PAIR,
    };
    let mut contrasts = Vec::new();
    for session in run.real_sessions().collect::<Vec<_>>() {
        let Some((key, inputs)) = run.smallest(session) else {
            continue;
        };
        let mut found = contrastable(run, session).map(|()| Found::default());
        add_pair(run, key, &inputs, &mut found, &mut time).await?;
        contrasts.push((key, inputs, found));
    }
    time.end = beside_end(run, MORE_SHARE);
    for (key, inputs, mut found) in contrasts {
        while found.as_ref().is_ok_and(Found::is_worth_more)
            && add_pair(run, key, &inputs, &mut found, &mut time).await?
        {}
        run.append(Event::Contrast(contrast(key, found)))?;
    }
    Ok(())
}

fn beside_end(run: &Run<'_>, share: f64) -> Option<Instant> {
    Some(Instant::now() + run.beside_time(share)?)
}

/// An error where there is nothing to tell.
fn contrastable(run: &Run<'_>, session: usize) -> Observed<()> {
    let spec = run.spec(session);
    let is_float = |described: &Described| computes_in_float(&described.model);
    let why = if spec.is_accelerated() {
        let name = spec.execution_provider.exact();
        format!("`{name}` does not compute with the CPU's denormals")
    } else if spec.options.session_config.contains_key(&OPTION.0.into()) {
        format!("`{}` is set in this session", OPTION.0)
    } else if run.description(session).as_ref().is_ok_and(is_float) {
        return Ok(());
    } else {
        "nothing in the model is floating point".into()
    };
    Err(why.into())
}

/// Adds a pair of workers to what was found; false if there was no time for it, or it failed.
async fn add_pair(
    run: &mut Run<'_>,
    key: CellKey,
    inputs: &InputPlan,
    found: &mut Observed<Found>,
    time: &mut Time,
) -> Result<bool> {
    let Ok(so_far) = found else { return Ok(false) };
    let began = Instant::now();
    let left = until(time.end);
    let session = key.session;
    if left < time.pair.max(run.launch_with(session, PAIR_INFERENCES) * 2) {
        return Ok(false);
    }
    run.begin_beside(session, |session| Progress::Contrasting { session });
    let log = run.diagnosis_log(session)?;
    let changed_log = run.diagnosis_log(session)?;
    match tokio::time::timeout(left, measure_pair(run, key, inputs, log, changed_log)).await {
        Ok(Ok([unchanged, changed])) => so_far.add(unchanged, changed),
        Ok(Err(failure)) => {
            run.lose(session, &failure)?;
            *found = Err(failure.message);
        }
        Err(_) => return Ok(false),
    }
    time.pair = began.elapsed();
    Ok(true)
}

async fn measure_pair(
    run: &Run<'_>,
    key: CellKey,
    inputs: &InputPlan,
    log: File,
    changed_log: File,
) -> Result<[Vec<f64>; 2], Failure> {
    let spec = run.spec(key.session);
    let mut changed = spec.clone();
    let config = &mut changed.options.session_config;
    config.insert(OPTION.0.into(), OPTION.1.into());
    let (unchanged, _) = run.unrecorded(key, spec, inputs, log).await?;
    let (changed, _) = run.unrecorded(key, &changed, inputs, changed_log).await?;
    let mut sides = [unchanged, changed];
    let mut medians = [Vec::new(), Vec::new()];
    for alternation in 0..ALTERNATIONS {
        let order = if alternation % 2 == 0 { [0, 1] } else { [1, 0] };
        for side in order {
            let place = BlockPlace {
                key,
                alternation,
                position: side as u64,
                started_ns: run.elapsed(),
                time: BlockTime::unlimited(BLOCK.min(run.plan().schedule.block_ns)),
            };
            let measured = run.meter.measure(&mut sides[side], place).await?;
            medians[side].push(measured.block.median_ns.as_f64());
        }
    }
    for side in sides {
        side.worker.end().await;
    }
    Ok(medians)
}

fn contrast(key: CellKey, found: Observed<Found>) -> Contrast {
    Contrast {
        session: key.session,
        shape: key.shape,
        batch_size: key.batch_size,
        option: format!("{}={}", OPTION.0, OPTION.1).into(),
        found: found.and_then(Found::contrasted),
    }
}

fn is_float(element_type: ElementType) -> bool {
    matches!(
        element_type,
        ElementType::Float | ElementType::Double | ElementType::Float16 | ElementType::Bfloat16
    )
}

fn computes_in_float(model: &ModelSummary) -> bool {
    model
        .inputs
        .iter()
        .chain(&model.outputs)
        .filter_map(|value| value.value_type.element_type())
        .chain(model.weights.iter().map(|weights| weights.element_type))
        .any(is_float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_in_the_first_pair_alone_asks_for_as_many_as_an_interval_takes() {
        let mut found = Found::default();
        assert!(!found.is_worth_more() && Found::default().contrasted().is_err());
        for pair in 1..=MIN_LAUNCHES {
            found.add(vec![200.0, 220.0], vec![100.0, 110.0]);
            assert_eq!(found.is_worth_more(), pair < MIN_LAUNCHES);
        }
        let found = found.contrasted().unwrap();
        assert_eq!(
            (found.changed_ns, found.unchanged_ns),
            (Nanos(105), Nanos(210))
        );
        assert!(
            found.log_ratios.len() == 6 && (found.log_ratios[0][1] - 0.5_f64.ln()).abs() < 1e-12
        );
        let mut none = Found::default();
        none.add(vec![100.0, 100.0], vec![95.0, 101.0]);
        assert!(!none.is_worth_more());
    }
}

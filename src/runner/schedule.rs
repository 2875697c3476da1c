//! The order of a run: single predictions of every session first, then larger batches, then what
//! lies beside them; or that of a search, as its guide says.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::beside::{self, profile, score};
use super::load;
use super::rounds::pace::{self, RoundCost};
use super::rounds::round::{Group, Round};
use super::rounds::{self, Rounds, turns};
use super::{Clock, Extent, Goal, Guide, LoadGuide, Move, Progress, Result, Run};
use crate::plan::{CellKey, Workload};
use crate::record::{EndReason, Event, Outcome};

/// Share of the budget that rounds without load may take, before those under load.
const UNLOADED_SHARE: f64 = 0.25;

/// Every session has as many launches at its smallest batch size as an interval takes before
/// anything else is done; larger batches follow, then what lies beside the rounds, within its
/// share of the budget; further rounds take what it leaves. Rounds that were asked for by their
/// number are all alike.
pub(super) async fn measure(run: &mut Run<'_>, goal: Option<&dyn Goal>) -> Result<EndReason> {
    let mut rounds = Rounds::default();
    run.close_unsupported()?;
    run.note_monitoring()?;
    if run.extent == Extent::Whole {
        profile::place_all(run).await?;
    }
    run.time.held = beside::share(run) + beside::rest_share(run);
    let mut reason = rounds.measure(run, goal).await?;
    // What is settled rests from rounds alone.
    let resting = std::mem::take(&mut run.resting);
    run.time.held = beside::rest_share(run);
    match run.extent {
        Extent::Whole => {
            beside::all(run).await?;
            run.tell_so_far(rounds.done());
        }
        Extent::Scored => beside::scores(run).await?,
        Extent::Rounds | Extent::Probe(_) => {}
    }
    run.resting = resting;
    // What was kept free and not needed goes to the rounds.
    if reason == EndReason::BudgetSpent && run.may_measure() {
        reason = rounds.measure(run, goal).await?;
    }
    run.resting.clear();
    run.time.held = Duration::ZERO;
    if run.extent == Extent::Whole {
        profile::rest(run).await?;
    }
    Ok(reason)
}

/// Rounds without load first, within their share of the budget, then what the guide asks for.
pub(super) async fn under_load(run: &mut Run<'_>, guide: &mut dyn LoadGuide) -> Result<EndReason> {
    run.close_unsupported()?;
    run.note_monitoring()?;
    let budget = run.budget().unwrap_or_default();
    run.time.held = budget.mul_f64(1.0 - UNLOADED_SHARE);
    let reason = Rounds::default().measure(run, None).await?;
    run.time.held = Duration::ZERO;
    if reason == EndReason::NothingLeft {
        return Ok(reason);
    }
    run.resting.clear();
    load::measure(run, guide).await
}

/// Searches until the guide has enough.
pub(super) async fn search(run: &mut Run<'_>, guide: &mut dyn Guide) -> Result<EndReason> {
    close_failed(run);
    run.note_monitoring()?;
    let mut cost = None;
    let mut number = run.next_round();
    loop {
        match guide.next(run.record(), clock(run, cost)) {
            Move::Admit { sessions, cells } => {
                run.append(Event::Admitted { sessions, cells })?;
                run.energy.extend(&run.journal.record().plan.sessions);
                run.close_unsupported()?;
            }
            Move::Score(session) => score::one(run, session).await?,
            Move::Begin(heat) => run.append(Event::Heat(heat))?,
            Move::Round {
                cells,
                alternations,
            } => {
                let spent = heat_round(run, number, &cells, alternations).await?;
                number += 1;
                cost = Some((spent, alternations));
                run.checkpoint()?;
            }
            Move::Look {
                decisions,
                champion,
            } => {
                run.append(Event::Looked {
                    decisions,
                    champion,
                })?;
                cost = cost.filter(|_| champion.is_none());
            }
            Move::End(reason) => return Ok(reason),
        }
    }
}

/// Closes cells that failed before the search was taken up again.
fn close_failed(run: &mut Run<'_>) {
    run.closed.extend(
        run.journal
            .record()
            .cells
            .iter()
            .filter(|cell| matches!(cell.outcome, Outcome::Failed(_)))
            .map(|cell| cell.key),
    );
}

/// How much of the time is spent; it is over where another round like the last would be cut off
/// early.
fn clock(run: &Run<'_>, cost: Option<(RoundCost, u64)>) -> Clock {
    let is_late = cost.is_some_and(|(cost, alternations)| {
        pace::too_late_for_another(run.remaining(), cost, alternations)
    });
    let clock = run.clock();
    Clock {
        is_over: clock.is_over || is_late,
        ..clock
    }
}

async fn heat_round(
    run: &mut Run<'_>,
    number: u64,
    cells: &[CellKey],
    alternations: u64,
) -> Result<RoundCost> {
    let began = Instant::now();
    announce_heat(run, cells.len() as u64);
    let mut round = Round::new(number, alternations, cells.len());
    let places = cells.iter().copied().enumerate();
    let at = Workload {
        shape: 0,
        batch_size: 0,
        load: run.plan().load_modes[0],
    };
    let group = Group {
        members: places.filter(|(_, key)| run.is_open(*key)).collect(),
        draw: rounds::draw(run, &round, at),
    };
    turns::take_turns(run, &mut round, &group).await?;
    let cost = round.end(run, began).await?;
    // A round that was cut off before all had a block counts for none of them.
    if !run.is_late() || have_blocks(run, &group, number) {
        run.append(Event::HeatRound { round: number })?;
    }
    Ok(cost)
}

/// Whether each cell had a block in a round, which is the last one.
fn have_blocks(run: &Run<'_>, group: &Group, round: u64) -> bool {
    let measured: BTreeSet<CellKey> = run
        .record()
        .blocks
        .iter()
        .rev()
        .take_while(|block| block.round == round)
        .map(|block| block.key)
        .collect();
    group.members.values().all(|key| measured.contains(key))
}

fn announce_heat(run: &mut Run<'_>, configurations_count: u64) {
    let tuning = run.journal.record().tuning.as_ref();
    let Some(heat) = tuning.and_then(|tuning| tuning.heats.last()) else {
        return;
    };
    run.observer.observe(&Progress::HeatRound {
        heat: heat.number + 1,
        stage: heat.stage,
        rounds_done: heat.rounds.len() as u64,
        configurations_count,
        elapsed: run.time.of_part(),
        budget: run.budget(),
    });
}

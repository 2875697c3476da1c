//! `onnxprof profile --plan`: a short probe, and what the whole would take and buy.

use std::time::Duration;

use super::job::Target;
use super::progress::Console;
use super::{CliError, Result, ending, exit, say};
use crate::analysis::{self, AffordableRounds, Expectation};
use crate::plan::{Plan, Schedule};
use crate::record::RunRecord;
use crate::report::view::{Forecast, ForecastView};
use crate::report::{self, Style};
use crate::runner::{self, Diagnosing, Extent, Job};
use crate::units::Nanos;

/// Rounds of a probe at most: two tell a spread, and more of them how the machine's speed changes.
const ROUNDS: u64 = 40;
/// Alternations in each: with two, the spread within a round is told from that between launches.
const ALTERNATIONS: u64 = 2;
/// A probe ends after this much time, or after a share of the budget.
const LIMIT: Duration = Duration::from_secs(15);
const SHARE: u32 = 3;

/// Probes the plan of a job and prints what it would take and buy.
pub(super) fn run(
    mut job: Job,
    target: &Target,
    style: Style,
    progress: &mut Console,
) -> Result<u8> {
    let plan = job.plan.clone();
    let schedule = &mut job.plan.schedule;
    schedule.rounds_count = Some(ROUNDS);
    schedule.alternations_count = Some(ALTERNATIONS);
    let limit = schedule
        .budget_ns
        .map_or(LIMIT, |budget| LIMIT.min(Duration::from(budget) / SHARE));
    job.extent = Extent::Probe(limit);
    let seconds = limit.as_secs_f64();
    progress.say(&format!("probing: short rounds, for {seconds:.0} s"));
    let probe = ending::measured(job, target, progress)?.record;
    if let Some(error) = ending::nothing_measured(&probe) {
        return Err(error);
    }
    // The probe has left out what cannot be measured.
    let plan = Plan {
        sessions: probe.plan.sessions.clone(),
        baseline: probe.plan.baseline,
        ..plan
    };
    say::result(report::terminal_forecast(&forecast(&plan, &probe)?, style).as_bytes())?;
    Ok(exit::DONE)
}

/// Remembers how much a run has spread, for the forecasts of later ones.
pub(super) fn learn_from(run: &RunRecord) {
    if let Some(seen) = analysis::seen_run(run) {
        runner::remember_run(&run.host, seen);
    }
}

fn forecast(plan: &Plan, probe: &RunRecord) -> Result<ForecastView> {
    let beside = Diagnosing::of(plan);
    let asked = plan.schedule.budget_ns.map(Duration::from);
    let budget = asked.unwrap_or(Duration::MAX);
    let first = runner::first_rounds(probe, plan, budget.saturating_sub(beside.total()));
    let taken = beside.total() + first.time;
    let of_rounds = Schedule {
        budget_ns: asked.map(|budget| Nanos::from(budget.saturating_sub(taken))),
        ..plan.schedule.clone()
    };
    let expected = runner::expected(probe, &of_rounds).ok_or_else(|| {
        CliError::message(
            exit::PARTIAL,
            "the probe ended before anything was measured",
        )
        .with_hint("go on without `--plan`")
    })?;
    let affordable = AffordableRounds {
        most: expected.rounds,
        first: first.rounds,
        alternations: expected.alternations,
        looks: runner::look_rounds(plan)
            .iter()
            .map(|look| look.saturating_sub(first.rounds))
            .collect(),
    };
    let earlier = runner::earlier_runs(&probe.host);
    let Expectation { rounds, precision } =
        analysis::sufficient_rounds(probe, plan, &earlier, &affordable);
    let names: Vec<String> = (0..plan.sessions.len())
        .map(|session| probe.session_label(session))
        .collect();
    Ok(ForecastView::new(Forecast {
        plan,
        names: &names,
        rounds: rounds + first.rounds,
        alternations: expected.alternations,
        time: (expected.time_of(rounds) + taken).min(budget),
        most_time: (expected.time_of(expected.rounds) + taken).min(budget),
        enough_budget: analysis::findings(probe).decisions.answer.enough_budget_ns,
        machine: probe.fitness.as_ref(),
        beside: &[
            ("operator profiles", beside.profiles),
            ("denormal numbers", beside.denormals),
            (
                "the machine's peaks, unless they are in the cache,",
                beside.peaks,
            ),
            ("idle gaps", beside.idle_gaps),
        ],
        stretches_time: expected.stretches_in(rounds),
        precision: &precision,
    }))
}

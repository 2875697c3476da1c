//! `onnxprof profile --plan`: a short probe, and what the whole would take and buy.

use std::process::ExitCode;
use std::time::Duration;

use super::job::Target;
use super::progress::Console;
use super::{CliError, ending, exit, say};
use crate::analysis::{self, AffordableRounds, Expectation};
use crate::plan::{Plan, Schedule};
use crate::record::RunRecord;
use crate::report::view::{Forecast, ForecastView};
use crate::report::{self, Style};
use crate::runner::{self, Diagnosing, Extent, Job, Ran};
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
) -> Result<ExitCode, CliError> {
    let plan = job.plan.clone();
    job.plan.schedule.rounds_count = Some(ROUNDS);
    job.plan.schedule.alternations_count = Some(ALTERNATIONS);
    let limit = plan
        .schedule
        .budget_ns
        .map_or(LIMIT, |budget| LIMIT.min(Duration::from(budget) / SHARE));
    job.extent = Extent::Probe(limit);
    progress.say(&format!(
        "probing: short rounds, for {:.0} s",
        limit.as_secs_f64()
    ));
    let Ran { record: probe, .. } = ending::measured(job, target, progress)?;
    if let Some(error) = ending::nothing_measured(&probe) {
        return Err(error);
    }
    // The probe has left out what cannot be measured.
    let plan = Plan {
        sessions: probe.plan.sessions.clone(),
        baseline: probe.plan.baseline,
        ..plan
    };
    let text = report::terminal_forecast(&forecast(&plan, &probe)?, style);
    say::result(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Remembers how much a run has spread, for the forecasts of later ones.
pub(super) fn learn_from(run: &RunRecord) {
    if let Some(seen) = analysis::seen_run(run) {
        runner::remember_run(&run.host, seen);
    }
}

fn forecast(plan: &Plan, probe: &RunRecord) -> Result<ForecastView, CliError> {
    let beside = Diagnosing::of(plan);
    let budget = plan
        .schedule
        .budget_ns
        .map_or(Duration::MAX, Duration::from);
    let first = runner::first_rounds(probe, plan, budget.saturating_sub(beside.total()));
    let taken = beside.total() + first.time;
    let left = plan
        .schedule
        .budget_ns
        .map(|_| Nanos::from(budget.saturating_sub(taken)));
    let of_rounds = Schedule {
        budget_ns: left,
        ..plan.schedule.clone()
    };
    let expected = runner::expected(probe, &of_rounds).ok_or_else(|| {
        CliError::message(
            exit::PARTIAL,
            "the probe ended before anything was measured",
        )
        .with_hint("go on without `--plan`".to_owned())
    })?;
    let looks = runner::look_rounds(plan)
        .iter()
        .map(|look| look.saturating_sub(first.rounds));
    let affordable = AffordableRounds {
        most: expected.rounds,
        first: first.rounds,
        alternations: expected.alternations,
        looks: looks.collect(),
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
        enough_budget: analysis::findings(probe).answer.enough_budget_ns,
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

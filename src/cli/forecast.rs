//! `onnxprof profile --plan`: a short probe, and what the whole would take and buy.

use std::time::Duration;

use serde::Serialize;

use super::job::Target;
use super::json::{self, Answer};
use super::output::Printed;
use super::progress::Console;
use super::{CliError, Result, ending, exit, say};
use crate::analysis::{self, AffordableRounds, Expectation, ExpectedWidth};
use crate::plan::{LoadMode, Plan, Schedule, Shape};
use crate::record::{Fitness, RunRecord};
use crate::report;
use crate::report::view::{Forecast, ForecastView};
use crate::runner::{self, Diagnosing, Extent, Job};
use crate::text::Plain;
use crate::units::{Nanos, Ratio};

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
    printed: Printed,
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
    say::result(forecast(&plan, &probe, printed)?.as_bytes())?;
    Ok(exit::DONE)
}

/// Remembers how much a run has spread, for the forecasts of later ones.
pub(super) fn learn_from(run: &RunRecord) {
    if let Some(seen) = analysis::seen_run(run) {
        runner::remember_run(&run.host, seen);
    }
}

fn forecast(plan: &Plan, probe: &RunRecord, printed: Printed) -> Result<String> {
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
    text(
        printed,
        Forecast {
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
        },
    )
}

fn text(printed: Printed, forecast: Forecast<'_>) -> Result<String> {
    let view = ForecastView::new(forecast);
    match printed {
        Printed::Summary(style) => Ok(report::terminal_forecast(&view, style)),
        Printed::Json(command) => {
            let answer = Answer::undecided(view.answer);
            json::document(command, Some(&answer), &Foreseen::new(&forecast))
        }
    }
}

/// What `profile --plan --json` prints.
#[derive(Serialize)]
struct Foreseen<'a> {
    sessions: &'a [String],
    rounds_count: u64,
    alternations_count: u64,
    /// Wall time that is expected, and at most.
    time_ns: Nanos,
    most_time_ns: Nanos,
    /// A budget that is enough for a verdict; absent where none is known.
    enough_budget_ns: Option<Nanos>,
    /// Time in uninterrupted stretches on GPUs.
    stretches_time_ns: Nanos,
    /// Most time that launches beside the rounds take.
    beside: Vec<Beside<'a>>,
    fitness: Option<&'a Fitness>,
    /// The precision in each place of the plan.
    precision: Vec<Precision<'a>>,
}

#[derive(Serialize)]
struct Beside<'a> {
    purpose: &'a str,
    most_time_ns: Nanos,
}

#[derive(Serialize)]
struct Precision<'a> {
    shape: Option<&'a Shape>,
    batch_size: u64,
    load_mode: LoadMode,
    /// Half of the 95% interval of a ratio to the baseline, as a share of it, or of a median
    /// latency where there is one session: the middle of what is expected, and its ends.
    half_width_ratio: Option<Ratio>,
    low_ratio: Option<Ratio>,
    high_ratio: Option<Ratio>,
    absent_reason: Option<&'a Plain>,
}

impl<'a> Foreseen<'a> {
    fn new(forecast: &Forecast<'a>) -> Self {
        let beside = forecast.beside.iter().map(|&(purpose, time)| Beside {
            purpose,
            most_time_ns: time.into(),
        });
        let precision = forecast.precision.iter();
        Foreseen {
            sessions: forecast.names,
            rounds_count: forecast.rounds,
            alternations_count: forecast.alternations,
            time_ns: forecast.time.into(),
            most_time_ns: forecast.most_time.into(),
            enough_budget_ns: forecast.enough_budget,
            stretches_time_ns: forecast.stretches_time.into(),
            beside: beside.collect(),
            fitness: forecast.machine,
            precision: precision
                .map(|width| Precision::new(forecast.plan, width))
                .collect(),
        }
    }
}

impl<'a> Precision<'a> {
    fn new(plan: &'a Plan, width: &'a ExpectedWidth) -> Self {
        let half_width = width.half_width.as_ref();
        Precision {
            shape: plan.shapes.get(width.at.shape),
            batch_size: width.at.batch_size,
            load_mode: width.at.load,
            half_width_ratio: half_width.ok().map(|width| Ratio(width.middle)),
            low_ratio: half_width.ok().map(|width| Ratio(width.low)),
            high_ratio: half_width.ok().map(|width| Ratio(width.high)),
            absent_reason: half_width.err(),
        }
    }
}

//! Time that a plan will take and precision that it will buy, as people read it before they spend
//! the time.

use std::time::Duration;

use serde::Serialize;

use crate::analysis::{ExpectedWidth, FORECAST_COVERAGE, HalfWidth};
use crate::plan::{LoadMode, Plan};
use crate::record::{Fitness, FitnessVerdict};
use crate::report::words::{self, Builder, Table, number, plain};
use crate::stats::MIN_LAUNCHES;
use crate::units::Nanos;

/// A plan before it is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ForecastView {
    /// The plan, and how long it would take.
    pub lines: Vec<String>,
    /// The one of them that says how long.
    pub answer: String,
    /// The precision that it would buy.
    pub precision: Table,
}

/// Sources of the forecast.
#[derive(Clone, Copy, Debug)]
pub struct Forecast<'a> {
    /// The plan, with the batch sizes that would be measured.
    pub plan: &'a Plan,
    /// Labels of its sessions.
    pub names: &'a [String],
    /// Rounds that are expected.
    pub rounds: u64,
    /// Alternations in each of them.
    pub alternations: u64,
    /// Wall time of the rounds that are expected.
    pub time: Duration,
    /// Wall time of the rounds that there is time for.
    pub most_time: Duration,
    /// A budget within which every session would have an interval at its smallest batch size;
    /// absent where nothing is known of one.
    pub enough_budget: Option<Nanos>,
    /// Most time that launches beside the rounds take, by purpose.
    pub beside: &'a [(&'a str, Duration)],
    /// Time that uninterrupted stretches take, in which GPUs are looked at.
    pub stretches_time: Duration,
    /// Verdict of the probe on the machine, which the precision allows for; absent where it was not
    /// judged.
    pub machine: Option<&'a Fitness>,
    /// Precision by shape, batch size and load mode.
    pub precision: &'a [ExpectedWidth],
}

impl ForecastView {
    /// The forecast as people read it.
    #[must_use]
    pub fn new(forecast: Forecast<'_>) -> Self {
        ForecastView {
            lines: lines(forecast),
            answer: time(forecast),
            precision: table(forecast),
        }
    }
}

fn lines(forecast: Forecast<'_>) -> Vec<String> {
    let mut lines = vec![sessions(forecast), cells(forecast), launches(forecast)];
    lines.extend(beside(forecast));
    lines.push(time(forecast));
    lines.extend(enough(forecast));
    lines
}

fn sessions(forecast: Forecast<'_>) -> String {
    let plan = forecast.plan;
    let names: Vec<String> = forecast.names.iter().map(plain).collect();
    let baseline = plan
        .baseline_session()
        .and_then(|session| names.get(session));
    format!(
        "Sessions: {} ({}); baseline {}.",
        plan.sessions.len(),
        names.join(", "),
        baseline.map_or("none", String::as_str)
    )
}

fn cells(forecast: Forecast<'_>) -> String {
    let sessions = forecast.plan.sessions.len() as u64;
    let combinations = forecast.precision.len() as u64;
    format!(
        "Cells: {}: {} at {} of batch size and load mode.",
        sessions * combinations,
        words::number_of(sessions, "session"),
        words::number_of(combinations, "combination")
    )
}

fn launches(forecast: Forecast<'_>) -> String {
    let mut precision = forecast.precision.iter();
    let sizes = if precision.all(|precision| precision.half_width.is_ok()) {
        "every batch size"
    } else {
        "every batch size that there is time for"
    };
    format!(
        "Launches: about {}: {} of one fresh process for each session, {} at {sizes} in each.",
        forecast.rounds * forecast.plan.sessions.len() as u64,
        words::number_of(forecast.rounds, "round"),
        words::number_of(forecast.alternations, "alternation")
    )
}

fn enough(forecast: Forecast<'_>) -> Option<String> {
    let is_asked = forecast.plan.schedule.rounds_count.is_some();
    let enough = forecast
        .enough_budget
        .filter(|_| forecast.rounds < MIN_LAUNCHES && !is_asked)?;
    let time = words::rounded_time(enough);
    let budget = words::budget(enough);
    Some(format!(
        "Too short for a verdict, which needs about {time}: `--budget {budget}`."
    ))
}

fn beside(forecast: Forecast<'_>) -> Option<String> {
    let named: Vec<String> = forecast
        .beside
        .iter()
        .filter(|(_, time)| !time.is_zero())
        .map(|(what, time)| format!("{what} {}", seconds(*time)))
        .collect();
    let all = seconds(forecast.beside.iter().map(|(_, time)| time).sum());
    (!named.is_empty()).then(|| {
        let listed = words::listed(&named);
        format!("Launches beside the rounds: up to {all} in all: {listed}.")
    })
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn minutes(time: Duration) -> String {
    format!("{:.1} minutes", time.as_secs_f64() / 60.0)
}

fn time(forecast: Forecast<'_>) -> String {
    let [time, most] = [forecast.time, forecast.most_time].map(minutes);
    let stretches = match forecast.stretches_time {
        Duration::ZERO => String::new(),
        time => {
            let time = minutes(time);
            format!(", {time} of it in uninterrupted stretches on the GPU")
        }
    };
    let about = format!("Time: about {time}{stretches}, and scoring where there is data");
    if forecast.time == forecast.most_time {
        return format!("{about}.");
    }
    let target = number::share(forecast.plan.schedule.target_half_width_ratio.0);
    format!("{about}: every interval should be within ± {target} then; at most {most}.")
}

fn machine(forecast: Forecast<'_>) -> Option<String> {
    let verdict = forecast.machine?.verdict;
    let unfit = verdict != FitnessVerdict::Valid;
    unfit.then(|| {
        format!(
            "the machine is {}, which the forecast allows for: `onnxprof doctor` says why",
            verdict.word()
        )
    })
}

/// One figure where what is reached should lie within half and one and a half times it, or else a
/// range.
fn half_width(width: &HalfWidth) -> String {
    match width.is_narrow() {
        true => format!("± {}", number::share(width.middle)),
        false => format!(
            "± {} to {}",
            number::share(width.low),
            number::share(width.high)
        ),
    }
}

fn within(width: &HalfWidth, target: f64) -> &'static str {
    let (low, high) = if width.is_narrow() {
        (width.middle, width.middle)
    } else {
        (width.low, width.high)
    };
    match (low <= target, high <= target) {
        (_, true) => "yes",
        (true, false) => "perhaps",
        (false, false) => "no",
    }
}

fn bases(precision: &[ExpectedWidth]) -> Vec<String> {
    let widths: Vec<&HalfWidth> = precision
        .iter()
        .filter_map(|precision| precision.half_width.as_ref().ok())
        .collect();
    let runs = widths
        .iter()
        .map(|width| width.runs)
        .filter(|&runs| runs > 0);
    let by_runs = runs.min().map(|runs| {
        format!("from what the last {runs} runs of these models reached on this machine")
    });
    let by_probe = widths
        .iter()
        .any(|width| width.runs == 0)
        .then(|| BY_PROBE.to_owned());
    let range = widths.iter().any(|width| !width.is_narrow()).then(|| {
        let covered = FORECAST_COVERAGE * 100.0;
        format!(
            "a range, where one figure could be off by more than half: it is meant to hold for {covered:.0} of 100 runs"
        )
    });
    by_runs.into_iter().chain(by_probe).chain(range).collect()
}

const BY_PROBE: &str = "from a probe of seconds, which does not show how the machine's speed changes later: what runs of \
these models reach takes its place after a few";

fn table(forecast: Forecast<'_>) -> Table {
    let target = forecast.plan.schedule.target_half_width_ratio.0;
    let of_what = if forecast.plan.sessions.len() > 1 {
        "ratio to the baseline"
    } else {
        "median latency"
    };
    let title = format!("Precision that this will buy: 95% half-width of the {of_what}");
    let within_target = format!("within ± {}", number::share(target));
    let header = ["batch", LoadMode::COLUMN, "half-width", &within_target];
    let mut table = Builder::new(title, &header);
    for precision in forecast.precision {
        let [width, within] = width_cells(precision, target);
        let shape = forecast.plan.shape_words(precision.at.shape);
        let batch = format!("{}{shape}", precision.at.batch_size);
        table.plain_row([batch, precision.at.load.in_column(), width, within]);
    }
    let widths = forecast.precision.iter();
    let unknown = widths.filter_map(|width| Some(width.half_width.as_ref().err()?.to_string()));
    let mut notes = words::once(unknown);
    notes.extend(bases(forecast.precision));
    notes.extend(machine(forecast));
    table.finish(notes)
}

fn width_cells(precision: &ExpectedWidth, target: f64) -> [String; 2] {
    match &precision.half_width {
        Ok(width) => [half_width(width), within(width, target).to_owned()],
        Err(_) => ["-", "-"].map(str::to_owned),
    }
}

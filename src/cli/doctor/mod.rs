//! `onnxprof doctor`.

mod null_test;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use self::null_test::Tested;
use super::json::{self, Answer, Decision, JsonArgs};
use super::plan::{self, values};
use super::progress::ConsoleArgs;
use super::{CliError, Result, ending, exit, say};
use crate::analysis::SmallestClaim;
use crate::fitness::{self, Seen};
use crate::record::{Conditions, Fitness};
use crate::report::{self, Examination, Style};
use crate::sample::nvml::Gpus;
use crate::sample::{GPU_PERIOD, GpuMonitor, OwnProcesses, Roots, affinity, conditions, host};

/// Says whether this machine is fit to measure on, and what to do where it is not.
///
/// It observes the machine while nothing is measured: load of other processes, time stolen by the
/// host, limits, swap, frequency and temperature, and of GPUs: clocks and what holds them down, other
/// processes, and whether the driver is new enough for the CUDA builds of ONNX Runtime. With
/// `--null-test` it measures a model against a copy of itself, and says how small a difference
/// between two models may be to be told from noise on this machine today. Every run of `profile` is
/// judged by the same rules.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long to observe.
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "2s", conflicts_with = "null_test")]
    observe: Duration,
    /// Measures this model against itself, and says which differences may be claimed.
    #[arg(long, value_name = "MODEL")]
    null_test: Option<PathBuf>,
    #[command(flatten)]
    json: JsonArgs,
    #[command(flatten)]
    console: ConsoleArgs,
    #[command(flatten)]
    null: null_test::NullArgs,
}

/// What `--null-test --json` prints.
#[derive(Debug, Serialize)]
struct Claimed<'a> {
    model: &'a Path,
    #[serde(flatten)]
    examined: Examination<'a>,
    claims: &'a [SmallestClaim],
}

pub fn run(args: Args) -> Result<u8> {
    match &args.null_test {
        Some(model) => test(model, &args),
        None => look(&args),
    }
}

fn look(args: &Args) -> Result<u8> {
    let roots = Roots::system();
    let host = host::fingerprint(&roots);
    let threads = plan::default_threads(&host);
    let topology = affinity::Topology::read(&roots);
    let workers = affinity::choose_cpus(threads, &host.affinity_cpus, &topology).worker;
    let before = conditions::Counters::read(&roots, &workers);
    let monitor = monitor(&roots);
    std::thread::sleep(args.observe);
    let conditions = Conditions {
        gpus: monitor
            .map(|monitor| monitor.conditions())
            .unwrap_or_default(),
        ..conditions::since(&roots, &before, &workers)
    };
    let fitness = fitness::judge(Seen {
        host: &host,
        conditions: &conditions,
        blocks: &[],
    });
    let examined = Examination {
        host: &host,
        conditions: &conditions,
        fitness: &fitness,
    };
    print(args, &fitness, &examined, |style| {
        report::examination(examined, style)
    })?;
    Ok(exit::DONE)
}

fn test(model: &Path, args: &Args) -> Result<u8> {
    let Tested {
        record,
        claims,
        failures,
    } = null_test::run(model, &args.null, &mut args.console.console())?;
    let (Some(conditions), Some(fitness)) = (&record.conditions, &record.fitness) else {
        let message = "the run ended without a verdict on the machine";
        return Err(CliError::message(exit::BUG, message));
    };
    let examined = Examination {
        host: &record.host,
        conditions,
        fitness,
    };
    let tested = Claimed {
        model,
        examined,
        claims: &claims,
    };
    print(args, fitness, &tested, |style| {
        report::null_test(examined, &claims, style)
    })?;
    failures.into_result()?;
    Ok(ending::exit_code(&record))
}

fn monitor(roots: &Roots) -> Option<GpuMonitor> {
    let gpus = Gpus::open(roots).ok()?;
    let all = (0..gpus.count()).collect();
    Some(GpuMonitor::begin(
        gpus,
        &all,
        GPU_PERIOD,
        OwnProcesses::default(),
    ))
}

fn print(
    args: &Args,
    fitness: &Fitness,
    data: &impl Serialize,
    words: impl FnOnce(Style) -> String,
) -> Result<()> {
    if args.json.json {
        let answer = Answer {
            words: report::fitness_words(fitness),
            decision: Some(Decision::Machine(fitness.verdict)),
        };
        return json::print("doctor", Some(&answer), data);
    }
    say::result(words(args.console.style()).as_bytes())
}

//! Options that say how requests arrive, and what is asked.

use std::time::Duration;

use super::serving::ServingArgs;
use super::values::{self, ArrivalsArg, ScenarioArg};
use crate::check::{Side, Slo};
use crate::cli::plan::load::sorted;
use crate::cli::plan::values as common;
use crate::cli::{CliError, Result};
use crate::hash;
use crate::metric::Unit;
use crate::plan::{Arrivals, Batcher, Flag, Question, Scenario, Serving};
use crate::traffic::check_trace;
use crate::units::{Nanos, PerSecond};

/// How long virtual users of a batched scenario are waited for: they all come at once.
const GATHERED: Nanos = Nanos(1_000_000_000);
/// Samples of a query of MLPerf's MultiStream.
const MULTI_STREAM: u64 = 8;

/// How requests arrive, and what is asked.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub struct DemandArgs {
    /// How requests arrive: at equal distances, independently, at distances of this variation, in
    /// bursts, as in a file of times, or from virtual users who think for so long between an
    /// answer and their next request. [default: poisson]
    #[arg(long = Flag::Arrivals.word(), value_name = "constant|poisson|gamma:VARIATION|bursts:SIZE|trace:FILE|users:THINK", value_parser = values::arrivals)]
    pub arrivals: Option<ArrivalsArg>,
    /// Requests per second, each rate measured. [default: shares of what can be served by the time
    /// of an inference]
    #[arg(long = Flag::Rate.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = values::rate)]
    pub rate: Vec<PerSecond>,
    /// Limits that requests must keep, such as `response_p99<=20ms`, `error_rate<=0.1%` or
    /// `goodput>=500/s`. Without a rate the highest one that keeps them is sought.
    #[arg(long = Flag::Slo.word(), value_name = "CHECK,CHECK", value_delimiter = ',', value_parser = values::slo)]
    pub slo: Vec<Slo>,
    /// Drives the load up to beyond what can be served, lets it fall to half, and tells where it
    /// broke and when it had recovered.
    #[arg(long = Flag::Stress.word(), conflicts_with_all = ["soak", "users", "scenario", "rate"])]
    pub stress: bool,
    /// Loads for this long at one rate, and tells what changes over time. [default rate: half of
    /// what can be served]
    #[arg(long = Flag::Soak.word(), value_name = "TIME", value_parser = common::duration, conflicts_with_all = ["users", "scenario"])]
    pub soak: Option<Duration>,
    /// Virtual users, each number measured.
    #[arg(long = Flag::Users.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = common::repetitions, conflicts_with_all = ["rate", "scenario"])]
    pub users: Vec<u64>,
    /// A scenario of MLPerf Inference: its arrivals, and its figure.
    #[arg(long = Flag::Scenario.word(), value_name = "NAME", conflicts_with_all = ["rate", "arrivals"])]
    pub scenario: Option<ScenarioArg>,
}

impl DemandArgs {
    /// What is asked.
    pub fn question(&self) -> Result<Question> {
        if let Some(scenario) = self.scenario {
            return self.scenario(scenario.into());
        }
        if self.stress {
            return Ok(Question::Stress);
        }
        if let Some(length) = self.soak {
            return self.soak(length);
        }
        if !self.users.is_empty() {
            return Ok(Question::Users {
                counts: ascending(self.users.iter().copied()),
            });
        }
        if self.rate.is_empty() && !self.slo.is_empty() {
            return self.capacity();
        }
        let mut rates = self.rate.clone();
        rates.sort_by(|one, other| one.0.total_cmp(&other.0));
        rates.dedup();
        Ok(Question::Curve { rates })
    }

    /// More load breaks a limit on responses or errors alone.
    fn capacity(&self) -> Result<Question> {
        let limits_rate = |slo: &Slo| slo.side == Side::AtMost;
        if !self.slo.iter().any(limits_rate) {
            return Err(CliError::usage(
                "the highest rate is sought that keeps a limit on responses or errors, and there is none",
                "add one, such as `--slo 'response_p99<=20ms'`, or name a rate with `--rate`",
            ));
        }
        Ok(Question::Capacity)
    }

    fn soak(&self, length: Duration) -> Result<Question> {
        if self.rate.len() > 1 {
            return Err(CliError::usage(
                format!("`{}` holds one rate, and several are named", Flag::Soak),
                format!("name one with `{}`, or leave it out", Flag::Rate),
            ));
        }
        Ok(Question::Soak {
            rate: self.rate.first().copied(),
            length_ns: length.into(),
        })
    }

    fn scenario(&self, scenario: Scenario) -> Result<Question> {
        let bounds_response = self.slo.iter().any(|slo| slo.metric.unit() == Unit::Ns);
        if scenario == Scenario::Server && !bounds_response {
            return Err(CliError::usage(
                "MLPerf's scenario Server asks for the highest rate that keeps a bound on responses",
                "name it with `--slo 'response_p99<=20ms'`",
            ));
        }
        if scenario != Scenario::Server && !self.slo.is_empty() {
            return Err(CliError::usage(
                "this scenario of MLPerf has no bound",
                format!("leave out `{}`", Flag::Slo),
            ));
        }
        Ok(Question::Scenario(scenario))
    }

    /// How requests arrive, which must fit what is asked.
    pub fn arrivals(&self, question: &Question) -> Result<Arrivals> {
        let is_by_users = match question {
            Question::Users { .. } => true,
            Question::Scenario(scenario) => *scenario != Scenario::Server,
            Question::Curve { .. }
            | Question::Capacity
            | Question::Stress
            | Question::Soak { .. } => false,
        };
        match &self.arrivals {
            None if is_by_users => Ok(Arrivals::Users { think_ns: Nanos(0) }),
            None => Ok(Arrivals::Poisson),
            Some(ArrivalsArg::Users(think)) if is_by_users => Ok(Arrivals::Users {
                think_ns: (*think).into(),
            }),
            Some(ArrivalsArg::Users(_)) => Err(CliError::usage(
                "virtual users send as fast as they are answered, at no rate of their own",
                format!("say how many there are with `{} 1,2,4`", Flag::Users),
            )),
            Some(_) if is_by_users => Err(CliError::usage(
                "virtual users arrive by themselves alone",
                format!("leave out `{}`, or write `users:THINK`", Flag::Arrivals),
            )),
            Some(ArrivalsArg::Constant) => Ok(Arrivals::Constant),
            Some(ArrivalsArg::Poisson) => Ok(Arrivals::Poisson),
            Some(ArrivalsArg::Gamma(variation)) => Ok(Arrivals::Gamma {
                variation: *variation,
            }),
            Some(ArrivalsArg::Bursts(size)) => Ok(Arrivals::Bursts { size: *size }),
            Some(ArrivalsArg::Trace(path)) => trace(path),
        }
    }

    /// The ways of serving, which scenarios of MLPerf prescribe in part.
    pub fn servings(&self, question: &Question, serving: &ServingArgs) -> Result<Vec<Serving>> {
        let scenario = match question {
            Question::Scenario(scenario @ (Scenario::SingleStream | Scenario::MultiStream)) => {
                scenario
            }
            Question::Scenario(Scenario::Server | Scenario::Offline)
            | Question::Curve { .. }
            | Question::Capacity
            | Question::Stress
            | Question::Soak { .. }
            | Question::Users { .. } => return serving.servings(),
        };
        if !serving.is_default() {
            return Err(CliError::usage(
                "this scenario of MLPerf sends one query after another",
                "leave out the options that say how it is served",
            ));
        }
        Ok(vec![Serving {
            batcher: (*scenario == Scenario::MultiStream).then(|| Batcher {
                max_batch: MULTI_STREAM,
                max_delay_ns: GATHERED,
                preferred: Vec::new(),
            }),
            ..Serving::single(serving.queue)
        }])
    }
}

fn ascending(numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    sorted(numbers)
}

fn trace(path: &std::path::Path) -> Result<Arrivals> {
    let advice = "name a CSV or JSON lines file of ascending times with `--arrivals trace:FILE`";
    check_trace(path).map_err(|error| CliError::of(error).with_hint(advice))?;
    let sha256 = hash::of_file(path).map_err(|error| CliError::of(error).with_hint(advice))?;
    Ok(Arrivals::Trace {
        path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        sha256,
    })
}

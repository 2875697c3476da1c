//! Options that say how the time of a run is spent.

use std::time::Duration;

use super::values;
use crate::cli::{CliError, Result};
use crate::plan::{Flag, PageCache, Pin, Schedule};
use crate::record::Host;
use crate::units::{Nanos, Ratio};

/// Wall time where neither a budget nor rounds are named.
const DEFAULT_BUDGET: Nanos = Nanos(60_000_000_000);

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Schedule")]
pub struct ScheduleArgs {
    /// Wall time of the whole run, reports included. [default: until every interval is within
    /// `--target`, at most 60s; or as long as `--rounds` take]
    #[arg(long = Flag::Budget.word(), value_name = "TIME", value_parser = values::duration)]
    pub budget: Option<Duration>,
    /// The run ends when every ratio to the baseline has a 95% half-width within this.
    #[arg(long = Flag::Target.word(), value_name = "PERCENT", value_parser = values::percent, default_value = "2%")]
    pub target: f64,
    /// Rounds: in each, every session is launched once in a fresh process. [default: as the budget
    /// allows]
    #[arg(long = Flag::Rounds.word(), value_name = "N", value_parser = values::repetitions)]
    pub rounds: Option<u64>,
    /// Alternations per batch size and round: in each, every session runs one block. [default: as
    /// the budget allows]
    #[arg(long = Flag::Alternations.word(), value_name = "N", value_parser = values::repetitions)]
    pub alternations: Option<u64>,
    /// Length of a block; it holds at least 3 inferences.
    #[arg(long = Flag::Block.word(), value_name = "TIME", value_parser = values::duration, default_value = "30ms")]
    pub block: Duration,
    /// A process that does not answer for this long is killed, and its cell has failed.
    #[arg(long = Flag::Timeout.word(), value_name = "TIME", value_parser = values::duration, default_value = "120s")]
    pub timeout: Duration,
    /// CPUs to measure on: `auto` (as many as a session has threads, the same for all), `each` (the
    /// same, each thread on one of them), `none`, or a list such as 0,2-3.
    #[arg(long = Flag::Pin.word(), value_name = "auto|each|none|LIST", value_parser = values::pin, default_value = "auto")]
    pub pin: Pin,
    /// Drops the models from the page cache before each launch.
    #[arg(long = Flag::Cold.word())]
    pub cold: bool,
    /// Seed of the order of sessions and of synthesized inputs.
    #[arg(long = Flag::Seed.word(), value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

/// CPUs that a worker may run on, if all of those asked for are there.
pub fn pinned(pin: &Pin, host: &Host) -> Result<u64> {
    if let Pin::Cpus(named) = pin
        && let Some(cpu) = named.iter().find(|cpu| !host.affinity_cpus.contains(cpu))
    {
        let allowed: Vec<String> = host.affinity_cpus.iter().map(u64::to_string).collect();
        return Err(CliError::usage(
            format!("this process may not run on CPU {cpu}"),
            format!("choose from {} with `--pin`", allowed.join(",")),
        ));
    }
    Ok(cpus(pin, host))
}

/// CPUs that a worker may run on.
pub fn cpus(pin: &Pin, host: &Host) -> u64 {
    match pin {
        Pin::Cpus(named) => named.len() as u64,
        Pin::Auto | Pin::Each | Pin::None => host.usable_cpus_count,
    }
}

pub fn schedule(schedule: &ScheduleArgs) -> Schedule {
    Schedule {
        seed: schedule.seed,
        budget_ns: schedule
            .budget
            .map(Nanos::from)
            .or(schedule.rounds.is_none().then_some(DEFAULT_BUDGET)),
        rounds_count: schedule.rounds,
        alternations_count: schedule.alternations,
        block_ns: schedule.block.into(),
        target_half_width_ratio: Ratio(schedule.target),
        timeout_ns: schedule.timeout.into(),
        page_cache: if schedule.cold {
            PageCache::Cold
        } else {
            PageCache::Warm
        },
        pin: schedule.pin.clone(),
    }
}

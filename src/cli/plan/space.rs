//! Options that say what a search tries, and the space that they span.

use std::path::PathBuf;

use super::goal::{GoalArgs, ObjectiveArg};
use super::load::DEFAULT_BATCH_SIZES;
use super::values;
use crate::metric::Metric;
use crate::plan::{Execution, ExecutionMode, Flag, GraphOptimization, Space};
use crate::text::distinct;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is tried")]
pub struct SpaceArgs {
    /// Batch sizes, the first of which is the default. [default: powers of two from 1 to 64; 1 for
    /// the objectives latency and memory, unless the SLO asks for a throughput]
    #[arg(long = Flag::Batch.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = values::batch)]
    pub batch: Option<Vec<u64>>,
    /// Numbers of threads that run one operator. [default: powers of two up to the CPUs that this
    /// process may use]
    #[arg(long = Flag::IntraThreads.word(), visible_alias = "threads", value_name = "N,N,...", value_delimiter = ',', value_parser = values::threads)]
    pub intra_threads: Option<Vec<u64>>,
    /// Options that stay as they are: none is tried besides its default.
    #[arg(long = Flag::Keep.word(), value_name = "OPTION,OPTION", value_delimiter = ',')]
    pub keep: Vec<OptionArg>,
    /// ONNX Runtime libraries: paths, or versions such as `cpu@1.31.1`, which are installed if they
    /// are not there.
    #[arg(long = Flag::Runtime.word(), value_name = "PATH|BUILD@VERSION,...", value_delimiter = ',')]
    pub runtime: Vec<String>,
    /// A library of custom operators that is registered with every session; may be given several
    /// times.
    #[arg(long = Flag::CustomOps.word(), value_name = "LIB")]
    pub custom_ops: Vec<PathBuf>,
}

/// Options that may be kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OptionArg {
    /// Graph optimization level.
    Optimization,
    /// Execution mode.
    Execution,
    /// Spinning of idle threads.
    Spinning,
    /// Arena of memory.
    Arena,
    /// Memory pattern.
    Pattern,
}

/// Settings that are tried with sessions on that many CPUs.
pub fn space(args: &SpaceArgs, goal: &GoalArgs, cpus: u64, default_threads: u64) -> Space {
    Space {
        batch_sizes: batch_sizes(args, goal),
        intra_threads: distinct(
            args.intra_threads
                .clone()
                .unwrap_or_else(|| threads(cpus, default_threads)),
        ),
        graph_optimizations: levels(args),
        executions: executions(args, cpus),
        spinning: switch(args, OptionArg::Spinning),
        memory_arena: switch(args, OptionArg::Arena),
        memory_pattern: switch(args, OptionArg::Pattern),
    }
}

fn levels(args: &SpaceArgs) -> Vec<GraphOptimization> {
    use GraphOptimization::{All, Basic, Disable, Extended};
    if args.keep.contains(&OptionArg::Optimization) {
        vec![All]
    } else {
        vec![All, Extended, Basic, Disable]
    }
}

fn executions(args: &SpaceArgs, cpus: u64) -> Vec<Execution> {
    let mut executions = vec![Execution {
        mode: ExecutionMode::Sequential,
        inter_threads: 1,
    }];
    if cpus > 1 && !args.keep.contains(&OptionArg::Execution) {
        executions.push(Execution {
            mode: ExecutionMode::Parallel,
            inter_threads: 2,
        });
        executions.extend((cpus > 2).then_some(Execution {
            mode: ExecutionMode::Parallel,
            inter_threads: cpus,
        }));
    }
    executions
}

/// Values of an option that is on where nothing is said.
fn switch(args: &SpaceArgs, option: OptionArg) -> Vec<Option<bool>> {
    if args.keep.contains(&option) {
        vec![None]
    } else {
        vec![None, Some(false)]
    }
}

/// More samples at once only lengthen an inference and take memory, unless a throughput is asked
/// for.
fn batch_sizes(args: &SpaceArgs, goal: &GoalArgs) -> Vec<u64> {
    let wants_throughput = || goal.slo.iter().any(|slo| slo.metric == Metric::Throughput);
    match (&args.batch, goal.objective) {
        (Some(named), _) => distinct(named.clone()),
        (None, ObjectiveArg::Latency | ObjectiveArg::Memory) if !wants_throughput() => vec![1],
        (None, _) => DEFAULT_BATCH_SIZES.to_vec(),
    }
}

/// Powers of two up to the CPUs, and all of them; the default first.
fn threads(cpus: u64, default: u64) -> Vec<u64> {
    let mut threads = vec![default];
    threads.extend((0..64).map(|power| 1 << power).take_while(|&n| n < cpus));
    threads.push(cpus);
    threads
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_powers_of_two_and_all_cpus_and_the_default_comes_first() {
        assert_eq!(distinct(threads(6, 3)), [3, 1, 2, 4, 6]);
        assert_eq!(distinct(threads(1, 1)), [1]);
    }
}

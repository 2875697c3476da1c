//! Options that say what is measured of a session: batch sizes, swept dimensions, idle gaps and
//! requests in flight.

use std::collections::BTreeSet;
use std::time::Duration;

use super::inputs::InputArgs;
use super::values::SweptDim;
use super::{bounds, values};
use crate::cli::{CliError, Result};
use crate::plan::{Flag, Shape, SweepEnd, unswept};
use crate::runner::IDLE_GAPS_SHARE;
use crate::units::Nanos;

/// Batch sizes where none are named.
pub const DEFAULT_BATCH_SIZES: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Idle gaps where they are asked for without a list.
const DEFAULT_GAPS: &str = "0,10ms,100ms,1s";

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Batch sizes. [default: powers of two from 1 to 64, ended early where throughput saturates]
    #[arg(long = Flag::Batch.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = values::batch)]
    pub batch: Option<Vec<u64>>,
    /// Sizes of a dimension that the models leave open, each measured at every batch size, as in
    /// `dim=seq:16,64,256`; of several such options, every combination is.
    #[arg(long = Flag::Sweep.word(), value_name = "dim=NAME:N,N,...", value_parser = values::swept_dim)]
    pub sweep: Vec<SweptDim>,
    #[arg(long = Flag::IdleGaps.word(), value_name = "TIME,TIME,...", value_delimiter = ',', value_parser = values::gap, num_args = 0..=1,
        require_equals = true, default_missing_value = DEFAULT_GAPS, help = format!("Measures latencies after these times \
        without a request, in launches of their own, within {}% of the budget. [default where it is given without a \
        list: {DEFAULT_GAPS}]", 100.0 * IDLE_GAPS_SHARE))]
    pub idle_gaps: Option<Vec<Duration>>,
    /// Latency within which the best batch size is sought.
    #[arg(long = Flag::LatencyLimit.word(), value_name = "TIME", value_parser = values::duration)]
    pub latency_limit: Option<Duration>,
    /// Requests in flight: so many threads share one session, each sending its next request when
    /// the last is done.
    #[arg(long = Flag::Concurrency.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = values::threads, default_value = "1")]
    pub concurrency: Vec<u64>,
}

/// Every combination of the sizes of swept dimensions, the first dimension's changing least.
pub fn shapes(args: &LoadArgs, inputs: &InputArgs) -> Result<Vec<Shape>> {
    bounds::check_sweep(&args.sweep)?;
    let mut shapes = unswept();
    for (place, swept) in args.sweep.iter().enumerate() {
        check_swept(swept, &args.sweep[..place], inputs)?;
        let SweptDim { name, sizes } = swept;
        shapes = shapes
            .iter()
            .flat_map(|shape| sizes.iter().map(|&size| with(shape, name, size)))
            .collect();
    }
    if let (Some(data), Some(SweptDim { name, .. })) = (&inputs.data, args.sweep.first()) {
        let data = data.display();
        return Err(CliError::usage(
            format!("`{data}` fixes the size of dimension `{name}`, which is to be swept"),
            "leave out `--data`: inputs of each size are made up then; or leave out `--sweep`",
        ));
    }
    Ok(shapes)
}

/// Makes sure that a dimension has its sizes from one option alone.
fn check_swept(swept: &SweptDim, earlier: &[SweptDim], inputs: &InputArgs) -> Result<()> {
    let name = &swept.name;
    if earlier.iter().any(|earlier| earlier.name == *name) {
        return Err(CliError::usage(
            format!("dimension `{name}` is swept twice"),
            "name all of its sizes in one `--sweep`",
        ));
    }
    if inputs.dims.iter().any(|(fixed, _)| fixed == name) {
        return Err(CliError::usage(
            format!("dimension `{name}` is set by `--dim` and swept by `--sweep`"),
            "leave out one of both",
        ));
    }
    Ok(())
}

/// A shape in which a dimension has this size as well.
fn with(shape: &Shape, name: &str, size: u64) -> Shape {
    let mut shape = shape.clone();
    shape.dims.insert(name.into(), size);
    shape
}

/// The idle gaps asked for, ascending and distinct.
pub fn idle_gaps(args: &LoadArgs) -> Vec<Nanos> {
    sorted(args.idle_gaps.iter().flatten().map(|&gap| Nanos::from(gap)))
}

/// Batch sizes that were named are measured to the last.
pub fn sweep_end(named: &Option<Vec<u64>>) -> SweepEnd {
    match named {
        Some(_) => SweepEnd::Listed,
        None => SweepEnd::Saturation,
    }
}

/// Ascending and distinct.
pub fn sorted<T: Ord>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let distinct: BTreeSet<T> = all.into_iter().collect();
    distinct.into_iter().collect()
}

//! Whether what the words of a command ask for fits together, asked before anything is begun.

use std::time::Duration;

use super::values::SweptDim;
use crate::cli::CliError;
use crate::plan::{MOST_CELLS, Plan, Schedule};

/// Makes sure that a block that was asked for fits into the time of the run.
pub fn check_block(schedule: &Schedule) -> Result<(), CliError> {
    let block = Duration::from(schedule.block_ns);
    match schedule.budget_ns.map(Duration::from) {
        Some(budget) if block > budget && schedule.block_ns > Schedule::BLOCK => {
            let message = format!("a block of {block:?} does not fit into a budget of {budget:?}");
            Err(CliError::usage(
                message,
                "name a shorter `--block` or a longer `--budget`",
            ))
        }
        _ => Ok(()),
    }
}

/// Makes sure that the sizes of swept dimensions make no more shapes than can be measured.
pub fn check_sweep(swept: &[SweptDim]) -> Result<(), CliError> {
    check(
        swept.iter().fold(1, |count: u64, swept| {
            count.saturating_mul(swept.sizes.len() as u64)
        }),
        "shapes",
    )
}

/// Makes sure that a plan has no more cells than can be measured.
pub fn check_cells(plan: &Plan) -> Result<(), CliError> {
    check(plan.grid_count(), "cells")
}

fn check(count: u64, what: &str) -> Result<(), CliError> {
    if count <= MOST_CELLS {
        return Ok(());
    }
    let message = format!("{count} {what} are asked for, and {MOST_CELLS} are measured at most");
    Err(CliError::usage(
        message,
        "name fewer models, runtimes, sizes or requests in flight",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_multiplies_beyond_measure_is_refused() {
        let swept = |dims: usize| {
            vec![
                SweptDim {
                    name: "n".into(),
                    sizes: (1..=100).collect()
                };
                dims
            ]
        };
        assert!(check_sweep(&swept(3)).is_ok() && check_sweep(&[]).is_ok());
        let error = check_sweep(&swept(4)).unwrap_err();
        assert_eq!(
            error.chain,
            ["100000000 shapes are asked for, and 1000000 are measured at most"]
        );
        assert!(
            check_sweep(&swept(40)).unwrap_err().chain[0]
                .starts_with("18446744073709551615 shapes")
        );
    }
}

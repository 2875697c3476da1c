//! Whether what the words of a command ask for fits together, asked before anything is begun.

use std::time::Duration;

use super::values::SweptDim;
use crate::cli::{CliError, Result};
use crate::plan::{MOST_CELLS, Schedule};

/// Makes sure that a block that was asked for fits into the time of the run.
pub fn check_block(schedule: &Schedule) -> Result<()> {
    let block = Duration::from(schedule.block_ns);
    match schedule.budget_ns.map(Duration::from) {
        Some(budget) if block > budget && schedule.block_ns > Schedule::BLOCK => {
            Err(CliError::usage(
                format!("a block of {block:?} does not fit into a budget of {budget:?}"),
                "name a shorter `--block` or a longer `--budget`",
            ))
        }
        _ => Ok(()),
    }
}

/// Makes sure that the sizes of swept dimensions make no more shapes than can be measured.
pub fn check_sweep(swept: &[SweptDim]) -> Result<()> {
    check(
        swept
            .iter()
            .map(|swept| swept.sizes.len() as u64)
            .fold(1, u64::saturating_mul),
        "shapes",
    )
}

/// Makes sure that no more than can be measured is asked for.
pub fn check(count: u64, what: &str) -> Result<()> {
    if count > MOST_CELLS {
        return Err(CliError::usage(
            format!("{count} {what} are asked for, and {MOST_CELLS} are measured at most"),
            "name fewer models, runtimes, sizes or requests in flight",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_multiplies_beyond_measure_is_refused() {
        let checked = |dims| {
            let (name, sizes) = ("n".to_owned(), (1..=100).collect());
            check_sweep(&vec![SweptDim { name, sizes }; dims]).map_err(|error| error.chain.concat())
        };
        assert_eq!((checked(0), checked(3)), (Ok(()), Ok(())));
        assert_eq!(
            checked(4).unwrap_err(),
            "100000000 shapes are asked for, and 1000000 are measured at most"
        );
        assert!(
            checked(40)
                .unwrap_err()
                .starts_with("18446744073709551615 shapes")
        );
    }
}

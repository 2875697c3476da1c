//! Names in tables for programs.

use super::{CliError, Result};
use crate::export::Names;

#[derive(Debug, clap::Args)]
pub(super) struct RawNames {
    /// Leaves names in CSV without the apostrophe that keeps a spreadsheet from taking those that
    /// begin with `=`, `+`, `-`, `@`, a tab or a carriage return for formulas. For programs.
    #[arg(long, conflicts_with = "json")]
    raw_names: bool,
}

impl RawNames {
    pub(super) fn in_csv(&self) -> Names {
        if self.raw_names {
            Names::Raw
        } else {
            Names::Guarded
        }
    }

    /// Refuses the option where no CSV is written: nothing asked for is dropped in silence.
    pub(super) fn refuse(&self) -> Result<()> {
        if self.raw_names {
            return Err(CliError::usage(
                "`--raw-names` is about CSV alone",
                "add `--format csv`, or leave it out",
            ));
        }
        Ok(())
    }
}

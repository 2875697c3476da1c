//! Options that say what decides between variants.

use super::goal::{ObjectiveArg, points};
use crate::plan::{Flag, Judging, Tolerance};
use crate::units::Ratio;

/// What decides between variants.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Judging")]
pub struct JudgingArgs {
    /// What decides between variants: latency is the median at the smallest batch size.
    #[arg(long = Flag::Objective.word(), default_value = "latency")]
    pub objective: ObjectiveArg,
    /// How far accuracy may fall below the baseline's, surely: the lower end of the interval of the
    /// change counts. Of an error, by how many percent it may grow. [default: 1pt]
    #[arg(long = Flag::MaxAccuracyDrop.word(), value_name = "POINTS", value_parser = points)]
    pub max_accuracy_drop: Option<Ratio>,
}

impl JudgingArgs {
    pub(super) fn judging(&self, tolerances: &[Tolerance]) -> Judging {
        Judging {
            objective: self.objective.into(),
            max_accuracy_drop_ratio: self.max_accuracy_drop.unwrap_or(Judging::MAX_ACCURACY_DROP),
            tolerances: tolerances.to_vec(),
        }
    }
}

//! Whether a choice is a gain over the baseline.

use crate::analysis::{Basis, Choice, Pick};

/// Why a choice is no gain over the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGain {
    /// Nothing was chosen.
    NothingChosen,
    /// There is nothing to compare with the baseline, or no baseline.
    NothingToCompare,
    /// Nothing usable was shown to be better.
    NoneShown,
}

impl Choice {
    /// The choice, if it is measurably better than the baseline.
    ///
    /// # Errors
    /// Why it is not.
    pub fn gain(&self) -> Result<&Pick, NoGain> {
        let pick = self.pick().ok_or(NoGain::NothingChosen)?;
        match pick.basis {
            Basis::BeatsBaseline => Ok(pick),
            Basis::OnlyUsable | Basis::BestWithoutBaseline => Err(NoGain::NothingToCompare),
            Basis::NothingBetter => Err(NoGain::NoneShown),
        }
    }
}

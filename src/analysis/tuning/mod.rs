//! Findings of a search for the best session options: which configuration to ship, what it gains,
//! and what became of the others. The same judgement serves the search itself while it goes on.
//! Begin at [`TuningFindings`].

mod candidate;
mod contest;
mod findings;
mod gain;
mod judgement;
mod preference;
mod split;
mod standing;
mod verdict;

pub use candidate::{AXES, Candidate, State};
pub use contest::{
    LOOKS, SLO_WIDENED, Turns, drop_error, floor, metric, slo_confidence, slo_error,
};
pub(super) use findings::{Searched, of};
pub use findings::{TuningFindings, default_cell};
pub use gain::Relative;
pub(in crate::analysis) use judgement::of_search;
pub use preference::{Criterion, Preference, criteria};
pub use standing::{HeldSlo, Judge, SloStanding, described};
pub use verdict::{Contender, TuningVerdict};

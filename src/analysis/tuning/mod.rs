//! What a search for the best session options found: which configuration to ship, what it gains, and what became of the
//! others. The same judgement serves the search itself while it goes on. Begin at [`TuningFindings`].

mod candidate;
mod contest;
mod findings;
mod front;
mod gain;
mod looks;
mod preference;
mod relative;
mod standing;
mod verdict;

pub use candidate::{Candidate, State};
pub use contest::{floor, metric};
pub use findings::TuningFindings;
pub(super) use findings::of;
pub use front::AXES;
pub use looks::{LOOKS, SLO_WIDENED, drop_error, slo_confidence, slo_error};
pub use preference::{Criterion, Preference, criteria};
pub use relative::Relative;
pub use standing::{HeldSlo, Judge, SloStanding, computes_alike, described};
pub use verdict::{Contender, TuningVerdict};

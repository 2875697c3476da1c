//! What a search for the best session options found: which configuration to ship, what it gains, and what became of the
//! others. The same judgement serves the search itself while it goes on. Begin at [`TuningFindings`].

mod contest;
mod findings;
mod front;
mod gain;
mod looks;
mod preference;
mod relative;
mod standing;
mod verdict;

pub use contest::{floor, metric};
pub(super) use findings::of;
pub use findings::{Candidate, State, TuningFindings};
pub use front::AXES;
pub use looks::{LOOKS, SLO_WIDENED, drop_error, slo_confidence, slo_error};
pub use preference::{Criterion, Preference, criteria};
pub use relative::Relative;
pub use standing::{Judge, SloStanding, Standing, computes_alike, described};
pub use verdict::{Contender, TuningVerdict};

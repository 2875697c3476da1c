//! Rules about figures, and whether a run keeps them.
//!
//! A rule passes only where the measurement shows that it does: the interval decides, not the
//! value. What cannot be told is [`GateVerdict::Inconclusive`], and a rule that checks nothing is
//! an error. A ratio between two sides that are the same files, runtime and options is not measured
//! to be known: it is 1, unless times were measured again in turns. Begin at [`gate()`].

mod at_load;
mod checks;
mod held;
mod init;
mod relative;
mod rules;
mod same;
mod shipped;
mod target;
mod types;
mod under_load;
mod verdict;

pub use at_load::LoadPlace;
pub use checks::{LOOKS_WIDENED, gate, undecided};
pub use held::{Held, held_at, is_of_outputs, is_timing};
pub use init::init;
pub use rules::{Mistake, Rule, RuleError, Selected, Selectors, rules};
pub use same::variants_of_same_files;
pub use types::{Again, Against, Checked, Gate, LeftOut, Run, Terms, Unfit};
pub use verdict::{Basis, GateVerdict, Judgement, Same, Settling};

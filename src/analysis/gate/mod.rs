//! Rules about figures, and whether a run keeps them.
//!
//! A rule passes only where the measurement shows that it does: the interval decides, not the
//! value. What cannot be told is [`GateVerdict::Inconclusive`], and a rule that checks nothing is
//! an error. Begin at [`gate()`].

mod checks;
mod held;
mod init;
mod relative;
mod rules;
mod target;
mod types;
mod verdict;

pub use checks::gate;
pub use held::{Held, held_at};
pub use init::init;
pub use rules::{Mistake, Rule, RuleError, rules};
pub use types::{Checked, Gate, LeftOut, Run};
pub use verdict::{Basis, GateVerdict, Judgement, Settling};

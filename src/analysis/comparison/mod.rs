//! Changes between two sessions, whichever run each of them was measured in.
//!
//! Sessions of one run took turns, so they are compared round by round. Sessions of two runs did
//! not: they are compared launch against launch, which holds the spread between launches and leaves
//! out whatever changed between the times of both runs. Read [`compare()`] first, which does it for
//! everything that runs have in common.

mod change;
mod comparisons;
mod differences;
mod models;
mod select;
mod side;

pub use change::{Delta, Design};
pub(super) use change::{change, judge};
pub use comparisons::{
    CELL_METRICS, ComparedRun, Comparisons, Pair, PairedCell, Party, Row, RowOutcome, compare,
};
pub use differences::{Difference, Setting, host_differences, other_differences};
pub use models::{Recorded, kind_differences, model_differences};
pub(super) use select::counterpart;
pub use select::{NamedRun, SelectError};
pub(super) use side::{Side, Sides};

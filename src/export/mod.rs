//! Tables for programs: CSV of figures, comparisons, loads and nodes in base units, from the record and
//! its findings alone.
//!
//! Nothing here is scaled, rounded or worded for people. Read [`cells_csv`] first.

mod cells;
mod comparison;
mod load;
mod operators;
mod table;

pub use cells::cells_csv;
pub use comparison::comparison_csv;
pub use load::load_csv;
pub use operators::{operators_csv, trace_csv};
pub use table::Names;

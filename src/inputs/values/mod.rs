//! Values that are fed where there is no data: decided by what operators do with them.

mod bound;
mod flow;
mod names;
mod operators;

pub(super) use bound::{IndexBound, bound};
pub(super) use flow::Flow;
pub(super) use names::{Role, role};

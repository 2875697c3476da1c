//! Operators of a session: how long they took, how much they computed, and what limits them.

mod group;

pub use group::OperatorGroup;

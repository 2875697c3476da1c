//! Where a session is measured: shape, batch size and load mode.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{Plain, joined};

/// Sizes that a sweep gives to dimensions that the models leave open, by their symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shape {
    /// Size of each swept dimension.
    pub dims: BTreeMap<Plain, u64>,
    /// Name of the phase that the shape stands for, where that has one: `prefill`, `decode`. Absent
    /// in records before version 1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Plain>,
}

impl Shape {
    /// Whether no swept dimension is larger in `other` than here.
    #[must_use]
    pub fn covers(&self, other: &Shape) -> bool {
        other
            .dims
            .iter()
            .all(|(name, size)| self.dims.get(name) >= Some(size))
    }
}

impl fmt::Display for Shape {
    /// `seq 64, width 3`, or `decode, past 128, seq 1`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.iter().map(|name| name.exact().to_owned());
        out.write_str(&joined(
            name.chain(
                self.dims
                    .iter()
                    .map(|(name, size)| format!("{} {size}", name.exact())),
            ),
        ))
    }
}

/// The shapes of a plan that sweeps none.
#[must_use]
pub fn unswept() -> Vec<Shape> {
    vec![Shape::default()]
}

/// Shape, batch size and load mode that a session is measured under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Workload {
    /// Index into [`Plan::shapes`](super::Plan::shapes).
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load: LoadMode,
}

impl Workload {
    /// The cell of a session under it.
    #[must_use]
    pub fn of(self, session: usize) -> CellKey {
        CellKey {
            session,
            shape: self.shape,
            batch_size: self.batch_size,
            load_mode: self.load,
        }
    }
}

/// One row of the grid that is measured: a session under one shape, batch size and load mode.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct CellKey {
    /// Index into [`Plan::sessions`](super::Plan::sessions).
    pub session: usize,
    /// Index into [`Plan::shapes`](super::Plan::shapes).
    #[serde(default, skip_serializing_if = "is_first")]
    pub shape: usize,
    /// Samples per inference.
    pub batch_size: u64,
    /// How requests arrive.
    pub load_mode: LoadMode,
}

impl CellKey {
    /// The workload that the session is measured under.
    #[must_use]
    pub fn workload(self) -> Workload {
        Workload {
            shape: self.shape,
            batch_size: self.batch_size,
            load: self.load_mode,
        }
    }
}

fn is_first(index: &usize) -> bool {
    *index == 0
}

/// How requests reach a session. Ordered by how much is asked of it at once, and displayed as in `4
/// requests in flight`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LoadMode {
    /// `concurrency` threads share one session; each sends its next request when the last is done.
    Closed {
        /// Requests in flight at any time.
        concurrency: u64,
    },
}

impl LoadMode {
    /// One request at a time, which is what nothing is said of where a run has no other.
    pub const SINGLE: LoadMode = LoadMode::Closed { concurrency: 1 };

    /// Heading of a table's column in which [`LoadMode::in_column`] stands.
    pub const COLUMN: &str = "in flight";

    /// Threads that run the session, each with inputs and outputs of its own.
    #[must_use]
    pub fn threads_count(self) -> u64 {
        match self {
            LoadMode::Closed { concurrency } => concurrency,
        }
    }

    /// The mode under the heading [`LoadMode::COLUMN`].
    #[must_use]
    pub fn in_column(self) -> String {
        match self {
            LoadMode::Closed { concurrency } => concurrency.to_string(),
        }
    }
}

impl fmt::Display for LoadMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadMode::Closed { concurrency: 1 } => out.write_str("1 request in flight"),
            LoadMode::Closed { concurrency } => write!(out, "{concurrency} requests in flight"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dims: &[(&str, u64)]) -> Shape {
        Shape {
            dims: dims
                .iter()
                .map(|&(name, size)| (name.into(), size))
                .collect(),
            name: None,
        }
    }

    #[test]
    fn a_shape_is_called_by_its_sizes() {
        assert_eq!(
            shape(&[("width", 3), ("seq", 64)]).to_string(),
            "seq 64, width 3"
        );
        assert_eq!(shape(&[]).to_string(), "");
        let decode = Shape {
            name: Some("decode".into()),
            ..shape(&[("seq", 1), ("past", 128)])
        };
        assert_eq!(decode.to_string(), "decode, past 128, seq 1");
    }

    #[test]
    fn a_shape_covers_those_that_are_nowhere_larger() {
        let large = shape(&[("a", 4), ("b", 8)]);
        assert!(large.covers(&large) && large.covers(&shape(&[("a", 4), ("b", 2)])));
        assert!(!large.covers(&shape(&[("a", 5), ("b", 2)])));
    }

    #[test]
    fn modes_are_told_by_their_requests_and_more_at_once_come_later() {
        let [one, four, ten] = [1, 4, 10].map(|concurrency| LoadMode::Closed { concurrency });
        assert!(LoadMode::SINGLE == one && one < four && four < ten);
        assert_eq!(
            serde_json::to_string(&four).unwrap(),
            r#"{"closed":{"concurrency":4}}"#
        );
        assert_eq!(
            [one, four].map(|mode| mode.to_string()),
            ["1 request in flight", "4 requests in flight"]
        );
    }
}

//! How requests reach a session: the modes, their order and their words.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How requests reach a session. Ordered by how much is asked of it at once, and displayed as in `4 requests in flight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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

    #[test]
    fn more_requests_at_once_come_later() {
        let [one, four, ten] = [1, 4, 10].map(|concurrency| LoadMode::Closed { concurrency });
        assert!(LoadMode::SINGLE == one && one < four && four < ten);
    }

    #[test]
    fn a_record_names_the_mode() {
        let four = LoadMode::Closed { concurrency: 4 };
        assert_eq!(serde_json::to_string(&four).unwrap(), r#"{"closed":{"concurrency":4}}"#);
        assert_eq!(
            [LoadMode::SINGLE, four].map(|mode| mode.to_string()),
            ["1 request in flight", "4 requests in flight"]
        );
    }
}

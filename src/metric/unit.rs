//! In what figures are counted, and which way is better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Bytes.
    Bytes,
    /// Per second.
    PerSec,
    /// A share or quotient.
    Ratio,
    /// Joules.
    Joules,
    /// Watts.
    Watts,
    /// A number of things.
    Count,
    /// The unit of the model's own output.
    OutputUnit,
}

impl Unit {
    /// Name of the unit in machine-readable reports, the same as in JSON.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Unit::Ns => "ns",
            Unit::Bytes => "bytes",
            Unit::PerSec => "per_sec",
            Unit::Ratio => "ratio",
            Unit::Joules => "joules",
            Unit::Watts => "watts",
            Unit::Count => "count",
            Unit::OutputUnit => "output_unit",
        }
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither.
    Neutral,
}

impl Direction {
    /// A value so that less of it is better.
    #[must_use]
    pub fn cost(self, value: f64) -> f64 {
        if self == Direction::Higher {
            -value
        } else {
            value
        }
    }
}

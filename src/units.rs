//! Units of measured quantities as types, so that a number cannot lose its unit on the way.
//!
//! Every type is a transparent newtype: in JSON it is a bare number, and the field that holds it
//! carries the unit in its name (`_ns`, `_bytes`, `_ratio`, `_per_sec`, `_joules`). Scaling for
//! people (ms, MiB, %) happens in `report` alone.

use std::iter::Sum;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A span of time, in nanoseconds.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// The span in nanoseconds as a floating point number, for statistics.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// The span in seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The span from `earlier` to `self`, zero if `earlier` is the later one.
    #[must_use]
    pub fn since(self, earlier: Nanos) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Nanos(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Duration::from_nanos(nanos.0)
    }
}

impl std::ops::Add for Nanos {
    type Output = Nanos;

    fn add(self, other: Nanos) -> Nanos {
        Nanos(self.0.saturating_add(other.0))
    }
}

/// Ends at the largest number: what is added up may come from a file, which says what it likes.
impl Sum for Nanos {
    fn sum<I: Iterator<Item = Nanos>>(parts: I) -> Nanos {
        parts.fold(Nanos(0), |sum, part| sum + part)
    }
}

/// A quantity of storage or memory, in bytes.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Bytes(pub u64);

impl Bytes {
    /// The quantity in bytes as a floating point number, for statistics.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// The quantity for messages, in the largest unit of 1,000s that it has one of: `950 bytes`,
    /// `4.2 MB`, `31 GB`.
    #[must_use]
    pub fn in_words(self) -> String {
        const UNITS: [(&str, f64); 4] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
        let Some((unit, size)) = UNITS.into_iter().find(|(_, size)| self.as_f64() >= *size) else {
            return if self.0 == 1 {
                "1 byte".into()
            } else {
                format!("{} bytes", self.0)
            };
        };
        let count = self.as_f64() / size;
        if count < 10.0 {
            format!("{count:.1} {unit}")
        } else {
            format!("{count:.0} {unit}")
        }
    }

    /// The size of a download or an installation, in a sentence.
    #[must_use]
    pub fn in_megabytes(self) -> String {
        match self.0.saturating_add(500_000) / 1_000_000 {
            0 => "less than 1 MB".into(),
            megabytes => format!("{megabytes} MB"),
        }
    }
}

/// Ends at the largest number, like that of [`Nanos`].
impl Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(parts: I) -> Bytes {
        Bytes(parts.fold(0, |sum: u64, part| sum.saturating_add(part.0)))
    }
}

/// A share or a quotient; a share lies in 0..=1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Ratio(pub f64);

/// Events in a second: requests, predictions.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct PerSecond(pub f64);

/// A frequency, in hertz.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Hertz(pub u64);

/// A temperature, in degrees Celsius.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Celsius(pub f64);

/// An energy, in joules.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Joules(pub f64);

impl Joules {
    /// The mean power over a time; `None` over no time.
    #[must_use]
    pub fn over(self, time: Nanos) -> Option<Watts> {
        (time.0 > 0).then(|| Watts(self.0 / time.as_secs_f64()))
    }
}

impl std::ops::Add for Joules {
    type Output = Joules;

    fn add(self, other: Joules) -> Joules {
        Joules(self.0 + other.0)
    }
}

/// A power, in watts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Watts(pub f64);

impl Watts {
    /// The energy that a constant power takes over a time.
    #[must_use]
    pub fn over(self, time: Nanos) -> Joules {
        Joules(self.0 * time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_end_at_the_largest_number() {
        assert_eq!(
            [Nanos(u64::MAX), Nanos(1)].into_iter().sum::<Nanos>(),
            Nanos(u64::MAX)
        );
        assert_eq!(
            [Bytes(1), Bytes(u64::MAX)].into_iter().sum::<Bytes>(),
            Bytes(u64::MAX)
        );
        assert_eq!(
            [Some(Bytes(1)), Some(Bytes(2))]
                .into_iter()
                .sum::<Option<Bytes>>(),
            Some(Bytes(3))
        );
        assert_eq!(
            [Some(Bytes(1)), None].into_iter().sum::<Option<Bytes>>(),
            None
        );
    }
}

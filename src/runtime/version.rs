//! Versions of ONNX Runtime.

use std::fmt;
use std::str::FromStr;

/// The version that is installed where no library is found: the newest that everything here was tried with.
pub const DEFAULT_VERSION: Version = Version { major: 1, minor: 31, patch: 1 };

/// The oldest version that can be loaded: the first with allocator statistics in its API.
pub const OLDEST_VERSION: Version = Version { major: 1, minor: 23, patch: 0 };

/// A released version of ONNX Runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number, which is the version of the API as well.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Three numbers separated by dots were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is three numbers, such as {DEFAULT_VERSION}")]
pub struct NotAVersion;

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if digits { part.parse().map_err(|_| NotAVersion) } else { Err(NotAVersion) }
        };
        let mut parts = text.split('.').map(number);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(major), Some(minor), Some(patch), None) => {
                Ok(Version { major: major?, minor: minor?, patch: patch? })
            }
            _ => Err(NotAVersion),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number_not_by_text() {
        let parse = |text: &str| text.parse::<Version>().unwrap();
        assert!(parse("1.9.0") < parse("1.23.0"));
        assert!(parse("1.31.1") < parse("2.0.0"));
        assert_eq!(parse("1.31.1"), DEFAULT_VERSION);
    }

    #[test]
    fn anything_but_three_numbers_is_no_version() {
        for text in ["", "1", "1.31", "1.31.1.0", "1.+31.1", "1.x.1", "1..1", "../1.2.3", "1.99999999999.0"] {
            assert_eq!(text.parse::<Version>(), Err(NotAVersion), "{text}");
        }
    }
}

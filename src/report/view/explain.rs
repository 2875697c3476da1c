//! Why each session is as fast as it is, against the baseline.

use super::Section;
use super::words::Source;

/// Why each session is as fast as it is, against the baseline.
pub(super) fn sections(_: Source<'_>) -> Vec<Section> {
    Vec::new()
}

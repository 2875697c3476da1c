//! How latency and throughput go with batch size and shape.

use super::Section;
use super::words::Source;

/// How latency and throughput go with batch size and shape.
pub(super) fn sections(_: Source<'_>) -> Vec<Section> {
    Vec::new()
}

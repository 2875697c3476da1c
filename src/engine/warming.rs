//! How long callers warm up before they serve.

use crate::measure::{Clock, MonotonicClock};
use crate::units::Nanos;

/// Time in which a caller runs samples, or sizes of a batch, before it serves, beside the least that
/// there must be: what has not run then has its first inference under load.
const WARMING: Nanos = Nanos(500_000_000);

/// Whether there is time left to warm up, for who began then.
pub(super) fn is_left(began_at: Nanos) -> bool {
    MonotonicClock.now().since(began_at) < WARMING
}

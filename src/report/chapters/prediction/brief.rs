//! Names and reasons, cut where they are long.

use crate::report::words::shortened;
use crate::text::Plain;

/// Characters that are kept of a source or reason; the record has all of it.
const REASON_LENGTH: usize = 160;

const NAME_LENGTH: usize = 60;

pub(super) fn name(name: &Plain) -> String {
    shortened(&name.to_string(), NAME_LENGTH)
}

pub(super) fn brief(text: &Plain) -> String {
    shortened(&text.to_string(), REASON_LENGTH)
}

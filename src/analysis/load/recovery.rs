//! How long it takes until responses are again what they were before the load.

use super::pool::Read;
use crate::record::LoadWindow;
use crate::units::Nanos;

/// Parts in a row that must be as before: one alone may be so by chance.
const IN_A_ROW: usize = 3;

/// What the end of one ramp shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recovered {
    /// So long after the fall of the rate, to the end of the first part that is as before.
    After(Nanos),
    /// Not in the time that was measured.
    NotWithin(Nanos),
}

/// The largest median response of a part of the time before.
pub(super) fn level_before(before: &[&Read<'_>]) -> Option<Nanos> {
    before
        .iter()
        .flat_map(|read| &read.windows)
        .filter_map(|window| window.response_p50_ns)
        .max()
}

/// `None` of a ramp whose rate does not fall, or that has too few parts after it.
pub(super) fn of(ramp: &Read<'_>, level: Nanos) -> Option<Recovered> {
    let offer = &ramp.segment.offer;
    let fall = offer.fall?;
    let after: Vec<&LoadWindow> = ramp
        .windows
        .iter()
        .filter(|window| window.end_ns > offer.length_ns)
        .collect();
    let enough = after.len().checked_sub(IN_A_ROW)?;
    let first = (0..=enough).find(|&first| {
        after[first..first + IN_A_ROW]
            .iter()
            .all(|window| is_as_before(window, level))
    });
    Some(match first {
        Some(first) => Recovered::After(after[first].end_ns.since(offer.length_ns)),
        None => Recovered::NotWithin(fall.length_ns),
    })
}

/// A part in which nothing came and nothing waits is.
fn is_as_before(window: &LoadWindow, level: Nanos) -> bool {
    match window.response_p50_ns {
        Some(response) => response <= level && window.counts.errors() == 0,
        None => window.queue == 0 && window.counts.errors() == 0,
    }
}

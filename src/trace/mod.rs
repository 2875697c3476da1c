//! Traces of ONNX Runtime's profiler: a JSON array of events in Chrome's trace format, one for each
//! run of a node.
//!
//! Nothing of a trace is kept but sums by node, so that memory goes with the graph and not with the
//! inferences; where kernels of a device are in it, some bytes of each, up to a bound. A trace that
//! was cut off is read as far as it goes. It knows no session and no run.
//! Read [`read`] first.

mod device;
mod error;
mod event;
mod events;
mod fold;
mod lengths;
mod nesting;
mod order;

pub use error::TraceError;
pub use fold::{Inferences, Trace};

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::files::{self, InputFile, Kind};
use crate::units::Nanos;
use error::{Fault, Result};
use event::Subject;
use events::Events;
use fold::{Fold, MOST_SAID};
use lengths::Lengths;
use order::{Order, Scout};

/// Which inferences after the first are to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// All of them.
    All,
    /// Those that took no more than 5/4 of the lower quartile. It is for inferences that all do the
    /// same work, of which longer ones were disturbed, or found their threads asleep.
    Typical,
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads the trace at `path`.
///
/// # Errors
/// The file is missing, empty, compressed or no trace, holds no inference that came to its end or
/// no operators, or is changed meanwhile.
pub fn read(path: &Path, counted: Counted) -> std::result::Result<Trace, TraceError> {
    open(path)
        .and_then(|file| fold(&file, counted))
        .map_err(|fault| fault.of(path))
}

fn open(path: &Path) -> Result<InputFile> {
    files::open(path, Kind::TRACE).map_err(|source| match source.kind() {
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => Fault::Refused(TraceError::NotFile),
        _ => Fault::Unread(source),
    })
}

fn fold(file: &InputFile, counted: Counted) -> Result<Trace> {
    refuse_empty_or_compressed(file)?;
    let longest = match counted {
        Counted::All => Nanos(u64::MAX),
        Counted::Typical => longest_typical(Events::begin(file)?)?,
    };
    let order = order(Events::begin(file)?)?;
    let mut events = Events::begin(file)?;
    let mut fold = Fold::new(longest, order);
    events.each(|event, place| fold.take(event, place))?;
    if events.complete {
        fold.end();
    }
    if let Some(error) = refused(&events, &fold) {
        return Err(Fault::Refused(error));
    }
    let is_old = fold.has_unplaced;
    let (mut trace, places) = fold.finish();
    if trace.profiled.nodes.is_empty() {
        return Err(Fault::Refused(match is_old {
            true => TraceError::OldFormat,
            false => TraceError::NoOperators,
        }));
    }
    trace.profiled.complete = events.complete;
    trace.profiled.unreadable_events_count = events.unreadable_count;
    describe(&mut trace, &places, file)?;
    file.check_unchanged()?;
    Ok(trace)
}

fn refuse_empty_or_compressed(file: &InputFile) -> Result<()> {
    let mut begin = [0; GZIP.len()];
    match file.len() {
        0 => return Err(Fault::Refused(TraceError::Empty)),
        1 => {}
        _ => file.read_exact_at(&mut begin, 0)?,
    }
    match begin {
        GZIP => Err(Fault::Refused(TraceError::Compressed)),
        _ => Ok(()),
    }
}

/// Why the events are not those of a trace, which holds an inference and no more nodes than are
/// counted.
fn refused(events: &Events<'_>, fold: &Fold) -> Option<fn(PathBuf) -> TraceError> {
    if events.count == 0 && events.unreadable_count > 0 {
        return Some(TraceError::NotTrace);
    }
    match (fold.has_inference(), events.complete) {
        (false, true) => Some(TraceError::NoInference),
        (false, false) => Some(TraceError::CutOffEarly),
        (true, _) if fold.is_full() => Some(TraceError::TooManyNodes),
        (true, _) => None,
    }
}

/// Adds what the events at these places say of the nodes.
fn describe(trace: &mut Trace, places: &[Range<u64>], file: &InputFile) -> Result<()> {
    let said: u64 = places.iter().map(|place| place.end - place.start).sum();
    if said > MOST_SAID.0 {
        return Err(Fault::Refused(TraceError::TooManyNodes));
    }
    for (node, place) in trace.profiled.nodes.iter_mut().zip(places) {
        let mut bytes = vec![0; (place.end - place.start) as usize];
        file.read_exact_at(&mut bytes, place.start)?;
        event::describe(node, &bytes);
    }
    Ok(())
}

fn order(mut events: Events<'_>) -> io::Result<Order> {
    let mut scout = Scout::default();
    events.each_until(|event, _| scout.take(event))?;
    Ok(scout.order.unwrap_or_default())
}

/// Length of the longest inference that is typical: 5/4 of the lower quartile, the first left out.
fn longest_typical(mut events: Events<'_>) -> io::Result<Nanos> {
    let (mut lengths, mut is_first) = (Lengths::default(), true);
    events.each(|event, _| {
        if matches!(event.subject(), Subject::Inference) && !std::mem::take(&mut is_first) {
            lengths.add(event.length);
        }
    })?;
    let quartile = lengths.quantile(4).map_or(u64::MAX, |length| length.0);
    Ok(Nanos(quartile.saturating_add(quartile / 4)))
}

#[cfg(test)]
mod tests;

//! Traces of ONNX Runtime's profiler: a JSON array of events in Chrome's trace format, one for each
//! run of a node.
//!
//! Nothing of a trace is kept but sums by node, so that memory goes with the graph and not with the
//! inferences. A trace that was cut off is read as far as it goes. It knows no session and no run.
//! Read [`read`] first.

mod error;
mod event;
mod events;
mod fold;
mod lengths;
mod nesting;

pub use error::TraceError;
pub use fold::{Inferences, Trace};

use std::io;
use std::ops::Range;
use std::path::Path;

use crate::files::{self, InputFile, Kind};
use crate::units::Nanos;
use event::Subject;
use events::Events;
use fold::{Fold, MOST_SAID};
use lengths::Lengths;

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
pub fn read(path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    let file = files::open(path, Kind::TRACE).map_err(|source| match source.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            TraceError::NotFile(path.to_owned())
        }
        _ => unopened(path, source),
    })?;
    if file.len() == 0 {
        return Err(TraceError::Empty(path.to_owned()));
    }
    let trace = fold(&file, path, counted)?;
    file.check_unchanged()
        .map_err(|source| unopened(path, source))?;
    Ok(trace)
}

fn unopened(path: &Path, source: io::Error) -> TraceError {
    TraceError::Open(path.to_owned(), source)
}

fn fold(file: &InputFile, path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    refuse_compressed(file, path)?;
    let longest = match counted {
        Counted::All => Nanos(u64::MAX),
        Counted::Typical => {
            longest_typical(begin(file, path)?).map_err(|source| unopened(path, source))?
        }
    };
    let mut events = begin(file, path)?;
    let mut fold = Fold::new(longest);
    events
        .each(|event, place| fold.take(event, place))
        .map_err(|source| unopened(path, source))?;
    require_inference(&events, &fold, path)?;
    let is_old = fold.has_unplaced;
    let (mut trace, details) = fold.finish();
    if trace.profiled.nodes.is_empty() {
        return Err(if is_old {
            TraceError::OldFormat(path.to_owned())
        } else {
            TraceError::NoOperators(path.to_owned())
        });
    }
    trace.profiled.complete = events.complete;
    trace.profiled.unreadable_events_count = events.unreadable_count;
    describe(&mut trace, &details, file, path)?;
    Ok(trace)
}

fn refuse_compressed(file: &InputFile, path: &Path) -> Result<(), TraceError> {
    let mut begin = [0; GZIP.len()];
    if file.len() >= GZIP.len() as u64 {
        file.read_exact_at(&mut begin, 0)
            .map_err(|source| unopened(path, source))?;
    }
    if begin == GZIP {
        return Err(TraceError::Compressed(path.to_owned()));
    }
    Ok(())
}

fn begin<'a>(file: &'a InputFile, path: &Path) -> Result<Events<'a>, TraceError> {
    Events::begin(file)
        .map_err(|source| unopened(path, source))?
        .ok_or_else(|| TraceError::NotTrace(path.to_owned()))
}

/// Makes sure that the events are those of a trace, which holds an inference and no more nodes than
/// are counted.
fn require_inference(events: &Events<'_>, fold: &Fold, path: &Path) -> Result<(), TraceError> {
    let path = path.to_owned();
    if events.count == 0 && events.unreadable_count > 0 {
        return Err(TraceError::NotTrace(path));
    }
    if !fold.has_inference() {
        return Err(if events.complete {
            TraceError::NoInference(path)
        } else {
            TraceError::CutOffEarly(path)
        });
    }
    if fold.is_full() {
        return Err(TraceError::TooManyNodes(path));
    }
    Ok(())
}

/// Adds what the events at these places say of the nodes.
fn describe(
    trace: &mut Trace,
    places: &[Range<u64>],
    file: &InputFile,
    path: &Path,
) -> Result<(), TraceError> {
    let said: u64 = places.iter().map(|place| place.end - place.start).sum();
    if said > MOST_SAID.0 {
        return Err(TraceError::TooManyNodes(path.to_owned()));
    }
    for (node, place) in trace.profiled.nodes.iter_mut().zip(places) {
        let mut bytes = vec![0; (place.end - place.start) as usize];
        file.read_exact_at(&mut bytes, place.start)
            .map_err(|source| unopened(path, source))?;
        event::describe(node, &bytes);
    }
    Ok(())
}

/// Length of the longest inference that is typical: 5/4 of the lower quartile, the first left out.
fn longest_typical(mut events: Events<'_>) -> io::Result<Nanos> {
    let (mut lengths, mut is_first) = (Lengths::default(), true);
    events.each(|event, _| {
        if matches!(event.subject(), Subject::Inference) && !std::mem::take(&mut is_first) {
            lengths.add(event.length);
        }
    })?;
    let quartile = lengths
        .at(lengths.count.saturating_sub(1) / 4)
        .map_or(u64::MAX, |length| length.0);
    Ok(Nanos(quartile.saturating_add(quartile / 4)))
}

#[cfg(test)]
mod tests;

//! Traces of ONNX Runtime's profiler: a JSON array of events in Chrome's trace format, one for each run of a node.
//!
//! Nothing of a trace is kept but sums by node, so that memory goes with the graph and not with the inferences. A trace
//! that was cut off is read as far as it goes. It knows no session and no run. Read [`read`] first.

mod error;
mod event;
mod events;
mod fold;
mod lengths;
mod nesting;

pub use error::TraceError;
pub use fold::{Inferences, Trace};

use std::io;
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
    /// Those that took no more than 5/4 of the lower quartile. It is for inferences that all do the same work, of which
    /// longer ones were disturbed, or found their threads asleep.
    Typical,
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads the trace at `path`.
///
/// # Errors
/// The file is missing, empty, compressed or no trace, holds no inference that came to its end or no operators, or is
/// changed meanwhile.
pub fn read(path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    let open = |source| TraceError::Open(path.to_owned(), source);
    let file = files::open(path, Kind::TRACE).map_err(|source| match source.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            TraceError::NotFile(path.to_owned())
        }
        _ => open(source),
    })?;
    if file.len() == 0 {
        return Err(TraceError::Empty(path.to_owned()));
    }
    let trace = fold(&file, path, counted)?;
    file.check_unchanged().map_err(open)?;
    Ok(trace)
}

fn fold(file: &InputFile, path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    let path = || path.to_owned();
    let open = |source| TraceError::Open(path(), source);
    let mut begin = [0; GZIP.len()];
    if file.len() >= GZIP.len() as u64 {
        file.read_exact_at(&mut begin, 0).map_err(open)?;
    }
    if begin == GZIP {
        return Err(TraceError::Compressed(path()));
    }
    let events = || {
        Events::begin(file)
            .map_err(open)?
            .ok_or_else(|| TraceError::NotTrace(path()))
    };
    let longest = match counted {
        Counted::All => Nanos(u64::MAX),
        Counted::Typical => longest_typical(events()?).map_err(open)?,
    };
    let mut events = events()?;
    let mut fold = Fold::new(longest);
    events
        .each(|event, place| fold.take(event, place))
        .map_err(open)?;
    if events.count == 0 && events.unreadable_count > 0 {
        return Err(TraceError::NotTrace(path()));
    }
    if !fold.has_inference() {
        let without = if events.complete {
            TraceError::NoInference
        } else {
            TraceError::CutOffEarly
        };
        return Err(without(path()));
    }
    if fold.is_full() {
        return Err(TraceError::TooManyNodes(path()));
    }
    let is_old = fold.has_unplaced;
    let (mut trace, details) = fold.finish();
    if trace.profiled.nodes.is_empty() {
        let without = if is_old {
            TraceError::OldFormat
        } else {
            TraceError::NoOperators
        };
        return Err(without(path()));
    }
    if details
        .iter()
        .map(|place| place.end - place.start)
        .sum::<u64>()
        > MOST_SAID.0
    {
        return Err(TraceError::TooManyNodes(path()));
    }
    trace.profiled.complete = events.complete;
    trace.profiled.unreadable_events_count = events.unreadable_count;
    for (node, place) in trace.profiled.nodes.iter_mut().zip(details) {
        let mut bytes = vec![0; (place.end - place.start) as usize];
        file.read_exact_at(&mut bytes, place.start).map_err(open)?;
        event::describe(node, &bytes);
    }
    Ok(trace)
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

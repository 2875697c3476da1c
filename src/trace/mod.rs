//! Traces of ONNX Runtime's profiler: a JSON array of events in Chrome's trace format, one for each run of a node.
//!
//! Nothing of a trace is kept but sums by node, so that memory goes with the graph and not with the inferences. A trace
//! that was cut off is read as far as it goes. It knows no session and no run. Read [`read`] first.

mod error;
mod event;
mod events;
mod fold;

pub use error::TraceError;

use std::fs::File;
use std::path::Path;

use memmap2::{Advice, Mmap};

use crate::record::Profiled;
use crate::units::Nanos;
use event::Subject;
use events::Events;
use fold::Fold;

/// What a trace says.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Inferences and nodes.
    pub profiled: Profiled,
    /// Which inferences are behind that.
    pub inferences: Inferences,
}

/// Which inferences after the first are to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// All of them.
    All,
    /// Those that took no more than 5/4 of the lower quartile. It is for inferences that all do the same work, of which
    /// longer ones were disturbed, or found their threads asleep.
    Typical,
}

/// Which inferences of a trace there are to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferences {
    /// All but the first, which prepares what the others find ready.
    WithoutFirst,
    /// The first, because there is no other.
    OnlyFirst,
}

/// What a file begins with that gzip has compressed.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Reads the trace at `path`.
///
/// # Errors
/// The file is missing, empty, compressed or no trace, or holds no inference that came to its end, or no operators.
pub fn read(path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    let open = |source| TraceError::Open { path: path.to_owned(), source };
    // Before the file is opened, which waits for a writer where it is a pipe.
    let metadata = std::fs::metadata(path).map_err(open)?;
    if !metadata.is_file() {
        return Err(TraceError::NotFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(open)?;
    if metadata.len() == 0 {
        return Err(TraceError::Empty { path: path.to_owned() });
    }
    // SAFETY: the map is read-only and dropped within this function. A file that another process shortens meanwhile
    // ends this one with SIGBUS, which a copy of several hundred megabytes would be a high price to avoid.
    let map = unsafe { Mmap::map(&file) }.map_err(open)?;
    // Only a hint, without which reading takes longer.
    let _ = map.advise(Advice::Sequential);
    fold(&map, path, counted)
}

fn fold(bytes: &[u8], path: &Path, counted: Counted) -> Result<Trace, TraceError> {
    let path = || path.to_owned();
    if bytes.starts_with(GZIP) {
        return Err(TraceError::Compressed { path: path() });
    }
    let begin = || Events::begin(bytes).ok_or_else(|| TraceError::NotTrace { path: path() });
    let longest = match counted {
        Counted::All => Nanos(u64::MAX),
        Counted::Typical => longest_typical(begin()?),
    };
    let mut events = begin()?;
    let mut fold = Fold::new(longest);
    while let Some((event, place)) = events.next() {
        fold.take(&event, place);
    }
    if events.count == 0 && events.unreadable_count > 0 {
        return Err(TraceError::NotTrace { path: path() });
    }
    if fold.inferences_count() == 0 {
        return Err(if events.complete {
            TraceError::NoInference { path: path() }
        } else {
            TraceError::CutOffEarly { path: path() }
        });
    }
    let is_old = fold.has_unplaced();
    let (mut trace, details) = fold.finish();
    if trace.profiled.nodes.is_empty() {
        let path = path();
        return Err(if is_old { TraceError::OldFormat { path } } else { TraceError::NoOperators { path } });
    }
    trace.profiled.complete = events.complete;
    trace.profiled.unreadable_events_count = events.unreadable_count;
    for (node, place) in trace.profiled.nodes.iter_mut().zip(details) {
        event::describe(node, &bytes[place]);
    }
    Ok(trace)
}

/// Length of the longest inference that is typical: 5/4 of the lower quartile, the first left out.
fn longest_typical(mut events: Events<'_>) -> Nanos {
    let mut lengths: Vec<u64> = std::iter::from_fn(|| events.next())
        .filter(|(event, _)| matches!(event.subject(), Subject::Inference))
        .map(|(event, _)| event.length.0)
        .skip(1)
        .collect();
    lengths.sort_unstable();
    let quartile = lengths.get(lengths.len().saturating_sub(1) / 4).copied().unwrap_or(u64::MAX);
    Nanos(quartile.saturating_add(quartile / 4))
}

#[cfg(test)]
mod tests;

//! Errors in a trace.

use std::io;
use std::path::{Path, PathBuf};

use super::fold::{MOST_NODES, MOST_SAID};

/// Why nothing can be told from a trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file is missing or cannot be read.
    #[error("failed to read the trace `{}`", .0.display())]
    Open(PathBuf, #[source] io::Error),
    /// It is a folder or a device.
    #[error("`{0}` is not a file")]
    NotFile(PathBuf),
    /// The file has no content.
    #[error("`{0}` is empty")]
    Empty(PathBuf),
    /// The file is compressed.
    #[error("`{0}` is compressed")]
    Compressed(PathBuf),
    /// The file holds something else.
    #[error("`{0}` is no trace: it is no JSON array of events")]
    NotTrace(PathBuf),
    /// The trace was cut off before the end of the first inference.
    #[error("the trace `{0}` was cut off before its first inference came to its end")]
    CutOffEarly(PathBuf),
    /// There are events, but none of an inference that is done.
    #[error("the trace `{0}` holds no inference")]
    NoInference(PathBuf),
    /// Nodes ran, and the trace names neither them nor their execution providers.
    #[error(
        "the trace `{0}` is of a format before ONNX Runtime 1.0: it names neither nodes nor execution providers"
    )]
    OldFormat(PathBuf),
    /// More nodes are named than any model has.
    #[error(
        "the trace `{}` names more than {MOST_NODES} nodes, or says more than {} of them",
        .0.display(), MOST_SAID.in_words()
    )]
    TooManyNodes(PathBuf),
    /// There are inferences, but no nodes ran in them.
    #[error("the trace `{0}` holds no operators")]
    NoOperators(PathBuf),
}

impl TraceError {
    /// A remedy, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            TraceError::Open(..) | TraceError::TooManyNodes(_) => return None,
            TraceError::NotFile(_) => {
                "name a file; a run's folder holds those of its sessions in `traces/`"
            }
            TraceError::Empty(_) | TraceError::CutOffEarly(_) => {
                "ONNX Runtime writes the trace when the session ends, or when `end_profiling` is called"
            }
            TraceError::Compressed(_) => "unpack it first, with `gunzip --keep`",
            TraceError::NotTrace(_) => {
                "give a file that ONNX Runtime wrote with `enable_profiling` in its session options"
            }
            TraceError::NoInference(_) => {
                "give a trace of ONNX Runtime's profiler, from a session that was run at least twice: the first inference does \
                 not count"
            }
            TraceError::OldFormat(_) => {
                "profile the session again with a newer ONNX Runtime, or the model with `onnxprof profile`"
            }
            TraceError::NoOperators(_) => {
                "run the session at least twice while it is profiled: the first inference does not count"
            }
        })
    }
}

/// An error in a trace, wherever the trace is.
#[derive(Debug)]
pub(super) enum Fault {
    Refused(fn(PathBuf) -> TraceError),
    Unread(io::Error),
}

pub(super) type Result<T> = std::result::Result<T, Fault>;

impl From<io::Error> for Fault {
    fn from(source: io::Error) -> Self {
        Fault::Unread(source)
    }
}

impl Fault {
    pub(super) fn of(self, path: &Path) -> TraceError {
        let path = path.to_owned();
        match self {
            Fault::Refused(error) => error(path),
            Fault::Unread(source) => TraceError::Open(path, source),
        }
    }
}

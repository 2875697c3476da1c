//! Everything that can go wrong with a run folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::check::SloError;
use crate::record::{SCHEMA_VERSION, SchemaVersion};
use crate::stats::HistogramError;

pub(super) type Result<T, E = StoreError> = std::result::Result<T, E>;

/// An error of a run folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A run cannot put its files there.
    #[error("cannot write to run folder `{0}`")]
    NotWritable(PathBuf, #[source] io::Error),
    /// The folder holds the files of an earlier run.
    #[error("folder `{0}` already holds a run")]
    HoldsRun(PathBuf),
    /// Another process is writing a run into the folder.
    #[error("folder `{0}` is in use by another run")]
    InUse(PathBuf),
    /// Something in the folder of a run that is to be taken up again leads elsewhere.
    #[error("`{0}` is a link: what is written to a run that is taken up again stays in its folder")]
    Link(PathBuf),
    /// Something in the folder of a run that is to be taken up again is neither a file nor a
    /// folder.
    #[error(
        "`{0}` is neither a file nor a folder: a run that is taken up again has nothing else in its folder"
    )]
    Special(PathBuf),
    /// A file could not be written.
    #[error("failed to write `{path}`")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's error; a full disk, for one.
        source: io::Error,
    },
    /// There is nothing of that name.
    #[error("no run at `{0}`: no such file or folder")]
    NotFound(PathBuf),
    /// The folder holds no run.
    #[error("`{0}` is not a run folder: it holds neither `run.json` nor `journal.jsonl`")]
    NotARun(PathBuf),
    /// The run was killed before it had written down what it was about to do.
    #[error("run in `{0}` was killed before it recorded anything")]
    NothingRecorded(PathBuf),
    /// A file could not be read.
    #[error("failed to read `{0}`")]
    Read(PathBuf, #[source] io::Error),
    /// There is no memory for what the file holds: how much that would take, and how much there is.
    #[error("`{0}` does not fit into memory")]
    Memory(PathBuf, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file ends too early.
    #[error("`{0}` is truncated")]
    Truncated(PathBuf, #[source] serde_json::Error),
    /// The file is not JSON.
    #[error("`{0}` is not JSON")]
    NotJson(PathBuf, #[source] serde_json::Error),
    /// The file is JSON, but not of a run.
    #[error("`{path}` is not a run record{}", field.as_ref().map(|name| format!(": field `{name}`")).unwrap_or_default())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// The field that holds something that it cannot, where it can be told.
        field: Option<String>,
        /// The missing or wrong part.
        source: serde_json::Error,
    },
    /// The record is of a search that had to keep this SLO, which this version does not know.
    #[error("`{0}` holds an SLO that is not understood: `{1}`")]
    Slo(PathBuf, String, #[source] SloError),
    /// The record refers to something that it does not contain: the reference, and where it stands.
    #[error("`{0}` contradicts itself: {1}")]
    Inconsistent(PathBuf, String),
    /// A line of the journal, other than a torn last one, is not an event.
    #[error("line {line} of `{path}` is not an event of a run")]
    BadLine {
        /// The journal.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The fault.
        source: serde_json::Error,
    },
    /// The record was written by a version of onnxprof whose records this one does not understand.
    #[error(
        "`{0}` has schema version {major}.{minor}, this onnxprof reads version {supported}.x",
        major = .1.major, minor = .1.minor, supported = SCHEMA_VERSION.major
    )]
    Schema(PathBuf, SchemaVersion),
    /// Latencies of a block cannot be decoded.
    #[error("latency histogram of a block in `{0}` is damaged")]
    Histogram(PathBuf, #[source] HistogramError),
}

impl StoreError {
    /// For what goes wrong while `path` is written.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.to_path_buf();
        |source| StoreError::Write { path, source }
    }

    pub(super) fn not_writable(path: &Path) -> impl Fn(io::Error) -> StoreError {
        move |source| StoreError::NotWritable(path.to_path_buf(), source)
    }

    /// The remedy.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            StoreError::HoldsRun(_) | StoreError::InUse(_) => "choose another folder with `--out`",
            StoreError::NotWritable { .. } => "choose a folder that you may write to with `--out`",
            StoreError::Write { source, path }
                if path.is_dir() || source.kind() == io::ErrorKind::IsADirectory =>
            {
                "name a file, not a folder"
            }
            StoreError::Write { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => {
                    "create the folder first, or name a file in one that exists"
                }
                io::ErrorKind::StorageFull => {
                    "free some space, or choose a folder on another disk with `--out`"
                }
                io::ErrorKind::InvalidInput => "move away what lies there",
                _ => return None,
            },
            StoreError::NotFound(_) | StoreError::NotARun(_) => {
                "name a folder that `onnxprof profile` or `onnxprof tune` wrote, or its `run.json`"
            }
            StoreError::Link(_) => "replace it by what it leads to",
            StoreError::Special(_) => "remove it, or move it away",
            StoreError::Memory { .. } => "measure fewer variants or batch sizes in one run",
            StoreError::Schema(_, found) if found.major > SCHEMA_VERSION.major => {
                "use the onnxprof that wrote it, or a newer one"
            }
            StoreError::Schema { .. } | StoreError::Slo { .. } => "use the onnxprof that wrote it",
            StoreError::Truncated { .. } => {
                "copy the whole folder again: a `journal.jsonl` beside the record is read instead; or measure again"
            }
            StoreError::NotJson { .. } | StoreError::NotARecord { .. } => {
                "name a folder that `onnxprof profile` wrote, or its `run.json`"
            }
            _ => return None,
        };
        Some(hint.into())
    }
}

//! Runs on disk that commands are given.

use std::path::Path;

use super::{CliError, Result};
use crate::memory;
use crate::record::RunRecord;
use crate::store;
use crate::units::Bytes;

/// Folder for runs that are given none.
pub(super) const RUNS: &str = "onnxprof-runs";

pub(super) fn folder(run: &Path) -> &Path {
    match run.parent() {
        Some(parent) if run.is_file() && parent != Path::new("") => parent,
        Some(_) if run.is_file() => Path::new("."),
        _ => run,
    }
}

/// Memory that a record takes while it is read and looked at, as a multiple of its file.
const EXPANSION: u64 = 8;

/// The record of a run that was named.
pub(super) fn load(run: &Path) -> Result<RunRecord> {
    ask(run, store::size(run)).map_err(|reason| {
        CliError::of(reason).with_hint("measure fewer variants or batch sizes in one run")
    })?;
    Ok(store::load_asking(run, &|size| {
        ask(run, size).map_err(Into::into)
    })?)
}

/// Asks for the memory that a record with a file of this size takes.
fn ask(run: &Path, size: Bytes) -> Result<(), memory::TooMuch> {
    memory::ask(Bytes(size.0.saturating_mul(EXPANSION)), || {
        format!("the run in `{}`", run.display())
    })
}

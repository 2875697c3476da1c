//! Reading a run back, whichever way it ended.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::journal::take_histogram;
use super::merge::Merger;
use super::{Result, StoreError, folder, indices};
use crate::check::Slo;
use crate::files::{self, Kind};
use crate::plan::MOST_CELLS;
use crate::record::{Event, RunRecord, SCHEMA_VERSION, SchemaVersion};
use crate::units::Bytes;

/// Reads the run at `run`: its folder, or its `run.json`. A run that was killed, or that still goes
/// on, is read from its journal, with everything that had finished; a last line that was torn by
/// the kill is left out.
///
/// # Errors
/// A [`StoreError`] that says which file cannot be read, and why.
pub fn load(run: &Path) -> Result<RunRecord> {
    load_asking(run, &|_| Ok(()))
}

/// Whether there is memory for a record of that size.
///
/// # Errors
/// There is too little.
pub type Ask<'a> = &'a dyn Fn(Bytes) -> Result<(), Box<dyn Error + Send + Sync>>;

/// As [`load`]; before a record is parsed, `ask` is asked, which learns its size even where it
/// comes through a pipe.
///
/// # Errors
/// As [`load`], and [`StoreError::Memory`].
pub fn load_asking(run: &Path, ask: Ask<'_>) -> Result<RunRecord> {
    let (record_path, journal_path) = paths(run)?;
    let journaled = match journal_path {
        Some(path) => read_journal(&path)?,
        None => Journaled::Missing,
    };
    let nothing = match journaled {
        Journaled::Record(record) => return Ok(*record),
        Journaled::Nothing => StoreError::NothingRecorded,
        Journaled::Missing => StoreError::NotARun,
    };
    match read(&record_path, Kind::RECORD) {
        Ok(text) => parsed(&record_path, &text, ask),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(nothing(run.to_path_buf())),
        Err(source) => Err(StoreError::Read(record_path, source)),
    }
}

/// A run as its journal has it.
enum Journaled {
    Record(Box<RunRecord>),
    /// The journal ends before its first event.
    Nothing,
    Missing,
}

fn read_journal(path: &Path) -> Result<Journaled> {
    match read(path, Kind::JOURNAL) {
        Ok(text) => Ok(match fold(path, &text)? {
            Some(record) => Journaled::Record(Box::new(record)),
            None => Journaled::Nothing,
        }),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(Journaled::Missing),
        Err(source) => Err(StoreError::Read(path.to_path_buf(), source)),
    }
}

fn parsed(path: &Path, text: &str, ask: Ask<'_>) -> Result<RunRecord> {
    ask(Bytes(text.len() as u64))
        .map_err(|source| StoreError::Memory(path.to_path_buf(), source))?;
    check(
        path,
        serde_json::from_str(text).map_err(|error| explain(path, text, error))?,
    )
}

/// Size of the files that [`load`] reads; 0 where there are none, where they come through a pipe,
/// and where they are so large that they are refused unread.
#[must_use]
pub fn size(run: &Path) -> Bytes {
    paths(run).map_or(Bytes(0), |(record, journal)| {
        let journal = journal.map_or(0, |journal| readable(&journal, Kind::JOURNAL));
        Bytes(readable(&record, Kind::RECORD).max(journal))
    })
}

/// Size of a file; 0 where it is not there, or so large that it is refused.
fn readable(path: &Path, kind: Kind) -> u64 {
    let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
    if size > kind.most.0 { 0 } else { size }
}

/// Paths of the record and of the journal of the run that `run` names: a folder, or one of both
/// files. A record of another name stands alone.
fn paths(run: &Path) -> Result<(PathBuf, Option<PathBuf>)> {
    let metadata = fs::metadata(run).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => StoreError::NotFound(run.to_path_buf()),
        _ => StoreError::Read(run.to_path_buf(), source),
    })?;
    let beside = run.parent().unwrap_or(Path::new(""));
    let folder = if metadata.is_dir() {
        run
    } else if run == folder::run_json(beside) || run == folder::journal(beside) {
        beside
    } else {
        return Ok((run.to_path_buf(), None));
    };
    Ok((folder::run_json(folder), Some(folder::journal(folder))))
}

/// Text of a file. Bytes that are no text become replacement characters, so that the parser says
/// where they are.
fn read(path: &Path, kind: Kind) -> io::Result<String> {
    Ok(match String::from_utf8(files::bytes(path, kind)?) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

#[derive(Deserialize)]
struct Versioned {
    schema_version: SchemaVersion,
}

/// Says what is wrong with a file that is no record: most of all, whether it has a schema that is
/// not understood.
fn explain(path: &Path, text: &str, source: serde_json::Error) -> StoreError {
    if let Ok(Versioned { schema_version }) = serde_json::from_str(text)
        && let Err(error) = check_version(path, schema_version)
    {
        return error;
    }
    if let Some(error) = serde_json::from_str(text)
        .ok()
        .and_then(|record| unknown_slo(path, &record))
    {
        return error;
    }
    let path = path.to_path_buf();
    match source.classify() {
        serde_json::error::Category::Eof => StoreError::Truncated(path, source),
        serde_json::error::Category::Syntax => StoreError::NotJson(path, source),
        _ => StoreError::NotARecord {
            path,
            field: field(text, &source),
            source,
        },
    }
}

fn unknown_slo(path: &Path, record: &Value) -> Option<StoreError> {
    let (slo, source) = record
        .pointer("/plan/tuning/slo")?
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .filter_map(|slo| Some((slo, Slo::parse(slo).err()?)))
        .next()?;
    Some(StoreError::Slo(path.to_path_buf(), slo.into(), source))
}

/// Name of the field whose value is of another type or out of range: the last one before the place
/// where reading ended.
fn field(text: &str, error: &serde_json::Error) -> Option<String> {
    if !error.to_string().starts_with("invalid ") {
        return None;
    }
    let start: usize = text
        .split_inclusive('\n')
        .take(error.line().checked_sub(1)?)
        .map(str::len)
        .sum();
    let (name, _) = text
        .get(..(start + error.column()).min(text.len()))?
        .rsplit_once("\":")?;
    Some(name.rsplit_once('"')?.1.to_owned())
}

/// `None` if the journal ends before its first event.
fn fold(path: &Path, text: &str) -> Result<Option<RunRecord>> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let Some((_, first)) = lines.next() else {
        return Ok(None);
    };
    let mut record = match serde_json::from_str(first) {
        Ok(Event::Began(record)) => check(path, *record)?,
        Err(_) if !first.ends_with('\n') => return Ok(None),
        parsed => return Err(explain_first(path, first, parsed.err())),
    };
    let mut merger = Merger::default();
    for (index, line) in lines {
        match serde_json::from_str(line) {
            Ok(mut event) => {
                take_histogram(&mut event, &mut merger);
                record.apply(event);
            }
            // Only the last line can be without its end.
            Err(_) if !line.ends_with('\n') => {}
            Err(source) => {
                return Err(StoreError::BadLine {
                    path: path.to_path_buf(),
                    line: index + 1,
                    source,
                });
            }
        }
        if merger.is_full() {
            flush(path, &mut merger, &mut record)?;
        }
    }
    flush(path, &mut merger, &mut record)?;
    check(path, record).map(Some)
}

/// Says what is wrong with the first line of a journal, which should hold the record as it began.
fn explain_first(path: &Path, line: &str, error: Option<serde_json::Error>) -> StoreError {
    #[derive(Deserialize)]
    struct Probe {
        body: Versioned,
    }
    if let Ok(Probe { body }) = serde_json::from_str(line)
        && let Err(error) = check_version(path, body.schema_version)
    {
        return error;
    }
    let event: Option<Value> = serde_json::from_str(line).ok();
    if let Some(error) = event.and_then(|event| unknown_slo(path, event.get("body")?)) {
        return error;
    }
    StoreError::BadLine {
        path: path.to_path_buf(),
        line: 1,
        source: error.unwrap_or_else(|| serde::de::Error::custom("the first event is not `began`")),
    }
}

fn flush(path: &Path, merger: &mut Merger, record: &mut RunRecord) -> Result<()> {
    merger
        .flush(record)
        .map_err(|source| StoreError::Histogram(path.to_path_buf(), source))
}

fn check_version(path: &Path, found: SchemaVersion) -> Result<()> {
    if found.major == SCHEMA_VERSION.major {
        Ok(())
    } else {
        Err(StoreError::Schema(path.to_path_buf(), found))
    }
}

fn check(path: &Path, record: RunRecord) -> Result<RunRecord> {
    check_version(path, record.schema_version)?;
    let cells = record.plan.grid_count();
    let too_many = (cells > MOST_CELLS)
        .then(|| format!("{cells} cells are planned, and {MOST_CELLS} are measured at most"));
    match too_many.or_else(|| indices::astray(&record)) {
        None => Ok(record),
        Some(what) => Err(StoreError::Inconsistent(path.to_path_buf(), what)),
    }
}

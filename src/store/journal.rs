//! The journal: what a run finds goes to disk as it is found.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize as _;

use super::merge::Merger;
use super::write::{write_atomically, write_with};
use super::{Result, RunFolder, StoreError};
use crate::files;
use crate::record::{Event, Phase, RunRecord};
use crate::text::HarmlessJson;

/// A run that is being written down: its folder, its events on disk, and the record that they add
/// up to.
///
/// The journal holds every event from the first on, until [`Journal::finish`] replaces it by
/// `run.json`; [`super::load()`] folds it where it exists. The parent writes without a cache of its
/// own, so nothing that was appended is lost when the process is killed.
#[derive(Debug)]
pub struct Journal {
    folder: RunFolder,
    file: JournalFile,
    record: RunRecord,
    merger: Merger,
}

impl Journal {
    /// Begins a run with what is known before the first measurement, and writes that to disk as
    /// both journal and `run.json`.
    ///
    /// # Errors
    /// [`StoreError::Write`] if a file cannot be written.
    pub fn begin(folder: RunFolder, record: RunRecord) -> Result<Journal> {
        let mut file = JournalFile::create(folder.journal())?;
        file.append(&Event::Began(Box::new(record.clone())))?;
        let mut journal = Journal {
            folder,
            file,
            record,
            merger: Merger::default(),
        };
        journal.checkpoint()?;
        Ok(journal)
    }

    /// Begins the journal of a run anew that is taken up again: its first line is all that was
    /// found before.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the files cannot be written; what was there before is then still
    /// there.
    pub fn resume(folder: RunFolder, record: RunRecord) -> Result<Journal> {
        let path = folder.journal();
        let line =
            line_of(&Event::Began(Box::new(record.clone()))).map_err(StoreError::writing(&path))?;
        write_atomically(&path, &line)?;
        let file = JournalFile {
            length: line.len() as u64,
            ..JournalFile::create(path)?
        };
        Ok(Journal {
            folder,
            file,
            record,
            merger: Merger::default(),
        })
    }

    /// Writes an event down and takes it into the record.
    ///
    /// # Errors
    /// [`StoreError::Write`] if the journal cannot be written, [`StoreError::Histogram`] if a
    /// block's latencies cannot be decoded; the record has the event in both cases.
    pub fn append(&mut self, mut event: Event) -> Result<()> {
        let written = self.file.append(&event);
        take_histogram(&mut event, &mut self.merger);
        self.record.apply(event);
        let merged = if self.merger.is_full() {
            self.merge_latencies()
        } else {
            Ok(())
        };
        written.and(merged)
    }

    /// The run folder.
    #[must_use]
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The record so far. Latencies of the newest blocks are not in their cells' histograms until
    /// [`Journal::merge_latencies`], [`Journal::checkpoint`] or [`Journal::finish`].
    #[must_use]
    pub fn record(&self) -> &RunRecord {
        &self.record
    }

    /// Merges the latencies of all blocks so far into their cells' histograms.
    ///
    /// # Errors
    /// [`StoreError::Histogram`] if a block's latencies could not be decoded; all others are
    /// merged.
    pub fn merge_latencies(&mut self) -> Result<()> {
        self.merger
            .flush(&mut self.record)
            .map_err(|source| StoreError::Histogram(self.file.path.clone(), source))
    }

    /// Writes the record so far to `run.json`, for whoever looks into the folder while the run goes
    /// on.
    ///
    /// # Errors
    /// [`StoreError::Write`] if it cannot be written, [`StoreError::Histogram`] like
    /// [`Journal::merge_latencies`].
    pub fn checkpoint(&mut self) -> Result<()> {
        let merged = self.merge_latencies();
        write_record(&self.folder.run_json(), &self.record)?;
        merged
    }

    /// Writes the record to `run.json` for good, and removes the journal: events appended
    /// afterwards are not kept.
    ///
    /// # Errors
    /// Like [`Journal::checkpoint`]; the journal then stays, and holds everything that could be
    /// written.
    pub fn finish(&mut self) -> Result<()> {
        self.checkpoint()?;
        fs::remove_file(&self.file.path).map_err(StoreError::writing(&self.file.path))
    }

    /// The folder, still locked, and the record.
    #[must_use]
    pub fn into_parts(self) -> (RunFolder, RunRecord) {
        (self.folder, self.record)
    }
}

fn line_of(event: &Event) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    Ok(line)
}

pub(super) fn take_histogram(event: &mut Event, merger: &mut Merger) {
    match event {
        Event::Block { block, histogram } => {
            merger.push(block.key, block.phase, std::mem::take(histogram))
        }
        Event::Warmup { key, histogram } => {
            merger.push(*key, Phase::Warmup, std::mem::take(histogram))
        }
        _ => {}
    }
}

/// Writes a record in one line: with every block in it, it is no text to read by eye.
fn write_record(path: &Path, record: &RunRecord) -> Result<()> {
    write_with(path, |mut writer| {
        record.serialize(&mut serde_json::Serializer::with_formatter(
            &mut writer,
            HarmlessJson,
        ))?;
        writer.write_all(b"\n")
    })
}

/// The file of a journal, which always ends after a whole line as far as the system lets it.
#[derive(Debug)]
struct JournalFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl JournalFile {
    fn create(path: PathBuf) -> Result<JournalFile> {
        Ok(JournalFile {
            file: files::open_own(&path, File::options().append(true).create(true))
                .map_err(StoreError::writing(&path))?,
            path,
            length: 0,
        })
    }

    fn append(&mut self, event: &Event) -> Result<()> {
        self.append_line(event)
            .map_err(StoreError::writing(&self.path))
    }

    fn append_line(&mut self, event: &Event) -> io::Result<()> {
        let line = line_of(event)?;
        if let Err(error) = self.file.write_all(&line) {
            // Half a line in the middle would cost the whole journal; where even this fails,
            // nothing more can follow.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disk_is_an_error_that_names_the_journal() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let mut file = JournalFile {
            path: "/dev/full".into(),
            file: full,
            length: 0,
        };
        let error = file.append(&Event::Note("a note".into())).unwrap_err();
        assert_eq!(error.to_string(), "failed to write `/dev/full`");
        assert!(
            matches!(&error, StoreError::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull)
        );
    }
}

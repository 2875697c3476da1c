//! From a trace to its events, one at a time. A stretch of the file is in memory, of which most
//! events take little.

use std::io;
use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{Fault, Result, TraceError};
use super::event::Event;
use crate::files::InputFile;

const STRETCH: usize = 1 << 20;
/// Longest event that is read: those that ONNX Runtime writes have up to some kilobytes.
const LONGEST_EVENT: usize = 1 << 24;

pub(super) struct Events<'f> {
    file: &'f InputFile,
    /// The bytes of the file from `start` on, of which those from `place` on have not been looked
    /// at.
    buffer: Vec<u8>,
    start: u64,
    place: usize,
    pub count: u64,
    /// Whether the end of the array was found.
    pub complete: bool,
    pub unreadable_count: u64,
}

enum Found<T> {
    /// Of this many bytes.
    Whole(T, usize),
    /// By the end of what is in memory.
    CutOff,
    Other,
}

impl<'f> Events<'f> {
    /// Before the first event.
    pub(super) fn begin(file: &'f InputFile) -> Result<Self> {
        let mut events = Events {
            file,
            buffer: Vec::new(),
            start: 0,
            place: 0,
            count: 0,
            complete: false,
            unreadable_count: 0,
        };
        if events.after(u8::is_ascii_whitespace)? != Some(b'[') {
            return Err(Fault::Refused(TraceError::NotTrace));
        }
        events.place += 1;
        Ok(events)
    }

    /// Hands over every event that can be read, and where it stands.
    pub(super) fn each(&mut self, mut take: impl FnMut(&Event<'_>, Range<u64>)) -> io::Result<()> {
        self.each_until(|event, place| {
            take(event, place);
            false
        })
    }

    /// Hands over events, and where they stand, until one of them is enough.
    pub(super) fn each_until(
        &mut self,
        mut is_enough: impl FnMut(&Event<'_>, Range<u64>) -> bool,
    ) -> io::Result<()> {
        while let Some(byte) = self.after(|byte| byte.is_ascii_whitespace() || *byte == b',')? {
            if byte == b']' {
                self.complete = true;
                return Ok(());
            }
            let at = self.start + self.place as u64;
            let is_cut_off = match parse::<Event<'_>>(&self.buffer[self.place..]) {
                Found::Whole(event, size) => {
                    let is_enough = is_enough(&event, at..at + size as u64);
                    self.place += size;
                    self.count += 1;
                    if is_enough {
                        return Ok(());
                    }
                    continue;
                }
                Found::CutOff => self.buffer.len() - self.place <= LONGEST_EVENT,
                Found::Other => false,
            };
            if !is_cut_off {
                self.skip()?;
            } else if !self.more()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Goes on to the next byte that is none of these; `None` at the end of the file.
    fn after(&mut self, is_passed: impl Fn(&u8) -> bool) -> io::Result<Option<u8>> {
        loop {
            let rest = &self.buffer[self.place..];
            if let Some(passed) = rest.iter().position(|byte| !is_passed(byte)) {
                self.place += passed;
                return Ok(Some(self.buffer[self.place]));
            }
            self.place = self.buffer.len();
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads on: at least as much again as there is of what has been begun, so that even that takes
    /// few passes. Says whether there was anything.
    fn more(&mut self) -> io::Result<bool> {
        let end = self.start + self.buffer.len() as u64;
        let left = self.file.len().saturating_sub(end);
        self.buffer.drain(..self.place);
        self.start += self.place as u64;
        self.place = 0;
        let kept = self.buffer.len();
        let size = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(STRETCH.max(kept));
        self.buffer.resize(kept + size, 0);
        self.file.read_exact_at(&mut self.buffer[kept..], end)?;
        Ok(size > 0)
    }

    /// Goes on after a value that is no event, or, where it is no value either, with the next line
    /// that begins like an event: ONNX Runtime writes one on each line, and in old versions names
    /// as they are, quotes included.
    fn skip(&mut self) -> io::Result<()> {
        self.unreadable_count += 1;
        loop {
            let length = self.buffer.len() - self.place;
            match parse::<IgnoredAny>(&self.buffer[self.place..]) {
                // What ends where memory ends may go on.
                Found::Whole(_, size)
                    if size < length || length > LONGEST_EVENT || !self.more()? =>
                {
                    self.place += size;
                    return Ok(());
                }
                Found::Whole(..) => {}
                Found::CutOff if length <= LONGEST_EVENT && self.more()? => {}
                Found::CutOff | Found::Other => return self.skip_line(),
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(line) = memmem::find(&self.buffer[self.place..], b"\n{") {
                self.place += line;
                return Ok(());
            }
            // The last byte may be the end of a line.
            self.place = self.place.max(self.buffer.len().saturating_sub(1));
            if !self.more()? {
                self.place = self.buffer.len();
                return Ok(());
            }
        }
    }
}

fn parse<'t, T: Deserialize<'t>>(bytes: &'t [u8]) -> Found<T> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Found::Whole(value, values.byte_offset()),
        Some(Err(error)) if !error.is_eof() => Found::Other,
        Some(Err(_)) | None => Found::CutOff,
    }
}

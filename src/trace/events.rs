//! From the bytes of a trace to its events, one at a time.

use std::ops::Range;

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::event::Event;

/// The events of a trace in their order, as far as they can be read.
pub(super) struct Events<'t> {
    bytes: &'t [u8],
    place: usize,
    /// Events that were read.
    pub count: u64,
    /// Whether the end of the array was found.
    pub complete: bool,
    /// Events that could not be read.
    pub unreadable_count: u64,
}

/// What stands at one place.
enum Found<T> {
    /// Something of this many bytes.
    Whole(T, usize),
    /// Something that the end of the file cuts off.
    CutOff,
    /// Nothing of that kind.
    Other,
}

impl<'t> Events<'t> {
    /// Before the first event; `None` if there is no array.
    pub(super) fn begin(bytes: &'t [u8]) -> Option<Self> {
        let place = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
        let events = Events { bytes, place: place + 1, count: 0, complete: false, unreadable_count: 0 };
        (bytes[place] == b'[').then_some(events)
    }

    /// The next event that can be read, and where it stands.
    pub(super) fn next(&mut self) -> Option<(Event<'t>, Range<usize>)> {
        loop {
            let is_between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
            self.place += self.bytes[self.place..].iter().take_while(|byte| is_between(byte)).count();
            match self.bytes.get(self.place)? {
                b']' => {
                    self.complete = true;
                    return None;
                }
                _ => match self.parse::<Event<'t>>() {
                    Found::Whole(event, size) => {
                        let place = self.place..self.place + size;
                        self.place = place.end;
                        self.count += 1;
                        return Some((event, place));
                    }
                    Found::CutOff => return None,
                    Found::Other => self.skip(),
                },
            }
        }
    }

    fn parse<T: Deserialize<'t>>(&self) -> Found<T> {
        let mut values = serde_json::Deserializer::from_slice(&self.bytes[self.place..]).into_iter::<T>();
        match values.next() {
            Some(Ok(value)) => Found::Whole(value, values.byte_offset()),
            Some(Err(error)) if !error.is_eof() => Found::Other,
            Some(Err(_)) | None => Found::CutOff,
        }
    }

    /// Goes on after a value that is no event, or, where it is no value either, with the next line that begins like an
    /// event: ONNX Runtime writes one on each line, and in old versions names as they are, quotes included.
    fn skip(&mut self) {
        self.unreadable_count += 1;
        self.place = match self.parse::<IgnoredAny>() {
            Found::Whole(_, size) => self.place + size,
            Found::CutOff | Found::Other => {
                memmem::find(&self.bytes[self.place..], b"\n{").map_or(self.bytes.len(), |line| self.place + line)
            }
        };
    }
}

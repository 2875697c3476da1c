//! The bytes of a model file, of which pages are in memory for as long as they are looked at.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use crate::files::InputFile;

/// Bytes that are read at once.
const PAGE: usize = 1 << 14;
/// Pages that are kept, 16 MiB: a graph of thousands of nodes goes to and fro within so much.
const MOST_PAGES: usize = 1 << 10;
/// How often each byte may be read where places overlap, and how many may be read in all.
const TIMES_READ: u64 = 16;
const MOST_READ: u64 = 1 << 31;

#[derive(Debug)]
pub(super) struct Image<'f> {
    content: Content<'f>,
    pages: RefCell<Pages>,
    fault: RefCell<Option<io::Error>>,
    /// Bytes that may still be handed out of places that may overlap.
    allowance: Cell<u64>,
}

#[derive(Debug)]
enum Content<'f> {
    File(&'f InputFile),
    Bytes(&'f [u8]),
}

impl Content<'_> {
    fn len(&self) -> u64 {
        match self {
            Content::File(file) => file.len(),
            Content::Bytes(bytes) => bytes.len() as u64,
        }
    }
}

#[derive(Debug, Default)]
struct Pages {
    last: Option<(u64, Rc<[u8]>)>,
    all: HashMap<u64, Rc<[u8]>>,
}

impl<'f> Image<'f> {
    pub(super) fn of(file: &'f InputFile) -> Self {
        Image::new(Content::File(file))
    }

    pub(super) fn of_bytes(bytes: &'f [u8]) -> Self {
        Image::new(Content::Bytes(bytes))
    }

    fn new(content: Content<'f>) -> Self {
        let allowance = content.len().saturating_mul(TIMES_READ);
        Image {
            content,
            pages: RefCell::default(),
            fault: RefCell::default(),
            allowance: Cell::new(allowance.clamp(1 << 20, MOST_READ)),
        }
    }

    /// Whether so many bytes more may be handed out, where what is in the file once may be referred
    /// to without end.
    pub(super) fn allows(&self, length: u64) -> bool {
        let left = self.allowance.get().checked_sub(length);
        self.allowance.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(super) fn len(&self) -> u64 {
        self.content.len()
    }

    /// The first `N` bytes from `at` on, fewer at the end of the file, with how many there are.
    pub(super) fn peek<const N: usize>(&self, at: u64) -> ([u8; N], usize) {
        let mut bytes = [0; N];
        let count = self.len().saturating_sub(at).min(N as u64) as usize;
        let is_read = self.fill(at, &mut bytes[..count]);
        (bytes, if is_read { count } else { 0 })
    }

    /// The `length` bytes from `at` on; `None` where the file has not so many, or cannot be read.
    pub(super) fn read(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        if at.checked_add(length as u64)? > self.len() {
            return None;
        }
        let mut bytes = vec![0; length];
        self.fill(at, &mut bytes).then_some(bytes)
    }

    /// Why the file could not be read, if that was the cause of anything.
    pub(super) fn take_fault(&self) -> Option<io::Error> {
        self.fault.borrow_mut().take()
    }

    /// Fills `bytes` with those from `at` on, which there must be; says whether they could be read.
    fn fill(&self, at: u64, bytes: &mut [u8]) -> bool {
        let mut filled = 0;
        while filled < bytes.len() {
            let place = at + filled as u64;
            let (page, within) = (place / PAGE as u64, (place % PAGE as u64) as usize);
            let read = match bytes.len() - filled {
                rest if within == 0 && rest >= PAGE => {
                    self.load(place, &mut bytes[filled..]).map(|()| rest)
                }
                rest => self.page(page).map(|page| {
                    let part = &page[within..page.len().min(within + rest)];
                    bytes[filled..filled + part.len()].copy_from_slice(part);
                    part.len()
                }),
            };
            match read {
                Ok(count) => filled += count,
                Err(error) => {
                    self.fault.borrow_mut().get_or_insert(error);
                    return false;
                }
            }
        }
        true
    }

    fn page(&self, number: u64) -> io::Result<Rc<[u8]>> {
        let mut pages = self.pages.borrow_mut();
        if let Some((last, page)) = &pages.last
            && *last == number
        {
            return Ok(Rc::clone(page));
        }
        let page = match pages.all.get(&number) {
            Some(page) => Rc::clone(page),
            None => {
                let start = number * PAGE as u64;
                let mut page = vec![0; self.len().saturating_sub(start).min(PAGE as u64) as usize];
                self.load(start, &mut page)?;
                if pages.all.len() == MOST_PAGES {
                    pages.all.clear();
                }
                let page = Rc::from(page);
                pages.all.insert(number, Rc::clone(&page));
                page
            }
        };
        pages.last = Some((number, Rc::clone(&page)));
        Ok(page)
    }

    fn load(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        match self.content {
            Content::File(file) => file.read_exact_at(bytes, at),
            Content::Bytes(all) => {
                bytes.copy_from_slice(&all[at as usize..at as usize + bytes.len()]);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::files::{self, Kind};

    fn opened(bytes: &[u8]) -> (tempfile::NamedTempFile, InputFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let opened = files::open(file.path(), Kind::MODEL).unwrap();
        (file, opened)
    }

    #[test]
    fn bytes_are_the_same_wherever_they_are_looked_at() {
        let bytes: Vec<u8> = (0..5 * PAGE + 100).map(|at| (at % 251) as u8).collect();
        let (_file, opened) = opened(&bytes);
        let image = Image::of(&opened);
        for (at, length) in [
            (0, 10),
            (PAGE - 3, 6),
            (7, 3 * PAGE),
            (PAGE, 2 * PAGE),
            (4 * PAGE, PAGE + 100),
            (9, 0),
        ] {
            assert!(
                image.read(at as u64, length).unwrap() == bytes[at..at + length],
                "{at} {length}"
            );
        }
        assert_eq!(image.read(bytes.len() as u64 - 5, 6), None);
        assert_eq!(image.read(u64::MAX, 6), None);
        assert_eq!(image.peek::<8>(bytes.len() as u64 - 2).1, 2);
        assert!(image.take_fault().is_none());
    }

    #[test]
    fn a_file_that_is_shortened_is_a_fault_of_its_own() {
        let (file, opened) = opened(&[1; 3 * PAGE]);
        let image = Image::of(&opened);
        file.as_file().set_len(PAGE as u64).unwrap();
        assert_eq!(image.read(2 * PAGE as u64, 4), None);
        assert_eq!(
            image.take_fault().unwrap().to_string(),
            "the file changed while it was read"
        );
    }
}

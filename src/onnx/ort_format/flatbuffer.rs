//! Tables of a flatbuffer, every access within bounds.
//!
//! A field that a table leaves out has its default; what points out of the file is an error.

use super::super::image::Image;
use super::super::skeleton::SkeletonFault;

/// A place outside the file, or a table where none can be, is damage.
type Read<T> = Result<T, SkeletonFault>;

const LONGEST_TEXT: usize = 1 << 20;

/// A table of a flatbuffer: fields by their numbers in the schema, from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    image: &'a Image<'a>,
    at: u64,
}

struct List {
    start: u64,
    count: usize,
}

impl<'a> Table<'a> {
    pub(super) fn root(image: &'a Image<'a>) -> Read<Self> {
        Table { image, at: 0 }.follow(0)
    }

    pub(super) fn byte(&self, field: usize) -> Read<u8> {
        self.number(field, |[byte]| byte)
    }

    pub(super) fn int(&self, field: usize) -> Read<i32> {
        self.number(field, i32::from_le_bytes)
    }

    pub(super) fn long(&self, field: usize) -> Read<i64> {
        self.number(field, i64::from_le_bytes)
    }

    pub(super) fn float(&self, field: usize) -> Read<[u8; 4]> {
        self.number(field, |bytes| bytes)
    }

    pub(super) fn text(&self, field: usize) -> Read<Vec<u8>> {
        match self.place(field)? {
            Some(place) => self.text_at(place),
            None => Ok(Vec::new()),
        }
    }

    /// A list of bytes; `None` where it has more than `most`, which are not read.
    pub(super) fn bytes(&self, field: usize, most: usize) -> Read<Option<Vec<u8>>> {
        self.items(field, 1, most)
    }

    /// A list of numbers of 64 bits; `None` where they have more than `most` bytes, which are not
    /// read.
    pub(super) fn longs(&self, field: usize, most: usize) -> Read<Option<Vec<i64>>> {
        let items = self.items(field, 8, most)?;
        Ok(items.map(|items| {
            items
                .as_chunks()
                .0
                .iter()
                .map(|&chunk| i64::from_le_bytes(chunk))
                .collect()
        }))
    }

    /// A list of numbers of 32 bits, in bytes; `None` where they are more than `most`, which are
    /// not read.
    pub(super) fn floats(&self, field: usize, most: usize) -> Read<Option<Vec<u8>>> {
        self.items(field, 4, most)
    }

    pub(super) fn table(&self, field: usize) -> Read<Option<Table<'a>>> {
        self.place(field)?
            .map(|place| self.follow(place))
            .transpose()
    }

    pub(super) fn tables(&self, field: usize) -> Read<Vec<Table<'a>>> {
        self.places(field)?
            .map(|place| self.follow(place))
            .collect()
    }

    pub(super) fn texts(&self, field: usize) -> Read<Vec<Vec<u8>>> {
        self.places(field)?
            .map(|place| self.text_at(place))
            .collect()
    }

    fn places(&self, field: usize) -> Read<impl Iterator<Item = u64> + use<>> {
        let list = match self.place(field)? {
            Some(place) => self.list(place, 4).and_then(|list| self.pay(list, 4))?,
            None => List { start: 0, count: 0 },
        };
        Ok((0..list.count as u64).map(move |index| list.start + 4 * index))
    }

    fn text_at(&self, place: u64) -> Read<Vec<u8>> {
        let list = self.list(place, 1)?;
        if list.count > LONGEST_TEXT {
            return Err(SkeletonFault::Damaged);
        }
        self.content(list, 1)
    }

    fn items(&self, field: usize, width: usize, most: usize) -> Read<Option<Vec<u8>>> {
        let Some(place) = self.place(field)? else {
            return Ok(Some(Vec::new()));
        };
        let list = self.list(place, width)?;
        if list.count * width > most {
            return Ok(None);
        }
        self.content(list, width).map(Some)
    }

    fn content(&self, list: List, width: usize) -> Read<Vec<u8>> {
        let list = self.pay(list, width)?;
        let content = self.image.read(list.start, list.count * width);
        content.ok_or(SkeletonFault::Damaged)
    }

    /// The list, if so much may still be read: tables of a damaged file may share their contents
    /// without end.
    fn pay(&self, list: List, width: usize) -> Read<List> {
        if self.image.allows((list.count * width) as u64) {
            Ok(list)
        } else {
            Err(SkeletonFault::Damaged)
        }
    }

    /// The list that `place` refers to, whose items are `width` bytes wide and within the file.
    fn list(&self, place: u64, width: usize) -> Read<List> {
        let at = self.follow(place)?.at;
        let count = u32::from_le_bytes(self.take(at)?);
        let list = List {
            start: at + 4,
            count: count as usize,
        };
        let end = list.start + u64::from(count) * width as u64;
        if end <= self.image.len() {
            Ok(list)
        } else {
            Err(SkeletonFault::Damaged)
        }
    }

    fn follow(&self, place: u64) -> Read<Table<'a>> {
        let offset = u64::from(u32::from_le_bytes(self.take(place)?));
        let at = place
            .checked_add(offset)
            .filter(|&at| at < self.image.len())
            .ok_or(SkeletonFault::Damaged)?;
        Ok(Table {
            image: self.image,
            at,
        })
    }

    fn number<T: Default, const N: usize>(
        &self,
        field: usize,
        convert: fn([u8; N]) -> T,
    ) -> Read<T> {
        match self.place(field)? {
            Some(place) => self.take(place).map(convert),
            None => Ok(T::default()),
        }
    }

    /// Where a field stands; `None` where the table leaves it out.
    fn place(&self, field: usize) -> Read<Option<u64>> {
        let back = i64::from(i32::from_le_bytes(self.take(self.at)?));
        let layout = self
            .at
            .checked_add_signed(-back)
            .ok_or(SkeletonFault::Damaged)?;
        let size = u64::from(u16::from_le_bytes(self.take(layout)?));
        let entry = 4 + 2 * field as u64;
        if entry + 2 > size {
            return Ok(None);
        }
        let offset = u64::from(u16::from_le_bytes(self.take(layout + entry)?));
        Ok((offset > 0).then_some(self.at + offset))
    }

    fn take<const N: usize>(&self, at: u64) -> Read<[u8; N]> {
        match self.image.peek(at) {
            (bytes, count) if count == N => Ok(bytes),
            _ => Err(SkeletonFault::Damaged),
        }
    }
}

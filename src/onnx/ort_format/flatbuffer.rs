//! Tables of a flatbuffer, every access within bounds.
//!
//! A field that a table leaves out has its default; what points out of the file is an error.

/// A place outside the file, or a table where none can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutOfBounds;

type Read<T> = Result<T, OutOfBounds>;

/// A table of a flatbuffer: fields by their numbers in the schema, from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    /// The table that a file begins with.
    pub(super) fn root(bytes: &'a [u8]) -> Read<Self> {
        Table { bytes, at: 0 }.follow(0)
    }

    /// A number of 8 bits.
    pub(super) fn byte(&self, field: usize) -> Read<u8> {
        self.number(field, |[byte]| byte)
    }

    /// A number of 32 bits.
    pub(super) fn int(&self, field: usize) -> Read<i32> {
        self.number(field, i32::from_le_bytes)
    }

    /// A number of 64 bits.
    pub(super) fn long(&self, field: usize) -> Read<i64> {
        self.number(field, i64::from_le_bytes)
    }

    /// The four bytes of a floating-point number.
    pub(super) fn float(&self, field: usize) -> Read<[u8; 4]> {
        self.number(field, |bytes| bytes)
    }

    /// A text; empty where it is left out.
    pub(super) fn text(&self, field: usize) -> Read<&'a [u8]> {
        self.bytes(field)
    }

    /// A list of bytes.
    pub(super) fn bytes(&self, field: usize) -> Read<&'a [u8]> {
        match self.place(field)? {
            Some(place) => self.items(place, 1),
            None => Ok(&[]),
        }
    }

    /// A list of numbers of 64 bits.
    pub(super) fn longs(&self, field: usize) -> Read<Vec<i64>> {
        let Some(place) = self.place(field)? else { return Ok(Vec::new()) };
        Ok(self.items(place, 8)?.as_chunks().0.iter().map(|&chunk| i64::from_le_bytes(chunk)).collect())
    }

    /// A list of numbers of 32 bits, in bytes.
    pub(super) fn floats(&self, field: usize) -> Read<&'a [u8]> {
        match self.place(field)? {
            Some(place) => self.items(place, 4),
            None => Ok(&[]),
        }
    }

    /// A table in this one.
    pub(super) fn table(&self, field: usize) -> Read<Option<Table<'a>>> {
        self.place(field)?.map(|place| self.follow(place)).transpose()
    }

    /// A list of tables.
    pub(super) fn tables(&self, field: usize) -> Read<Vec<Table<'a>>> {
        self.places(field)?.into_iter().map(|place| self.follow(place)).collect()
    }

    /// A list of texts.
    pub(super) fn texts(&self, field: usize) -> Read<Vec<&'a [u8]>> {
        self.places(field)?.into_iter().map(|place| self.items(place, 1)).collect()
    }

    /// Where the items of a list of references stand.
    fn places(&self, field: usize) -> Read<Vec<usize>> {
        let Some(place) = self.place(field)? else { return Ok(Vec::new()) };
        let start = self.follow(place)?.at + 4;
        let count = self.items(place, 4)?.len() / 4;
        Ok((0..count).map(|index| start + 4 * index).collect())
    }

    /// The bytes of the items of a list that `place` refers to, each `width` bytes wide.
    fn items(&self, place: usize, width: usize) -> Read<&'a [u8]> {
        let list = self.follow(place)?.at;
        let count = u32::from_le_bytes(self.take(list)?) as usize;
        let length = count.checked_mul(width).ok_or(OutOfBounds)?;
        self.bytes.get(list + 4..).and_then(|rest| rest.get(..length)).ok_or(OutOfBounds)
    }

    /// What `place` refers to.
    fn follow(&self, place: usize) -> Read<Table<'a>> {
        let offset = u32::from_le_bytes(self.take(place)?) as usize;
        let at = place.checked_add(offset).filter(|&at| at < self.bytes.len()).ok_or(OutOfBounds)?;
        Ok(Table { bytes: self.bytes, at })
    }

    fn number<T: Default, const N: usize>(&self, field: usize, convert: fn([u8; N]) -> T) -> Read<T> {
        match self.place(field)? {
            Some(place) => self.take(place).map(convert),
            None => Ok(T::default()),
        }
    }

    /// Where a field stands; `None` where the table leaves it out.
    fn place(&self, field: usize) -> Read<Option<usize>> {
        let back = i64::from(i32::from_le_bytes(self.take(self.at)?));
        let layout = usize::try_from(self.at as i64 - back).map_err(|_| OutOfBounds)?;
        let size = usize::from(u16::from_le_bytes(self.take(layout)?));
        let entry = 4 + 2 * field;
        if entry + 2 > size {
            return Ok(None);
        }
        let offset = usize::from(u16::from_le_bytes(self.take(layout + entry)?));
        Ok((offset > 0).then_some(self.at + offset))
    }

    fn take<const N: usize>(&self, at: usize) -> Read<[u8; N]> {
        self.bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().ok_or(OutOfBounds)
    }
}

//! The protobuf wire format: fields of a message, one after the other, with their lengths checked.

use std::ops::Range;

use super::image::Image;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireFault {
    /// A field reaches past the end of its message by this many bytes, or by an unknown number.
    PastEnd(Option<u64>),
    Malformed,
}

pub(super) type Stretch = Range<u64>;

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub number: u64,
    /// Where tag and value stand, to be copied as they are.
    pub whole: Stretch,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Varint(u64),
    /// Four or eight bytes.
    Fixed,
    /// A message, a string or packed numbers, which stand there.
    Delimited(Stretch),
}

/// Splits the first field off a message that stands at `rest`, which must not be empty.
pub(super) fn next_field(image: &Image<'_>, rest: &mut Stretch) -> Result<Field, WireFault> {
    let start = rest.start;
    let tag = varint(image, rest)?;
    let number = tag >> 3;
    let value = match tag & 7 {
        _ if number == 0 => return Err(WireFault::Malformed),
        0 => Value::Varint(varint(image, rest)?),
        1 => take(rest, 8).map(|_| Value::Fixed)?,
        2 => {
            let length = varint(image, rest)?;
            Value::Delimited(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| Value::Fixed)?,
        _ => return Err(WireFault::Malformed),
    };
    Ok(Field {
        number,
        whole: start..rest.start,
        value,
    })
}

/// Messages and strings of a message, in its order, with the numbers of their fields; `None` if it
/// is none.
pub(crate) fn delimited(message: &[u8]) -> Option<Vec<(u64, &[u8])>> {
    let mut found = Vec::new();
    each_delimited(message, |number, content| found.push((number, content)))?;
    Some(found)
}

/// Hands over what [`delimited`] finds; `None` if the message turns out, at the end or before, to
/// be none.
pub(crate) fn each_delimited<'m>(
    message: &'m [u8],
    mut take: impl FnMut(u64, &'m [u8]),
) -> Option<()> {
    let image = Image::of_bytes(message);
    let mut rest = 0..image.len();
    while !rest.is_empty() {
        let field = next_field(&image, &mut rest).ok()?;
        if let Value::Delimited(content) = field.value {
            take(
                field.number,
                &message[content.start as usize..content.end as usize],
            );
        }
    }
    Some(())
}

pub(crate) fn put_delimited(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

pub(super) fn put_number(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

pub(super) fn put_fixed(out: &mut Vec<u8>, number: u64, value: [u8; 4]) {
    put_varint(out, number << 3 | 5);
    out.extend_from_slice(&value);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(rest: &mut Stretch, length: u64) -> Result<Stretch, WireFault> {
    let available = rest.end - rest.start;
    if length > available {
        return Err(WireFault::PastEnd(Some(length - available)));
    }
    let taken = rest.start..rest.start + length;
    rest.start = taken.end;
    Ok(taken)
}

const LONGEST_VARINT: usize = 10;

fn varint(image: &Image<'_>, rest: &mut Stretch) -> Result<u64, WireFault> {
    let (bytes, count) = image.peek::<LONGEST_VARINT>(rest.start);
    let count = count.min(usize::try_from(rest.end - rest.start).unwrap_or(usize::MAX));
    let mut value = 0_u64;
    for (index, &byte) in bytes[..count].iter().enumerate() {
        rest.start += 1;
        if index == LONGEST_VARINT - 1 && byte > 1 {
            return Err(WireFault::Malformed);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(if count < LONGEST_VARINT {
        WireFault::PastEnd(None)
    } else {
        WireFault::Malformed
    })
}

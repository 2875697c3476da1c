//! The protobuf wire format: fields of a message, one after the other, with their lengths checked.

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireFault {
    /// A field reaches past the end of its message by this many bytes, or by an unknown number.
    PastEnd(Option<u64>),
    /// No field begins like this.
    Malformed,
}

/// One field of a message, with its bytes as they stand in the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// Field number.
    pub number: u64,
    /// Tag and value, to be copied as they are.
    pub whole: &'a [u8],
    /// What the field holds.
    pub value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    /// A number of variable length.
    Varint(u64),
    /// Four or eight bytes.
    Fixed,
    /// A message, a string or packed numbers.
    Delimited(&'a [u8]),
}

/// Splits the first field off `bytes`, which must not be empty.
pub(super) fn next_field<'a>(bytes: &mut &'a [u8]) -> Result<Field<'a>, WireFault> {
    let start = *bytes;
    let tag = varint(bytes)?;
    let number = tag >> 3;
    let value = match tag & 7 {
        _ if number == 0 => return Err(WireFault::Malformed),
        0 => Value::Varint(varint(bytes)?),
        1 => fixed(bytes, 8)?,
        2 => {
            let length = varint(bytes)?;
            Value::Delimited(take(bytes, length)?)
        }
        5 => fixed(bytes, 4)?,
        _ => return Err(WireFault::Malformed),
    };
    Ok(Field { number, whole: &start[..start.len() - bytes.len()], value })
}

/// Appends a field that holds a message.
pub(crate) fn put_delimited(out: &mut Vec<u8>, number: u64, content: &[u8]) {
    put_varint(out, number << 3 | 2);
    put_varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

/// Appends a field that holds a number.
pub(super) fn put_number(out: &mut Vec<u8>, number: u64, value: u64) {
    put_varint(out, number << 3);
    put_varint(out, value);
}

/// Appends a field of four bytes.
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

fn fixed<'a>(bytes: &mut &'a [u8], length: u64) -> Result<Value<'a>, WireFault> {
    take(bytes, length).map(|_| Value::Fixed)
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], WireFault> {
    let available = bytes.len() as u64;
    if length > available {
        return Err(WireFault::PastEnd(Some(length - available)));
    }
    let (taken, rest) = bytes.split_at(length as usize);
    *bytes = rest;
    Ok(taken)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, WireFault> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(WireFault::PastEnd(None))?;
        *bytes = rest;
        if shift == 63 && byte > 1 {
            return Err(WireFault::Malformed);
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireFault::Malformed)
}

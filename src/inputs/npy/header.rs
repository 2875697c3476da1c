//! The header of an array of numpy's: a dictionary of Python's with three entries, read without
//! Python's grammar.
//!
//! Format: numpy's `lib/format.py`, versions 1.0 to 3.0.

use std::io::{self, Read};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header that is read: version 1.0 has none longer, and numpy reads 10,000 bytes of files
/// it does not trust.
const MOST_BYTES: usize = 1 << 16;
/// Dimensions that numpy allows.
const MOST_DIMENSIONS: usize = 64;
/// Characters of a type that is none of ours which are shown.
const SHOWN: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// numpy's name of the type, such as `<f4`; of records a beginning.
    pub descriptor: String,
    /// Whether the first index changes fastest.
    pub column_major: bool,
    pub shape: Vec<usize>,
    /// Bytes before the elements.
    pub length: usize,
}

impl Header {
    pub(super) fn read(reader: &mut impl Read) -> Result<Header, String> {
        let begin: [u8; 8] = next(reader)?;
        if !begin.starts_with(MAGIC) {
            return Err("it does not begin as numpy's arrays do".to_owned());
        }
        let (width, size) = match begin[6] {
            1 => (2, usize::from(u16::from_le_bytes(next(reader)?))),
            2 | 3 => (4, u32::from_le_bytes(next(reader)?) as usize),
            version => return Err(format!("version {version} of numpy's format is not known")),
        };
        Header::parse(&text(reader, size)?, begin.len() + width + size)
            .map_err(|reason| format!("its header {reason}"))
    }

    fn parse(text: &str, length: usize) -> Result<Header, String> {
        let (mut descriptor, mut column_major, mut shape) = (None, None, None);
        for (key, value) in entries(text)? {
            match key {
                "descr" => descriptor = Some(descriptor_of(value)),
                "fortran_order" => column_major = Some(truth(value)?),
                "shape" => shape = Some(sizes(value)?),
                _ => {
                    return Err(format!(
                        "has an entry `{}` that numpy does not write",
                        shown(key)
                    ));
                }
            }
        }
        Ok(Header {
            descriptor: descriptor.ok_or("has no `descr`")?,
            column_major: column_major.ok_or("has no `fortran_order`")?,
            shape: shape.ok_or("has no `shape`")?,
            length,
        })
    }
}

fn text(reader: &mut impl Read, size: usize) -> Result<String, String> {
    if size > MOST_BYTES {
        return Err(format!(
            "its header has {size} bytes, and {MOST_BYTES} are read at most"
        ));
    }
    let mut bytes = vec![0; size];
    reader.read_exact(&mut bytes).map_err(unread)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn next<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(unread)?;
    Ok(bytes)
}

fn unread(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends early".to_owned(),
        _ => error.to_string(),
    }
}

/// The entries of a dictionary, with their values as they are written.
fn entries(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut rest = text
        .trim()
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or("is no dictionary")?
        .trim();
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (key, after) = key_at(rest).ok_or("has a key that is no text")?;
        let after = after
            .trim_start()
            .strip_prefix(':')
            .ok_or("has a key without a value")?
            .trim_start();
        let end = end_of_value(after)?;
        entries.push((key, after[..end].trim_end()));
        rest = after[end..].trim_start_matches(',').trim_start();
    }
    Ok(entries)
}

/// The quoted key that a text begins with, and what follows it.
fn key_at(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next()?;
    let is_quote = quote == '\'' || quote == '"';
    is_quote.then(|| text[1..].split_once(quote)).flatten()
}

/// Where a value ends: at a comma outside brackets and quotes. It takes one pass, however deep they
/// are nested.
fn end_of_value(text: &str) -> Result<usize, String> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), letter) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(letter),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("closes a bracket that is not open")?
            }
            (None, ',') if depth == 0 => return Ok(at),
            (None, _) => {}
        }
    }
    if depth == 0 && quote.is_none() {
        Ok(text.len())
    } else {
        Err("does not close what it opens".to_owned())
    }
}

/// A type without its quotes; of records, which are lists, a beginning.
fn descriptor_of(value: &str) -> String {
    ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .map_or_else(|| shown(value), shown)
}

fn truth(value: &str) -> Result<bool, String> {
    match value {
        "True" => Ok(true),
        "False" => Ok(false),
        other => Err(format!(
            "says `{}` where True or False is to stand",
            shown(other)
        )),
    }
}

/// The numbers of a tuple, which Python 2 may have written with an `L` each.
fn sizes(value: &str) -> Result<Vec<usize>, String> {
    let inner = value
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or("has a shape that is no tuple")?
        .trim();
    let list = inner.strip_suffix(',').unwrap_or(inner);
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let sizes: Vec<usize> = list.split(',').map(size).collect::<Result<_, String>>()?;
    if sizes.len() > MOST_DIMENSIONS {
        return Err(format!(
            "has {} dimensions, and numpy {MOST_DIMENSIONS} at most",
            sizes.len()
        ));
    }
    Ok(sizes)
}

fn size(word: &str) -> Result<usize, String> {
    let word = word.trim();
    let digits = word.strip_suffix('L').unwrap_or(word);
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten()
        .ok_or_else(|| format!("has a shape with the size `{}`", shown(word)))
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn file(version: u8, header: &str) -> Vec<u8> {
        let length = header.len() as u32;
        let mut bytes = [MAGIC, &[version, 0][..]].concat();
        bytes.extend(&length.to_le_bytes()[..if version == 1 { 2 } else { 4 }]);
        bytes.extend(header.as_bytes());
        bytes
    }

    fn read(version: u8, header: &str) -> Result<Header, String> {
        Header::read(&mut &file(version, header)[..])
    }

    #[test]
    fn headers_are_read_as_numpy_writes_them() {
        let plain = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }     \n";
        for (version, length) in [(1, 10), (2, 12), (3, 12)] {
            let header = read(version, plain).unwrap();
            assert_eq!(
                (header.descriptor.as_str(), header.column_major),
                ("<f4", false)
            );
            assert_eq!(
                (header.shape, header.length),
                (vec![3, 4], length + plain.len())
            );
        }
        for (shape, sizes) in [
            ("()", &[][..]),
            ("(7,)", &[7]),
            ("(2L, 3L)", &[2, 3]),
            ("( 5 , 0 ,)", &[5, 0]),
        ] {
            let header = format!("{{'shape': {shape}, \"fortran_order\": True, 'descr': '|V2'}}");
            assert_eq!(read(1, &header).unwrap().shape, sizes);
        }
        let records = "{'descr': [('a,}', '<f4', (2,)), (\"b'\", '<i8')], 'fortran_order': False, 'shape': (2,)}";
        let header = read(1, records).unwrap();
        assert_eq!(
            (header.descriptor.as_str(), header.shape),
            ("[('a,}', '<f4', (2,)), (\"b'\", '<i8')]", vec![2])
        );
    }

    #[test]
    fn what_numpy_does_not_write_is_refused() {
        for (shape, reason) in [
            ("(-1,)", "has a shape with the size `-1`"),
            ("(+1,)", "has a shape with the size `+1`"),
            (
                "(99999999999999999999,)",
                "has a shape with the size `99999999999999999999`",
            ),
            ("(1, , 2)", "has a shape with the size ``"),
            ("[1]", "has a shape that is no tuple"),
            ("(1", "does not close what it opens"),
            ("(1))", "closes a bracket that is not open"),
            (
                &format!("({})", "1,".repeat(65)),
                "has 65 dimensions, and numpy 64 at most",
            ),
        ] {
            let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}");
            let expected = format!("its header {reason}");
            assert_eq!(read(1, &header).unwrap_err(), expected, "{shape}");
        }
        for (version, header, reason) in [
            (
                1,
                "{'descr': '<f4', 'shape': (1,)}",
                "its header has no `fortran_order`",
            ),
            (
                1,
                "{'fortran_order': 0}",
                "its header says `0` where True or False is to stand",
            ),
            (
                1,
                "{'x': 1}",
                "its header has an entry `x` that numpy does not write",
            ),
            (1, "{descr: 1}", "its header has a key that is no text"),
            (1, "{'descr'}", "its header has a key without a value"),
            (1, "()", "its header is no dictionary"),
            (1, "", "its header is no dictionary"),
            (4, "{}", "version 4 of numpy's format is not known"),
        ] {
            assert_eq!(read(version, header).unwrap_err(), reason, "{header}");
        }
        for (bytes, reason) in [
            (&b"\x93NUMPY\x01"[..], "it ends early"),
            (b"no array at all", "it does not begin as numpy's arrays do"),
        ] {
            assert_eq!(Header::read(&mut &bytes[..]).unwrap_err(), reason);
        }
        let long = " ".repeat(69_998) + "{}";
        assert_eq!(
            read(2, &long).unwrap_err(),
            "its header has 70000 bytes, and 65536 are read at most"
        );
    }

    #[test]
    fn deep_nesting_takes_no_longer_than_its_length() {
        let began = Instant::now();
        for (open, close) in [
            ("[", "]"),
            ("(", ")"),
            ("{", "}"),
            ("[(", ")]"),
            ("[", ""),
            ("'\\", "'"),
        ] {
            let nested = open.repeat(15_000) + &close.repeat(15_000);
            for key in ["descr", "shape", "fortran_order"] {
                drop(read(1, &format!("{{'{key}': {nested}}}")));
            }
        }
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_type_that_is_long_is_shown_by_its_beginning() {
        let descriptor = format!("[{}]", "('a', '<f4'), ".repeat(1000));
        let header = format!("{{'descr': {descriptor}, 'fortran_order': False, 'shape': ()}}");
        let header = read(1, &header).unwrap();
        assert_eq!(header.descriptor.chars().count(), SHOWN + 3);
    }
}

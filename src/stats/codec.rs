//! The text form of a latency histogram: HdrHistogram V2 compressed, in base64.
//!
//! Records come from other machines, so nothing in the text is believed: the decoder of the crate
//! allocates what a header claims and overflows on some counts, and therefore only sees what was
//! checked here.

use std::cell::RefCell;
use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Decompress, FlushDecompress, Status};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{
    DeserializeError, Deserializer, Serializer, V2DeflateSerializer,
};

use crate::units::Nanos;

pub(super) const LOWEST_NS: u64 = 1;
/// Largest latency that is told apart: one hour.
pub(super) const HIGHEST_NS: u64 = 3_600_000_000_000;
/// Significant decimal digits of a latency.
pub(super) const DIGITS: u8 = 3;

/// Addition of version 2 to the format's cookies: nothing is known of the width of a count.
const COOKIE_WORD_SIZE: u32 = 0x10;
const COMPRESSED_COOKIE: u32 = 0x1c84_9304 | COOKIE_WORD_SIZE;
const PLAIN_COOKIE: u32 = 0x1c84_9303 | COOKIE_WORD_SIZE;
/// Sub-buckets that tell 3 digits apart; each doubling of the range beyond them adds half as many.
const SUB_BUCKETS: u64 = 2048;
const BUCKETS: usize = ((HIGHEST_NS / SUB_BUCKETS).ilog2() as usize + 3) * SUB_BUCKETS as usize / 2;
/// Bytes of the plain form before its counts.
const HEADER_LEN: usize = 40;
/// Bytes that one count or run of zeros takes at most (a ZigZag LEB128 of 64 bits).
const MAX_VARINT_LEN: usize = 9;
/// Bytes that the plain form of most histograms fits into.
const COMMON_LEN: usize = 1 << 10;
/// Most latencies that a decoded histogram may claim, so that sums of counts are exact in `f64` and
/// cannot overflow.
const MAX_COUNT: u64 = 1 << 53;

thread_local! {
    /// To set one up takes longer than to inflate a histogram with it, and a record holds one for
    /// each cell and launch.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

/// Why text is not a latency histogram.
#[derive(Debug, thiserror::Error)]
pub enum HistogramError {
    /// The text is not base64.
    #[error("latency histogram is not base64")]
    NotBase64(#[source] base64::DecodeError),
    /// The bytes are not a compressed HDR histogram of version 2.
    #[error("latency histogram is not in the HdrHistogram V2 compressed format")]
    OtherFormat,
    /// The compressed bytes are damaged.
    #[error("latency histogram is damaged")]
    Damaged(#[source] io::Error),
    /// There are more or fewer counts than the header says or the range has.
    #[error("latency histogram is damaged: its counts do not fit its header")]
    BadCounts,
    /// The histogram covers another range.
    #[error(
        "latency histogram covers {low} to {high} ns with {digits} digits, expected {LOWEST_NS} to {HIGHEST_NS} ns with {DIGITS}"
    )]
    OtherRange {
        /// Its smallest value, in nanoseconds.
        low: u64,
        /// Its largest value, in nanoseconds.
        high: u64,
        /// Its significant digits.
        digits: u32,
    },
    /// The decoder refused it.
    #[error("latency histogram cannot be decoded")]
    Refused(#[source] DeserializeError),
}

pub(super) fn encode(histogram: &Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    #[expect(
        clippy::expect_used,
        reason = "writing to memory does not fail, and counts stay far below i64::MAX"
    )]
    V2DeflateSerializer::new()
        .serialize(histogram, &mut bytes)
        .expect("a histogram fits into memory");
    STANDARD.encode(bytes)
}

/// The histogram that a text holds. Bounded in time and memory by the text's length and the
/// histogram's range.
pub(super) fn decode(text: &str) -> Result<Histogram<u64>, HistogramError> {
    let plain = plain(text)?;
    counts(&plain[HEADER_LEN..])?;
    Deserializer::new()
        .deserialize(&mut plain.as_slice())
        .map_err(HistogramError::Refused)
}

/// The buckets that hold any latencies, ascending, and how many each; bounded in time and memory by
/// the text's length.
pub(super) fn decode_counts(text: &str) -> Result<Vec<(u64, u64)>, HistogramError> {
    counts(&plain(text)?[HEADER_LEN..])
}

/// The middle of a bucket, of which the first [`SUB_BUCKETS`] hold one value each.
pub(super) fn middle(bucket: u64) -> Nanos {
    const HALF: u64 = SUB_BUCKETS / 2;
    let doublings = (bucket / HALF).saturating_sub(1);
    let lowest = (bucket - doublings * HALF) << doublings;
    Nanos(lowest + ((1_u64 << doublings) >> 1))
}

/// The plain form of a text, with a header that fits.
fn plain(text: &str) -> Result<Vec<u8>, HistogramError> {
    let plain = inflate(&STANDARD.decode(text).map_err(HistogramError::NotBase64)?)?;
    check_header(&plain)?;
    Ok(plain)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn double_word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The plain form out of the compressed one, read no further than a histogram of this range can be
/// long.
fn inflate(bytes: &[u8]) -> Result<Vec<u8>, HistogramError> {
    let length = match (word(bytes, 0), word(bytes, 4)) {
        (Some(COMPRESSED_COOKIE), Some(length)) => length as usize,
        _ => return Err(HistogramError::OtherFormat),
    };
    let body = &bytes[8..];
    if body.len() != length {
        return Err(HistogramError::BadCounts);
    }
    INFLATER.with_borrow_mut(|inflater| inflated(inflater, body))
}

fn inflated(inflater: &mut Decompress, body: &[u8]) -> Result<Vec<u8>, HistogramError> {
    let longest = HEADER_LEN + BUCKETS * MAX_VARINT_LEN;
    let mut plain = Vec::with_capacity(COMMON_LEN);
    inflater.reset(true);
    loop {
        match inflater.decompress_vec(
            &body[inflater.total_in() as usize..],
            &mut plain,
            FlushDecompress::None,
        ) {
            Ok(Status::StreamEnd) if plain.len() <= longest => return Ok(plain),
            Ok(_) if plain.len() > longest => return Err(HistogramError::BadCounts),
            Ok(_) if plain.len() == plain.capacity() => plain.reserve(plain.len()),
            Ok(_) => return Err(HistogramError::Damaged(io::ErrorKind::UnexpectedEof.into())),
            Err(error) => return Err(HistogramError::Damaged(error.into())),
        }
    }
}

fn check_header(plain: &[u8]) -> Result<(), HistogramError> {
    let (Some(PLAIN_COOKIE), Some(length), Some(digits), Some(low), Some(high)) = (
        word(plain, 0),
        word(plain, 4),
        word(plain, 12),
        double_word(plain, 16),
        double_word(plain, 24),
    ) else {
        return Err(HistogramError::OtherFormat);
    };
    if plain.len() < HEADER_LEN || plain.len() - HEADER_LEN != length as usize {
        return Err(HistogramError::BadCounts);
    }
    if (low, high, digits) != (LOWEST_NS, HIGHEST_NS, u32::from(DIGITS)) {
        return Err(HistogramError::OtherRange { low, high, digits });
    }
    Ok(())
}

/// The buckets that hold any latencies, and how many each does; the decoder of the crate overflows
/// on some.
fn counts(payload: &[u8]) -> Result<Vec<(u64, u64)>, HistogramError> {
    let mut found = Vec::with_capacity(payload.len());
    let mut index = 0_u64;
    let mut total = 0_u64;
    let mut rest = payload;
    while !rest.is_empty() {
        let (encoded, read) = read_varint(rest).ok_or(HistogramError::BadCounts)?;
        rest = &rest[read..];
        // ZigZag: even numbers are counts, odd ones are runs of zeros.
        let magnitude = encoded.div_ceil(2);
        if encoded % 2 == 0 {
            total = total.saturating_add(magnitude);
            found.push((index, magnitude));
            index += 1;
        } else {
            index = index.saturating_add(magnitude);
        }
        if index > BUCKETS as u64 || total > MAX_COUNT {
            return Err(HistogramError::BadCounts);
        }
    }
    Ok(found)
}

/// One LEB128 number of at most 9 bytes, whose last byte holds 8 bits, and how many bytes it took.
fn read_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (position, &byte) in bytes.iter().take(MAX_VARINT_LEN).enumerate() {
        let shift = 7 * position;
        if position == MAX_VARINT_LEN - 1 {
            return Some((value | u64::from(byte) << shift, MAX_VARINT_LEN));
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value, position + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Latencies;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    /// The text of 300 latencies of up to a second.
    fn sample() -> String {
        let mut rng = Pcg64::seed_from_u64(2);
        let mut latencies = Latencies::new();
        (0..300).for_each(|_| latencies.record(Nanos(rng.random_range(1..1_000_000_000))));
        latencies.encode()
    }

    #[track_caller]
    fn assert_refused(text: &str) {
        assert!(
            decode(text).is_err() && decode_counts(text).is_err(),
            "{text}"
        );
    }

    #[test]
    fn buckets_are_counted_as_the_histogram_does() {
        let histogram = Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, DIGITS).unwrap();
        assert_eq!(BUCKETS, histogram.distinct_values());
    }

    #[test]
    fn truncated_text_is_an_error() {
        let text = sample();
        for length in (0..text.len()).step_by(4) {
            assert_refused(&text[..length]);
        }
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let bytes = STANDARD.decode(sample()).unwrap();
        let mut rng = Pcg64::seed_from_u64(4);
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            for _ in 0..rng.random_range(1..8) {
                let at = rng.random_range(0..damaged.len());
                damaged[at] = rng.random();
            }
            let _ = decode(&STANDARD.encode(damaged));
        }
    }

    fn compressed(length: u32, digits: u32, high: u64, payload: &[u8]) -> String {
        use flate2::{Compression, write::ZlibEncoder};
        use std::io::Write;
        let words = [PLAIN_COOKIE, length, 0, digits].map(u32::to_be_bytes);
        let double_words = [LOWEST_NS, high, 1_f64.to_bits()].map(u64::to_be_bytes);
        let plain = [&words.concat()[..], &double_words.concat(), payload].concat();
        let mut body = ZlibEncoder::new(Vec::new(), Compression::default());
        body.write_all(&plain).unwrap();
        let body = body.finish().unwrap();
        let head = [COMPRESSED_COOKIE, body.len() as u32].map(u32::to_be_bytes);
        STANDARD.encode([head.concat(), body].concat())
    }

    #[test]
    fn other_range_is_an_error_that_names_it() {
        assert_eq!(
            decode(&compressed(1, 2, 1_000, &[0]))
                .unwrap_err()
                .to_string(),
            "latency histogram covers 1 to 1000 ns with 2 digits, expected 1 to 3600000000000 ns with 3"
        );
    }

    #[test]
    fn hostile_payloads_are_refused() {
        let zeros = vec![0; 40_000_000];
        let hostile: [(u32, &[u8]); 6] = [
            (u32::MAX, &[0]),
            (9, &[0xff; 9]),
            (
                18,
                &[
                    0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 2, 2, 2, 2, 2, 2, 2, 2, 2,
                ],
            ),
            (2, &[0x80, 0x80]),
            (5, &[0xff, 0xff, 0xff, 0xff, 0x7f]),
            (40_000_000, &zeros),
        ];
        for (length, payload) in hostile {
            assert_refused(&compressed(length, DIGITS.into(), HIGHEST_NS, payload));
        }
        for text in ["", "?", "AAAA", "HISTFAAAA"] {
            assert_refused(text);
        }
    }
}

//! Damaging files at random.

use rand::{Rng, RngExt};

/// Numbers that do not fit somewhere.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1e308",
    "-1e308",
    "0.1",
    "1e-320",
    "255",
    "65536",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
];

/// Most changes that are made to one file.
const CHANGES: u32 = 6;

/// `seed`, changed in a few places; `other` is a file of the same kind, of which parts may be taken
/// over.
pub fn mutated(seed: &[u8], other: &[u8], random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.random_range(1..=CHANGES) {
        change(&mut bytes, other, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut impl Rng) {
    let at = random.random_range(0..=bytes.len());
    let range = at..(at + random.random_range(1..=32)).min(bytes.len());
    match random.random_range(0..9) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.random()),
        2 => drop(bytes.drain(range)),
        3 => {
            let copy = bytes[range].to_vec();
            bytes.splice(at..at, copy);
        }
        4 | 5 => {
            let from = random.random_range(0..=other.len());
            let taken = &other[from..(from + random.random_range(1..=64)).min(other.len())];
            bytes.splice(range, taken.iter().copied());
        }
        6 => number(bytes, at, NUMBERS[random.random_range(0..NUMBERS.len())]),
        7 => bytes[range]
            .iter_mut()
            .take(1)
            .for_each(|byte| *byte = random.random()),
        _ => bytes[range]
            .iter_mut()
            .take(1)
            .for_each(|byte| *byte ^= 1 << random.random_range(0..8)),
    }
}

/// Puts `number` in the place of the next one that is written in digits.
fn number(bytes: &mut Vec<u8>, from: usize, number: &str) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes[from..]
        .iter()
        .position(is_digit)
        .map(|place| from + place)
    else {
        return;
    };
    let end = bytes[start..]
        .iter()
        .position(|byte| !is_digit(byte))
        .map_or(bytes.len(), |length| start + length);
    bytes.splice(start..end, number.bytes());
}

//! Budgets: numbers with units, as written in a rule, in the base unit of the metric they are for.

use super::error::CheckError;
use crate::metric::{Group, Metric, Unit};

/// Budget of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Budget {
    /// A value in the metric's base unit.
    Absolute(f64),
    /// A multiple of the baseline's figure.
    TimesBaseline(f64),
    /// The most that a score may fall below the baseline's.
    Drop(Drop),
    /// None: the judgement on the session says whether the check is kept.
    Judgement,
}

/// How far a score may fall below the baseline's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drop {
    /// By this much of the score itself: 0.005 is half a percentage point.
    Points(f64),
    /// By this share of the baseline's score: 0.02 is 2% of it.
    Share(f64),
}

/// A number with what is written behind it.
pub(super) struct Quantity<'a> {
    text: &'a str,
    number: f64,
    kind: Kind,
}

/// Quantity of a unit, with the base units that one of it is.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Time(f64),
    Size(f64),
    Rate,
    Percent,
    Points,
    Baseline,
}

const UNITS: &[(&str, Kind)] = &[
    ("", Kind::Plain),
    ("ns", Kind::Time(1.0)),
    ("us", Kind::Time(1e3)),
    ("\u{b5}s", Kind::Time(1e3)),
    ("\u{3bc}s", Kind::Time(1e3)),
    ("ms", Kind::Time(1e6)),
    ("s", Kind::Time(1e9)),
    ("B", Kind::Size(1.0)),
    ("kB", Kind::Size(1e3)),
    ("MB", Kind::Size(1e6)),
    ("GB", Kind::Size(1e9)),
    ("KiB", Kind::Size(1024.0)),
    ("MiB", Kind::Size(1_048_576.0)),
    ("GiB", Kind::Size(1_073_741_824.0)),
    ("/s", Kind::Rate),
    ("%", Kind::Percent),
    ("point", Kind::Points),
    ("points", Kind::Points),
];

impl<'a> Quantity<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, CheckError> {
        let (number, unit) = text.split_at(number_length(text));
        let number = number
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .ok_or_else(|| CheckError::NoNumber(text.into()))?;
        let kind = kind(unit.trim())?;
        if number < 0.0 || (number == 0.0 && kind == Kind::Baseline) {
            return Err(CheckError::NotPositive(text.into()));
        }
        Ok(Quantity { text, number, kind })
    }
}

/// Bytes of the number that `text` begins with.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    (0..bytes.len())
        .take_while(|&at| is_of_number(bytes, at))
        .count()
}

fn is_of_number(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'0'..=b'9' | b'.' => true,
        b'+' | b'-' => at == 0 || matches!(bytes[at - 1], b'e' | b'E'),
        // Before a whole number.
        b'e' | b'E' => match &bytes[at + 1..] {
            [b'+' | b'-', digit, ..] | [digit, ..] => at > 0 && digit.is_ascii_digit(),
            [] => false,
        },
        _ => false,
    }
}

fn kind(unit: &str) -> Result<Kind, CheckError> {
    if ["x", "×", "*"]
        .iter()
        .find_map(|sign| unit.strip_prefix(sign))
        .is_some_and(|rest| rest.trim() == "baseline")
    {
        return Ok(Kind::Baseline);
    }
    UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|&(_, kind)| kind)
        .ok_or_else(|| CheckError::UnknownUnit(unit.into()))
}

pub(super) fn of(metric: Metric, quantity: &Quantity<'_>) -> Result<Budget, CheckError> {
    let number = quantity.number;
    let value = match (metric.unit(), quantity.kind) {
        (_, Kind::Baseline) if metric.group() == Group::ToBaseline => {
            return Err(CheckError::NoBaseline(metric));
        }
        (_, Kind::Baseline) => return Ok(Budget::TimesBaseline(number)),
        (Unit::Ns, Kind::Time(factor)) | (Unit::Bytes, Kind::Size(factor)) => number * factor,
        (Unit::PerSec, Kind::Rate) => number,
        (Unit::Ratio, Kind::Percent) => number / 100.0,
        (
            Unit::Ratio | Unit::Joules | Unit::Watts | Unit::Count | Unit::OutputUnit,
            Kind::Plain,
        ) => number,
        _ => return Err(CheckError::WrongUnit(metric, quantity.text.into())),
    };
    Ok(Budget::Absolute(value))
}

/// Of a score that is a share, for which paired changes are known.
pub(super) fn drop(metric: Metric, quantity: &Quantity<'_>) -> Result<Budget, CheckError> {
    let is_score = matches!(metric.group(), Group::LeadingScore | Group::OtherScore);
    if !is_score || metric.unit() != Unit::Ratio {
        return Err(CheckError::NoDrop);
    }
    match quantity.kind {
        Kind::Points => Ok(Budget::Drop(Drop::Points(quantity.number / 100.0))),
        Kind::Percent => Ok(Budget::Drop(Drop::Share(quantity.number / 100.0))),
        Kind::Plain | Kind::Time(_) | Kind::Size(_) | Kind::Rate | Kind::Baseline => {
            Err(CheckError::WrongUnit(metric, quantity.text.into()))
        }
    }
}

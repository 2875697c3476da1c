//! Times and shares of operators in words, as ranges where they are no more than that.

use crate::analysis::{Portion, PortionBounds};
use crate::metric::Unit;
use crate::report::words::ABSENT;
use crate::report::words::number::{self, percent, time};

/// A share of less might as well be none.
const LEAST_SHARE: f64 = 0.001;

/// `49%`, `35 to 71%`, or `up to 40%`; nothing where nothing is known.
pub(in crate::report) fn share_words(portion: Portion) -> String {
    match portion.bounds {
        None => percent(portion.share.0),
        Some(_) if !portion.is_known() => ABSENT.into(),
        Some(PortionBounds { share, .. }) if share.low < LEAST_SHARE => {
            format!("up to {}", percent(share.high))
        }
        Some(PortionBounds { share, .. }) => {
            format!("{} to {}", digits(share.low), percent(share.high))
        }
    }
}

fn digits(share: f64) -> String {
    percent(share).trim_end_matches('%').to_owned()
}

/// `150 µs`, `120 to 180 µs`, or `up to 40.0 µs`; nothing where nothing is known.
pub(in crate::report) fn time_words(portion: Portion) -> String {
    match portion.bounds {
        None => time(portion.time_ns),
        Some(_) if !portion.is_known() => ABSENT.into(),
        Some(bounds) if bounds.share.low < LEAST_SHARE => format!(
            "up to {}",
            number::value(Unit::Ns, bounds.time_ns.high, Some(bounds.time_ns))
        ),
        Some(bounds) => number::ends(Unit::Ns, bounds.time_ns),
    }
}

//! A rate that changes evenly, and then falls at once.

use crate::plan::Offer;
use crate::units::Nanos;

/// A stretch in which the rate changes evenly.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Requests per second at its start.
    from: f64,
    /// Requests per second at its end.
    to: f64,
    /// In seconds.
    length: f64,
}

/// The rate of an offer.
#[derive(Debug)]
pub(super) struct Rate(Vec<Piece>);

impl Piece {
    /// Requests that are expected in it.
    fn requests(self) -> f64 {
        f64::midpoint(self.from, self.to) * self.length
    }

    /// Seconds until so many are expected.
    fn time_of(self, expected: f64) -> f64 {
        let slope = (self.to - self.from) / self.length;
        let end = self
            .from
            .mul_add(self.from, 2.0 * slope * expected)
            .max(0.0);
        // The root of `from t + slope t^2 / 2 = expected` in the form that bears a slope of 0.
        2.0 * expected / (self.from + end.sqrt())
    }
}

impl Rate {
    pub(super) fn of(offer: &Offer) -> Self {
        let first = Piece {
            from: offer.from.0,
            to: offer.to.0,
            length: offer.length_ns.as_secs_f64(),
        };
        let fall = offer.fall.map(|fall| Piece {
            from: fall.to.0,
            to: fall.to.0,
            length: fall.length_ns.as_secs_f64(),
        });
        Rate([Some(first), fall].into_iter().flatten().collect())
    }

    /// When so many requests are expected to have come; `None` after the end.
    pub(super) fn time_of(&self, expected: f64) -> Option<Nanos> {
        let (mut left, mut passed) = (expected, 0.0);
        for piece in &self.0 {
            if left < piece.requests() {
                return Some(Nanos(((passed + piece.time_of(left)) * 1e9) as u64));
            }
            left -= piece.requests();
            passed += piece.length;
        }
        None
    }
}

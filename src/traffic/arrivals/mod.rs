//! When requests arrive.

mod distances;
mod open;
mod rate;
mod trace;
mod users;

use crate::plan::{Arrivals, Offer, Share};
use crate::units::Nanos;

use distances::Distances;
use users::Users;

pub use open::OpenArrivals;
pub use trace::{TraceError, check_trace};

/// What says when requests are due. The same arrivals and offer give the same requests.
pub trait Arriving: Send {
    /// When the next request is due, since the start of the segment; `None` where none is known:
    /// there are no more, or the next follows from an answer.
    fn peek(&mut self) -> Option<Nanos>;

    /// Takes that request.
    fn pop(&mut self) -> Option<Nanos>;

    /// Whether requests follow from answers, so that each answer is to be told.
    fn follows_answers(&self) -> bool {
        false
    }

    /// A request was answered, or failed, at `end`.
    fn answered(&mut self, _end: Nanos) {}

    /// A request found the queue full at `time`.
    fn rejected(&mut self, _time: Nanos) {}

    /// Whether no more requests come, whatever is answered.
    fn is_over(&mut self) -> bool;
}

/// The requests of an offer that come to one process.
///
/// # Errors
/// [`TraceError`] if they follow a trace that cannot be read.
pub fn arrivals(
    pattern: &Arrivals,
    offer: &Offer,
    share: Share,
) -> Result<Box<dyn Arriving>, TraceError> {
    let distances = match pattern {
        Arrivals::Users { think_ns } => return Ok(Box::new(Users::new(*think_ns, offer, share))),
        Arrivals::Constant => Distances::Constant,
        Arrivals::Poisson => Distances::Exponential,
        Arrivals::Gamma { variation } => Distances::gamma(variation.0),
        Arrivals::Bursts { size } => Distances::bursts(*size),
        Arrivals::Trace { path, .. } => Distances::trace(trace::distances(path)?),
    };
    Ok(Box::new(OpenArrivals::new(distances, offer, share)))
}

#[cfg(test)]
mod tests;

//! When requests arrive.

mod arriving;
mod distances;
mod open;
mod rate;
mod trace;
mod users;

use crate::plan::{Arrivals, Offer, Share};

use distances::Distances;
use users::Users;

pub use arriving::Arriving;
pub use open::OpenArrivals;
pub use trace::{TraceError, check_trace};

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

//! Requests: when they arrive, how they wait and are gathered into batches, and what is counted of
//! them.
//!
//! It knows no clock and no engine: whoever drives it says what time it is. `measure` drives it in
//! real time and [`simulate()`] in a time of its own, so that what theory says of a queue can be
//! held against the queue that serves. Read [`Desk`] first.

mod arrivals;
mod desk;
mod simulate;
mod tally;

pub use arrivals::{Arriving, TraceError, arrivals, check_trace};
pub use desk::{Desk, Next, Request};
pub use simulate::{Counting, Service, simulate};
pub use tally::{Tally, Window};

//! Whether the whole command line does what messages, reports and pages say about it.

mod json;
mod printed;
mod reports;
mod round_trip;

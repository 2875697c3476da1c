//! Whether the whole command line does what messages, reports and pages say about it.

mod printed;
mod round_trip;

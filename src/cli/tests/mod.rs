//! The whole command line held against what is said about it.

mod printed;
mod round_trip;

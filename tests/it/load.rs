//! Runs under load.

mod serving;

//! Runs under load.

mod capacity;
mod command;
mod serving;
mod stress;

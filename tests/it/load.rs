//! Runs under load.

mod capacity;
mod command;
mod report;
mod serving;
mod stress;

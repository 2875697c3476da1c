//! Runs under load.

mod capacity;
mod command;
mod report;
mod server;
mod serving;
mod stress;

//! Tests of the command as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails; clippy's own exception leaves out helpers")]

mod architecture;
mod compare;
mod doctor;
mod faults;
mod gate;
mod gpu;
mod inspect;
mod machines;
mod models;
mod profile;
mod providers;
mod record;
mod report;
mod runtime;
mod schedule;
mod support;
mod validity;
mod workbench;

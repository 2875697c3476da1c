//! Tests of the command as a user runs it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails; clippy's own exception leaves out helpers"
)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot run here says why"
)]

mod advice;
mod answers;
mod architecture;
mod batches;
mod budget;
mod compare;
mod custom_ops;
mod decoders;
mod doctor;
mod element_types;
mod explain;
mod faults;
mod few;
mod foreign_text;
mod full;
mod gate;
mod gpu;
mod honest;
mod hostile_names;
mod html;
mod inspect;
mod json;
mod judgement;
mod labels;
mod layouts;
mod limits;
mod load;
mod machines;
mod memory;
mod metrics;
mod models;
mod operators;
mod outputs;
mod pictures;
mod planted;
mod profile;
mod providers;
mod record;
mod report;
mod report_command;
mod runtime;
mod schedule;
mod scoring;
mod several_runs;
mod shapes;
mod show;
mod steering;
mod streams;
mod support;
mod trace;
mod tune;
mod unlike;
mod validity;
mod words;
mod workbench;

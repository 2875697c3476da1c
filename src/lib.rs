//! onnxprof measures ONNX models through ONNX Runtime and says which variant, batch size and session options to ship.
//!
//! The way the data takes: [`cli`] turns words into a [`plan::Plan`]; [`runner`], the parent process, starts one
//! [`worker`] process per launch and speaks [`protocol`] with it; what finishes is written into a
//! [`record::RunRecord`]; [`analysis`] computes findings from the record alone; [`report`] renders them.
//! `src/README.md` draws it, with who may use whom and how to add to it.

pub mod accuracy;
pub mod analysis;
pub mod check;
pub mod cli;
pub mod engine;
pub mod export;
mod files;
pub mod fitness;
pub mod foreign;
mod hash;
pub mod inputs;
pub mod measure;
mod memory;
pub mod metric;
pub mod observed;
pub mod onnx;
pub mod plan;
pub mod protocol;
pub mod provider;
pub mod record;
pub mod report;
pub mod runner;
pub mod runtime;
pub mod sample;
pub mod stats;
pub mod store;
pub mod text;
pub mod trace;
pub mod tune;
pub mod units;
pub mod worker;

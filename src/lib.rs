//! onnxprof measures ONNX models through ONNX Runtime and says which variant, batch size and
//! session options to ship.
//!
//! The way the data takes: [`cli`] turns words into a [`plan::Plan`]; [`runner`], the parent
//! process, starts one [`worker`] process per launch and speaks [`protocol`] with it; what finishes
//! is written into a [`record::RunRecord`]; [`analysis`] computes findings from the record alone;
//! [`report`] renders them for people, [`export`] for programs. `src/README.md` draws it, with who
//! may use whom and how to add to it.
//!
//! A program of its own reads the record of a run and asks for its findings, without ONNX Runtime:
//!
//! ```
//! use std::path::Path;
//!
//! use onnxprof::metric::Metric;
//! use onnxprof::{analysis, store};
//!
//! let run = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/record/run-1.3.json");
//! let record = store::load(Path::new(run))?;
//! let findings = analysis::findings(&record);
//! for cell in &findings.cells {
//!     let Some(median) = cell.figure(Metric::LatencyP50).and_then(|figure| figure.measured()) else { continue };
//!     let (session, batch_size) = (record.session_label(cell.key.session), cell.key.batch_size);
//!     let unit = Metric::LatencyP50.unit().key();
//!     match median.interval {
//!         Some(interval) => {
//!             println!("{session}, batch {batch_size}: {} to {} {unit}", interval.low, interval.high);
//!         }
//!         None => println!("{session}, batch {batch_size}: {} {unit}, without an interval", median.value),
//!     }
//! }
//! assert!(findings.cells.iter().any(|cell| cell.value(Metric::LatencyP50).is_some()));
//! # Ok::<(), store::StoreError>(())
//! ```

/// For records that tests of the program make up, which name the crate as a user does.
#[cfg(test)]
extern crate self as onnxprof;

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
pub mod load;
pub mod matrix_operator;
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
pub mod traffic;
pub mod tune;
pub mod units;
pub mod worker;

//! onnxprof measures ONNX models through ONNX Runtime and says which variant, batch size and session options to ship.

pub mod accuracy;
pub mod analysis;
pub mod engine;
mod hash;
pub mod inputs;
pub mod measure;
pub mod onnx;
pub mod plan;
pub mod protocol;
pub mod record;
pub mod report;
pub mod runner;
pub mod runtime;
pub mod sample;
pub mod stats;
pub mod units;
pub mod worker;

//! onnxprof measures ONNX models through ONNX Runtime and says which variant, batch size and session options to ship.

pub mod accuracy;
pub mod inputs;
pub mod onnx;
pub mod plan;
pub mod record;
pub mod stats;
pub mod units;

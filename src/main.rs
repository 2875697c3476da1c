//! The `onnxprof` command.

fn main() {}

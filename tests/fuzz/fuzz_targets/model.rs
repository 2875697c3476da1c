#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| onnxprof_fuzz::read("model", bytes));

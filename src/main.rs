//! The `onnxprof` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    onnxprof::cli::main(std::env::args_os())
}

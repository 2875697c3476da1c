//! The command line: words become typed values here, once, and errors become messages and exit
//! codes.
//!
//! stdout carries the result, stderr everything else. One file per subcommand, each with its `Args`
//! and a `run`.

mod columns;
mod compare;
mod doctor;
mod ending;
mod error;
pub mod exit;
mod forecast;
mod full_args;
mod gate;
mod inspect;
mod job;
mod json;
mod load;
mod open;
mod output;
mod plan;
mod profile;
mod progress;
mod raw_names;
mod refusals;
mod renamed;
mod report;
mod resources;
mod results;
mod resume;
mod runs;
mod runtime;
mod say;
mod schema;
mod several;
mod show;
mod so_far;
#[cfg(test)]
mod tests;
mod trace;
mod tune;

pub use error::CliError;
use error::Result;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Arguments of the whole command.
#[derive(Debug, Parser)]
#[command(name = "onnxprof", version, about, max_term_width = 110, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands, a line each in the order of the help: a module with `Args` and `run`.
macro_rules! commands {
    ($($name:ident = $module:ident),+ $(,)?) => {
        #[derive(Debug, Subcommand)]
        enum Command {
            $($name(Box<$module::Args>),)+
            /// Runs one session for a parent process, which speaks JSON lines with it.
            #[command(hide = true)]
            Worker,
            /// Opens one library for a parent process, and says what it is.
            #[command(hide = true)]
            ProbeRuntime(runtime::ProbeArgs),
        }

        fn run(command: Command) -> Result<ExitCode> {
            match command {
                $(Command::$name(args) => $module::run(*args).map(ExitCode::from),)+
                Command::Worker => Ok(crate::worker::main()),
                Command::ProbeRuntime(args) => runtime::run_probe(&args).map(ExitCode::from),
            }
        }
    };
}

commands! {
    Profile = profile,
    Load = load,
    Tune = tune,
    Inspect = inspect,
    Report = report,
    Trace = trace,
    Show = show,
    Doctor = doctor,
    Compare = compare,
    Gate = gate,
    Runtime = runtime,
    Schema = schema,
}

/// Runs the command that `words` (program name included) spell, and returns the exit code.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    // What ends a process that opens libraries for a parent is the parent's to tell of.
    let has_parent = words
        .get(1)
        .is_some_and(|word| word == "worker" || word == "probe-runtime");
    if !has_parent && let Err(error) = resources::secure() {
        return say::error(&error);
    }
    spelled(words)
}

/// In a function of its own, whose stack is taken once there is enough.
#[inline(never)]
fn spelled(words: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(&words) {
        Ok(cli) => cli,
        Err(error) => return say::usage(&renamed::advised(error, &words)),
    };
    crate::memory::check_limit()
        .map_err(|mistake| CliError::message(exit::USAGE, mistake))
        .and_then(|()| run(cli.command))
        .unwrap_or_else(|error| say::error(&error))
}

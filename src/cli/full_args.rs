//! `--full` and `--context`: the whole template, and what people give for it.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::{CliError, Result};
use crate::files::{self, Kind};
use crate::report::{Context, ContextError};

/// The file that is looked for in a run's folder.
pub(super) const CONTEXT: &str = "context.toml";

/// Remedy where there is no file.
const NEW: &str = "write one with `onnxprof report --context-template --output context.toml`";

/// Whether the written report holds the whole performance template.
#[derive(Debug, clap::Args)]
pub struct FullArgs {
    /// The written report holds every heading and field of the performance template: what onnxprof
    /// measures, what the context file gives, and one line for what does not apply.
    #[arg(long)]
    pub full: bool,

    /// Facts that only people know (owner, component, costs, training figures ...), as TOML;
    /// `onnxprof report --context-template` prints a file to start from. [default: context.toml in
    /// the run's folder, if it is there]
    #[arg(long, value_name = "FILE", requires = "full")]
    pub context: Option<PathBuf>,
}

impl FullArgs {
    /// The file that was named, else the one in the folder of the run, else nothing, for the whole
    /// template.
    pub(super) fn context_beside(&self, folder: &Path) -> Result<Option<Context>> {
        if !self.full {
            return Ok(None);
        }
        let beside = folder.join(CONTEXT);
        match &self.context {
            Some(path) => read(path),
            None if beside.exists() => read(&beside),
            None => Ok(Default::default()),
        }
        .map(|(_, context)| Some(context))
    }

    /// The text of the file that was named and what it gives; to be read before a run, which keeps
    /// a copy.
    pub(super) fn named(&self) -> Result<Option<(String, Context)>> {
        match &self.context {
            Some(path) => read(path).map(Some),
            None => Ok(self.full.then(Default::default)),
        }
    }
}

fn read(path: &Path) -> Result<(String, Context)> {
    let text = files::text(path, Kind::CONTEXT).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => failed(
            path,
            &Error::other("the file is not text in UTF-8"),
            "save it as UTF-8, which TOML asks for",
        ),
        ErrorKind::IsADirectory => {
            failed(path, &error, "name a file, such as the context.toml in it")
        }
        _ => failed(path, &error, NEW),
    })?;
    let context = Context::parse(&text).map_err(|error| failed(path, &error, advice(&error)))?;
    Ok((text, context))
}

fn failed(path: &Path, error: &dyn std::error::Error, hint: &str) -> CliError {
    CliError::of(error).with_hint(hint).causing(format!(
        "failed to read the context in `{}`",
        path.display()
    ))
}

/// Remedy for a file that is there: one that has a mistake need not be written anew.
fn advice(error: &ContextError) -> &'static str {
    match error {
        ContextError::UnknownKey { .. } => {
            "`onnxprof report --context-template` prints all keys; without the key the report is written"
        }
        ContextError::Empty { .. } | ContextError::WrongType { .. } => {
            "correct that line; `onnxprof report --context-template` prints every key with an example"
        }
        ContextError::Toml { .. } => NEW,
    }
}

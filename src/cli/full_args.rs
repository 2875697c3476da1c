//! `--full` and `--context`: the whole template, and what people give for it.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use super::results::{self, CONTEXT, Results};
use super::{CliError, Result};
use crate::files::{self, Kind};
use crate::report::{Context, ContextError};

/// Remedy where there is no file.
const NEW: &str = "write one with `onnxprof report --context-template --output context.toml`";

/// Whether the written report holds the whole performance template.
#[derive(Debug, clap::Args)]
pub struct FullArgs {
    /// The written report holds every heading and field of the performance template: what onnxprof
    /// measures, what the context file gives, and one line for what does not apply. Targets in the
    /// context file that read like `latency_p99 <= 20 ms` are judged.
    #[arg(long)]
    pub full: bool,

    /// Facts that only people know (owner, component, costs, training figures ...), as TOML;
    /// `onnxprof report --context-template` prints a file to start from. [default: context.toml in
    /// the run's folder, if it is there]
    #[arg(long, value_name = "FILE", requires = "full")]
    pub context: Option<PathBuf>,
}

/// What is given for the whole template, read.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Text of the context file; empty without one.
    pub(super) text: String,
    pub(super) context: Context,
    pub(super) results: Results,
}

impl FullArgs {
    /// The context file that was named, else the one in the folder of the run, else nothing, for
    /// the whole template; and the `further` results that were named with those that it names.
    pub(super) fn given_beside(&self, folder: &Path, further: &[PathBuf]) -> Result<Option<Given>> {
        if !self.full {
            return Ok(None);
        }
        let beside = folder.join(CONTEXT);
        let file = match &self.context {
            Some(path) => Some(path.clone()),
            None => Some(beside).filter(|beside| beside.exists()),
        };
        given(file.as_deref(), further).map(Some)
    }

    /// The file that was named; to be read before a run, which keeps a copy.
    pub(super) fn named(&self) -> Result<Option<Given>> {
        self.full
            .then(|| given(self.context.as_deref(), &[]))
            .transpose()
    }
}

fn given(file: Option<&Path>, further: &[PathBuf]) -> Result<Given> {
    let Some(file) = file else {
        return Ok(Given {
            results: Results::read(further.iter().cloned())?,
            ..Given::default()
        });
    };
    let (text, context) = read(file)?;
    let named = results::named_in(&context, file).chain(further.iter().cloned());
    Ok(Given {
        results: Results::read(named)?,
        text,
        context,
    })
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
        ContextError::Empty { .. }
        | ContextError::WrongType { .. }
        | ContextError::NoTitle { .. } => {
            "correct that line; `onnxprof report --context-template` prints every key with an example"
        }
        ContextError::Toml { .. } => NEW,
    }
}

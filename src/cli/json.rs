//! `--json`: the one document that a command prints for programs, in the same envelope for all.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::{CliError, Result, say};
use crate::analysis::{self, gate::GateVerdict};
use crate::record::FitnessVerdict;
use crate::text::harmless_json;

/// Name and version of the envelope: the major version changes when a field is removed or its
/// meaning changes, the minor one when a field is added.
const SCHEMA: &str = "urn:onnxprof:json:1.0";

#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct JsonArgs {
    /// Prints one JSON document for programs instead: `schema`, `command`, `answer` and `data`;
    /// `onnxprof schema json` describes it.
    #[arg(long)]
    pub json: bool,
}

/// What a command prints with `--json`: this document on stdout, and nothing else.
#[derive(Debug, Serialize, JsonSchema)]
struct Envelope<'a, T> {
    /// Name and version of this envelope: the `$id` of its schema.
    schema: &'static str,
    /// The command that printed it, such as `gate` or `runtime list`.
    command: &'a str,
    /// The answer of the command; null where it has none.
    answer: Option<&'a Answer>,
    /// Everything that the command found; its fields are the command's own.
    data: &'a T,
}

/// The answer of a command in short.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    /// The sentence that the command prints for people.
    pub words: String,
    /// The decision in it; null where the command decides nothing.
    pub decision: Option<Decision>,
}

/// A decision of a command.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Decision {
    /// Of `gate`: whether the run keeps its rules.
    Gate(GateVerdict),
    /// Of `doctor`: whether the machine is fit to measure on.
    Machine(FitnessVerdict),
    /// Of `profile`, `tune`, `show` and `report`: what to do.
    Run(analysis::Decision),
}

impl Answer {
    pub fn undecided(words: impl Into<String>) -> Self {
        Answer {
            words: words.into(),
            decision: None,
        }
    }

    pub fn of(words: impl Into<String>, decision: Decision) -> Self {
        Answer {
            words: words.into(),
            decision: Some(decision),
        }
    }
}

/// The document in which `--json` prints what a command found.
pub(super) fn document(
    command: &str,
    answer: Option<&Answer>,
    data: &impl Serialize,
) -> Result<String> {
    json(&Envelope {
        schema: SCHEMA,
        command,
        answer,
        data,
    })
}

/// Prints that document.
pub(super) fn print(command: &str, answer: Option<&Answer>, data: &impl Serialize) -> Result<()> {
    say::result(document(command, answer, data)?.as_bytes())
}

/// A value as JSON for programs, with a line's end.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(CliError::bug)?;
    Ok(harmless_json(&text).into_owned() + "\n")
}

/// JSON Schema (draft 2020-12) of the document; of `data`, it says nothing.
pub(super) fn schema() -> Schema {
    let mut schema = SchemaSettings::default()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<Envelope<'_, serde_json::Value>>();
    schema.insert("$id".into(), SCHEMA.into());
    schema.insert("title".into(), "onnxprof --json".into());
    schema
}

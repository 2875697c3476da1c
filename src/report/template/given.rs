//! `context.toml`: what only people know of a run, by the template's keys.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::keys::Key;
use super::outline::{Part, name, names, outline};
use crate::report::words::text::plain_whole;

/// Values that people gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    given: BTreeMap<Key, String>,
}

/// A mistake in a context file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// It is not TOML: the line in the file, from 1, and the message of the parser.
    #[error("line {0}: {1}")]
    Toml(usize, String),
    /// The template has no such key, named with its tables; and the keys that may stand there.
    #[error("unknown key `{0}`; known here: {1}")]
    UnknownKey(String, String),
    /// The value of this key, named with its tables, is of a kind that no field takes; and the
    /// kinds that may stand there.
    #[error("`{0}` is {1}, and takes {2}")]
    WrongType(String, &'static str, &'static str),
    /// The value of this key, named with its tables, fills nothing in, or is a list that holds
    /// such.
    #[error("`{0}` is empty; fill it in, or take the line away")]
    Empty(String),
}

impl Context {
    /// Reads a context file.
    ///
    /// # Errors
    /// A file that is not TOML, a key that the template does not have, or a value that no field
    /// takes.
    pub fn parse(text: &str) -> Result<Self, ContextError> {
        let table = text
            .parse::<Table>()
            .map_err(|error| not_toml(text, &error))?;
        let mut context = Context::default();
        context.read(&table, "")?;
        Ok(context)
    }

    pub(super) fn get(&self, key: Key) -> Option<&str> {
        self.given.get(&key).map(String::as_str)
    }

    fn read(&mut self, table: &Table, place: &str) -> Result<(), ContextError> {
        for (word, value) in table {
            let key = format!("{place}{word}");
            let inside = format!("{key}.");
            // A name with a dot in it is one word of TOML, and not a field in a table.
            let mut named = names().iter().filter(|_| !word.contains('.'));
            let is_table = named.clone().any(|(_, name)| name.starts_with(&inside));
            match (named.find(|(_, name)| *name == key), value) {
                (_, Value::Table(table)) if is_table => self.read(table, &inside)?,
                (_, value) if is_table => {
                    let takes = "a table of fields";
                    return Err(ContextError::WrongType(key, kind(value), takes));
                }
                (Some((field, _)), value) => {
                    self.given.insert(*field, words(value, &key)?);
                }
                (None, _) => return Err(ContextError::UnknownKey(key, choices(place))),
            }
        }
        Ok(())
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> ContextError {
    let start = error.span().map_or(0, |span| span.start);
    ContextError::Toml(
        text.bytes()
            .take(start)
            .filter(|&byte| byte == b'\n')
            .count()
            + 1,
        error.message().to_owned(),
    )
}

fn choices(place: &str) -> String {
    let mut names: Vec<String> = names()
        .iter()
        .filter_map(|(_, name)| name.strip_prefix(place))
        .filter_map(|rest| rest.split('.').next())
        .map(|n| format!("`{n}`"))
        .collect();
    names.dedup();
    names.join(", ")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a table",
    }
}

fn words(value: &Value, key: &str) -> Result<String, ContextError> {
    match value {
        Value::String(text) => text_words(text, key),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) if number.is_finite() => Ok(number.to_string()),
        Value::Float(_) => Err(wrong_type(key, "no finite number")),
        Value::Datetime(date) => Ok(date.to_string()),
        Value::Array(texts) => list_words(texts, key),
        Value::Boolean(_) | Value::Table(_) => Err(wrong_type(key, kind(value))),
    }
}

fn wrong_type(key: &str, found: &'static str) -> ContextError {
    let takes = "a text, a number, a date or a list of texts";
    ContextError::WrongType(key.to_owned(), found, takes)
}

fn text_words(text: &str, key: &str) -> Result<String, ContextError> {
    if text.trim().is_empty() {
        return Err(ContextError::Empty(key.to_owned()));
    }
    Ok(plain_whole(text))
}

fn list_words(texts: &[Value], key: &str) -> Result<String, ContextError> {
    if texts.is_empty() {
        return Err(ContextError::Empty(key.to_owned()));
    }
    let words: Vec<String> = texts
        .iter()
        .map(|text| match text {
            Value::String(text) => text_words(text, key),
            _ => Err(wrong_type(key, "a list of other things")),
        })
        .collect::<Result<_, _>>()?;
    Ok(words.join("; "))
}

/// A file to start from: every key of the template, commented out, in the template's order.
#[must_use]
pub fn starting_file() -> String {
    let mut text = String::from(
        "# What only people know, for `onnxprof report RUN --full --context context.toml`.\n\
         # Take away the `#` before a line to fill it in. Values are texts, numbers, dates or lists of texts.\n\
         # What onnxprof measures is filled in beside them.\n",
    );
    let mut current = String::new();
    for (label, table, name) in outline().iter().filter_map(fillable) {
        if table != current {
            text.push_str(&format!("\n[{table}]\n"));
            table.clone_into(&mut current);
        }
        text.push_str(&format!("# {name} = \"\"  # {label}\n"));
    }
    text
}

/// Label, table and name of a part that people may fill in.
fn fillable(part: &Part) -> Option<(&'static str, &'static str, &'static str)> {
    let (label, key) = match *part {
        Part::Field { label, key, .. } => (label, key),
        Part::Entry { key } => ("what it is called", key),
        Part::Fixed(_) | Part::Generated(_) => return None,
    };
    let (table, name) = name(key).rsplit_once('.')?;
    Some((label, table, name))
}

#[cfg(test)]
mod tests {
    use super::super::keys::{CostBenefit, Overview, Summary};
    use super::*;

    #[test]
    fn texts_numbers_dates_and_lists_are_taken() {
        let context = Context::parse(
            "[optimization_overview]\nsystem_component = \"search\"\nbaseline_date = 2026-03-01\n\
             [performance_improvement_metrics.cost_benefit_analysis]\nimplementation_cost = 1200\n\
             [executive_summary]\nresource_requirements = [\"one week\", \"one\\u001b[31m engineer\"]\n",
        )
        .unwrap();
        for (key, value) in [
            (Key::Overview(Overview::SystemComponent), "search"),
            (Key::Overview(Overview::BaselineDate), "2026-03-01"),
            (Key::CostBenefit(CostBenefit::ImplementationCost), "1200"),
            (
                Key::Summary(Summary::ResourceRequirements),
                "one week; one\\u{1b}[31m engineer",
            ),
        ] {
            assert_eq!(context.get(key), Some(value));
        }
    }

    #[test]
    fn mistakes_are_named_with_what_may_stand_there() {
        let empty = "`document.optimization_owner` is empty; fill it in, or take the line away\n";
        for (text, message) in [
            (
                "[document]\nowner = \"me\"\n",
                "unknown key `document.owner`; known here: `last_updated`, `review_schedule`, `optimization_owner`\n",
            ),
            (
                "owner = \"me\"\n",
                "unknown key `owner`; known here: `optimization_overview`",
            ),
            (
                "\"document.optimization_owner\" = \"me\"\n",
                "unknown key `document.optimization_owner`",
            ),
            (
                "[document]\noptimization_owner = true",
                "`document.optimization_owner` is true or false",
            ),
            (
                "[document]\noptimization_owner = [1]",
                "`document.optimization_owner` is a list of other things, and takes",
            ),
            (
                "[document]\noptimization_owner = {}",
                "`document.optimization_owner` is a table",
            ),
            (
                "document = 1",
                "`document` is a number, and takes a table of fields",
            ),
            (
                "[document]\noptimization_owner = nan",
                "`document.optimization_owner` is no finite number",
            ),
            ("[document]\noptimization_owner = \"\"", empty),
            ("[document]\noptimization_owner = \" \"", empty),
            ("[document]\noptimization_owner = []", empty),
            ("[document]\noptimization_owner = [\"me\", \"\"]", empty),
            ("[document]\nx = = 1\n", "line 2: "),
        ] {
            // What is expected with a line break at its end is the whole message.
            let error = format!("{}\n", Context::parse(text).unwrap_err());
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }

    #[test]
    fn starting_file_is_read_as_it_is_and_with_every_line_filled_in() {
        let text = starting_file();
        assert_eq!(Context::parse(&text), Ok(Context::default()));
        let filled: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|line| line.contains(" = "))
                    .unwrap_or(line)
            })
            .map(|line| line.replace("\"\"", "\"x\"") + "\n")
            .collect();
        assert_eq!(Context::parse(&filled).unwrap().given.len(), Key::ALL.len());
    }
}

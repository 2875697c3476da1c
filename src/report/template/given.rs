//! `context.toml`: what only people know of a run, by the template's keys.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::{Table, Value};

use super::keys::Key;
use super::outline::{Generated, Part, Sample, name, names, outline, sample, samples, slug};
use crate::report::words::text::plain_whole;

/// Key of the further runs and results of gates, outside of any table.
const RESULTS: &str = "results";

/// Values that people gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    given: BTreeMap<Key, Vec<String>>,
    entries: BTreeMap<Generated, Vec<GivenEntry>>,
    results: Vec<PathBuf>,
}

/// An entry that people gave: a new one, or what they add to one that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GivenEntry {
    /// Its title; that of a found one, or how it begins, where it adds to that.
    pub(super) title: String,
    /// By their labels.
    pub(super) fields: Vec<(&'static str, Vec<String>)>,
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
    /// An entry of this table has no title, which stands under the key.
    #[error("an entry of `{0}` has no `{1}`, by which it is called")]
    NoTitle(String, String),
}

impl Context {
    /// Reads a context file.
    ///
    /// # Errors
    /// A file that is not TOML, a key that the template does not have, a value that no field takes,
    /// or an entry without a title.
    pub fn parse(text: &str) -> Result<Self, ContextError> {
        let table = text
            .parse::<Table>()
            .map_err(|error| not_toml(text, &error))?;
        let mut context = Context::default();
        context.read(&table, "")?;
        Ok(context)
    }

    /// Folders of further runs, and files that `onnxprof gate --json` wrote, as they were named.
    #[must_use]
    pub fn results(&self) -> &[PathBuf] {
        &self.results
    }

    pub(super) fn entries(&self, generated: Generated) -> &[GivenEntry] {
        self.entries.get(&generated).map_or(&[], Vec::as_slice)
    }

    pub(super) fn get(&self, key: Key) -> Option<&[String]> {
        self.given.get(&key).map(Vec::as_slice)
    }

    fn read(&mut self, table: &Table, place: &str) -> Result<(), ContextError> {
        for (word, value) in table {
            let key = format!("{place}{word}");
            if key == RESULTS {
                self.results = paths(value)?;
                continue;
            }
            if let Some(sample) = samples().iter().find(|sample| sample.is_named(&key)) {
                self.entries
                    .insert(sample.generated, entries(sample, value)?);
                continue;
            }
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

impl Sample {
    /// Whether the table is that of its entries; advice is found, and not given.
    fn is_named(&self, table: &str) -> bool {
        !matches!(self.generated, Generated::Advice(_)) && self.table == table
    }
}

/// Entries of a table, or of several of one name.
fn entries(sample: &Sample, value: &Value) -> Result<Vec<GivenEntry>, ContextError> {
    match value {
        Value::Table(table) => Ok(vec![entry(sample, table)?]),
        Value::Array(tables) if tables.is_empty() => Err(ContextError::Empty(sample.table.clone())),
        Value::Array(tables) => tables
            .iter()
            .map(|one| match one {
                Value::Table(table) => entry(sample, table),
                other => Err(not_a_table(sample, other)),
            })
            .collect(),
        other => Err(not_a_table(sample, other)),
    }
}

fn not_a_table(sample: &Sample, value: &Value) -> ContextError {
    let takes = "a table of fields, or several";
    ContextError::WrongType(sample.table.clone(), kind(value), takes)
}

fn entry(sample: &Sample, table: &Table) -> Result<GivenEntry, ContextError> {
    let mut entry = GivenEntry::default();
    for (word, value) in table {
        let key = format!("{}.{word}", sample.table);
        let mut labels = sample.labels.iter().copied();
        match labels.find(|label| slug(label) == *word) {
            Some(label) => entry.fields.push((label, words(value, &key)?)),
            None if *word == sample.title => entry.title = words(value, &key)?.join("; "),
            None => return Err(ContextError::UnknownKey(key, fields(sample))),
        }
    }
    if entry.title.is_empty() {
        let (table, title) = (sample.table.clone(), sample.title.clone());
        return Err(ContextError::NoTitle(table, title));
    }
    Ok(entry)
}

fn fields(sample: &Sample) -> String {
    let labels = sample.labels.iter().map(|label| slug(label));
    let names: Vec<String> = std::iter::once(sample.title.clone())
        .chain(labels)
        .map(|name| format!("`{name}`"))
        .collect();
    names.join(", ")
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
    if place.is_empty() {
        let tables = samples()
            .iter()
            .filter(|sample| sample.is_named(&sample.table));
        names.extend(tables.map(|sample| format!("`{}`", sample.table)));
        names.push(format!("`{RESULTS}`"));
    }
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

fn words(value: &Value, key: &str) -> Result<Vec<String>, ContextError> {
    let word = match value {
        Value::String(text) => text_words(text, key)?,
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => number.to_string(),
        Value::Float(_) => return Err(wrong_type(key, "no finite number")),
        Value::Datetime(date) => date.to_string(),
        Value::Array(texts) => return list(texts, key, text_words),
        Value::Boolean(_) | Value::Table(_) => return Err(wrong_type(key, kind(value))),
    };
    Ok(vec![word])
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

fn list<T>(
    texts: &[Value],
    key: &str,
    read: fn(&str, &str) -> Result<T, ContextError>,
) -> Result<Vec<T>, ContextError> {
    if texts.is_empty() {
        return Err(ContextError::Empty(key.to_owned()));
    }
    texts
        .iter()
        .map(|text| match text {
            Value::String(text) => read(text, key),
            _ => Err(wrong_type(key, "a list of other things")),
        })
        .collect()
}

fn paths(value: &Value) -> Result<Vec<PathBuf>, ContextError> {
    match value {
        Value::String(text) => Ok(vec![path(text, RESULTS)?]),
        Value::Array(texts) => list(texts, RESULTS, path),
        other => Err(wrong_type(RESULTS, kind(other))),
    }
}

fn path(text: &str, key: &str) -> Result<PathBuf, ContextError> {
    match text {
        "" => Err(ContextError::Empty(key.to_owned())),
        text => Ok(text.into()),
    }
}

/// A file to start from: every key of the template, commented out, in the template's order.
#[must_use]
pub fn starting_file() -> String {
    let mut text = format!(
        "# What only people know, for `onnxprof report RUN --full --context context.toml`.\n\
         # Take away the `#` before a line to fill it in. Values are texts, numbers, dates or lists of texts.\n\
         # What onnxprof measures is filled in beside them. A target that reads like `latency_p99 <= 20 ms` is judged.\n\
         # A table in double brackets may stand several times: each is an entry more, or adds to the found one whose title\n\
         # begins with the same words.\n\n\
         # {RESULTS} = [\"\"]  # folders of further runs, and files of `onnxprof gate --json`, as seen from this file\n"
    );
    let mut current = String::new();
    for part in outline() {
        match *part {
            Part::Fixed(_) => {}
            Part::Generated(generated) => sample(generated)
                .filter(|sample| sample.is_named(&sample.table))
                .into_iter()
                .for_each(|sample| add_sample(&mut text, sample)),
            Part::Field { label, key, .. } => {
                let Some((table, name)) = name(key).rsplit_once('.') else {
                    continue;
                };
                if table != current {
                    text.push_str(&format!("\n[{table}]\n"));
                    table.clone_into(&mut current);
                }
                text.push_str(&format!("# {name} = \"\"  # {label}\n"));
            }
        }
    }
    text
}

fn add_sample(text: &mut String, sample: &Sample) {
    let Sample {
        table,
        title,
        labels,
        ..
    } = sample;
    text.push_str(&format!(
        "\n# [[{table}]]\n# {title} = \"\"  # what it is called\n"
    ));
    for label in labels {
        text.push_str(&format!("# {} = \"\"  # {label}\n", slug(label)));
    }
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
        for (key, values) in [
            (Key::Overview(Overview::SystemComponent), &["search"][..]),
            (Key::Overview(Overview::BaselineDate), &["2026-03-01"]),
            (Key::CostBenefit(CostBenefit::ImplementationCost), &["1200"]),
            (
                Key::Summary(Summary::ResourceRequirements),
                &["one week", "one\\u{1b}[31m engineer"],
            ),
        ] {
            assert_eq!(context.get(key).unwrap(), values);
        }
    }

    #[test]
    fn entries_are_taken_from_one_table_or_several_and_results_by_their_paths() {
        let context = Context::parse(
            "results = [\"runs/tune\", \"gate.json\"]\n\
             [[implementation_risks]]\nrisk_category = \"Cold cache\"\nimpact = [\"High\", \"first hour\"]\n\
             [[implementation_risks]]\nrisk_category = \"Staff\"\n\
             [phase_2_medium_term_optimizations]\noptimization_task = \"Run\"\ndependencies = \"queue\"\n",
        )
        .unwrap();
        assert_eq!(
            context.results(),
            [PathBuf::from("runs/tune"), PathBuf::from("gate.json")]
        );
        let [first, second] = context.entries(Generated::Risks) else {
            panic!("two risks of {context:?}");
        };
        assert_eq!(
            [first.title.as_str(), second.title.as_str()],
            ["Cold cache", "Staff"]
        );
        let impact = vec!["High".to_owned(), "first hour".to_owned()];
        assert_eq!(first.fields, [("Impact", impact)]);
        let tasks = context.entries(Generated::Tasks(1));
        assert_eq!(
            tasks[0].fields,
            [("Dependencies", vec!["queue".to_owned()])]
        );
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
            (
                "[[implementation_risks]]\nimpact = \"High\"\n",
                "an entry of `implementation_risks` has no `risk_category`",
            ),
            (
                "[[implementation_risks]]\nprobabilty = \"High\"\n",
                "unknown key `implementation_risks.probabilty`; known here: `risk_category`, `risk_description`",
            ),
            (
                "implementation_risks = 1\n",
                "`implementation_risks` is a number, and takes a table of fields, or several",
            ),
            ("results = []", "`results` is empty"),
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
                    .filter(|line| line.contains(" = ") || line.starts_with("[["))
                    .unwrap_or(line)
            })
            .map(|line| line.replace("\"\"", "\"x\"") + "\n")
            .collect();
        let context = Context::parse(&filled).unwrap();
        assert_eq!(context.given.len(), Key::ALL.len());
        assert_eq!(context.entries.len(), 8);
        assert_eq!(context.results.len(), 1);
    }
}

//! The rule file: TOML in, rules with their lines out.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::check::{Check, CheckError};
use crate::plan::Binding;
use crate::text::Plain;

/// A rule: a check, and for which sessions and cells it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The check as written.
    pub text: Plain,
    /// The check.
    pub check: Check,
    /// Line of the check in the file, from 1.
    pub line: usize,
    /// Sessions and cells that it is for.
    pub selectors: Selectors,
}

/// Sessions and cells that a rule is for: those that are all of what it names, and of what it does
/// not name, every one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selectors {
    /// Name of the variant, or label of a session.
    pub variant: Option<Selected<String>>,
    /// Execution provider, by its short name or by ONNX Runtime's identifier.
    pub ep: Option<Selected<String>>,
    /// Library, by its version, by build and version (`cpu@1.31.1`), or by its file.
    pub runtime: Option<Selected<String>>,
    /// Where inputs and outputs lie.
    pub binding: Option<Selected<Binding>>,
    /// Samples per inference.
    pub batch_size: Option<Selected<u64>>,
    /// Requests in flight.
    pub concurrency: Option<Selected<u64>>,
    /// Name of a swept shape (`decode`), or all of its sizes as reports show them (`seq 64`).
    pub shape: Option<Selected<String>>,
    /// Sizes of swept dimensions; of those that it does not name, every size.
    pub dims: Option<Selected<BTreeMap<String, u64>>>,
    /// Requests per second, or virtual users, under load.
    pub rate: Option<Selected<f64>>,
    /// Way of serving under load, from 1 in the order of the run.
    pub serving: Option<Selected<u64>>,
}

/// What a rule names, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected<T> {
    /// What it names.
    pub value: T,
    /// Line in the file, from 1.
    pub line: usize,
}

impl Selectors {
    /// What it names of the cells, in words, and where: figures of a session have none of it.
    pub(super) fn of_cells(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let named = [
            ("batch size", self.batch_size.as_ref().map(Selected::line)),
            ("concurrency", self.concurrency.as_ref().map(Selected::line)),
            ("shape", self.shape.as_ref().map(Selected::line)),
            ("shape", self.dims.as_ref().map(Selected::line)),
        ];
        named
            .into_iter()
            .filter_map(|(what, line)| Some((what, line?)))
    }
}

impl Selectors {
    /// What it names of a run under load, in words, and where.
    pub(super) fn of_load(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let named = [
            ("rate", self.rate.as_ref().map(Selected::line)),
            ("way of serving", self.serving.as_ref().map(Selected::line)),
        ];
        named
            .into_iter()
            .filter_map(|(what, line)| Some((what, line?)))
    }
}

impl<T> Selected<T> {
    fn line(&self) -> usize {
        self.line
    }
}

/// A mistake in a rule file, with its line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {mistake}")]
pub struct RuleError {
    /// Line in the file, from 1.
    pub line: usize,
    /// The mistake.
    pub mistake: Mistake,
}

/// A mistake in a rule file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mistake {
    /// It is not TOML, or has keys and values that rules do not have.
    #[error("{0}")]
    Toml(String),
    /// There is no rule in it.
    #[error("there is no `[[rule]]`, and a gate that checks nothing must not pass")]
    Empty,
    /// A check is not understood.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The run has nothing of that name: what was named, its name, and those that the run has.
    #[error("the run has no {0} `{1}`; it has {2}")]
    Unknown(&'static str, String, String),
    /// The run did not measure that number: what was named, the number, and those of the run.
    #[error("the run has no {0} {1}; it has {2}")]
    UnknownNumber(&'static str, u64, String),
    /// The run did not sweep the dimension to the size; the sizes that the run has.
    #[error("the run has no shape with `{0}` = {1}: {2}")]
    UnknownSize(String, u64, String),
    /// Something of a cell is named for a figure that is none of a cell's.
    #[error("`{0}` is a figure of a session, which has no {1}")]
    OfSession(&'static str, &'static str),
    /// Something of a run under load is named for a figure that is measured without.
    #[error("`{0}` is measured without load, and has no {1}")]
    NotUnderLoad(&'static str, &'static str),
    /// A rate is named for a figure that is over all of them.
    #[error("`{0}` is a figure over all rates, and has none of its own")]
    OverRates(&'static str),
    /// The run has each of what the rule names, but nothing that is all of it.
    #[error("nothing that the run measured is all of what the rule names")]
    Nothing,
    /// A comparison with the baseline is asked of the baseline alone.
    #[error(
        "the rule compares the baseline with itself and with nothing else; name another run with `--against`"
    )]
    BaselineAlone,
}

impl Mistake {
    pub(super) fn at(self, line: usize) -> RuleError {
        RuleError {
            line,
            mistake: self,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    check: Spanned<String>,
    variant: Option<Spanned<String>>,
    ep: Option<Spanned<String>>,
    runtime: Option<Spanned<String>>,
    binding: Option<Spanned<Binding>>,
    batch_size: Option<Spanned<u64>>,
    concurrency: Option<Spanned<u64>>,
    shape: Option<Spanned<String>>,
    dims: Option<Spanned<BTreeMap<String, u64>>>,
    rate: Option<Spanned<f64>>,
    serving: Option<Spanned<u64>>,
}

/// Reads the rules of a file.
///
/// # Errors
/// A file that is not TOML or holds other keys, a check that is not understood, or no rule at all.
pub fn rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    let file: File = toml::from_str(text).map_err(|error| {
        Mistake::Toml(error.message().to_owned())
            .at(line_at(text, error.span().map_or(0, |span| span.start)))
    })?;
    if file.rule.is_empty() {
        return Err(Mistake::Empty.at(1));
    }
    file.rule
        .into_iter()
        .map(|entry| rule(text, entry))
        .collect()
}

fn rule(text: &str, entry: Entry) -> Result<Rule, RuleError> {
    let check = entry.check.get_ref();
    let line = line_at(text, entry.check.span().start);
    Ok(Rule {
        check: Check::parse(check).map_err(|error| Mistake::from(error).at(line))?,
        line,
        text: on_one_line(check).into(),
        selectors: Selectors {
            variant: selected(text, entry.variant),
            ep: selected(text, entry.ep),
            runtime: selected(text, entry.runtime),
            binding: selected(text, entry.binding),
            batch_size: selected(text, entry.batch_size),
            concurrency: selected(text, entry.concurrency),
            shape: selected(text, entry.shape),
            dims: selected(text, entry.dims),
            rate: selected(text, entry.rate),
            serving: selected(text, entry.serving),
        },
    })
}

fn selected<T>(text: &str, field: Option<Spanned<T>>) -> Option<Selected<T>> {
    let field = field?;
    Some(Selected {
        line: line_at(text, field.span().start),
        value: field.into_inner(),
    })
}

fn on_one_line(check: &str) -> String {
    check.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// From 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|&byte| byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_know_what_they_are_for_and_where_they_say_so() {
        let text = "# budgets\n[[rule]]\ncheck = \"latency_p99 <= 20 ms\"\n\n[[rule]]\nvariant = \"int8\"\nbatch_size = 8\n\
                    check = \"throughput >= 1 /s\"\nconcurrency = 4\nshape = \"decode\"\nbinding = \"device\"\n\
                    runtime = \"cpu@1.31.1\"\nep = \"cuda\"\n";
        let rules = rules(text).unwrap();
        assert_eq!((rules[0].line, rules[1].line), (3, 8));
        assert_eq!(rules[0].selectors, Selectors::default());
        fn at<T>(line: usize, value: T) -> Option<Selected<T>> {
            Some(Selected { value, line })
        }
        let expected = Selectors {
            variant: at(6, "int8".into()),
            batch_size: at(7, 8),
            concurrency: at(9, 4),
            shape: at(10, "decode".into()),
            binding: at(11, Binding::Device),
            runtime: at(12, "cpu@1.31.1".into()),
            ep: at(13, "cuda".into()),
            dims: None,
            rate: None,
            serving: None,
        };
        assert_eq!(rules[1].selectors, expected);
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line, part) in [
            ("", 1, "no `[[rule]]`"),
            ("rule = []\n", 1, "no `[[rule]]`"),
            (
                "[[rule]]\ncheck = \"latency_p99 <= 20 ms\"\nbatch = 1\n",
                3,
                "unknown field `batch`",
            ),
            ("[[rules]]\ncheck = \"x\"\n", 1, "unknown field `rules`"),
            (
                "\n[[rule]]\nvariant = \"int8\"\n",
                2,
                "missing field `check`",
            ),
            (
                "[[rule]]\ncheck = \"latency_p99 <= 20 ms\"\nbatch_size = -1\n",
                3,
                "invalid value",
            ),
            ("[[rule]]\ncheck = 5\n", 2, "invalid type"),
            (
                "[[rule]]\ncheck = \"latency_p99 <= 20 ms\"\nbinding = \"gpu\"\n",
                3,
                "unknown variant `gpu`, expected `host` or `device`",
            ),
            (
                "[[rule]]\n\ncheck = \"latency_p77 <= 20 ms\"\n",
                3,
                "unknown metric `latency_p77`",
            ),
            ("[[rule]]\ncheck = \"oops\n", 2, "string"),
        ] {
            let error = rules(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}

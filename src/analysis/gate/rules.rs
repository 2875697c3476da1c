//! The rule file: TOML in, rules with their lines out.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::check::{Check, CheckError};
use crate::text::Plain;

/// A rule: a check, and for which cells it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The check as written.
    pub text: Plain,
    /// The check.
    pub check: Check,
    /// Name of the variant that it is for; absent: every variant.
    pub variant: Option<String>,
    /// Batch size that it is for; absent: every batch size.
    pub batch_size: Option<u64>,
    /// Sizes of swept dimensions that it is for; of those that it does not name, every size.
    pub dims: BTreeMap<String, u64>,
    /// Line of the check in the file, from 1.
    pub line: usize,
    /// Line of the variant; that of the check without one.
    pub variant_line: usize,
    /// Line of the batch size; that of the check without one.
    pub batch_size_line: usize,
    /// Line of the dimensions; that of the check without any.
    pub dims_line: usize,
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
    /// No variant of the run has the name; the run's variants.
    #[error("the run has no variant `{0}`; it has {1}")]
    UnknownVariant(String, String),
    /// The run did not measure the batch size; the run's batch sizes.
    #[error("the run has no batch size {0}; it has {1}")]
    UnknownBatchSize(u64, String),
    /// The run did not sweep the dimension to the size; the sizes that the run has.
    #[error("the run has no shape with `{0}` = {1}: {2}")]
    UnknownShape(String, u64, String),
    /// Dimensions are given for a figure that has none.
    #[error("`{0}` is a figure of a session, which has no shape")]
    NoShape(&'static str),
    /// A batch size is given for a figure that has none.
    #[error("`{0}` is a figure of a session, which has no batch size")]
    NoBatchSize(&'static str),
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
    batch_size: Option<Spanned<u64>>,
    dims: Option<Spanned<BTreeMap<String, u64>>>,
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
        variant_line: line_of(text, &entry.variant).unwrap_or(line),
        batch_size_line: line_of(text, &entry.batch_size).unwrap_or(line),
        dims_line: line_of(text, &entry.dims).unwrap_or(line),
        text: on_one_line(check).into(),
        variant: entry.variant.map(Spanned::into_inner),
        batch_size: entry.batch_size.map(Spanned::into_inner),
        dims: entry.dims.map(Spanned::into_inner).unwrap_or_default(),
    })
}

fn line_of<T>(text: &str, field: &Option<Spanned<T>>) -> Option<usize> {
    Some(line_at(text, field.as_ref()?.span().start))
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
    fn rules_know_their_lines() {
        let text = "# budgets\n[[rule]]\ncheck = \"latency_p99 <= 20 ms\"\n\n[[rule]]\nvariant = \"int8\"\nbatch_size = 8\n\
                    check = \"throughput >= 1 /s\"\n";
        let rules = rules(text).unwrap();
        assert_eq!(
            rules
                .iter()
                .map(|rule| [rule.line, rule.variant_line, rule.batch_size_line])
                .collect::<Vec<_>>(),
            [[3, 3, 3], [8, 6, 7]]
        );
        assert_eq!(rules[1].variant.as_deref(), Some("int8"));
        assert_eq!(rules[1].batch_size, Some(8));
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

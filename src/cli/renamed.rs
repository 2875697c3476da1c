//! Words of earlier versions, which a mistake is explained by.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

/// A mistake with a word for those who used to write it so.
pub(super) fn advised(mut error: clap::Error, words: &[OsString]) -> clap::Error {
    if error.use_stderr()
        && let Some(advice) = advice(words)
    {
        let advice = ContextValue::StyledStrs(vec![StyledStr::from(advice)]);
        error.insert(ContextKind::Suggested, advice);
    }
    error
}

fn advice(words: &[OsString]) -> Option<&'static str> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    if values(&words, "--format").any(|value| value == "json") {
        return Some("`--json` prints JSON, with every command");
    }
    if words.get(1) == Some(&"gate")
        && values(&words, "--json").any(|value| value == "-" || !value.starts_with('-'))
    {
        return Some("`--json` takes no file and prints to stdout: `--json > FILE`");
    }
    (words.get(1) == Some(&"doctor") && words.contains(&"--format"))
        .then_some("`doctor` prints text, or JSON with `--json`")
}

/// What follows a flag, in a word of its own or behind `=`.
fn values<'a>(words: &'a [&str], flag: &'a str) -> impl Iterator<Item = &'a str> {
    let next = words.windows(2).filter(move |pair| pair[0] == flag);
    let joined = words
        .iter()
        .filter_map(move |word| word.strip_prefix(flag)?.strip_prefix('='));
    next.map(|pair| pair[1]).chain(joined)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn said(words: &str) -> String {
        let words: Vec<OsString> = words.split(' ').map(OsString::from).collect();
        let error = Cli::try_parse_from(&words).unwrap_err();
        advised(error, &words).to_string()
    }

    #[test]
    fn words_for_json_of_earlier_versions_are_explained() {
        for words in [
            "onnxprof report run --format json",
            "onnxprof compare a b --format=json",
            "onnxprof trace t.json --format json",
            "onnxprof doctor --format json",
        ] {
            let said = said(words);
            assert!(
                said.contains("tip: `--json` prints JSON"),
                "{words}: {said}"
            );
        }
        for words in [
            "onnxprof gate run --rules r.toml --json -",
            "onnxprof gate run --rules r.toml --json out.json",
            "onnxprof gate --json out.json run --rules r.toml",
            "onnxprof gate run --rules r.toml --json=out.json",
        ] {
            let said = said(words);
            assert!(
                said.contains("tip: `--json` takes no file"),
                "{words}: {said}"
            );
        }
        assert!(said("onnxprof doctor --format terminal").contains("JSON with `--json`"));
        assert!(!said("onnxprof report run --format nonsense").contains("--json"));
    }
}

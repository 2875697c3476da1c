//! Text from outside is `Plain` in the record and in what is found from it, so that showing it
//! without making it harmless does not compile.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is no text to show: encoded histograms.
const NO_TEXT: &[&str] = &[
    "Arrivals.sha256",
    "BatchRuns.service",
    "CellRecord.latency_histogram",
    "CellRecord.warmup_histogram",
    "Event.histogram",
    "LaunchCell.latency_histogram",
    "LoadTimes.lag",
    "LoadTimes.response",
    "LoadTimes.service",
    "LoadTimes.waiting",
];

/// Strings that nobody shows.
const NOT_SHOWN: &[&str] = &[
    "RuntimeInfo.build_info",
    "Statistics.multiplicity",
    "Statistics.over_rounds",
    "Statistics.percentile",
    "Statistics.percentile_interval",
    "Statistics.within_round",
];

/// Words of a command that is made up, which it gives whole: they are shown quoted.
const WORDS_OF_COMMANDS: &[&str] = &[
    "Choice.value",
    "Command.baseline",
    "Command.models",
    "Command.others",
];

fn source(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src")
        .join(folder);
    let mut open = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            match path.is_dir() {
                true => open.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => {
                    files.push(path)
                }
                false => {}
            }
        }
    }
    files
}

/// `Type.field` of each field, or variant, of a file's types whose own type holds `word`.
fn fields(file: &Path, word: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut name = None;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        let defined = words
            .iter()
            .position(|word| ["struct", "enum"].contains(word));
        if let (Some(at), false) = (defined, line.starts_with(' ')) {
            name = Some(words[at + 1].to_owned());
        } else if line.starts_with('}') {
            name = None;
        } else if let (Some(name), false) = (&name, line.trim_start().starts_with(['/', '#'])) {
            let is_name = |word: &&str| !["", "pub", "super", "crate", "in"].contains(word);
            let Some(at) = words.iter().position(is_name) else {
                continue;
            };
            if words[at + 1..].contains(&word) {
                found.insert(format!("{name}.{}", words[at]));
            }
        }
    }
    found
}

fn fields_of(folder: &str, word: &str) -> BTreeSet<String> {
    source(folder)
        .iter()
        .flat_map(|file| fields(file, word))
        .collect()
}

#[test]
fn text_of_the_record_is_plain_but_for_what_is_listed() {
    let found: BTreeSet<String> = ["record", "plan"]
        .iter()
        .flat_map(|folder| fields_of(folder, "String"))
        .collect();
    let listed = [NO_TEXT, NOT_SHOWN, WORDS_OF_COMMANDS].concat();
    assert_eq!(
        found,
        listed.iter().map(|name| (*name).to_owned()).collect()
    );
    assert!(
        fields_of("record", "Plain").len() > 30,
        "fields are not found any more"
    );
}

/// What templates are filled with is serialized, and so shown as it came; these are not.
#[test]
fn what_is_drawn_from_holds_no_text_as_it_came() {
    assert_eq!(
        fields_of("report", "Plain"),
        BTreeSet::from(
            [
                "Absent.NotMeasured",
                // Made plain where it is named, and never serialized.
                "Along.Dimension",
                "Bars.named",
                // Compared, and shown by way of sentences.
                "File.hashes",
                // Read, and shown by way of sentences.
                "GateCheck.check",
                "GateCheck.session",
                "GateResult.path",
                "Search.path",
            ]
            .map(str::to_owned)
        )
    );
}

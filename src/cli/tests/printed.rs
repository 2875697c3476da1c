//! Checks that the real command line understands the commands that are printed or written about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;

/// Files with words for other programs than this one.
const FOREIGN_FILES: [&str; 3] = [
    "src/runtime/pip.rs",
    "src/runtime/pip_words.rs",
    "src/runtime/python.rs",
];
/// Flags of other programs that hints name.
const FOREIGN_FLAGS: [&str; 5] = ["gpus", "governor", "help", "lock-gpu-clocks", "version"];

/// Errors of commands that are mentioned and not meant to be typed as they stand.
const MENTIONED: [ErrorKind; 4] = [
    ErrorKind::DisplayHelp,
    ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ErrorKind::MissingRequiredArgument,
    ErrorKind::MissingSubcommand,
];

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lines of a text, those that end in a backslash joined with the next.
fn lines(path: &Path) -> Vec<String> {
    let joined: String = std::fs::read_to_string(path)
        .unwrap()
        .split("\\\n")
        .map(str::trim_start)
        .collect();
    joined.lines().map(str::to_owned).collect()
}

/// Source lines without comments and unit tests.
fn code(path: &Path) -> Vec<String> {
    let mut lines = lines(path);
    lines.truncate(
        lines
            .iter()
            .take_while(|line| *line != "#[cfg(test)]")
            .count(),
    );
    lines.retain(|line| !line.trim_start().starts_with("//"));
    lines
}

fn known_flags(command: &clap::Command) -> BTreeSet<String> {
    command
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .map(str::to_owned)
        .chain(command.get_subcommands().flat_map(known_flags))
        .collect()
}

/// Words after two dashes in a line.
fn flags(line: &str) -> impl Iterator<Item = String> + '_ {
    line.match_indices("--").filter_map(|(at, _)| {
        let is_within = line[..at].ends_with(|before: char| {
            before.is_alphanumeric() || ['-', '{', '!'].contains(&before)
        });
        let word: String = line[at + 2..]
            .chars()
            .take_while(|&c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            .collect();
        let is_word = word.starts_with(|first: char| first.is_ascii_lowercase());
        (is_word && !is_within).then_some(word)
    })
}

fn split(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for letter in text.chars() {
        match letter {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Commands in a line: between backticks, or the line itself, up to a remark that stands apart.
fn commands(line: &str, subcommands: &BTreeSet<String>) -> Vec<String> {
    let spans = line
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|span| span.starts_with("onnxprof "));
    let whole = Some(line.trim().trim_start_matches("$ ")).filter(|whole| {
        let word = whole
            .strip_prefix("onnxprof ")
            .and_then(|rest| rest.split(' ').next());
        word.is_some_and(|word| subcommands.contains(word))
    });
    spans
        .chain(whole)
        .filter_map(|text| text.split("  ").next()?.split(" # ").next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn flags_in_messages_and_hints_are_those_of_the_command_line() {
    let known = known_flags(&Cli::command());
    let mut found = BTreeSet::new();
    for path in files(&root().join("src"), "rs") {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        if FOREIGN_FILES.contains(&name.as_str())
            || name.ends_with("tests.rs")
            || name.contains("/tests/")
        {
            continue;
        }
        for line in code(&path) {
            for flag in flags(&line) {
                assert!(
                    known.contains(&flag) || FOREIGN_FLAGS.contains(&flag.as_str()),
                    "{name}: --{flag} in {line}"
                );
                found.insert(flag);
            }
        }
    }
    assert!(
        ["budget", "ep-option", "rules"]
            .iter()
            .all(|flag| found.contains(*flag)),
        "{found:?}"
    );
}

#[test]
fn commands_in_sources_pages_and_golden_reports_are_understood() {
    let source = files(&root().join("src"), "rs")
        .into_iter()
        .map(|path| (code(&path), path));
    let pages = ["src", "tests/it/snapshots", "models"]
        .into_iter()
        .map(|folder| root().join(folder))
        .flat_map(|folder| ["md", "snap"].map(|kind| files(&folder, kind)).concat())
        .chain([root().join("README.md")])
        .map(|path| (lines(&path), path));
    let subcommands = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    let mut understood = 0;
    for (lines, path) in source.chain(pages) {
        for command in lines.iter().flat_map(|line| commands(line, &subcommands)) {
            // A part that is filled in, a choice, or a word that stands for others.
            if command.contains(['{', '|', '[', '…', '>', '&', '"']) || command.contains(" COMMAND")
            {
                continue;
            }
            match Cli::try_parse_from(split(&command)) {
                Ok(_) => understood += 1,
                Err(error) if MENTIONED.contains(&error.kind()) => {}
                Err(error) => panic!("{}: {command}\n{error}", path.display()),
            }
        }
    }
    assert!(understood > 20, "{understood}");
}

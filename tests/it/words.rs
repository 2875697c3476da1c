//! Words that people read: none of those that `src/README.md` lists as ours alone.

use std::fs;
use std::path::{Path, PathBuf};

use onnxprof::analysis;
use onnxprof::record::RunRecord;
use onnxprof::report::{self, Beside, Color, Filled, Report};

use crate::support::{Onnxprof, model, record};

/// What alone may hold such a word: the hidden command that runs one session.
const COMMAND: &str = "worker";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The first column of the table under `## Words`.
fn forbidden() -> Vec<String> {
    let page = page("src/README.md");
    let (_, section) = page.split_once("\n## Words\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    section
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .skip(1)
        .flat_map(|row| row.split(" | ").next().unwrap().split(", "))
        .map(str::to_owned)
        .collect()
}

/// One space for each run of blanks, and lower case.
fn flat(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<&str>>()
        .join(" ")
        .to_lowercase()
}

/// The text around each forbidden word.
fn found(text: &str, forbidden: &[String]) -> Vec<String> {
    let text = flat(text);
    let is_part = |letter: char| letter.is_alphanumeric() || "_-/'".contains(letter);
    let mut all = Vec::new();
    for word in forbidden {
        for (begin, _) in text.match_indices(word.as_str()) {
            let (before, after) = (&text[..begin], &text[begin + word.len()..]);
            if !before.ends_with(is_part) && !after.starts_with(is_part) {
                let before: Vec<char> = before.chars().rev().take(60).collect();
                let before: String = before.into_iter().rev().collect();
                let after: String = after.chars().take(60).collect();
                all.push(format!("{before}[{word}]{after}"));
            }
        }
    }
    all
}

fn assert_plain(what: &str, text: &str, forbidden: &[String]) {
    let found = found(text, forbidden);
    assert!(found.is_empty(), "{what}: {found:#?}");
}

/// A page as it is read: without code, links' targets and addresses.
fn prose(markdown: &str) -> String {
    let mut is_code = false;
    let mut lines = Vec::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            lines.push(line);
        }
    }
    let text = lines.join("\n");
    let parts = text.split('`').step_by(2).collect::<Vec<&str>>().join("``");
    parts
        .split("](")
        .enumerate()
        .map(|(index, part)| match (index, part.split_once(')')) {
            (0, _) | (_, None) => part,
            (_, Some((_, rest))) => rest,
        })
        .collect::<Vec<&str>>()
        .join("] ")
}

/// What a browser shows: no scripts, styles and tags, but what tags say to be read aloud or shown.
fn visible(page: &str) -> String {
    let mut text = page.to_owned();
    for tag in ["script", "style"] {
        let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
        while let Some(begin) = text.find(&open) {
            let end = begin + text[begin..].find(&close).unwrap() + close.len();
            text.replace_range(begin..end, " ");
        }
    }
    let named = |tag: &str| {
        ["aria-label=\"", "title=\"", "alt=\""]
            .iter()
            .filter_map(|name| tag.split_once(name))
            .filter_map(|(_, rest)| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
            .collect::<Vec<String>>()
            .join(" ")
    };
    text.split('<')
        .map(|part| match part.split_once('>') {
            Some((tag, shown)) => format!("{} {shown}", named(tag)),
            None => part.to_owned(),
        })
        .collect::<Vec<String>>()
        .join(" ")
}

/// The texts in code, with lines that go on joined; not those of its tests.
fn literals(code: &str) -> Vec<String> {
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut texts = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, here) = rest.split_at(at);
        rest = if here.starts_with("//") {
            here.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(after) = here.strip_prefix('/') {
            after
        } else if let Some(quote) = here.strip_prefix('\'') {
            after_character(quote)
        } else {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before[..before.len() - hashes].ends_with('r');
            let (text, after) = if is_raw {
                here[1..]
                    .split_once(&format!("\"{}", "#".repeat(hashes)))
                    .unwrap()
            } else {
                quoted(&here[1..])
            };
            texts.push(joined(text));
            after
        };
    }
    texts
}

/// What follows a character literal, or the mark of a lifetime.
fn after_character(quote: &str) -> &str {
    let mut letters = quote.char_indices();
    match (letters.next(), letters.next()) {
        (Some((_, '\\')), Some((at, escaped))) => {
            let after = &quote[at + escaped.len_utf8()..];
            after.split_once('\'').map_or("", |(_, rest)| rest)
        }
        (Some(_), Some((at, '\''))) => &quote[at + 1..],
        _ => quote,
    }
}

/// A text up to its closing quote, and what follows it.
fn quoted(text: &str) -> (&str, &str) {
    let mut is_escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !is_escaped => return (&text[..at], &text[at + 1..]),
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    (text, "")
}

/// Without the ends of lines that go on, and without what is put into it.
fn joined(text: &str) -> String {
    let lines: Vec<&str> = text
        .split("\\\n")
        .enumerate()
        .map(|(index, line)| if index == 0 { line } else { line.trim_start() })
        .collect();
    let text = lines.concat();
    text.split('{')
        .enumerate()
        .map(|(index, part)| match (index, part.split_once('}')) {
            (0, _) | (_, None) => part,
            (_, Some((_, rest))) => rest,
        })
        .collect::<Vec<&str>>()
        .join("X")
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(path);
        }
    }
    all.sort();
    all
}

/// Of tests, and no text that reaches people.
fn is_of_tests(path: &Path) -> bool {
    let stem = path.file_stem().unwrap();
    stem == "tests"
        || stem == "testing"
        || path.components().any(|part| part.as_os_str() == "tests")
}

fn fixtures() -> Vec<(String, RunRecord)> {
    let mut all: Vec<(String, RunRecord)> = [
        ("digits", record::digits()),
        ("large", record::large(4, 3)),
        ("single variant", record::single_variant()),
        ("few rounds", record::few_rounds()),
        ("few inferences", record::few_inferences()),
        ("slowing down", record::slowing_down()),
        ("killed", record::killed()),
        ("nothing measured", record::nothing_measured()),
        ("without baseline", record::without_baseline()),
        ("unlabelled", record::unlabelled()),
        ("regression", record::regression()),
        ("worse accuracy", record::worse_accuracy()),
    ]
    .map(|(name, run)| (name.to_owned(), run))
    .into();
    for name in ["run-1.0", "run-1.1", "run-1.2", "run-1.3", "tune-1.3"] {
        let path = root().join("tests/it/record").join(name);
        let run = onnxprof::store::load(&path.with_added_extension("json")).unwrap();
        all.push((name.to_owned(), run));
    }
    all
}

/// Everything that is printed of a run.
fn printed(run: &RunRecord) -> String {
    let findings = analysis::findings(run);
    let report = Report::new(run, &findings);
    let folder = Path::new("onnxprof-runs/one");
    let full = Filled::new(run, &findings, &Beside::default());
    [
        report::screen(&report, Some(folder), Color::Never),
        report::terminal(&report, Some(folder), Color::Never),
        report::markdown(&report).unwrap(),
        report::full_markdown(&report, &full).unwrap(),
        visible(&report::html(&report).unwrap()),
    ]
    .join("\n")
}

#[test]
fn list_is_read_from_the_page() {
    let list = forbidden();
    for word in ["told apart", "in nodes", "knee", "look", "heat", "worker"] {
        assert!(list.iter().any(|one| one == word), "{list:?}");
    }
    let sure = "`worker` [a](look.md) says: Its Worker\n  looks at one.";
    assert_eq!(found(&prose(sure), &list).len(), 2, "{}", prose(sure));
    assert_eq!(found("int8 looks 1.8x faster; outlook", &list), [""; 0]);
    assert_eq!(
        literals(
            "let a = '\"'; // \"no\"\nf(\"one \\\n   {knee} \\\"two\", r#\"th\"ree\"#, b'\\'')"
        ),
        ["one X \\\"two", "th\"ree"]
    );
}

#[test]
fn reports_have_no_words_of_ours_alone() {
    let list = forbidden();
    for (name, run) in fixtures() {
        assert_plain(&name, &printed(&run), &list);
    }
}

#[test]
fn help_has_no_words_of_ours_alone() {
    let list = forbidden();
    let help = |words: &[&str]| Onnxprof::new().args(words).arg("--help").run().stdout;
    let whole = help(&[]);
    let commands: Vec<&str> = whole
        .lines()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 10, "{commands:?}");
    assert_plain("onnxprof", &whole, &list);
    for command in commands {
        assert_plain(command, &help(&[command]), &list);
    }
}

#[test]
fn what_a_command_prints_of_a_model_has_none_either() {
    let list = forbidden();
    let inspected = Onnxprof::new()
        .arg("inspect")
        .arg(model("digits/digits-int8-dynamic.onnx"))
        .run();
    assert_plain("inspect", &inspected.stdout, &list);
}

#[test]
fn pages_have_no_words_of_ours_alone() {
    let list = forbidden();
    for name in [
        "README.md",
        "src/README.md",
        "src/cli/README.md",
        "src/analysis/README.md",
        "src/python/README.md",
        "src/packaging/README.md",
        "benches/README.md",
        "tests/fuzz/README.md",
    ] {
        let page = page(name);
        let (before, after) = match page.split_once("\n## Words\n") {
            Some((before, rest)) => (before, rest.split_once("\n## ").unwrap().1),
            None => (page.as_str(), ""),
        };
        assert_plain(name, &prose(before), &list);
        assert_plain(name, &prose(after), &list);
    }
}

#[test]
fn texts_in_the_code_of_the_program_have_none() {
    let list = forbidden();
    for path in sources(&root().join("src")) {
        if is_of_tests(&path) {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        for text in literals(&code).iter().filter(|text| *text != COMMAND) {
            assert_plain(&path.display().to_string(), text, &list);
        }
    }
}

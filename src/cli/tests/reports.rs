//! Whether the real command line understands every command and flag that reports print.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Parser as _;

use crate::analysis::comparison::{NamedRun, compare};
use crate::analysis::gate::{self, Run, Terms};
use crate::analysis::{self, Findings};
use crate::cli::Cli;
use crate::record::{FitnessVerdict, RunRecord};
use crate::report::view::{ComparisonView, GateView};
use crate::report::{self, Beside, Color, Examination, Filled, Report, Undecided};
use crate::store;

#[path = "../../../tests/it/support/record.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod record;

fn stored(name: &str) -> RunRecord {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    store::load(&root.join("tests/it/record").join(name)).unwrap()
}

/// Runs of every kind, by name.
fn runs() -> Vec<(&'static str, RunRecord)> {
    let mut unfit = record::digits();
    unfit.fitness.as_mut().unwrap().verdict = FitnessVerdict::Invalid;
    let mut runs = vec![
        ("digits", record::digits()),
        ("unfit", unfit),
        ("one variant", record::single_variant()),
        ("few rounds", record::few_rounds()),
        ("few inferences", record::few_inferences()),
        ("slowing down", record::slowing_down()),
        ("killed", record::killed()),
        ("nothing measured", record::nothing_measured()),
        ("no baseline", record::without_baseline()),
        ("no labels", record::unlabelled()),
        ("regression", record::regression()),
        ("worse accuracy", record::worse_accuracy()),
    ];
    let names = [
        "run-1.0.json",
        "run-1.1.json",
        "run-1.2.json",
        "run-1.3.json",
        "tune-1.3.json",
    ];
    runs.extend(names.map(|name| (name, stored(name))));
    runs
}

/// All that is printed of a run, by format.
fn printed(run: &RunRecord, findings: &Findings) -> Vec<(&'static str, String)> {
    let report = Report::new(run, findings);
    let folder = Some(Path::new("onnxprof-runs/20260301T120000-digits"));
    let filled = Filled::new(run, findings, &Beside::default());
    let mut all = vec![
        ("screen", report::screen(&report, folder, Color::Never)),
        ("terminal", report::terminal(&report, folder, Color::Never)),
        ("markdown", report::markdown(&report).unwrap()),
        ("html", report::html(&report).unwrap()),
        ("full", report::full_markdown(&report, &filled).unwrap()),
    ];
    all.extend(gated(run, findings));
    all.extend(compared(run));
    if let (Some(conditions), Some(fitness)) = (&run.conditions, &run.fitness) {
        let found = Examination {
            host: &run.host,
            conditions,
            fitness,
        };
        all.push(("doctor", report::examination(found, Color::Never)));
        if let Some(claims) = analysis::null_test(run, findings) {
            all.push(("null test", report::null_test(found, &claims, Color::Never)));
        }
    }
    all
}

/// By the rules that `gate init` writes for the run.
fn gated(run: &RunRecord, findings: &Findings) -> Vec<(&'static str, String)> {
    let run = Run {
        record: run,
        findings,
    };
    let text = gate::init(run);
    let Ok(rules) = gate::rules(&text) else {
        return vec![("rules", text)];
    };
    let Ok(found) = gate::gate(&rules, run, Terms::default()) else {
        return vec![("rules", text)];
    };
    let view = GateView::new(&found);
    vec![
        ("rules", text),
        ("gate", report::gate_terminal(&view, Color::Never)),
        ("annotations", report::annotations(&view, "gate.toml")),
        ("step summary", report::step_summary(&view)),
        ("junit", report::junit(&view, "run", Undecided::Skipped)),
    ]
}

fn compared(run: &RunRecord) -> Vec<(&'static str, String)> {
    let named = [
        NamedRun::new("old".into(), run),
        NamedRun::new("new".into(), run),
    ];
    let Ok(found) = compare(&named, None) else {
        return Vec::new();
    };
    let view = ComparisonView::new(&found);
    vec![
        ("compare", report::comparison_terminal(&view, Color::Never)),
        ("compared", report::comparison_markdown(&view).unwrap()),
    ]
}

/// What is set as code: between backticks, in elements of a page, and on lines of their own.
fn code(text: &str) -> BTreeSet<String> {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let spans = text.split('`').skip(1).step_by(2);
    let elements = text
        .split("<code>")
        .skip(1)
        .filter_map(|rest| rest.split("</code>").next());
    let elements = elements.map(|code| {
        code.replace("&quot;", "\"")
            .replace("&#x27;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
    });
    let lines = text.lines().map(|line| line.trim().to_owned());
    let lines = lines.filter(|line| line.starts_with("onnxprof ") && is_command(line));
    spans.map(flat).chain(elements).chain(lines).collect()
}

/// Not a sentence that begins with the name of the program.
fn is_command(line: &str) -> bool {
    let word = line.split(' ').nth(1).unwrap_or_default();
    <Cli as clap::CommandFactory>::command()
        .find_subcommand(word)
        .is_some()
        && !line.ends_with(['.', ':'])
}

/// Why code that is a command, or flags of one, is not understood; `None` where it is.
fn mistake(code: &str) -> Option<String> {
    let Some(words) = shlex::split(code) else {
        let is_own = code.starts_with("onnxprof ");
        return is_own.then(|| "a quote is open".into());
    };
    match words.first()?.as_str() {
        "onnxprof" => error(&words),
        flag if flag.starts_with("--") && words.len() == 1 => unknown(flag),
        flag if flag.starts_with("--") => {
            let own = [
                "profile MODEL",
                "tune MODEL",
                "report RUN",
                "doctor",
                "gate RUN",
                "gate RUN --rules FILE",
            ];
            let tried = own.map(|own| {
                let begin = format!("onnxprof {own}");
                let begin = begin.split(' ').map(str::to_owned);
                error(&begin.chain(words.clone()).collect::<Vec<_>>())
            });
            tried.into_iter().collect::<Option<Vec<_>>>()?.pop()
        }
        _ => None,
    }
}

/// Of a flag that is named without its value.
fn unknown(flag: &str) -> Option<String> {
    let program = <Cli as clap::CommandFactory>::command();
    let is_known = program.get_subcommands().any(|command| {
        command
            .get_arguments()
            .any(|argument| argument.get_long() == flag.strip_prefix("--"))
    });
    (!is_known).then(|| format!("no command takes `{flag}`"))
}

fn error(words: &[String]) -> Option<String> {
    Cli::try_parse_from(words)
        .err()
        .map(|error| error.to_string())
}

#[test]
fn every_command_of_every_report_is_understood() {
    let mut understood = BTreeSet::new();
    let mut formats = BTreeSet::new();
    for (name, run) in runs() {
        let findings = analysis::findings(&run);
        for (format, text) in printed(&run, &findings) {
            for code in code(&text) {
                let mistake = mistake(&code);
                assert_eq!(mistake, None, "{name}, {format}: {code}");
                if code.starts_with("onnxprof ") {
                    formats.insert(format);
                    understood.insert(code);
                }
            }
        }
    }
    assert!(understood.len() > 40, "{understood:#?}");
    let wanted = ["full", "html", "markdown", "screen", "terminal"];
    assert!(
        wanted.iter().all(|format| formats.contains(format)),
        "{formats:?}"
    );
}

#[test]
fn a_command_that_is_none_is_found() {
    for text in [
        "measure again: `TOOL profile m.onnx --bugdet 60s`",
        "<code>TOOL gaet RUN</code>",
        "TOOL report RUN --fromat html",
        "about 12 s more decide: `--budget 12 parsecs`",
        "`--dtaa` feeds real inputs",
    ] {
        // Another test finds commands in sources, which these must not be.
        let text = text.replace("TOOL", "onnxprof");
        let wrong = code(&text).iter().filter_map(|code| mistake(code)).count();
        assert_eq!(wrong, 1, "{text}");
    }
}

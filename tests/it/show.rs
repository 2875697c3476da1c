//! `show`: the summary of a run again.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use onnxprof::record::RunRecord;
use onnxprof::store::UNFINISHED_TRACE;

use crate::support::{BAD_INPUT, Onnxprof, USAGE, record};
use crate::workbench::Workbench;

/// Puts a run into a folder, as if it had been written so many seconds ago.
fn put(folder: &Path, run: &RunRecord, seconds_ago: u64) {
    fs::create_dir_all(folder).unwrap();
    let file = folder.join("run.json");
    fs::write(&file, serde_json::to_vec(run).unwrap()).unwrap();
    let then = SystemTime::now() - Duration::from_secs(seconds_ago);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(then)
        .unwrap();
}

fn named(name: &str) -> RunRecord {
    let mut run = record::digits();
    run.plan.variants[0].name = name.into();
    run
}

#[test]
fn run_is_told_with_the_verdict_that_reports_have() {
    let bench = Workbench::new();
    put(&bench.path("run"), &record::digits(), 0);
    let shown = Onnxprof::new().arg("show").arg(bench.path("run")).run();
    shown.assert_code(0);
    let reported = Onnxprof::new().arg("report").arg(bench.path("run")).run();
    let verdict = |text: &str| text.lines().next().unwrap().to_owned();
    assert_eq!(verdict(&shown.stdout), verdict(&reported.stdout));
    assert!(shown.stdout.lines().count() <= 25, "{shown}");
}

#[test]
fn folder_of_runs_shows_the_one_that_was_written_last() {
    let bench = Workbench::new();
    put(&bench.path("runs/b-older"), &named("first-one"), 100);
    put(&bench.path("runs/a-latest"), &named("second-one"), 10);
    fs::create_dir(bench.path("runs/none")).unwrap();
    let output = Onnxprof::new().arg("show").arg(bench.path("runs")).run();
    output.assert_code(0);
    assert!(
        output.stdout.contains("second-one") && !output.stdout.contains("first-one"),
        "{output}"
    );
}

#[test]
fn folder_without_runs_is_bad_input() {
    let bench = Workbench::new();
    fs::create_dir(bench.path("runs")).unwrap();
    let output = Onnxprof::new().arg("show").arg(bench.path("runs")).run();
    output.assert_error(BAD_INPUT, "holds no run", "name the folder of a run");
}

#[test]
fn without_a_word_and_without_runs_the_folder_is_named() {
    let output = Onnxprof::new().arg("show").run();
    output.assert_error(
        BAD_INPUT,
        "there is no folder `onnxprof-runs` here",
        "name the folder of a run",
    );
}

#[test]
fn distributions_are_drawn_over_one_axis_whose_ends_stand_below() {
    let bench = Workbench::new();
    put(&bench.path("run"), &record::digits(), 0);
    let output = Onnxprof::new().arg("report").arg(bench.path("run")).run();
    let lines: Vec<&str> = output.stdout.lines().collect();
    let title = lines
        .iter()
        .position(|line| line.starts_with("Latencies at batch 1: "))
        .unwrap();
    let columns = |line: &str| line.split('|').nth(1).unwrap_or_default().chars().count();
    for line in &lines[title + 1..title + 5] {
        assert_eq!(columns(line), 28, "{line}");
        assert!(line.contains('\u{2588}'), "{line}");
    }
    let ends: Vec<&str> = lines[title + 5]
        .split("  ")
        .filter(|end| !end.is_empty())
        .collect();
    assert!(
        ends.len() == 2 && ends.iter().all(|end| end.ends_with("s")),
        "{}",
        lines[title + 5]
    );
    let answer = lines
        .iter()
        .position(|line| line.starts_with("Ship int8-static"))
        .unwrap();
    assert!(answer < title, "{output}");
}

#[test]
fn terminals_without_unicode_get_ascii() {
    let bench = Workbench::new();
    put(&bench.path("run"), &record::digits(), 0);
    for (name, value) in [("TERM", "dumb"), ("LC_ALL", "C")] {
        let output = Onnxprof::new()
            .arg("report")
            .arg(bench.path("run"))
            .env(name, value)
            .run();
        output.assert_code(0);
        assert!(output.stdout.is_ascii(), "{output}");
        assert!(output.stdout.contains('@'), "{output}");
    }
}

#[test]
fn narrow_terminal_gets_lines_that_fit() {
    let bench = Workbench::new();
    put(&bench.path("run"), &record::digits(), 0);
    let output = Onnxprof::new()
        .arg("report")
        .arg(bench.path("run"))
        .env("COLUMNS", "50")
        .run();
    output.assert_code(0);
    let too_long = |line: &&str| line.chars().count() > 50 && line.trim_start().contains(' ');
    assert_eq!(output.stdout.lines().find(too_long), None);
    assert!(
        output.stdout.contains("int8-static\n  median latency: "),
        "{output}"
    );
    let wide = Onnxprof::new()
        .arg("report")
        .arg(bench.path("run"))
        .env("COLUMNS", "300")
        .run();
    assert!(
        wide.stdout.lines().all(|line| line.chars().count() <= 100),
        "{wide}"
    );
}

#[test]
fn truncated_record_is_told_what_to_do() {
    let bench = Workbench::new();
    fs::create_dir(bench.path("run")).unwrap();
    fs::write(
        bench.path("run/run.json"),
        "{\"schema_version\":{\"major\":1,",
    )
    .unwrap();
    let output = Onnxprof::new().arg("show").arg(bench.path("run")).run();
    output.assert_error(BAD_INPUT, "is truncated", "copy the whole folder again");
}

/// A folder of a run may have come from anywhere, and lie where others keep what is theirs.
#[test]
fn nothing_goes_but_what_a_killed_run_left_in_its_own_folder() {
    let bench = Workbench::new();
    for run in ["linked", "real"] {
        put(
            &bench.path(&format!("home/runs/{run}")),
            &record::digits(),
            0,
        );
    }
    std::os::unix::fs::symlink("../..", bench.path("home/runs/linked/traces")).unwrap();
    let unfinished = format!("{UNFINISHED_TRACE}a1B2c3");
    let kept = [
        "home/.config",
        &format!("home/{unfinished}"),
        "home/runs/real/traces/.config",
    ];
    let gone = bench.path(&format!("home/runs/real/traces/{unfinished}"));
    for command in ["show", "report"] {
        kept.iter()
            .map(|folder| bench.path(folder))
            .for_each(|folder| fs::create_dir_all(folder).unwrap());
        fs::create_dir_all(&gone).unwrap();
        for run in ["linked", "real"] {
            Onnxprof::new()
                .arg(command)
                .arg(bench.path(&format!("home/runs/{run}")))
                .run()
                .assert_code(0);
        }
        assert!(
            kept.iter().all(|folder| bench.path(folder).is_dir()) && !gone.exists(),
            "{command}"
        );
    }
}

#[test]
fn chapters_are_printed_in_whole_by_their_ids() {
    let bench = Workbench::new();
    put(&bench.path("run"), &record::digits(), 0);
    let show = |words: &[&str]| {
        Onnxprof::new()
            .arg("show")
            .arg(bench.path("run"))
            .args(words)
            .run()
    };
    let all = show(&["--all"]).assert_code(0).stdout.clone();
    let ids: Vec<&str> = all
        .lines()
        .filter_map(|line| line.strip_prefix("== ")?.strip_suffix(" =="))
        .map(|title| title.split(':').next().unwrap())
        .collect();
    for id in ["answer", "latency", "batch", "accuracy", "machine"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
    let mut distinct = ids.clone();
    distinct.dedup();
    assert_eq!(distinct, ids);
    let accuracy = show(&["accuracy"]).assert_code(0).stdout.clone();
    assert!(accuracy.starts_with("== accuracy: "), "{accuracy}");
    assert_eq!(accuracy.matches("\n== ").count(), 0, "{accuracy}");
    assert!(all.contains(&accuracy), "{accuracy}");
    let two = show(&["batch", "accuracy"]).assert_code(0).stdout.clone();
    assert!(
        two.starts_with("== batch") && two.ends_with(&accuracy),
        "{two}"
    );
    let unknown = show(&["accuracy", "nonsense"]);
    unknown.assert_error(USAGE, "the run has no chapter `nonsense`", "answer, ");
    unknown.assert_stderr("latency").assert_stderr("--all");
    show(&["accuracy", "--all"]).assert_code(USAGE);
    show(&["--all", "--json"]).assert_code(USAGE);
}

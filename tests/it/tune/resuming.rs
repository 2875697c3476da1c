//! Searches that are taken up again.

use std::path::{Path, PathBuf};
use std::process::Command;

use onnxprof::plan::RuntimeChoice;
use onnxprof::record::{EndReason, RunRecord};
use onnxprof::store::load;
use serde_json::{Value, json};

use super::{assert_says, champion, tune};
use crate::support::{BAD_INPUT, Onnxprof, Output, UNDECIDED, USAGE, library};
use crate::workbench::{QUICK, Workbench, wait_until};

const WORDS: [&str; 6] = [
    "--batch",
    "1,4",
    "--intra-threads",
    "1,2",
    "--keep",
    "optimization,execution,spinning,arena,pattern",
];

fn variants() -> Value {
    json!({"a": {"fixed_ns": 90_000, "per_sample_ns": 10_000, "options": [{"intra_threads": 2, "latency_ratio": 0.6}]}})
}

/// A search that was killed after so many blocks.
fn killed(bench: &Workbench, blocks: usize) -> RunRecord {
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let running = tune(bench, &model, &variants(), &WORDS).spawn();
    bench.wait_for_blocks(blocks);
    running.kill();
    bench.record()
}

fn resuming(bench: &Workbench, words: &[&str]) -> Onnxprof {
    Onnxprof::new()
        .args(["tune", "--resume"])
        .arg(bench.run_folder())
        .args(words)
}

fn resume(bench: &Workbench, words: &[&str]) -> Output {
    resuming(bench, words).run()
}

/// Takes up a search under the script of [`tune`], which the user trusts.
fn resume_trusted(bench: &Workbench) -> Output {
    resuming(bench, &[])
        .arg("--runtime")
        .arg(format!("script:{}", bench.path("script.json").display()))
        .run()
}

#[test]
fn a_search_that_was_killed_goes_on_and_measures_nothing_again() {
    let bench = Workbench::new();
    let before = killed(&bench, 20);
    assert_eq!(before.run.ended_by, None);
    let output = resume_trusted(&bench);
    output.assert_code(0);
    let after = bench.record();
    assert_eq!(after.blocks[..before.blocks.len()], before.blocks[..]);
    assert_eq!(
        after.accuracy.len(),
        before.accuracy.len() + usize::from(champion(&after).0.session > 0)
    );
    assert_eq!(after.tuning.as_ref().unwrap().resumed_at_ns.len(), 1);
    assert_eq!(after.run.ended_by, Some(EndReason::SearchDone));
    let rounds: Vec<u64> = after
        .tuning
        .as_ref()
        .unwrap()
        .heats
        .iter()
        .flat_map(|heat| heat.rounds.clone())
        .collect();
    assert!(rounds.is_sorted_by(|one, other| one < other), "{rounds:?}");
    let starts: Vec<u64> = after
        .blocks
        .iter()
        .map(|block| block.started_ns.0)
        .collect();
    assert!(starts.is_sorted(), "time went back");
    assert_eq!(
        (
            champion(&after).1.options.intra_threads,
            champion(&after).0.batch_size
        ),
        (2, 4),
        "{output}"
    );
    assert_says(&output, &["taken up again 1 time"]);
}

#[test]
fn a_search_that_is_done_only_tells_its_answer_again() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let first = tune(&bench, &model, &variants(), &WORDS).run();
    first.assert_code(0);
    let record = bench.record();
    let again = resume(&bench, &["--budget", "1m"]);
    again.assert_code(0);
    let answer = |output: &Output| output.stdout.split_once("Page: ").unwrap().0.to_owned();
    assert_eq!(answer(&again), answer(&first));
    assert_eq!(bench.record(), record);
}

#[test]
fn a_search_goes_on_with_neither_another_model_nor_another_machine() {
    let bench = Workbench::new();
    killed(&bench, 5);
    bench.copy("fixtures/fixed-batch.onnx", "a.onnx");
    let output = resume_trusted(&bench);
    output.assert_code(BAD_INPUT);
    assert_says(
        &output,
        &[
            "cannot be taken up again",
            "a.onnx` is another file than before",
        ],
    );
    let mut record = load(&bench.run_folder()).unwrap();
    record.host.cpu.model_name = Some("another".into());
    std::fs::remove_file(bench.run_folder().join("journal.jsonl")).unwrap();
    std::fs::write(
        bench.run_folder().join("run.json"),
        serde_json::to_vec(&record).unwrap(),
    )
    .unwrap();
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(&output, &["another machine: CPU model differ"]);
}

/// An SLO that is not understood is kept by nothing, and broken by nothing: it is told by name,
/// whoever reads the record.
#[test]
fn an_slo_that_is_not_understood_is_refused_by_name() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let slo = [
        "--slo",
        "latency_p50<=1s",
        "--batch",
        "1",
        "--intra-threads",
        "1",
    ];
    tune(
        &bench,
        &model,
        &variants(),
        &[&slo[..], &WORDS[4..]].concat(),
    )
    .run()
    .assert_code(0);
    let path = bench.run_folder().join("run.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("latency_p50<=1s", "latency_p98<=1s")).unwrap();
    for words in [&["tune", "--resume"][..], &["show"], &["report"]] {
        let output = Onnxprof::new().args(words).arg(bench.run_folder()).run();
        output.assert_code(BAD_INPUT);
        assert_says(
            &output,
            &[
                "`latency_p98<=1s`",
                "unknown metric `latency_p98`",
                "use the onnxprof that wrote it",
            ],
        );
    }
}

#[test]
fn an_slo_that_is_not_understood_is_refused_in_a_journal_too() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let running = tune(
        &bench,
        &model,
        &variants(),
        &[&["--slo", "latency_p50<=1s"][..], &WORDS].concat(),
    )
    .spawn();
    bench.wait_for_blocks(4);
    running.kill();
    let path = bench.run_folder().join("journal.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("latency_p50<=1s", "latency_p50<1s")).unwrap();
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(&output, &["`latency_p50<1s`", "has no `<=` or `>=`"]);
}

#[test]
fn a_run_that_is_no_search_is_refused() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    bench
        .scripted(&model, &variants(), QUICK)
        .run()
        .assert_code(0);
    let output = resume(&bench, &[]);
    output.assert_code(BAD_INPUT);
    assert_says(
        &output,
        &["is no search that could be taken up again", "onnxprof tune"],
    );
    let output = Onnxprof::new()
        .args(["tune", "--resume"])
        .arg(bench.path("nothing"))
        .run();
    output.assert_code(BAD_INPUT);
    resume(&bench, &["--slo", "latency_p50<=1ms"]).assert_code(USAGE);
}

/// Cuts the journal off after the first score, however far the search had come when it was killed.
fn forget_after_first_score(bench: &Workbench) {
    let journal = bench.run_folder().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let scored = |line: &&str| line.contains("\"event\":\"accuracy\"");
    let kept = text.lines().position(|line| scored(&line)).unwrap() + 1;
    let lines: Vec<&str> = text.lines().take(kept).collect();
    std::fs::write(journal, lines.join("\n") + "\n").unwrap();
    let _ = std::fs::remove_file(bench.run_folder().join("run.json"));
}

/// Outputs of the baseline are not kept beyond a search; what is scored later is held against them
/// nevertheless.
#[test]
fn what_is_scored_after_taking_up_again_is_held_against_the_baseline() {
    let bench = Workbench::new();
    for name in ["fp32", "int8-dynamic", "int8-static"] {
        bench.copy(
            &format!("digits/digits-{name}.onnx"),
            &format!("family/{name}.onnx"),
        );
    }
    let words = [
        "--budget",
        "60s",
        "--batch",
        "1",
        "--intra-threads",
        "1",
        "--block",
        "2ms",
        "--quiet",
    ];
    let tune = Onnxprof::new()
        .arg("tune")
        .arg(bench.path("family"))
        .args(words)
        .args(&WORDS[4..]);
    let running = tune
        .arg("--out")
        .arg(bench.run_folder())
        .arg("--runtime")
        .arg(library("1.31.1"))
        .spawn();
    wait_until(|| load(&bench.run_folder()).is_ok_and(|record| !record.accuracy.is_empty()));
    running.kill();
    let _ = std::fs::remove_file(bench.run_folder().join(".onnxprof-baseline-outputs"));
    forget_after_first_score(&bench);
    let before = bench.record().accuracy.len();
    let code = resume(&bench, &["--budget", "20s", "--quiet"]).code();
    assert!(matches!(code, Some(0 | UNDECIDED)), "{code:?}");
    let record = bench.record();
    let baseline = record.plan.baseline_session();
    let later = record.accuracy[before..]
        .iter()
        .filter(|scored| Some(scored.session) != baseline);
    let later: Vec<usize> = later.map(|scored| scored.agreement.len()).collect();
    assert!(
        !later.is_empty() && later.iter().all(|outputs| *outputs > 0),
        "{later:?}"
    );
    let of_baseline = record
        .accuracy
        .iter()
        .filter(|scored| Some(scored.session) == baseline)
        .count();
    assert_eq!(of_baseline, 1, "the baseline's scores are recorded once");
}

/// A library that leaves a mark beside it where it is opened.
fn marking_library(bench: &Workbench, name: &str) -> PathBuf {
    let (library, code) = (bench.path(name), bench.path(&format!("{name}.c")));
    let mark = library.with_extension("opened");
    let source = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void f(void) {{ creat(\"{}\", 0600); }}",
        mark.display()
    );
    std::fs::write(&code, source).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&code)
        .status()
        .unwrap();
    assert!(built.success());
    library
}

fn is_opened(library: &Path) -> bool {
    std::fs::remove_file(library.with_extension("opened")).is_ok()
}

/// Changes the record of a search that was killed, as whoever hands out its folder may have done.
fn forge(bench: &Workbench, change: impl FnOnce(&mut RunRecord)) {
    let mut record = load(&bench.run_folder()).unwrap();
    change(&mut record);
    let _ = std::fs::remove_file(bench.run_folder().join("journal.jsonl"));
    std::fs::write(
        bench.run_folder().join("run.json"),
        serde_json::to_vec(&record).unwrap(),
    )
    .unwrap();
}

#[track_caller]
fn assert_refused(output: &Output, message: &str, hint: &str) {
    output.assert_error(
        BAD_INPUT,
        message,
        &format!("if you trust this one, name it again with `{hint}`"),
    );
}

#[test]
fn library_that_a_record_names_is_not_opened_unless_the_user_names_it() {
    let bench = Workbench::new();
    killed(&bench, 5);
    let evil = marking_library(&bench, "evil.so");
    let named = evil.clone();
    forge(&bench, |record| {
        record
            .plan
            .sessions
            .iter_mut()
            .for_each(|spec| spec.runtime = RuntimeChoice::Library(named.clone()));
        record
            .runtimes
            .iter_mut()
            .for_each(|known| known.path.clone_from(&named));
    });
    let path = evil.display();
    let output = resume(&bench, &[]);
    assert_refused(
        &output,
        &format!("`{path}`, which is none of your own libraries"),
        &format!("--runtime {path}"),
    );
    let others = library("1.23.2");
    let output = resume(&bench, &["--runtime", others.to_str().unwrap()]);
    assert_refused(
        &output,
        "which `--runtime` does not name",
        &format!("--runtime {path}"),
    );
    assert!(!is_opened(&evil));
    let output = resume(&bench, &["--runtime", evil.to_str().unwrap()]);
    output
        .assert_code(BAD_INPUT)
        .assert_stderr("does not offer `OrtGetApiBase`");
    assert!(is_opened(&evil), "named again, it is opened");
}

/// A script writes where it keeps time, and takes the memory that it names.
#[test]
fn script_that_a_record_names_is_not_opened_unless_the_user_names_it() {
    let bench = Workbench::new();
    killed(&bench, 5);
    let script = json!({"variants": variants(), "noise": {"clock": "their-clock"}});
    let theirs = bench.write("theirs.json", script.to_string());
    forge(&bench, |record| {
        record
            .plan
            .sessions
            .iter_mut()
            .for_each(|spec| spec.runtime = RuntimeChoice::Script(theirs.clone()));
        record
            .runtimes
            .iter_mut()
            .for_each(|known| known.path.clone_from(&theirs));
    });
    let (path, clock) = (theirs.display(), bench.path("their-clock"));
    let output = resume(&bench, &[]);
    assert_refused(
        &output,
        &format!("`{path}`, which is a script"),
        &format!("--runtime script:{path}"),
    );
    let output = resume_trusted(&bench);
    assert_refused(
        &output,
        "which `--runtime` does not name",
        &format!("--runtime script:{path}"),
    );
    assert!(!clock.exists());
    let link = bench.path("link.json");
    std::os::unix::fs::symlink(&theirs, &link).unwrap();
    let output = resume(
        &bench,
        &["--runtime", &format!("script:{}", link.display())],
    );
    assert!(matches!(output.code(), Some(0 | UNDECIDED)), "{output}");
    output.assert_stderr(&format!("with `{}`: given by --runtime", link.display()));
    assert!(clock.is_file(), "named again, it is opened");
}

/// Time is kept beside the script, whatever it says, and no file of anybody's is changed.
#[test]
fn script_keeps_time_in_no_file_but_its_own() {
    let bench = Workbench::new();
    let model = bench.copy("fixtures/one-node.onnx", "a.onnx");
    let theirs = bench.write("theirs", [7_u8; 100]);
    for clock in [theirs.to_str().unwrap(), "theirs", "../new"] {
        let script = json!({"variants": variants(), "noise": {"clock": clock}});
        let output = bench.scripted_machine(&model, &script, QUICK).run();
        output
            .assert_code(BAD_INPUT)
            .assert_stderr("the noise has no clock");
    }
    assert_eq!(std::fs::read(theirs).unwrap(), [7_u8; 100]);
}

#[test]
fn libraries_of_the_users_own_are_taken_up_without_naming_them() {
    let bench = Workbench::new();
    killed(&bench, 5);
    for own in [library("1.23.2"), library("1.31.1")] {
        forge(&bench, |record| {
            record
                .plan
                .sessions
                .iter_mut()
                .for_each(|spec| spec.runtime = RuntimeChoice::Library(own.clone()));
            record.runtimes.clear();
        });
        let output = resume(&bench, &["--budget", "2s"]);
        assert!(matches!(output.code(), Some(0 | UNDECIDED | 4)), "{output}");
        output.assert_stderr(&format!("with `{}`", own.display()));
    }
    let elsewhere = bench.path("elsewhere.so");
    std::os::unix::fs::symlink(library("1.31.1"), &elsewhere).unwrap();
    forge(&bench, |record| {
        record
            .plan
            .sessions
            .iter_mut()
            .for_each(|spec| spec.runtime = RuntimeChoice::Library(elsewhere.clone()));
        record.run.ended_by = None;
    });
    resume(&bench, &["--budget", "2s"])
        .assert_code(BAD_INPUT)
        .assert_stderr("is none of your own libraries");
    let with = |variable: &str| {
        let command = Onnxprof::new()
            .args(["tune", "--budget", "2s", "--resume"])
            .arg(bench.run_folder());
        command.env(variable, &elsewhere).run()
    };
    with("ORT_DYLIB_PATH").assert_stderr("named by ORT_DYLIB_PATH");
}

#[test]
fn custom_operators_and_execution_providers_of_a_record_are_not_opened_unless_the_user_names_them()
{
    let bench = Workbench::new();
    killed(&bench, 5);
    let (ops, provider) = (
        marking_library(&bench, "ops.so"),
        marking_library(&bench, "provider.so"),
    );
    let [ops_path, provider_path] =
        [&ops, &provider].map(|path| path.canonicalize().unwrap().display().to_string());
    let real = library("1.31.1");
    forge(&bench, |record| {
        for spec in &mut record.plan.sessions {
            spec.runtime = RuntimeChoice::Library(real.clone());
            // As seen from the folder in which the search began.
            spec.options.custom_ops = vec!["ops.so".into()];
            spec.execution_provider = "Mine".into();
            spec.provider.library = Some(provider.clone());
            spec.provider
                .options
                .insert("backend_path".into(), "x.so".into());
        }
        record.run.working_dir = bench.path("").canonicalize().unwrap();
        record.runtimes.clear();
    });
    let output = resume(&bench, &[]);
    assert_refused(
        &output,
        "registers the custom operators of `",
        &format!("--custom-ops {ops_path}"),
    );
    let mut words = vec!["--custom-ops", &ops_path];
    let output = resume(&bench, &words);
    assert_refused(
        &output,
        "runs on `",
        &format!("--ep-library Mine={provider_path}"),
    );
    let again = format!("Mine={provider_path}");
    words.extend(["--ep-library", &again]);
    let output = resume(&bench, &words);
    output.assert_error(
        BAD_INPUT,
        "`backend_path=x.so` of `Mine`",
        "`--ep-option Mine:backend_path=x.so`",
    );
    assert!(!is_opened(&ops) && !is_opened(&provider));
    words.extend(["--ep-option", "Mine:backend_path=x.so"]);
    let output = resume(&bench, &words);
    assert!(
        is_opened(&provider) || is_opened(&ops),
        "named again, they are opened: {output}"
    );
    let output = resume(
        &bench,
        &[&words[..], &["--ep-option", "Mine:other=1"]].concat(),
    );
    output.assert_error(USAGE, "has no use for `--ep-option other=1`", "began with");
}

#[test]
fn session_configuration_that_no_search_sets_is_refused() {
    let bench = Workbench::new();
    killed(&bench, 5);
    forge(&bench, |record| {
        let entry = ("ep.context_file_path".into(), "/tmp/x".into());
        record
            .plan
            .sessions
            .iter_mut()
            .for_each(|spec| spec.options.session_config.extend([entry.clone()]));
    });
    resume_trusted(&bench).assert_error(
        BAD_INPUT,
        "`ep.context_file_path`, which `tune` never does",
        "new search",
    );
}

/// Nothing is waited for that lies in a folder which may have come from anywhere.
#[test]
fn pipes_in_the_folder_of_a_search_are_refused() {
    let bench = Workbench::new();
    killed(&bench, 5);
    for name in [".lock", "report.md", "logs/more.log"] {
        let pipe = bench.run_folder().join(name);
        let _ = std::fs::remove_file(&pipe);
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let output = resuming(&bench, &[]).promptly();
        output.assert_error(
            BAD_INPUT,
            &format!("{name}` is neither a file nor a folder"),
            "remove it",
        );
        std::fs::remove_file(&pipe).unwrap();
    }
}

/// Names are as seen from the folder in which the search began; nothing is looked for in the one
/// that a record names.
#[test]
fn search_goes_on_from_another_folder_than_it_began_in() {
    let bench = Workbench::new();
    killed(&bench, 10);
    forge(&bench, |record| {
        record.run.working_dir = bench.path("");
        record
            .plan
            .variants
            .iter_mut()
            .for_each(|variant| variant.path = "a.onnx".into());
        record
            .plan
            .sessions
            .iter_mut()
            .for_each(|spec| spec.runtime = RuntimeChoice::Script("script.json".into()));
        record
            .runtimes
            .iter_mut()
            .for_each(|known| known.path = "script.json".into());
    });
    let output = resume_trusted(&bench);
    output.assert_code(0).assert_stderr(&format!(
        "taking up the search over `{}`",
        bench.path("a.onnx").display()
    ));
}

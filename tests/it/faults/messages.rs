//! Whatever a worker says, and in whatever order: the parent never panics, never hangs, and keeps
//! its record.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use onnxprof::store;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::ONE_NODE;
use crate::workbench::Workbench;

const WORKER: &str = env!("CARGO_BIN_EXE_onnxprof");
/// Orders that are tried.
const CASES: u64 = 24;
/// Workers that one run may start; further ones do all right.
const WORKERS: u64 = 16;

/// A worker that gives, for each request, the right answer, or what the file of its choices says.
const FAKE: &str = r#"
n=$(cat "$D/count" 2>/dev/null || echo 0); echo $((n + 1)) >"$D/count"
[ -e "$D/choices.$n" ] || n=none
exec 3<"$D/choices.$n"
cat "$D/answers/hello"
while IFS= read -r request; do
  IFS= read -r choice <&3 || choice=right
  case $request in
    '{"request":"describe"'*) right=described;; '{"request":"open"'*) right=opened;; '{"request":"load"'*) right=loaded;;
    '{"request":"profile"'*) right=profiled;; '{"request":"pro'*) right=tried;; '{"request":"begin"'*) right=began;;
    '{"request":"block"'*) right=block;; '{"request":"end"'*) right=ended;; '{"request":"evaluate"'*) right=evaluated;;
    '{"request":"idle"'*) right=idled;; *) right=failed;;
  esac
  case $choice in
    right) cat "$D/answers/$right";;
    twice) cat "$D/answers/$right" "$D/answers/$right";;
    half) head -c 20 "$D/answers/$right"; exit 1;;
    die) kill -9 $$;;
    quiet) sleep 30;;
    *) cat "$D/answers/$choice";;
  esac
done
"#;

/// One answer of every kind, as real workers give them, and some that none gives.
fn answers(bench: &Workbench) -> BTreeMap<String, String> {
    let said = bench.path("said");
    let worker = bench.worker(&format!("{WORKER} \"$@\" | tee -a '{}'", said.display()));
    let second = bench.copy(ONE_NODE, "b.onnx");
    let words = ["--batch", "1", "--idle-gaps=0", second.to_str().unwrap()];
    bench
        .profile(&bench.copy(ONE_NODE, "a.onnx"), words)
        .env("ONNXPROF_WORKER", worker)
        .run()
        .assert_code(0);
    let mut answers: BTreeMap<String, String> = BTreeMap::new();
    for line in fs::read_to_string(said).unwrap().lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        answers.insert(
            answer["response"].as_str().unwrap().to_owned(),
            format!("{line}\n"),
        );
    }
    let failed = r#"{"response":"failed","kind":"inference","message":"as it may be","hint":null}"#;
    for (name, text) in [
        ("failed", failed),
        ("garbage", "\u{1b}[31m?"),
        ("empty", ""),
        ("null", "null"),
        ("list", "[]"),
    ] {
        answers.insert(name.into(), format!("{text}\n"));
    }
    for name in [
        "described",
        "opened",
        "loaded",
        "profiled",
        "tried",
        "began",
        "block",
        "ended",
        "evaluated",
        "idled",
    ] {
        assert!(answers.contains_key(name), "no worker said `{name}`");
    }
    fs::remove_dir_all(bench.run_folder()).unwrap();
    answers
}

/// Choices for the workers of a run: right ones for the most part, so that later stages are reached
/// as well.
fn draw(random: &mut Pcg64Mcg, folder: &Path, kinds: &[&str]) {
    fs::write(folder.join("choices.none"), "").unwrap();
    let wrong = random.random_range(0.02..0.3);
    for worker in 0..WORKERS {
        let choice = |random: &mut Pcg64Mcg| match random.random_bool(wrong) {
            false => "right",
            true => kinds.choose(random).unwrap(),
        };
        // The first two read the model and open the runtime.
        let steady = if worker < 3 { 2 } else { 0 };
        let choices: Vec<&str> = (0..40)
            .map(|place| {
                if place < steady {
                    "right"
                } else {
                    choice(random)
                }
            })
            .collect();
        fs::write(
            folder.join(format!("choices.{worker}")),
            choices.join("\n") + "\n",
        )
        .unwrap();
    }
}

#[test]
fn any_order_of_messages_ends_in_a_record_or_an_error() {
    let answers = answers(&Workbench::new());
    let odd = ["twice", "twice", "half", "die", "die", "quiet"];
    let kinds: Vec<&str> = answers.keys().map(String::as_str).chain(odd).collect();
    let mut kept = 0;
    for seed in 0..CASES {
        let bench = Workbench::new();
        let folder = bench.path("");
        fs::create_dir(bench.path("answers")).unwrap();
        for (kind, text) in &answers {
            fs::write(bench.path("answers").join(kind), text).unwrap();
        }
        draw(&mut Pcg64Mcg::seed_from_u64(seed), &folder, &kinds);
        let worker = bench.worker(&format!("D='{}'\n{FAKE}", folder.display()));
        let second = bench.copy(ONE_NODE, "b.onnx");
        let words = [
            "--batch",
            "1",
            "--timeout",
            "1s",
            "--idle-gaps=0",
            second.to_str().unwrap(),
        ];
        let began = Instant::now();
        let output = bench
            .profile(&bench.copy(ONE_NODE, "a.onnx"), words)
            .env("ONNXPROF_WORKER", worker)
            .run();
        assert!(
            began.elapsed() < Duration::from_secs(100),
            "seed {seed}: {:?}: {output}",
            began.elapsed()
        );
        assert!(
            matches!(output.code(), Some(0 | 3 | 4)),
            "seed {seed}: {output}"
        );
        assert!(!output.stderr.contains("panicked"), "seed {seed}: {output}");
        if bench.run_folder().exists() {
            let record = store::load(&bench.run_folder())
                .unwrap_or_else(|error| panic!("seed {seed}: {error}: {output}"));
            kept += usize::from(!record.blocks.is_empty());
        } else {
            output.assert_stderr("error: ");
        }
    }
    assert!(kept as u64 > CASES / 4, "{kept} of {CASES} came to a block");
}

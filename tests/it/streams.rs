//! stdout and stderr that are full, or that nobody reads: nothing panics, and the exit code tells
//! the rest.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{self, BAD_INPUT, USAGE, library, model, record};
use crate::workbench::Workbench;

/// A folder with a run, rules that it breaks, and a launcher of pages that does not work.
struct Scene(Workbench);

impl Scene {
    fn new() -> Self {
        let bench = Workbench::new();
        fs::create_dir(bench.path("run")).unwrap();
        bench.write(
            "run/run.json",
            serde_json::to_vec(&record::digits()).unwrap(),
        );
        bench.write("rules.toml", "[[rule]]\ncheck = \"latency_p50 <= 1 ns\"\n");
        bench.write(
            "script.json",
            json!({"variants": {"one-node": {"fixed_ns": 100_000}}}).to_string(),
        );
        fs::create_dir(bench.path("bin")).unwrap();
        let opener = bench.write("bin/xdg-open", "#!/bin/sh\nexit 3\n");
        fs::set_permissions(opener, fs::Permissions::from_mode(0o755)).unwrap();
        library("1.31.1");
        Scene(bench)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = support::command();
        command
            .args(words.split(' '))
            .current_dir(self.0.path(""))
            .env("PATH", self.0.path("bin"));
        command
    }

    /// Every command that prints, with what its exit code is where all is well.
    fn commands(&self) -> Vec<(String, i32)> {
        let one_node = model("fixtures/one-node.onnx").display().to_string();
        let mut commands: Vec<(String, i32)> = [
            "--help",
            "--version",
            "profile --help",
            "schema",
            "show run",
            "report run",
            "report run --format markdown",
            "report run --format html",
            "report run --format csv",
            "report run --json",
            "report --context-template",
            "compare run --variants fp32,int8-static",
            "gate init run",
            "runtime list",
            "runtime which --json",
        ]
        .map(|words| (words.to_owned(), 0))
        .to_vec();
        commands.push((format!("inspect {one_node}"), 0));
        commands.push(("gate run --rules rules.toml".into(), 5));
        commands.push((
            "gate run --rules rules.toml --github always --json".into(),
            5,
        ));
        commands
    }
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// A pipe that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn code(command: &mut Command) -> Option<i32> {
    command.status().unwrap().code()
}

#[test]
fn full_stdout_is_an_error_that_says_so() {
    let scene = Scene::new();
    for (words, _) in scene.commands() {
        let output = scene.command(&words).stdout(full()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(BAD_INPUT), "{words}: {said}");
        assert!(
            said.contains("error: failed to write to stdout"),
            "{words}: {said}"
        );
        assert_eq!(
            code(scene.command(&words).stdout(full()).stderr(full())),
            Some(BAD_INPUT),
            "{words}"
        );
    }
}

#[test]
fn stdout_that_nobody_reads_changes_nothing() {
    let scene = Scene::new();
    for (words, usual) in scene.commands() {
        let output = scene.command(&words).stdout(closed()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(usual), "{words}: {said}");
        assert!(!said.contains("error: "), "{words}: {said}");
    }
}

/// Commands that say something on stderr, and their exit codes.
const ASIDE: [(&str, i32); 9] = [
    ("report run --open", 0),
    ("runtime install", 0),
    ("runtime list --remote", BAD_INPUT),
    ("runtime remove cpu@1.24.0", BAD_INPUT),
    ("no-such-command", USAGE),
    ("show nothing", BAD_INPUT),
    ("gate run --rules rules.toml --github always --json", 5),
    (
        "profile MODEL --runtime script:script.json --rounds 1 --alternations 1 --block 1ms --batch 1 --out OUT",
        0,
    ),
    (
        "tune MODEL --runtime script:script.json --budget 2s --batch 1 --intra-threads 1 --block 1ms --out OUT",
        -1,
    ),
];

#[test]
fn stderr_that_is_full_or_that_nobody_reads_changes_nothing() {
    let scene = Scene::new();
    let one_node = model("fixtures/one-node.onnx").display().to_string();
    for (place, (words, usual)) in ASIDE.into_iter().enumerate() {
        for (name, stream) in [("full", full as fn() -> Stdio), ("closed", closed)] {
            let out = PathBuf::from(format!("out-{place}-{name}"))
                .display()
                .to_string();
            let words = words.replace("MODEL", &one_node).replace("OUT", &out);
            let found = code(scene.command(&words).stdout(Stdio::null()).stderr(stream()));
            // What a search of an instant comes to is not the matter here.
            let is_right = if usual < 0 {
                found.is_some_and(|code| [0, 6].contains(&code))
            } else {
                found == Some(usual)
            };
            assert!(is_right, "{words}, {name}: {found:?}");
        }
    }
}

#[test]
fn streams_that_are_closed_from_the_beginning_change_nothing() {
    let scene = Scene::new();
    for (words, usual) in scene
        .commands()
        .into_iter()
        .chain([("show nothing".into(), BAD_INPUT)])
    {
        for streams in [">&-", "<&- >&- 2>&-"] {
            let own = scene.command(&words);
            let mut shell = Command::new("/bin/sh");
            shell
                .arg("-c")
                .arg(format!("exec \"$@\" {streams}"))
                .arg("sh")
                .arg(own.get_program())
                .args(own.get_args());
            shell.envs(
                own.get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            for (name, _) in own.get_envs().filter(|(_, value)| value.is_none()) {
                shell.env_remove(name);
            }
            let found = code(
                shell
                    .current_dir(scene.0.path(""))
                    .stdout(Stdio::null())
                    .stderr(Stdio::null()),
            );
            assert_eq!(found, Some(usual), "{words} {streams}");
        }
    }
}

/// The hidden ones speak with their parent by stdout, which may be gone.
#[test]
fn commands_for_a_parent_that_is_gone_end_without_a_panic() {
    let scene = Scene::new();
    let path = library("1.31.1").display().to_string();
    for words in ["worker".to_owned(), format!("probe-runtime {path}")] {
        for stream in [full as fn() -> Stdio, closed] {
            let output = scene
                .command(&words)
                .stdin(Stdio::null())
                .stdout(stream())
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                output.status.code().is_some_and(|code| code != 101) && !said.contains("panicked"),
                "{words}: {said}"
            );
        }
    }
}

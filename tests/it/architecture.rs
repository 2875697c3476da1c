//! Which module may use which, and who alone may use `ort`, the clock and the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[path = "architecture/files.rs"]
mod files;

use files::{Files, circles};

/// The words that every module may use.
const GROUND: &[&str] = &[
    "units",
    "metric",
    "matrix_operator",
    "observed",
    "text",
    "provider",
];

/// What each module of `src/` may use of the others, beside [`GROUND`]. `cli` may use everything
/// and is used by none.
const MAY_USE: MayUse = &[
    ("units", &[]),
    ("metric", &[]),
    ("matrix_operator", &[]),
    ("observed", &[]),
    ("text", &[]),
    ("check", &[]),
    ("provider", &[]),
    ("files", &[]),
    ("hash", &["files"]),
    ("foreign", &[]),
    ("stats", &[]),
    ("plan", &["check"]),
    ("record", &["stats", "check", "plan"]),
    ("store", &["files", "stats", "check", "plan", "record"]),
    ("fitness", &["stats", "plan", "record"]),
    ("sample", &["files", "hash", "record"]),
    ("memory", &["sample"]),
    // `memory`: two bytes of a graph may take hundreds once they are read, which only its reader
    // can tell before.
    ("onnx", &["files", "memory", "plan", "record"]),
    ("inputs", &["files", "memory", "plan", "record", "onnx"]),
    ("accuracy", &["stats", "plan", "record", "inputs"]),
    ("trace", &["files", "record"]),
    ("runtime", &["files", "hash", "foreign"]),
    ("traffic", &["files", "stats", "plan"]),
    ("measure", &["stats", "plan", "traffic"]),
    (
        "engine",
        &[
            "files", "memory", "plan", "record", "runtime", "inputs", "onnx", "measure", "trace",
        ],
    ),
    ("protocol", &["plan", "record", "inputs"]),
    (
        "worker",
        &[
            "files", "memory", "stats", "plan", "record", "hash", "onnx", "inputs", "accuracy",
            "measure", "engine", "protocol", "traffic",
        ],
    ),
    (
        "runner",
        &[
            "files", "hash", "memory", "stats", "plan", "record", "store", "inputs", "sample",
            "protocol", "runtime", "fitness", "analysis",
        ],
    ),
    ("analysis", &["stats", "check", "plan", "record", "traffic"]),
    (
        "load",
        &[
            "stats", "check", "plan", "record", "traffic", "analysis", "runner",
        ],
    ),
    (
        "tune",
        &["memory", "stats", "plan", "record", "analysis", "runner"],
    ),
    (
        "report",
        &["stats", "check", "plan", "record", "analysis", "trace"],
    ),
    ("export", &["plan", "record", "analysis"]),
];

/// Names with the others that each may use.
type MayUse = &'static [(&'static str, &'static [&'static str])];

/// What each folder inside a module may use of the module's other folders; files beside folders are
/// held by their circles.
const FOLDERS: &[(&str, MayUse)] = &[
    (
        "analysis",
        &[
            ("figures", &[]),
            ("comparison", &["figures"]),
            ("forecast", &["figures"]),
            ("operators", &["decide", "figures"]),
            ("scaling", &["decide", "figures"]),
            ("explain", &["decide", "figures", "operators"]),
            ("decide", &["explain", "figures", "operators", "scaling"]),
            ("gate", &["comparison", "decide", "figures", "load"]),
            ("load", &["figures"]),
            ("tuning", &["decide", "figures", "gate"]),
        ],
    ),
    (
        "cli",
        &[
            ("plan", &[]),
            ("doctor", &["plan"]),
            ("gate", &["plan", "resume"]),
            ("inspect", &["plan"]),
            ("resume", &["plan"]),
            ("runtime", &["plan"]),
        ],
    ),
    ("engine", &[("ep", &[]), ("null", &[]), ("remote", &[])]),
    (
        "inputs",
        &[
            ("beside", &[]),
            ("classes", &[]),
            ("error", &[]),
            ("npy", &[]),
            ("labels", &["classes", "npy"]),
            ("data", &["labels", "npy"]),
            ("dataset", &["data", "labels"]),
            ("values", &[]),
            ("search", &["beside", "classes", "data", "values"]),
        ],
    ),
    (
        "onnx",
        &[("ort_format", &[]), ("quantization", &[]), ("shapes", &[])],
    ),
    ("measure", &[("serving", &[])]),
    ("plan", &[("command", &[])]),
    (
        "report",
        &[
            ("view", &[]),
            ("words", &["chapters"]),
            ("charts", &["chapters", "words"]),
            ("template", &["chapters", "words"]),
            ("chapters", &["charts", "template", "words"]),
            ("pages", &["chapters", "charts", "words"]),
            (
                "paper",
                &["chapters", "charts", "pages", "template", "words"],
            ),
        ],
    ),
    (
        "runner",
        &[
            ("energy", &[]),
            ("run", &["energy"]),
            ("rounds", &["energy", "run"]),
            ("before", &["rounds"]),
            ("beside", &["before", "run"]),
            ("load", &["beside", "run"]),
        ],
    ),
    ("traffic", &[("arrivals", &[])]),
    ("tune", &[("stages", &[])]),
    (
        "worker",
        &[("evaluate", &[]), ("probe", &[]), ("serve", &["probe"])],
    ),
];

/// How many circles of files there are at most: no change adds one.
const MOST_CIRCLES: usize = 2;

/// The files with unsafe code, how many blocks, functions and implementations it is, and why it
/// cannot be done without.
const UNSAFE: &[(&str, usize, &str)] = &[
    (
        "cli/columns.rs",
        1,
        "the width of a terminal is asked for by `ioctl`",
    ),
    (
        "cli/resources.rs",
        2,
        "a handler of SIGABRT, which alone can tell of memory that ran out",
    ),
    (
        "engine/assignment.rs",
        12,
        "functions of ONNX Runtime's C API that `ort` does not know yet",
    ),
    (
        "engine/buffer.rs",
        9,
        "inputs of batches are written and outputs read where ONNX Runtime has them",
    ),
    (
        "engine/io_binding.rs",
        8,
        "the runs that are timed call the C API, without what a wrapper adds",
    ),
    (
        "engine/bound_outputs.rs",
        8,
        "bound outputs are read where they lie, by the C API",
    ),
    (
        "engine/ep/generic.rs",
        2,
        "execution providers by name: the C API takes them, `ort` does not",
    ),
    (
        "engine/library.rs",
        10,
        "a library is opened and asked for its version before `ort` trusts it",
    ),
    (
        "engine/null/script.rs",
        1,
        "a scripted crash is to end the process as a real one does",
    ),
    (
        "engine/null/shared_clock.rs",
        1,
        "scripted workers share a clock in memory",
    ),
    (
        "engine/onnxruntime.rs",
        8,
        "entries of a session and statistics of its arena: from the C API alone",
    ),
    (
        "engine/raw.rs",
        6,
        "elements of types that `ort` has none for are handed over as bytes",
    ),
    (
        "engine/run.rs",
        2,
        "optional outputs are run by the C API: `ort` takes them for values that are there",
    ),
    (
        "engine/value.rs",
        4,
        "an output of the C API is taken over, or is none where it is optional and left out",
    ),
    (
        "foreign/group.rs",
        1,
        "a program is bound to us between `fork` and `exec`",
    ),
    (
        "runner/system.rs",
        1,
        "SIGXFSZ is ignored, so that a write says what failed",
    ),
    (
        "worker/mod.rs",
        1,
        "signals that a terminal sends to all are left to the parent",
    ),
];

/// The files that open others themselves, and why none of them takes in what may lie around: what
/// others may have put there is opened by `files`, which waits for nobody, knows the size before it
/// reads, and maps nothing.
const OPENS: &[(&str, &str)] = &[
    (
        "cli/gate/publish.rs",
        "a file is appended to that `GITHUB_STEP_SUMMARY` names, and not read",
    ),
    (
        "engine/null/shared_clock.rs",
        "the clock of scripted workers, which alone map it, made for one run",
    ),
    ("files/mod.rs", "the one way"),
    (
        "files/own.rs",
        "the way to open what onnxprof itself writes in a run's folder, which is no link and no pipe",
    ),
    (
        "foreign/folder.rs",
        "a folder of our own, which is locked and not read",
    ),
    (
        "store/folder.rs",
        "the lock of a run, which is not read, nor waited for where it is a pipe",
    ),
    (
        "store/journal.rs",
        "a journal is appended to, in a folder that holds plain files",
    ),
    (
        "store/write.rs",
        "what a user names is written over, such as /dev/stdout",
    ),
    (
        "runner/launcher.rs",
        "a log of workers, in the folder of the run that is written",
    ),
    ("provider/cuda.rs", "a file of the kernel's below /proc"),
    (
        "runner/worker_process.rs",
        "a file of the kernel's below /proc",
    ),
    (
        "runtime/cuda.rs",
        "wheels that pip has put into a folder of our own, and that folder, to sync it",
    ),
    ("runtime/install.rs", "the folder of the cache, to sync it"),
    (
        "runtime/staging.rs",
        "the lock of the cache and folders of it, to sync them",
    ),
    (
        "runtime/unpack.rs",
        "a wheel that pip has put into a folder of our own",
    ),
    (
        "sample/kernel_files.rs",
        "files of the kernel's below /proc and /sys",
    ),
    ("sample/sampler.rs", "a file of the kernel's below /proc"),
    (
        "worker/evaluate/reference.rs",
        "outputs of the baseline, which a worker of the same run has written",
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = path.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| rust_files(&path))
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

/// Source files of each module, by the module's name. A folder without any, such as that of the
/// Python module, is none.
fn modules() -> BTreeMap<String, Vec<PathBuf>> {
    let entries = source()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_dir() || path.extension().is_some_and(|e| e == "rs"))
        .map(|path| {
            (
                path.file_stem().unwrap().to_string_lossy().into_owned(),
                rust_files(&path),
            )
        })
        .filter(|(name, files)| !files.is_empty() && name != "main" && name != "lib")
        .collect()
}

/// A file's lines without comments and without its unit tests, which stand at the end; declarations
/// of modules with tests may stand before.
fn code(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let is_declaration = |at: usize| lines.get(at).is_some_and(|line| line.ends_with(';'));
    let are_tests = |at: &usize| lines[*at].starts_with("#[cfg(test)]") && !is_declaration(at + 1);
    let end = (0..lines.len()).find(are_tests).unwrap_or(lines.len());
    let is_code = |line: &&&str| !line.trim_start().starts_with("//");
    lines[..end]
        .iter()
        .filter(is_code)
        .map(|line| (*line).to_owned())
        .collect()
}

/// Names that follow `crate::` in a line: `crate::a::b` and `crate::{a, b::c}`.
fn used(line: &str) -> BTreeSet<String> {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut names = BTreeSet::new();
    for (place, prefix) in line.match_indices("crate::") {
        let rest = &line[place + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group.split(',').map(|part| name(part.trim()))),
            None => {
                names.insert(name(rest));
            }
        }
    }
    names
}

fn files_with(module: &str, needle: &str) -> Vec<String> {
    let files = modules().remove(module).unwrap_or_default();
    let has = |path: &PathBuf| code(path).iter().any(|line| line.contains(needle));
    files
        .into_iter()
        .filter(has)
        .map(|path| path.display().to_string())
        .collect()
}

#[test]
fn every_module_uses_only_what_it_may() {
    let table: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    for (module, files) in modules() {
        if module == "cli" {
            continue;
        }
        let allowed = table
            .get(module.as_str())
            .unwrap_or_else(|| panic!("`{module}` is not in the table"));
        for file in files {
            for line in code(&file) {
                for name in used(&line) {
                    let is_module = table.contains_key(name.as_str()) || name == "cli";
                    let may = allowed.iter().chain(GROUND).any(|allowed| *allowed == name);
                    let fine = !is_module || name == module || may;
                    assert!(
                        fine,
                        "{} uses `{name}`, which `{module}` may not: {line}",
                        file.display()
                    );
                }
            }
        }
    }
}

/// Code of every file but the crate's own two, by its name below `src/`.
fn all_code() -> Vec<(String, Vec<String>)> {
    let name = |path: &Path| path.strip_prefix(source()).unwrap().display().to_string();
    let is_test = |path: &PathBuf| {
        path.ends_with("tests.rs") || path.parent().is_some_and(|it| it.ends_with("tests"))
    };
    let files = modules()
        .into_values()
        .flatten()
        .filter(|path| !is_test(path));
    files.map(|path| (name(&path), code(&path))).collect()
}

/// The folder inside a module that a file lies in, and the module.
fn folder(file: &str) -> Option<(&str, &str)> {
    let (module, rest) = file.split_once('/')?;
    Some((module, rest.split_once('/')?.0))
}

#[test]
fn every_folder_uses_only_what_it_may_of_its_module() {
    let files = Files::of(all_code());
    let table: BTreeMap<(&str, &str), &[&str]> = FOLDERS
        .iter()
        .flat_map(|(module, rows)| rows.iter().map(|(from, to)| ((*module, *from), *to)))
        .collect();
    for (file, used) in files.uses() {
        let Some((module, from)) = folder(file) else {
            continue;
        };
        let row = table
            .get(&(module, from))
            .unwrap_or_else(|| panic!("`{module}/{from}` is not in the table"));
        for other in used {
            let to = folder(other)
                .filter(|(other, to)| *other == module && *to != from)
                .map(|(_, to)| to);
            let may = to.is_none_or(|to| row.contains(&to));
            assert!(may, "{file} uses {other}, which `{module}/{from}` may not");
        }
    }
}

#[test]
fn files_form_no_more_circles_than_there_are() {
    let files = Files::of(all_code());
    let found = circles(&files.uses());
    assert!(
        found.len() <= MOST_CIRCLES,
        "{} circles: {found:#?}",
        found.len()
    );
}

#[test]
fn ort_is_used_by_the_engine_alone() {
    for module in modules().into_keys().filter(|module| module != "engine") {
        for needle in [" ort::", "(ort::", "<ort::", "&ort::"] {
            assert!(files_with(&module, needle).is_empty(), "{module}");
        }
    }
}

/// The files that hold what looks like an identifier of ONNX Runtime's for an execution provider,
/// and is none.
const NO_PROVIDERS: [(&str, &str); 1] = [(
    "session_code/rust.rs",
    "a trait of `ort`, which printed code imports",
)];

/// What is known of an execution provider is in its own file.
#[test]
fn one_room_names_execution_providers() {
    let is_identifier = |text: &str| {
        let name = text.strip_suffix("ExecutionProvider").unwrap_or_default();
        !name.is_empty() && name.chars().all(char::is_alphanumeric)
    };
    let names = |path: &PathBuf| {
        code(path)
            .iter()
            .any(|line| line.split('"').any(is_identifier))
    };
    for (module, files) in modules() {
        let naming = files
            .into_iter()
            .filter(names)
            .filter(|path| !may_name_providers(path))
            .count();
        assert_eq!(naming > 0, module == "provider", "{module}");
    }
}

/// Tests in files of their own, and what is listed.
fn may_name_providers(path: &Path) -> bool {
    let is_test = path.ends_with("tests.rs")
        || path
            .parent()
            .is_some_and(|folder| folder.ends_with("tests"));
    is_test || NO_PROVIDERS.iter().any(|(name, _)| path.ends_with(name))
}

#[test]
fn measured_code_knows_no_asynchronous_runtime() {
    for module in ["measure", "engine", "worker", "inputs", "accuracy"] {
        assert!(files_with(module, "tokio").is_empty(), "{module}");
    }
}

#[test]
fn nothing_but_the_command_line_prints_to_stdout() {
    for module in modules().into_keys().filter(|module| module != "cli") {
        for file in files_with(&module, "println!(") {
            let prints = code(Path::new(&file))
                .iter()
                .any(|line| line.contains("println!(") && !line.contains("eprintln!("));
            assert!(!prints, "{file}");
        }
    }
}

/// A program that is neither ours nor the user's own command is started by `foreign` alone;
/// ourselves, as a worker or to open a library, are started where that is waited for.
#[test]
fn one_module_starts_foreign_programs() {
    let ours = ["runner/worker_process.rs", "runtime/probe.rs"];
    for module in modules().into_keys().filter(|module| module != "foreign") {
        for file in files_with(&module, "Command::new(") {
            let may = ours.iter().any(|name| file.ends_with(name)) || file.ends_with("tests.rs");
            assert!(may, "{file}");
        }
        assert!(files_with(&module, "open::that").is_empty(), "{module}");
    }
}

/// Only so are all of them pinned, and known as the run's own by who looks at the machine.
#[test]
fn one_file_starts_workers() {
    assert!(
        matches!(&files_with("runner", "WorkerProcess::spawn(")[..], [file] if file.ends_with("runner/launcher.rs"))
    );
}

/// What is taken in is opened in one way, but for what the list names with its reason.
#[test]
fn one_module_opens_what_is_taken_in() {
    let needles = [
        "File::open(",
        "File::options(",
        "OpenOptions",
        "fs::read(",
        "fs::read_to_string(",
        "from_path(",
        "Mmap",
    ];
    let opens = |path: &PathBuf| {
        code(path)
            .iter()
            .any(|line| needles.iter().any(|needle| line.contains(needle)))
    };
    let name = |path: PathBuf| path.strip_prefix(source()).unwrap().display().to_string();
    let is_test = |name: &String| name.ends_with("tests.rs") || name.contains("tests/");
    let found = rust_files(&source())
        .into_iter()
        .filter(opens)
        .map(name)
        .filter(|name| !is_test(name));
    let listed = OPENS.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        listed.collect::<BTreeSet<_>>()
    );
}

/// Clippy refuses the macros; what they stand for is used by one file too, and in the worker, whose
/// log is its stderr.
#[test]
fn one_file_prints() {
    for module in modules().into_keys() {
        for needle in [
            "stdout().lock(",
            "stdout().write",
            "stderr().write",
            "stderr().lock(",
            "(std::io::stderr(), ",
        ] {
            for file in files_with(&module, needle) {
                let may = ["cli/say.rs", "worker/mod.rs", "engine/log.rs"];
                assert!(
                    may.iter().any(|name| file.ends_with(name)),
                    "{file}: {needle}"
                );
            }
        }
    }
}

#[test]
fn one_file_reads_the_clock_of_a_measurement() {
    for module in ["measure", "engine", "worker"] {
        for file in files_with(module, "clock_gettime(") {
            assert!(
                file.ends_with("measure/clock.rs") || file.ends_with("measure/usage.rs"),
                "{file}"
            );
        }
        assert!(files_with(module, "Instant::now").is_empty(), "{module}");
    }
}

#[test]
fn unsafe_code_is_listed_with_its_reason() {
    let in_line = |line: &String| {
        ["unsafe {", "unsafe impl ", "unsafe fn "].map(|word| line.matches(word).count())
    };
    let count = |path: &Path| code(path).iter().flat_map(in_line).sum::<usize>();
    let name = |path: &Path| path.strip_prefix(source()).unwrap().display().to_string();
    let found = rust_files(&source())
        .into_iter()
        .map(|path| (name(&path), count(&path)));
    let found: BTreeMap<String, usize> = found.filter(|(_, count)| *count > 0).collect();
    let listed = UNSAFE
        .iter()
        .map(|(name, count, _)| ((*name).to_owned(), *count))
        .collect();
    assert_eq!(found, listed);
}

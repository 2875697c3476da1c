use std::fs;

use super::*;

fn script(folder: &Path, body: &str) -> Program {
    let path = folder.join("script");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    Program::at(&path).unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

fn is_alive(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    status
        .rsplit_once(')')
        .is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// The answer of a look that is to come soon.
#[track_caller]
fn soon<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(TICK);
    }
}

/// That a process that was killed is soon gone.
#[track_caller]
fn assert_dies(pid: &str) {
    soon(&format!("{pid} lives"), || (!is_alive(pid)).then_some(()));
}

/// The text of a file, once all of its line is there.
fn line_in(path: &Path) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .filter(|text| text.ends_with('\n'))
}

#[test]
fn program_is_taken_from_folders_that_are_absolute_and_only_if_it_can_be_started() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    fs::write(first.path().join("script"), "no program").unwrap();
    let program = script(second.path(), "");
    let path = std::env::join_paths([Path::new("bin"), Path::new(""), first.path(), second.path()])
        .unwrap();
    assert_eq!(Program::find_in(&path, "script"), Some(program));
    assert_eq!(Program::find_in(OsStr::new(":.:bin"), "script"), None);
    assert_eq!(Program::at(Path::new("src")), None);
    assert_eq!(Program::at(second.path()), None);
}

#[test]
fn program_runs_in_an_empty_folder_and_says_what_it_has_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let program = script(
        folder.path(),
        "ls -A; test \"$(pwd -P)\" = \"$(cd \"$PWD\"; pwd -P)\" || exit 1; echo $1; echo no >&2; exit 7",
    );
    let output = program.with(["word"]).output(None).unwrap();
    assert_eq!(said(&output), (Some(7), "word\n".into(), "no\n".into()));
}

#[test]
fn much_is_read_while_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let program = script(
        folder.path(),
        "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
    );
    let output = program.output(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(
        (output.stdout.len(), output.stderr.len()),
        (300_000, 300_000)
    );
}

#[test]
fn what_a_program_leaves_behind_ends_with_it_and_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let program = script(folder.path(), "sleep 60 & echo $!");
    let start = Instant::now();
    let output = program.output(None).unwrap();
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_dies(&said(&output).1);
    let pid = folder.path().join("pid");
    let stuck = script(
        folder.path(),
        &format!("sleep 60 & echo $! > {}; wait", pid.display()),
    );
    // It is ended with its time, before which a slow machine may not come to its line: it is then
    // given more.
    let mut limit = Duration::from_millis(500);
    let left_behind = loop {
        let error = stuck.output(Some(limit)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        if let Some(line) = line_in(&pid) {
            break line;
        }
        limit *= 2;
        assert!(limit < Duration::from_secs(30), "it has started nothing");
    };
    assert_dies(&left_behind);
}

#[test]
fn program_that_is_left_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let program = script(
        folder.path(),
        &format!("echo $$ > {}; exec sleep 60", pid.display()),
    );
    assert_eq!(
        program
            .leave(Path::new("/"), Duration::from_millis(500))
            .unwrap(),
        None
    );
    let pid = soon("no line of it", || line_in(&pid));
    assert!(is_alive(&pid));
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(pid.trim().parse().unwrap()),
        nix::sys::signal::SIGKILL,
    )
    .unwrap();
    let ended = script(folder.path(), "exit 3")
        .leave(Path::new("/"), Duration::from_secs(60))
        .unwrap();
    assert_eq!(ended.unwrap().code(), Some(3));
}

/// A launcher ends at once; the browser that it has started looks at its folders later.
#[test]
fn what_a_program_that_is_left_has_started_keeps_its_folders() {
    let folder = tempfile::tempdir().unwrap();
    let [stands, go, seen] = ["stands", "go", "seen"].map(|name| folder.path().join(name));
    fs::create_dir(&stands).unwrap();
    let body = r#"{
        waited=0
        while ! test -e "$1" && test $waited -lt 600; do sleep 0.1; waited=$((waited + 1)); done
        { test -d "${TMPDIR:-/tmp}" && printf '%s\n' "$(pwd -P)" "$PWD" "$TMPDIR"; } > "$2.part"
        mv "$2.part" "$2"
    } &"#;
    let program = script(folder.path(), body).with([&go, &seen]);
    let ended = program.leave(&stands, Duration::from_secs(60)).unwrap();
    assert_eq!(ended.unwrap().code(), Some(0));
    tidy();
    fs::write(&go, "").unwrap();
    soon("it has looked at nothing", || seen.exists().then_some(()));
    let temporary = std::env::var("TMPDIR").unwrap_or_default();
    let expected = format!(
        "{}\n{}\n{temporary}\n",
        stands.canonicalize().unwrap().display(),
        stands.display()
    );
    assert_eq!(fs::read_to_string(seen).unwrap(), expected);
}

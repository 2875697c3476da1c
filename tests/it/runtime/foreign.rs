//! Programs that are neither ours nor the user's own command: nothing that lies around takes part
//! in them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{SigHandler, Signal, signal};
use tempfile::TempDir;

use super::compile;
use crate::support::record;
use crate::support::wheels::Wheels;
use crate::support::{BAD_INPUT, model};
use crate::workbench::{is_alive, wait_until};

/// Python that leaves a mark.
const MARK: &str = "open('MARK', 'w').close()";

/// A folder such as a download, in which everything leaves a mark that runs: modules, programs and
/// libraries that bear the names of those which are started or loaded. Beside them lie a model and
/// a run.
struct Trap {
    folder: TempDir,
    /// What is made known by variables, as the surroundings of a shell may do.
    beside: TempDir,
}

impl Trap {
    fn new() -> Self {
        let [folder, beside] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let trap = Trap { folder, beside };
        let python = MARK.replace("MARK", trap.mark().to_str().unwrap());
        for module in [
            "pip.py",
            "pip/__init__.py",
            "pip/__main__.py",
            "site.py",
            "sitecustomize.py",
            "usercustomize.py",
        ] {
            trap.write(module, &python);
            fs::write(trap.beside.path().join(module.replace('/', "_")), &python).unwrap();
        }
        for program in [
            "python3", "python", "pip3", "ldconfig", "xdg-open", "gio", "sh", "env", "bash",
        ] {
            let path = trap.write(
                program,
                &format!("#!/bin/sh\n: > '{}'\nexit 1\n", trap.mark().display()),
            );
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::copy(model("fixtures/one-node.onnx"), trap.path("model.onnx")).unwrap();
        trap.write(
            "run/run.json",
            &serde_json::to_string(&record::single_variant()).unwrap(),
        );
        trap
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mark(&self) -> PathBuf {
        self.beside.path().join("it ran")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A library that leaves a mark in whatever program loads it, but for ours: the shell gave it
    /// to that.
    fn library(&self) -> PathBuf {
        let library = self.beside.path().join("evil.so");
        let source = format!(
            "#include <fcntl.h>\n#include <string.h>\n#include <unistd.h>\n\
             __attribute__((constructor)) static void f(void) {{\n\
               char own[4096] = {{0}};\n\
               if (readlink(\"/proc/self/exe\", own, 4095) < 0 || strcmp(own, \"{}\") == 0) return;\n\
               close(creat(\"{}\", 0600));\n\
             }}",
            env!("CARGO_BIN_EXE_onnxprof"),
            self.mark().display()
        );
        compile(&library, &source, &[]);
        library
    }

    /// Commands that start such programs, run in the folder one by one with these variables; gives
    /// which of them left a mark.
    fn caught(&self, commands: &[&str], variables: &[(&str, &OsStr)]) -> Vec<String> {
        let wheels = Wheels::new();
        let is_caught = |words: &&&str| {
            let mut command = wheels.bare();
            command
                .args(words.split(' '))
                .current_dir(self.folder.path())
                .env_remove("ONNXPROF_PYTHON");
            command.envs(variables.iter().copied());
            let output = command.output().unwrap();
            assert!(
                output
                    .status
                    .code()
                    .is_some_and(|code| code != 101 && code != 1),
                "{words:?}: {output:?}"
            );
            fs::remove_file(self.mark()).is_ok()
        };
        commands
            .iter()
            .filter(is_caught)
            .map(|words| (*words).to_owned())
            .collect()
    }
}

/// Commands that start each kind of program, and all of them.
const FEW: [&str; 2] = [
    "profile model.onnx --out out --budget 1s",
    "report run --open",
];
const ALL: [&str; 5] = [
    FEW[0],
    FEW[1],
    "inspect --probe model.onnx --runtime cpu@latest",
    "runtime install cpu@1.30.99",
    "runtime list --remote",
];

/// `PATH` with more folders before it.
fn path_with(folders: &str) -> OsString {
    let mut path = OsString::from(folders);
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

#[test]
fn modules_beside_a_model_are_not_run() {
    assert_eq!(Trap::new().caught(&ALL, &[]), Vec::<String>::new());
}

#[test]
fn programs_beside_a_model_are_not_run_whatever_the_path() {
    let trap = Trap::new();
    for path in [path_with("."), path_with(""), ".".into()] {
        assert_eq!(
            trap.caught(&FEW, &[("PATH", &path)]),
            Vec::<String>::new(),
            "{path:?}"
        );
    }
}

#[test]
fn variables_that_make_python_a_shell_or_the_loader_run_other_code_are_not_handed_on() {
    let trap = Trap::new();
    let beside = trap.beside.path().as_os_str().to_owned();
    let script = trap.path("sh").into_os_string();
    let library = trap.library();
    let here = OsStr::new(".");
    for variables in [
        &[
            ("PYTHONPATH", &*beside),
            ("BASH_ENV", &script),
            ("ENV", &script),
            ("PYTHONSTARTUP", OsStr::new("pip.py")),
        ][..],
        &[("PYTHONPATH", here), ("PYTHONHOME", here)],
        &[("LD_PRELOAD", library.as_os_str())],
    ] {
        assert_eq!(
            trap.caught(&FEW, variables),
            Vec::<String>::new(),
            "{variables:?}"
        );
    }
}

/// The trap is one: each of its kinds leaves a mark where Python and pip are started as a shell
/// would.
#[test]
fn trap_catches_what_is_started_carelessly() {
    let trap = Trap::new();
    let library = trap.library();
    let caught = |program: &str, words: &[&str], variables: &[(&str, &OsStr)]| {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(trap.folder.path())
            .envs(variables.iter().copied());
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        fs::remove_file(trap.mark()).is_ok()
    };
    assert!(caught("python3", &["-m", "pip", "--version"], &[]));
    assert!(caught(
        "/bin/sh",
        &["-c", "python3 -m pip"],
        &[("PATH", &path_with(""))]
    ));
    assert!(caught(
        "python3",
        &["-c", ""],
        &[("PYTHONPATH", trap.beside.path().as_os_str())]
    ));
    assert!(caught(
        "/bin/sh",
        &["-c", ""],
        &[("LD_PRELOAD", library.as_os_str())]
    ));
}

#[test]
fn settings_of_pip_reach_it_and_files_that_they_name_are_found() {
    let wheels = Wheels::new();
    wheels.runtime("onnxruntime", "1.30.99", &[], &[]);
    let mut command = wheels.bare();
    // Relative to the folder in which the command is given.
    command
        .args(["runtime", "list", "--remote"])
        .current_dir(wheels.path().parent().unwrap());
    command.env("PIP_FIND_LINKS", wheels.path().file_name().unwrap());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("cpu@1.30.99")
    );
}

/// A pip among the user's own packages is hidden from a Python that is isolated, and is called by
/// its own name.
#[test]
fn pip_that_an_isolated_python_has_not_is_called_by_its_name() {
    let bin = super::python("echo \"$*\" >> \"${0%/*}/called\"; exit 1");
    let pip = bin.path().join("pip3");
    fs::write(&pip, "#!/bin/sh\necho 'Available versions: 1.31.9'\n").unwrap();
    fs::set_permissions(&pip, fs::Permissions::from_mode(0o755)).unwrap();
    let wheels = Wheels::new();
    let output = wheels
        .command(&["list", "--remote"])
        .env("PATH", bin.path())
        .run();
    output.assert_code(0).assert_stdout("cpu@1.31.9");
    let called = fs::read_to_string(bin.path().join("called")).unwrap();
    assert!(
        called.lines().all(|words| words == "-I -m pip --version"),
        "{called}"
    );
}

/// `runtime install` with a pip that starts another process and stays, until the test has seen
/// both.
struct Stuck {
    child: Child,
    folder: TempDir,
}

impl Stuck {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cache", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let pip = super::python(&format!(
            r#"case "$*" in *--version*) exit 0;; esac
               : > "$TMPDIR/half a wheel"; sleep 60 & echo "$$ $!" > {0}.part; mv {0}.part {0}; wait"#,
            folder.path().join("pids").display()
        ));
        let path =
            std::env::join_paths([pip.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        let mut command = Wheels::new().bare();
        command
            .args(["runtime", "install"])
            .current_dir(folder.path())
            .env("PATH", path)
            .env("TMPDIR", folder.path().join("tmp"));
        heed_signals(&mut command);
        let child = command
            .env("ONNXPROF_CACHE", folder.path().join("cache"))
            .spawn()
            .unwrap();
        let stuck = Stuck { child, folder };
        wait_until(|| stuck.folder.path().join("pids").exists());
        drop(pip);
        stuck
    }

    fn pids(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.folder.path().join("pids")).unwrap();
        text.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    fn left(&self) -> Vec<String> {
        let runtimes = crate::support::wheels::names(&self.folder.path().join("cache/runtimes"));
        let temporary = crate::support::wheels::names(&self.folder.path().join("tmp"));
        runtimes
            .into_iter()
            .filter(|name| name != ".lock")
            .chain(temporary)
            .collect()
    }
}

/// Lets a command end by signals that whoever started the tests may ignore, as shells do for what
/// runs in the background.
fn heed_signals(command: &mut Command) {
    let heed = || {
        for heard in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // SAFETY: the default action calls nothing.
            unsafe { signal(heard, SigHandler::SigDfl) }?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only `sigaction` is called.
    unsafe { command.pre_exec(heed) };
}

#[test]
fn pip_and_what_it_started_end_with_an_install_however_that_ends() {
    for signal in ["INT", "TERM", "HUP", "KILL"] {
        let mut stuck = Stuck::new();
        let kill = |signal: &str, pid: u32| {
            Command::new("kill")
                .args([&format!("-{signal}"), &pid.to_string()])
                .status()
        };
        assert!(kill(signal, stuck.child.id()).unwrap().success());
        stuck.child.wait().unwrap();
        let pids = stuck.pids();
        assert_eq!(pids.len(), 2);
        wait_until(|| pids.iter().all(|&pid| !is_alive(pid)));
        assert_eq!(
            stuck.left().len(),
            2,
            "the unfinished folder, and that of temporary files: {:?}",
            stuck.left()
        );
        let mut next = Wheels::new().bare();
        next.args(["runtime", "list"])
            .current_dir(stuck.folder.path())
            .env("TMPDIR", stuck.folder.path().join("tmp"));
        assert!(
            next.env("ONNXPROF_CACHE", stuck.folder.path().join("cache"))
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(stuck.left(), Vec::<String>::new(), "{signal}");
    }
}

#[test]
fn wheel_whose_library_cannot_be_opened_is_not_installed() {
    let folder = tempfile::tempdir().unwrap();
    let crashing = super::compiled(
        &folder,
        "void abort(void); __attribute__((constructor)) static void f(void) { abort(); }",
    );
    let contents = [b"no library".to_vec(), fs::read(crashing).unwrap()];
    for content in contents {
        let wheels = Wheels::new();
        let files: [(&str, &[u8]); 1] = [("onnxruntime/capi/libonnxruntime.so.1.30.99", &content)];
        wheels.runtime("onnxruntime", "1.30.99", &[], &files);
        for _ in 0..2 {
            let output = wheels.command(&["install", "cpu@1.30.99"]).run();
            output.assert_error(
                BAD_INPUT,
                "is not installed: the library in `onnxruntime-1.30.99-",
                "runtime list --remote",
            );
            assert_eq!(wheels.names(), [".lock"]);
        }
        let mut profile = wheels.bare();
        profile
            .arg("profile")
            .arg(model("fixtures/one-node.onnx"))
            .args(["--runtime", "cpu@1.30.99", "--out"]);
        let output = profile.arg(folder.path().join("run")).output().unwrap();
        assert_eq!(output.status.code(), Some(BAD_INPUT), "{output:?}");
    }
}

/// One that is in the cache already, by an earlier onnxprof or because the system has changed.
#[test]
fn library_of_the_cache_that_cannot_be_opened_is_removed_by_the_hint() {
    let wheels = Wheels::new();
    let folder = wheels.folder("cpu-1.30.99");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("libonnxruntime.so.1.30.99"), "no library").unwrap();
    // printf 'no library' | sha256sum
    let sha256 = "a3bba07ee4d772d46d0f99f83549f754e8d42a91d4e258970547e29b0eb35101";
    let manifest = format!(
        r#"{{"version": "1.30.99", "library": "libonnxruntime.so.1.30.99", "library_sha256": "{sha256}",
            "wheel": "w.whl", "wheel_sha256": "", "verified_against": "index"}}"#
    );
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    let hint = "`onnxprof runtime remove cpu@1.30.99`";
    wheels
        .command(&["which", "--runtime", "cpu@1.30.99"])
        .run()
        .assert_error(BAD_INPUT, "as a shared library", hint);
    wheels
        .command(&["install", "cpu@1.30.99"])
        .run()
        .assert_error(BAD_INPUT, "as a shared library", hint);
    wheels
        .command(&["list"])
        .run()
        .assert_code(BAD_INPUT)
        .assert_stdout(hint);
    let mut profile = wheels.bare();
    profile
        .arg("profile")
        .arg(model("fixtures/one-node.onnx"))
        .arg("--out")
        .arg(wheels.path().join("run"));
    let output = profile.output().unwrap();
    assert_eq!(output.status.code(), Some(BAD_INPUT), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains(hint));
    wheels
        .command(&["remove", "cpu@1.30.99"])
        .run()
        .assert_code(0);
}

#[test]
#[cfg(target_arch = "x86_64")]
fn installed_files_and_folders_are_as_readable_as_the_umask_has_it() {
    let wheels = Wheels::new();
    super::builds::add_openvino(&wheels, "1.30.98");
    wheels
        .command(&["install", "openvino@1.30.98"])
        .run()
        .assert_code(0);
    let plain = wheels.path().join("plain");
    fs::create_dir(&plain).unwrap();
    fs::write(plain.join("file"), "").unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode();
    let folder = wheels.folder("openvino-1.30.98");
    for name in crate::support::wheels::names(&folder) {
        assert_eq!(mode(folder.join(&name)), mode(plain.join("file")), "{name}");
    }
    assert_eq!(mode(folder), mode(plain));
}

/// A library beside a model that is called like a release is named by a path alone.
#[test]
fn release_is_none_of_the_files_that_bear_its_name() {
    let trap = Trap::new();
    let library = trap.library();
    for name in ["cpu@1.31.1", "cpu@latest", "1.31.1", "openvino@1.24.1"] {
        fs::copy(&library, trap.path(name)).unwrap();
        let wheels = Wheels::new();
        let mut which = wheels.bare();
        which
            .args(["runtime", "which", "--runtime", name])
            .current_dir(trap.folder.path());
        let output = which.output().unwrap();
        assert_eq!(output.status.code(), Some(BAD_INPUT), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("is not installed") || said.contains("pip found no"),
            "{name}: {said}"
        );
    }
    let mut which = Wheels::new().bare();
    let output = which
        .args(["runtime", "which", "--runtime", "./1.31.1"])
        .current_dir(trap.folder.path())
        .output()
        .unwrap();
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("does not offer `OrtGetApiBase`")
    );
}

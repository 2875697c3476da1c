//! The ONNX Runtime of the Python environment that a user works in, which is what they are likely
//! to deploy with.
//!
//! Environments that are active, by their variables, are looked into by the file system; the
//! `python3` on `PATH` is asked where it imports from, in isolation and with a limit of time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::locate;
use crate::foreign::Program;

/// Environment variable that keeps Python's packages out of the look-up where it is `none`.
const SWITCH: (&str, &str) = ("ONNXPROF_PYTHON", "none");
const PYTHON: &str = "python3";
/// Time within which an interpreter answers: starting one takes some 20 ms, from a slow disk a
/// second.
const PATIENCE: Duration = Duration::from_secs(3);
/// Prints the folders that it imports from, and the user's own, which isolation hides.
const QUESTION: &str =
    "import site, sys\nprint('\\n'.join(sys.path + [site.getusersitepackages()]))";
const PACKAGE: &str = "onnxruntime";

/// How an environment of Python was found. Displays as a part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PythonEnvironment {
    /// By `VIRTUAL_ENV`.
    VirtualEnv,
    /// By `CONDA_PREFIX`.
    Conda,
    /// By the `python3` on `PATH`.
    OnPath,
}

impl PythonEnvironment {
    /// The variable that names it, or the name of the interpreter.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            PythonEnvironment::VirtualEnv => "VIRTUAL_ENV",
            PythonEnvironment::Conda => "CONDA_PREFIX",
            PythonEnvironment::OnPath => PYTHON,
        }
    }
}

impl std::fmt::Display for PythonEnvironment {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PythonEnvironment::OnPath => write!(out, "the {PYTHON} on PATH"),
            _ => write!(out, "the active Python environment ({})", self.place()),
        }
    }
}

/// ONNX Runtime's package in an environment of Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonPackage {
    /// How its environment was found.
    pub environment: PythonEnvironment,
    /// Its library; the folder of the package where it has none.
    pub library: Result<PathBuf, PathBuf>,
}

/// The package of the environment that is active, or else of the `python3` on `PATH`.
#[must_use]
pub fn python_package() -> Option<PythonPackage> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if variable(SWITCH.0).is_some_and(|value| value == SWITCH.1) {
        return None;
    }
    [PythonEnvironment::VirtualEnv, PythonEnvironment::Conda]
        .into_iter()
        .find_map(|environment| {
            let root = variable(environment.place())?;
            package(environment, &site_packages(root.as_ref()))
        })
        .or_else(|| package(PythonEnvironment::OnPath, &ask(&Program::find(PYTHON)?)?))
}

/// The package in the first of the folders that has it.
fn package(environment: PythonEnvironment, folders: &[PathBuf]) -> Option<PythonPackage> {
    let folder = folders
        .iter()
        .map(|folder| folder.join(PACKAGE))
        .find(|folder| folder.is_absolute() && folder.join("capi").is_dir())?;
    Some(PythonPackage {
        environment,
        library: locate::library(environment.place(), &folder).map_err(|_| folder),
    })
}

/// The folders of packages of an environment, as `venv` and conda lay them out.
fn site_packages(root: &Path) -> Vec<PathBuf> {
    let mut folders = ["lib", "lib64"]
        .map(|lib| packages_in(&root.join(lib)))
        .concat();
    folders.sort();
    folders
}

fn packages_in(lib: &Path) -> Vec<PathBuf> {
    lib.read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("python3"))
        .map(|entry| entry.path().join("site-packages"))
        .collect()
}

/// The folders that an interpreter imports from; `None` if it does not say so in time.
fn ask(python: &Program) -> Option<Vec<PathBuf>> {
    let output = python
        .with(["-I", "-c", QUESTION])
        .output(Some(PATIENCE))
        .ok()?;
    Some(
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| !line.is_empty())
            .map(PathBuf::from)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let capi = root
            .path()
            .join("lib/python3.12/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        for file in files {
            std::fs::write(capi.join(file), "").unwrap();
        }
        root
    }

    fn found(root: &tempfile::TempDir) -> Option<PythonPackage> {
        package(PythonEnvironment::VirtualEnv, &site_packages(root.path()))
    }

    #[test]
    fn library_is_found_in_the_packages_of_an_environment() {
        let root = environment(&[
            "libonnxruntime.so.1.31.1",
            "libonnxruntime_providers_shared.so",
        ]);
        let library = found(&root).unwrap().library.unwrap();
        assert!(
            library.ends_with("site-packages/onnxruntime/capi/libonnxruntime.so.1.31.1"),
            "{library:?}"
        );
    }

    #[test]
    fn package_without_a_library_is_told_from_none() {
        let found_in = environment(&["onnxruntime_pybind11_state.so"]);
        assert!(found(&found_in).unwrap().library.is_err());
        assert_eq!(found(&tempfile::tempdir().unwrap()), None);
    }

    #[test]
    fn interpreter_is_asked_in_an_empty_folder_and_not_for_ever() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join(PYTHON);
        let script = |body: &str| {
            std::fs::write(&python, format!("#!/bin/sh\n{body}\n")).unwrap();
            std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
            ask(&Program::at(&python).unwrap())
        };
        assert_eq!(
            script("test $1 = -I && ls && echo /a && echo /b"),
            Some(vec!["/a".into(), "/b".into()])
        );
        assert_eq!(script("exec sleep 60"), None);
    }
}

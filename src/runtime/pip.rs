//! pip, as the way to official builds: it knows the user's index, proxy and certificates.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::error::PipMessage;
use super::{OLDEST_VERSION, RuntimeError, Version};

/// How pip may be called; the first that works is used.
const COMMANDS: [&[&str]; 4] = [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["pip3"], &["pip"]];

/// Python tag of the wheel. The library in it does not depend on Python, so any one will do; a fixed one makes the
/// wheel's hash known. Every release from 1.23 to 1.32 has this one.
const PYTHON: [&str; 6] = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];

/// A pip that works.
pub(super) struct Pip(&'static [&'static str]);

impl Pip {
    /// The first pip that works.
    pub(super) fn find() -> Result<Self, RuntimeError> {
        let works = |words: &&&[&str]| run(words, &["--version"]).is_ok_and(|output| output.status.success());
        COMMANDS.iter().find(works).map(|words| Pip(words)).ok_or_else(|| RuntimeError::NoPip {
            tried: COMMANDS.map(|words| format!("`{}`", words.join(" "))).join(", "),
        })
    }

    /// Downloads the wheel of one version for one platform (a wheel's tag, such as `manylinux_2_28_x86_64`) into
    /// `folder`, which must be empty, and returns the wheel's path.
    pub(super) fn download(&self, version: Version, platform: &str, folder: &Path) -> Result<PathBuf, RuntimeError> {
        let failed = |message: String| RuntimeError::PipFailed { version, source: PipMessage(message) };
        let requirement = format!("onnxruntime=={version}");
        let mut words = vec!["download", "--no-deps", "--only-binary=:all:", "--no-input", "--progress-bar=off"];
        words.extend(["--disable-pip-version-check", "--platform", platform]);
        words.extend(PYTHON);
        words.push(&requirement);
        let destination = folder.display().to_string();
        words.extend(["--dest", &destination]);
        let output = run(self.0, &words).map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(explain(version, folder, &output));
        }
        let entries = std::fs::read_dir(folder).map_err(|error| failed(error.to_string()))?;
        let wheels = entries.flatten().map(|entry| entry.path());
        wheels
            .into_iter()
            .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
            .ok_or_else(|| failed("it reported success and left no wheel".into()))
    }
}

fn run(words: &[&str], more: &[&str]) -> std::io::Result<Output> {
    Command::new(words[0]).args(&words[1..]).args(more).stdin(Stdio::null()).output()
}

/// The error that pip's words mean.
fn explain(version: Version, folder: &Path, output: &Output) -> RuntimeError {
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("No space left on device") {
        return RuntimeError::no_space_for(folder);
    }
    match offered(&text) {
        Some(offered) if offered.is_empty() => RuntimeError::NoIndex { source: cause(&text, output) },
        Some(available) => RuntimeError::NoSuchVersion {
            version,
            available: available.into_iter().filter(|version| *version >= OLDEST_VERSION).collect(),
        },
        None => RuntimeError::PipFailed { version, source: cause(&text, output) },
    }
}

/// The versions that pip lists where it did not find the one asked for; `None` where that was not the problem.
fn offered(text: &str) -> Option<Vec<Version>> {
    let (_, list) = text.split_once("(from versions:")?;
    let (list, _) = list.split_once(')')?;
    let mut versions: Vec<Version> = list.split(',').filter_map(|word| word.trim().parse().ok()).collect();
    versions.sort_unstable();
    Some(versions)
}

/// The line that tells most: the last broken connection, else the last error, else the last line, else the status.
fn cause(text: &str, output: &Output) -> PipMessage {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let broken =
        lines().filter_map(|line| line.split_once("connection broken by ").map(|(_, cause)| cause)).next_back();
    let error = lines().filter_map(|line| line.strip_prefix("ERROR: ")).next_back();
    let line = broken.or(error).or_else(|| lines().next_back()).map(str::to_owned);
    PipMessage(line.unwrap_or_else(|| format!("ended with {}", output.status)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

    fn explained(stderr: &str) -> RuntimeError {
        let output = Output { status: ExitStatus::from_raw(1 << 8), stdout: Vec::new(), stderr: stderr.into() };
        explain("1.99.0".parse().unwrap(), Path::new("/cache"), &output)
    }

    #[test]
    fn an_index_without_the_version_lists_what_can_be_loaded() {
        let error = explained(
            "ERROR: Could not find a version that satisfies the requirement onnxruntime==1.99.0 (from versions: 1.22.1, \
             1.23.2, 1.24.0.dev20251031003, 1.31.0, 1.31.1)\nERROR: No matching distribution found for onnxruntime==1.99.0\n",
        );
        assert!(matches!(&error, RuntimeError::NoSuchVersion { available, .. } if available.len() == 3), "{error:?}");
        assert_eq!(error.hint().unwrap(), "use one of those that there are: 1.31.1, 1.23.2");
    }

    #[test]
    fn no_network_quotes_the_broken_connection() {
        let error = explained(
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(refused)': /onnxruntime/\n\
             ERROR: Could not find a version that satisfies the requirement onnxruntime==1.99.0 (from versions: none)\n\
             ERROR: No matching distribution found for onnxruntime==1.99.0\n",
        );
        let RuntimeError::NoIndex { source } = error else { panic!("{error:?}") };
        assert_eq!(source.0, "'NewConnectionError(refused)': /onnxruntime/");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let error =
            explained("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n");
        assert!(matches!(error, RuntimeError::NoSpace { .. }), "{error:?}");
    }

    #[test]
    fn silence_is_quoted_as_the_status() {
        let error = explained("");
        assert!(
            matches!(&error, RuntimeError::PipFailed { source, .. } if source.0.contains("exit status: 1")),
            "{error:?}"
        );
    }
}

//! Pip's words: the versions that it lists, and why it could not do what it was asked to.

use std::path::Path;
use std::process::Output;

use super::error::PipMessage;
use super::{Build, OLDEST_VERSION, Release, RuntimeError, Version};

#[derive(Clone, Copy)]
pub(super) enum Subject {
    Release(Release),
    Libraries(Release),
    Versions(Build),
}

impl Subject {
    pub(super) fn what(self) -> String {
        match self {
            Subject::Release(release) => release.title(),
            Subject::Libraries(release) => format!("CUDA libraries for {}", release.title()),
            Subject::Versions(build) => format!("ONNX Runtime for {}", build.purpose()),
        }
    }

    pub(super) fn by_hand(self) -> String {
        match self {
            Subject::Release(Release { build, version }) => {
                format!("pip download --no-deps {}=={version}", build.package())
            }
            Subject::Libraries(Release { build, version }) => {
                format!("pip download {}[cuda,cudnn]=={version}", build.package())
            }
            Subject::Versions(build) => format!("pip index versions {}", build.package()),
        }
    }

    pub(super) fn failed(self, words: &str) -> RuntimeError {
        RuntimeError::PipFailed {
            what: self.what(),
            by_hand: self.by_hand(),
            source: PipMessage(words.into()),
        }
    }

    pub(super) fn unreached(self, error: std::io::Error) -> RuntimeError {
        self.failed(&error.to_string())
    }
}

const NO_SPACE: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

pub(super) fn explain(subject: Subject, folder: &Path, output: &Output) -> RuntimeError {
    let text = String::from_utf8_lossy(&output.stderr);
    let source = cause(&text, output);
    if NO_SPACE.iter().any(|words| text.contains(words)) {
        return RuntimeError::no_space_for(folder);
    }
    if text.contains("DO NOT MATCH THE HASHES") {
        return RuntimeError::IndexHash(subject.what(), source);
    }
    match (offered(&text), subject) {
        (Some(_), Subject::Libraries(release)) if !text.contains(BROKEN) => {
            RuntimeError::NoSuchLibraries(release, source)
        }
        (Some(offered), _) if offered.is_empty() => RuntimeError::NoIndex(subject.what(), source),
        (Some(mut available), Subject::Release(release)) => {
            available.retain(|version| *version >= OLDEST_VERSION);
            RuntimeError::NoSuchVersion(release, available)
        }
        (None, Subject::Versions(_)) if text.contains("No matching distribution found") => {
            RuntimeError::NoIndex(subject.what(), source)
        }
        _ => subject.failed(&source.0),
    }
}

/// The versions that `pip index versions` prints, ascending; `None` if it printed something else.
pub(super) fn listed(text: &str) -> Option<Vec<Version>> {
    let list = text
        .lines()
        .find_map(|line| line.strip_prefix("Available versions:"))?;
    Some(ascending(list))
}

fn ascending(list: &str) -> Vec<Version> {
    let mut versions: Vec<Version> = list
        .split(',')
        .map(str::trim)
        .filter_map(|word| word.parse().ok())
        .collect();
    versions.sort_unstable();
    versions
}

/// The versions that pip lists where it did not find the one asked for; `None` where that was not
/// the problem.
fn offered(text: &str) -> Option<Vec<Version>> {
    let (_, list) = text.split_once("(from versions:")?;
    let (list, _) = list.split_once(')')?;
    Some(ascending(list))
}

/// Pip's words for an index that it does not reach, before it tells why.
const BROKEN: &str = "connection broken by ";

/// The line that tells most: the last broken connection, else the last error, else the last line,
/// else the status.
fn cause(text: &str, output: &Output) -> PipMessage {
    let backwards = || {
        text.lines()
            .rev()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    PipMessage(
        backwards()
            .find_map(|line| Some(line.split_once(BROKEN)?.1))
            .or_else(|| backwards().find_map(|line| line.strip_prefix("ERROR: ")))
            .or_else(|| backwards().next())
            .map_or_else(|| format!("ended with {}", output.status), str::to_owned),
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;
    use crate::text::joined;

    fn explained_of(subject: Subject, stderr: &str) -> RuntimeError {
        let output = Output {
            status: ExitStatus::from_raw(1 << 8),
            stdout: Vec::new(),
            stderr: stderr.into(),
        };
        explain(subject, Path::new("/cache"), &output)
    }

    fn explained(stderr: &str) -> RuntimeError {
        explained_of(
            Subject::Release(Release::cpu("1.99.0".parse().unwrap())),
            stderr,
        )
    }

    #[test]
    fn an_index_without_the_version_lists_what_can_be_loaded() {
        let error = explained(
            "ERROR: Could not find a version that satisfies the requirement onnxruntime==1.99.0 (from versions: 1.22.1, \
             1.23.2, 1.24.0.dev20251031003, 1.31.0, 1.31.1)\nERROR: No matching distribution found for onnxruntime==1.99.0\n",
        );
        assert!(
            matches!(&error, RuntimeError::NoSuchVersion(_, available) if available.len() == 3),
            "{error:?}"
        );
        assert_eq!(
            error.hint().unwrap(),
            "use one of those that there are: 1.31.1, 1.23.2"
        );
    }

    #[test]
    fn no_network_quotes_the_broken_connection_and_silence_is_quoted_as_the_status() {
        let error = explained(
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(refused)': /onnxruntime/\n\
             ERROR: Could not find a version that satisfies the requirement onnxruntime==1.99.0 (from versions: none)\n\
             ERROR: No matching distribution found for onnxruntime==1.99.0\n",
        );
        let RuntimeError::NoIndex(_, source) = error else {
            panic!("{error:?}")
        };
        assert_eq!(source.0, "'NewConnectionError(refused)': /onnxruntime/");
        let RuntimeError::PipFailed { source, .. } = explained("") else {
            panic!("{:?}", explained(""))
        };
        assert_eq!(source.0, "ended with exit status: 1");
    }

    #[test]
    fn a_full_disk_and_a_wheel_that_is_refused_for_its_hash_are_told_apart() {
        for words in [
            "[Errno 28] No space left on device",
            "[Errno 122] Disk quota exceeded",
        ] {
            let line = format!("ERROR: Could not install packages due to an OSError: {words}\n");
            assert!(
                matches!(explained(&line), RuntimeError::NoSpace { .. }),
                "{line}"
            );
        }
        let error = explained(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package \
             versions, please update the hashes.\n    Expected sha256 aa\n         Got        bb\n",
        );
        assert!(matches!(error, RuntimeError::IndexHash { .. }), "{error:?}");
    }

    #[test]
    fn cuda_libraries_that_the_index_lacks_are_told_apart_from_an_index_that_is_not_reached() {
        let asked = |before: &str| {
            let lacking = "ERROR: Could not find a version that satisfies the requirement nvidia-x~=13.0 (from versions: \
                           none)\nERROR: No matching distribution found for nvidia-x~=13.0\n";
            let (build, version) = (Build::Cuda, "1.27.0".parse().unwrap());
            let subject = Subject::Libraries(Release { build, version });
            explained_of(subject, &format!("{before}{lacking}"))
        };
        let RuntimeError::NoSuchLibraries(_, source) = asked("") else {
            panic!("{:?}", asked(""))
        };
        assert_eq!(
            source.0,
            "No matching distribution found for nvidia-x~=13.0"
        );
        let error = asked(
            "WARNING: Retrying after connection broken by 'NewConnectionError(refused)': /x/\n",
        );
        assert!(matches!(error, RuntimeError::NoIndex { .. }), "{error:?}");
    }

    #[test]
    fn versions_are_listed_ascending_and_without_previews() {
        let text = "onnxruntime-openvino (1.24.1)\nAvailable versions: 1.24.1, 1.24.0.dev3, 1.9.0, 1.23.0\n  LATEST: 1.24.1\n";
        assert_eq!(joined(listed(text).unwrap()), "1.9.0, 1.23.0, 1.24.1");
        assert_eq!(listed("something else"), None);
    }

    #[test]
    fn an_index_that_cannot_be_asked_is_told_apart_from_a_pip_that_cannot_ask() {
        let asked = |stderr: &str| explained_of(Subject::Versions(Build::OpenVino), stderr);
        let error = asked("ERROR: No matching distribution found for onnxruntime-openvino\n");
        assert!(matches!(error, RuntimeError::NoIndex { .. }), "{error:?}");
        let hint = asked("ERROR: unknown command \"index\"\n").hint().unwrap();
        assert!(
            hint.contains("pip index versions onnxruntime-openvino"),
            "{hint}"
        );
    }
}

//! pip, as the way to official builds: it knows the user's index, proxy and certificates.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use super::error::PipMessage;
use super::{Build, OLDEST_VERSION, Release, RuntimeError, Version};
use crate::foreign::Program;

/// How pip may be called; the first that works is used. Python is isolated: it takes no module from the folder in which it is
/// started or from the user's own packages, and a pip that is there alone is called by its own name.
const COMMANDS: [&[&str]; 4] = [&["python3", "-I", "-m", "pip"], &["python", "-I", "-m", "pip"], &["pip3"], &["pip"]];

/// Time within which pip tells its version: it takes half a second, from a slow disk some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Python tag of the wheel. The library in it does not depend on Python, so any one will do; a fixed one makes the
/// wheel's hash known. Every release from 1.23 to 1.32 has this one.
const PYTHON: [&str; 6] = ["--python-version", "3.12", "--implementation", "cp", "--abi", "cp312"];

/// Wheels alone, and no questions.
const ALWAYS: [&str; 3] = ["--only-binary=:all:", "--no-input", "--disable-pip-version-check"];

/// Makes pip say which links it found and in which form the index listed them, to see whether that states hashes.
const TALKATIVE: &str = "-vv";

/// A pip that works.
pub(super) struct Pip(Program);

/// Wheels that pip has downloaded.
#[derive(Debug)]
pub(super) struct Download {
    /// The wheels, at least one.
    pub wheels: Vec<PathBuf>,
    said: String,
}

impl Download {
    /// Whether pip had a hash to compare a wheel with, which is `sha256`: that stands in the link to a file, or in an
    /// index in JSON. A folder of wheels states none.
    pub(super) fn has_compared(&self, wheel: &Path, sha256: &str) -> bool {
        let lines = || self.said.lines().map(str::trim_start);
        let stated = format!("#sha256={sha256}");
        if lines().any(|line| line.starts_with("Found link ") && line.contains(&stated)) {
            return true;
        }
        let name = wheel.file_name().unwrap_or_default().to_string_lossy();
        let is_of_index = |line: &str| line.starts_with("Downloading ") || line.starts_with("Using cached ");
        lines().any(|line| is_of_index(line) && line.contains(&*name))
            && lines().any(|line| line.starts_with("Fetched page ") && line.ends_with("pypi.simple.v1+json"))
    }
}

/// What pip was asked about.
#[derive(Clone, Copy)]
enum Subject {
    Release(Release),
    Libraries(Release),
    Versions(Build),
}

impl Subject {
    fn what(self) -> String {
        match self {
            Subject::Release(release) => release.title(),
            Subject::Libraries(release) => format!("CUDA libraries for {}", release.title()),
            Subject::Versions(build) => format!("ONNX Runtime for {}", build.purpose()),
        }
    }

    /// The command to try by hand.
    fn by_hand(self) -> String {
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

    fn failed(self, source: PipMessage) -> RuntimeError {
        RuntimeError::PipFailed { what: self.what(), by_hand: self.by_hand(), source }
    }
}

impl Pip {
    /// The first pip that works.
    pub(super) fn find() -> Result<Self, RuntimeError> {
        let called = |words: &&[&str]| Some(Program::find(words[0])?.with(&words[1..]));
        let works =
            |pip: &Program| pip.with(["--version"]).output(Some(PATIENCE)).is_ok_and(|output| output.status.success());
        COMMANDS.iter().filter_map(called).find(works).map(Pip).ok_or_else(|| RuntimeError::NoPip {
            tried: COMMANDS.map(|words| format!("`{}`", words.join(" "))).join(", "),
        })
    }

    /// Downloads the wheel of a release for this machine into `folder`, which must be empty.
    pub(super) fn download(&self, release: Release, folder: &Path) -> Result<Download, RuntimeError> {
        let requirement = format!("{}=={}", release.build.package(), release.version);
        self.fetch(Subject::Release(release), release.build, &["--no-deps", &requirement], folder)
    }

    /// Downloads the wheels of CUDA libraries, and of those that they need in turn, into `folder`, which must be empty.
    pub(super) fn download_libraries(
        &self,
        release: Release,
        requirements: &[String],
        folder: &Path,
    ) -> Result<Download, RuntimeError> {
        let words: Vec<&str> = requirements.iter().map(String::as_str).collect();
        self.fetch(Subject::Libraries(release), release.build, &words, folder)
    }

    /// The released versions of a build that the index has for this machine, ascending.
    pub(super) fn versions(&self, build: Build) -> Result<Vec<Version>, RuntimeError> {
        let subject = Subject::Versions(build);
        let mut words = vec!["index", "versions"];
        words.extend(ALWAYS);
        words.extend(for_machine(build)?);
        words.push(build.package());
        let output = self.0.with(&words).output(None);
        let output = output.map_err(|error| subject.failed(PipMessage(error.to_string())))?;
        let listed = output.status.success().then(|| listed(&String::from_utf8_lossy(&output.stdout))).flatten();
        listed.ok_or_else(|| explain(subject, Path::new(""), &output))
    }

    fn fetch(&self, subject: Subject, build: Build, wanted: &[&str], folder: &Path) -> Result<Download, RuntimeError> {
        let failed = |error: std::io::Error| subject.failed(PipMessage(error.to_string()));
        let mut words = vec!["download", "--progress-bar=off", TALKATIVE];
        words.extend(ALWAYS);
        words.extend(for_machine(build)?);
        words.extend(wanted);
        let destination = folder.display().to_string();
        words.extend(["--dest", &destination]);
        let output = self.0.with(&words).output(None).map_err(failed)?;
        if !output.status.success() {
            return Err(explain(subject, folder, &output));
        }
        let paths = std::fs::read_dir(folder).map_err(failed)?.flatten().map(|entry| entry.path());
        let is_wheel = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "whl");
        let mut wheels: Vec<PathBuf> = paths.filter(is_wheel).collect();
        wheels.sort_unstable();
        if wheels.is_empty() {
            return Err(subject.failed(PipMessage("it reported success and left no wheel".into())));
        }
        Ok(Download { wheels, said: String::from_utf8_lossy(&output.stdout).into_owned() })
    }
}

/// Words that choose wheels for this machine rather than for pip's own Python.
fn for_machine(build: Build) -> Result<Vec<&'static str>, RuntimeError> {
    let mut words = PYTHON.to_vec();
    words.extend(build.platforms()?.iter().flat_map(|platform| ["--platform", platform]));
    Ok(words)
}

/// What pip says of a disk that is full.
const NO_SPACE: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// The error that pip's words mean.
fn explain(subject: Subject, folder: &Path, output: &Output) -> RuntimeError {
    let text = String::from_utf8_lossy(&output.stderr);
    let source = cause(&text, output);
    if NO_SPACE.iter().any(|words| text.contains(words)) {
        return RuntimeError::no_space_for(folder);
    }
    if text.contains("DO NOT MATCH THE HASHES") {
        return RuntimeError::IndexHash { what: subject.what(), source };
    }
    match (offered(&text), subject) {
        (Some(_), Subject::Libraries(release)) if !text.contains(BROKEN) => {
            RuntimeError::NoSuchLibraries { release, source }
        }
        (Some(offered), _) if offered.is_empty() => RuntimeError::NoIndex { what: subject.what(), source },
        (Some(available), Subject::Release(release)) => RuntimeError::NoSuchVersion {
            release,
            available: available.into_iter().filter(|version| *version >= OLDEST_VERSION).collect(),
        },
        (None, Subject::Versions(_)) if text.contains("No matching distribution found") => {
            RuntimeError::NoIndex { what: subject.what(), source }
        }
        _ => subject.failed(source),
    }
}

/// The versions that `pip index versions` prints, ascending; `None` if it printed something else.
fn listed(text: &str) -> Option<Vec<Version>> {
    text.lines().find_map(|line| line.strip_prefix("Available versions:")).map(ascending)
}

fn ascending(list: &str) -> Vec<Version> {
    let mut versions: Vec<Version> = list.split(',').filter_map(|word| word.trim().parse().ok()).collect();
    versions.sort_unstable();
    versions
}

/// The versions that pip lists where it did not find the one asked for; `None` where that was not the problem.
fn offered(text: &str) -> Option<Vec<Version>> {
    let (_, list) = text.split_once("(from versions:")?;
    let (list, _) = list.split_once(')')?;
    Some(ascending(list))
}

/// What pip says of an index that it does not reach, before it tells why.
const BROKEN: &str = "connection broken by ";

/// The line that tells most: the last broken connection, else the last error, else the last line, else the status.
fn cause(text: &str, output: &Output) -> PipMessage {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let broken = lines().filter_map(|line| line.split_once(BROKEN).map(|(_, cause)| cause)).next_back();
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
        let release = Release::cpu("1.99.0".parse().unwrap());
        explain(Subject::Release(release), Path::new("/cache"), &output)
    }

    #[test]
    fn a_hash_was_compared_where_the_link_or_an_index_in_json_states_one() {
        let wheel = Path::new("/cache/onnxruntime-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl");
        let name = wheel.file_name().unwrap().to_str().unwrap();
        let compared = |said: &str| {
            let said = said.replace("NAME", name);
            Download { wheels: vec![wheel.into()], said }.has_compared(wheel, "ab12")
        };
        assert!(compared(
            "  Found link https://x/NAME#sha256=ab12 (from https://x/simple/onnxruntime/), version: 1.30.0\n"
        ));
        assert!(!compared("  Found link https://x/NAME#sha256=ff00 (from https://x/), version: 1.30.0\n"));
        assert!(!compared(
            "  Found link https://x/NAME (from https://x/), version: 1.30.0\nDownloading NAME (24 MB)\n"
        ));
        let json = "Fetched page https://x/simple/onnxruntime/ as application/vnd.pypi.simple.v1+json\n";
        assert!(compared(&format!("{json}  Downloading NAME (24 MB)\n")));
        assert!(compared(&format!("{json}  Using cached NAME (24 MB)\n")));
        assert!(!compared(&format!("{json}Processing /opt/wheels/NAME\n")));
        assert!(!compared("Looking in links: /opt/wheels\nProcessing /opt/wheels/NAME\n"));
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
        let RuntimeError::NoIndex { source, .. } = error else { panic!("{error:?}") };
        assert_eq!(source.0, "'NewConnectionError(refused)': /onnxruntime/");
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        for words in ["[Errno 28] No space left on device", "[Errno 122] Disk quota exceeded"] {
            let error = explained(&format!("ERROR: Could not install packages due to an OSError: {words}\n"));
            assert!(matches!(error, RuntimeError::NoSpace { .. }), "{error:?}");
        }
    }

    #[test]
    fn cuda_libraries_that_the_index_lacks_are_told_apart_from_an_index_that_is_not_reached() {
        let asked = |before: &str| {
            let lacking = "ERROR: Could not find a version that satisfies the requirement nvidia-x~=13.0 (from versions: \
                           none)\nERROR: No matching distribution found for nvidia-x~=13.0\n";
            let stderr = format!("{before}{lacking}").into();
            let output = Output { status: ExitStatus::from_raw(1 << 8), stdout: Vec::new(), stderr };
            let release = Release { build: Build::Cuda, version: "1.27.0".parse().unwrap() };
            explain(Subject::Libraries(release), Path::new("/cache"), &output)
        };
        let RuntimeError::NoSuchLibraries { source, .. } = asked("") else { panic!("{:?}", asked("")) };
        assert_eq!(source.0, "No matching distribution found for nvidia-x~=13.0");
        let error = asked("WARNING: Retrying after connection broken by 'NewConnectionError(refused)': /x/\n");
        assert!(matches!(error, RuntimeError::NoIndex { .. }), "{error:?}");
    }

    #[test]
    fn silence_is_quoted_as_the_status() {
        let error = explained("");
        assert!(
            matches!(&error, RuntimeError::PipFailed { source, .. } if source.0.contains("exit status: 1")),
            "{error:?}"
        );
    }

    #[test]
    fn a_wheel_that_pip_refuses_for_its_hash_is_told_apart() {
        let error = explained(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package \
             versions, please update the hashes.\n    Expected sha256 aa\n         Got        bb\n",
        );
        assert!(matches!(error, RuntimeError::IndexHash { .. }), "{error:?}");
    }

    #[test]
    fn versions_are_listed_ascending_and_without_previews() {
        let text =
            "onnxruntime-openvino (1.24.1)\nAvailable versions: 1.24.1, 1.24.0.dev3, 1.9.0, 1.23.0\n  LATEST: 1.24.1\n";
        let words: Vec<String> = listed(text).unwrap().iter().map(Version::to_string).collect();
        assert_eq!(words, ["1.9.0", "1.23.0", "1.24.1"]);
        assert_eq!(listed("something else"), None);
    }

    #[test]
    fn an_index_that_cannot_be_asked_is_told_apart_from_a_pip_that_cannot_ask() {
        let asked = |stderr: &str| {
            let output = Output { status: ExitStatus::from_raw(1 << 8), stdout: Vec::new(), stderr: stderr.into() };
            explain(Subject::Versions(Build::OpenVino), Path::new(""), &output)
        };
        let error = asked("ERROR: No matching distribution found for onnxruntime-openvino\n");
        assert!(matches!(error, RuntimeError::NoIndex { .. }), "{error:?}");
        let error = asked("ERROR: unknown command \"index\"\n");
        assert!(error.hint().unwrap().contains("pip index versions onnxruntime-openvino"), "{error:?}");
    }
}

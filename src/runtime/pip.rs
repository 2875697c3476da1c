//! pip, as the way to official builds: it knows the user's index, proxy and certificates.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use super::error::PipMessage;
use super::{Build, OLDEST_VERSION, Release, RuntimeError, Version};
use crate::foreign::Program;

/// How pip may be called; the first that works is used. Python is isolated: it takes no module from the folder in which
/// it is started or from the user's own packages, and a pip that is there alone is called by its own name.
const COMMANDS: [&[&str]; 4] = [
    &["python3", "-I", "-m", "pip"],
    &["python", "-I", "-m", "pip"],
    &["pip3"],
    &["pip"],
];

/// Time within which pip tells its version: it takes half a second, from a slow disk some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Python tag of the wheel. The library in it does not depend on Python, so any one will do; a fixed one makes the
/// wheel's hash known. Every release from 1.23 to 1.32 has this one.
const PYTHON: [&str; 6] = [
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--abi",
    "cp312",
];

const ALWAYS: [&str; 3] = [
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
];

/// The wheels and their hashes that pip is given.
const REQUIREMENTS: &str = "requirements.txt";

/// Makes pip say of how many links of the index it knows a hash that it is given.
const TALKATIVE: &str = "-vv";

pub(super) struct Pip(Program);

#[derive(Debug)]
pub(super) struct Download {
    /// At least one.
    pub wheels: Vec<PathBuf>,
    pip: Program,
    build: Build,
}

impl Download {
    /// Of each wheel in turn whether the index states the SHA-256 that is given here for it. What pip says as it
    /// downloads does not tell, as an index in JSON may state none. So pip is asked once more, for these hashes: it
    /// reads the index again, in whichever form that is, takes the wheels that are there, and says how many links have
    /// the hash. Where it says nothing of the kind, none is stated.
    pub(super) fn stated(&self, hashes: &[String]) -> Vec<bool> {
        let said = self.ask_for(hashes).unwrap_or_default();
        self.wheels
            .iter()
            .map(|wheel| project(wheel).is_some_and(|(name, _)| has_match(&said, &name)))
            .collect()
    }

    /// Pip's words when it is to have wheels of these hashes; absent where it cannot be asked.
    fn ask_for(&self, hashes: &[String]) -> Option<String> {
        let folder = self.wheels.first()?.parent()?;

        let lines: Vec<String> = self
            .wheels
            .iter()
            .zip(hashes)
            .map(|(wheel, sha256)| requirement(wheel, sha256))
            .collect::<Option<_>>()?;
        let file = folder.join(REQUIREMENTS);
        std::fs::write(&file, lines.concat()).ok()?;
        let mut words = vec![
            "download",
            "--progress-bar=off",
            TALKATIVE,
            "--no-deps",
            "--require-hashes",
        ];
        words.extend(for_machine(self.build).ok()?);
        let (file, destination) = (file.display().to_string(), folder.display().to_string());
        words.extend(["--dest", &destination, "--requirement", &file]);
        let output = self.pip.with(&words).output(None).ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Name and version of a wheel by that of its file; the name as pip shows it.
fn project(wheel: &Path) -> Option<(String, String)> {
    let mut parts = wheel.file_name()?.to_str()?.split('-');
    let (name, version) = (parts.next()?, parts.next()?);
    Some((
        name.to_ascii_lowercase().replace(['_', '.'], "-"),
        version.to_owned(),
    ))
}

/// A line of a file of requirements, for a wheel of this hash.
fn requirement(wheel: &Path, sha256: &str) -> Option<String> {
    let (name, version) = project(wheel)?;
    Some(format!("{name}=={version} --hash=sha256:{sha256}\n"))
}

/// Whether pip says of links of a project that one has the hash that it was given.
fn has_match(said: &str, project: &str) -> bool {
    let begin = format!(" links for project '{project}' against ");
    said.lines()
        .filter_map(|line| counts(line, &begin))
        .any(|(links, matches)| (1..=links).contains(&matches))
}

/// Links, and those of them whose hash is the one given, of a line with these words after the first number.
fn counts(line: &str, words: &str) -> Option<(u64, u64)> {
    let (links, counts) = line
        .trim_start()
        .strip_prefix("Checked ")?
        .split_once(words)?;
    let (matches, _) = counts.split_once('(')?.1.split_once(" matches")?;
    Some((links.parse().ok()?, matches.parse().ok()?))
}

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
        RuntimeError::PipFailed {
            what: self.what(),
            by_hand: self.by_hand(),
            source,
        }
    }

    fn unreached(self, error: &std::io::Error) -> RuntimeError {
        self.failed(PipMessage(error.to_string()))
    }
}

impl Pip {
    pub(super) fn find() -> Result<Self, RuntimeError> {
        COMMANDS
            .iter()
            .filter_map(|words| Some(Program::find(words[0])?.with(&words[1..])))
            .find(works)
            .map(Pip)
            .ok_or_else(|| {
                let words = COMMANDS.map(|words| format!("`{}`", words.join(" ")));
                RuntimeError::NoPip(words.join(", "))
            })
    }

    /// Downloads the wheel of a release for this machine into `folder`, which must be empty.
    pub(super) fn download(
        &self,
        release: Release,
        folder: &Path,
    ) -> Result<Download, RuntimeError> {
        let requirement = format!("{}=={}", release.build.package(), release.version);
        self.fetch(
            Subject::Release(release),
            release.build,
            &["--no-deps", &requirement],
            folder,
        )
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

    /// Ascending.
    pub(super) fn versions(&self, build: Build) -> Result<Vec<Version>, RuntimeError> {
        let subject = Subject::Versions(build);
        let mut words = vec!["index", "versions"];
        words.extend(for_machine(build)?);
        words.push(build.package());
        let output = self.0.with(&words).output(None);
        let output = output.map_err(|error| subject.failed(PipMessage(error.to_string())))?;
        let listed = output
            .status
            .success()
            .then(|| listed(&String::from_utf8_lossy(&output.stdout)))
            .flatten();
        listed.ok_or_else(|| explain(subject, Path::new(""), &output))
    }

    fn fetch(
        &self,
        subject: Subject,
        build: Build,
        wanted: &[&str],
        folder: &Path,
    ) -> Result<Download, RuntimeError> {
        let mut words = vec!["download", "--progress-bar=off"];
        words.extend(for_machine(build)?);
        words.extend(wanted);
        let destination = folder.display().to_string();
        words.extend(["--dest", &destination]);
        let output = self.0.with(&words).output(None);
        let output = output.map_err(|error| subject.unreached(&error))?;
        if !output.status.success() {
            return Err(explain(subject, folder, &output));
        }
        let wheels = wheels_in(folder).map_err(|error| subject.unreached(&error))?;
        if wheels.is_empty() {
            return Err(subject.failed(PipMessage("it reported success and left no wheel".into())));
        }
        Ok(Download {
            wheels,
            pip: self.0.clone(),
            build,
        })
    }
}

fn works(pip: &Program) -> bool {
    pip.with(["--version"])
        .output(Some(PATIENCE))
        .is_ok_and(|output| output.status.success())
}

fn wheels_in(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut wheels: Vec<PathBuf> = std::fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .collect();
    wheels.sort_unstable();
    Ok(wheels)
}

/// Words of every question, which choose wheels for this machine rather than for pip's own Python.
fn for_machine(build: Build) -> Result<Vec<&'static str>, RuntimeError> {
    let mut words = [&ALWAYS[..], &PYTHON].concat();
    words.extend(
        build
            .platforms()?
            .iter()
            .flat_map(|platform| ["--platform", platform]),
    );
    Ok(words)
}

const NO_SPACE: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

fn explain(subject: Subject, folder: &Path, output: &Output) -> RuntimeError {
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
        _ => subject.failed(source),
    }
}

/// The versions that `pip index versions` prints, ascending; `None` if it printed something else.
fn listed(text: &str) -> Option<Vec<Version>> {
    text.lines()
        .find_map(|line| line.strip_prefix("Available versions:"))
        .map(ascending)
}

fn ascending(list: &str) -> Vec<Version> {
    let mut versions: Vec<Version> = list
        .split(',')
        .filter_map(|word| word.trim().parse().ok())
        .collect();
    versions.sort_unstable();
    versions
}

/// The versions that pip lists where it did not find the one asked for; `None` where that was not the problem.
fn offered(text: &str) -> Option<Vec<Version>> {
    let (_, list) = text.split_once("(from versions:")?;
    let (list, _) = list.split_once(')')?;
    Some(ascending(list))
}

/// Pip's words for an index that it does not reach, before it tells why.
const BROKEN: &str = "connection broken by ";

/// The line that tells most: the last broken connection, else the last error, else the last line, else the status.
fn cause(text: &str, output: &Output) -> PipMessage {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let broken = lines()
        .filter_map(|line| line.split_once(BROKEN).map(|(_, cause)| cause))
        .next_back();
    let error = lines()
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .next_back();
    let line = broken
        .or(error)
        .or_else(|| lines().next_back())
        .map(str::to_owned);
    PipMessage(line.unwrap_or_else(|| format!("ended with {}", output.status)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use super::*;

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

    fn checked(project: &str, links: u64, counts: &str) -> String {
        let against = format!(
            "for project '{project}' against 1 hashes ({counts}): discarding no candidates"
        );
        format!("  Checked {links} links {against}\n")
    }

    #[test]
    fn a_hash_is_stated_where_pip_says_that_a_link_of_the_project_has_it() {
        let stated = |said: &str| has_match(said, "onnxruntime");
        let json =
            "Fetched page https://x/simple/onnxruntime/ as application/vnd.pypi.simple.v1+json\n";
        assert!(stated(&format!(
            "{json}{}",
            checked("onnxruntime", 1, "1 matches, 0 no digest")
        )));
        // Of two indexes one states it, whichever the wheel came from.
        assert!(stated(&checked("onnxruntime", 2, "1 matches, 1 no digest")));
        // Of two indexes one states the hash of another file, and the other none.
        assert!(!stated(&format!(
            "{json}{}",
            checked("onnxruntime", 2, "0 matches, 1 no digest")
        )));
        // An index in JSON with `"hashes": {}`.
        let none = checked("onnxruntime", 1, "0 matches, 1 no digest");
        assert!(!stated(&format!(
            "{json}{none}  Using cached onnxruntime-1.30.0-cp312-cp312.whl (24 MB)\n"
        )));
        assert!(!stated(&checked(
            "onnxruntime-gpu",
            1,
            "1 matches, 0 no digest"
        )));
        assert!(!stated(
            "  Given no hashes to check 1 links for project 'onnxruntime': discarding no candidates\n"
        ));
        assert!(!stated(&format!(
            "{json}Processing /opt/wheels/onnxruntime-1.30.0-cp312-cp312-linux_x86_64.whl\n"
        )));
    }

    #[test]
    fn wheels_are_called_as_pip_calls_their_projects() {
        let of = |name: &str| project(&Path::new("/cache").join(name));
        let pair = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(
            of("onnxruntime-1.30.0-cp312-cp312-linux_x86_64.whl"),
            pair("onnxruntime", "1.30.0")
        );
        assert_eq!(
            of("nvidia_cublas_cu12-12.9.1.4-py3-none-any.whl"),
            pair("nvidia-cublas-cu12", "12.9.1.4")
        );
        assert_eq!(
            of("Some.Name-1.0+local-py3-none-any.whl"),
            pair("some-name", "1.0+local")
        );
        assert_eq!(of("wheel"), None);
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
            let error = explained(&format!(
                "ERROR: Could not install packages due to an OSError: {words}\n"
            ));
            assert!(matches!(error, RuntimeError::NoSpace { .. }), "{error:?}");
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
            let release = Release {
                build: Build::Cuda,
                version: "1.27.0".parse().unwrap(),
            };
            explained_of(Subject::Libraries(release), &format!("{before}{lacking}"))
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
        let words: Vec<String> = listed(text)
            .unwrap()
            .iter()
            .map(Version::to_string)
            .collect();
        assert_eq!(words, ["1.9.0", "1.23.0", "1.24.1"]);
        assert_eq!(listed("something else"), None);
    }

    #[test]
    fn an_index_that_cannot_be_asked_is_told_apart_from_a_pip_that_cannot_ask() {
        let asked = |stderr: &str| explained_of(Subject::Versions(Build::OpenVino), stderr);
        let error = asked("ERROR: No matching distribution found for onnxruntime-openvino\n");
        assert!(matches!(error, RuntimeError::NoIndex { .. }), "{error:?}");
        let error = asked("ERROR: unknown command \"index\"\n");
        assert!(
            error
                .hint()
                .unwrap()
                .contains("pip index versions onnxruntime-openvino"),
            "{error:?}"
        );
    }
}

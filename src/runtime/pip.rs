//! pip, as the way to official builds: it knows the user's index, proxy and certificates.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::manifest::Verification;
use super::pip_words::{Subject, explain, listed};
use super::{Build, Release, Result, RuntimeError, Version};
use crate::foreign::Program;
use crate::text::joined;

/// How pip may be called; the first that works is used. Python is isolated: it takes no module from
/// the folder in which it is started or from the user's own packages, and a pip that is there alone
/// is called by its own name.
const COMMANDS: [&[&str]; 4] = [
    &["python3", "-I", "-m", "pip"],
    &["python", "-I", "-m", "pip"],
    &["pip3"],
    &["pip"],
];

/// Time within which pip tells its version: it takes half a second, from a slow disk some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Words of every question. Python's tag is that of the wheel: the library in it does not depend on
/// Python, so any one will do; a fixed one makes the wheel's hash known. Every release from 1.23 to
/// 1.32 has this one.
const ALWAYS: [&str; 9] = [
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--python-version",
    "3.12",
    "--implementation",
    "cp",
    "--abi",
    "cp312",
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
    /// Of each wheel in turn what its SHA-256, given here, is the same as: the one that the index
    /// states, or nothing. What
    /// pip says as it downloads does not tell, as an index in JSON may state none. So pip is asked
    /// once more, for these hashes: it reads the index again, in whichever form that is, takes the
    /// wheels that are there, and says how many links have the hash. Where it says nothing of the
    /// kind, none is stated.
    pub(super) fn compared(&self, hashes: &[String]) -> Vec<Verification> {
        let said = self.ask_for(hashes).unwrap_or_default();
        self.wheels
            .iter()
            .map(|wheel| project(wheel))
            .map(|project| match project {
                Some((name, _)) if has_match(&said, &name) => Verification::Index,
                _ => Verification::Nothing,
            })
            .collect()
    }

    /// Pip's words when it is to have wheels of these hashes; absent where it cannot be asked.
    fn ask_for(&self, hashes: &[String]) -> Option<String> {
        let folder = self.wheels.first()?.parent()?;
        let lines = self.wheels.iter().zip(hashes).map(|(wheel, sha256)| {
            let (name, version) = project(wheel)?;
            Some(format!("{name}=={version} --hash=sha256:{sha256}\n"))
        });
        let file = folder.join(REQUIREMENTS);
        std::fs::write(&file, lines.collect::<Option<String>>()?).ok()?;
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
    let name = parts.next()?.to_ascii_lowercase().replace(['_', '.'], "-");
    Some((name, parts.next()?.to_owned()))
}

/// Whether pip says of links of a project that one has the hash that it was given.
fn has_match(said: &str, project: &str) -> bool {
    let begin = format!(" links for project '{project}' against ");
    said.lines()
        .filter_map(|line| counts(line, &begin))
        .any(|(links, matches)| (1..=links).contains(&matches))
}

/// Links, and those of them whose hash is the one given, of a line with these words after the first
/// number.
fn counts(line: &str, words: &str) -> Option<(u64, u64)> {
    let (links, counts) = line
        .trim_start()
        .strip_prefix("Checked ")?
        .split_once(words)?;
    let (matches, _) = counts.split_once('(')?.1.split_once(" matches")?;
    Some((links.parse().ok()?, matches.parse().ok()?))
}

impl Pip {
    pub(super) fn find() -> Result<Self> {
        COMMANDS
            .iter()
            .filter_map(|words| Some(Program::find(words[0])?.with(&words[1..])))
            .find(works)
            .map(Pip)
            .ok_or_else(|| {
                RuntimeError::NoPip(joined(
                    COMMANDS.map(|words| format!("`{}`", words.join(" "))),
                ))
            })
    }

    /// Downloads the wheel of a release for this machine into `folder`, which must be empty.
    pub(super) fn download(&self, release: Release, folder: &Path) -> Result<Download> {
        let Release { build, version } = release;
        let requirement = format!("{}=={version}", build.package());
        self.fetch(
            Subject::Release(release),
            build,
            &["--no-deps", &requirement],
            folder,
        )
    }

    /// Downloads the wheels of CUDA libraries, and of those that they need in turn, into `folder`,
    /// which must be empty.
    pub(super) fn download_libraries(
        &self,
        release: Release,
        requirements: &[String],
        folder: &Path,
    ) -> Result<Download> {
        let words: Vec<&str> = requirements.iter().map(String::as_str).collect();
        self.fetch(Subject::Libraries(release), release.build, &words, folder)
    }

    /// Ascending.
    pub(super) fn versions(&self, build: Build) -> Result<Vec<Version>> {
        let subject = Subject::Versions(build);
        let mut words = vec!["index", "versions"];
        words.extend(for_machine(build)?);
        words.push(build.package());
        let output = self
            .0
            .with(&words)
            .output(None)
            .map_err(|error| subject.unreached(error))?;
        if output.status.success()
            && let Some(listed) = listed(&String::from_utf8_lossy(&output.stdout))
        {
            return Ok(listed);
        }
        Err(explain(subject, Path::new(""), &output))
    }

    fn fetch(
        &self,
        subject: Subject,
        build: Build,
        wanted: &[&str],
        folder: &Path,
    ) -> Result<Download> {
        let mut words = vec!["download", "--progress-bar=off"];
        words.extend(for_machine(build)?);
        words.extend(wanted);
        let destination = folder.display().to_string();
        words.extend(["--dest", &destination]);
        let output = self
            .0
            .with(&words)
            .output(None)
            .map_err(|error| subject.unreached(error))?;
        if !output.status.success() {
            return Err(explain(subject, folder, &output));
        }
        let wheels = wheels_in(folder).map_err(|error| subject.unreached(error))?;
        if wheels.is_empty() {
            return Err(subject.failed("it reported success and left no wheel"));
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

/// The words that choose wheels for this machine rather than for pip's own Python.
fn for_machine(build: Build) -> Result<Vec<&'static str>> {
    let platforms = build.platforms()?.iter();
    let mut words = ALWAYS.to_vec();
    words.extend(platforms.flat_map(|platform| ["--platform", platform]));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(project: &str, links: u64, counts: &str) -> String {
        format!(
            "  Checked {links} links for project '{project}' against 1 hashes ({counts}): discarding no candidates\n"
        )
    }

    #[test]
    fn a_hash_is_stated_where_pip_says_that_a_link_of_the_project_has_it() {
        let json =
            "Fetched page https://x/simple/onnxruntime/ as application/vnd.pypi.simple.v1+json\n";
        let none = checked("onnxruntime", 1, "0 matches, 1 no digest");
        for said in [
            format!(
                "{json}{}",
                checked("onnxruntime", 1, "1 matches, 0 no digest")
            ),
            // Of two indexes one states it, whichever the wheel came from.
            checked("onnxruntime", 2, "1 matches, 1 no digest"),
        ] {
            assert!(has_match(&said, "onnxruntime"), "{said}");
        }
        for said in [
            // Of two indexes one states the hash of another file, and the other none.
            format!("{json}{}", checked("onnxruntime", 2, "0 matches, 1 no digest")),
            // An index in JSON with `"hashes": {}`.
            format!("{json}{none}  Using cached onnxruntime-1.30.0-cp312-cp312.whl (24 MB)\n"),
            checked("onnxruntime-gpu", 1, "1 matches, 0 no digest"),
            "  Given no hashes to check 1 links for project 'onnxruntime': discarding no candidates\n".into(),
            format!("{json}Processing /opt/wheels/onnxruntime-1.30.0-cp312-cp312-linux_x86_64.whl\n"),
        ] {
            assert!(!has_match(&said, "onnxruntime"), "{said}");
        }
    }

    #[test]
    fn wheels_are_called_as_pip_calls_their_projects() {
        for (file, name, version) in [
            (
                "onnxruntime-1.30.0-cp312-cp312-linux_x86_64.whl",
                "onnxruntime",
                "1.30.0",
            ),
            (
                "nvidia_cublas_cu12-12.9.1.4-py3-none-any.whl",
                "nvidia-cublas-cu12",
                "12.9.1.4",
            ),
            (
                "Some.Name-1.0+local-py3-none-any.whl",
                "some-name",
                "1.0+local",
            ),
        ] {
            assert_eq!(project(file.as_ref()), Some((name.into(), version.into())));
        }
        assert_eq!(project("wheel".as_ref()), None);
    }
}

//! Wheels for pip, built on the spot.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::CompressionMethod::Stored;
use zip::write::SimpleFileOptions;

use super::Onnxprof;

/// A folder of wheels, which pip takes for the only index that there is, and a cache of its own.
pub struct Wheels(tempfile::TempDir);

/// A wheel to be built.
pub struct Wheel<'a> {
    pub package: &'a str,
    pub version: &'a str,
    /// Tags of Python, ABI and platform.
    pub tags: String,
    /// Lines of `Requires-Dist`.
    pub requires: &'a [&'a str],
    /// Names in the wheel, and contents.
    pub files: &'a [(&'a str, &'a [u8])],
}

impl Wheels {
    pub fn new() -> Self {
        Wheels(tempfile::tempdir().unwrap())
    }

    /// Adds a wheel of ONNX Runtime with `files` in it.
    pub fn runtime(
        &self,
        package: &str,
        version: &str,
        requires: &[&str],
        files: &[(&str, &[u8])],
    ) {
        let tags = format!("cp312-cp312-manylinux_2_28_{}", std::env::consts::ARCH);
        self.add(&Wheel {
            package,
            version,
            tags,
            requires,
            files,
        });
    }

    pub fn add(&self, wheel: &Wheel) {
        let Wheel {
            package,
            version,
            tags,
            ..
        } = wheel;
        let name = format!("{}-{version}", package.replace('-', "_"));
        let mut zip = zip::ZipWriter::new(
            File::create(self.0.path().join(format!("{name}-{tags}.whl"))).unwrap(),
        );
        let mut metadata = format!("Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n");
        for requirement in wheel.requires {
            metadata.push_str(&format!("Requires-Dist: {requirement}\n"));
        }
        for extra in ["cuda", "cudnn"] {
            metadata.push_str(&format!("Provides-Extra: {extra}\n"));
        }
        let tags = format!("Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tags}\n");
        let own = [
            (format!("{name}.dist-info/METADATA"), metadata),
            (format!("{name}.dist-info/WHEEL"), tags),
            (format!("{name}.dist-info/RECORD"), String::new()),
            (
                format!("{name}.dist-info/LICENSE.txt"),
                "as you like".into(),
            ),
        ];
        let own = own
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_bytes()));
        for (name, content) in own.chain(wheel.files.iter().copied()) {
            // A real library is among them; packing it would take longer than all the rest.
            zip.start_file(
                name,
                SimpleFileOptions::default().compression_method(Stored),
            )
            .unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
    }

    /// The cache of its own.
    pub fn cache(&self) -> PathBuf {
        self.0.path().join("cache")
    }

    /// The folder of a release in that cache.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.cache().join("runtimes").join(name)
    }

    /// Names of what is in the cache's folder of libraries.
    pub fn names(&self) -> Vec<String> {
        names(&self.cache().join("runtimes"))
    }

    /// The folder of the wheels.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program in their folder, without a word, for which these wheels are all that there is.
    pub fn bare(&self) -> Command {
        let mut command = super::command();
        command
            .current_dir(self.0.path())
            .env_remove("LD_LIBRARY_PATH");
        command
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.0.path())
            .env("ONNXPROF_CACHE", self.cache());
        command
    }

    /// `onnxprof runtime` with some more words, for which these wheels are all that there is.
    pub fn command(&self, words: &[&str]) -> Onnxprof {
        Onnxprof::new()
            .arg("runtime")
            .args(words)
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.0.path())
            .env("ONNXPROF_CACHE", self.cache())
            .env_remove("LD_LIBRARY_PATH")
    }
}

/// Names of what is in a folder, in order.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

//! Facts about an installed library: `manifest.json` beside it.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use super::Build;
use crate::files::{self, Kind};
use crate::hash;
use crate::units::{Bytes, Nanos};

const MANIFEST: &str = "manifest.json";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    // Fields with a default are lacking in manifests of earlier versions.
    #[serde(default)]
    pub build: Build,
    pub version: String,
    pub library: String,
    pub library_sha256: String,
    pub wheel: String,
    pub wheel_sha256: String,
    pub verified_against: Verification,
    /// Wheels of libraries that the library needs, unpacked beside it.
    #[serde(default)]
    pub companions: Vec<CompanionWheel>,
    /// Every file that was installed; empty in manifests that know of the library alone.
    #[serde(default)]
    pub files: Vec<ManifestFile>,
    /// Size of all files together, each content once; absent where `files` is empty.
    #[serde(default)]
    pub size_bytes: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CompanionWheel {
    pub name: String,
    pub sha256: String,
    #[serde(default)]
    pub verified_against: Option<Verification>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    /// Path below the manifest's folder.
    pub name: String,
    pub sha256: String,
    pub size_bytes: Bytes,
    /// When it was written, since 1970; absent where the filesystem does not tell.
    pub modified_ns: Option<Nanos>,
}

/// The source that a downloaded wheel's hash was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verification {
    /// The hash that this program carries for that version.
    Pinned,
    Index,
    /// Nothing: neither this program nor the package index, such as a folder of wheels, states one.
    Nothing,
}

pub(super) fn write(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let mut file = File::create(folder.join(MANIFEST))?;
    serde_json::to_writer_pretty(&mut file, manifest)?;
    file.sync_all()
}

pub(super) fn read(folder: &Path) -> Result<Manifest, String> {
    let text = files::bytes(&folder.join(MANIFEST), Kind::KEPT)
        .map_err(|error| format!("its {MANIFEST} is unreadable: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("its {MANIFEST} is malformed: {error}"))
}

/// The manifest of a folder, if every file is what it says; else why not.
pub(super) fn check(folder: &Path) -> Result<Manifest, String> {
    let manifest = read(folder)?;
    let library = &manifest.library;
    check_hash(&folder.join(library), library, &manifest.library_sha256)?;
    manifest
        .files
        .iter()
        .filter(|file| file.name != *library)
        .try_for_each(|file| check_file(folder, file))?;
    Ok(manifest)
}

/// Compares a file with its entry. The hash is only taken where the file was written since it was
/// installed: the CUDA libraries are gigabytes, and every command looks them up.
fn check_file(folder: &Path, file: &ManifestFile) -> Result<(), String> {
    let (name, path) = (&file.name, folder.join(&file.name));
    let metadata = path
        .metadata()
        .map_err(|error| format!("`{name}` is unreadable: {error}"))?;
    if metadata.len() != file.size_bytes.0 {
        return Err(format!(
            "the size of `{name}` is not the one in its {MANIFEST}"
        ));
    }
    if file.modified_ns.is_some() && modified(&metadata) == file.modified_ns {
        return Ok(());
    }
    check_hash(&path, name, &file.sha256)
}

fn check_hash(path: &Path, name: &str, expected: &str) -> Result<(), String> {
    let found = hash::of_file(path).map_err(|error| format!("`{name}` is unreadable: {error}"))?;
    if found != expected {
        return Err(format!(
            "the SHA-256 of `{name}` is not the one in its {MANIFEST}"
        ));
    }
    Ok(())
}

/// When a file was written, since 1970.
pub(super) fn modified(metadata: &Metadata) -> Option<Nanos> {
    Some(
        metadata
            .modified()
            .ok()?
            .duration_since(UNIX_EPOCH)
            .ok()?
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIBRARY: &str = "libonnxruntime.so.1.24.1";
    const PLUGIN: &str = "libplugin.so";

    fn entry(folder: &Path, name: &str) -> ManifestFile {
        let path = folder.join(name);
        let metadata = path.metadata().unwrap();
        ManifestFile {
            name: name.into(),
            sha256: hash::of_file(&path).unwrap(),
            size_bytes: Bytes(metadata.len()),
            modified_ns: modified(&metadata),
        }
    }

    fn installed() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [(LIBRARY, "library"), (PLUGIN, "plugin")] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let files = vec![entry(folder.path(), LIBRARY), entry(folder.path(), PLUGIN)];
        let manifest = Manifest {
            build: Build::OpenVino,
            version: "1.24.1".into(),
            library: LIBRARY.into(),
            library_sha256: files[0].sha256.clone(),
            wheel: "w.whl".into(),
            wheel_sha256: String::new(),
            verified_against: Verification::Index,
            companions: Vec::new(),
            files,
            size_bytes: Some(Bytes(13)),
        };
        write(folder.path(), &manifest).unwrap();
        folder
    }

    /// Gives the plugin another date than the manifest has.
    fn redate(folder: &Path) {
        let file = File::options().write(true).open(folder.join(PLUGIN));
        let date = UNIX_EPOCH + Duration::from_secs(1);
        file.unwrap().set_modified(date).unwrap();
    }

    #[test]
    fn a_folder_as_it_was_installed_is_intact_also_with_other_dates() {
        let folder = installed();
        let checked = check(folder.path()).unwrap();
        assert_eq!(
            (checked.library.as_str(), checked.size_bytes),
            (LIBRARY, Some(Bytes(13)))
        );
        redate(folder.path());
        assert_eq!(check(folder.path()), Ok(checked));
    }

    #[test]
    fn a_companion_that_is_gone_or_changed_breaks_the_library() {
        let folder = installed();
        let plugin = folder.path().join(PLUGIN);
        let why = || check(folder.path()).unwrap_err();
        std::fs::write(&plugin, "longer plugin").unwrap();
        assert!(why().contains("size of `libplugin.so`"));
        std::fs::write(&plugin, "plugim").unwrap();
        redate(folder.path());
        assert!(why().contains("SHA-256 of `libplugin.so`"));
        std::fs::remove_file(&plugin).unwrap();
        assert!(why().contains("`libplugin.so` is unreadable"));
    }

    #[test]
    fn a_manifest_that_knows_of_the_library_alone_still_counts() {
        let folder = installed();
        std::fs::write(folder.path().join(MANIFEST), format!(
            r#"{{"version": "1.24.1", "library": "{LIBRARY}", "library_sha256": "{}", "wheel": "w.whl",
                 "wheel_sha256": "", "verified_against": "pinned"}}"#,
            hash::of_file(&folder.path().join(LIBRARY)).unwrap()
        )).unwrap();
        assert_eq!(check(folder.path()).unwrap().size_bytes, None);
        assert_eq!(read(folder.path()).unwrap().build, Build::Cpu);
    }
}

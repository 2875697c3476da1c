//! Where the system's loader finds what a library needs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::elf;
use crate::foreign::Program;

/// Environment variable with the folders in which the loader looks first.
pub const LOADER_VARIABLE: &str = "LD_LIBRARY_PATH";

/// The CUDA execution provider, which stands beside the library of the GPU build.
pub(super) const CUDA_PROVIDER: &str = "libonnxruntime_providers_cuda.so";

/// Folder beside the library in which the CUDA libraries of the cache are.
pub(super) const CUDA_FOLDER: &str = "cuda";

/// How the names of the CUDA toolkit's and cuDNN's libraries begin. The driver's `libcuda` is none
/// of them.
const CUDA_LIBRARIES: [&str; 9] = [
    "libcublas",
    "libcudart",
    "libcudnn",
    "libcufft",
    "libcurand",
    "libcusolver",
    "libcusparse",
    "libnvJitLink",
    "libnvrtc",
];

/// Without it the others are of no use.
const CUDA_RUNTIME: &str = "libcudart.so";

const PROVIDER: &str = "libonnxruntime_providers_";

/// Is in every build.
const SHARED_PROVIDER: &str = "libonnxruntime_providers_shared.so";

const DEFAULT_FOLDERS: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Program that knows the loader's cache, and where it is; that is not on every user's `PATH`.
const LDCONFIG: (&str, [&str; 2]) = ("ldconfig", ["/sbin/ldconfig", "/usr/sbin/ldconfig"]);

/// Time within which it answers: it reads one file.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub name: String,
    pub path: Option<PathBuf>,
}

/// Folders that the loader has to know for the execution providers of the ONNX Runtime at
/// `library`: its own, where it has providers beside it, and those of the CUDA libraries, in the
/// cache or as Python's packages lay them out. Empty for a library that stands alone.
fn library_folders(library: &Path) -> Vec<PathBuf> {
    let Some(own) = library.parent() else {
        return Vec::new();
    };
    if !holds(own, |name| {
        name.starts_with(PROVIDER) && name != SHARED_PROVIDER
    }) {
        return Vec::new();
    }
    let mut folders = vec![own.to_owned(), own.join(CUDA_FOLDER)];
    if own.join(CUDA_PROVIDER).exists() {
        folders.extend(folders_of_packages(own));
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

/// Folders beside that of a package: `onnxruntime/capi` and `nvidia/cudnn/lib` stand in the same
/// folder of packages.
fn folders_of_packages(own: &Path) -> Vec<PathBuf> {
    let packages = own.parent().and_then(Path::parent);
    let mut folders: Vec<PathBuf> = packages
        .map(|packages| packages.join("nvidia").read_dir())
        .into_iter()
        .flatten()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("lib"))
        .collect();
    folders.sort_unstable();
    folders
}

fn holds(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> bool {
    folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_str().is_some_and(&is_wanted))
}

/// The value of [`LOADER_VARIABLE`] for a process that opens the ONNX Runtime at `library`: its
/// folders before those that this process has. `None` where it needs none.
#[must_use]
pub fn loader_path(library: &Path) -> Option<OsString> {
    let folders = library_folders(library);
    if folders.is_empty() {
        return None;
    }
    // A folder with a colon in its name cannot be told to the loader.
    std::env::join_paths(folders.into_iter().chain(folders_of_environment())).ok()
}

/// The folders of this process's own [`LOADER_VARIABLE`]. An empty one would be the working folder,
/// which nobody means.
fn folders_of_environment() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os(LOADER_VARIABLE).unwrap_or_default())
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect()
}

fn folders_of_system() -> impl Iterator<Item = PathBuf> {
    folders_of_environment()
        .into_iter()
        .chain(DEFAULT_FOLDERS.map(PathBuf::from))
}

/// File names of the CUDA libraries that the ONNX Runtime at `library` needs for its CUDA execution
/// provider, and that are neither beside it nor in the system. Empty for a library without that
/// provider, and for one whose provider cannot be read.
#[must_use]
pub fn missing_libraries(library: &Path) -> Vec<String> {
    let needed = library.parent().map(cuda_libraries);
    needed
        .and_then(Result::ok)
        .map_or_else(Vec::new, |needed| missing(&needed))
}

/// File names of those that are nowhere.
pub(super) fn missing(needed: &[Needed]) -> Vec<String> {
    needed
        .iter()
        .filter(|library| library.path.is_none())
        .map(|library| library.name.clone())
        .collect()
}

/// Whether the system has a CUDA runtime, of whatever version.
pub(super) fn has_cuda() -> bool {
    let is_runtime = |name: &str| name.starts_with(CUDA_RUNTIME);
    folders_of_system().any(|folder| holds(&folder, is_runtime))
        || loader_cache().iter().any(|(name, _)| is_runtime(name))
}

pub(super) fn cuda_libraries(folder: &Path) -> io::Result<Vec<Needed>> {
    let provider = folder.join(CUDA_PROVIDER);
    let mut names = elf::needed(&provider)?;
    names.retain(|name| CUDA_LIBRARIES.iter().any(|prefix| name.starts_with(prefix)));
    let mut folders = library_folders(&provider);
    folders.extend(folders_of_system());
    let mut needed: Vec<Needed> = names
        .into_iter()
        .map(|name| Needed {
            path: in_one_of(&folders, &name),
            name,
        })
        .collect();
    if needed.iter().any(|library| library.path.is_none()) {
        let known = loader_cache();
        for library in needed.iter_mut().filter(|library| library.path.is_none()) {
            let known = known.iter().find(|(name, _)| *name == library.name);
            library.path = known.map(|(_, path)| path.clone());
        }
    }
    Ok(needed)
}

fn in_one_of(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}

/// File names and paths of the libraries in the loader's cache; empty where `ldconfig` cannot be
/// asked.
fn loader_cache() -> Vec<(String, PathBuf)> {
    let (name, places) = LDCONFIG;
    Program::find(name)
        .into_iter()
        .chain(
            places
                .iter()
                .filter_map(|place| Program::at(place.as_ref())),
        )
        .find_map(ask_loader)
        .unwrap_or_default()
}

fn ask_loader(program: Program) -> Option<Vec<(String, PathBuf)>> {
    let output = program.with(["-p"]).output(Some(PATIENCE)).ok()?;
    output
        .status
        .success()
        .then(|| parse_loader_cache(&output.stdout))
}

/// Reads lines such as `libm.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libm.so.6`, for this
/// processor.
fn parse_loader_cache(output: &[u8]) -> Vec<(String, PathBuf)> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(cached)
        .collect()
}

/// Name and path of a library of the loader's cache, if it is for this processor.
fn cached(line: &str) -> Option<(String, PathBuf)> {
    let (description, path) = line.split_once(" => ")?;
    let (name, kind) = description.trim().split_once(' ')?;
    kind.contains(processor())
        .then(|| (name.into(), path.trim().into()))
}

/// This processor, as the loader's cache calls it.
fn processor() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x86-64",
        "aarch64" => "AArch64",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn a_library_that_stands_alone_needs_no_folder() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("libonnxruntime.so.1.31.1");
        touch(&library);
        touch(&home.path().join(SHARED_PROVIDER));
        assert_eq!(library_folders(&library), Vec::<PathBuf>::new());
        assert_eq!(loader_path(&library), None);
        assert_eq!(missing_libraries(&library), Vec::<String>::new());
    }

    #[test]
    fn a_library_with_providers_needs_its_folder_and_those_of_cuda() {
        let home = tempfile::tempdir().unwrap();
        let capi = home.path().join("onnxruntime/capi");
        let library = capi.join("libonnxruntime.so.1.31.1");
        touch(&library);
        touch(&capi.join("libonnxruntime_providers_openvino.so"));
        assert_eq!(library_folders(&library), std::slice::from_ref(&capi));
        touch(&capi.join(CUDA_PROVIDER));
        touch(&capi.join("cuda/libcudart.so.12"));
        let nvidia = home.path().join("nvidia");
        touch(&nvidia.join("cudnn/lib/lib.so"));
        touch(&nvidia.join("cublas/lib/lib.so"));
        assert_eq!(
            library_folders(&library),
            [
                capi.clone(),
                capi.join("cuda"),
                nvidia.join("cublas/lib"),
                nvidia.join("cudnn/lib")
            ]
        );
        let value = loader_path(&library).unwrap().into_string().unwrap();
        assert!(
            value.starts_with(capi.to_str().unwrap()) && !value.ends_with(':'),
            "{value}"
        );
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_loaders_cache_is_read_for_this_processor() {
        let text = "2 libs found in cache `/etc/ld.so.cache'\n\
                    \tlibcudart.so.12 (libc6,x86-64) => /usr/local/cuda/lib64/libcudart.so.12\n\
                    \tlibcudnn.so.9 (libc6) => /usr/lib32/libcudnn.so.9\n";
        let path = "/usr/local/cuda/lib64/libcudart.so.12";
        assert_eq!(
            parse_loader_cache(text.as_bytes()),
            [("libcudart.so.12".to_owned(), path.into())]
        );
    }
}

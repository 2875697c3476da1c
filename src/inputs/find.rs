//! Data that lies where people put it, so that it need not be named.

use std::path::{Path, PathBuf};

/// The data that belongs to `path`: for a folder the only `.npz` file in it, or the folder itself if it holds
/// `test_data_set_0`; for a model file its own folder, if that holds `test_data_set_0` beside it.
#[must_use]
pub fn find_data(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let mut archives = entries.filter(|path| path.extension().is_some_and(|extension| extension == "npz"));
        return match (archives.next(), archives.next()) {
            (Some(only), None) => Some(only),
            (None, _) => with_test_data(path),
            (Some(_), Some(_)) => None,
        };
    }
    let folder = match path.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    with_test_data(folder)
}

fn with_test_data(folder: &Path) -> Option<PathBuf> {
    folder.join("test_data_set_0").is_dir().then(|| folder.to_owned())
}

//! Paths of a plan as they are named in a folder.

use std::path::{Component, Path, PathBuf};

use super::super::{Plan, RuntimeChoice};

impl Plan {
    /// The same plan with the paths that are shorter as seen from `folder`, so that its command is
    /// short there.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        let inputs = &mut self.inputs;
        self.variants
            .iter_mut()
            .map(|variant| &mut variant.path)
            .chain(&mut self.named.models)
            .chain(&mut inputs.data)
            .chain(&mut inputs.labels)
            .for_each(|path| shorten(path, folder));
        for spec in &mut self.sessions {
            spec.options
                .custom_ops
                .iter_mut()
                .chain(&mut spec.provider.library)
                .for_each(|path| shorten(path, folder));
            if !self.named.releases.contains_key(spec.runtime.path()) {
                spec.runtime = spec.runtime.seen_from(folder);
            }
        }
        self
    }
}

impl RuntimeChoice {
    /// The same library or script (or server) by the path that is shorter as seen from `folder`.
    #[must_use]
    pub fn seen_from(&self, folder: &Path) -> Self {
        let mut choice = self.clone();
        match &mut choice {
            RuntimeChoice::Script(path) => shorten(path, folder),
            RuntimeChoice::Library(path) => {
                shorten(path, folder);
                // A name without a folder could be taken for a version.
                if path.components().count() == 1 {
                    *path = Path::new(".").join(&*path);
                }
            }
            RuntimeChoice::Server(_) => {}
        }
        choice
    }
}

fn shorten(path: &mut PathBuf, folder: &Path) {
    if let Some(seen) = relative(path, folder)
        && seen.as_os_str().len() < path.as_os_str().len()
    {
        *path = seen;
    }
}

/// An absolute path as seen from a folder; `None` where one of them is relative, or leads up.
fn relative(path: &Path, folder: &Path) -> Option<PathBuf> {
    if [path, folder]
        .into_iter()
        .any(|path| !path.is_absolute() || leads_up(path))
    {
        return None;
    }
    let common = path
        .components()
        .zip(folder.components())
        .take_while(|(part, other)| part == other)
        .count();
    let up = folder
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    let down = path.components().skip(common);
    let seen: PathBuf = up.chain(down).collect();
    Some(if seen.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        seen
    })
}

fn leads_up(path: &Path) -> bool {
    path.components().any(|part| part == Component::ParentDir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_from_the_folder_where_that_is_shorter() {
        for (path, seen) in [
            ("/srv/project/models/a.onnx", "models/a.onnx"),
            ("/srv/models/a.onnx", "../models/a.onnx"),
            ("/srv/project", "."),
            ("/opt/a.so", "/opt/a.so"),
            ("models/a.onnx", "models/a.onnx"),
            ("/srv/project/../x", "/srv/project/../x"),
        ] {
            let mut path = PathBuf::from(path);
            shorten(&mut path, Path::new("/srv/project"));
            assert_eq!(path, Path::new(seen));
        }
        let mut path = PathBuf::from("/srv/a.onnx");
        shorten(&mut path, Path::new(""));
        assert_eq!(path, Path::new("/srv/a.onnx"));
    }

    #[test]
    fn a_library_beside_is_no_version() {
        let library = RuntimeChoice::Library("/srv/project/1.31.1".into());
        assert_eq!(
            library.seen_from(Path::new("/srv/project")).word(),
            "./1.31.1"
        );
    }
}

//! Files that a search names, and that its user has named again.

use std::path::{Path, PathBuf};

use crate::cli::plan::Libraries;
use crate::cli::plan::values::ProviderOption;
use crate::cli::{CliError, Result};
use crate::plan::ProviderSpec;
use crate::provider;

/// Libraries that the user has named again with an option.
pub(super) struct Named {
    option: &'static str,
    /// Name of each on the command line, its path without links, and whether the search has it.
    files: Vec<(String, PathBuf, bool)>,
}

impl Named {
    pub fn files(paths: &[PathBuf]) -> Self {
        Named {
            option: "--custom-ops",
            files: paths
                .iter()
                .filter_map(|path| path.canonicalize().ok())
                .map(|path| (String::new(), path, false))
                .collect(),
        }
    }

    pub fn libraries(libraries: Libraries) -> Self {
        Named {
            option: "--ep-library",
            files: libraries
                .into_iter()
                .map(|(name, path)| (name, path, false))
                .collect(),
        }
    }

    /// The user's path of a library that a record names.
    pub fn again(&mut self, library: &Path, name: &str, what: &str) -> Result<PathBuf> {
        let wanted = library.canonicalize().ok();
        let found = self
            .files
            .iter_mut()
            .find(|(known, path, _)| known == name && Some(path) == wanted.as_ref());
        if let Some((_, path, is_used)) = found {
            *is_used = true;
            return Ok(path.clone());
        }
        let (option, word) = (self.option, worded(name, library));
        Err(CliError::bad_input(
            format!("the search {what} `{}`", library.display()),
            format!(
                "opening a library runs it: if you trust this one, name it again with `{option} {word}`"
            ),
        ))
    }

    pub fn all_used(&self) -> Result<()> {
        for (name, path, is_used) in &self.files {
            if !is_used {
                let option = self.option;
                return Err(not_of_search(&format!("{option} {}", worded(name, path))));
            }
        }
        Ok(())
    }
}

fn worded(name: &str, path: &Path) -> String {
    let path = path.display();
    if name.is_empty() {
        path.to_string()
    } else {
        format!("{name}={path}")
    }
}

/// Options of execution providers that the user has named again, and whether the search has each.
pub(super) struct Options<'a>(Vec<(&'a ProviderOption, bool)>);

impl<'a> Options<'a> {
    pub fn new(named: &'a [ProviderOption]) -> Self {
        Options(named.iter().map(|option| (option, false)).collect())
    }

    /// Whether an option was named again, which is used then.
    fn is_named(&mut self, provider: &str, key: &str, value: &str) -> bool {
        let mut again = false;
        for (option, is_used) in &mut self.0 {
            let is_it = option.key == key && option.value == value && is_for(option, provider);
            *is_used |= is_it;
            again |= is_it;
        }
        again
    }

    /// Makes sure that options which may name files, libraries among them, were named again.
    pub fn check(&mut self, provider: &str, spec: &ProviderSpec) -> Result<()> {
        for (key, value) in &spec.options {
            let (key, value) = (key.exact(), value.exact());
            if !self.is_named(provider, key, value) && may_name_a_file(key, value) {
                return Err(CliError::bad_input(
                    format!(
                        "the search sets the option `{key}={value}` of `{provider}`, which may name a file"
                    ),
                    format!(
                        "if you trust it, name it again with `--ep-option {provider}:{key}={value}`"
                    ),
                ));
            }
        }
        Ok(())
    }

    pub fn all_used(&self) -> Result<()> {
        for (ProviderOption { key, value, .. }, is_used) in &self.0 {
            if !is_used {
                return Err(not_of_search(&format!("--ep-option {key}={value}")));
            }
        }
        Ok(())
    }
}

fn is_for(option: &ProviderOption, provider: &str) -> bool {
    let word = option.provider.as_deref();
    word.is_none_or(|word| word == provider || provider::identifier(word) == provider)
}

/// Whether it may make a file be opened: by its key, or as its value is neither a number nor a
/// plain word.
fn may_name_a_file(key: &str, value: &str) -> bool {
    const KEYS: [&str; 8] = [
        "path", "dir", "file", "folder", "lib", "cache", "config", "plugin",
    ];
    let key = key.to_lowercase();
    KEYS.iter().any(|part| key.contains(part))
        || !value
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "_-:,".contains(letter))
            && value.parse::<f64>().is_err()
}

pub(super) fn not_of_search(word: &str) -> CliError {
    CliError::usage(
        format!("the search has no use for `{word}`"),
        "name what it began with, or begin a new search",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit;

    #[test]
    fn options_that_may_name_files_are_told_from_sizes_and_switches() {
        for (options, may) in [
            (
                "trt_extra_plugin_lib_paths=x backend_path=libQnnHtp load_config=c cache_dir=c anything=/tmp/x \
                 anything=evil.so anything=..\\x",
                true,
            ),
            (
                "enable_cuda_graph=1 device_type=HETERO:GPU,CPU gpu_mem_limit=2147483648 trt_ratio=0.5 \
                 arena_extend_strategy=kSameAsRequested",
                false,
            ),
        ] {
            for option in options.split(' ') {
                let (key, value) = option.split_once('=').unwrap();
                assert_eq!(may_name_a_file(key, value), may, "{option}");
            }
        }
    }

    #[test]
    fn library_that_is_named_again_is_called_what_the_user_calls_it() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("ops.so");
        std::fs::write(&real, "").unwrap();
        let link = folder.path().join("link.so");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let mut named = Named::files(std::slice::from_ref(&real));
        assert_eq!(named.all_used().unwrap_err().code, exit::USAGE);
        assert_eq!(named.again(&link, "", "registers").unwrap(), real);
        assert!(named.all_used().is_ok());
        let error = named
            .again("/evil/ops.so".as_ref(), "", "registers")
            .unwrap_err();
        assert!(error.hint.unwrap().ends_with("`--custom-ops /evil/ops.so`"));
        let mut libraries = Named::libraries([("My_EP".to_owned(), real.clone())].into());
        assert!(libraries.again(&real, "Other", "runs on").is_err());
        assert_eq!(libraries.again(&real, "My_EP", "runs on").unwrap(), real);
    }
}

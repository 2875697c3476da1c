//! The environment of a program that is not ours: the user's own, less what makes it run other
//! code.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::temporary_folder;

/// How the names of variables begin that make Python, the loader or a shell run other code: module
/// folders and start-up files, libraries to load first, functions.
const REFUSED: [&str; 4] = ["PYTHON", "LD_", "DYLD_", "BASH_FUNC_"];

/// Variables that do the same, by their whole names.
const REFUSED_NAMES: [&str; 4] = ["BASH_ENV", "ENV", "GCONV_PATH", "PERL5OPT"];

/// Where programs are where `PATH` names no folder.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The user's own settings of pip and of certificates that may name files, relative to the folder
/// in which this process stands.
const NAMES_FILES: [&str; 11] = [
    "PIP_CONFIG_FILE",
    "PIP_FIND_LINKS",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONSTRAINT",
    "PIP_LOG",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

pub(super) fn absolute_folders(value: &OsStr) -> impl Iterator<Item = PathBuf> {
    std::env::split_paths(value).filter(|folder| folder.is_absolute())
}

/// Takes out of a command's environment what would make it run other code, and makes the files
/// absolute that the user's own settings name.
pub(super) fn clear(command: &mut Command) {
    for (name, value) in std::env::vars_os() {
        if is_refused(&name) {
            command.env_remove(&name);
        } else if NAMES_FILES.iter().any(|known| name == *known) {
            command.env(&name, absolute(&value, Path::exists));
        }
    }
    command.env("PATH", path(std::env::var_os("PATH").as_deref()));
}

/// Has a command's temporary files lie where the user has them, also where that is named relative
/// to the folder in which this process stands.
pub(super) fn keep_temporary(command: &mut Command) {
    if std::env::var_os("TMPDIR").is_some_and(|folder| Path::new(&folder).is_relative()) {
        command.env("TMPDIR", temporary_folder());
    }
}

fn is_refused(name: &OsStr) -> bool {
    REFUSED
        .iter()
        .any(|start| name.as_bytes().starts_with(start.as_bytes()))
        || REFUSED_NAMES.iter().any(|whole| name == *whole)
}

/// The absolute folders of a `PATH`. An empty one would be searched as the folder in which a
/// program is started.
fn path(value: Option<&OsStr>) -> OsString {
    match std::env::join_paths(value.into_iter().flat_map(absolute_folders)) {
        Ok(path) if !path.is_empty() => path,
        _ => USUAL_PATH.into(),
    }
}

/// A setting of one or several files, as pip separates them, the relative ones that are there made
/// absolute.
fn absolute(value: &OsStr, is_there: fn(&Path) -> bool) -> OsString {
    if is_there(Path::new(value)) {
        return made_absolute(value, is_there);
    }
    let words: Vec<OsString> = value
        .as_bytes()
        .split(u8::is_ascii_whitespace)
        .map(|word| made_absolute(OsStr::from_bytes(word), is_there))
        .collect();
    words.join(OsStr::new(" "))
}

fn made_absolute(word: &OsStr, is_there: fn(&Path) -> bool) -> OsString {
    let path = Path::new(word);
    let is_relative = !word.is_empty() && path.is_relative() && is_there(path);
    match std::path::absolute(path) {
        Ok(absolute) if is_relative => absolute.into_os_string(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_python_a_shell_or_the_loader_run_other_code_is_refused_and_settings_stay() {
        let refused = "PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONINSPECT LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT BASH_ENV ENV \
                       BASH_FUNC_cd%% GCONV_PATH";
        let kept = "PIP_INDEX_URL PIP_CERT PIP_FIND_LINKS HTTPS_PROXY http_proxy SSL_CERT_FILE HOME DISPLAY VIRTUAL_ENV \
                    PYENV_ROOT XDG_CACHE_HOME BROWSER";
        for (names, expected) in [(refused, true), (kept, false)] {
            for name in names.split(' ') {
                assert_eq!(is_refused(OsStr::new(name)), expected, "{name}");
            }
        }
    }

    #[test]
    fn path_keeps_its_absolute_folders_and_is_never_empty() {
        for (given, kept) in [
            (Some("/usr/bin::.:bin:/bin:"), "/usr/bin:/bin"),
            (Some(""), USUAL_PATH),
            (Some(".:bin"), USUAL_PATH),
            (None, USUAL_PATH),
        ] {
            assert_eq!(path(given.map(OsStr::new)), kept, "{given:?}");
        }
    }

    #[test]
    fn files_of_the_users_settings_are_named_absolutely() {
        let wheels = std::path::absolute("wheels").unwrap();
        let several = format!("https://a/simple {} /w other", wheels.display());
        let spaced = std::path::absolute("my wheels").unwrap();
        for (given, expected) in [
            ("wheels", wheels.as_os_str()),
            ("my wheels", spaced.as_os_str()),
            ("https://a/simple wheels /w other", OsStr::new(&several)),
            ("1", OsStr::new("1")),
        ] {
            let made = absolute(OsStr::new(given), |path| {
                ["wheels", "my wheels"].contains(&path.to_str().unwrap())
            });
            assert_eq!(made, expected);
        }
    }
}

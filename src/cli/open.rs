//! Opens a report with the program that the desktop has for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::say;
use crate::foreign::Program;
use crate::runtime::Cache;

/// How long a launcher may take to say that it does not work: one that starts a browser may run for
/// as long as that.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn open(path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !open::commands(&path).into_iter().any(works) {
        let path = path.display();
        say::aside(&format!(
            "warning: failed to open `{path}`: no program for it could be started; open it in a browser"
        ));
    }
}

fn works(launcher: Command) -> bool {
    let named = Path::new(launcher.get_program());
    let program = if named.is_absolute() {
        Program::at(named)
    } else {
        named.to_str().and_then(Program::find)
    };
    program.is_some_and(|program| {
        program
            .with(launcher.get_args())
            .leave(&folder(), PATIENCE)
            .is_ok_and(|status| status.is_none_or(|status| status.success()))
    })
}

/// Where a launcher is started, and with it the browser that outlives this process: nothing is
/// there that could take part, and it stays. Where the cache cannot have such a folder it is the
/// root, where nothing lies by chance either.
fn folder() -> PathBuf {
    Cache::locate()
        .ok()
        .and_then(|cache| cache.empty().ok())
        .unwrap_or_else(|| PathBuf::from("/"))
}

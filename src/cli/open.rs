//! Opens a report with the program that the desktop has for it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::report::view::text::plain;

/// How long a launcher may take to say that it does not work: one that starts a browser may run for as long as that.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens a file. Where that does not work a warning says where the file is: it is written, which is what counts.
pub(super) fn open(path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !open::commands(&path).into_iter().any(works) {
        let shown = plain(&path.display().to_string());
        eprintln!("warning: failed to open `{shown}`: no program for it could be started; open it in a browser");
    }
}

/// Whether a launcher ended well, or still runs after a while.
fn works(mut launcher: Command) -> bool {
    let quiet = launcher.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = quiet.spawn() else { return false };
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Err(_) => return false,
        }
    }
    true
}

//! Programs that are neither ours nor the user's own command: Python, pip, `ldconfig`, the opener
//! of pages.
//!
//! All of them are started here and nowhere else, so that nothing that happens to lie around takes
//! part: found by an absolute path on absolute entries of `PATH` alone, started in an empty folder
//! of our own (which stays if they live on, as the opener of pages does), and without what makes
//! Python, a shell or the loader run other code. What is waited for ends with this process, its
//! children included, however this process ends. Read [`Program`] first.

mod environment;
mod folder;
mod group;

pub use folder::{temporary_folder, tidy};
pub use group::ends_with_us;

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use folder::Folder;
use group::{Group, TICK};

/// More of what a program says is not taken in.
const MOST_BYTES: u64 = 64 << 20;
/// How long the rest of what it said is waited for when it has ended: the pipes are closed by then.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    path: PathBuf,
    words: Vec<OsString>,
}

impl Program {
    /// The program `name` in the first folder of `PATH` that has it; folders that are relative to
    /// wherever this process stands, or empty, are passed over.
    #[must_use]
    pub fn find(name: &str) -> Option<Program> {
        Self::find_in(&std::env::var_os("PATH")?, name)
    }

    fn find_in(folders: &OsStr, name: &str) -> Option<Program> {
        environment::absolute_folders(folders).find_map(|folder| Self::at(&folder.join(name)))
    }

    /// The program at an absolute path, if there is one that can be started.
    #[must_use]
    pub fn at(path: &Path) -> Option<Program> {
        let is_there = path.is_absolute()
            && path.metadata().is_ok_and(|metadata| {
                metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
            });
        is_there.then(|| Program {
            path: path.to_owned(),
            words: Vec::new(),
        })
    }

    /// The same with more words.
    #[must_use]
    pub fn with<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Program {
        let mut program = self.clone();
        let more = words.into_iter().map(|word| word.as_ref().to_owned());
        program.words.extend(more);
        program
    }

    /// Runs it to its end, or for as long as `limit`, and gives what it said. Whatever it has
    /// started ends with it.
    ///
    /// # Errors
    /// It cannot be started, or [`io::ErrorKind::TimedOut`].
    pub fn output(&self, limit: Option<Duration>) -> io::Result<Output> {
        let folder = Folder::new()?;
        let mut command = self.command(&folder.empty());
        // What it leaves in its folder for temporary files goes with ours.
        command
            .env("TMPDIR", folder.temporary())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        ends_with_us(&mut command);
        let mut group = Group::start(&mut command)?;
        let stdout = group.child.stdout.take().map(gather);
        let stderr = group.child.stderr.take().map(gather);
        let status = group.wait(limit)?;

        Ok(Output {
            status,
            stdout: said(stdout),
            stderr: said(stderr),
        })
    }

    /// Starts it in `folder`, which is to be empty and to stay, and lets it live on with what it
    /// starts: their temporary files lie where the user has them, as a folder of ours would be gone
    /// before they are. Gives how it ended if it did within `patience`, and else `None`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn leave(&self, folder: &Path, patience: Duration) -> io::Result<Option<ExitStatus>> {
        let mut command = self.command(folder);
        environment::keep_temporary(&mut command);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let start = Instant::now();
        while start.elapsed() < patience {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(TICK);
        }
        Ok(None)
    }

    /// The command in a folder, with nothing to read.
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.path);
        command
            .args(&self.words)
            .current_dir(folder)
            .env("PWD", folder)
            .stdin(Stdio::null());
        environment::clear(&mut command);
        command
    }
}

fn said(stream: Option<Receiver<Vec<u8>>>) -> Vec<u8> {
    stream
        .and_then(|stream| stream.recv_timeout(LAST_WORDS).ok())
        .unwrap_or_default()
}

/// Reads a stream to its end, beside whatever else is done.
fn gather(stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was said before a stream broke is what there is.
        let _ = stream.take(MOST_BYTES).read_to_end(&mut bytes);
        sender.send(bytes)
    });
    receiver
}

#[cfg(test)]
mod tests;

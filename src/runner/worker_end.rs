//! How a worker ended, in words: by its exit status, its last words, and what the kernel killed.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use nix::sys::signal::Signal;

use crate::memory;
use crate::record::{Failure, FailureKind};
use crate::text::Plain;

const MEMORY_HINT: &str = "try smaller batch sizes with `--batch`, or give the process more memory";

const KILL_HINT: &str = "if nobody killed it, the system was out of memory: try smaller batch sizes, or give the process more memory";

/// Ends a process that reads a map whose file has become shorter: workers alone map weights and
/// libraries.
const SIGBUS: i32 = Signal::SIGBUS as i32;

const MAP_LOST: &str =
    "was ended by SIGBUS: most likely a file that it had mapped changed while it was read";

const MAP_HINT: &str = "run again while nothing writes to the model, its weights and the libraries; if nothing did, check their disk";

pub(super) struct Log {
    file: File,
    /// Where the part of this worker begins.
    start: u64,
}

impl Log {
    /// The log of a worker that is to be started.
    pub(super) fn new(file: File) -> Log {
        let start = file.metadata().map_or(0, |metadata| metadata.len());
        Log { file, start }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The last line that the worker wrote, printable; `None` if it wrote nothing.
    pub(super) fn last_words(&self) -> Option<String> {
        const MOST: usize = 2048;
        let end = self.file.metadata().ok()?.len();
        let mut tail = vec![0; MOST];
        let length = self
            .file
            .read_at(&mut tail, self.start.max(end.saturating_sub(MOST as u64)))
            .ok()?;
        let last = tail[..length]
            .split(|&byte| byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .rfind(|line| !line.is_empty())?;
        Some(excerpt(last))
    }
}

#[derive(Debug, Default)]
pub(super) struct End {
    /// Its exit status; `None` if it lived on without answering, until it was killed.
    pub status: Option<ExitStatus>,
    pub oom_killed: bool,
    pub last_words: Option<String>,
}

impl End {
    pub(super) fn describe(&self, doing: &str) -> Failure {
        let (kind, hint) = self.kind();
        let words = self.last_words.as_ref();
        let last = words.map(|words| format!("; its last words: {words}"));
        let last = last.unwrap_or_default();
        let message = match self.signal() {
            Some(SIGBUS) if !self.oom_killed => {
                format!("the process that was to {doing} {MAP_LOST}{last}")
            }
            _ => format!("the process {} while it was to {doing}{last}", self.how()),
        };
        Failure {
            hint: hint.map(Plain::from),
            ..Failure::of(kind, message)
        }
    }

    fn signal(&self) -> Option<i32> {
        self.status.and_then(|status| status.signal())
    }

    /// How the worker ended, as a part of a sentence.
    fn how(&self) -> String {
        match (self.signal(), self.status.and_then(|status| status.code())) {
            (Some(_), _) if self.oom_killed => {
                "was killed by the kernel, which was out of memory,".into()
            }
            (Some(number), _) => format!("was ended by {}", signal_name(number)),
            (None, Some(code)) => format!("ended with exit code {code}"),
            (None, None) => "closed its output, and was killed,".into(),
        }
    }

    fn kind(&self) -> (FailureKind, Option<&'static str>) {
        let signal = self.signal();
        let is_short = self.last_words.as_deref().is_some_and(memory::is_short);
        match signal {
            _ if is_short || self.oom_killed && signal.is_some() => {
                (FailureKind::OutOfMemory, Some(MEMORY_HINT))
            }
            Some(9) => (FailureKind::Crashed, Some(KILL_HINT)),
            Some(SIGBUS) => (FailureKind::Crashed, Some(MAP_HINT)),
            _ => (FailureKind::Crashed, None),
        }
    }
}

fn signal_name(number: i32) -> &'static str {
    Signal::try_from(number).map_or("a signal", Signal::as_str)
}

/// The beginning of a line, printable.
pub(super) fn excerpt(line: &[u8]) -> String {
    const MOST: usize = 200;
    let text = String::from_utf8_lossy(&line[..line.len().min(MOST)]);
    let mut printable = String::new();
    for letter in text.trim_end().chars() {
        if letter.is_control() {
            printable.extend(letter.escape_debug());
        } else {
            printable.push(letter);
        }
    }
    printable
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn ended(status: i32) -> End {
        End {
            status: Some(ExitStatus::from_raw(status)),
            ..End::default()
        }
    }

    #[test]
    fn an_end_is_told_by_its_signal_by_what_the_kernel_killed_and_by_last_words() {
        let killed = |status| End {
            oom_killed: true,
            ..ended(status)
        };
        let failed = End {
            last_words: Some("memory allocation of 1024 bytes failed".into()),
            ..ended(6)
        };
        let by_kernel = "the process was killed by the kernel, which was out of memory, while it was to load the model";
        let aborted = "the process was ended by SIGABRT while it was to load the model; its last words: memory allocation \
                       of 1024 bytes failed";
        let lost = "the process that was to load the model was ended by SIGBUS: most likely a file that it had mapped \
                    changed while it was read";
        let crashed = FailureKind::Crashed;
        let no_memory = FailureKind::OutOfMemory;
        for (end, kind, hint, message) in [
            (
                ended(11),
                crashed,
                None,
                "the process was ended by SIGSEGV while it was to load the model",
            ),
            (ended(SIGBUS), crashed, Some(MAP_HINT), lost),
            (killed(SIGBUS), no_memory, Some(MEMORY_HINT), by_kernel),
            (killed(9), no_memory, Some(MEMORY_HINT), by_kernel),
            (failed, no_memory, Some(MEMORY_HINT), aborted),
        ] {
            let expected = Failure {
                kind,
                message: message.into(),
                hint: hint.map(Plain::from),
            };
            assert_eq!(end.describe("load the model"), expected, "{end:?}");
        }
    }

    #[test]
    fn last_words_are_those_of_this_worker() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"of an earlier one\n").unwrap();
        let log = Log {
            start: file.metadata().unwrap().len(),
            file: file.try_clone().unwrap(),
        };
        assert_eq!(log.last_words(), None);
        file.write_all(b"warning\nthread panicked: \x1b no\n\n")
            .unwrap();
        assert_eq!(log.last_words().unwrap(), "thread panicked: \\u{1b} no");
    }

    #[test]
    fn an_excerpt_is_short_and_printable() {
        assert_eq!(excerpt(b"\x1b[31mred\n"), "\\u{1b}[31mred");
        assert!(excerpt(&[b'a'; 4096]).len() <= 200);
    }
}

//! ONNX Runtime's log lines: they go to stderr, which is the worker's log, and are counted.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ort::logging::LogLevel;

use super::LogCounts;
use super::message::words;

static WARNINGS: AtomicU64 = AtomicU64::new(0);
static ERRORS: AtomicU64 = AtomicU64::new(0);
static LAST_ERROR: Mutex<Option<String>> = Mutex::new(None);

pub(super) fn write(level: LogLevel, category: &str, _id: &str, location: &str, message: &str) {
    let letter = match level {
        LogLevel::Verbose | LogLevel::Info => return,
        LogLevel::Warning => {
            WARNINGS.fetch_add(1, Ordering::Relaxed);
            'W'
        }
        LogLevel::Error | LogLevel::Fatal => {
            ERRORS.fetch_add(1, Ordering::Relaxed);
            *LAST_ERROR.lock().unwrap_or_else(PoisonError::into_inner) = Some(words(message));
            'E'
        }
    };
    // A log that cannot be written, because the disk is full for one, must not end the worker.
    let _ = writeln!(
        std::io::stderr(),
        "[{letter}:{category}] {} ({location})",
        message.trim_end()
    );
}

pub(super) fn counts() -> LogCounts {
    LogCounts {
        warnings: WARNINGS.load(Ordering::Relaxed),
        errors: ERRORS.load(Ordering::Relaxed),
    }
}

pub(super) fn take_last_error() -> Option<String> {
    LAST_ERROR
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

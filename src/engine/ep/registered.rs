//! What registering an execution provider comes to.

use ort::session::builder::SessionBuilder;

use crate::engine::log;
use crate::engine::message::words;
use crate::provider::Options;

pub(in crate::engine) struct Registered {
    pub builder: SessionBuilder,
    /// Execution providers in order of preference; the first is the one that was asked for, by its own name.
    pub names: Vec<String>,
    /// Options of the first.
    pub options: Options,
}

/// An execution provider's own words. Some only log them, and leave the error to say that something failed.
pub(super) fn refusal(error: &ort::Error) -> String {
    let message = words(error.message());
    match log::take_last_error() {
        Some(logged) if !message.contains(&logged) => format!("{message}: {logged}"),
        _ => message,
    }
}

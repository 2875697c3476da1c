//! How something that was asked for ended, and what went wrong.

use std::error::Error;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::Plain;

/// How something that was asked for ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Outcome {
    /// It was done.
    #[default]
    Ok,
    /// It was tried and did not work.
    Failed(Failure),
    /// It was not tried.
    Skipped {
        /// Why not.
        reason: Plain,
    },
}

impl Outcome {
    /// It was not tried, for this reason.
    pub(crate) fn skipped(reason: impl Into<Plain>) -> Self {
        Outcome::Skipped {
            reason: reason.into(),
        }
    }

    /// Whether it was done.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Outcome::Ok)
    }

    /// Why it was not done; `None` if it was.
    #[must_use]
    pub fn reason(&self) -> Option<&Plain> {
        match self {
            Outcome::Ok => None,
            Outcome::Failed(failure) => Some(&failure.message),
            Outcome::Skipped { reason } => Some(reason),
        }
    }
}

/// A failure, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Kind of the failure.
    pub kind: FailureKind,
    /// The failed action, its object, and why.
    pub message: Plain,
    /// The remedy.
    pub hint: Option<Plain>,
}

impl Failure {
    /// A failure that nothing is known to be done about.
    pub(crate) fn of(kind: FailureKind, message: impl Into<Plain>) -> Self {
        Failure {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// The failure with its remedy.
    pub(crate) fn hinted(self, hint: impl Into<Plain>) -> Self {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// A failure from an error and its causes, in one line.
    #[must_use]
    pub fn new(kind: FailureKind, error: &dyn Error, hint: Option<String>) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Failure {
            hint: hint.map(Plain::from),
            ..Failure::of(kind, message)
        }
    }
}

impl FailureKind {
    /// Whether the worker is gone that failed so.
    #[must_use]
    pub fn is_loss(self) -> bool {
        use FailureKind::{Crashed, OutOfMemory, Protocol, TimedOut};
        matches!(self, Crashed | OutOfMemory | Protocol | TimedOut)
    }
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The model file is missing, unreadable or not a model.
    BadModel,
    /// Inputs do not fit the model.
    BadInput,
    /// Options name an input or a dimension that the model does not have, or say of it what cannot
    /// be; in records before version 1.4, [`FailureKind::BadInput`].
    Usage,
    /// The runtime library could not be opened or is too old.
    Runtime,
    /// The session could not be created.
    SessionLoad,
    /// An inference failed.
    Inference,
    /// The worker process was ended by a signal.
    Crashed,
    /// The worker process ran out of memory, or was killed as if it had.
    OutOfMemory,
    /// The worker did not answer in time.
    TimedOut,
    /// The worker said something that is not of the protocol.
    Protocol,
}

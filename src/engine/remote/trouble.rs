//! What goes wrong between a client and a server, in words.

use std::io;

use serde_json::Value;
use ureq::Timeout;

use super::patience::Patience;
use crate::engine::{EngineError, ServerStep};

/// Letters of what a server said that are repeated.
const MOST_WORDS: usize = 300;
/// How Python begins what it says of an error that nobody handled.
const TRACEBACK: &str = "Traceback (most recent call last):";

/// What went wrong, as a sentence without its subject, which is the server.
#[derive(Debug)]
pub(super) struct Trouble {
    message: String,
    hint: Option<&'static str>,
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Trouble {
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hinted(self, hint: &'static str) -> Self {
        Trouble {
            hint: Some(hint),
            ..self
        }
    }

    pub(super) fn at(self, step: ServerStep, url: &str) -> EngineError {
        EngineError::Server {
            step,
            url: url.to_owned(),
            message: self.message,
            hint: self.hint,
        }
    }

    /// Of an exchange that did not come to its end.
    pub(super) fn of(error: ureq::Error, patience: Patience) -> Self {
        match error {
            ureq::Error::Timeout(kind) => late(kind, patience),
            ureq::Error::Io(error) => broken(&error),
            ureq::Error::ConnectionFailed => Trouble::new("cannot be reached"),
            ureq::Error::Protocol(error) => Trouble::new(format!("does not speak HTTP: {error}"))
                .hinted(
                    "name the port of the server's HTTP interface with `--url`, not that of gRPC",
                ),
            other => Trouble::new(format!("cannot be asked: {other}")),
        }
    }

    /// Of an answer with a status that is none of success.
    pub(super) fn of_status(status: ureq::http::StatusCode, body: &[u8]) -> Self {
        let words = words(body);
        let said = match words.as_str() {
            "" => String::new(),
            words => format!(": {words}"),
        };
        let trouble = Trouble::new(format!("answered {status}{said}"));
        match status.as_u16() {
            404 => trouble
                .hinted("name a model that the server has loaded, by its own name, with `--url`"),
            401 | 403 => trouble.hinted("requests are sent without credentials"),
            _ => trouble,
        }
    }

    pub(super) fn of_redirect(status: ureq::http::StatusCode, to: &str) -> Self {
        Trouble::new(format!(
            "answered {status}: it sends requests on to `{to}`, which is not followed"
        ))
        .hinted("name that address with `--url` if it is where requests are to go")
    }
}

fn late(kind: Timeout, patience: Patience) -> Trouble {
    let limit = match kind {
        Timeout::Connect | Timeout::Resolve => patience.connect,
        Timeout::PerRead | Timeout::RecvResponse | Timeout::RecvBody => patience.read,
        _ => patience.whole,
    };
    let seconds = limit.as_secs_f64();
    match kind {
        Timeout::Connect | Timeout::Resolve => {
            Trouble::new(format!("takes no connection within {seconds} s"))
                .hinted("check that the server runs and that its address is right")
        }
        _ => Trouble::new(format!("did not answer within {seconds} s"))
            .hinted("check the server's log; it may be stuck, or still load the model"),
    }
}

fn broken(error: &io::Error) -> Trouble {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Trouble::new("refuses connections: nothing listens there")
                .hinted("start the server, or name the port that it listens on with `--url`")
        }
        io::ErrorKind::UnexpectedEof
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe => Trouble::new(format!(
            "closed the connection before its answer was whole ({error})"
        ))
        .hinted("check the server's log: it may have crashed, or not speak HTTP there"),
        _ => Trouble::new(format!("cannot be asked: {error}")),
    }
}

/// What a server says of an error: `{"error": ...}` as the protocol has it (Triton, MLServer,
/// KServe, OpenVINO Model Server), `{"detail": ...}` as FastAPI has it below some of them, or text.
pub(super) fn words(body: &[u8]) -> String {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => of_value(&value).unwrap_or_else(|| value.to_string()),
        Err(_) => of_text(&String::from_utf8_lossy(body)),
    };
    let one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= MOST_WORDS {
        return one_line;
    }
    one_line.chars().take(MOST_WORDS).chain(['…']).collect()
}

fn of_value(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) => {
            let all: Vec<String> = list.iter().filter_map(of_value).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
        Value::Object(fields) => ["error", "detail", "message", "msg", "reason"]
            .iter()
            .find_map(|name| of_value(fields.get(*name)?)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Text; of a page that without its marks, and of a traceback of Python the error that it ends with,
/// as MLServer gives it where a model fails.
fn of_text(text: &str) -> String {
    if text.starts_with(TRACEBACK) {
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        return last.unwrap_or_default().to_owned();
    }
    let mut inside = false;
    text.chars()
        .map(|letter| match letter {
            '<' => {
                inside = true;
                ' '
            }
            '>' if inside => {
                inside = false;
                ' '
            }
            _ if inside => ' ',
            letter => letter,
        })
        .collect()
}

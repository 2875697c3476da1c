//! Requests in, responses out, one JSON object per line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Stdin, Write};

use nix::unistd::{dup, dup2_stdout};

use crate::protocol::{Request, Response};
use crate::record::{Failure, FailureKind};

pub(super) struct Lines {
    requests: BufReader<Stdin>,
    responses: File,
    line: String,
}

impl Lines {
    /// Takes stdout for responses; whatever else in this process prints to stdout goes to stderr
    /// from now on.
    pub(super) fn take_over_stdio() -> io::Result<Self> {
        let responses = File::from(dup(io::stdout())?);
        dup2_stdout(io::stderr())?;
        Ok(Lines {
            requests: BufReader::new(io::stdin()),
            responses,
            line: String::new(),
        })
    }

    /// The next request; `None` when the parent has closed the pipe.
    pub(super) fn next(&mut self) -> io::Result<Option<Request>> {
        self.line.clear();
        Ok(match self.requests.read_line(&mut self.line)? {
            0 => None,
            _ => Some(serde_json::from_str(&self.line)?),
        })
    }

    pub(super) fn send(&mut self, response: &Response) -> io::Result<()> {
        let mut line = serde_json::to_vec(response)?;
        line.push(b'\n');
        self.responses.write_all(&line)
    }

    pub(super) fn answer(
        &mut self,
        answer: Result<Response, impl Into<Failure>>,
    ) -> io::Result<()> {
        self.send(&answer.unwrap_or_else(|error| Response::Failed(error.into())))
    }
}

pub(super) fn out_of_turn() -> Response {
    Response::Failed(Failure::of(
        FailureKind::Protocol,
        "the process was asked for something out of turn",
    ))
}

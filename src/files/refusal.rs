//! Why a file is not taken in; who reports it names the file.

use std::io;

use super::Kind;
use crate::units::Bytes;

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it has {}, and {} may have {} at most", Bytes(*size).in_words(), kind.name, kind.most.in_words())]
    TooLarge { size: u64, kind: Kind },
    #[error("it goes on after {}, and {} may not have more", kind.most.in_words(), kind.name)]
    Endless { kind: Kind },
    #[error("it is a pipe, and {} is read from a file only", kind.name)]
    Pipe { kind: Kind },
    #[error("it is a named pipe, which nobody may ever write to; give a file, or /dev/stdin")]
    NamedPipe,
    #[error("it is a socket, not a file")]
    Socket,
    #[error("it is a device, not a file")]
    Device,
    #[error("there is {what} where a file is to be written")]
    InTheWay { what: &'static str },
    #[error("the file changed while it was read")]
    Changed,
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal {
            Refusal::TooLarge { .. } | Refusal::Endless { .. } => io::ErrorKind::FileTooLarge,
            Refusal::Pipe { .. }
            | Refusal::NamedPipe
            | Refusal::Socket
            | Refusal::Device
            | Refusal::InTheWay { .. } => io::ErrorKind::InvalidInput,
            Refusal::Changed => io::ErrorKind::Other,
        };
        io::Error::new(kind, refusal)
    }
}

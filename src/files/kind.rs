//! Kinds of files that are taken in, how large they may be, and why one is refused.

use std::io;

use crate::units::Bytes;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// For people, with its article.
    pub name: &'static str,
    /// Size beyond which it is none.
    pub most: Bytes,
    /// Whether it may come through a pipe, such as `/dev/stdin`.
    pub may_be_pipe: bool,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

impl Kind {
    /// A model, of which weights are not read. Protobuf itself ends at 2 GiB, and what it says of
    /// longer ones is ONNX Runtime's to tell.
    pub(crate) const MODEL: Kind = Kind::file("a model", 64 * GIB);
    pub(crate) const ARRAYS: Kind = Kind::file("a file of arrays", 1024 * GIB);
    /// A tensor of the standard's test data: protobuf's own limit.
    pub(crate) const TENSOR: Kind = Kind::file("a tensor", 2 * GIB);
    /// Labels as text: those of ten million samples take less.
    pub(crate) const LABELS: Kind = Kind::file_or_pipe("a list of labels", 256 * MIB);
    /// A configuration beside a model: they have a few kilobytes, and vocabularies are none.
    pub(crate) const CONFIGURATION: Kind = Kind::file("a configuration", MIB);
    /// A run's record: one of 10,000 cells with 50 blocks each takes a quarter of this.
    pub(crate) const RECORD: Kind = Kind::file_or_pipe("a run's record", GIB);
    /// A journal, which holds what the record will hold, one event a line.
    pub(crate) const JOURNAL: Kind = Kind::file("a run's journal", 2 * GIB);
    pub(crate) const TRACE: Kind = Kind::file("a trace", 64 * GIB);
    /// Times of ten million requests take less.
    pub(crate) const ARRIVALS: Kind = Kind::file("a trace of arrivals", 512 * MIB);
    pub(crate) const RULES: Kind = Kind::file_or_pipe("a file of rules", 4 * MIB);
    pub(crate) const CONTEXT: Kind = Kind::file_or_pipe("a context", 4 * MIB);
    pub(crate) const SCRIPT: Kind = Kind::file("a script", 16 * MIB);
    /// A file that an earlier run left in the cache, or the description of an installed library.
    pub(crate) const KEPT: Kind = Kind::file("what is kept for later runs", 64 * MIB);
    pub(crate) const REVISION: Kind = Kind::file("the name of a revision", 4 * KIB);
    pub(crate) const LIBRARY: Kind = Kind::file("a library", 64 * GIB);

    const fn file(name: &'static str, most: u64) -> Kind {
        Kind {
            name,
            most: Bytes(most),
            may_be_pipe: false,
        }
    }

    const fn file_or_pipe(name: &'static str, most: u64) -> Kind {
        Kind {
            may_be_pipe: true,
            ..Kind::file(name, most)
        }
    }
}

/// Who reports it names the file.
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

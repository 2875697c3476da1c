//! Requests as the worker takes them, and the answer to those that make no sense.

use crate::inputs::InputPlan;
use crate::plan::LoadMode;
use crate::protocol::Response;
use crate::record::{Failure, FailureKind};
use crate::text::Plain;
use crate::units::Nanos;

pub(super) struct CellRequest<'a> {
    pub batch_size: u64,
    pub load_mode: LoadMode,
    pub inputs: &'a InputPlan,
    /// No further inference is begun that would end after this much time; absent: there is no limit.
    pub limit: Option<Nanos>,
    /// Time of one inference, where this process has run the model before.
    pub known: Option<Nanos>,
    /// Why outputs are to be bound anew before each inference; absent: they are bound once, if that does.
    pub outputs_anew: Option<Plain>,
}

impl CellRequest<'_> {
    /// The time of an inference, if it is known to be so long that none can be spared for what is not timed.
    pub(super) fn cannot_spare(&self) -> Option<Nanos> {
        let (limit, known) = (self.limit?, self.known?);
        (known + known > limit).then_some(known)
    }
}

pub(super) fn out_of_turn() -> Response {
    Response::Failed(Failure {
        kind: FailureKind::Protocol,
        message: "the worker was asked for something out of turn".into(),
        hint: None,
    })
}

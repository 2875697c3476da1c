//! What says when requests are due.

use crate::units::Nanos;

/// What says when requests are due. The same arrivals and offer give the same requests.
pub trait Arriving: Send {
    /// When the next request is due, since the start of the segment; `None` where none is known:
    /// there are no more, or the next follows from an answer.
    fn peek(&mut self) -> Option<Nanos>;

    /// Takes that request.
    fn pop(&mut self) -> Option<Nanos>;

    /// Whether requests follow from answers, so that each answer is to be told.
    fn follows_answers(&self) -> bool {
        false
    }

    /// A request was answered, or failed, at `end`.
    fn answered(&mut self, _end: Nanos) {}

    /// A request found the queue full at `time`.
    fn rejected(&mut self, _time: Nanos) {}

    /// Whether no more requests come, whatever is answered.
    fn is_over(&mut self) -> bool;
}

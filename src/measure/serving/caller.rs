//! What runs requests.

use std::fmt::Display;

use crate::traffic::Request;

/// What runs requests, on a thread of its own.
pub trait Caller: Send {
    /// The error of an inference.
    type Error: Display;

    /// Runs one inference of these requests and hands each its outputs; all of it is timed.
    fn run(&mut self, batch: &[Request]) -> Result<(), Self::Error>;

    /// Compares the outputs of these requests, which ran last, with what they are to be. In no
    /// response time of theirs, but the next request waits for it: asked so seldom that it takes 1%
    /// of the caller's time, beside the first few.
    fn check(&mut self, batch: &[Request]);

    /// Makes ready for the next inference, which waits for it.
    fn prepare(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

//! What values are filled from.

use std::ops::Deref;

use crate::report::template::beside::Beside;
use crate::report::words::Source;

/// Sources of values: the run, and what there is beside it.
#[derive(Clone, Copy)]
pub(in crate::report::template) struct Fill<'a> {
    pub(in crate::report::template) source: Source<'a>,
    pub(in crate::report::template) beside: &'a Beside,
}

impl<'a> Deref for Fill<'a> {
    type Target = Source<'a>;

    fn deref(&self) -> &Source<'a> {
        &self.source
    }
}

//! The run folder: the journal while measuring, `run.json` at the end, and reading both back.
//!
//! A run first claims its folder ([`RunFolder::create`]), then begins a [`Journal`] in it. Each
//! event that is appended is on its way to disk before `append` returns, so that a killed run loses
//! at most the event that it was writing. [`load()`] reads a folder whichever way the run ended.

mod error;
mod folder;
mod indices;
mod journal;
mod leftovers;
mod load;
mod merge;
mod write;

use error::Result;

pub use error::StoreError;
pub use folder::{RunFolder, default_folder, holds_run, modified, tidy};
pub use journal::Journal;
pub use leftovers::UNFINISHED_TRACE;
pub use load::{Ask, load, load_asking, size};
pub use write::{write_atomically, write_named};

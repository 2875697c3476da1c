//! Text from outside, shown without being obeyed.
//!
//! Nothing here knows where a text comes from or goes to. Read [`Plain`] first.

mod json;
mod plain;

pub(crate) use json::HarmlessJson;
pub use json::{harmless_json, is_acted_on};
pub use plain::{Plain, Shown, plain, plain_whole};

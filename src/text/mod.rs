//! Text from outside, shown without being obeyed; and words in a row.
//!
//! Nothing here knows where a text comes from or goes to. Read [`Plain`] first.

mod json;
mod plain;
mod row;

pub(crate) use json::HarmlessJson;
pub use json::{harmless_json, is_acted_on};
pub use plain::{Plain, Shown, plain, plain_whole};
pub(crate) use row::{distinct, joined};

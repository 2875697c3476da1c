//! Text from outside, shown without being obeyed.
//!
//! Nothing here knows where a text comes from or goes to. Read [`is_acted_on`] first.

mod json;

pub(crate) use json::HarmlessJson;
pub use json::{harmless_json, is_acted_on};

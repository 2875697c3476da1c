//! Renderers: what chapters say, as text for a terminal, Markdown, HTML, drawings, and formats of
//! services.

pub(super) mod doctor;
pub(super) mod html;
mod layout;
pub(super) mod markdown;
mod palette;
pub(super) mod services;
mod spark;
pub(super) mod style;
pub(super) mod svg;
pub(super) mod terminal;

//! A run as people read it.

pub use super::chapters::Report;
pub(super) use super::chapters::conditions::{conditions, verdict};
pub(super) use super::chapters::context::machine;
pub(super) use super::chapters::distribution::{Distributions, HIGHEST};
pub(super) use super::chapters::gpu::gpu_settings;
pub use super::chapters::operators::trace;
pub use super::chapters::prediction::{Trial, prediction};
pub use super::charts;
pub use super::pages::comparison::{ComparisonView, difference};
pub use super::pages::forecast::{Forecast, ForecastView};
pub(super) use super::pages::gate::CheckView;
pub use super::pages::gate::GateView;
pub(super) use super::pages::null_test::smallest_claims;
pub use super::words::item::{Item, Section};
pub use super::words::quantization::quantization;
pub use super::words::session_code::{Deployment, session_code};
pub use super::words::so_far::so_far;
pub(super) use super::words::table::RowKind;
pub use super::words::table::Table;
pub use super::words::{number, text};

//! A run as people read it.

pub use super::chapters::Report;
pub use super::chapters::advice::{AdviceView, PhaseView, PriorityView};
pub use super::chapters::bottlenecks::Entry;
pub use super::chapters::conditions::{conditions, verdict};
pub use super::chapters::context::machine;
pub use super::chapters::distribution::{Distribution, Distributions, HIGHEST};
pub use super::chapters::explain::step_label;
pub use super::chapters::gpu::gpu_settings;
pub use super::chapters::operators::trace;
pub use super::chapters::prediction::{Trial, prediction};
pub use super::charts;
pub use super::pages::comparison::{ComparisonView, difference};
pub use super::pages::forecast::{Forecast, ForecastView};
pub use super::pages::gate::{CheckView, GateView};
pub use super::pages::null_test::smallest_claims;
pub use super::template::Filled;
pub use super::words::item::Item;
pub use super::words::item::Section;
pub use super::words::quantization::quantization;
pub use super::words::session_code::{Deployment, SessionCode, session_code};
pub use super::words::table::{Row, RowKind, Table};
pub use super::words::{number, text};

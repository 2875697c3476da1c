//! How a session asks for its execution provider, and where its inputs and outputs lie.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provider::Options;

/// How the execution provider of a session is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderSpec {
    /// Index of the device, as the execution provider counts; absent: its default.
    pub device: Option<u64>,
    /// Options as asked for, by the execution provider's own keys.
    pub options: Options,
    /// Library that brings the execution provider; absent: ONNX Runtime's own has it.
    pub library: Option<PathBuf>,
    /// Whether a node that runs on another execution provider is an error.
    pub required: bool,
}

/// Where inputs and outputs of a timed inference lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Binding {
    /// In host memory: copies to the device and back are part of the latency.
    #[default]
    Host,
    /// In the device's memory, copied there beforehand: the latency is that of the computation alone.
    Device,
}

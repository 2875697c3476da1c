//! Shorter words of the command line for files of a plan.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RuntimeChoice;
use crate::text::Plain;

/// Words of the command line that stand for files of a plan and are shorter than their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Files and folders that the models were named by, where a folder is among them: its models
    /// are variants of this plan. Empty where each file was named.
    #[serde(default)]
    pub models: Vec<PathBuf>,
    /// Releases of ONNX Runtime in the cache of whoever measured, such as `cpu@1.31.1`, by the
    /// paths of their libraries.
    #[serde(default)]
    pub releases: BTreeMap<PathBuf, Plain>,
}

impl Named {
    pub(super) fn is_empty(&self) -> bool {
        self.models.is_empty() && self.releases.is_empty()
    }

    /// The shortest value for `--runtime` that leads to a library or script.
    #[must_use]
    pub fn runtime_word(&self, choice: &RuntimeChoice) -> String {
        match self.releases.get(choice.path()) {
            Some(release) => release.exact().to_owned(),
            None => choice.word(),
        }
    }
}

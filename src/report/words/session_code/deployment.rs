//! A session that is to be created in code, and its options as literals of any language.

use crate::plan::{GraphOptimization, SessionSpec};
use crate::provider::cpu::ARENA;
use crate::provider::{self, CPU_PROVIDER, Options};
use crate::record::EffectiveOptions;
use crate::report::words::plain;

/// Session configuration entries by which threads are told not to spin.
const SPINNING: [&str; 2] = [
    "session.intra_op.allow_spinning",
    "session.inter_op.allow_spinning",
];

/// A session that is to be created in code.
#[derive(Clone, Copy, Debug)]
pub struct Deployment<'a> {
    /// The session.
    pub spec: &'a SessionSpec,
    /// The model file.
    pub model: &'a str,
    /// Samples per inference.
    pub batch_size: u64,
    /// Version of ONNX Runtime that it was measured with; absent where that is not known.
    pub runtime_version: Option<&'a str>,
    /// Options that its workers read back; absent where none got that far.
    pub effective: Option<&'a EffectiveOptions>,
}

pub(super) type Pairs = Vec<(String, String)>;

impl Deployment<'_> {
    pub(super) fn model(&self) -> String {
        quoted(self.model)
    }

    /// Whether memory comes from an arena, where that was set.
    pub(super) fn arena(&self) -> Option<bool> {
        let of_provider = self
            .spec
            .provider
            .options
            .get(&ARENA.into())
            .filter(|_| !self.spec.is_accelerated());
        self.spec
            .options
            .memory_arena
            .or(of_provider.map(|value| value != "0"))
    }

    pub(super) fn custom_ops(&self) -> impl Iterator<Item = String> {
        self.spec
            .options
            .custom_ops
            .iter()
            .map(|library| quoted(&library.display().to_string()))
    }

    /// Configuration entries, those of spinning among them.
    pub(super) fn entries(&self) -> impl Iterator<Item = (String, String)> {
        let options = &self.spec.options;
        let spinning = options.allow_spinning.into_iter().flat_map(|spins| {
            SPINNING.map(|key| (quoted(key), quoted(if spins { "1" } else { "0" })))
        });
        spinning.chain(literals(&options.session_config))
    }

    /// Execution providers before the CPU's, each with its options: as they were registered, as far
    /// as that is known.
    pub(super) fn providers(&self) -> Vec<(String, Pairs)> {
        if !self.spec.is_accelerated() {
            return Vec::new();
        }
        let identifier = &self.spec.execution_provider;
        let options = match self.effective {
            Some(effective) => effective.provider_options.clone(),
            None => self.spec.provider_options(),
        };
        let of_others = literals(&provider::known(identifier.exact()).only_device(&options));
        let others = self
            .effective
            .into_iter()
            .flat_map(|effective| &effective.execution_providers)
            .filter(|name| *name != CPU_PROVIDER && *name != identifier);
        std::iter::once((identifier.exact().to_owned(), literals(&options)))
            .chain(others.map(|name| (name.exact().to_owned(), of_others.clone())))
            .collect()
    }
}

pub(super) fn literals(options: &Options) -> Pairs {
    options
        .iter()
        .map(|(key, value)| (quoted(key.exact()), quoted(value.exact())))
        .collect()
}

/// A literal that means the same in all three languages.
pub(super) fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        plain(text).replace('\\', "\\\\").replace('"', "\\\"")
    )
}

pub(super) fn c_level(level: GraphOptimization) -> &'static str {
    match level {
        GraphOptimization::Disable => "ORT_DISABLE_ALL",
        GraphOptimization::Basic => "ORT_ENABLE_BASIC",
        GraphOptimization::Extended => "ORT_ENABLE_EXTENDED",
        GraphOptimization::All => "ORT_ENABLE_ALL",
    }
}

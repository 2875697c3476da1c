//! An execution provider as it is planned.

use crate::plan::{Binding, ProviderSpec};
use crate::provider::{self, CPU_PROVIDER, Memory};
use crate::text::joined;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub identifier: String,
    pub spec: ProviderSpec,
    pub bindings: Vec<Binding>,
}

impl Provider {
    pub(super) fn is_cpu(&self) -> bool {
        self.identifier == CPU_PROVIDER
    }

    pub(super) fn has_memory(&self) -> bool {
        provider::known(&self.identifier).memory != Memory::Host
    }

    /// Whether it is known to compute in host memory.
    pub(super) fn is_on_host(&self) -> bool {
        let known = provider::known(&self.identifier);
        let is_known = known.build.is_some() && self.spec.library.is_none();
        is_known && self.spec.device.is_none() && known.memory == Memory::Host
    }
}

pub(super) fn names(providers: &[Provider]) -> String {
    joined(
        providers
            .iter()
            .map(|provider| provider::short_name(&provider.identifier)),
    )
}

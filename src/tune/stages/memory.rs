//! Memory that the processes of a heat are expected to take, and may.

use super::course::Course;
use crate::metric::Metric;
use crate::plan::CellKey;
use crate::tune::space::{self, Configuration};
use crate::units::Bytes;

/// Share of the memory that is available which all processes of a heat may take.
const MEMORY_SHARE: f64 = 0.7;
/// Memory that a process is expected to take before any of its variant was measured: so many times
/// the model, and this.
const MODEL_FACTOR: u64 = 3;
const PROCESS_MEMORY: Bytes = Bytes(150 << 20);

impl Course<'_> {
    /// Memory that all processes of a heat may take, in bytes.
    pub(super) fn memory_for_all(&self) -> f64 {
        self.record
            .host
            .usable_memory()
            .map_or(f64::INFINITY, Bytes::as_f64)
            * MEMORY_SHARE
    }

    /// Memory that a process is expected to take, in bytes.
    pub(super) fn memory(&self, configuration: &Configuration) -> f64 {
        self.measured_memory(configuration).unwrap_or_else(|| {
            let model = self.record.variants[configuration.spec.variant]
                .model
                .as_ref();
            Bytes(
                model
                    .map_or(0, |model| model.file_size_bytes.0)
                    .saturating_mul(MODEL_FACTOR)
                    .saturating_add(PROCESS_MEMORY.0),
            )
            .as_f64()
        })
    }

    /// The most of any session of the variant at batches as large, in bytes.
    fn measured_memory(&self, configuration: &Configuration) -> Option<f64> {
        let sessions = &self.record.plan.sessions;
        self.raced()
            .filter(|key| sessions[key.session].variant == configuration.spec.variant)
            .filter(|key| key.batch_size >= configuration.batch_size)
            .filter_map(|key| self.judge.value(key, Metric::PeakMemory))
            .reduce(f64::max)
            .filter(|most| *most > 0.0)
    }

    pub(super) fn memory_of(&self, key: CellKey) -> f64 {
        self.memory(&space::configuration(self.record, key))
    }
}

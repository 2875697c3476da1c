//! Effects of session options on a scripted variant.

use serde::Deserialize;

use crate::memory;
use crate::plan::{ExecutionMode, GraphOptimization, SessionOptions};
use crate::units::Bytes;

/// The effect of some values of session options: it applies to sessions that have all of the values
/// named.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionEffect {
    pub intra_threads: Option<u64>,
    pub graph_optimization: Option<GraphOptimization>,
    pub execution_mode: Option<ExecutionMode>,
    pub allow_spinning: Option<bool>,
    pub memory_arena: Option<bool>,
    pub memory_pattern: Option<bool>,
    /// Latency with these values / without.
    pub latency_ratio: Option<f64>,
    /// Memory that the session takes with these values, in bytes, and really takes.
    pub memory_bytes: Option<usize>,
}

impl OptionEffect {
    fn applies(&self, options: &SessionOptions) -> bool {
        self.intra_threads
            .is_none_or(|threads| threads == options.intra_threads)
            && self
                .graph_optimization
                .is_none_or(|level| level == options.graph_optimization)
            && self
                .execution_mode
                .is_none_or(|mode| mode == options.execution_mode)
            && keeps(self.allow_spinning, options.allow_spinning)
            && keeps(self.memory_arena, options.memory_arena)
            && keeps(self.memory_pattern, options.memory_pattern)
    }
}

fn keeps(wanted: Option<bool>, value: Option<bool>) -> bool {
    wanted.is_none() || wanted == value
}

pub(super) fn latency_ratio(effects: &[OptionEffect], options: &SessionOptions) -> f64 {
    effects
        .iter()
        .filter(|effect| effect.applies(options))
        .filter_map(|effect| effect.latency_ratio)
        .product()
}

pub(super) fn taken(effects: &[OptionEffect], options: &SessionOptions) -> Result<Vec<u8>, String> {
    let bytes = memory_bytes(effects, options);
    memory::ask(Bytes(bytes as u64), || "a scripted session".to_owned())
        .map_err(|reason| format!("out of memory: {reason}"))?;
    let mut taken = Vec::new();
    taken
        .try_reserve_exact(bytes)
        .map_err(|error| format!("out of memory: {error}"))?;
    // Written to, so that it is there.
    taken.resize(bytes, 1);
    Ok(taken)
}

fn memory_bytes(effects: &[OptionEffect], options: &SessionOptions) -> usize {
    effects
        .iter()
        .filter(|effect| effect.applies(options))
        .filter_map(|effect| effect.memory_bytes)
        .fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_of_all_values_that_a_session_has_are_combined() {
        let effects: Vec<OptionEffect> = serde_json::from_value(serde_json::json!([
            {"intra_threads": 2, "latency_ratio": 0.5},
            {"memory_arena": false, "latency_ratio": 1.2, "memory_bytes": 7},
            {"intra_threads": 2, "memory_arena": false, "memory_bytes": 5},
        ]))
        .unwrap();
        let plain = SessionOptions::default();
        let two = SessionOptions {
            intra_threads: 2,
            memory_arena: Some(false),
            ..plain.clone()
        };
        assert!(
            (latency_ratio(&effects, &plain) - 1.0).abs() < 1e-12
                && memory_bytes(&effects, &plain) == 0
        );
        assert!(
            (latency_ratio(&effects, &two) - 0.6).abs() < 1e-12
                && memory_bytes(&effects, &two) == 12
        );
    }

    #[test]
    fn memory_is_taken_where_there_is_so_much() {
        let taking = |bytes: &[u64]| {
            let effects = bytes
                .iter()
                .map(|&bytes| serde_json::json!({"memory_bytes": bytes}))
                .collect();
            let effects: Vec<OptionEffect> = serde_json::from_value(effects).unwrap();
            taken(&effects, &SessionOptions::default())
        };
        assert_eq!(taking(&[2, 1]).unwrap(), [1, 1, 1]);
        // More than a number of bytes can be.
        let refused = taking(&[1_u64 << 63, 1_u64 << 63]).unwrap_err();
        assert!(
            refused.starts_with("out of memory: a scripted session would take 18446744 TB"),
            "{refused}"
        );
    }
}

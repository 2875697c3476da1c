//! The configurations that a search may try, and in which order.

use crate::plan::{CellKey, Execution, LoadMode, SessionSpec, Space, TuningPlan};
use crate::record::{ModelSummary, RunRecord};

/// A configuration: a session and a batch size. The session need not be in the plan yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Configuration {
    pub(super) spec: SessionSpec,
    pub(super) batch_size: u64,
}

impl Configuration {
    /// Its cell, if its session is one of these, those of the plan first.
    pub(super) fn cell_among<'s>(
        &self,
        sessions: impl IntoIterator<Item = &'s SessionSpec>,
    ) -> Option<CellKey> {
        Some(CellKey {
            session: sessions.into_iter().position(|spec| *spec == self.spec)?,
            shape: 0,
            batch_size: self.batch_size,
            load_mode: LoadMode::SINGLE,
        })
    }
}

/// The default first, then large and small in turn, so that a good one is found early.
fn spread<T: Copy>(values: &[T]) -> Vec<T> {
    let Some((first, rest)) = values.split_first() else {
        return Vec::new();
    };
    let (below, above) = rest.split_at(rest.len() / 2);
    let mut order = vec![*first];
    let mut below = below.iter().rev();
    // There are as many above, or one more.
    for one in above {
        order.push(*one);
        order.extend(below.next());
    }
    order
}

pub(super) fn cell_of(record: &RunRecord, configuration: &Configuration) -> Option<CellKey> {
    configuration.cell_among(&record.plan.sessions)
}

pub(super) fn configuration(record: &RunRecord, key: CellKey) -> Configuration {
    Configuration {
        spec: record.plan.sessions[key.session].clone(),
        batch_size: key.batch_size,
    }
}

/// Every first session at every number of threads and batch size; what is likeliest to be good
/// first.
pub(super) fn grid(record: &RunRecord, plan: &TuningPlan) -> Vec<Configuration> {
    let mut all = Vec::new();
    for (threads_rank, &threads) in spread(&plan.space.intra_threads).iter().enumerate() {
        for (batch_rank, &batch_size) in spread(&plan.space.batch_sizes).iter().enumerate() {
            for base in record.plan.sessions.iter().take(plan.base_sessions_count) {
                let mut spec = base.clone();
                if !base.is_accelerated() {
                    spec.options.intra_threads = threads;
                } else if threads_rank > 0 {
                    // What runs on a device hardly knows of the host's threads.
                    continue;
                }
                all.push((
                    threads_rank + batch_rank,
                    Configuration { spec, batch_size },
                ));
            }
        }
    }
    all.sort_by_key(|(rank, _)| *rank);
    all.into_iter()
        .map(|(_, configuration)| configuration)
        .collect()
}

/// With one option changed: batch size and threads first, which matter most where there is no time
/// for all.
pub(super) fn neighbours(
    space: &Space,
    from: &Configuration,
    executions: &[Execution],
) -> Vec<Configuration> {
    let mut found = Neighbours {
        from,
        all: Vec::new(),
    };
    for batch_size in adjacent(&space.batch_sizes, from.batch_size) {
        found.add(|changed| changed.batch_size = batch_size);
    }
    if !from.spec.is_accelerated() {
        for threads in adjacent(&space.intra_threads, from.spec.options.intra_threads) {
            found.add(|changed| changed.spec.options.intra_threads = threads);
        }
    }
    for &spinning in &space.spinning {
        found.add(|changed| changed.spec.options.allow_spinning = spinning);
    }
    for &arena in &space.memory_arena {
        found.add(|changed| changed.spec.options.memory_arena = arena);
    }
    for &pattern in &space.memory_pattern {
        found.add(|changed| changed.spec.options.memory_pattern = pattern);
    }
    for &execution in executions {
        found.add(|changed| {
            changed.spec.options.execution_mode = execution.mode;
            changed.spec.options.inter_threads = execution.inter_threads;
        });
    }
    for &level in &space.graph_optimizations {
        found.add(|changed| changed.spec.options.graph_optimization = level);
    }
    found.all
}

struct Neighbours<'a> {
    from: &'a Configuration,
    all: Vec<Configuration>,
}

impl Neighbours<'_> {
    /// Each once, and nothing that changes nothing.
    fn add(&mut self, change: impl FnOnce(&mut Configuration)) {
        let mut changed = self.from.clone();
        change(&mut changed);
        if changed != *self.from && !self.all.contains(&changed) {
            self.all.push(changed);
        }
    }
}

/// Operators run side by side only on the CPU, and only where some of the graph need not wait for
/// each other.
pub(super) fn executions<'p>(
    record: &RunRecord,
    space: &'p Space,
    from: &SessionSpec,
) -> &'p [Execution] {
    let model = &record.variants[from.variant].model;
    if from.is_accelerated() || model.as_ref().is_some_and(ModelSummary::is_chain) {
        return &[];
    }
    &space.executions
}

/// The values just below and above.
fn adjacent(values: &[u64], value: u64) -> Vec<u64> {
    let below = values.iter().copied().filter(|&other| other < value).max();
    let above = values.iter().copied().filter(|&other| other > value).min();
    below.into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_comes_first_and_then_the_middle() {
        assert_eq!(spread(&[1, 2, 4, 8, 16, 32, 64]), [1, 16, 8, 32, 4, 64, 2]);
        assert_eq!(spread(&[1]), [1]);
        assert!(spread::<u64>(&[]).is_empty());
    }

    #[test]
    fn neighbours_are_the_values_beside() {
        assert_eq!(adjacent(&[2, 1, 4], 2), [1, 4]);
        assert!(adjacent(&[1], 1).is_empty());
    }
}

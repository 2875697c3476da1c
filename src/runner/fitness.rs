//! Judges the machine that a run was made on.

use crate::fitness::{self, Seen};
use crate::record::{Conditions, Event, GpuConditions, Host, RunRecord};
use crate::sample::{Roots, conditions};

#[derive(Debug)]
pub(super) struct Watch {
    workers: Vec<u64>,
    before: conditions::Counters,
}

impl Watch {
    /// Unpinned workers may be on any CPU that this process may use.
    pub(super) fn begin(roots: &Roots, worker_cpus: Option<&[u64]>, host: &Host) -> Watch {
        let workers = worker_cpus.unwrap_or(&host.affinity_cpus).to_vec();
        Watch { before: conditions::Counters::read(roots, &workers), workers }
    }

    pub(super) fn judge(&self, roots: &Roots, record: &RunRecord, gpus: Vec<GpuConditions>) -> Event {
        let seen = Conditions { gpus, ..conditions::since(roots, &self.before, &self.workers) };
        let fitness = fitness::judge(Seen { host: &record.host, conditions: &seen, blocks: &record.blocks });
        Event::Judged { conditions: Box::new(seen), fitness }
    }
}

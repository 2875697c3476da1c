//! The record by key: built once, so that no figure has to search it.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::observed::Observed;
use crate::plan::CellKey;
use crate::record::{
    AccuracyRecord, BlockRecord, CellRecord, LaunchCell, LaunchRecord, RunRecord, Scores,
};
use crate::stats::LaunchLatencies;

pub(in crate::analysis) struct Index<'a> {
    pub(in crate::analysis) record: &'a RunRecord,
    pub(in crate::analysis) baseline: Option<usize>,
    cells: HashMap<CellKey, &'a CellRecord>,
    blocks: HashMap<CellKey, Vec<&'a BlockRecord>>,
    launch_cells: HashMap<CellKey, Vec<(&'a LaunchRecord, &'a LaunchCell)>>,
    /// Of the baseline's cells, each of which many cells are compared with.
    latencies: HashMap<CellKey, OnceLock<Observed<Vec<LaunchLatencies>>>>,
    launches: Vec<Vec<&'a LaunchRecord>>,
    cpus: HashMap<u64, usize>,
    accuracy: HashMap<usize, &'a AccuracyRecord>,
}

impl<'a> Index<'a> {
    pub(in crate::analysis) fn new(record: &'a RunRecord) -> Self {
        let mut index = Index {
            record,
            baseline: record.plan.baseline_session(),
            cells: record.cells.iter().map(|cell| (cell.key, cell)).collect(),
            blocks: record.timed_blocks(),
            launch_cells: HashMap::new(),
            latencies: HashMap::new(),
            launches: vec![Vec::new(); record.plan.sessions.len()],
            cpus: HashMap::new(),
            accuracy: record
                .accuracy
                .iter()
                .map(|accuracy| (accuracy.session, accuracy))
                .collect(),
        };
        for launch in &record.launches {
            index.add_launch(launch);
        }
        index.latencies = index
            .blocks
            .keys()
            .filter(|key| Some(key.session) == index.baseline)
            .map(|&key| (key, OnceLock::new()))
            .collect();
        index
    }

    fn add_launch(&mut self, launch: &'a LaunchRecord) {
        if let Some(effective) = launch
            .effective
            .as_ref()
            .filter(|effective| !effective.cpus.is_empty())
        {
            self.cpus.insert(launch.launch, effective.cpus.len());
        }
        for cell in &launch.cells {
            self.launch_cells
                .entry(cell.workload().of(launch.session))
                .or_default()
                .push((launch, cell));
        }
        self.launches[launch.session].push(launch);
    }

    pub(in crate::analysis) fn is_on_gpu(&self, session: usize) -> bool {
        self.record.plan.sessions[session].nvidia_device().is_some()
    }

    pub(in crate::analysis) fn cell(&self, key: CellKey) -> Option<&'a CellRecord> {
        self.cells.get(&key).copied()
    }

    /// In the order in which they were measured.
    pub(in crate::analysis) fn blocks(&self, key: CellKey) -> &[&'a BlockRecord] {
        self.blocks.get(&key).map_or(&[], Vec::as_slice)
    }

    pub(in crate::analysis) fn launch_cells(
        &self,
        key: CellKey,
    ) -> &[(&'a LaunchRecord, &'a LaunchCell)] {
        self.launch_cells.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Latencies of each launch of a cell of the baseline, which are `decoded` once; `None` of other
    /// cells, and where there are no blocks.
    pub(super) fn baseline_latencies(
        &self,
        key: CellKey,
        decoded: impl FnOnce(&Self, CellKey) -> Observed<Vec<LaunchLatencies>>,
    ) -> Option<&Observed<Vec<LaunchLatencies>>> {
        let latencies = self.latencies.get(&key)?;
        Some(latencies.get_or_init(|| decoded(self, key)))
    }

    /// Whether the state of the machine bears a verdict on the times of two sessions: other work
    /// slows down unlike what uses the machine unlike.
    pub(super) fn bears_verdict(&self, session: usize, reference: usize) -> bool {
        let sessions = &self.record.plan.sessions;
        !self.record.was_disturbed() || sessions[session].uses_machine_alike(&sessions[reference])
    }

    pub(in crate::analysis) fn launches(&self, session: usize) -> &[&'a LaunchRecord] {
        &self.launches[session]
    }

    /// `None` where the worker did not say.
    pub(in crate::analysis) fn cpus(&self, launch: u64) -> Option<usize> {
        self.cpus.get(&launch).copied()
    }

    pub(in crate::analysis) fn accuracy(&self, session: usize) -> Option<&'a AccuracyRecord> {
        self.accuracy.get(&session).copied()
    }

    /// The first samples that every session was scored on; `None` without scores.
    pub(super) fn samples_in_common(&self) -> Option<usize> {
        let accuracy = self.record.accuracy.iter();
        accuracy
            .filter(|accuracy| accuracy.outcome.is_ok())
            .flat_map(|accuracy| &accuracy.scores)
            .map(Scores::samples_count)
            .min()
    }
}

//! Events that a run writes down as it goes on, and how the record is built from them.

use serde::{Deserialize, Serialize};

use super::{
    AccuracyRecord, BlockRecord, CellRecord, Conditions, Contrast, Coupling, Decision, Fitness,
    Heat, IdleGaps, LaunchCell, LaunchRecord, LoadSegment, LostWorker, MachinePeaks, Monitoring,
    OperatorProfile, Outcome, PlacementRecord, RunInfo, RunRecord, RuntimeInfo,
};
use crate::plan::{CellKey, SessionSpec};
use crate::text::Plain;
use crate::units::Nanos;

/// Why a cell is not measured that no launch has come to yet.
pub const NOT_REACHED: &str = "the run ended before it was reached";

/// One thing that finished. The journal holds one per line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event", content = "body")]
pub enum Event {
    /// The run began: the record with everything that is known before the first measurement.
    Began(Box<RunRecord>),
    /// A runtime was opened for the first time.
    Runtime(RuntimeInfo),
    /// A block was measured.
    Block {
        /// The block.
        block: Box<BlockRecord>,
        /// Its latencies, in the form of [`CellRecord::latency_histogram`].
        histogram: String,
    },
    /// A cell was warmed up in a launch.
    Warmup {
        /// Which cell.
        key: CellKey,
        /// Latencies of the warm-up, in the form of [`CellRecord::warmup_histogram`].
        histogram: String,
    },
    /// A cell ended in a launch.
    LaunchCell {
        /// Index of the launch.
        launch: u64,
        /// The measurement.
        cell: Box<LaunchCell>,
    },
    /// A launch ended, or changed.
    Launch(Box<LaunchRecord>),
    /// A worker was lost beside the launches that are recorded.
    Lost(LostWorker),
    /// A cell failed or was skipped.
    Cell {
        /// Which cell.
        key: CellKey,
        /// How it ended.
        outcome: Outcome,
    },
    /// The verdict on a cell was settled.
    Settled {
        /// Which cell.
        key: CellKey,
        /// Rounds behind the verdict.
        rounds: u64,
    },
    /// Outputs of a session were scored.
    Accuracy(Box<AccuracyRecord>),
    /// It was found out where the nodes of a session ran.
    Placement(Box<PlacementRecord>),
    /// A session was profiled.
    Operators(Box<OperatorProfile>),
    /// The machine's peaks were measured, or read where an earlier run left them.
    Peaks(Box<MachinePeaks>),
    /// A session was compared with itself under another option.
    Contrast(Contrast),
    /// A session was measured after idle gaps.
    IdleGaps(IdleGaps),
    /// It was found out whether samples of a batch change each other's outputs.
    Coupling {
        /// Index of the variant.
        variant: usize,
        /// The finding.
        coupling: Coupling,
    },
    /// Something worth saying that belongs to no cell.
    Note(Plain),
    /// GPUs and energy were looked at before the first launch, or for the last time.
    Monitored(Box<Monitoring>),
    /// The machine was judged.
    Judged {
        /// Its conditions.
        conditions: Box<Conditions>,
        /// The fitness of the run.
        fitness: Fitness,
    },
    /// A search came to cells, some of sessions that the plan had not.
    Admitted {
        /// The new sessions, which follow those that the plan has.
        sessions: Vec<SessionSpec>,
        /// The cells.
        cells: Vec<CellKey>,
    },
    /// A heat of a search began.
    Heat(Heat),
    /// A round of the open heat is done.
    HeatRound {
        /// Number of the round in the run.
        round: u64,
    },
    /// A search looked at its open heat, or at configurations before they were in any.
    Looked {
        /// The decision.
        decisions: Vec<Decision>,
        /// The best configuration, if the heat ended.
        champion: Option<CellKey>,
    },
    /// A search was taken up again.
    Resumed {
        /// Wall time that it had taken until then.
        elapsed_ns: Nanos,
    },
    /// A segment under load ended.
    LoadSegment(Box<LoadSegment>),
    /// Measuring ended.
    Ended(RunInfo),
}

impl RunRecord {
    /// Whether the run ended before it reached a cell.
    #[must_use]
    pub fn is_not_reached(&self, key: CellKey) -> bool {
        let reason = self.cell(key).and_then(|cell| cell.outcome.reason());
        reason.is_some_and(|reason| reason == NOT_REACHED)
    }

    /// Takes an event into the record. Latencies of blocks are not merged here:
    /// [`store`](crate::store) does that, since it decodes histograms.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Began(record) => *self = *record,
            Event::Runtime(runtime) => self.runtimes.push(runtime),
            Event::Block { block, .. } => self.blocks.push(*block),
            // Its latencies are all that a warm-up has, and they are merged elsewhere.
            Event::Warmup { .. } => {}
            Event::LaunchCell { launch, cell } => self.put_launch_cell(launch, *cell),
            Event::Lost(lost) => self.lost_workers.push(lost),
            Event::Launch(launch) => self.put_launch(*launch),
            Event::Cell { key, outcome } => self.put_cell_outcome(key, outcome),
            Event::Settled { key, rounds } => self.put_settled(key, rounds),
            Event::Accuracy(accuracy) => self.accuracy.push(*accuracy),
            Event::Placement(placement) => self.placements.push(*placement),
            Event::Operators(profile) => self.operators.push(*profile),
            Event::Peaks(peaks) => self.peaks.push(*peaks),
            Event::Contrast(contrast) => self.contrasts.push(contrast),
            Event::IdleGaps(gaps) => self.idle_gaps.push(gaps),
            Event::Coupling { variant, coupling } => {
                if let Some(known) = self.variants.get_mut(variant) {
                    known.coupling = Some(coupling);
                }
            }
            Event::Note(note) => self.notes.push(note),
            Event::Monitored(monitoring) => self.monitoring = Some(*monitoring),
            Event::Judged {
                conditions,
                fitness,
            } => {
                self.conditions = Some(*conditions);
                self.fitness = Some(fitness);
            }
            Event::Admitted { sessions, cells } => self.admit(sessions, cells),
            Event::Heat(heat) => self.tuning.get_or_insert_default().heats.push(heat),
            Event::HeatRound { round } => self.put_heat_round(round),
            Event::Looked {
                decisions,
                champion,
            } => self.put_look(decisions, champion),
            Event::Resumed { elapsed_ns } => {
                self.tuning
                    .get_or_insert_default()
                    .resumed_at_ns
                    .push(elapsed_ns);
                (self.run.ended_by, self.run.elapsed_ns) = (None, None);
            }
            Event::LoadSegment(segment) => {
                self.load.get_or_insert_default().segments.push(*segment);
            }
            Event::Ended(run) => self.run = run,
        }
    }

    fn admit(&mut self, sessions: Vec<SessionSpec>, cells: Vec<CellKey>) {
        self.plan.sessions.extend(sessions);
        for key in cells {
            let tuning = self.plan.tuning.as_mut();
            if tuning.is_some_and(|tuning| tuning.cells.insert(key)) {
                self.put_cell_outcome(key, Outcome::skipped(NOT_REACHED));
            }
        }
    }

    fn put_heat_round(&mut self, round: u64) {
        let tuning = self.tuning.as_mut();
        if let Some(heat) = tuning.and_then(|tuning| tuning.heats.last_mut()) {
            heat.rounds.push(round);
        }
    }

    fn put_look(&mut self, decisions: Vec<Decision>, champion: Option<CellKey>) {
        let tuning = self.tuning.get_or_insert_default();
        tuning.decisions.extend(decisions);
        if let Some(heat) = tuning
            .heats
            .last_mut()
            .filter(|heat| heat.champion.is_none())
        {
            heat.looks.push(heat.rounds.len() as u64);
            heat.champion = champion;
        }
    }

    fn put_launch(&mut self, launch: LaunchRecord) {
        match self.launch_mut(launch.launch) {
            Some(known) => *known = launch,
            None => self.launches.push(launch),
        }
    }

    fn launch_mut(&mut self, launch: u64) -> Option<&mut LaunchRecord> {
        self.launches
            .iter_mut()
            .find(|known| known.launch == launch)
    }

    fn cell_mut(&mut self, key: CellKey) -> Option<&mut CellRecord> {
        self.cells.iter_mut().find(|cell| cell.key == key)
    }

    fn put_launch_cell(&mut self, launch: u64, cell: LaunchCell) {
        let Some(known) = self.launch_mut(launch) else {
            return;
        };
        // The launch says so itself when it ends, which it does not where the run is interrupted.
        if !known.is_probed && known.cells.is_empty() {
            known.first_run_ns.get_or_insert(cell.first_run_ns);
        }
        known.cells.push(cell);
    }

    fn put_settled(&mut self, key: CellKey, rounds: u64) {
        if let Some(cell) = self.cell_mut(key) {
            cell.settled_after_rounds.get_or_insert(rounds);
        }
    }

    fn put_cell_outcome(&mut self, key: CellKey, outcome: Outcome) {
        match self.cell_mut(key) {
            Some(cell) => cell.outcome = outcome,
            None => self.cells.push(CellRecord::new(key, outcome)),
        }
    }
}

//! A round: one launch of every session, and at every batch size several alternations of one block each.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use super::block::{self, BlockPlace};
use super::energy::EnergyWatch;
use super::fit::Watch;
use super::launch::{self, Launch, LaunchSetup};
use super::order::{self, Draw};
use super::pace::{self, RoundCost};
use super::prepare::Description;
use super::{Extent, Observer, Progress, RunError, WorkerCommand, stop, sweep};
use crate::plan::{CellKey, LoadMode, PageCache, Plan, SweepEnd};
use crate::record::store::{Journal, StoreError};
use crate::record::{EndReason, Event, Failure, LaunchCell, Outcome};
use crate::sample::{Roots, Sampler, page_cache};
use crate::stats::Latencies;
use crate::units::Nanos;

/// How often a disturbed block is run again.
const MAX_REPEATS: u64 = 1;
/// Share of disturbed blocks above which none is run again: on a loaded machine the next try is disturbed as well, and
/// takes the time from the other blocks.
const MAX_DISTURBED_SHARE: f64 = 0.25;

/// A run under way.
pub(super) struct Run<'a> {
    pub plan: Plan,
    pub journal: Journal,
    pub descriptions: Vec<Description>,
    pub roots: Roots,
    pub worker_cpus: Option<Vec<u64>>,
    pub watch: Watch,
    pub energy: EnergyWatch,
    pub command: WorkerCommand,
    pub started: Instant,
    pub deadline: Option<Instant>,
    pub extent: Extent,
    pub next_launch: u64,
    /// Cells that are not measured (any more).
    pub closed: BTreeSet<CellKey>,
    /// Cells that are not measured until the next look.
    pub resting: BTreeSet<CellKey>,
    pub sampler: Sampler,
    /// Blocks so far, all of them and those that were disturbed.
    pub blocks_count: u64,
    pub disturbed_count: u64,
    pub sampling_costs: Vec<Nanos>,
    pub observer: &'a mut dyn Observer,
}

/// Where a round stands: its number, from 0, and its launches by session.
pub(super) struct Round {
    number: u64,
    alternations: u64,
    launches: Vec<Option<Launch>>,
    cost: RoundCost,
}

/// One session's part in a group of cells that take turns.
struct Turn {
    key: CellKey,
    cell: LaunchCell,
    /// Encoded latencies of the launch's blocks so far: decoded, they would take some hundred times the memory.
    histograms: Vec<String>,
}

impl Run<'_> {
    /// Measures until there is a reason to end.
    pub(super) async fn measure(&mut self) -> Result<EndReason, RunError> {
        self.close_unsupported()?;
        self.watch_energy().await?;
        let mut reserved = Duration::ZERO;
        if self.extent == Extent::Whole {
            reserved = self.profile_all().await?;
            self.score_all().await?;
        }
        let deadline = self.deadline;
        self.deadline = deadline.map(|deadline| deadline - reserved);
        let reason = self.rounds().await?;
        self.deadline = deadline;
        if self.extent == Extent::Whole {
            self.profile_rest().await?;
        }
        Ok(reason)
    }

    /// Rounds until there is a reason to end.
    async fn rounds(&mut self) -> Result<EndReason, RunError> {
        let schedule = self.plan.schedule.clone();
        let mut alternations = schedule.alternations_count.unwrap_or(1);
        for number in 0.. {
            if schedule.rounds_count.is_some_and(|rounds| number >= rounds) {
                return Ok(EndReason::RoundsDone);
            }
            if (0..self.plan.sessions.len()).all(|session| !self.has_open_cells(session)) {
                return Ok(EndReason::NothingLeft);
            }
            let cost = self.round(number, alternations).await?;
            self.journal.checkpoint()?;
            if stop::look_rounds(&self.plan).contains(&(number + 1)) && self.look(number + 1)? {
                return Ok(EndReason::TargetReached);
            }
            let remaining = self.remaining();
            if schedule.alternations_count.is_none() && schedule.rounds_count.is_none() {
                alternations = pace::alternations(remaining, number + 1, cost);
            }
            if self.is_late() || pace::too_late_for_another(remaining, cost, alternations) {
                return Ok(EndReason::BudgetSpent);
            }
        }
        Ok(EndReason::RoundsDone)
    }

    /// Looks at the figures after `rounds`: whether they are as sure as asked for, and which cells rest until the next
    /// look.
    fn look(&mut self, rounds: u64) -> Result<bool, RunError> {
        let standing = stop::standing(self.journal.record(), &self.closed);
        for &key in &standing.settled {
            let known = self.journal.record().cell(key).is_some_and(|cell| cell.settled_after_rounds.is_some());
            if !known {
                self.journal.append(Event::Settled { key, rounds })?;
            }
        }
        self.resting = standing.resting;
        Ok(standing.done)
    }

    async fn round(&mut self, number: u64, alternations: u64) -> Result<RoundCost, RunError> {
        let began = Instant::now();
        self.observer.observe(&Progress::Round {
            round: number + 1,
            elapsed: self.started.elapsed(),
            budget: self.plan.schedule.budget_ns.map(Duration::from),
        });
        let launches = self.plan.sessions.iter().map(|_| None).collect();
        let mut round = Round { number, alternations, launches, cost: RoundCost::default() };
        let mut steps = Vec::new();
        for batch_size in self.plan.batch_sizes.clone() {
            for load_mode in self.plan.load_modes.clone() {
                self.cells(&mut round, batch_size, load_mode).await?;
            }
            if number == 0 && self.plan.sweep_end == SweepEnd::Saturation {
                self.maybe_end_sweep(&round, &mut steps, batch_size)?;
            }
            if self.is_late() {
                break;
            }
        }
        for launch in round.launches.into_iter().flatten() {
            self.journal.append(Event::Launch(Box::new(launch.record)))?;
            launch.worker.end().await;
        }
        let in_blocks = round.cost.alternation;
        round.cost.alternation = in_blocks / u32::try_from(alternations).unwrap_or(u32::MAX).max(1);
        round.cost.fixed = began.elapsed().saturating_sub(in_blocks);
        Ok(round.cost)
    }

    /// All sessions take turns at one batch size.
    async fn cells(&mut self, round: &mut Round, batch_size: u64, load_mode: LoadMode) -> Result<(), RunError> {
        let key = |session| CellKey { session, shape: 0, batch_size, load_mode };
        let open: Vec<usize> = (0..self.plan.sessions.len()).filter(|&session| self.is_open(key(session))).collect();
        if open.is_empty() {
            return Ok(());
        }
        self.observer.observe(&Progress::Cells {
            round: round.number + 1,
            batch_size,
            load_mode,
            elapsed: self.started.elapsed(),
        });
        let draw = Draw { seed: self.plan.schedule.seed, round: round.number, batch_size };
        let mut turns = Vec::new();
        for session in order::turns(&open, draw, 0) {
            if self.launch_if_needed(round, session).await?
                && let Some(cell) = self.begin_cell(round, key(session)).await?
            {
                turns.push(Turn { key: key(session), cell, histograms: Vec::new() });
            }
        }
        let began = Instant::now();
        for alternation in 0..round.alternations {
            self.alternate(round, &mut turns, draw, alternation).await?;
            if self.is_late() {
                break;
            }
        }
        round.cost.alternation += began.elapsed();
        for turn in turns {
            self.end_cell(round, turn).await?;
        }
        Ok(())
    }

    /// Makes sure that a session has a living worker in this round; false if it cannot have one.
    async fn launch_if_needed(&mut self, round: &mut Round, session: usize) -> Result<bool, RunError> {
        let slot = &mut round.launches[session];
        if slot.as_ref().is_some_and(|launch| launch.worker.is_alive()) {
            return Ok(true);
        }
        if let Some(dead) = slot.take() {
            self.journal.append(Event::Launch(Box::new(dead.record)))?;
        }
        *slot = self.launch(session, round.number).await?;
        Ok(slot.is_some())
    }

    /// Launches a session; `None` if that failed, which is then written down.
    pub(super) async fn launch(&mut self, session: usize, round: u64) -> Result<Option<Launch>, RunError> {
        let record = launch::blank(self.next_launch, round, session, self.elapsed());
        self.next_launch += 1;
        let spec = &self.plan.sessions[session];
        let variant = &self.plan.variants[spec.variant];
        if self.plan.schedule.page_cache == PageCache::Cold {
            self.drop_from_page_cache(spec.variant);
        }
        let log = self.log_file(&variant.name, record.launch, round)?;
        let setup = LaunchSetup {
            command: &self.command,
            roots: &self.roots,
            model: &variant.path,
            spec,
            cpus: self.worker_cpus.as_deref(),
            energy: &self.energy,
        };
        let level = self.energy.level(session);
        match Launch::start(&setup, log, record).await {
            Ok(launch) => {
                self.energy.worked(session, &launch, level);
                self.journal.append(Event::Launch(Box::new(launch.record.clone())))?;
                Ok(Some(launch))
            }
            Err((mut record, failure)) => {
                record.outcome = Outcome::Failed(failure.clone());
                self.journal.append(Event::Launch(Box::new(record)))?;
                self.fail_session(session, &failure)?;
                Ok(None)
            }
        }
    }

    async fn begin_cell(&mut self, round: &mut Round, key: CellKey) -> Result<Option<LaunchCell>, RunError> {
        let Some(launch) = &mut round.launches[key.session] else { return Ok(None) };
        let Ok(described) = &self.descriptions[self.plan.sessions[key.session].variant] else { return Ok(None) };
        let level = self.energy.level(key.session);
        match launch.begin(&self.roots, key, &described.inputs).await {
            Ok((cell, histogram)) => {
                self.energy.worked(key.session, launch, level);
                self.journal.append(Event::Warmup { key, histogram })?;
                Ok(Some(cell))
            }
            Err(failure) => {
                launch.record.outcome = outcome_of_launch(launch, &failure);
                self.fail_cell(key, &failure)?;
                Ok(None)
            }
        }
    }

    /// One block of every session, and of those that were disturbed once more.
    async fn alternate(
        &mut self,
        round: &mut Round,
        turns: &mut Vec<Turn>,
        draw: Draw,
        alternation: u64,
    ) -> Result<(), RunError> {
        let sessions: Vec<usize> = turns.iter().map(|turn| turn.key.session).collect();
        for (position, session) in order::turns(&sessions, draw, alternation).into_iter().enumerate() {
            let Some(place) = turns.iter().position(|turn| turn.key.session == session) else { continue };
            let key = turns[place].key;
            let Some(launch) = &mut round.launches[session] else { continue };
            if let Err(failure) = self.block(launch, &mut turns[place], alternation, position as u64).await? {
                launch.record.outcome = outcome_of_launch(launch, &failure);
                self.fail_cell(key, &failure)?;
                turns.remove(place);
            }
            if self.is_late() {
                break;
            }
        }
        Ok(())
    }

    /// Measures a block, again if it was disturbed; every try is written down.
    async fn block(
        &mut self,
        launch: &mut Launch,
        turn: &mut Turn,
        alternation: u64,
        position: u64,
    ) -> Result<Result<(), Failure>, RunError> {
        let key = turn.key;
        for _ in 0..=MAX_REPEATS {
            let place = BlockPlace {
                key,
                alternation,
                position,
                started_ns: self.elapsed(),
                length_ns: self.plan.schedule.block_ns,
            };
            let measured = match block::measure(launch, &self.sampler, place).await {
                Ok(measured) => measured,
                Err(failure) => return Ok(Err(failure)),
            };
            self.sampling_costs.push(measured.sampling_cost_ns);
            let disturbed = !measured.block.disturbances.is_empty();
            self.blocks_count += 1;
            self.disturbed_count += u64::from(disturbed);
            self.mark_measured(key)?;
            turn.histograms.push(measured.histogram.clone());
            self.journal.append(Event::Block { block: Box::new(measured.block), histogram: measured.histogram })?;
            if !disturbed || self.is_late() || self.is_disturbed_throughout() {
                break;
            }
        }
        Ok(Ok(()))
    }

    async fn end_cell(&mut self, round: &mut Round, turn: Turn) -> Result<(), RunError> {
        let Some(launch) = &mut round.launches[turn.key.session] else { return Ok(()) };
        let ended = match self.gpu_use(launch, turn.key).await {
            Ok(gpu) => launch.end_cell(&self.roots, LaunchCell { gpu, ..turn.cell }).await,
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(mut cell) => {
                cell.latency_histogram = merged(&turn.histograms);
                self.journal
                    .append(Event::LaunchCell { launch: launch.record.launch, cell: Box::new(cell.clone()) })?;
                launch.record.cells.push(cell);
                Ok(())
            }
            Err(failure) => {
                launch.record.outcome = outcome_of_launch(launch, &failure);
                self.fail_cell(turn.key, &failure)
            }
        }
    }

    /// Ends the default sweep where more batch sizes would tell nothing.
    fn maybe_end_sweep(
        &mut self,
        round: &Round,
        steps: &mut Vec<sweep::Step>,
        batch_size: u64,
    ) -> Result<(), RunError> {
        let Some(next) = self.plan.batch_sizes.iter().copied().find(|&next| next > batch_size) else { return Ok(()) };
        let spent: f64 = steps.iter().map(|step: &sweep::Step| step.budget_share).sum();
        let budget = self.plan.schedule.budget_ns.map_or(f64::INFINITY, Nanos::as_secs_f64);
        let share = round.cost.alternation.as_secs_f64() / budget - spent;
        steps.push(sweep::step(self.journal.record(), &self.plan, batch_size, share));
        let available = self.journal.record().host.memory_available_bytes;
        match sweep::end(steps, next, available) {
            Some(reason) => self.close_from(next, &reason),
            None => Ok(()),
        }
    }

    fn drop_from_page_cache(&self, variant: usize) {
        let files = self.descriptions[variant].iter().flat_map(|described| described.model.external_files.keys());
        for file in std::iter::once(&self.plan.variants[variant].path).chain(files) {
            // Whether the kernel complied shows in the bytes that loading reads from storage.
            let _ = page_cache::drop_file(file);
        }
    }

    /// The log of a variant's workers, with a line that says where this launch begins.
    pub(super) fn log_file(&self, variant: &str, launch: u64, round: u64) -> Result<File, StoreError> {
        let path = self.journal.folder().logs().join(format!("{}.log", variant.replace(['/', '\\'], "-")));
        let open = || {
            let mut file = File::options().create(true).append(true).read(true).open(&path)?;
            writeln!(file, "# launch {launch}, round {}", round + 1)?;
            Ok(file)
        };
        open().map_err(|source| StoreError::Write { path: path.clone(), source })
    }

    /// Time that is left to measure.
    pub(super) fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    fn is_disturbed_throughout(&self) -> bool {
        self.disturbed_count as f64 > self.blocks_count as f64 * MAX_DISTURBED_SHARE
    }

    fn is_late(&self) -> bool {
        self.remaining().is_zero()
    }
}

/// The encoded sum of encoded histograms; absent if there are none or one cannot be read.
fn merged(histograms: &[String]) -> Option<String> {
    let mut sum = Latencies::new();
    for histogram in histograms {
        sum.merge(&Latencies::decode(histogram).ok()?);
    }
    (!sum.is_empty()).then(|| sum.encode())
}

/// A launch has failed if its worker is gone; otherwise only its cell has.
fn outcome_of_launch(launch: &Launch, failure: &Failure) -> Outcome {
    if launch.worker.is_alive() { launch.record.outcome.clone() } else { Outcome::Failed(failure.clone()) }
}

//! A round: one launch of every session, and at every batch size several alternations of one block each.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::plan::{At, CellKey, PageCache, Plan, SweepEnd};
use crate::record::{Event, Outcome};
use crate::runner::before::describe::Description;
use crate::runner::before::settle::Warm;
use crate::runner::energy::EnergyWatch;
use crate::runner::fitness::Watch;
use crate::runner::launch::{self, Launch, LaunchSetup};
use crate::runner::launcher::Launcher;
use crate::runner::patience::{Awaited, telling};
use crate::runner::rounds::Scope;
use crate::runner::rounds::order::Draw;
use crate::runner::rounds::pace::RoundCost;
use crate::runner::rounds::sweep;
use crate::runner::time::Time;
use crate::runner::{Extent, Observer, Progress, RunError};
use crate::sample::{Sampler, page_cache};
use crate::store::Journal;
use crate::text::Plain;
use crate::units::Nanos;

/// A run under way.
pub(in crate::runner) struct Run<'a> {
    pub plan: Plan,
    pub journal: Journal,
    pub descriptions: Vec<Description>,
    pub launcher: Launcher,
    pub watch: Watch,
    pub energy: EnergyWatch,
    pub started: Instant,
    pub time: Time,
    /// When what lies beside the rounds is to end; absent before it has begun, and without a budget.
    pub beside_until: Option<Instant>,
    pub extent: Extent,
    /// What an earlier part of the run took, if this one takes it up again.
    pub before: Duration,
    /// A launch that inputs were tried out in, and that is still to serve the first round.
    pub warm: Option<Warm>,
    /// Rounds that were measured, of a run that is no search.
    pub rounds_done: u64,
    /// Whether a whole round of every batch size was measured.
    pub has_swept: bool,
    /// Number of the next round of a search.
    pub next_round: u64,
    /// Places where outputs are bound anew before each inference, with the reason.
    pub bound_anew: BTreeMap<At, Plain>,
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

/// Where a round stands: its number, from 0, and its launches. Each has a place: that of its session in the plan, or that
/// of its configuration in the heat of a search.
pub(in crate::runner) struct Round {
    pub number: u64,
    pub alternations: u64,
    pub launches: Vec<Option<Launch>>,
    pub cost: RoundCost,
}

/// How the batch sizes of one shape went in the first round.
struct Sweep {
    shape: usize,
    steps: Vec<sweep::Step>,
    /// Time of the round's alternations before them.
    before: Duration,
}

impl Round {
    /// A round that nothing was launched in, with room for so many.
    pub(in crate::runner) fn new(number: u64, alternations: u64, places: usize) -> Self {
        let launches = (0..places).map(|_| None).collect();
        Round { number, alternations, launches, cost: RoundCost::default() }
    }
}

impl Run<'_> {
    /// A round of the places of a scope.
    pub(in crate::runner) async fn round(
        &mut self,
        number: u64,
        alternations: u64,
        scope: Scope,
    ) -> Result<RoundCost, RunError> {
        let began = Instant::now();
        self.observer.observe(&Progress::Round {
            round: number + 1,
            elapsed: self.started.elapsed(),
            budget: self.plan.schedule.budget_ns.map(Duration::from),
        });
        let mut round = Round::new(number, alternations, self.plan.sessions.len());
        for shape in 0..self.plan.shapes.len() {
            if !self.may_measure() {
                break;
            }
            self.batch_sizes(&mut round, shape, scope).await?;
        }
        self.end_round(round, began).await
    }

    /// Ends the workers of a round that `began` then; returns what it took.
    pub(in crate::runner) async fn end_round(
        &mut self,
        mut round: Round,
        began: Instant,
    ) -> Result<RoundCost, RunError> {
        for launch in round.launches.into_iter().flatten() {
            self.journal.append(Event::Launch(Box::new(launch.record)))?;
            launch.worker.end().await;
        }
        let in_blocks = round.cost.alternation;
        round.cost.alternation = in_blocks / u32::try_from(round.alternations).unwrap_or(u32::MAX).max(1);
        round.cost.fixed = began.elapsed().saturating_sub(in_blocks);
        Ok(round.cost)
    }

    /// The batch sizes of a scope at one shape, in ascending order.
    async fn batch_sizes(&mut self, round: &mut Round, shape: usize, scope: Scope) -> Result<(), RunError> {
        let mut sweep = Sweep { shape, steps: Vec::new(), before: round.cost.alternation };
        let is_first = scope == Scope::Everything && !self.has_swept;
        for batch_size in self.batch_sizes_of(shape, scope) {
            if !self.may_measure() {
                break;
            }
            for load_mode in self.plan.load_modes.clone() {
                self.cells(round, At { shape, batch_size, load_mode }).await?;
            }
            if is_first && self.plan.sweep_end == SweepEnd::Saturation {
                self.maybe_end_sweep(round, &mut sweep, batch_size)?;
            }
        }
        Ok(())
    }

    /// All sessions take turns at one batch size of a shape.
    async fn cells(&mut self, round: &mut Round, at: At) -> Result<(), RunError> {
        let key = |session| at.of(session);
        let mut open: Vec<usize> =
            (0..self.plan.sessions.len()).filter(|&session| self.is_open(key(session))).collect();
        let cells: Vec<CellKey> = open.iter().map(|&session| key(session)).collect();
        let smallest = self.batch_sizes_of(at.shape, Scope::Smallest).into_iter().min().unwrap_or(at.batch_size);
        let grown = at.batch_size as f64 / smallest as f64;
        if grown > 1.0 && !self.has_time_for(&cells, grown) {
            open.retain(|&session| self.takes_only(key(session)));
        }
        if open.is_empty() {
            return Ok(());
        }
        self.observer.observe(&Progress::Cells {
            round: round.number + 1,
            place: &format!("batch size {}{}", at.batch_size, self.plan.shape_words(at.shape)),
            load_mode: at.load_mode,
            elapsed: self.started.elapsed(),
        });
        let draw = Draw { seed: self.plan.schedule.seed, round: round.number, at };
        let members: BTreeMap<usize, CellKey> = open.into_iter().map(|session| (session, key(session))).collect();
        self.take_turns(round, &members, draw).await
    }

    /// Whether a session can be measured at no other batch size of the shape.
    fn takes_only(&self, key: CellKey) -> bool {
        let mut others = self.plan.cells().filter(|other| other.session == key.session && other.shape == key.shape);
        others.all(|other| other.batch_size == key.batch_size || self.closed.contains(&other))
    }

    /// Makes sure that a session has a living worker in this round; false if it cannot have one.
    pub(in crate::runner) async fn launch_if_needed(
        &mut self,
        round: &mut Round,
        place: usize,
        session: usize,
    ) -> Result<bool, RunError> {
        let slot = &mut round.launches[place];
        if slot.as_ref().is_some_and(|launch| launch.worker.is_alive()) {
            return Ok(true);
        }
        if let Some(dead) = slot.take() {
            self.journal.append(Event::Launch(Box::new(dead.record)))?;
        }
        let launched = match self.take_warm(session, round.number)? {
            Some(warm) => Some(warm),
            None if self.may_launch(session) => self.launch(session, round.number).await?,
            None => None,
        };
        let is_launched = launched.is_some();
        round.launches[place] = launched;
        Ok(is_launched)
    }

    /// Launches a session; `None` if that failed, which is then written down.
    pub(in crate::runner) async fn launch(&mut self, session: usize, round: u64) -> Result<Option<Launch>, RunError> {
        let record = launch::blank(self.launcher.number(), round, session, self.elapsed());
        let spec = &self.plan.sessions[session];
        let variant = &self.plan.variants[spec.variant];
        if self.plan.schedule.page_cache == PageCache::Cold {
            self.drop_from_page_cache(spec.variant);
        }
        let log = self.launcher.log_of(&self.plan, spec.variant, record.launch, round)?;
        let setup = LaunchSetup { model: &variant.path, spec, patience: self.patience_with(session) };
        let level = self.energy.level(session);
        let what = format!("{} is being loaded", self.journal.record().session_label(session));
        let awaited = Awaited { what: &what, limit: setup.patience.limit_of_start() };
        match telling(&mut *self.observer, awaited, Launch::start(&self.launcher, &setup, log, record)).await {
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

    /// Ends the default sweep where more batch sizes would tell nothing.
    fn maybe_end_sweep(&mut self, round: &Round, sweep: &mut Sweep, batch_size: u64) -> Result<(), RunError> {
        let Sweep { shape, steps, before } = sweep;
        let Some(next) = self.plan.batch_sizes.iter().copied().find(|&next| next > batch_size) else { return Ok(()) };
        let spent: f64 = steps.iter().map(|step| step.budget_share).sum();
        let budget = self.plan.schedule.budget_ns.map_or(f64::INFINITY, Nanos::as_secs_f64);
        let share = round.cost.alternation.saturating_sub(*before).as_secs_f64() / budget - spent;
        let step = sweep::step(self.journal.record(), (*shape, batch_size), share);
        // What was not measured says nothing about larger batches.
        if step.throughput.iter().all(Option::is_none) {
            return Ok(());
        }
        steps.push(step);
        let available = self.journal.record().host.usable_memory();
        match sweep::end(steps, next, available) {
            Some(reason) => self.close_from(*shape, next, &reason),
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
}

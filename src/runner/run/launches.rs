//! How a run launches its sessions: in and beside the rounds.

use std::fs::File;
use std::time::Duration;

use super::Run;
use crate::inputs::InputPlan;
use crate::plan::{CellKey, LoadMode, PageCache, SessionSpec, Workload};
use crate::protocol::CellRequest;
use crate::record::{Event, Failure, Outcome};
use crate::runner::Result;
use crate::runner::launch::{self, Launch, LaunchSetup};
use crate::runner::patience::telling;
use crate::sample::page_cache;
use crate::text::Plain;
use crate::units::Nanos;

impl Run<'_> {
    /// Launches a session; `None` if that failed, which is then written down.
    pub(in crate::runner) async fn launch(
        &mut self,
        session: usize,
        round: u64,
    ) -> Result<Option<Launch>> {
        let record = launch::blank(self.launcher.number(), round, session, self.elapsed());
        let plan = &self.journal.record().plan;
        let spec = &plan.sessions[session];
        if plan.schedule.page_cache == PageCache::Cold {
            self.drop_from_page_cache(spec.variant);
        }
        let log = self
            .launcher
            .log_of(plan, spec.variant, record.launch, round)?;
        let setup = LaunchSetup {
            model: &plan.variants[spec.variant].path,
            spec,
            patience: self.patience_with(session),
        };
        let level = self.energy.level(session);
        let what = format!("{} is being loaded", self.label(session));
        match telling(
            self.observer,
            &what,
            setup.patience.limit_of_start(),
            Launch::start(&self.launcher, &setup, log, record),
        )
        .await
        {
            Ok(launch) => {
                self.energy.worked(session, &launch, level);
                self.put_launch(&launch)?;
                Ok(Some(launch))
            }
            Err((mut record, failure)) => {
                record.outcome = Outcome::Failed(failure.clone());
                self.append(Event::Launch(Box::new(record)))?;
                self.fail_session(session, &failure)?;
                Ok(None)
            }
        }
    }

    /// The launch that was tried out, once, if it is of this session.
    pub(in crate::runner) fn take_warm(
        &mut self,
        session: usize,
        round: u64,
    ) -> Result<Option<Launch>> {
        let Some(mut launch) = self.warm.take_if(|warm| warm.record.session == session) else {
            return Ok(None);
        };
        launch.record.launch = self.launcher.number();
        launch.record.round = round;
        self.put_launch(&launch)?;
        Ok(Some(launch))
    }

    fn drop_from_page_cache(&self, variant: usize) {
        let described = self.descriptions[variant].iter();
        for file in described
            .flat_map(|described| described.model.external_files.keys())
            .chain([&self.plan().variants[variant].path])
        {
            // Whether the kernel complied shows in the bytes that loading reads from storage.
            let _ = page_cache::drop_file(file);
        }
    }

    pub(in crate::runner) fn diagnosis_log(&mut self, session: usize) -> Result<File> {
        let number = self.launcher.number();
        Ok(self
            .launcher
            .log_of(self.plan(), self.spec(session).variant, number, 0)?)
    }

    /// Not in the record: its options may not be the plan's. With what an inference took in its
    /// warm-up, mean.
    pub(in crate::runner) async fn unrecorded(
        &self,
        key: CellKey,
        spec: &SessionSpec,
        inputs: &InputPlan,
        log: File,
    ) -> Result<(Launch, Duration), Failure> {
        let setup = LaunchSetup {
            model: &self.plan().variants[spec.variant].path,
            spec,
            patience: self.patience_with(key.session),
        };
        let record = launch::blank(0, 0, key.session, self.elapsed());
        let mut launch = Launch::start(&self.launcher, &setup, log, record)
            .await
            .map_err(|(_, failure)| failure)?;
        let (cell, _) = launch
            .begin(
                &self.launcher.roots,
                key.shape,
                self.cell_request(key, inputs, None),
                self.beginning_time(key),
            )
            .await?;
        Ok((launch, launch::single(&cell)))
    }

    pub(in crate::runner) fn cell_request(
        &self,
        key: CellKey,
        inputs: &InputPlan,
        limit_ns: Option<Nanos>,
    ) -> CellRequest {
        CellRequest {
            batch_size: key.batch_size,
            load_mode: key.load_mode,
            inputs: inputs.clone(),
            limit_ns,
            known_ns: None,
            outputs_anew: self.outputs_anew(key.workload()),
        }
    }

    /// The first cell of a session that its model takes, with one request in flight, and what is
    /// fed there.
    pub(in crate::runner) fn smallest(&self, session: usize) -> Option<(CellKey, InputPlan)> {
        let key = self
            .plan()
            .workloads()
            .map(|at| at.of(session))
            .find(|&key| self.is_open(key))?;
        let at = Workload {
            load: LoadMode::SINGLE,
            ..key.workload()
        };
        Some((
            at.of(session),
            self.description(session)
                .as_ref()
                .ok()?
                .inputs_at(key.shape)
                .ok()?
                .clone(),
        ))
    }

    /// Why outputs are to be bound anew at a place; `None` if they are bound once.
    pub(in crate::runner) fn outputs_anew(&self, at: Workload) -> Option<Plain> {
        let described = self.descriptions.iter().zip(&self.plan().variants);
        let mut varying = described.filter_map(|(described, variant)| {
            let why = described.as_ref().ok()?.outputs_vary.as_ref()?;
            Some(
                format!(
                    "sizes of outputs of `{}` can change: {why}",
                    variant.name.exact()
                )
                .into(),
            )
        });
        self.bound_anew.get(&at).cloned().or_else(|| varying.next())
    }
}

//! Running what a search proposes until one of it runs.

use super::outputs;
use super::room::Room;
use crate::engine::{EngineError, Session};
use crate::inputs::{self, InputError, InputPlan, InputSet, InputSource, Search, Tensor};
use crate::measure::{Clock, MonotonicClock};
use crate::units::Nanos;

pub(super) struct Bench<'s> {
    session: &'s mut dyn Session,
    pub room: &'s Room,
    ends: Nanos,
    pub trials_count: u64,
    /// If the very first run was an inference.
    pub first_run: Option<Nanos>,
    /// Time of the last inference.
    pub inference: Option<Nanos>,
    pub is_cut_short: bool,
}

pub(super) struct Found {
    pub plan: InputPlan,
    pub outputs: Vec<Tensor>,
    pub remarks: Vec<String>,
}

impl<'s> Bench<'s> {
    pub(super) fn new(session: &'s mut dyn Session, room: &'s Room, limit: Nanos) -> Self {
        Bench {
            session,
            room,
            ends: MonotonicClock.now() + limit,
            trials_count: 0,
            first_run: None,
            inference: None,
            is_cut_short: false,
        }
    }

    /// Whether there is time for so many inferences like the last one; if not, something is cut
    /// short.
    pub(super) fn has_time_for(&mut self, inferences: u64) -> bool {
        let needed = self
            .inference
            .unwrap_or_default()
            .0
            .saturating_mul(inferences);
        let has_time = MonotonicClock.now() + Nanos(needed) < self.ends;
        self.is_cut_short |= !has_time;
        has_time
    }

    pub(super) fn no_time(&self) -> String {
        let seconds = self.inference.unwrap_or_default().as_secs_f64();
        if seconds >= 0.1 {
            format!("an inference takes {seconds:.1} s")
        } else {
            "there was no time to".to_owned()
        }
    }

    /// The error is the runtime's own words.
    pub(super) fn run(&mut self, set: &InputSet) -> Result<Vec<Tensor>, String> {
        let held = self.room.hold();
        let start = MonotonicClock.now();
        let outputs = self.session.evaluate(set);
        let took = MonotonicClock.now().since(start);
        drop(held);
        self.trials_count += 1;
        let outputs = outputs.map_err(|error| match error {
            EngineError::Run { message } => message,
            other => other.to_string(),
        })?;
        if self.trials_count == 1 {
            self.first_run = Some(took);
        }
        self.inference = Some(took);
        Ok(outputs)
    }

    /// At the smallest batch size that the plan allows.
    pub(super) fn run_plan(&mut self, plan: &InputPlan) -> Result<Vec<Tensor>, String> {
        let batch_size = plan.batch_axis.fixed_size.unwrap_or(1);
        self.room.check(plan, batch_size)?;
        let sets = inputs::materialize(plan, batch_size).map_err(|error| error.to_string())?;
        self.run(&sets.into_iter().next().unwrap_or_default())
    }

    /// Until it runs and, where inputs are made up, gives numbers.
    pub(super) fn find(&mut self, search: &mut Search) -> Result<Found, InputError> {
        let mut words = String::new();
        let mut not_finite: Option<Found> = None;
        while let Some(plan) = search.next() {
            match self.run_plan(&plan) {
                Ok(outputs) if is_finite(&plan, &outputs) => {
                    return Ok(Found {
                        plan,
                        outputs,
                        remarks: Vec::new(),
                    });
                }
                Ok(outputs) => {
                    search.not_finite();
                    not_finite.get_or_insert_with(|| Found {
                        remarks: vec![remark(&plan, &outputs)],
                        plan,
                        outputs,
                    });
                }
                Err(refusal) => {
                    search.refused(&refusal);
                    words = refusal;
                }
            }
            if !self.has_time_for(1) {
                break;
            }
        }
        not_finite.ok_or_else(|| search.nothing_runs(&words))
    }

    /// The one inference that a probe needs is not counted against its time.
    pub(super) fn forgive_one(&mut self) {
        self.ends = self.ends + self.inference.unwrap_or_default();
    }
}

fn is_finite(plan: &InputPlan, found: &[Tensor]) -> bool {
    plan.source != InputSource::Synthesized || outputs::with_nan(found).is_empty()
}

fn remark(plan: &InputPlan, found: &[Tensor]) -> String {
    format!(
        "outputs {} are not numbers with the values that were made up for {}: that says nothing about the model; give \
         real inputs with --data, or ranges with --range",
        quoted(outputs::with_nan(found).iter().map(String::as_str)),
        quoted(plan.fed.iter().map(|fed| fed.name.exact()))
    )
}

fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names
        .into_iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

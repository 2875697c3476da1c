//! Which sizes and values are tried, in which order, and along which axes samples may lie.
//!
//! Nothing here runs a model: [`Search`] says what to feed next and is told what became of it.

mod batch;
mod cache;
mod kind;
mod names;
mod plans;
mod problem;
mod refusal;
mod solve;
mod taken;
mod told;
mod trials;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use cache::usual_shapes;

use batch::{Axes, Candidate};
use kind::Kind;
use problem::{Problem, Unknown};
use solve::{Choice, Sized};

use super::about::About;
use super::beside::beside;
use super::dims::{dims_of, input_of};
use super::{InputError, InputPlan, Result, RuntimeWords};
use crate::onnx::{Demand, Expr, Graph, InputAxis, Model, Relation, inlined};
use crate::plan::{InputRequest, Shape};
use crate::record::{BatchAxis, FillKind, SizeSource, TensorInfo};

/// The most trials of one search: what nobody finds by then is to be told.
const TRIALS_LIMIT: usize = 40;

/// Candidates for what a model's inputs are fed, the best guess first.
#[derive(Debug)]
pub struct Search {
    graph: Graph,
    request: InputRequest,
    problem: Problem,
    /// Sizes that files tell of, by unknown, and remarks on files that cannot be read.
    told: BTreeMap<usize, Vec<Sized>>,
    notes: Vec<String>,
    /// Words for the model's classes that its metadata or a file beside it has.
    classes: Vec<String>,
    batches: Vec<Candidate>,
    taken: Option<String>,
    attempts: Attempts,
}

#[derive(Debug, Default)]
struct Attempts {
    queue: VecDeque<Choice>,
    /// The choice that others differ from in one thing, and where it was refused.
    base: Choice,
    base_place: Option<String>,
    last: Choice,
    places: BTreeSet<String>,
    tried: Vec<String>,
}

impl Attempts {
    fn beginning_with(base: Choice) -> Self {
        Attempts {
            queue: VecDeque::from([base.clone()]),
            last: base.clone(),
            base,
            ..Attempts::default()
        }
    }
}

impl Search {
    /// The candidates for `model` at the sizes of `shape`, which hold beside those that `request`
    /// asks for.
    ///
    /// # Errors
    /// As [`plan()`](super::plan()).
    pub fn new(model: &Model, request: &InputRequest, shape: &Shape) -> Result<Search> {
        let (given, mut request) = (&request.dims, request.clone());
        request.dims.extend(shape.dims.clone());
        let graph = inlined(model);
        plans::check_names(&graph, &request)?;
        let mut problem = Problem::new(&graph, &request)?;
        if shape.name.is_some() {
            shape
                .dims
                .keys()
                .filter(|name| !given.contains_key(*name))
                .for_each(|name| problem.note_made_up(name.exact()));
        }
        let beside = beside(model);
        let told = told::told(&problem, &graph.inputs, &beside.entries);
        told::demand_stride(&mut problem, &told, beside.stride);
        let axes = Axes {
            graph: &graph,
            problem: &problem,
        };
        let batches = axes.asked(&request)?;
        let taken = taken::taken(axes, &request, given, &batches);
        let note = taken
            .iter()
            .map(|taken| format!("{taken}, so it is no batch"));
        let mut search = Search {
            notes: note.chain(beside.notes).collect(),
            attempts: Attempts::beginning_with(likely(&batches)),
            graph,
            request,
            problem,
            told,
            classes: beside.classes,
            batches,
            taken,
        };
        search.settle_batch()?;
        Ok(search)
    }

    /// Fails where nothing can be fed at all. A test set of the standard's may hold a tensor
    /// without rows on purpose, which is fed as it is, without a batch.
    fn settle_batch(&mut self) -> Result<()> {
        match self.plan_at(&self.attempts.base) {
            Err(InputError::NoSamples(path))
                if path.is_dir() && self.request.batch_dim.is_none() =>
            {
                self.give_up_batch();
                self.plan_at(&self.attempts.base).map(drop)
            }
            plan => plan.map(drop),
        }
    }

    fn give_up_batch(&mut self) {
        let reason = "a tensor of the test data has no rows, so that it is fed as it is".to_owned();
        self.notes.push(format!("{reason} and there is no batch"));
        self.taken = Some(reason);
        self.batches.clear();
        self.attempts = Attempts::beginning_with(Choice::default());
    }

    /// The next inputs to feed; `None` when nothing is left to try. The first one is what
    /// [`plan()`](super::plan()) returns.
    #[expect(
        clippy::should_implement_trait,
        reason = "what comes next depends on what became of the last"
    )]
    pub fn next(&mut self) -> Option<InputPlan> {
        while self.attempts.tried.len() < TRIALS_LIMIT {
            let choice = self.attempts.queue.pop_front()?;
            let Ok(plan) = self.plan_at(&choice) else {
                continue;
            };
            let trial = trial(&plan, &choice);
            if !self.attempts.tried.contains(&trial) {
                self.attempts.tried.push(trial);
                self.attempts.last = choice;
                return Some(plan);
            }
        }
        None
    }

    /// Takes in what the runtime said when it refused the last plan: it narrows what comes next.
    pub fn refused(&mut self, words: &str) {
        let refusal = refusal::Refusal::read(words);
        let is_base = self.attempts.last == self.attempts.base;
        let is_further = self.attempts.places.insert(refusal.place.clone());
        // A change after which the model fails elsewhere has mended something and is kept.
        if is_base || (is_further && self.attempts.base_place.as_ref() != Some(&refusal.place)) {
            self.attempts.base = self.attempts.last.clone();
            self.attempts.base_place = Some(refusal.place.clone());
            self.attempts.queue = trials::after(self, &refusal).into();
        }
    }

    /// Takes in that outputs held numbers that are none: other values of what was fed last are
    /// worth a try.
    pub fn not_finite(&mut self) {
        self.attempts.base = self.attempts.last.clone();
        self.attempts.queue = trials::other_fills(self).into();
    }

    /// Axes that samples may lie along, the most likely first; each names its axis in every input
    /// that follows.
    #[must_use]
    pub fn batch_candidates(&self) -> Vec<BatchAxis> {
        self.batches
            .iter()
            .map(|candidate| self.axis(candidate))
            .collect()
    }

    /// The reason why the model loses the batch that it would have, if there is one, as a fragment
    /// of a sentence.
    #[must_use]
    pub fn taken(&self) -> Option<&str> {
        self.taken.as_deref()
    }

    /// The error of a model that nothing runs with; `words` is what the runtime said of the last
    /// trial.
    #[must_use]
    pub fn nothing_runs(&self, words: &str) -> InputError {
        InputError::NothingRuns {
            open: self.open(),
            tried: self.tried(),
            remedy: self.remedy(),
            words: RuntimeWords(words.to_owned()),
        }
    }

    /// The trials so far: `image [1, 3, 224, 224], mask [1, 128]`, one a trial.
    #[must_use]
    pub fn tried(&self) -> Vec<String> {
        self.attempts.tried.clone()
    }
}

/// The choice of the first batch, where that is likely; nothing else is chosen.
fn likely(batches: &[Candidate]) -> Choice {
    let first = batches.first().filter(|candidate| candidate.is_likely);
    Choice {
        batch: first
            .map(|first| first.unknowns.clone())
            .unwrap_or_default(),
        ..Choice::default()
    }
}

/// Inputs with shapes at batch 1, the one value of those that steer, and the fill of those not
/// filled the first way.
fn trial(plan: &InputPlan, choice: &Choice) -> String {
    plan.fed
        .iter()
        .enumerate()
        .map(|(index, fed)| {
            let words = format!("{} {}", fed.name.exact(), fed.shape_words(1));
            match &fed.fill {
                _ if choice.fills.contains_key(&index) => {
                    format!("{words} ({})", fed.reason.exact())
                }
                FillKind::Constant(value) if fed.steers => format!("{words} = {value}"),
                _ => words,
            }
        })
        .collect::<Vec<_>>()
        .join(", ")
}

//! The gain of a setting over what runs today, split by what differs: the variant, the batch size,
//! then threads and other options.

mod sweep;

pub(in crate::analysis) use sweep::of_sweep;

use std::mem;

use serde::Serialize;

use crate::analysis::Estimate;
use crate::metric::Metric;
use crate::plan::{CellKey, SessionSpec};

/// How many times as good a setting is as what runs today, and which part of that each cause brings.
///
/// The settings between both are those of the run itself: first today's with the other variant, then
/// with the other batch size too, then with the other options.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GainSplit {
    /// The figure.
    pub metric: Metric,
    /// What runs today.
    pub from: CellKey,
    /// The setting.
    pub to: CellKey,
    /// How many times as good it is: above 1 is better.
    pub factor: Estimate,
    /// One for each cause, in order; causes that the run cannot tell one by one share a step.
    pub steps: Vec<GainStep>,
}

/// A part of a gain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GainStep {
    /// What differs between both ends.
    pub causes: Vec<GainCause>,
    /// Where it begins.
    pub from: CellKey,
    /// Where it ends.
    pub to: CellKey,
    /// How many times as good the end is: above 1 is better.
    pub factor: Estimate,
    /// How both ends were measured.
    pub basis: StepBasis,
    /// Why the causes are not told one by one: settings between both ends that give no ratio; empty
    /// where there is one cause.
    pub unsplit: Vec<Unsplit>,
}

/// Something that differs between two settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GainCause {
    /// The model file.
    Variant,
    /// The batch size.
    Batch,
    /// Threads alone.
    Threads,
    /// Other options too, the execution provider, the binding or the library.
    Options,
}

/// How the ends of a step were measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepBasis {
    /// In turns with each other.
    InTurns,
    /// Each in turns with others, by way of which the ratio is told.
    ByWayOfOthers,
    /// Not in turns: the interval lies between the farthest ends of both.
    NotInTurns,
}

/// A setting between two others that gives no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Unsplit {
    /// Its cell; absent where the run has no session like it.
    pub cell: Option<CellKey>,
    /// Whether it was measured, and took no turns that lead to the others.
    pub is_measured: bool,
}

/// A ratio between two settings.
pub(in crate::analysis) struct StepRatio {
    /// Above 1 is better.
    pub(in crate::analysis) factor: Estimate,
    pub(in crate::analysis) basis: StepBasis,
}

/// A run that tells ratios between its settings.
pub(in crate::analysis) trait Ratios {
    /// How many times as good `to` is as `from`; `None` where the run does not tell.
    fn ratio(&self, from: CellKey, to: CellKey) -> Option<StepRatio>;

    /// Whether a setting was measured.
    fn is_measured(&self, key: CellKey) -> bool;
}

/// Two settings that are compared.
pub(in crate::analysis) struct Between {
    pub(in crate::analysis) metric: Metric,
    /// What runs today.
    pub(in crate::analysis) from: CellKey,
    pub(in crate::analysis) to: CellKey,
}

impl Between {
    /// The split; `None` where fewer than two causes differ, and where no ratio between both is
    /// known.
    pub(in crate::analysis) fn split(
        &self,
        sessions: &[SessionSpec],
        ratios: &impl Ratios,
    ) -> Option<GainSplit> {
        let path = self.path(sessions);
        if path.len() < 2 {
            return None;
        }
        let whole = ratios.ratio(self.from, self.to)?;
        whole.factor.measured()?;
        Some(GainSplit {
            metric: self.metric,
            from: self.from,
            to: self.to,
            factor: whole.factor,
            steps: Way { ratios }.steps(self.from, &path, Skipped::default())?,
        })
    }

    fn path(&self, sessions: &[SessionSpec]) -> Vec<Place> {
        let (from, to) = (self.from, self.to);
        let (old, new) = (&sessions[from.session], &sessions[to.session]);
        let options = options(old, new);
        // The last place is the setting itself.
        let between = match options {
            None => Some(to.session),
            Some(_) => sessions
                .iter()
                .position(|one| one.variant == new.variant && is_as(one, old)),
        };
        let variant = (old.variant != new.variant).then(|| Place {
            cause: GainCause::Variant,
            key: between.map(|session| CellKey { session, ..from }),
        });
        let batch = (from.batch_size != to.batch_size).then(|| Place {
            cause: GainCause::Batch,
            key: between.map(|session| CellKey { session, ..to }),
        });
        let options = options.map(|cause| Place {
            cause,
            key: Some(to),
        });
        [variant, batch, options].into_iter().flatten().collect()
    }
}

/// A setting on the way, and what differs from the one before it.
struct Place {
    cause: GainCause,
    /// Absent where the run has no session like it.
    key: Option<CellKey>,
}

fn is_as(one: &SessionSpec, other: &SessionSpec) -> bool {
    one.is_alike(other) && one.runtime == other.runtime
}

/// What differs beside the variant.
fn options(old: &SessionSpec, new: &SessionSpec) -> Option<GainCause> {
    if is_as(old, new) {
        return None;
    }
    let mut like_new = old.clone();
    like_new.options.intra_threads = new.options.intra_threads;
    like_new.options.inter_threads = new.options.inter_threads;
    Some(if is_as(&like_new, new) {
        GainCause::Threads
    } else {
        GainCause::Options
    })
}

/// Places that were passed over since the last step.
#[derive(Clone, Default)]
struct Skipped {
    causes: Vec<GainCause>,
    places: Vec<Unsplit>,
}

struct Way<'a, R> {
    ratios: &'a R,
}

impl<R: Ratios> Way<'_, R> {
    /// The most steps that lead from a setting along the path to its end.
    fn steps(&self, at: CellKey, path: &[Place], skipped: Skipped) -> Option<Vec<GainStep>> {
        let Some((place, rest)) = path.split_first() else {
            return Some(Vec::new());
        };
        let step = place
            .key
            .and_then(|key| self.step(at, place.cause, key, skipped.clone()));
        let taken = step.and_then(|step| {
            let mut steps = self.steps(step.to, rest, Skipped::default())?;
            steps.insert(0, step);
            Some(steps)
        });
        let passed = (!rest.is_empty())
            .then(|| self.steps(at, rest, self.passing(place, skipped)))
            .flatten();
        match (taken, passed) {
            (Some(taken), Some(passed)) if passed.len() > taken.len() => Some(passed),
            (Some(taken), _) => Some(taken),
            (None, passed) => passed,
        }
    }

    fn step(
        &self,
        from: CellKey,
        cause: GainCause,
        to: CellKey,
        mut skipped: Skipped,
    ) -> Option<GainStep> {
        let StepRatio { factor, basis } = self.ratios.ratio(from, to)?;
        factor.measured()?;
        let mut causes = mem::take(&mut skipped.causes);
        causes.push(cause);
        Some(GainStep {
            causes,
            from,
            to,
            factor,
            basis,
            unsplit: skipped.places,
        })
    }

    fn passing(&self, place: &Place, mut skipped: Skipped) -> Skipped {
        skipped.causes.push(place.cause);
        skipped.places.push(Unsplit {
            cell: place.key,
            is_measured: place.key.is_some_and(|key| self.ratios.is_measured(key)),
        });
        skipped
    }
}

#[cfg(test)]
mod tests;

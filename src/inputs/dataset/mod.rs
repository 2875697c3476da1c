//! Samples, and batches of them.

mod batch;
mod expected;
mod segments;

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::argument::{Argument, or_tensors};
use super::column::Column;
use super::data::{self, Data};
use super::protobuf::Stored;
use super::wanted::Wanted;
use super::{InputError, InputPlan, InputSource, Labels, Result, check, fill};
use crate::record::{DatasetInfo, FedInput};

/// Largest number of distinct input sets that timed runs rotate: enough that no cache of the
/// machine holds all inputs of a usual model, few enough that warm-up sees each of them.
pub const INPUT_SETS_LIMIT: u64 = 8;

/// The value of each input, in the model's order.
pub type InputSet = Vec<Argument>;

/// Samples of a model's inputs, with labels or expected outputs where there are any.
#[derive(Debug)]
pub struct Dataset {
    info: DatasetInfo,
    path: PathBuf,
    inputs: Vec<FedInput>,
    outputs: Vec<String>,
    sets: Vec<Set>,
    labels: Option<Labels>,
}

/// An axis that grows with the batch.
#[derive(Clone, Copy, Debug)]
struct Growing {
    axis: usize,
    /// Rows of one sample.
    rows: usize,
}

impl Growing {
    fn rows(self, samples: &Range<usize>) -> Range<usize> {
        samples.start * self.rows..samples.end * self.rows
    }
}

#[derive(Debug)]
struct Set {
    columns: Vec<Column>,
    /// Expected outputs; absent where they cannot be read.
    outputs: Vec<Option<Stored>>,
    samples: usize,
}

/// Input sets for timed runs with `batch_size`: one if values are synthesized, else up to
/// [`INPUT_SETS_LIMIT`].
///
/// # Errors
/// The model does not take this batch size, or the data cannot be read any more.
pub fn materialize(plan: &InputPlan, batch_size: u64) -> Result<Vec<InputSet>> {
    plan.supports_batch(batch_size)
        .map_err(|reason| InputError::BatchSize(batch_size, reason))?;
    if let Some(dataset) = Dataset::open(plan)? {
        plan.ask_for_sets(batch_size, dataset.sets_count(batch_size))?;
        return dataset.input_sets(batch_size);
    }
    plan.ask_for_sets(batch_size, 1)?;
    Ok(vec![made_up(plan, batch_size, plan.seed)?])
}

pub(super) fn made_up(plan: &InputPlan, batch_size: u64, seed: u64) -> Result<InputSet> {
    plan.fed
        .iter()
        .map(|fed| Ok(Argument::of(fed, fill::value(fed, batch_size, seed)?)))
        .collect()
}

fn growing(fed: &FedInput) -> Vec<Growing> {
    (0..fed.dims.len())
        .filter(|&axis| fed.dims[axis].is_none())
        .map(|axis| Growing {
            axis,
            rows: fed.rows_per_sample.get(&axis).copied().unwrap_or(1) as usize,
        })
        .collect()
}

/// Data that the inputs of a plan want.
fn wanted(plan: &InputPlan) -> Vec<Wanted> {
    plan.fed
        .iter()
        .zip(or_tensors(&plan.forms.inputs))
        .map(|(fed, form)| Wanted::fed(fed, form, &plan.batch_axis))
        .collect()
}

/// The sets of data that is as it was when the plan was made.
fn stored_sets(plan: &InputPlan, data: &Data, path: &Path) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for set in &data.sets {
        let samples = check::samples(data, set, &plan.fed, &plan.batch_axis)?;
        check::check_ranks(path, set, &plan.fed)?;
        sets.push(Set {
            columns: columns(set, &plan.fed, path)?,
            outputs: set.outputs.clone(),
            samples,
        });
    }
    Ok(sets)
}

fn columns(set: &data::Set, fed: &[FedInput], path: &Path) -> Result<Vec<Column>> {
    set.inputs
        .iter()
        .zip(fed)
        .map(|(source, fed)| {
            Column::of(source.load()?, fed.element_type).map_err(InputError::read(path))
        })
        .collect()
}

fn made_set(plan: &InputPlan, samples: u64, seed: u64) -> Result<Set> {
    Ok(Set {
        columns: plan
            .fed
            .iter()
            .map(|fed| Column::made(fed, samples, seed))
            .collect::<Result<_>>()?,
        outputs: Vec::new(),
        samples: samples as usize,
    })
}

impl Dataset {
    /// Opens the plan's data; absent if its values are synthesized.
    ///
    /// # Errors
    /// The data cannot be read any more, or has changed since the plan was made.
    pub fn open(plan: &InputPlan) -> Result<Option<Dataset>> {
        let InputSource::Data { path, labels } = &plan.source else {
            return Ok(None);
        };
        let data = Data::open(path, &wanted(plan), &plan.forms.outputs)?;
        let mut dataset = Dataset::new(plan, stored_sets(plan, &data, path)?, path.clone());
        dataset.info.source = path.display().to_string().into();
        dataset.labels = data::labels_of(&data, labels.as_deref(), dataset.len() as usize)?;
        if let Some(labels) = &dataset.labels {
            dataset.info.class_labels = labels.classes(&plan.classes);
            dataset.info.has_targets = !labels.facts().is_text;
        }
        Ok(Some(dataset))
    }

    /// A dataset of `samples_count` synthesized samples, for comparing variants where there is no
    /// data.
    ///
    /// A model without a batch dimension gets as many sets of inputs; plans with data are to be
    /// [opened](Self::open).
    ///
    /// # Errors
    /// The samples are too large.
    pub fn synthesized(plan: &InputPlan, samples_count: u64) -> Result<Dataset> {
        let (sets_count, samples) = match plan.batch_axis.axes.is_empty() {
            true => (samples_count, 1),
            false => (1, samples_count),
        };
        plan.ask_for_sets(samples, sets_count)?;
        let sets = (0..sets_count)
            .map(|index| made_set(plan, samples, plan.seed.wrapping_add(index)))
            .collect::<Result<_>>()?;
        Ok(Dataset::new(plan, sets, PathBuf::new()))
    }

    fn new(plan: &InputPlan, sets: Vec<Set>, path: PathBuf) -> Dataset {
        Dataset {
            info: synthesized_info(&sets),
            path,
            inputs: plan.fed.clone(),
            outputs: plan.outputs.clone(),
            sets,
            labels: None,
        }
    }

    /// A description for the record.
    #[must_use]
    pub fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.info.samples_count
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Labels, where there are any.
    #[must_use]
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// Names of the outputs.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }
}

/// The description of sets until it is known that they are data.
fn synthesized_info(sets: &[Set]) -> DatasetInfo {
    DatasetInfo {
        source: "synthesized".into(),
        samples_count: samples_in(sets),
        class_labels: None,
        has_targets: false,
        has_expected_outputs: have_outputs(sets),
    }
}

fn samples_in(sets: &[Set]) -> u64 {
    let samples = sets.iter().map(|set| set.samples as u64);
    samples.fold(0, u64::saturating_add)
}

fn have_outputs(sets: &[Set]) -> bool {
    sets.iter()
        .flat_map(|set| set.outputs.iter().flatten())
        .any(|stored| !matches!(stored, Stored::Nothing))
}

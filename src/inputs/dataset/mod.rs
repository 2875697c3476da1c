//! Samples, and batches of them.

mod batch;
mod expected;
mod segments;

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::argument::{Argument, Form};
use super::column::Column;
use super::data::{self, Data};
use super::dims::sample_axes;
use super::protobuf::Stored;
use super::wanted::Wanted;
use super::{InputError, InputPlan, InputSource, Labels, check, fill};
use crate::plan::ElementType;
use crate::record::{DatasetInfo, FedInput};
use crate::text::Plain;

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
    inputs: Vec<Input>,
    outputs: Vec<String>,
    sets: Vec<Set>,
    labels: Option<Labels>,
}

#[derive(Debug)]
struct Input {
    name: Plain,
    element_type: ElementType,
    axes: Vec<Growing>,
}

impl Input {
    fn of(fed: &FedInput) -> Input {
        Input {
            name: fed.name.clone(),
            element_type: fed.element_type,
            axes: growing(fed),
        }
    }
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
pub fn materialize(plan: &InputPlan, batch_size: u64) -> Result<Vec<InputSet>, InputError> {
    plan.supports_batch(batch_size)
        .map_err(|reason| InputError::BatchSize(batch_size, reason))?;
    match Dataset::open(plan)? {
        Some(dataset) => {
            plan.ask_for_sets(batch_size, dataset.sets_count(batch_size))?;
            dataset.input_sets(batch_size)
        }
        None => {
            plan.ask_for_sets(batch_size, 1)?;
            Ok(vec![made_up(plan, batch_size, plan.seed)?])
        }
    }
}

pub(super) fn made_up(
    plan: &InputPlan,
    batch_size: u64,
    seed: u64,
) -> Result<InputSet, InputError> {
    let mut set = InputSet::new();
    for fed in &plan.fed {
        set.push(Argument {
            name: fed.name.clone(),
            value: fill::value(fed, batch_size, seed)?,
        });
    }
    Ok(set)
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

/// What the inputs of a plan want of its data.
fn wanted(plan: &InputPlan) -> Vec<Wanted> {
    let forms = plan.forms.inputs.iter().copied();
    plan.fed
        .iter()
        .zip(forms.chain(std::iter::repeat(Form::Tensor)))
        .map(|(fed, form)| Wanted::fed(fed, form, &plan.batch_axis))
        .collect()
}

/// The sets of data that is as it was when the plan was made.
fn stored_sets(plan: &InputPlan, data: &Data, path: &Path) -> Result<Vec<Set>, InputError> {
    let axes = sample_axes(&plan.fed, &plan.batch_axis);
    let mut sets = Vec::new();
    for set in &data.sets {
        let samples = check::samples(data, set, &axes)?;
        check::check_ranks(path, set, &plan.fed)?;
        sets.push(Set {
            columns: columns(set, &plan.fed, path)?,
            outputs: set.outputs.clone(),
            samples,
        });
    }
    Ok(sets)
}

fn columns(set: &data::Set, fed: &[FedInput], path: &Path) -> Result<Vec<Column>, InputError> {
    let mut columns = Vec::new();
    for (source, fed) in set.inputs.iter().zip(fed) {
        let column = Column::of(source.load()?, fed.element_type);
        columns.push(column.map_err(InputError::read(path))?);
    }
    Ok(columns)
}

fn made_set(plan: &InputPlan, samples: u64, seed: u64) -> Result<Set, InputError> {
    let columns = plan
        .fed
        .iter()
        .map(|fed| Column::made(fed, samples, seed))
        .collect::<Result<_, _>>()?;
    Ok(Set {
        columns,
        outputs: Vec::new(),
        samples: samples as usize,
    })
}

impl Dataset {
    /// Opens the plan's data; absent if its values are synthesized.
    ///
    /// # Errors
    /// The data cannot be read any more, or has changed since the plan was made.
    pub fn open(plan: &InputPlan) -> Result<Option<Dataset>, InputError> {
        let InputSource::Data { path, labels } = &plan.source else {
            return Ok(None);
        };
        let data = Data::open(path, &wanted(plan), &plan.forms.outputs)?;
        let sets = stored_sets(plan, &data, path)?;
        let mut dataset = Dataset::new(plan, sets, path.clone());
        dataset.info.source = path.display().to_string().into();
        let found = data::labels_of(&data, labels.as_deref(), dataset.len() as usize)?;
        if let Some(found) = found {
            dataset.label(found, plan);
        }
        Ok(Some(dataset))
    }

    fn label(&mut self, labels: Labels, plan: &InputPlan) {
        self.info.class_labels = labels.classes(&plan.classes);
        self.info.has_targets = !labels.facts().is_text;
        self.labels = Some(labels);
    }

    /// A dataset of `samples_count` synthesized samples, for comparing variants where there is no
    /// data.
    ///
    /// A model without a batch dimension gets as many sets of inputs; plans with data are to be
    /// [opened](Self::open).
    ///
    /// # Errors
    /// The samples are too large.
    pub fn synthesized(plan: &InputPlan, samples_count: u64) -> Result<Dataset, InputError> {
        let batched = !plan.batch_axis.axes.is_empty();
        let (sets_count, samples) = if batched {
            (1, samples_count)
        } else {
            (samples_count, 1)
        };
        plan.ask_for_sets(samples, sets_count)?;
        let sets = (0..sets_count)
            .map(|index| made_set(plan, samples, plan.seed.wrapping_add(index)))
            .collect::<Result<_, InputError>>()?;
        Ok(Dataset::new(plan, sets, PathBuf::new()))
    }

    fn new(plan: &InputPlan, sets: Vec<Set>, path: PathBuf) -> Dataset {
        Dataset {
            info: synthesized_info(&sets),
            path,
            inputs: plan.fed.iter().map(Input::of).collect(),
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
    let mut outputs = sets.iter().flat_map(|set| set.outputs.iter().flatten());
    DatasetInfo {
        source: "synthesized".to_owned().into(),
        samples_count: sets
            .iter()
            .fold(0, |sum: u64, set| sum.saturating_add(set.samples as u64)),
        class_labels: None,
        has_targets: false,
        has_expected_outputs: outputs.any(|stored| !matches!(stored, Stored::Nothing)),
    }
}

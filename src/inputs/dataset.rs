//! Samples, and batches of them.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use super::argument::{Argument, Form, Value, of_sequence};
use super::column::Column;
use super::data::{self, Data, Source};
use super::dims::sample_axes;
use super::protobuf::Stored;
use super::wanted::Wanted;
use super::{InputError, InputPlan, InputSource, Labels, Tensor, TensorData, check, fill};
use crate::plan::ElementType;
use crate::record::{DatasetInfo, FedInput};

/// Largest number of distinct input sets that timed runs rotate: enough that no cache of the machine holds all inputs
/// of a usual model, few enough that warm-up sees each of them.
pub const INPUT_SETS_LIMIT: u64 = 8;

/// Batches that repeat the data more often than this are a slip of the finger.
const MOST_REPEATS: u64 = 1 << 24;

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
    name: String,
    element_type: ElementType,
    axes: Vec<Growing>,
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

#[derive(Clone, Debug)]
struct Segment {
    set: usize,
    rows: Range<usize>,
}

/// Input sets for timed runs with `batch_size`: one if values are synthesized, else up to [`INPUT_SETS_LIMIT`].
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
    let made = |fed: &FedInput| {
        Ok(Argument {
            name: fed.name.clone(),
            value: fill::value(fed, batch_size, seed)?,
        })
    };
    plan.fed.iter().map(made).collect()
}

fn growing(fed: &FedInput) -> Vec<Growing> {
    let rows = |axis: usize| {
        fed.rows_per_sample
            .get(&axis)
            .map_or(1, |&rows| rows as usize)
    };
    let open = (0..fed.dims.len()).filter(|&axis| fed.dims[axis].is_none());
    open.map(|axis| Growing {
        axis,
        rows: rows(axis),
    })
    .collect()
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
        let forms = plan
            .forms
            .inputs
            .iter()
            .copied()
            .chain(std::iter::repeat(Form::Tensor));
        let wanted = plan
            .fed
            .iter()
            .zip(forms)
            .map(|(fed, form)| Wanted::fed(fed, form, &plan.batch_axis));
        let data = Data::open(path, &wanted.collect::<Vec<_>>(), &plan.forms.outputs)?;
        let axes = sample_axes(&plan.fed, &plan.batch_axis);
        let mut sets = Vec::new();
        for set in &data.sets {
            let samples = check::samples(&data, set, &axes)?;
            check::check_ranks(path, set, &plan.fed)?;
            let read = |source| InputError::Read(path.clone(), source);
            let column = |(source, fed): (&Source, &FedInput)| {
                Column::of(source.load()?, fed.element_type).map_err(read)
            };
            let columns = set
                .inputs
                .iter()
                .zip(&plan.fed)
                .map(column)
                .collect::<Result<_, InputError>>()?;
            sets.push(Set {
                columns,
                outputs: set.outputs.clone(),
                samples,
            });
        }
        let mut dataset = Dataset::new(plan, sets, path.clone());
        dataset.info.source = path.display().to_string();
        if let Some(found) = data::labels_of(&data, labels.as_deref(), dataset.len() as usize)? {
            dataset.info.class_labels = found.classes(&plan.classes);
            dataset.info.has_targets = !found.facts().is_text;
            dataset.labels = Some(found);
        }
        Ok(Some(dataset))
    }

    /// A dataset of `samples_count` synthesized samples, for comparing variants where there is no data.
    ///
    /// A model without a batch dimension gets as many sets of inputs; plans with data are to be [opened](Self::open).
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
        let set = |index: u64| {
            let made = |fed| Column::made(fed, samples, plan.seed.wrapping_add(index));
            let columns = plan.fed.iter().map(made).collect::<Result<_, _>>()?;
            Ok(Set {
                columns,
                outputs: Vec::new(),
                samples: samples as usize,
            })
        };
        let sets = (0..sets_count)
            .map(set)
            .collect::<Result<_, InputError>>()?;
        Ok(Dataset::new(plan, sets, PathBuf::new()))
    }

    fn new(plan: &InputPlan, sets: Vec<Set>, path: PathBuf) -> Dataset {
        let input = |fed: &FedInput| Input {
            name: fed.name.clone(),
            element_type: fed.element_type,
            axes: growing(fed),
        };
        let mut outputs = sets.iter().flat_map(|set| set.outputs.iter().flatten());
        let info = DatasetInfo {
            source: "synthesized".to_owned(),
            samples_count: sets
                .iter()
                .fold(0, |sum: u64, set| sum.saturating_add(set.samples as u64)),
            class_labels: None,
            has_targets: false,
            has_expected_outputs: outputs.any(|stored| !matches!(stored, Stored::Nothing)),
        };
        let inputs = plan.fed.iter().map(input).collect();
        Dataset {
            info,
            path,
            inputs,
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

    /// The `length` samples from `start` on; after the last sample follows the first again, which pads the last batch
    /// of a model whose batch size is fixed.
    ///
    /// # Errors
    /// `length` is 0, the model has no batch dimension and `length` is not 1, or samples differ in shape.
    pub fn batch(&self, start: u64, length: u64) -> Result<InputSet, InputError> {
        let segments = self.segments(start, length)?;
        let take = |(index, input): (usize, &Input)| {
            let name = input.name.clone();
            let column = segments
                .first()
                .map(|segment| &self.sets[segment.set].columns[index]);
            if let Some(value) = column
                .map(|column| column.whole(length))
                .transpose()?
                .flatten()
            {
                return Ok(Argument { name, value });
            }
            let parts = segments.iter().map(|segment| self.part(index, segment));
            let read = |source| InputError::Read(self.path.clone(), source);
            let parts: Vec<Option<TensorData>> = parts.collect::<io::Result<_>>().map_err(read)?;
            let parts: Vec<TensorData> = parts.into_iter().flatten().collect();
            let whole = match (input.axes.first(), parts.len()) {
                (None, _) | (_, 1) => parts.into_iter().next(),
                (Some(growing), _) => TensorData::concatenated(&parts, growing.axis),
            };
            let ragged = || InputError::Ragged(self.path.clone(), input.name.clone(), length);
            let data = whole.ok_or_else(ragged)?;
            Ok(Argument {
                name,
                value: Value::Tensor(data),
            })
        };
        self.inputs.iter().enumerate().map(take).collect()
    }

    /// Expected values of an output, or of a tensor of one that is a sequence, for the `length` samples from `start`
    /// on; absent where the data has none, or where they cannot be split into samples.
    #[must_use]
    pub fn expected(&self, output: &str, start: u64, length: u64) -> Option<Tensor> {
        let index = |name: &str| self.outputs.iter().position(|known| known == name);
        let (index, place) = match (index(output), of_sequence(output)) {
            (Some(index), _) => (index, None),
            (None, Some((sequence, place))) => (index(sequence)?, Some(place)),
            (None, None) => return None,
        };
        let part = |segment: &Segment| {
            let set = &self.sets[segment.set];
            let array = match (set.outputs.get(index)?.as_ref()?, place) {
                (Stored::Tensor(array), None) => array,
                (Stored::Sequence(tensors), Some(place)) => tensors.get(place)?,
                _ => return None,
            };
            match array.shape().first() {
                _ if segment.rows.len() == set.samples => array.tensor().ok()?,
                Some(&size) if size == set.samples => array.rows(0, segment.rows.clone()).ok()?,
                _ => None,
            }
        };
        let parts: Vec<TensorData> = self
            .segments(start, length)
            .ok()?
            .iter()
            .map(part)
            .collect::<Option<_>>()?;
        let data = if parts.len() == 1 {
            parts.into_iter().next()?
        } else {
            TensorData::concatenated(&parts, 0)?
        };
        Some(Tensor {
            name: output.to_owned(),
            data,
        })
    }

    /// How many tensors an output that is a sequence is to hold at a sample; absent where the data does not say.
    #[must_use]
    pub fn expected_length(&self, sequence: &str, sample: u64) -> Option<usize> {
        let index = self.outputs.iter().position(|known| known == sequence)?;
        let set = self.segments(sample, 1).ok()?.first()?.set;
        match self.sets[set].outputs.get(index)?.as_ref()? {
            Stored::Sequence(tensors) => Some(tensors.len()),
            Stored::Tensor(_) | Stored::Nothing => None,
        }
    }

    /// Names of the outputs.
    #[must_use]
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// Up to [`INPUT_SETS_LIMIT`] distinct sets of `batch_size` samples. Test sets of that size stay as they are;
    /// otherwise samples are taken in turn, from the first again after the last.
    ///
    /// # Errors
    /// As [`Dataset::batch`].
    pub fn input_sets(&self, batch_size: u64) -> Result<Vec<InputSet>, InputError> {
        let limit = INPUT_SETS_LIMIT as usize;
        let mut starts = Vec::new();
        let mut start = 0_u64;
        for set in &self.sets {
            if set.samples as u64 == batch_size {
                starts.push(start);
            }
            start = start.saturating_add(set.samples as u64);
        }
        if self.sets.len() == 1 || starts.is_empty() {
            starts = (0..self.sets_count(batch_size))
                .map(|index| index.saturating_mul(batch_size))
                .collect();
        }
        starts
            .into_iter()
            .take(limit)
            .map(|start| self.batch(start, batch_size))
            .collect()
    }

    /// How many sets of inputs there are for a batch size, where no test set is of that size.
    fn sets_count(&self, batch_size: u64) -> u64 {
        self.len()
            .div_ceil(batch_size.max(1))
            .clamp(1, INPUT_SETS_LIMIT)
    }

    /// Rows of an input; absent where the input has fewer, or elements that cannot be cast.
    fn part(&self, index: usize, segment: &Segment) -> io::Result<Option<TensorData>> {
        let input = &self.inputs[index];
        let column = &self.sets[segment.set].columns[index];
        let samples = &segment.rows;
        let (part, others) = match (column, input.axes.split_first()) {
            (Column::Stored(array), None) => (array.tensor()?, &[][..]),
            (Column::Counted(..) | Column::Whole(_), _) => return Ok(None),
            (Column::Made(data), None) => (Some(data.clone()), &[][..]),
            (Column::Stored(array), Some((first, others))) => {
                (array.rows(first.axis, first.rows(samples))?, others)
            }
            (Column::Made(data), Some((first, others))) => {
                (Some(data.rows(first.axis, first.rows(samples))), others)
            }
        };
        let Some(mut part) = part else {
            return Ok(None);
        };
        for growing in others {
            let rows = growing.rows(samples);
            if part
                .shape()
                .get(growing.axis)
                .is_none_or(|&size| size < rows.end)
            {
                return Ok(None);
            }
            part = part.rows(growing.axis, rows);
        }
        Ok(part.cast(input.element_type))
    }

    fn segments(&self, start: u64, length: u64) -> Result<Vec<Segment>, InputError> {
        let batched = self.inputs.iter().any(|input| !input.axes.is_empty());
        let reason = match (length, batched) {
            (0, _) => Some("a batch has at least one sample"),
            (2.., false) => Some("there is no batch"),
            _ if self.is_empty() => Some("the dataset has no samples"),
            _ if length / self.len() > MOST_REPEATS => Some("the data has far fewer samples"),
            _ => None,
        };
        if let Some(reason) = reason {
            return Err(InputError::BatchSize(length, reason.to_owned()));
        }
        let mut segments = Vec::new();
        let (mut next, mut left) = ((start % self.len()) as usize, length as usize);
        while left > 0 {
            let (set, row) = self.locate(next);
            let rows = row..self.sets[set].samples.min(row.saturating_add(left));
            left -= rows.len();
            next = (next + rows.len()) % self.len() as usize;
            segments.push(Segment { set, rows });
        }
        Ok(segments)
    }

    /// The set and the row within it of a sample, whose index is less than the number of samples.
    fn locate(&self, sample: usize) -> (usize, usize) {
        let mut row = sample;
        for (index, set) in self.sets.iter().enumerate() {
            if row < set.samples {
                return (index, row);
            }
            row -= set.samples;
        }
        (0, 0)
    }
}

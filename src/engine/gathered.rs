//! Requests gathered into batches: samples are copied into the inputs of a batch, and outputs out
//! of it to each request.

use std::sync::Arc;

use ort::session::{IoBinding, RunOptions, Session as OrtSession};
use ort::value::{DynValue, TensorElementType, ValueType};

use super::bound_outputs::{OutputPlaces, Values, undeclared};
use super::buffer::{self, Buffer};
use super::io_binding::{self, MemoryPlace};
use super::message::bind_error;
use super::strips::{self, Place, Sized, Strips};
use super::value::HeldSet;
use super::{EngineError, Result, ServedInference, tensor, warming};
use crate::inputs::Tensor;
use crate::measure::{Clock, MonotonicClock};
use crate::provider::Memory;

/// Samples and inputs of batches, which all callers of a session share.
pub(super) struct Shared {
    /// Inputs that samples are put together in.
    pub gathered: Vec<GatheredInput>,
    /// Ascending by size.
    pub batches: Vec<SharedBatch>,
}

/// An input that has an axis along which samples lie.
pub(super) struct GatheredInput {
    name: String,
    element_type: TensorElementType,
    /// Shape of one sample.
    shape: Vec<usize>,
    axis: usize,
    strips: Strips,
    /// Elements of each sample.
    samples: Vec<Box<[u8]>>,
    /// Elements of a batch of the largest size.
    filled: Box<[u8]>,
}

/// Inputs of a batch that have no such axis.
pub(super) struct SharedBatch {
    pub size: usize,
    pub inputs: HeldSet,
}

impl GatheredInput {
    /// Of an input of the largest batch, which has room for so many, and of the samples.
    pub(super) fn new(
        name: &str,
        batch: &SizedValue<'_>,
        axis: usize,
        samples: &[&DynValue],
    ) -> Result<Self> {
        let refused = |why: &str| EngineError::Bind {
            name: name.to_owned(),
            message: format!("samples cannot be put together: {why}"),
        };
        let Some((element_type, mut shape)) = form(batch.value) else {
            return Err(refused("it is no tensor"));
        };
        shape[axis] /= batch.size;
        let elements = shape.iter().product();
        let bytes = whole_bytes(element_type, elements)
            .ok_or_else(|| refused(&format!("elements are of type {element_type}")))?;
        let mut all = Vec::new();
        for sample in samples {
            if form(sample) != Some((element_type, shape.clone())) {
                return Err(refused("they differ in shape"));
            }
            all.push(buffer::elements(sample)?.into());
        }
        Ok(GatheredInput {
            strips: Strips::of(&shape, axis, bytes),
            name: name.to_owned(),
            element_type,
            shape,
            axis,
            samples: all,
            filled: buffer::elements(batch.value)?.into(),
        })
    }

    fn shape_of(&self, size: usize) -> Vec<usize> {
        let mut shape = self.shape.clone();
        shape[self.axis] *= size;
        shape
    }
}

/// A value of a batch of so many samples.
pub(super) struct SizedValue<'v> {
    pub size: usize,
    pub value: &'v DynValue,
}

/// Type and shape of a tensor.
type Form = (TensorElementType, Vec<usize>);

fn form(value: &DynValue) -> Option<Form> {
    let ValueType::Tensor { ty, shape, .. } = value.dtype() else {
        return None;
    };
    let shape = shape.iter().map(|&size| usize::try_from(size).ok());
    Some((*ty, shape.collect::<Option<_>>()?))
}

/// Size of so many elements; `None` where they have none of their own, or begin within a byte.
fn whole_bytes(element_type: TensorElementType, elements: usize) -> Option<usize> {
    if element_type == TensorElementType::String {
        return None;
    }
    let bytes = element_type.byte_size(elements)?;
    (element_type.byte_size(elements * 2)? == bytes * 2).then_some(bytes)
}

/// A caller that puts requests together.
pub(super) struct Gathered<'s> {
    session: &'s OrtSession,
    shared: Arc<Shared>,
    options: Option<RunOptions>,
    /// Whether inputs are to be bound anew after they were written, since they are copied to a
    /// device then.
    rebinds_inputs: bool,
    places: OutputPlaces,
    binds_outputs_anew: bool,
    batches: Vec<Batch>,
    /// Elements of each gathered input, for the largest batch; smaller ones use a part.
    buffers: Vec<Buffer>,
    answers: Vec<Answer>,
    last: usize,
}

struct Batch {
    size: usize,
    binding: IoBinding,
    /// Gathered inputs, which read the buffers.
    inputs: Vec<DynValue>,
    outputs: Vec<DynValue>,
}

impl Batch {
    fn has_run(&self) -> bool {
        !self.outputs.is_empty()
    }
}

/// An output as requests are handed it.
struct Answer {
    name: String,
    element_type: TensorElementType,
    shape: Vec<usize>,
    /// Absent where all requests of a batch are handed the whole output.
    strips: Option<Strips>,
    /// One for each request of a batch.
    buffers: Vec<Buffer>,
}

impl<'s> Gathered<'s> {
    /// Binds memory for batches of each size, and runs each.
    pub(super) fn new(
        session: &'s OrtSession,
        place: MemoryPlace,
        shared: &Arc<Shared>,
    ) -> Result<Self> {
        let most = shared.batches.last().map_or(1, |batch| batch.size);
        let memory = || io_binding::host_outputs().map_err(|error| bind_error("outputs", &error));
        let options = place.captures.then(io_binding::without_graph).transpose();
        let mut gathered = Gathered {
            session,
            options: options.map_err(|error| bind_error("graph", &error))?,
            rebinds_inputs: place.memory == Memory::Cuda,
            places: OutputPlaces::new(session, memory()?, memory()?),
            binds_outputs_anew: false,
            batches: Vec::new(),
            buffers: shared
                .gathered
                .iter()
                .map(|input| Buffer::holding(&input.filled))
                .collect(),
            answers: Vec::new(),
            last: 0,
            shared: Arc::clone(shared),
        };
        for batch in &shared.batches {
            let bound = gathered.bind(batch)?;
            gathered.batches.push(bound);
        }
        gathered.warm_up()?;
        gathered.answers = gathered.answers_of(most)?;
        Ok(gathered)
    }

    fn bind(&self, batch: &SharedBatch) -> Result<Batch> {
        let mut binding = self
            .session
            .create_binding()
            .map_err(|error| bind_error("session", &error))?;
        for input in batch.inputs.iter() {
            let name = input.name.to_string_lossy();
            if self.shared.gathered.iter().any(|one| one.name == name) {
                continue;
            }
            binding
                .bind_input(&*name, input.value.value())
                .map_err(|error| bind_error(&name, &error))?;
        }
        let mut inputs = Vec::new();
        for (input, buffer) in self.shared.gathered.iter().zip(&self.buffers) {
            let value = buffer
                .tensor(input.element_type, &input.shape_of(batch.size))
                .map_err(|error| bind_error(&input.name, &error))?;
            binding
                .bind_input(&*input.name, &value)
                .map_err(|error| bind_error(&input.name, &error))?;
            inputs.push(value);
        }
        self.places.bind(&mut binding)?;
        Ok(Batch {
            size: batch.size,
            binding,
            inputs,
            outputs: Vec::new(),
        })
    }

    /// The smallest and the largest batch, by which outputs are parted, and the others as far as
    /// there is time.
    fn warm_up(&mut self) -> Result<()> {
        let began_at = MonotonicClock.now();
        let last = self.batches.len().saturating_sub(1);
        self.warm(0)?;
        for batch in (1..=last).rev() {
            if batch < last && !warming::is_left(began_at) {
                break;
            }
            self.warm(batch)?;
        }
        Ok(())
    }

    /// Runs a batch twice, so that its outputs have their memory, or are known to need it anew.
    fn warm(&mut self, batch: usize) -> Result<()> {
        self.last = batch;
        self.run_batch(batch)?;
        self.binds_outputs_anew |= undeclared(self.session, &self.batches[batch].binding).is_some();
        self.prepare()?;
        if self.run_batch(batch).is_err() && !self.binds_outputs_anew {
            self.binds_outputs_anew = true;
            self.prepare()?;
            self.run_batch(batch)?;
        }
        self.batches[batch].outputs = self.read(batch)?;
        self.prepare()
    }

    fn run_batch(&mut self, batch: usize) -> Result<()> {
        let Batch {
            binding, inputs, ..
        } = &mut self.batches[batch];
        if self.rebinds_inputs {
            for (input, value) in self.shared.gathered.iter().zip(inputs) {
                binding
                    .bind_input(&*input.name, value)
                    .map_err(|error| bind_error(&input.name, &error))?;
            }
        }
        io_binding::run_bound(self.session, self.options.as_ref(), binding)
    }

    /// The outputs of a batch that ran.
    fn read(&self, batch: usize) -> Result<Vec<DynValue>> {
        let mut values =
            Values::of(&self.batches[batch].binding).ok_or_else(|| unparted("outputs", "none"))?;
        let outputs = self.session.outputs().iter().enumerate();
        outputs
            .map(|(index, output)| {
                values
                    .take(index)
                    .ok_or_else(|| unparted(output.name(), "it holds nothing"))
            })
            .collect()
    }

    fn answers_of(&self, most: usize) -> Result<Vec<Answer>> {
        let names = self.session.outputs().iter().map(|output| output.name());
        names
            .enumerate()
            .map(|(index, name)| self.answer(name, index, most))
            .collect()
    }

    /// How an output is parted, by its shapes at all sizes.
    fn answer(&self, name: &str, index: usize, most: usize) -> Result<Answer> {
        let mut forms = Vec::new();
        for batch in self.batches.iter().filter(|batch| batch.has_run()) {
            let form = form(&batch.outputs[index]);
            forms.push((
                batch.size,
                form.ok_or_else(|| unparted(name, "it is no tensor"))?,
            ));
        }
        let Some((size, (element_type, shape))) = forms.first().cloned() else {
            return Err(unparted(name, "there are no batches"));
        };
        let axis = axis_of(name, &forms)?;
        let mut one = shape;
        if let Some(axis) = axis {
            one[axis] /= size;
        }
        let bytes = whole_bytes(element_type, one.iter().product())
            .ok_or_else(|| unparted(name, &format!("elements are of type {element_type}")))?;
        Ok(Answer {
            name: name.to_owned(),
            element_type,
            strips: axis.map(|axis| Strips::of(&one, axis, bytes)),
            shape: one,
            buffers: (0..most).map(|_| Buffer::zeroed(bytes)).collect(),
        })
    }

    /// The first batch that has room for so many.
    #[inline]
    fn batch_for(&self, requests: usize) -> Option<usize> {
        self.batches.iter().position(|batch| batch.size >= requests)
    }
}

/// The axis along which samples lie in an output that came in these forms; where there is one size
/// alone, the first one if it can be.
fn axis_of(name: &str, forms: &[(usize, Form)]) -> Result<Option<usize>> {
    let Some(((size, (_, shape)), others)) = forms.split_first() else {
        return Ok(None);
    };
    let first = Sized { size: *size, shape };
    let mut found = others.iter().map(|(size, (_, shape))| {
        let other = Sized { size: *size, shape };
        strips::axis(&first, &other).map_err(|()| unlike(name, &first, &other))
    });
    match found.next() {
        Some(axis) => {
            let axis = axis?;
            for ((size, (_, shape)), other) in others[1..].iter().zip(found) {
                if other? != axis {
                    return Err(unlike(name, &first, &Sized { size: *size, shape }));
                }
            }
            Ok(axis)
        }
        None if *size > 1 => Ok(shape.first().filter(|&&rows| rows % size == 0).map(|_| 0)),
        None => Ok(None),
    }
}

fn unlike(name: &str, first: &Sized<'_>, other: &Sized<'_>) -> EngineError {
    unparted(
        name,
        &format!(
            "it came as {:?} for {} samples, and as {:?} for {}",
            first.shape, first.size, other.shape, other.size
        ),
    )
}

fn unparted(output: &str, why: &str) -> EngineError {
    EngineError::Bind {
        name: output.to_owned(),
        message: format!("outputs of a batch cannot be handed to each request: {why}"),
    }
}

fn other_size(output: &str) -> EngineError {
    EngineError::Run {
        message: format!("output `{output}` of a batch came in another size than before"),
    }
}

impl ServedInference for Gathered<'_> {
    fn run(&mut self, samples: &[usize]) -> Result<()> {
        let Some(batch) = self.batch_for(samples.len()) else {
            return Err(EngineError::Run {
                message: format!("there is no batch of {} requests", samples.len()),
            });
        };
        let size = self.batches[batch].size;
        for (input, buffer) in self.shared.gathered.iter().zip(&mut self.buffers) {
            for (place, &sample) in samples.iter().enumerate() {
                let at = Place {
                    sample: place,
                    size,
                };
                input
                    .strips
                    .put(&input.samples[sample], buffer.bytes_mut(), at);
            }
        }
        self.last = batch;
        self.run_batch(batch)?;
        if self.binds_outputs_anew || !self.batches[batch].has_run() {
            self.batches[batch].outputs = self.read(batch)?;
        }
        let outputs = &self.batches[batch].outputs;
        for (answer, output) in self.answers.iter_mut().zip(outputs) {
            answer.hand_out(buffer::elements(output)?, samples.len(), size)?;
        }
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        if !self.binds_outputs_anew {
            return Ok(());
        }
        self.places.bind(&mut self.batches[self.last].binding)
    }

    fn outputs(&self, place: usize) -> Vec<Tensor> {
        self.answers
            .iter()
            .filter_map(|answer| answer.tensor(place))
            .collect()
    }
}

impl Answer {
    #[inline]
    fn hand_out(&mut self, output: &[u8], requests: usize, size: usize) -> Result<()> {
        let wanted = match self.strips {
            Some(strips) => strips.bytes() * size,
            None => self.buffers.first().map_or(0, Buffer::len),
        };
        if output.len() != wanted {
            return Err(other_size(&self.name));
        }
        for (sample, buffer) in self.buffers.iter_mut().take(requests).enumerate() {
            match self.strips {
                Some(strips) => strips.take(output, buffer.bytes_mut(), Place { sample, size }),
                None => buffer.bytes_mut().copy_from_slice(output),
            }
        }
        Ok(())
    }

    fn tensor(&self, place: usize) -> Option<Tensor> {
        let value = self.buffers.get(place)?;
        let value = value.tensor(self.element_type, &self.shape).ok()?;
        Some(Tensor {
            name: self.name.clone(),
            data: tensor::data_of(&value)?,
        })
    }
}

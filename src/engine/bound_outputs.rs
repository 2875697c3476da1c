//! Where the outputs of a session go, and of what size they came.

use std::ptr;

use ort::AsPointer;
use ort::memory::MemoryInfo;
use ort::session::{IoBinding, Session as OrtSession};
use ort::sys::{OrtAllocator, OrtTensorTypeAndShapeInfo, OrtValue};
use ort::value::{DynValue, Outlet, TensorElementType, ValueType};

use super::message::bind_error;
use super::{Result, value};
use crate::inputs::Tensor;

pub(super) struct OutputPlaces {
    outputs: Vec<OutputPlace>,
    memory: MemoryInfo<'static>,
    host: MemoryInfo<'static>,
}

struct OutputPlace {
    name: String,
    is_on_host: bool,
}

impl OutputPlace {
    fn of(output: &Outlet) -> Self {
        OutputPlace {
            name: output.name().to_owned(),
            is_on_host: holds_strings(output.dtype()),
        }
    }
}

impl OutputPlaces {
    /// Strings stay in `host` memory: ONNX Runtime copies them to a device as if they were numbers.
    pub(super) fn new(
        session: &OrtSession,
        memory: MemoryInfo<'static>,
        host: MemoryInfo<'static>,
    ) -> Self {
        OutputPlaces {
            outputs: session.outputs().iter().map(OutputPlace::of).collect(),
            memory,
            host,
        }
    }

    /// Binds all of them; what they were bound to before is let go.
    pub(super) fn bind(&self, binding: &mut IoBinding) -> Result<()> {
        binding.clear_outputs();
        for OutputPlace { name, is_on_host } in &self.outputs {
            let memory = if *is_on_host {
                &self.host
            } else {
                &self.memory
            };
            binding
                .bind_output_to_device(name, memory)
                .map_err(|error| bind_error(name, &error))?;
        }
        Ok(())
    }
}

fn holds_strings(value_type: &ValueType) -> bool {
    match value_type {
        ValueType::Tensor { ty, .. } => *ty == TensorElementType::String,
        ValueType::Sequence(of) | ValueType::Optional(of) => holds_strings(of),
        ValueType::Map { key, value, .. } => [key, value].contains(&&TensorElementType::String),
    }
}

/// The first output of the last run of a binding that has not the size that is declared, as a
/// fragment of a sentence.
pub(super) fn undeclared(session: &OrtSession, binding: &IoBinding) -> Option<String> {
    let values = Values::of(binding)?;
    session
        .outputs()
        .iter()
        .enumerate()
        .find_map(|(index, output)| {
            let ValueType::Tensor {
                shape: declared, ..
            } = output.dtype()
            else {
                return None;
            };
            let came = values.shape(index)?;
            let is_fine = fits(declared, &came);
            (!is_fine).then(|| mismatch(output.name(), declared, &came))
        })
}

/// Outputs of the last run of a binding that are in memory of the CPU.
pub(super) fn tensors(session: &OrtSession, binding: &IoBinding) -> Vec<Tensor> {
    let Some(mut values) = Values::of(binding) else {
        return Vec::new();
    };
    session
        .outputs()
        .iter()
        .enumerate()
        .filter_map(|(index, output)| Some((output.name(), values.take(index)?)))
        .flat_map(|(name, value)| value::from_value(name, &value))
        .collect()
}

fn mismatch(name: &str, declared: &[i64], came: &[i64]) -> String {
    format!(
        "output `{name}` is declared as [{}] and came as [{}]",
        in_words(declared),
        in_words(came)
    )
}

/// Any shape fits where nothing is declared, too.
fn fits(declared: &[i64], came: &[i64]) -> bool {
    declared.is_empty()
        || declared.len() == came.len()
            && declared
                .iter()
                .zip(came)
                .all(|(declared, came)| *declared < 0 || declared == came)
}

fn in_words(shape: &[i64]) -> String {
    shape
        .iter()
        .map(|size| match size {
            ..0 => "?".to_owned(),
            size => size.to_string(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) struct Values {
    array: *mut *mut OrtValue,
    count: usize,
    allocator: *mut OrtAllocator,
}

impl Values {
    /// `None` if the runtime does not give them.
    pub(super) fn of(binding: &IoBinding) -> Option<Self> {
        let mut values = Values {
            array: ptr::null_mut(),
            count: 0,
            allocator: ptr::null_mut(),
        };
        let api = ort::api();
        // SAFETY: the default allocator lives as long as the library; the binding is alive, and the
        // array that is made belongs to `values`.
        unsafe {
            ort::Error::result_from_status((api.GetAllocatorWithDefaultOptions)(
                &mut values.allocator,
            ))
            .ok()?;
            let status = (api.GetBoundOutputValues)(
                binding.ptr(),
                values.allocator,
                &mut values.array,
                &mut values.count,
            );
            ort::Error::result_from_status(status).ok()?;
        }
        (!values.array.is_null()).then_some(values)
    }

    /// A value, which is no longer among them; `None` if there is none.
    pub(super) fn take(&mut self, index: usize) -> Option<DynValue> {
        if index >= self.count {
            return None;
        }
        // SAFETY: the array holds `count` values, each of which is taken once and released by who
        // has it; null is nobody's.
        unsafe {
            let value = std::mem::replace(&mut *self.array.add(index), ptr::null_mut());
            value::taken(value)
        }
    }

    /// The shape of a value; `None` if it is no tensor or there is none.
    fn shape(&self, index: usize) -> Option<Vec<i64>> {
        if index >= self.count {
            return None;
        }
        // SAFETY: the array holds `count` values.
        let value = unsafe { *self.array.add(index) };
        let api = ort::api();
        let mut is_tensor = 0;
        // SAFETY: the value is alive as long as `self`.
        unsafe { ort::Error::result_from_status((api.IsTensor)(value, &mut is_tensor)) }.ok()?;
        if is_tensor == 0 {
            return None;
        }
        let mut info: *mut OrtTensorTypeAndShapeInfo = ptr::null_mut();
        // SAFETY: the value is a tensor, and `info` is released below.
        unsafe { ort::Error::result_from_status((api.GetTensorTypeAndShape)(value, &mut info)) }
            .ok()?;
        let mut count = 0;
        // SAFETY: `info` is alive, and the buffer has the length that was just asked for.
        let read = unsafe {
            ort::Error::result_from_status((api.GetDimensionsCount)(info, &mut count)).and_then(
                |()| {
                    let mut dims = vec![0; count];
                    ort::Error::result_from_status((api.GetDimensions)(
                        info,
                        dims.as_mut_ptr(),
                        count,
                    ))
                    .map(|()| dims)
                },
            )
        };
        // SAFETY: `info` is not used after this.
        unsafe { (api.ReleaseTensorTypeAndShapeInfo)(info) };
        read.ok()
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        let api = ort::api();
        // SAFETY: values and array belong to `self`, and are not used after this.
        unsafe {
            for index in 0..self.count {
                let value = *self.array.add(index);
                if !value.is_null() {
                    (api.ReleaseValue)(value);
                }
            }
            if !self.array.is_null() {
                // Memory that cannot be given back is lost.
                let _ = ort::Error::result_from_status((api.AllocatorFree)(
                    self.allocator,
                    self.array.cast(),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ort::value::{Shape, SymbolicDimensions};

    use super::*;

    fn tensor(ty: TensorElementType) -> ValueType {
        ValueType::Tensor {
            ty,
            shape: Shape::empty(1),
            dimension_symbols: SymbolicDimensions::empty(1),
        }
    }

    #[test]
    fn outputs_of_strings_stay_on_the_host() {
        let map = |key, value| ValueType::Map { key, value };
        let strings = || Box::new(tensor(TensorElementType::String));
        assert!(holds_strings(&strings()) && holds_strings(&ValueType::Optional(strings())));
        assert!(holds_strings(&ValueType::Sequence(Box::new(map(
            TensorElementType::String,
            TensorElementType::Float32
        )))));
        assert!(!holds_strings(&ValueType::Sequence(Box::new(tensor(
            TensorElementType::Float32
        )))));
        assert!(!holds_strings(&map(
            TensorElementType::Int64,
            TensorElementType::Float32
        )));
    }
}

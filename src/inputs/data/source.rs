//! Arrays that may still lie in their files.

use std::sync::Arc;

use crate::inputs::InputError;
use crate::inputs::array::Array;
use crate::inputs::npy::{Archive, Head};
use crate::inputs::protobuf::Stored;
use crate::inputs::tensor::casts;
use crate::plan::ElementType;
use crate::record::NoTensor;

/// An array that may still lie in its file.
#[derive(Clone, Debug)]
pub(in crate::inputs) enum Source {
    Numpy(Arc<Archive>, Head),
    Loaded(Stored),
}

impl Source {
    pub fn shape(&self) -> &[usize] {
        match self {
            Source::Numpy(_, head) => &head.shape,
            Source::Loaded(Stored::Tensor(array)) => array.shape(),
            Source::Loaded(Stored::Sequence(_) | Stored::Nothing) => &[],
        }
    }

    pub fn no_tensor(&self) -> Option<NoTensor> {
        match self {
            Source::Loaded(Stored::Sequence(tensors)) => {
                Some(NoTensor::Sequence(tensors.iter().map(sizes).collect()))
            }
            Source::Loaded(Stored::Nothing) => Some(NoTensor::Nothing),
            Source::Loaded(Stored::Tensor(_)) | Source::Numpy(..) => None,
        }
    }

    /// Whether all elements are of a type, or may be cast to it.
    pub fn takes(&self, wanted: ElementType) -> bool {
        match self {
            Source::Loaded(Stored::Sequence(tensors)) => tensors
                .iter()
                .all(|tensor| fits(tensor.element_type(), wanted)),
            Source::Loaded(Stored::Nothing) => true,
            tensor => tensor
                .element_type()
                .is_some_and(|found| fits(found, wanted)),
        }
    }

    /// Type of the elements; absent where ONNX has none like it, and where there are none.
    pub fn element_type(&self) -> Option<ElementType> {
        match self {
            Source::Numpy(_, head) => head.element_type,
            Source::Loaded(Stored::Tensor(array)) => Some(array.element_type()),
            Source::Loaded(Stored::Sequence(tensors)) => tensors.first().map(Array::element_type),
            Source::Loaded(Stored::Nothing) => None,
        }
    }

    /// Whether the elements are Python objects, which only Python reads.
    pub fn is_objects(&self) -> bool {
        matches!(self, Source::Numpy(_, head) if head.descriptor.ends_with('O'))
    }

    pub fn type_name(&self) -> String {
        match self {
            Source::Numpy(_, head) => head.type_name(),
            Source::Loaded(_) => self
                .element_type()
                .unwrap_or(ElementType::Undefined)
                .name()
                .to_owned(),
        }
    }

    /// The value; elements of arrays may stay in the file.
    pub fn load(&self) -> Result<Stored, InputError> {
        match self {
            Source::Numpy(archive, head) => archive.array(head).map(Stored::Tensor),
            Source::Loaded(stored) => Ok(stored.clone()),
        }
    }

    /// Finds out whether the elements are there, where that costs nothing.
    pub fn probe(&self) -> Result<(), InputError> {
        match self {
            Source::Numpy(archive, head) if head.stays_in_file() => archive.array(head).map(drop),
            _ => Ok(()),
        }
    }
}

fn sizes(array: &Array) -> Vec<u64> {
    array.shape().iter().map(|&size| size as u64).collect()
}

fn fits(found: ElementType, wanted: ElementType) -> bool {
    found == wanted || casts(found, wanted)
}

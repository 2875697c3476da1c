//! Arrays that may still lie in their files.

use std::sync::Arc;

use crate::inputs::Result;
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
        let Source::Loaded(stored) = self else {
            return None;
        };
        match stored {
            Stored::Tensor(_) => None,
            Stored::Sequence(tensors) => {
                Some(NoTensor::Sequence(tensors.iter().map(sizes).collect()))
            }
            Stored::Nothing => Some(NoTensor::Nothing),
        }
    }

    /// Whether all elements are of a type, or may be cast to it.
    pub fn takes(&self, wanted: ElementType) -> bool {
        match self {
            Source::Numpy(_, head) => head.element_type.is_some_and(|found| casts(found, wanted)),
            Source::Loaded(stored) => stored
                .tensors()
                .iter()
                .all(|tensor| casts(tensor.element_type(), wanted)),
        }
    }

    /// Type of the elements; absent where ONNX has none like it, and where there are none.
    pub fn element_type(&self) -> Option<ElementType> {
        match self {
            Source::Numpy(_, head) => head.element_type,
            Source::Loaded(stored) => stored.tensors().first().map(Array::element_type),
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
                .to_string(),
        }
    }

    /// The value; elements of arrays may stay in the file.
    pub fn load(&self) -> Result<Stored> {
        match self {
            Source::Numpy(archive, head) => archive.array(head).map(Stored::Tensor),
            Source::Loaded(stored) => Ok(stored.clone()),
        }
    }

    /// Finds out whether the elements are there, where that costs nothing.
    pub fn probe(&self) -> Result<()> {
        match self {
            Source::Numpy(archive, head) if head.stays_in_file() => archive.array(head).map(drop),
            _ => Ok(()),
        }
    }
}

fn sizes(array: &Array) -> Vec<u64> {
    array.shape().iter().map(|&size| size as u64).collect()
}

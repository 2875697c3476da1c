//! Tensors in files of the ONNX standard's own tests, `input_0.pb` and `output_0.pb`.

use std::path::Path;

use onnx_rs::ast::{DataType, TensorProto};

use super::InputError;
use super::array::{Array, Content};
use crate::onnx::{element_type, put_delimited};
use crate::plan::ElementType;

/// Reads the tensor in a `.pb` file.
///
/// # Errors
/// The file cannot be read, holds something else than a tensor (such as a sequence), or elements of a type that no
/// tensor is made of here.
pub(super) fn tensor(path: &Path) -> Result<Array, InputError> {
    let bytes = std::fs::read(path).map_err(|source| InputError::Read { path: path.to_owned(), source })?;
    let fault = |reason: String| InputError::Format { path: path.to_owned(), format: ".pb", reason };
    let wrapped = as_model(&bytes);
    let model = onnx_rs::parse(&wrapped).map_err(|error| fault(format!("it holds no tensor ({error})")))?;
    let graph = model.graph.as_ref();
    let tensor = graph.and_then(|graph| graph.initializer.first()).ok_or_else(|| fault("it is empty".to_owned()))?;
    if tensor.data_type() == DataType::Undefined {
        return Err(fault("it holds no tensor: sequences, maps and optional values are not supported".to_owned()));
    }
    let shape = shape(tensor).ok_or_else(|| fault("its shape has a negative size".to_owned()))?;
    let content = content(tensor)
        .ok_or_else(|| fault(format!("elements of type {} are not supported", element_type(tensor.data_type()))))?;
    Array::new(element_type(tensor.data_type()), shape, content)
        .ok_or_else(|| fault("its elements do not fill its shape".to_owned()))
}

/// A model whose graph has the tensor as its one initializer: the parser's entry is a model.
fn as_model(tensor: &[u8]) -> Vec<u8> {
    let (mut graph, mut model) = (Vec::new(), Vec::new());
    put_delimited(&mut graph, 5, tensor);
    put_delimited(&mut model, 7, &graph);
    model
}

fn shape(tensor: &TensorProto<'_>) -> Option<Vec<usize>> {
    tensor.dims().iter().map(|&size| usize::try_from(size).ok()).collect()
}

/// Elements as little-endian bytes, whichever field of the message holds them.
fn content(tensor: &TensorProto<'_>) -> Option<Content> {
    fn bytes<T: Copy, const N: usize>(values: &[T], to_bytes: impl Fn(T) -> [u8; N]) -> Content {
        Content::Bytes(values.iter().flat_map(|&value| to_bytes(value)).collect::<Vec<u8>>().into())
    }
    if let Some(raw) = tensor.as_raw() {
        return Some(Content::Bytes(raw.to_vec().into()));
    }
    if tensor.dims().contains(&0) {
        let text = tensor.data_type() == DataType::String;
        return Some(if text { Content::Text(Vec::new()) } else { Content::Bytes(Vec::new().into()) });
    }
    match element_type(tensor.data_type()) {
        ElementType::Float => Some(bytes(&tensor.as_f32()?, f32::to_le_bytes)),
        ElementType::Double => Some(bytes(&tensor.as_f64()?, f64::to_le_bytes)),
        ElementType::Int64 => Some(bytes(&tensor.as_i64()?, i64::to_le_bytes)),
        ElementType::Uint64 => Some(bytes(&tensor.as_u64()?, u64::to_le_bytes)),
        ElementType::Uint32 => Some(bytes(&tensor.as_u64()?, |value| (value as u32).to_le_bytes())),
        ElementType::Int32 => Some(bytes(&tensor.as_i32()?, i32::to_le_bytes)),
        ElementType::Int16 | ElementType::Uint16 | ElementType::Float16 | ElementType::Bfloat16 => {
            Some(bytes(&tensor.as_i32()?, |value| (value as u16).to_le_bytes()))
        }
        ElementType::Int8 | ElementType::Uint8 | ElementType::Bool => {
            Some(bytes(&tensor.as_i32()?, |value| [value as u8]))
        }
        ElementType::String => {
            let items = tensor.as_strings()?;
            Some(Content::Text(items.iter().map(|item| String::from_utf8_lossy(item).into_owned()).collect()))
        }
        _ => None,
    }
}

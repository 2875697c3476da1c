//! A model file of inputs and outputs alone, for a model that runs where no file of it is.

use super::put_delimited;
use super::wire::put_number;
use crate::plan::ElementType;
use crate::record::{Dim, TensorInfo};

const IR_VERSION: u64 = 8;
const OPSET: u64 = 17;
const DOMAIN: &str = "onnxprof.server";
const PRODUCER: &str = "onnxprof, from the metadata of a server";

/// Types by their numbers in the standard's `TensorProto.DataType`, those that servers have.
const NUMBERS: [(ElementType, u64); 14] = [
    (ElementType::Float, 1),
    (ElementType::Uint8, 2),
    (ElementType::Int8, 3),
    (ElementType::Uint16, 4),
    (ElementType::Int16, 5),
    (ElementType::Int32, 6),
    (ElementType::Int64, 7),
    (ElementType::String, 8),
    (ElementType::Bool, 9),
    (ElementType::Float16, 10),
    (ElementType::Double, 11),
    (ElementType::Uint32, 12),
    (ElementType::Uint64, 13),
    (ElementType::Bfloat16, 16),
];

/// The bytes of a model file that has these inputs and outputs, and one node of no operator of the
/// standard between them; values that are no tensors are left out. Field numbers are those of `onnx.proto`.
#[must_use]
pub fn interface(inputs: &[TensorInfo], outputs: &[TensorInfo]) -> Vec<u8> {
    let mut graph = Vec::new();
    put_delimited(&mut graph, 1, &node(inputs, outputs));
    put_delimited(&mut graph, 2, b"interface");
    for (number, values) in [(11, inputs), (12, outputs)] {
        for value in values.iter().filter_map(value_info) {
            put_delimited(&mut graph, number, &value);
        }
    }
    let mut opset = Vec::new();
    put_number(&mut opset, 2, OPSET);
    let mut own = Vec::new();
    put_delimited(&mut own, 1, DOMAIN.as_bytes());
    put_number(&mut own, 2, 1);
    let mut model = Vec::new();
    put_number(&mut model, 1, IR_VERSION);
    put_delimited(&mut model, 2, PRODUCER.as_bytes());
    put_delimited(&mut model, 7, &graph);
    put_delimited(&mut model, 8, &opset);
    put_delimited(&mut model, 8, &own);
    model
}

/// Stands for what the server computes.
fn node(inputs: &[TensorInfo], outputs: &[TensorInfo]) -> Vec<u8> {
    let mut node = Vec::new();
    for (number, values) in [(1, inputs), (2, outputs)] {
        for value in values {
            put_delimited(&mut node, number, value.name.exact().as_bytes());
        }
    }
    put_delimited(&mut node, 3, b"server");
    put_delimited(&mut node, 4, b"Served");
    put_delimited(&mut node, 7, DOMAIN.as_bytes());
    node
}

fn value_info(info: &TensorInfo) -> Option<Vec<u8>> {
    let (element_type, dims) = info.value_type.as_tensor()?;
    let mut numbers = NUMBERS.iter();
    let (_, number) = numbers.find(|(one, _)| *one == element_type)?;
    let mut tensor = Vec::new();
    put_number(&mut tensor, 1, *number);
    if let Some(dims) = dims {
        let mut shape = Vec::new();
        for dim in dims {
            put_delimited(&mut shape, 1, &dim_bytes(dim));
        }
        put_delimited(&mut tensor, 2, &shape);
    }
    let mut value_type = Vec::new();
    put_delimited(&mut value_type, 1, &tensor);
    let mut value = Vec::new();
    put_delimited(&mut value, 1, info.name.exact().as_bytes());
    put_delimited(&mut value, 2, &value_type);
    Some(value)
}

fn dim_bytes(dim: &Dim) -> Vec<u8> {
    let mut bytes = Vec::new();
    match dim {
        Dim::Fixed(size) => put_number(&mut bytes, 1, *size),
        Dim::Symbolic(name) => put_delimited(&mut bytes, 2, name.exact().as_bytes()),
        Dim::Unknown => {}
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx;
    use crate::record::ValueType;

    #[test]
    fn inputs_and_outputs_are_read_back() {
        let of = |name: &str, element_type, dims: Vec<Dim>| TensorInfo {
            name: name.into(),
            value_type: ValueType::Tensor {
                element_type,
                dims: Some(dims),
            },
        };
        let batch = || Dim::Symbolic("batch".into());
        let inputs = [
            of("x", ElementType::Float, vec![batch(), Dim::Fixed(64)]),
            of("text", ElementType::String, vec![batch()]),
        ];
        let outputs = [of("y", ElementType::Int64, vec![batch()])];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("served-model.onnx");
        std::fs::write(&path, interface(&inputs, &outputs)).unwrap();
        let summary = onnx::summary(&onnx::read(&path).unwrap());
        assert_eq!(summary.inputs, inputs);
        assert_eq!(summary.outputs, outputs);
    }
}

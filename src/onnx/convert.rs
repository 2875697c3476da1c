//! From the parser's view of a file to the types of [`super::graph`].

use std::collections::BTreeSet;

use onnx_rs::ast::{self, AttributeType, DataType, TypeValue};

use super::graph::{Attribute, AttributeValue, ExternalRange, Function, Graph, Node, StoredTensor};
use super::later;
use crate::plan::ElementType;
use crate::record::{Dim, OpsetImport, TensorInfo, ValueType};

/// The standard's name of its own domain, which files may leave empty.
const STANDARD_DOMAIN: &str = "ai.onnx";

pub(super) fn opsets(imports: &[ast::OperatorSetId<'_>]) -> Vec<OpsetImport> {
    imports.iter().map(opset).collect()
}

fn opset(import: &ast::OperatorSetId<'_>) -> OpsetImport {
    let domain = match import.domain {
        "" => STANDARD_DOMAIN,
        domain => domain,
    };
    OpsetImport {
        domain: domain.to_owned().into(),
        version: import.version,
    }
}

pub(super) fn graph(source: &ast::Graph<'_>) -> Graph {
    let sparse = source
        .sparse_initializer
        .iter()
        .filter_map(|sparse| sparse.values.as_ref());
    let initializers: Vec<StoredTensor> = source
        .initializer
        .iter()
        .chain(sparse)
        .map(tensor)
        .collect();
    let weights: BTreeSet<&str> = initializers
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    let inputs = source
        .input
        .iter()
        .filter(|input| !weights.contains(input.name))
        .map(tensor_info)
        .collect();
    Graph {
        name: source.name.to_owned(),
        nodes: source.node.iter().map(node).collect(),
        inputs,
        outputs: source.output.iter().map(tensor_info).collect(),
        values: source
            .value_info
            .iter()
            .map(tensor_info)
            .map(|info| (info.name.into_exact(), info.value_type))
            .collect(),
        initializers,
    }
}

pub(super) fn function(source: &ast::Function<'_>) -> Function {
    Function {
        domain: source.domain.to_owned(),
        inputs: owned(&source.input),
        outputs: owned(&source.output),
        defaults: source.attribute_proto.iter().map(attribute).collect(),
        body: Graph {
            name: source.name.to_owned(),
            nodes: source.node.iter().map(node).collect(),
            ..Graph::default()
        },
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn node(source: &ast::Node<'_>) -> Node {
    Node {
        name: source.name.to_owned(),
        operator: source.op_type.as_str().to_owned(),
        domain: source.domain.to_owned(),
        inputs: owned(&source.input),
        outputs: owned(&source.output),
        attributes: source.attribute.iter().map(attribute).collect(),
    }
}

fn attribute(source: &ast::Attribute<'_>) -> Attribute {
    Attribute {
        name: source.name.to_owned(),
        value: attribute_value(source),
    }
}

fn attribute_value(source: &ast::Attribute<'_>) -> AttributeValue {
    if !source.ref_attr_name.is_empty() {
        return AttributeValue::Reference(source.ref_attr_name.to_owned());
    }
    if let Some(stored) = &source.t {
        return AttributeValue::Tensor(tensor(stored));
    }
    if let Some(values) = source
        .sparse_tensor
        .as_ref()
        .and_then(|sparse| sparse.values.as_ref())
    {
        return AttributeValue::Tensor(tensor(values));
    }
    let graphs: Vec<Graph> = source
        .g
        .as_deref()
        .into_iter()
        .chain(&source.graphs)
        .map(graph)
        .collect();
    if !graphs.is_empty() {
        return AttributeValue::Graphs(graphs);
    }
    match source.r#type {
        AttributeType::Int => AttributeValue::Integers(vec![source.i]),
        AttributeType::Ints => AttributeValue::Integers(source.ints.clone()),
        AttributeType::Float => AttributeValue::Numbers(vec![f64::from(source.f)]),
        AttributeType::Floats => {
            AttributeValue::Numbers(source.floats.iter().copied().map(f64::from).collect())
        }
        AttributeType::String => AttributeValue::Texts(vec![text(source.s)]),
        AttributeType::Strings => {
            AttributeValue::Texts(source.strings.iter().map(|bytes| text(bytes)).collect())
        }
        _ => AttributeValue::Other,
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A stored tensor, with its elements where the parser has them and they are few.
fn tensor(source: &ast::TensorProto<'_>) -> StoredTensor {
    let dims: Vec<u64> = source
        .dims()
        .iter()
        .map(|&size| u64::try_from(size).unwrap_or(0))
        .collect();
    let mut stored = StoredTensor {
        name: source.name().to_owned(),
        element_type: stored_type(source),
        dims,
        values: None,
        external: external(source),
    };
    stored.values = values(source).filter(|values| values.len() as u64 == stored.elements());
    stored
}

fn external(source: &ast::TensorProto<'_>) -> Option<ExternalRange> {
    if source.data_location() != ast::DataLocation::External {
        return None;
    }
    let offset = external_entry(source, "offset").and_then(|offset| offset.parse().ok());
    let length = external_entry(source, "length").and_then(|length| length.parse().ok());
    Some(ExternalRange {
        location: external_entry(source, "location")
            .unwrap_or_default()
            .into(),
        offset: offset.unwrap_or(0),
        length,
    })
}

fn external_entry<'s>(source: &'s ast::TensorProto<'_>, key: &str) -> Option<&'s str> {
    let mut entries = source.external_data().iter();
    entries
        .find(|entry| entry.key == key)
        .map(|entry| entry.value)
}

fn values(source: &ast::TensorProto<'_>) -> Option<Vec<f64>> {
    if let Some(raw) = source.as_raw() {
        return raw_values(source.data_type(), raw);
    }
    match source.data_type() {
        DataType::Float => source
            .as_f32()
            .map(|values| values.iter().copied().map(f64::from).collect()),
        DataType::Double => source.as_f64().map(|values| values.into_owned()),
        DataType::Int64 => source
            .as_i64()
            .map(|values| values.iter().map(|&value| value as f64).collect()),
        DataType::Uint32 | DataType::Uint64 => source
            .as_u64()
            .map(|values| values.iter().map(|&value| value as f64).collect()),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Uint8
        | DataType::Uint16
        | DataType::Bool => source
            .as_i32()
            .map(|values| values.iter().copied().map(f64::from).collect()),
        _ => None,
    }
}

fn raw_values(data_type: DataType, raw: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(raw: &[u8], value: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
        let (chunks, rest) = raw.as_chunks();
        rest.is_empty()
            .then(|| chunks.iter().map(|&chunk| value(chunk)).collect())
    }
    match data_type {
        DataType::Float => each(raw, |bytes| f64::from(f32::from_le_bytes(bytes))),
        DataType::Double => each(raw, f64::from_le_bytes),
        DataType::Float16 => each(raw, |bytes| f64::from(half::f16::from_le_bytes(bytes))),
        DataType::Int8 => each(raw, |bytes| f64::from(i8::from_le_bytes(bytes))),
        DataType::Int16 => each(raw, |bytes| f64::from(i16::from_le_bytes(bytes))),
        DataType::Int32 => each(raw, |bytes| f64::from(i32::from_le_bytes(bytes))),
        DataType::Int64 => each(raw, |bytes| i64::from_le_bytes(bytes) as f64),
        DataType::Uint8 | DataType::Bool => each(raw, |bytes| f64::from(u8::from_le_bytes(bytes))),
        DataType::Uint16 => each(raw, |bytes| f64::from(u16::from_le_bytes(bytes))),
        DataType::Uint32 => each(raw, |bytes| f64::from(u32::from_le_bytes(bytes))),
        DataType::Uint64 => each(raw, |bytes| u64::from_le_bytes(bytes) as f64),
        _ => None,
    }
}

fn tensor_info(source: &ast::ValueInfo<'_>) -> TensorInfo {
    TensorInfo {
        name: source.name.to_owned().into(),
        value_type: value_type(source.r#type.as_ref()),
    }
}

fn value_type(source: Option<&ast::TypeProto<'_>>) -> ValueType {
    match source.and_then(|source| source.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => ValueType::Tensor {
            element_type: of_elements(source, tensor.elem_type),
            dims: tensor
                .shape
                .as_ref()
                .map(|shape| shape.dim.iter().map(dim).collect()),
        },
        Some(TypeValue::Sequence(sequence)) => match value_type(Some(&sequence.elem_type)) {
            tensor @ ValueType::Tensor { .. } => ValueType::Sequence(Box::new(tensor)),
            _ => ValueType::Other(type_in_words(source).into()),
        },
        Some(TypeValue::Optional(optional)) => match value_type(Some(&optional.elem_type)) {
            inner @ (ValueType::Tensor { .. } | ValueType::Sequence(_)) => {
                ValueType::Optional(Box::new(inner))
            }
            _ => ValueType::Other(type_in_words(source).into()),
        },
        _ => ValueType::Other(type_in_words(source).into()),
    }
}

fn dim(source: &ast::TensorShapeDimension<'_>) -> Dim {
    match source.value {
        ast::Dimension::Value(size) => u64::try_from(size).map_or(Dim::Unknown, Dim::Fixed),
        ast::Dimension::Param("") => Dim::Unknown,
        ast::Dimension::Param(name) => Dim::Symbolic(name.to_owned().into()),
    }
}

/// A type as ONNX spells it: `seq(map(int64,tensor(float)))`.
fn type_in_words(source: Option<&ast::TypeProto<'_>>) -> String {
    match source.and_then(|source| source.value.as_ref()) {
        None => "undefined".to_owned(),
        Some(TypeValue::Tensor(tensor)) => {
            format!("tensor({})", of_elements(source, tensor.elem_type))
        }
        Some(TypeValue::SparseTensor(tensor)) => {
            format!("sparse_tensor({})", of_elements(source, tensor.elem_type))
        }
        Some(TypeValue::Sequence(sequence)) => {
            format!("seq({})", type_in_words(Some(&sequence.elem_type)))
        }
        Some(TypeValue::Optional(optional)) => {
            format!("optional({})", type_in_words(Some(&optional.elem_type)))
        }
        Some(TypeValue::Map(map)) => {
            format!(
                "map({},{})",
                element_type(map.key_type),
                type_in_words(Some(&map.value_type))
            )
        }
    }
}

/// The type of the elements of a stored tensor, which the parser may not know.
pub(crate) fn stored_type(source: &ast::TensorProto<'_>) -> ElementType {
    later::named(source.doc_string()).unwrap_or_else(|| element_type(source.data_type()))
}

/// The type of the elements of a tensor's type, which the parser may not know.
fn of_elements(source: Option<&ast::TypeProto<'_>>, known: DataType) -> ElementType {
    source
        .and_then(|source| later::named(source.denotation))
        .unwrap_or_else(|| element_type(known))
}

fn element_type(source: DataType) -> ElementType {
    match source {
        DataType::Undefined => ElementType::Undefined,
        DataType::Float => ElementType::Float,
        DataType::Uint8 => ElementType::Uint8,
        DataType::Int8 => ElementType::Int8,
        DataType::Uint16 => ElementType::Uint16,
        DataType::Int16 => ElementType::Int16,
        DataType::Int32 => ElementType::Int32,
        DataType::Int64 => ElementType::Int64,
        DataType::String => ElementType::String,
        DataType::Bool => ElementType::Bool,
        DataType::Float16 => ElementType::Float16,
        DataType::Double => ElementType::Double,
        DataType::Uint32 => ElementType::Uint32,
        DataType::Uint64 => ElementType::Uint64,
        DataType::Complex64 => ElementType::Complex64,
        DataType::Complex128 => ElementType::Complex128,
        DataType::Bfloat16 => ElementType::Bfloat16,
        DataType::Float8e4m3fn => ElementType::Float8e4m3fn,
        DataType::Float8e4m3fnuz => ElementType::Float8e4m3fnuz,
        DataType::Float8e5m2 => ElementType::Float8e5m2,
        DataType::Float8e5m2fnuz => ElementType::Float8e5m2fnuz,
        DataType::Uint4 => ElementType::Uint4,
        DataType::Int4 => ElementType::Int4,
        DataType::Float4e2m1 => ElementType::Float4e2m1,
    }
}

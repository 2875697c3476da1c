//! From the parser's view of a file to the types of [`super::graph`].

use std::borrow::Cow;
use std::collections::BTreeSet;

use onnx_rs::ast::{self, AttributeType, DataType, TypeValue};

use super::graph::{Attribute, AttributeValue, ExternalRange, Function, Graph, Node, StoredTensor};
use super::later;
use crate::plan::ElementType;
use crate::record::{Dim, OpsetImport, TensorInfo, ValueType};

/// The standard's name of its own domain, which files may leave empty.
const STANDARD_DOMAIN: &str = "ai.onnx";

pub(super) fn opset(import: &ast::OperatorSetId<'_>) -> OpsetImport {
    let domain = match import.domain {
        "" => STANDARD_DOMAIN,
        domain => domain,
    };
    OpsetImport {
        domain: domain.into(),
        version: import.version,
    }
}

pub(super) fn graph(source: &ast::Graph<'_>) -> Graph {
    let sparse = source
        .sparse_initializer
        .iter()
        .filter_map(|sparse| sparse.values.as_ref());
    let stored = source.initializer.iter().chain(sparse);
    let weights: BTreeSet<&str> = stored.clone().map(|tensor| tensor.name()).collect();
    let inputs = source.input.iter();
    let values = source.value_info.iter();
    Graph {
        name: source.name.to_owned(),
        nodes: source.node.iter().map(node).collect(),
        inputs: inputs
            .filter(|input| !weights.contains(input.name))
            .map(tensor_info)
            .collect(),
        outputs: source.output.iter().map(tensor_info).collect(),
        values: values
            .map(|info| (info.name.to_owned(), value_type(info)))
            .collect(),
        initializers: stored.map(tensor).collect(),
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
    let sparse = source.sparse_tensor.as_ref();
    let sparse = sparse.and_then(|sparse| sparse.values.as_ref());
    if let Some(stored) = source.t.as_ref().or(sparse) {
        return AttributeValue::Tensor(tensor(stored));
    }
    let graphs = source.g.as_deref().into_iter().chain(&source.graphs);
    let graphs: Vec<Graph> = graphs.map(graph).collect();
    if !graphs.is_empty() {
        return AttributeValue::Graphs(graphs);
    }
    plain_value(source)
}

/// Numbers and texts.
fn plain_value(source: &ast::Attribute<'_>) -> AttributeValue {
    match source.r#type {
        AttributeType::Int => AttributeValue::Integers(vec![source.i]),
        AttributeType::Ints => AttributeValue::Integers(source.ints.clone()),
        AttributeType::Float => AttributeValue::Numbers(vec![source.f.into()]),
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
    let dims = source.dims().iter();
    let mut stored = StoredTensor {
        name: source.name().to_owned(),
        element_type: stored_type(source),
        dims: dims.map(|&size| size.try_into().unwrap_or(0)).collect(),
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
    let [location, offset, length] =
        ["location", "offset", "length"].map(|key| external_entry(source, key));
    let [offset, length] = [offset, length].map(|number| number?.parse().ok());
    Some(ExternalRange {
        location: location.unwrap_or_default().into(),
        offset: offset.unwrap_or(0),
        length,
    })
}

fn external_entry<'s>(source: &'s ast::TensorProto<'_>, key: &str) -> Option<&'s str> {
    let mut entries = source.external_data().iter();
    Some(entries.find(|entry| entry.key == key)?.value)
}

fn values(source: &ast::TensorProto<'_>) -> Option<Vec<f64>> {
    if let Some(raw) = source.as_raw() {
        return raw_values(source.data_type(), raw);
    }
    match source.data_type() {
        DataType::Float => numbers(source.as_f32(), f64::from),
        DataType::Double => numbers(source.as_f64(), f64::from),
        DataType::Int64 => numbers(source.as_i64(), |value| value as f64),
        DataType::Uint32 | DataType::Uint64 => numbers(source.as_u64(), |value| value as f64),
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Uint8
        | DataType::Uint16
        | DataType::Bool => numbers(source.as_i32(), f64::from),
        _ => None,
    }
}

fn numbers<T: Copy>(values: Option<Cow<'_, [T]>>, number: fn(T) -> f64) -> Option<Vec<f64>> {
    Some(values?.iter().copied().map(number).collect())
}

fn raw_values(data_type: DataType, raw: &[u8]) -> Option<Vec<f64>> {
    match data_type {
        DataType::Float => each(raw, f32::from_le_bytes),
        DataType::Double => each(raw, f64::from_le_bytes),
        DataType::Float16 => each(raw, half::f16::from_le_bytes),
        DataType::Int8 => each(raw, i8::from_le_bytes),
        DataType::Int16 => each(raw, i16::from_le_bytes),
        DataType::Int32 => each(raw, i32::from_le_bytes),
        DataType::Int64 => each(raw, |bytes| i64::from_le_bytes(bytes) as f64),
        DataType::Uint8 | DataType::Bool => each(raw, u8::from_le_bytes),
        DataType::Uint16 => each(raw, u16::from_le_bytes),
        DataType::Uint32 => each(raw, u32::from_le_bytes),
        DataType::Uint64 => each(raw, |bytes| u64::from_le_bytes(bytes) as f64),
        _ => None,
    }
}

fn each<const N: usize, T: Into<f64>>(raw: &[u8], read: fn([u8; N]) -> T) -> Option<Vec<f64>> {
    let (chunks, rest) = raw.as_chunks();
    let values = chunks.iter().map(|&chunk| read(chunk).into());
    rest.is_empty().then(|| values.collect())
}

fn tensor_info(source: &ast::ValueInfo<'_>) -> TensorInfo {
    TensorInfo {
        name: source.name.into(),
        value_type: value_type(source),
    }
}

fn value_type(source: &ast::ValueInfo<'_>) -> ValueType {
    let source = source.r#type.as_ref();
    source.and_then(known_type).unwrap_or_else(|| {
        ValueType::Other(source.map_or("undefined".into(), |source| type_in_words(source).into()))
    })
}

/// A type that has a variant of its own.
fn known_type(source: &ast::TypeProto<'_>) -> Option<ValueType> {
    match source.value.as_ref()? {
        TypeValue::Tensor(tensor) => Some(ValueType::Tensor {
            element_type: of_elements(source, tensor.elem_type),
            dims: tensor
                .shape
                .as_ref()
                .map(|shape| shape.dim.iter().map(dim).collect()),
        }),
        TypeValue::Sequence(sequence) => known_type(&sequence.elem_type)
            .filter(|inner| matches!(inner, ValueType::Tensor { .. }))
            .map(|tensor| ValueType::Sequence(Box::new(tensor))),
        TypeValue::Optional(optional) => known_type(&optional.elem_type)
            .filter(|inner| !matches!(inner, ValueType::Optional(_)))
            .map(|inner| ValueType::Optional(Box::new(inner))),
        TypeValue::SparseTensor(_) | TypeValue::Map(_) => None,
    }
}

fn dim(source: &ast::TensorShapeDimension<'_>) -> Dim {
    match source.value {
        ast::Dimension::Value(size) => u64::try_from(size).map_or(Dim::Unknown, Dim::Fixed),
        ast::Dimension::Param("") => Dim::Unknown,
        ast::Dimension::Param(name) => Dim::Symbolic(name.into()),
    }
}

/// A type as ONNX spells it: `seq(map(int64,tensor(float)))`.
fn type_in_words(source: &ast::TypeProto<'_>) -> String {
    let (kind, inner) = match &source.value {
        None => return "undefined".to_owned(),
        Some(TypeValue::Tensor(tensor)) => {
            ("tensor", of_elements(source, tensor.elem_type).to_string())
        }
        Some(TypeValue::SparseTensor(tensor)) => {
            let element_type = of_elements(source, tensor.elem_type);
            ("sparse_tensor", element_type.to_string())
        }
        Some(TypeValue::Sequence(sequence)) => ("seq", type_in_words(&sequence.elem_type)),
        Some(TypeValue::Optional(optional)) => ("optional", type_in_words(&optional.elem_type)),
        Some(TypeValue::Map(map)) => {
            let (key, value) = (element_type(map.key_type), type_in_words(&map.value_type));
            ("map", format!("{key},{value}"))
        }
    };
    format!("{kind}({inner})")
}

/// The type of the elements of a stored tensor, which the parser may not know.
pub(crate) fn stored_type(source: &ast::TensorProto<'_>) -> ElementType {
    later::named(source.doc_string()).unwrap_or_else(|| element_type(source.data_type()))
}

/// The type of the elements of a tensor's type, which the parser may not know.
fn of_elements(source: &ast::TypeProto<'_>, known: DataType) -> ElementType {
    later::named(source.denotation).unwrap_or_else(|| element_type(known))
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

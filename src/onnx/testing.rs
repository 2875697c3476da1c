//! Small graphs for tests.

use super::{Attribute, AttributeValue, Function, Graph, Node, StoredTensor, put_delimited};
use crate::plan::ElementType;
use crate::record::{Dim, TensorInfo, ValueType};

pub fn stored(
    name: &str,
    element_type: ElementType,
    dims: &[u64],
    values: Option<&[f64]>,
) -> StoredTensor {
    let values = values.map(<[f64]>::to_vec);
    StoredTensor {
        name: name.to_owned(),
        element_type,
        dims: dims.to_vec(),
        values,
        external: None,
    }
}

pub fn tensor(name: &str, dims: &[u64], values: Option<&[f64]>) -> StoredTensor {
    stored(name, ElementType::Float, dims, values)
}

pub fn whole(name: &str, dims: &[u64], values: &[f64]) -> StoredTensor {
    stored(name, ElementType::Int64, dims, Some(values))
}

pub fn list(name: &str, values: &[f64]) -> StoredTensor {
    whole(name, &[values.len() as u64], values)
}

/// A node without attributes; its operator may have a domain before it.
pub fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
    let (domain, operator) = operator.rsplit_once('.').unwrap_or(("", operator));
    Node {
        name: format!("{operator}_{output}"),
        operator: operator.to_owned(),
        domain: domain.to_owned(),
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        attributes: Vec::new(),
    }
}

/// Nodes, one of each line.
pub fn nodes(lines: &[&str]) -> Vec<Node> {
    lines.iter().map(|line| parsed(line)).collect()
}

/// A node such as `sum = Add one other`, `turned = Transpose x perm=1,0` or `a, b = Split x _`,
/// where an input is left out.
pub fn parsed(line: &str) -> Node {
    let (outputs, call) = line.split_once(" = ").unwrap();
    let (inputs, attributes): (Vec<_>, Vec<_>) =
        call.split(' ').partition(|word| !word.contains('='));
    let mut made = node(inputs[0], &inputs[1..], outputs);
    made.inputs
        .iter_mut()
        .filter(|name| name.as_str() == "_")
        .for_each(String::clear);
    made.outputs = outputs.split(", ").map(str::to_owned).collect();
    let attributes = attributes.iter().filter_map(|word| word.split_once('='));
    attributes.fold(made, |made, (name, words)| with(made, name, value(words)))
}

/// Whole numbers, or texts.
fn value(words: &str) -> AttributeValue {
    let words = words.split(',');
    let integers: Result<Vec<i64>, _> = words.clone().map(str::parse).collect();
    integers.map_or_else(
        |_| AttributeValue::Texts(words.map(str::to_owned).collect()),
        AttributeValue::Integers,
    )
}

pub fn with(mut node: Node, name: &str, value: AttributeValue) -> Node {
    node.attributes.push(Attribute {
        name: name.to_owned(),
        value,
    });
    node
}

/// A function of the domain `own`, by what a call of it says with the body's names.
pub fn function(call: &str, nodes: Vec<Node>) -> Function {
    let call = parsed(call);
    Function {
        domain: "own".into(),
        inputs: call.inputs,
        outputs: call.outputs,
        defaults: Vec::new(),
        body: Graph {
            name: call.operator,
            nodes,
            ..Graph::default()
        },
    }
}

/// An input; a dimension of size 0 is open.
pub fn input(name: &str, element_type: ElementType, dims: &[u64]) -> TensorInfo {
    let value_type = ValueType::Tensor {
        element_type,
        dims: Some(dims.iter().map(dim).collect()),
    };
    TensorInfo {
        name: name.into(),
        value_type,
    }
}

fn dim(&size: &u64) -> Dim {
    match size {
        0 => Dim::Unknown,
        size => Dim::Fixed(size),
    }
}

/// A message of fields that hold messages, strings or packed numbers.
pub fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    fields
        .iter()
        .for_each(|(number, content)| put_delimited(&mut out, *number, content));
    out
}

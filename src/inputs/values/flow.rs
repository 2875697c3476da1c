//! How values flow through a model: who reads and makes each, what is constant, and which sizes are
//! known.

use std::collections::HashMap;

use super::{AttributeValue, ElementType, Graph, Node, Shapes, dims_of};
use crate::onnx::StoredTensor;
use crate::record::{Dim, ValueType};

/// How far a size or a constant is traced back.
const TRACE_LIMIT: usize = 16;

/// Sizes of the dimensions of a value, as far as each is known.
pub(super) type Extent = Vec<Option<u64>>;

/// The values of a model's graph and of all graphs within it, whose names the standard keeps
/// distinct.
#[derive(Default)]
pub(super) struct Flow<'m> {
    nodes: Vec<&'m Node>,
    consumers: HashMap<&'m str, Vec<(usize, usize)>>,
    producers: HashMap<&'m str, usize>,
    aliases: HashMap<&'m str, Vec<&'m str>>,
    stored: HashMap<&'m str, &'m StoredTensor>,
    constants: HashMap<&'m str, StoredTensor>,
    types: HashMap<&'m str, &'m ValueType>,
    /// Sizes of the open dimensions that have names.
    symbols: HashMap<&'m str, Option<u64>>,
    fed: HashMap<&'m str, Extent>,
    extents: HashMap<&'m str, Extent>,
    /// Size of the last dimension but one of the first input that has the dimensions of images.
    pub image_size: Option<f64>,
    /// Nodes of the graph itself, which come before those of the graphs within.
    own: usize,
}

/// A node where it stands.
#[derive(Clone, Copy)]
pub(super) struct Call<'c> {
    pub flow: &'c Flow<'c>,
    pub node: &'c Node,
}

impl<'m> Flow<'m> {
    /// The flow of a graph whose inputs have these shapes, with no sizes but declared ones.
    pub fn unmeasured(graph: &'m Graph, shapes: &Shapes) -> Flow<'m> {
        let mut flow = Flow::default();
        flow.add_inputs(graph, shapes);
        for graph in graph.all_graphs() {
            flow.add_graph(graph);
        }
        flow
    }

    /// Sizes of the inputs; a batch counts as 1.
    fn add_inputs(&mut self, graph: &'m Graph, shapes: &Shapes) {
        self.own = graph.nodes.len();
        let mut image = None;
        for info in &graph.inputs {
            let Some(shape) = shapes.get(info.name.exact()) else {
                continue;
            };
            let sizes: Extent = shape.iter().map(|size| size.or(Some(1))).collect();
            for (dim, &size) in dims_of(info).iter().zip(&sizes) {
                if let Dim::Symbolic(name) = dim {
                    self.symbols.insert(name.exact(), size);
                }
            }
            self.fed.insert(info.name.exact(), sizes);
            image = image.or(<[_; 4]>::try_from(&shape[..]).ok());
        }
        self.image_size = image.and_then(|[_, _, height, _]| Some(height? as f64));
    }

    fn add_graph(&mut self, graph: &'m Graph) {
        self.add_values(graph);
        for node in &graph.nodes {
            self.add_node(node);
            self.add_aliases(node);
        }
    }

    /// Weights of a graph, and the types of its values.
    fn add_values(&mut self, graph: &'m Graph) {
        for tensor in &graph.initializers {
            self.stored.insert(&tensor.name, tensor);
        }
        for (name, value_type) in &graph.values {
            self.types.insert(name, value_type);
        }
        for info in graph.inputs.iter().chain(&graph.outputs) {
            self.types.insert(info.name.exact(), &info.value_type);
        }
    }

    /// A node, with what it reads and makes.
    fn add_node(&mut self, node: &'m Node) {
        let index = self.nodes.len();
        self.nodes.push(node);
        for (operand, name) in node.inputs.iter().enumerate() {
            if !name.is_empty() {
                let uses = self.consumers.entry(name).or_default();
                uses.push((index, operand));
            }
        }
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            self.producers.insert(name, index);
        }
        if let (Some(name), Some(constant)) = (node.outputs.first(), node.constant()) {
            self.constants.insert(name, constant);
        }
    }

    /// Names under which a node's operands appear within its graphs, and results of those outside.
    fn add_aliases(&mut self, node: &'m Node) {
        for graph in node.graphs() {
            // A loop's body begins with the turn and the condition, as the loop does with the count
            // and the condition. A body's results begin with the condition, which the loop does not
            // give out.
            let skipped = usize::from(node.operator == "Loop");
            if matches!(node.operator.as_str(), "Loop" | "Scan") {
                for (outer, inner) in node.inputs.iter().zip(&graph.inputs).skip(2 * skipped) {
                    let names = self.aliases.entry(outer).or_default();
                    names.push(inner.name.exact());
                }
            }
            for (inner, outer) in graph.outputs.iter().skip(skipped).zip(&node.outputs) {
                let names = self.aliases.entry(inner.name.exact()).or_default();
                names.push(outer);
            }
        }
    }

    fn uses(&self, value: &str) -> impl Iterator<Item = (usize, usize)> {
        self.consumers.get(value).into_iter().flatten().copied()
    }

    /// Nodes that read a value, each with the operand's index.
    pub fn consumers(&self, value: &str) -> impl Iterator<Item = (Call<'_>, usize)> {
        self.uses(value)
            .map(|(node, operand)| (self.call(node), operand))
    }

    pub fn readers(&self, value: &str) -> impl Iterator<Item = usize> {
        self.uses(value).map(|(node, _)| node)
    }

    /// Whether a value is read by a node of a graph within, which may never run.
    pub fn is_read_within(&self, value: &str) -> bool {
        self.readers(value).any(|node| node >= self.own)
    }

    /// Whether a value is a weight, moved or unpacked at most.
    pub fn is_table(&self, value: &str) -> bool {
        let moves = ["Cast", "Identity", "DequantizeLinear", "Transpose"];
        self.origin(value, &moves).is_some()
    }

    /// Other names of a value, inside or outside of an inner graph.
    pub fn aliases(&self, value: &str) -> impl Iterator<Item = &'m str> {
        self.aliases.get(value).into_iter().flatten().copied()
    }

    /// The elements of a small constant, through operators that do not change them.
    pub fn constant(&self, value: &str) -> Option<&[f64]> {
        let keeps = [
            "Cast",
            "Identity",
            "Unsqueeze",
            "Squeeze",
            "Reshape",
            "Flatten",
        ];
        self.origin(value, &keeps)?.values.as_deref()
    }

    /// The stored tensor that a value is made of by these operators.
    fn origin(&self, value: &str, operators: &[&str]) -> Option<&StoredTensor> {
        let mut value = value;
        for _ in 0..TRACE_LIMIT {
            let stored = self.stored(value);
            if stored.is_some() {
                return stored;
            }
            let node = self.nodes[*self.producers.get(value)?];
            value = node
                .inputs
                .first()
                .filter(|_| operators.contains(&node.operator.as_str()))?;
        }
        None
    }

    pub fn element_type(&self, value: &str) -> Option<ElementType> {
        match self.stored(value) {
            Some(tensor) => Some(tensor.element_type),
            None => Some(self.types.get(value)?.as_tensor()?.0),
        }
    }

    pub fn stored(&self, value: &str) -> Option<&StoredTensor> {
        let weight = self.stored.get(value).copied();
        weight.or_else(|| self.constants.get(value))
    }

    /// Tokens of the past and new ones together in every operator that takes both: its keys are as
    /// many.
    pub fn totals(&self) -> Vec<f64> {
        let calls = (0..self.nodes.len()).map(|node| self.call(node));
        let mut totals: Vec<f64> = calls
            .filter(|call| call.node.operator == "GroupQueryAttention")
            .filter_map(Call::all_tokens)
            .collect();
        totals.dedup();
        totals
    }

    /// How many elements a value has, where all of its sizes are known.
    pub fn elements(&self, value: &str) -> Option<u64> {
        self.dims(value)?
            .into_iter()
            .try_fold(1_u64, |product, size| product.checked_mul(size?))
    }

    pub fn note_extent(&mut self, node: usize, found: Extent) {
        if let Some(output) = self.nodes[node].outputs.first() {
            self.extents.insert(output, found);
        }
    }

    pub fn nodes_count(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the results of a node go into a softmax, through operators that keep their places.
    pub fn leads_to_softmax(&self, mut node: usize) -> bool {
        for _ in 0..TRACE_LIMIT {
            let result = self.nodes[node].outputs.first();
            let Some(reader) = result.and_then(|result| self.readers(result).next()) else {
                return false;
            };
            node = reader;
            match self.nodes[node].operator.as_str() {
                "Softmax" | "LogSoftmax" => return true,
                "Add" | "Cast" | "Identity" | "Reshape" | "Max" | "Min" | "Clip" | "Sub"
                | "Mul" | "Div" | "Where" => {}
                _ => return false,
            }
        }
        false
    }

    pub fn call(&self, node: usize) -> Call<'_> {
        Call {
            flow: self,
            node: self.nodes[node],
        }
    }

    pub fn producer(&self, value: &str) -> Option<Call<'_>> {
        self.producers.get(value).map(|&node| self.call(node))
    }

    /// Sizes of a value's dimensions as far as they are known; a batch counts as 1, so that it
    /// bounds safely.
    pub fn dims(&self, value: &str) -> Option<Extent> {
        if let Some(tensor) = self.stored(value) {
            return Some(tensor.dims.iter().copied().map(Some).collect());
        }
        if let Some(fed) = self.fed.get(value) {
            return Some(fed.clone());
        }
        match (self.extents.get(value), self.declared(value)) {
            (Some(found), Some(declared)) => Some(completed(found.clone(), &declared)),
            (found, declared) => found.cloned().or(declared),
        }
    }

    fn declared(&self, value: &str) -> Option<Extent> {
        let dims = self.types.get(value)?.as_tensor()?.1?;
        Some(dims.iter().map(|dim| self.size(dim)).collect())
    }

    fn size(&self, dim: &Dim) -> Option<u64> {
        match dim {
            Dim::Fixed(size) => Some(*size),
            Dim::Symbolic(name) => *self.symbols.get(name.exact())?,
            Dim::Unknown => None,
        }
    }
}

impl<'c> Call<'c> {
    pub fn operator(self) -> String {
        self.node.qualified_operator()
    }

    /// The operator and the node's name, or what it makes if it has none.
    pub fn words(self) -> String {
        let Node { name, outputs, .. } = self.node;
        let made = outputs.first().filter(|_| name.is_empty());
        format!("{} `{}`", self.node.operator, made.unwrap_or(name))
    }

    /// The value that an operand is; empty where it is left out.
    pub fn operand(self, operand: usize) -> &'c str {
        self.node.inputs.get(operand).map_or("", String::as_str)
    }

    /// The first of the whole numbers of an attribute, or a default.
    pub fn integer(self, name: &str, default: i64) -> i64 {
        self.node.integer(name).unwrap_or(default)
    }

    pub fn integers(self, name: &str) -> Option<&'c [i64]> {
        match self.node.attribute(name)? {
            AttributeValue::Integers(values) => Some(values),
            _ => None,
        }
    }

    /// Sizes of the dimensions of an operand.
    pub fn dims(self, operand: usize) -> Option<Extent> {
        self.flow.dims(self.node.inputs.get(operand)?)
    }

    pub fn size(self, operand: usize, axis: usize) -> Option<f64> {
        Some((*self.dims(operand)?.get(axis)?)? as f64)
    }

    /// The elements of an operand that is a small constant.
    pub fn constant(self, operand: usize) -> Option<&'c [f64]> {
        self.flow.constant(self.node.inputs.get(operand)?)
    }

    /// The elements of the other operand of two, if that is a small constant.
    pub fn other(self, operand: usize) -> Option<&'c [f64]> {
        self.constant(1 - operand.min(1))
    }

    /// The axes that an operator has as an attribute or as its second operand.
    pub fn axes(self) -> Option<Vec<i64>> {
        let listed = self.integers("axes").map(<[i64]>::to_vec);
        listed.or_else(|| Some(whole(self.constant(1)?)))
    }

    /// Tokens of the past and the new ones together, where an operator takes both.
    pub fn all_tokens(self) -> Option<f64> {
        let past = match self.operand(3) {
            "" => 0.0,
            _ => self.size(3, 2)?,
        };
        Some(past + self.size(0, 1)?)
    }
}

pub(super) fn whole(numbers: &[f64]) -> Vec<i64> {
    numbers.iter().map(|&number| number as i64).collect()
}

/// Sizes that were found, and declared ones where none was; all that were found where the
/// dimensions are not as many.
fn completed(mut found: Extent, declared: &Extent) -> Extent {
    if found.len() == declared.len() {
        for (size, declared) in found.iter_mut().zip(declared) {
            *size = size.or(*declared);
        }
    }
    found
}

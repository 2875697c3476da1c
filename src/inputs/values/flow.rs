//! How values flow through a model: who reads and makes each, what is constant, and which sizes are
//! known.

use std::collections::HashMap;

use super::{ElementType, Graph, Node, Shapes, dims_of};
use crate::onnx::StoredTensor;
use crate::record::{Dim, ValueType};

/// How far a size or a constant is traced back.
const TRACE_LIMIT: usize = 16;

/// Sizes of the dimensions of a value, as far as each is known.
pub(in super::super) type Extent = Vec<Option<u64>>;

/// The values of a model's graph and of all graphs within it, whose names the standard keeps
/// distinct.
#[derive(Default)]
pub(in super::super) struct Flow<'m> {
    nodes: Vec<&'m Node>,
    consumers: HashMap<&'m str, Vec<(usize, usize)>>,
    producers: HashMap<&'m str, usize>,
    aliases: HashMap<&'m str, Vec<&'m str>>,
    stored: HashMap<&'m str, &'m StoredTensor>,
    constants: HashMap<&'m str, StoredTensor>,
    types: HashMap<&'m str, &'m ValueType>,
    symbols: HashMap<&'m str, u64>,
    fed: HashMap<&'m str, Extent>,
    images: Vec<Extent>,
    extents: HashMap<&'m str, Extent>,
    /// Nodes of the graph itself, which come before those of the graphs within.
    own: usize,
}

impl<'m> Flow<'m> {
    /// The flow of a graph whose inputs have these shapes, with no sizes but declared ones.
    pub fn unmeasured(graph: &'m Graph, shapes: &Shapes) -> Flow<'m> {
        let sized = graph
            .inputs
            .iter()
            .filter_map(|info| shapes.get(info.name.exact()));
        let mut flow = Flow {
            symbols: symbols(graph, shapes),
            fed: fed(graph, shapes),
            own: graph.nodes.len(),
            images: sized.filter(|shape| shape.len() == 4).cloned().collect(),
            ..Flow::default()
        };
        for graph in graph.all_graphs() {
            flow.add_graph(graph);
        }
        flow
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
        let stored = graph.initializers.iter();
        self.stored
            .extend(stored.map(|tensor| (tensor.name.as_str(), tensor)));
        let values = graph.values.iter();
        self.types
            .extend(values.map(|(name, value_type)| (name.as_str(), value_type)));
        let interface = graph.inputs.iter().chain(&graph.outputs);
        self.types
            .extend(interface.map(|info| (info.name.exact(), &info.value_type)));
    }

    /// A node, with what it reads and makes.
    fn add_node(&mut self, node: &'m Node) {
        let index = self.nodes.len();
        self.nodes.push(node);
        let operands = node.inputs.iter().enumerate();
        for (operand, name) in operands.filter(|(_, name)| !name.is_empty()) {
            self.consumers
                .entry(name)
                .or_default()
                .push((index, operand));
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
            let skipped = if node.operator == "Loop" { 1 } else { 0 };
            if matches!(node.operator.as_str(), "Loop" | "Scan") {
                for (outer, inner) in node.inputs.iter().zip(&graph.inputs).skip(2 * skipped) {
                    self.aliases
                        .entry(outer)
                        .or_default()
                        .push(inner.name.exact());
                }
            }
            for (inner, outer) in graph.outputs.iter().skip(skipped).zip(&node.outputs) {
                self.aliases
                    .entry(inner.name.exact())
                    .or_default()
                    .push(outer);
            }
        }
    }

    /// Nodes that read a value, each with the operand's index.
    pub fn consumers(&self, value: &str) -> impl Iterator<Item = (&'m Node, usize)> {
        let uses = self.consumers.get(value).map_or(&[][..], Vec::as_slice);
        uses.iter()
            .map(|&(node, operand)| (self.nodes[node], operand))
    }

    /// Whether a value is read by a node of a graph within, which may never run.
    pub fn is_read_within(&self, value: &str) -> bool {
        self.readers(value).any(|node| node >= self.own)
    }

    /// Whether a value is a weight, moved or unpacked at most.
    pub fn is_table(&self, value: &str) -> bool {
        let mut value = value;
        for _ in 0..TRACE_LIMIT {
            if self.stored(value).is_some() {
                return true;
            }
            let Some(&producer) = self.producers.get(value) else {
                return false;
            };
            let node = self.nodes[producer];
            match (node.operator.as_str(), node.inputs.first()) {
                ("Cast" | "Identity" | "DequantizeLinear" | "Transpose", Some(input)) => {
                    value = input
                }
                _ => return false,
            }
        }
        false
    }

    /// Other names of a value, inside or outside of an inner graph.
    pub fn aliases(&self, value: &str) -> impl Iterator<Item = &'m str> {
        self.aliases
            .get(value)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .copied()
    }

    /// The elements of a small constant, through operators that do not change them.
    pub fn constant(&self, value: &str) -> Option<&[f64]> {
        let mut value = value;
        for _ in 0..TRACE_LIMIT {
            if let Some(tensor) = self.stored(value) {
                return tensor.values.as_deref();
            }
            let node = self.nodes[*self.producers.get(value)?];
            match node.operator.as_str() {
                "Cast" | "Identity" | "Unsqueeze" | "Squeeze" | "Reshape" | "Flatten" => {
                    value = node.inputs.first()?
                }
                _ => return None,
            }
        }
        None
    }

    pub fn element_type(&self, value: &str) -> Option<ElementType> {
        match self.stored(value) {
            Some(tensor) => Some(tensor.element_type),
            None => self
                .types
                .get(value)?
                .as_tensor()
                .map(|(element_type, _)| element_type),
        }
    }

    pub fn stored(&self, value: &str) -> Option<&StoredTensor> {
        self.stored
            .get(value)
            .copied()
            .or_else(|| self.constants.get(value))
    }

    /// Tokens of the past and new ones together in every operator that takes both: its keys are as
    /// many.
    pub fn totals(&self) -> Vec<f64> {
        let fused = self
            .nodes
            .iter()
            .filter(|node| node.operator == "GroupQueryAttention");
        let mut totals: Vec<f64> = fused.filter_map(|node| self.all_tokens(node)).collect();
        totals.dedup();
        totals
    }

    /// Tokens of the past and the new ones together, where an operator takes both.
    pub fn all_tokens(&self, node: &Node) -> Option<f64> {
        let has_past = node.inputs.get(3).is_some_and(|name| !name.is_empty());
        let past = if has_past {
            self.operand_size(node, 3, 2)?
        } else {
            0.0
        };
        Some(past + self.operand_size(node, 0, 1)?)
    }

    /// How many elements a value has, where all of its sizes are known.
    pub fn elements(&self, value: &str) -> Option<u64> {
        self.dims(value)?
            .into_iter()
            .try_fold(1_u64, |product, size| product.checked_mul(size?))
    }

    pub fn operand_size(&self, node: &Node, operand: usize, axis: usize) -> Option<f64> {
        let dims = self.dims(node.inputs.get(operand)?)?;
        Some((*dims.get(axis)?)? as f64)
    }

    pub fn note_extent(&mut self, node: usize, found: Extent) {
        if let Some(output) = self.nodes[node].outputs.first() {
            self.extents.insert(output, found);
        }
    }

    pub fn nodes_count(&self) -> usize {
        self.nodes.len()
    }

    /// Size of the last dimension but one of the first input that has the dimensions of images.
    pub fn image_size(&self) -> Option<f64> {
        let dims = self.images.first()?;
        dims.get(dims.len() - 2)
            .copied()
            .flatten()
            .map(|size| size as f64)
    }

    /// Whether the results of a node go into a softmax, through operators that keep their places.
    pub fn leads_to_softmax(&self, node: usize) -> bool {
        let mut next = self.nodes[node];
        for _ in 0..TRACE_LIMIT {
            let reader = next
                .outputs
                .first()
                .and_then(|output| self.consumers(output).next());
            let Some((reader, _)) = reader else {
                return false;
            };
            next = reader;
            match next.operator.as_str() {
                "Softmax" | "LogSoftmax" => return true,
                "Add" | "Cast" | "Identity" | "Reshape" | "Max" | "Min" | "Clip" | "Sub"
                | "Mul" | "Div" | "Where" => {}
                _ => return false,
            }
        }
        false
    }

    pub fn node(&self, index: usize) -> &'m Node {
        self.nodes[index]
    }

    pub fn producer(&self, value: &str) -> Option<usize> {
        self.producers.get(value).copied()
    }

    pub fn readers(&self, value: &str) -> impl Iterator<Item = usize> {
        self.consumers
            .get(value)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .map(|&(node, _)| node)
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
            (Some(found), Some(declared)) => Some(completed(found, declared)),
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
            Dim::Symbolic(name) => self.symbols.get(name.exact()).copied(),
            Dim::Unknown => None,
        }
    }
}

/// Sizes of the inputs; a batch counts as 1.
fn fed<'m>(graph: &'m Graph, shapes: &Shapes) -> HashMap<&'m str, Extent> {
    graph
        .inputs
        .iter()
        .filter_map(|info| {
            Some((
                info.name.exact(),
                of_one_sample(shapes.get(info.name.exact())?),
            ))
        })
        .collect()
}

fn of_one_sample(shape: &[Option<u64>]) -> Extent {
    shape.iter().map(|size| Some(size.unwrap_or(1))).collect()
}

/// Sizes that were found, and declared ones where none was; all that were found where the
/// dimensions are not as many.
fn completed(found: &Extent, declared: Extent) -> Extent {
    if found.len() != declared.len() {
        return found.clone();
    }
    found
        .iter()
        .zip(declared)
        .map(|(found, declared)| found.or(declared))
        .collect()
}

/// Sizes of the open dimensions that have names; a batch counts as 1.
fn symbols<'m>(graph: &'m Graph, shapes: &Shapes) -> HashMap<&'m str, u64> {
    let mut symbols = HashMap::new();
    for info in &graph.inputs {
        for (dim, size) in dims_of(info)
            .iter()
            .zip(shapes.get(info.name.exact()).into_iter().flatten())
        {
            if let Dim::Symbolic(name) = dim {
                symbols.insert(name.exact(), size.unwrap_or(1));
            }
        }
    }
    symbols
}

//! A model's graph in memory: what the file says, without its weights.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::plan::ElementType;
use crate::record::{OpsetImport, TensorInfo, ValueType};
use crate::units::Bytes;

/// A model as its file describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The model file.
    pub path: PathBuf,
    /// Version of the ONNX intermediate representation.
    pub ir_version: i64,
    /// Operator sets that the model imports.
    pub opsets: Vec<OpsetImport>,
    /// Name and version of the tool that wrote the file, as far as it says.
    pub producer: Option<String>,
    /// The main graph.
    pub graph: Graph,
    /// Functions that the model defines itself.
    pub functions: Vec<Function>,
    /// Properties that the tool which wrote the file noted in it, such as the size of images or
    /// names of classes.
    pub metadata: BTreeMap<String, String>,
    /// Size of the model file alone.
    pub model_file_bytes: Bytes,
    /// Files that hold weights outside the model file, and their sizes.
    pub external_files: BTreeMap<PathBuf, Bytes>,
}

/// A function that a model defines itself: an operator with a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Domain of the operator that it defines.
    pub domain: String,
    /// Names of its inputs, which the body reads.
    pub inputs: Vec<String>,
    /// Names of its outputs, which the body makes.
    pub outputs: Vec<String>,
    /// Attributes that the body refers to, where a call leaves them out.
    pub defaults: Vec<Attribute>,
    /// The body, named as the operator; its inputs and outputs have names alone, which stand above.
    pub body: Graph,
}

/// A graph: the main one, a branch, a loop's body, or the body of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Name; empty where the file gives none.
    pub name: String,
    /// Nodes in the file's order.
    pub nodes: Vec<Node>,
    /// Inputs that must be fed: weights that are listed among the inputs are not.
    pub inputs: Vec<TensorInfo>,
    /// Outputs.
    pub outputs: Vec<TensorInfo>,
    /// Types of inner values, where the file states them.
    pub values: BTreeMap<String, ValueType>,
    /// Weights and other constants.
    pub initializers: Vec<StoredTensor>,
}

/// A node of a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Name; empty where the file gives none.
    pub name: String,
    /// Operator, such as `Conv`.
    pub operator: String,
    /// Domain of the operator; empty for the standard's own.
    pub domain: String,
    /// Values that it reads; empty where an optional one is left out.
    pub inputs: Vec<String>,
    /// Values that it makes; empty where an optional one is left out.
    pub outputs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
}

/// A named attribute of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Name.
    pub name: String,
    /// Value.
    pub value: AttributeValue,
}

/// Value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// One number or several.
    Numbers(Vec<f64>),
    /// One whole number or several.
    Integers(Vec<i64>),
    /// A tensor.
    Tensor(StoredTensor),
    /// One graph or several.
    Graphs(Vec<Graph>),
    /// One text or several.
    Texts(Vec<String>),
    /// The attribute of that name in the call of the function.
    Reference(String),
    /// A type, or something that nothing here needs.
    Other,
}

/// A stored tensor: a weight or another constant. Its elements stay in the file, unless they are
/// few.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// Name.
    pub name: String,
    /// Type of the elements.
    pub element_type: ElementType,
    /// Sizes of the dimensions; empty for a scalar.
    pub dims: Vec<u64>,
    /// The elements in row-major order, if they are numbers and take at most 4 KiB.
    pub values: Option<Vec<f64>>,
    /// Where the elements lie, if that is outside the model file.
    pub external: Option<ExternalRange>,
}

/// A range of a file that holds a weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRange {
    /// The file, relative to the model file's folder.
    pub location: PathBuf,
    /// Where the weight begins.
    pub offset: u64,
    /// Its length; absent: up to what its shape takes.
    pub length: Option<u64>,
}

impl StoredTensor {
    /// Number of elements.
    #[must_use]
    pub fn elements(&self) -> u64 {
        self.dims
            .iter()
            .fold(1, |product, &size| product.saturating_mul(size))
    }

    /// Size of the elements; that of strings, whose length the shape does not tell, is 0.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let bits = u128::from(self.elements()) * u128::from(self.element_type.bits().unwrap_or(0));
        u64::try_from(bits.div_ceil(8)).unwrap_or(u64::MAX)
    }
}

impl Attribute {
    /// The tensor without a name that a `Constant` node with the attribute makes: of one dimension,
    /// or a scalar where the attribute's name is in the singular.
    fn constant(&self) -> Option<StoredTensor> {
        let (element_type, values) = match &self.value {
            AttributeValue::Tensor(tensor) => return Some(tensor.clone()),
            AttributeValue::Numbers(values) => (ElementType::Float, values.clone()),
            AttributeValue::Integers(values) => {
                let values = values.iter().map(|&value| value as f64);
                (ElementType::Int64, values.collect())
            }
            _ => return None,
        };
        Some(StoredTensor {
            name: String::new(),
            element_type,
            dims: match self.name.ends_with('s') {
                true => vec![values.len() as u64],
                false => Vec::new(),
            },
            values: Some(values),
            external: None,
        })
    }
}

impl Node {
    /// The attribute of that name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| &attribute.value)
    }

    /// The texts of the attribute of that name; none where it is something else.
    #[must_use]
    pub fn texts(&self, name: &str) -> &[String] {
        match self.attribute(name) {
            Some(AttributeValue::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// The attribute of that name, if it is one whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.attribute(name) {
            Some(AttributeValue::Integers(values)) => values.first().copied(),
            _ => None,
        }
    }

    /// Graphs in the node's attributes: branches and loop bodies.
    pub fn graphs(&self) -> impl Iterator<Item = &Graph> {
        self.attributes
            .iter()
            .flat_map(|attribute| match &attribute.value {
                AttributeValue::Graphs(graphs) => graphs.as_slice(),
                _ => &[],
            })
    }

    /// Whether the operator belongs to the ONNX standard.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        matches!(self.domain.as_str(), "" | "ai.onnx")
    }

    /// The operator with its domain, unless that is the standard's own: `com.microsoft.Attention`.
    #[must_use]
    pub fn qualified_operator(&self) -> String {
        if self.is_standard() {
            self.operator.clone()
        } else {
            format!("{}.{}", self.domain, self.operator)
        }
    }

    /// The tensor that a `Constant` node makes.
    #[must_use]
    pub fn constant(&self) -> Option<StoredTensor> {
        if self.operator != "Constant" || !self.is_standard() {
            return None;
        }
        let tensor = self.attributes.iter().find_map(Attribute::constant)?;
        Some(StoredTensor {
            name: self.outputs.first().cloned().unwrap_or_default(),
            ..tensor
        })
    }
}

impl Model {
    /// The main graph and the bodies of functions, each with the graphs within, outer ones first.
    pub(super) fn all_graphs(&self) -> impl Iterator<Item = &Graph> {
        let bodies = self.functions.iter().map(|function| &function.body);
        std::iter::once(&self.graph)
            .chain(bodies)
            .flat_map(Graph::all_graphs)
    }
}

impl Graph {
    /// Nodes of the graph and of the graphs within, outer ones first.
    pub fn all_nodes(&self) -> Vec<&Node> {
        self.all_graphs()
            .into_iter()
            .flat_map(|graph| &graph.nodes)
            .collect()
    }

    /// The graph and the graphs within, outer ones first.
    pub fn all_graphs(&self) -> Vec<&Graph> {
        let mut graphs = vec![self];
        let mut next = 0;
        while let Some(&graph) = graphs.get(next) {
            graphs.extend(graph.nodes.iter().flat_map(Node::graphs));
            next += 1;
        }
        graphs
    }
}

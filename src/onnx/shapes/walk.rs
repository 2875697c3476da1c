//! A walk over a graph, that knows of every value what its inputs make of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::content::BOOL_TYPE;
use super::facts::dim_at;
use super::known::Known;
use super::order::in_order;
use super::value::{Call, Dims, Made, Value, are_known};
use super::{DimRole, Expr, ShapeFacts, ops};
use crate::onnx::{AttributeValue, Graph, Node};
use crate::plan::ElementType;
use crate::record::{Dim, TensorInfo, ValueType};

/// Operators that make what no input says.
const RANDOM: [&str; 6] = [
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
];

/// Numbers by which the standard calls types of whole numbers.
const WHOLE_TYPES: [i64; 8] = [2, 3, 4, 5, 6, 7, 12, 13];

#[derive(Default)]
pub(super) struct Walk<'g> {
    pub values: HashMap<&'g str, Rc<Value>>,
    pub known: Rc<RefCell<Known>>,
    /// Types that the file states, of the graph at hand.
    declared: Option<&'g BTreeMap<String, ValueType>>,
    joined: Vec<usize>,
    /// Sizes of what branches give, of which the node that chooses one of them tells nothing.
    pub branched: Vec<Expr>,
    pub has_choice: bool,
}

pub(super) fn facts(graph: &Graph, dims: Vec<super::OpenDim>) -> ShapeFacts {
    let ranks = graph.inputs.iter().map(rank).collect();
    let known = RefCell::new(Known::new(dims, ranks));
    let mut walk = Walk {
        known: Rc::new(known),
        ..Walk::default()
    };
    for (index, info) in graph.inputs.iter().enumerate() {
        let value = walk.fed(info, index);
        walk.values.insert(info.name.exact(), Rc::new(value));
    }
    walk.graph(graph);
    walk.into_facts(graph)
}

fn declared(info: &TensorInfo) -> Option<&[Dim]> {
    info.value_type.as_tensor()?.1
}

fn rank(info: &TensorInfo) -> usize {
    declared(info).map_or(0, <[Dim]>::len)
}

impl<'g> Walk<'g> {
    fn fed(&self, info: &TensorInfo, index: usize) -> Value {
        let element_type = info
            .value_type
            .as_tensor()
            .map(|(element_type, _)| element_type);
        let sizes = declared(info).map(|dims| dims.iter().enumerate());
        Value {
            dims: sizes.map(|sizes| {
                sizes
                    .map(|(axis, dim)| self.fed_size(info, axis, dim))
                    .collect()
            }),
            is_fed: true,
            view_of: element_type.map(|_| index),
            is_integer: element_type.is_some_and(ElementType::is_integer),
            ..Value::default()
        }
    }

    fn fed_size(&self, info: &TensorInfo, axis: usize, dim: &Dim) -> Expr {
        match dim {
            Dim::Fixed(size) => Expr::of_size(*size),
            Dim::Symbolic(_) | Dim::Unknown => {
                let dim = dim_at(&self.known.borrow().dims, info.name.exact(), axis);
                dim.map(Expr::Dim).unwrap_or_default()
            }
        }
    }

    /// Walks a graph, each node after what it reads; values of graphs around it are visible in it.
    pub(super) fn graph(&mut self, graph: &'g Graph) {
        let around = self.declared.replace(&graph.values);
        for tensor in &graph.initializers {
            let value = Value::stored(tensor);
            self.values.insert(&tensor.name, Rc::new(value));
        }
        for node in in_order(&graph.nodes) {
            self.node(node);
        }
        self.declared = around;
    }

    fn node(&mut self, node: &'g Node) {
        let made = match (node.is_standard(), node.operator.as_str()) {
            (true, "Constant") => node.constant().map(|tensor| vec![Value::stored(&tensor)]),
            (true, "If") => self.branches(node),
            (true, "Loop") => self.repeated(node),
            (true, "Scan") => self.scanned(node),
            _ => Some(self.plain(node)),
        };
        let mut made = made.into_iter().flatten();
        for name in &node.outputs {
            let value = made.next().unwrap_or_default();
            self.values.insert(name, Rc::new(value));
        }
    }

    fn value(&self, name: &str) -> Option<Rc<Value>> {
        self.values.get(name).cloned()
    }

    pub(super) fn call(&self, node: &'g Node) -> Call<'g> {
        Call {
            node,
            inputs: node.inputs.iter().map(|name| self.value(name)).collect(),
            known: Rc::clone(&self.known),
        }
    }

    /// Values of a graph's outputs, each absent where nothing makes it.
    pub(super) fn results(&self, graph: &Graph) -> Vec<Option<Rc<Value>>> {
        let outputs = graph.outputs.iter();
        outputs.map(|info| self.value(info.name.exact())).collect()
    }

    fn plain(&mut self, node: &'g Node) -> Vec<Value> {
        let call = self.call(node);
        let found = ops::dims(&call);
        let traits = call.traits(&found);
        let is_known = found.is_some();
        let mut dims = found.unwrap_or_default();
        dims.resize(node.outputs.len().max(1), None);
        self.joined.extend(call.joined_dim(&dims[0]));
        let outputs = dims.into_iter().zip(&node.outputs);
        let mut made: Vec<Value> = outputs
            .map(|(dims, name)| {
                let dims = dims.or_else(|| self.declared_dims(name));
                let follows = is_known && are_known(&dims);
                Value {
                    varying: traits.varying.clone().filter(|_| !follows),
                    dims,
                    ..traits.clone()
                }
            })
            .collect();
        let first = made.first_mut();
        if let Some(first) = first.filter(|_| is_known && node.domain != "ai.onnx.ml") {
            first.elements = call.made_elements(&first.dims);
            first.below = call.made_below();
        }
        made
    }

    /// Sizes that the file states of an inner value, where the graph does not tell: numbers alone,
    /// and not of the first axis, along which a file often says what it was exported with.
    fn declared_dims(&self, name: &str) -> Dims {
        let ValueType::Tensor { dims, .. } = self.declared?.get(name)? else {
            return None;
        };
        let sizes = dims
            .as_ref()?
            .iter()
            .enumerate()
            .map(|(axis, dim)| match dim {
                Dim::Fixed(size @ 2..) if axis > 0 => Expr::of_size(*size),
                _ => Expr::Unknown,
            });
        Some(sizes.collect())
    }

    fn into_facts(self, graph: &Graph) -> ShapeFacts {
        let values = self.results(graph);
        let made: Vec<&Rc<Value>> = values.iter().flatten().collect();
        let sizes = made.iter().flat_map(|value| value.dims.iter().flatten());
        let sizes: Vec<&Expr> = sizes.chain(&self.branched).collect();
        let mut known = self.known.take();
        for &dim in self.joined.iter().filter(|&&dim| grows(dim, &sizes)) {
            known.role(&Expr::Dim(dim), DimRole::Past);
        }
        known.share_roles();
        let names = graph
            .outputs
            .iter()
            .map(|info| info.name.exact().to_owned());
        let dims = values.iter().map(|value| value.as_ref()?.dims.clone());
        let varying = made.iter().find_map(|value| value.varying.as_deref());
        ShapeFacts {
            dims: known.dims,
            demands: known.demands,
            outputs: names.zip(dims).collect(),
            varying: varying.map(str::to_owned),
            has_choice: self.has_choice,
        }
    }
}

/// Whether something is added to a dimension in what comes out.
fn grows(dim: usize, sizes: &[&Expr]) -> bool {
    sizes
        .iter()
        .any(|size| matches!(size, Expr::Sum(parts) if parts.contains(&Expr::Dim(dim))))
}

impl Call<'_> {
    /// The dimension of an input that something new is joined to: what is kept from before.
    fn joined_dim(&self, made: &Dims) -> Option<usize> {
        let rank = made.as_ref()?.len();
        if self.operator() != "Concat" || rank <= 2 {
            return None;
        }
        let axis = self.axis(1, rank)?;
        let mut views = self.given().filter(|value| value.view_of.is_some());
        let (Some(value), None) = (views.next(), views.next()) else {
            return None;
        };
        match value.dims.as_ref()?.get(axis)? {
            Expr::Dim(dim) => Some(*dim),
            _ => None,
        }
    }

    /// Traits that all outputs share, where these sizes of theirs are found.
    fn traits(&self, found: &Made) -> Value {
        let inherited = self.given().find_map(|value| value.varying.clone());
        let is_random = RANDOM.contains(&self.operator());
        let own = match found.is_some() || ops::is_domain_known(&self.node.domain) {
            true => self.varies_by_values(),
            false => Some(self.varies_by_domain()),
        };
        let all_stored = !self.inputs.is_empty() && self.given().all(|value| value.is_stored);
        Value {
            is_stored: !is_random && all_stored,
            is_fed: match self.operator() {
                "Shape" | "Size" => inherited.is_some(),
                _ => is_random || self.reads_fed(),
            },
            view_of: self.made_view(),
            is_integer: self.makes_integers(),
            varying: own.map(Rc::from).or(inherited),
            ..Value::default()
        }
    }

    /// The one input of the graph that a node's output is a view of: of operators that move
    /// elements or compute with each of them, and leave the axes of before.
    fn made_view(&self) -> Option<usize> {
        match self.operator() {
            _ if !self.node.is_standard() => return None,
            "Abs" | "Add" | "Cast" | "CastLike" | "Clip" | "Concat" | "DequantizeLinear"
            | "Div" | "Dropout" | "Exp" | "Expand" | "Flatten" | "Greater" | "Identity"
            | "Less" | "Log" | "Mod" | "Mul" | "Neg" | "Pad" | "Pow" | "QuantizeLinear"
            | "Reciprocal" | "Relu" | "Reshape" | "Resize" | "Slice" | "Split" | "Sqrt"
            | "Squeeze" | "Sub" | "Transpose" | "Unsqueeze" | "Where" => {}
            "DynamicQuantizeLinear" => {}
            _ => return None,
        }
        let fed = self.given().filter(|value| value.is_fed);
        let mut views = fed.map(|value| value.view_of);
        let first = views.next()??;
        views.all(|view| view == Some(first)).then_some(first)
    }

    fn makes_integers(&self) -> bool {
        match self.operator() {
            "Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" | "Not" | "Equal" | "Greater"
            | "Less" | "GreaterOrEqual" | "LessOrEqual" | "And" | "Or" => true,
            "Cast" => {
                let to = self.node.integer("to");
                to.is_some_and(|to| WHOLE_TYPES.contains(&to) || to == BOOL_TYPE)
            }
            "CastLike" | "Where" => self.is_integer(1),
            "ConstantOfShape" => match self.node.attribute("value") {
                Some(AttributeValue::Tensor(tensor)) => tensor.element_type.is_integer(),
                _ => false,
            },
            _ => self.is_integer(0),
        }
    }
}

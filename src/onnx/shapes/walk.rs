//! A walk over a graph, that knows of every value what its inputs make of it.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::content::{self, BOOL_TYPE};
use super::facts::dim_at;
use super::known::Known;
use super::order::in_order;
use super::value::{Call, Dims, Value, is_integer};
use super::{DimRole, Expr, ShapeFacts, ops, varying};
use crate::onnx::{AttributeValue, Graph, Node};
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
    pub known: Known,
    /// Types that the file states, of the graph at hand.
    declared: Option<&'g BTreeMap<String, ValueType>>,
    joined: Vec<usize>,
    /// Sizes of what branches give, of which the node that chooses one of them tells nothing.
    pub branched: Vec<Expr>,
    pub has_choice: bool,
}

pub(super) fn facts(graph: &Graph, dims: Vec<super::OpenDim>) -> ShapeFacts {
    let ranks = graph.inputs.iter().map(rank).collect();
    let mut walk = Walk {
        known: Known::new(dims, ranks),
        ..Walk::default()
    };
    for (index, info) in graph.inputs.iter().enumerate() {
        let value = walk.fed(info, index);
        walk.values.insert(info.name.exact(), Rc::new(value));
    }
    walk.graph(graph);
    walk.into_facts(graph)
}

fn rank(info: &TensorInfo) -> usize {
    info.value_type
        .as_tensor()
        .and_then(|(_, dims)| dims)
        .map_or(0, <[Dim]>::len)
}

impl<'g> Walk<'g> {
    fn fed(&self, info: &TensorInfo, index: usize) -> Value {
        let Some((element_type, dims)) = info.value_type.as_tensor() else {
            return Value {
                is_fed: true,
                ..Value::default()
            };
        };
        let sizes = dims.map(|dims| {
            let dims = dims.iter().enumerate();
            dims.map(|(axis, dim)| self.fed_size(info, axis, dim))
                .collect()
        });
        Value {
            dims: sizes,
            is_fed: true,
            view_of: Some(index),
            is_integer: is_integer(element_type),
            ..Value::default()
        }
    }

    fn fed_size(&self, info: &TensorInfo, axis: usize, dim: &Dim) -> Expr {
        match dim {
            Dim::Fixed(size) => i64::try_from(*size).map_or(Expr::Unknown, Expr::Number),
            _ => dim_at(&self.known.dims, info.name.exact(), axis).map_or(Expr::Unknown, Expr::Dim),
        }
    }

    /// Walks a graph, each node after what it reads; values of graphs around it are visible in it.
    pub(super) fn graph(&mut self, graph: &'g Graph) {
        let around = self.declared.replace(&graph.values);
        for tensor in &graph.initializers {
            self.values
                .insert(&tensor.name, Rc::new(Value::stored(tensor)));
        }
        in_order(&graph.nodes)
            .into_iter()
            .for_each(|node| self.node(node));
        self.declared = around;
    }

    fn node(&mut self, node: &'g Node) {
        let made = match (node.is_standard(), node.operator.as_str()) {
            (true, "Constant") => vec![
                node.constant()
                    .map_or_else(Value::default, |tensor| Value::stored(&tensor)),
            ],
            (true, "If") => self.branches(node),
            (true, "Loop") => self.repeated(node),
            (true, "Scan") => self.scanned(node),
            _ => self.plain(node),
        };
        let mut made = made.into_iter();
        for name in &node.outputs {
            let value = made.next().unwrap_or_default();
            self.values.insert(name, Rc::new(value));
        }
    }

    pub(super) fn call(&self, node: &'g Node) -> Call<'g> {
        Call {
            node,
            inputs: node
                .inputs
                .iter()
                .map(|name| self.values.get(name.as_str()).cloned())
                .collect(),
        }
    }

    fn plain(&mut self, node: &'g Node) -> Vec<Value> {
        let call = self.call(node);
        let found = ops::dims(&call, &mut self.known);
        let is_known = found.is_some();
        let mut dims = found.unwrap_or_default();
        dims.resize(node.outputs.len().max(1), None);
        self.note_joined(&call, &dims[0]);
        let traits = traits(&call, is_known);
        let mut made: Vec<Value> = dims
            .into_iter()
            .zip(&node.outputs)
            .map(|(dims, name)| {
                let dims = dims.or_else(|| self.declared_dims(name));
                let follows = is_known
                    && dims
                        .as_ref()
                        .is_some_and(|dims| dims.iter().all(Expr::is_known));
                Value {
                    varying: traits.varying.clone().filter(|_| !follows),
                    dims,
                    ..traits.clone()
                }
            })
            .collect();
        if let Some(first) = made
            .first_mut()
            .filter(|_| is_known && node.domain != "ai.onnx.ml")
        {
            first.elements = content::elements(&call, &first.dims);
            first.below = content::below(&call);
        }
        made
    }

    /// Sizes that the file states of an inner value, where the graph does not tell: numbers alone,
    /// and not of the first axis, along which a file often says what it was exported with.
    fn declared_dims(&self, name: &str) -> Dims {
        let ValueType::Tensor {
            dims: Some(dims), ..
        } = self.declared?.get(name)?
        else {
            return None;
        };
        let sizes = dims.iter().enumerate().map(|(axis, dim)| match dim {
            Dim::Fixed(size @ 2..) if axis > 0 => {
                i64::try_from(*size).map_or(Expr::Unknown, Expr::Number)
            }
            _ => Expr::Unknown,
        });
        Some(sizes.collect())
    }

    /// Dimensions of inputs that something new is joined to: what is kept from before.
    fn note_joined(&mut self, call: &Call<'_>, made: &Dims) {
        let (true, Some(made)) = (call.node.operator == "Concat", made) else {
            return;
        };
        let Some(axis) = call
            .axis(call.integer("axis", 1), made.len())
            .filter(|_| made.len() > 2)
        else {
            return;
        };
        let mut views = call
            .inputs
            .iter()
            .flatten()
            .filter(|value| value.view_of.is_some());
        let (Some(value), None) = (views.next(), views.next()) else {
            return;
        };
        if let Some(Expr::Dim(dim)) = value.dims.as_ref().and_then(|dims| dims.get(axis)) {
            self.joined.push(*dim);
        }
    }

    fn into_facts(mut self, graph: &Graph) -> ShapeFacts {
        let values: Vec<Option<Rc<Value>>> = graph
            .outputs
            .iter()
            .map(|info| self.values.get(info.name.exact()).cloned())
            .collect();
        let made: Vec<&Rc<Value>> = values.iter().flatten().collect();
        let sizes: Vec<&Expr> = made
            .iter()
            .flat_map(|value| value.dims.iter().flatten())
            .chain(&self.branched)
            .collect();
        for dim in self.joined.into_iter().filter(|&dim| grows(dim, &sizes)) {
            self.known.role(&Expr::Dim(dim), DimRole::Past);
        }
        self.known.share_roles();
        let outputs = graph.outputs.iter().zip(&values);
        ShapeFacts {
            dims: self.known.dims,
            demands: self.known.demands,
            outputs: outputs
                .map(|(info, value)| (info.name.exact().to_owned(), made_dims(value)))
                .collect(),
            varying: made
                .iter()
                .find_map(|value| value.varying.as_deref())
                .map(str::to_owned),
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

fn made_dims(value: &Option<Rc<Value>>) -> Dims {
    value.as_ref()?.dims.clone()
}

fn traits(call: &Call<'_>, is_known: bool) -> Value {
    let operator = call.node.operator.as_str();
    let inputs = || call.inputs.iter().flatten();
    let inherited = inputs().find_map(|value| value.varying.clone());
    let is_random = RANDOM.contains(&operator);
    let of_sizes = matches!(operator, "Shape" | "Size");
    let own = match is_known || ops::is_domain_known(&call.node.domain) {
        true => varying::by_values(call),
        false => Some(varying::by_nobody_known(call)),
    };
    Value {
        is_stored: !is_random && !call.inputs.is_empty() && inputs().all(|value| value.is_stored),
        is_fed: if of_sizes {
            inherited.is_some()
        } else {
            is_random || inputs().any(|value| value.is_fed)
        },
        view_of: view(call),
        is_integer: makes_integers(call),
        varying: own.map(Rc::from).or(inherited),
        ..Value::default()
    }
}

/// The one input of the graph that a node's output is a view of: of operators that move elements or
/// compute with each of them, and leave the axes of before.
fn view(call: &Call<'_>) -> Option<usize> {
    match call.node.operator.as_str() {
        _ if !call.node.is_standard() => return None,
        "Abs" | "Add" | "Cast" | "CastLike" | "Clip" | "Concat" | "DequantizeLinear" | "Div"
        | "Dropout" | "Exp" | "Expand" | "Flatten" | "Greater" | "Identity" | "Less" | "Log"
        | "Mod" | "Mul" | "Neg" | "Pad" | "Pow" | "QuantizeLinear" | "Reciprocal" | "Relu"
        | "Reshape" | "Resize" | "Slice" | "Split" | "Sqrt" | "Squeeze" | "Sub" | "Transpose"
        | "Unsqueeze" | "Where" => {}
        "DynamicQuantizeLinear" => {}
        _ => return None,
    }
    let mut views = call
        .inputs
        .iter()
        .flatten()
        .filter(|value| value.is_fed)
        .map(|value| value.view_of);
    let first = views.next()??;
    views.all(|view| view == Some(first)).then_some(first)
}

fn makes_integers(call: &Call<'_>) -> bool {
    let of = |index: usize| call.input(index).is_some_and(|value| value.is_integer);
    match call.node.operator.as_str() {
        "Shape" | "Size" | "ArgMax" | "ArgMin" | "NonZero" | "Not" | "Equal" | "Greater"
        | "Less" | "GreaterOrEqual" | "LessOrEqual" | "And" | "Or" => true,
        "Cast" => call
            .node
            .integer("to")
            .is_some_and(|to| WHOLE_TYPES.contains(&to) || to == BOOL_TYPE),
        "CastLike" | "Where" => of(1),
        "ConstantOfShape" => match call.node.attribute("value") {
            Some(AttributeValue::Tensor(tensor)) => is_integer(tensor.element_type),
            _ => false,
        },
        _ => of(0),
    }
}

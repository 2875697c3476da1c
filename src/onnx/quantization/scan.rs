//! A scan over the nodes of a graph, that finds which are quantized and in which schemes.

use std::collections::HashMap;

use super::found::Found;
use super::scheme::{Scheme, scheme};
use crate::matrix_operator::MatrixOperator;
use crate::onnx::{Graph, Node, StoredTensor};
use crate::plan::ElementType;
use crate::record::Granularity;

/// Operators that leave values as they are, so that a weight behind them is still one.
const PASSING: [&str; 4] = ["Identity", "Reshape", "Squeeze", "Transpose"];

/// Nodes between a weight and the operator that it belongs to: more would be computing.
const PASSING_LIMIT: usize = 4;

/// Where the weight, its scale and its zero point stand among the inputs of a quantized operator,
/// and the zero point of the activation, whose type is the activation's (`docs/ContribOperators.md`
/// of ONNX Runtime, and the ONNX standard).
struct Places {
    weight: usize,
    scale: Option<usize>,
    zero_point: usize,
    activation_zero_point: Option<usize>,
}

fn places(operator: &str) -> Option<Places> {
    let (weight, scale, zero_point, activation_zero_point) = match operator {
        "QLinearConv" | "QLinearMatMul" | "QGemm" | "QLinearConvTranspose" => {
            (3, Some(4), 5, Some(2))
        }
        "ConvInteger" | "MatMulInteger" => (1, None, 3, Some(2)),
        "DynamicQuantizeMatMul" => (1, Some(2), 3, None),
        "MatMulIntegerToFloat" => (1, Some(3), 5, Some(4)),
        "QAttention" => (1, Some(4), 7, Some(6)),
        _ => return None,
    };
    Some(Places {
        weight,
        scale,
        zero_point,
        activation_zero_point,
    })
}

pub(super) struct Scan<'a> {
    makers: HashMap<&'a str, &'a Node>,
    constants: HashMap<&'a str, StoredTensor>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        let stored = graph
            .initializers
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor.clone()));
        let made = graph
            .nodes
            .iter()
            .filter_map(|node| Some((node.outputs.first()?.as_str(), node.constant()?)));
        let mut makers = HashMap::new();
        for node in &graph.nodes {
            let names = node.outputs.iter().filter(|name| !name.is_empty());
            makers.extend(names.map(|name| (name.as_str(), node)));
        }
        Scan {
            makers,
            constants: stored.chain(made).collect(),
        }
    }

    pub(super) fn note_all(&self, nodes: &[Node], found: &mut Found) {
        for node in nodes {
            self.note(node, found);
        }
    }

    fn note(&self, node: &Node, found: &mut Found) {
        match node.operator.as_str() {
            "DequantizeLinear" => {
                found.pairs += u64::from(self.quantizer(node).is_some());
            }
            "MatMulNBits" | "MatMulBnb4" => {
                found.weight_only += 1;
                found.weights.push(self.block_scheme(node));
            }
            operator => match MatrixOperator::of(operator) {
                Some(MatrixOperator::Quantized) => self.note_quantized(node, found),
                Some(MatrixOperator::Float) => self.note_float(node, found),
                Some(MatrixOperator::Derived) | None => {}
            },
        }
    }

    fn note_quantized(&self, node: &Node, found: &mut Found) {
        let is_static = node.operator.starts_with("QLinear") || node.operator.starts_with("QGemm");
        match is_static {
            true => found.qoperators += 1,
            false => found.dynamic += 1,
        }
        let Some(places) = places(&node.operator) else {
            return;
        };
        found.weights.extend(self.quantized_weight(node, &places));
        let zero_point = places.activation_zero_point;
        let zero_point = zero_point.and_then(|place| self.constant(node, place));
        let element_type = match zero_point {
            Some(zero_point) => zero_point.element_type,
            // The one type that `DynamicQuantizeLinear` makes.
            None if !is_static => ElementType::Uint8,
            None => return,
        };
        let activation = scheme(element_type, None, zero_point, None);
        found.activations.push(activation);
    }

    fn quantized_weight(&self, node: &Node, places: &Places) -> Option<Scheme> {
        let weight = self.constant(node, places.weight)?;
        let zero_point = self.constant(node, places.zero_point);
        let scale = places
            .scale
            .map_or(zero_point, |scale| self.constant(node, scale));
        Some(scheme(weight.element_type, scale, zero_point, None))
    }

    fn note_float(&self, node: &Node, found: &mut Found) {
        use ElementType::{Bfloat16, Float16};
        let mut places = (1..node.inputs.len()).chain([0]);
        let weight = places.find_map(|place| self.read(node, place)?.weight());
        found.weights.extend(weight);
        let mut activation = None;
        if let Some(Source::Activation(scheme)) = self.read(node, 0) {
            found.activations.push(scheme);
            activation = Some(scheme);
        }
        match (weight, activation, self.read(node, 1)) {
            (Some(_), None, _) => found.weight_only += 1,
            (Some(_), Some(_), _)
            | (None, Some(_), Some(Source::Weight(_) | Source::Activation(_))) => found.qdq += 1,
            (None, _, Some(Source::Constant(kind @ (Float16 | Bfloat16)))) => found.half.push(kind),
            (None, _, Some(Source::Constant(_))) => found.full += 1,
            (None, ..) => found.weightless += 1,
        }
    }

    fn read(&self, node: &Node, place: usize) -> Option<Source> {
        self.source(node.inputs.get(place)?)
    }

    fn block_scheme(&self, node: &Node) -> Scheme {
        let element_type = match node.integer("bits") {
            Some(8) => ElementType::Uint8,
            Some(2) => ElementType::Uint2,
            _ => ElementType::Uint4,
        };
        let has_zero_points = node.inputs.get(3).is_some_and(|name| !name.is_empty());
        Scheme {
            element_type,
            granularity: Granularity::PerBlock,
            symmetric: Some(!has_zero_points),
        }
    }

    fn source(&self, name: &str) -> Option<Source> {
        let mut name = name;
        for _ in 0..PASSING_LIMIT {
            if let Some(constant) = self.constants.get(name) {
                return Some(Source::Constant(constant.element_type));
            }
            let maker = self.makers.get(name)?;
            match maker.operator.as_str() {
                "DequantizeLinear" => return self.dequantized(maker),
                operator if PASSING.contains(&operator) => name = maker.inputs.first()?,
                _ => return None,
            }
        }
        None
    }

    fn dequantized(&self, node: &Node) -> Option<Source> {
        let (scale, zero_point) = (self.constant(node, 1), self.constant(node, 2));
        let stored = self.constant(node, 0);
        let quantized = self.quantizer(node);
        let quantized = quantized.and_then(|maker| self.constant(maker, 0));
        // Without a zero point the standard's type is uint8.
        let element_type = stored
            .or(zero_point)
            .map_or(ElementType::Uint8, |tensor| tensor.element_type);
        let scheme = scheme(element_type, scale, zero_point, node.integer("block_size"));
        Some(match stored.or(quantized) {
            Some(_) => Source::Weight(scheme),
            None => Source::Activation(scheme),
        })
    }

    /// The node that quantizes what a node dequantizes.
    fn quantizer(&self, node: &Node) -> Option<&'a Node> {
        let maker = *self.makers.get(node.inputs.first()?.as_str())?;
        (maker.operator == "QuantizeLinear").then_some(maker)
    }

    fn constant(&self, node: &Node, place: usize) -> Option<&StoredTensor> {
        self.constants.get(node.inputs.get(place)?.as_str())
    }
}

enum Source {
    Constant(ElementType),
    Weight(Scheme),
    Activation(Scheme),
}

impl Source {
    fn weight(self) -> Option<Scheme> {
        match self {
            Source::Weight(scheme) => Some(scheme),
            Source::Constant(_) | Source::Activation(_) => None,
        }
    }
}

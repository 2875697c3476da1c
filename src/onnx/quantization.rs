//! How a model is quantized: which nodes, in which types, and by which scales.

use std::collections::{BTreeMap, HashMap};

use super::{Graph, Model, Node, StoredTensor};
use crate::matrix_operator::MatrixOperator;
use crate::plan::ElementType;
use crate::record::{Granularity, Quantization, QuantizationFormat};

/// Operators that leave values as they are, so that a weight behind them is still one.
const PASSING: [&str; 4] = ["Identity", "Reshape", "Squeeze", "Transpose"];

/// Nodes between a weight and the operator that it belongs to: more would be computing.
const PASSING_LIMIT: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scheme {
    element_type: ElementType,
    granularity: Granularity,
    symmetric: Option<bool>,
}

#[derive(Default)]
struct Found {
    weights: Vec<Scheme>,
    activations: Vec<Scheme>,
    pairs: u64,
    qoperators: u64,
    dynamic: u64,
    qdq: u64,
    weight_only: u64,
    half: Vec<ElementType>,
    full: u64,
    /// Matrix nodes in floating point without a weight, whose type is that of the others.
    weightless: u64,
}

pub(super) fn quantization(model: &Model) -> Quantization {
    let mut found = Found::default();
    for graph in model.all_graphs() {
        Scan::new(graph).note_all(&graph.nodes, &mut found);
    }
    found.summed_up()
}

impl Found {
    fn summed_up(self) -> Quantization {
        let format = self.format();
        let half = self.half.len() as u64 + self.weightless;
        let (half, full, weights) = match format {
            QuantizationFormat::Float16 => (half, self.full, commonest(self.half)),
            _ => (0, self.full + half, types(&self.weights)),
        };
        Quantization {
            format,
            weights,
            activations: types(&self.activations),
            granularity: granularity(&self.weights),
            weights_symmetric: symmetric(&self.weights),
            activations_symmetric: symmetric(&self.activations)
                .filter(|_| format != QuantizationFormat::Dynamic),
            reduced_matrix_nodes_count: self.qoperators
                + self.dynamic
                + self.qdq
                + self.weight_only
                + half,
            full_precision_matrix_nodes_count: full,
            qdq_pairs_count: self.pairs,
        }
    }

    /// The way in which most matrix nodes are quantized.
    fn format(&self) -> QuantizationFormat {
        let ways = [
            (self.qdq, QuantizationFormat::Qdq),
            (self.qoperators, QuantizationFormat::QOperator),
            (self.dynamic, QuantizationFormat::Dynamic),
            (self.weight_only, QuantizationFormat::WeightOnly),
        ];
        let most = ways.into_iter().rev().max_by_key(|(count, _)| *count);
        match most {
            Some((1.., format)) => format,
            _ if self.half.len() as u64 > self.full => QuantizationFormat::Float16,
            _ if self.pairs > 0 => QuantizationFormat::Qdq,
            _ => QuantizationFormat::None,
        }
    }
}

fn types(schemes: &[Scheme]) -> Option<ElementType> {
    commonest(schemes.iter().map(|scheme| scheme.element_type))
}

fn commonest(types: impl IntoIterator<Item = ElementType>) -> Option<ElementType> {
    let mut counts: BTreeMap<ElementType, u64> = BTreeMap::new();
    for element_type in types {
        *counts.entry(element_type).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(element_type, _)| element_type)
}

fn granularity(schemes: &[Scheme]) -> Option<Granularity> {
    let first = schemes.first()?.granularity;
    let same = schemes.iter().all(|scheme| scheme.granularity == first);
    Some(if same { first } else { Granularity::Mixed })
}

/// Whether all are symmetric; unknown where nothing is known to be asymmetric, and something is
/// unknown.
fn symmetric(schemes: &[Scheme]) -> Option<bool> {
    if schemes.iter().any(|scheme| scheme.symmetric == Some(false)) {
        return Some(false);
    }
    schemes.iter().map(|scheme| scheme.symmetric).min()?
}

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

struct Scan<'a> {
    makers: HashMap<&'a str, &'a Node>,
    constants: HashMap<&'a str, StoredTensor>,
}

impl<'a> Scan<'a> {
    fn new(graph: &'a Graph) -> Self {
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

    fn note_all(&self, nodes: &[Node], found: &mut Found) {
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

fn scheme(
    element_type: ElementType,
    scale: Option<&StoredTensor>,
    zero_point: Option<&StoredTensor>,
    block_size: Option<i64>,
) -> Scheme {
    let granularity = match (block_size, scale.or(zero_point)) {
        (Some(1..), _) => Granularity::PerBlock,
        (_, Some(scale)) if scale.elements() > 1 => Granularity::PerChannel,
        _ => Granularity::PerTensor,
    };
    Scheme {
        element_type,
        granularity,
        symmetric: is_symmetric(element_type, zero_point),
    }
}

/// Whether zero points are those of a symmetric scheme; unknown where their values were not kept.
fn is_symmetric(element_type: ElementType, zero_point: Option<&StoredTensor>) -> Option<bool> {
    let middle = match element_type {
        ElementType::Uint2 => 2.0,
        ElementType::Uint4 => 8.0,
        ElementType::Uint8 => 128.0,
        ElementType::Uint16 => 32768.0,
        _ => 0.0,
    };
    let Some(zero_point) = zero_point else {
        return Some(middle == 0.0);
    };
    let mut values = zero_point.values.as_ref()?.iter();
    Some(values.all(|&value| value == middle))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::onnx::testing::stored;

    fn of(model: &str) -> Quantization {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("models")
            .join(model);
        quantization(&crate::onnx::read(&path).unwrap())
    }

    #[test]
    fn static_quantization_by_pairs_is_read() {
        let expected = Quantization {
            format: QuantizationFormat::Qdq,
            weights: Some(ElementType::Int8),
            activations: Some(ElementType::Uint8),
            granularity: Some(Granularity::PerChannel),
            weights_symmetric: Some(true),
            activations_symmetric: Some(false),
            reduced_matrix_nodes_count: 6,
            full_precision_matrix_nodes_count: 0,
            qdq_pairs_count: 9,
        };
        assert_eq!(of("digits/digits-int8-static.onnx"), expected);
    }

    #[test]
    fn dynamic_quantization_hinto_activations_without_fixed_zero_points() {
        let found = of("digits/digits-int8-dynamic.onnx");
        let expected = Quantization {
            format: QuantizationFormat::Dynamic,
            weights: Some(ElementType::Uint8),
            activations: Some(ElementType::Uint8),
            granularity: Some(Granularity::PerTensor),
            weights_symmetric: Some(false),
            activations_symmetric: None,
            reduced_matrix_nodes_count: 6,
            full_precision_matrix_nodes_count: 0,
            ..found
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn operators_on_integers_and_blocks_are_told_apart() {
        let found = of("fixtures/qoperator.onnx");
        let expected = Quantization {
            format: QuantizationFormat::QOperator,
            weights: Some(ElementType::Int8),
            activations: Some(ElementType::Uint8),
            ..found
        };
        assert_eq!(found, expected);
        let found = of("fixtures/int4-block.onnx");
        let expected = Quantization {
            format: QuantizationFormat::WeightOnly,
            weights: Some(ElementType::Uint4),
            granularity: Some(Granularity::PerBlock),
            reduced_matrix_nodes_count: 2,
            ..found
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn models_in_floating_point_are_not_quantized() {
        let half = of("digits/digits-fp16.onnx");
        let expected = Quantization {
            format: QuantizationFormat::Float16,
            weights: Some(ElementType::Float16),
            granularity: None,
            reduced_matrix_nodes_count: 6,
            ..half
        };
        assert_eq!(half, expected);
        let full = of("digits/digits-fp32.onnx");
        let expected = Quantization {
            format: QuantizationFormat::None,
            weights: None,
            reduced_matrix_nodes_count: 0,
            full_precision_matrix_nodes_count: 6,
            ..full
        };
        assert_eq!(full, expected);
    }

    #[test]
    fn zero_points_of_unsigned_types_are_symmetric_in_the_middle() {
        let zero_point = |element_type, value| stored("", element_type, &[1], Some(&[value]));
        let is_symmetric = |element_type, value| {
            is_symmetric(element_type, Some(&zero_point(element_type, value)))
        };
        assert_eq!(is_symmetric(ElementType::Uint8, 128.0), Some(true));
        assert_eq!(is_symmetric(ElementType::Uint8, 0.0), Some(false));
        assert_eq!(is_symmetric(ElementType::Int8, 0.0), Some(true));
        assert_eq!(super::is_symmetric(ElementType::Int8, None), Some(true));
        assert_eq!(super::is_symmetric(ElementType::Uint8, None), Some(false));
    }
}

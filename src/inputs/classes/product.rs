//! Whether outputs are scores of classes, by the operators that make them.

use std::iter::successors;

use crate::onnx::{Graph, Node};

/// Operators that leave every element as it is.
const MOVES: [&str; 7] = [
    "Identity",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Transpose",
    "Cast",
];

/// Products with a matrix that is quantized.
const QUANTIZED_PRODUCTS: [&str; 6] = [
    "MatMulNBits",
    "MatMulInteger",
    "MatMulIntegerToFloat",
    "DynamicQuantizeMatMul",
    "QLinearMatMul",
    "QGemm",
];

/// Operators after which elements of a row stand in the same order.
const KEEPS_ORDER: [&str; 5] = [
    "Softmax",
    "LogSoftmax",
    "Slice",
    "QuantizeLinear",
    "DequantizeLinear",
];

/// Nodes that are gone back through from an output: a few stand between a product and it.
const STEPS: usize = 64;

fn moves(node: &Node) -> bool {
    MOVES.contains(&node.operator.as_str())
}

/// A graph, and those around it.
pub(super) struct Scope<'g> {
    pub graph: &'g Graph,
    pub outer: Option<&'g Scope<'g>>,
}

impl<'g> Scope<'g> {
    fn maker(&self, value: &str) -> Option<&'g Node> {
        self.graph
            .nodes
            .iter()
            .find(|node| node.outputs.iter().any(|made| made == value))
            .or_else(|| self.outer?.maker(value))
    }

    fn stores(&self, value: &str) -> bool {
        self.graph
            .initializers
            .iter()
            .any(|stored| stored.name == value)
            || self.outer.is_some_and(|outer| outer.stores(value))
    }

    /// Whether a product with a stored matrix, in some branch at least, makes an output, with only
    /// constants after it.
    pub fn is_product(&self, output: &str) -> bool {
        self.leads_to_product(output, &mut Vec::new())
    }

    /// The same but for `conditions`, which were gone into: a damaged file's may lead to themselves
    /// or to each other.
    fn leads_to_product(&self, output: &str, conditions: &mut Vec<*const Node>) -> bool {
        let mut value = output;
        for _ in 0..STEPS {
            let Some(node) = self.maker(value) else {
                return false;
            };
            if node.operator == "If" {
                return self.is_product_of_branch(node, value, conditions);
            }
            if let "MatMul" | "Gemm" | "FusedMatMul" = node.operator.as_str() {
                return node
                    .inputs
                    .get(1)
                    .is_some_and(|matrix| self.is_stored(matrix));
            }
            if QUANTIZED_PRODUCTS.contains(&node.operator.as_str()) {
                return true;
            }
            match self.before(node) {
                Some(input) => value = input,
                None => return false,
            }
        }
        false
    }

    fn is_product_of_branch(
        &self,
        node: &Node,
        value: &str,
        conditions: &mut Vec<*const Node>,
    ) -> bool {
        let address = std::ptr::from_ref(node);
        if conditions.contains(&address) || conditions.len() >= STEPS {
            return false;
        }
        conditions.push(address);
        let place = node.outputs.iter().position(|made| made == value);
        node.graphs()
            .filter_map(|graph| Some((graph, graph.outputs.get(place?)?)))
            .any(|(graph, output)| {
                Scope {
                    graph,
                    outer: Some(self),
                }
                .leads_to_product(output.name.exact(), conditions)
            })
    }

    /// The input whose rows an operator leaves in order: it moves them, or applies the same
    /// constants to all.
    fn before(&self, node: &'g Node) -> Option<&'g str> {
        let first = node.inputs.first()?;
        match node.operator.as_str() {
            operator if MOVES.contains(&operator) || KEEPS_ORDER.contains(&operator) => Some(first),
            "Add" | "Mul" | "Div" if self.has_one_constant(node) => node
                .inputs
                .iter()
                .find(|input| !self.is_stored(input))
                .map(String::as_str),
            // Scales of a dynamically quantized product are computed.
            "Mul" => self
                .maker(first)
                .filter(|made| made.operator == "Cast")
                .map(|_| first.as_str()),
            _ => None,
        }
    }

    fn has_one_constant(&self, node: &Node) -> bool {
        node.inputs
            .iter()
            .filter(|input| self.is_stored(input))
            .count()
            == 1
    }

    /// Whether a value does not depend on inputs: it is stored, or moved or turned into numbers
    /// from there.
    fn is_stored(&self, value: &str) -> bool {
        self.moved(value, "DequantizeLinear")
            .any(|value| self.stores(value) || self.makes(value, "Constant"))
    }

    pub fn is_sigmoid(&self, output: &str) -> bool {
        self.moved(output, "Identity")
            .any(|value| self.makes(value, "Sigmoid"))
    }

    fn makes(&self, value: &str, operator: &str) -> bool {
        self.maker(value)
            .is_some_and(|node| node.operator == operator)
    }

    /// A value and those before it, as long as operators move elements or are the one beside them.
    fn moved<'v>(&'v self, value: &'v str, beside: &'v str) -> impl Iterator<Item = &'v str> {
        successors(Some(value), move |value| self.mover(value, beside)).take(STEPS)
    }

    fn mover(&self, value: &str, beside: &str) -> Option<&'g str> {
        self.maker(value)
            .filter(|node| moves(node) || node.operator == beside)?
            .inputs
            .first()
            .map(String::as_str)
    }

    /// The outputs of the graph that are such.
    pub fn outputs_that(&self, are_such: fn(&Self, &str) -> bool) -> Vec<String> {
        self.graph
            .outputs
            .iter()
            .map(|output| output.name.exact())
            .filter(|name| are_such(self, name))
            .map(str::to_owned)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::testing::{node, nodes, tensor};
    use crate::onnx::{Attribute, AttributeValue};
    use crate::record::{TensorInfo, ValueType};

    fn is_product(nodes: Vec<Node>) -> bool {
        let graph = Graph {
            nodes,
            initializers: ["w", "b", "s"]
                .map(|name| tensor(name, &[4, 9], None))
                .to_vec(),
            ..Graph::default()
        };
        Scope {
            graph: &graph,
            outer: None,
        }
        .is_product("y")
    }

    #[test]
    fn rows_that_a_stored_matrix_ends_are_products() {
        for lines in [
            &["p = MatMul x w", "q = Add b p", "y = Softmax q"][..],
            // Tied to a table.
            &["t = Transpose w", "y = MatMul x t"],
            // Quantized as it goes.
            &[
                "whole = MatMulInteger x w",
                "cast = Cast whole",
                "m = Mul cast scale",
                "y = Add m b",
            ],
        ] {
            assert!(is_product(nodes(lines)), "{lines:?}");
        }
        let branch = branch(nodes(&["inner = MatMul x w"]), "inner");
        assert!(
            is_product(vec![Node {
                attributes: vec![branch],
                ..node("If", &["c"], "y")
            }]),
            "in a branch"
        );
    }

    fn branch(nodes: Vec<Node>, output: &str) -> Attribute {
        let output = TensorInfo {
            name: output.into(),
            value_type: ValueType::Other("?".into()),
        };
        let graph = Graph {
            nodes,
            outputs: vec![output],
            ..Graph::default()
        };
        Attribute {
            name: "then_branch".into(),
            value: AttributeValue::Graphs(vec![graph]),
        }
    }

    #[test]
    fn conditions_that_lead_to_themselves_or_to_each_other_come_to_an_end() {
        let condition = |to: &str, output: &str| Node {
            attributes: vec![branch(Vec::new(), to), branch(Vec::new(), to)],
            ..node("If", &["c"], output)
        };
        assert!(!is_product(vec![condition("y", "y")]));
        assert!(!is_product(vec![condition("z", "y"), condition("y", "z")]));
        let places = 0..40;
        let named = |place: usize| {
            if place == 0 {
                "y".to_owned()
            } else {
                format!("v{place}")
            }
        };
        let chain = |end: &str| {
            places
                .clone()
                .map(|place| condition(&named(place + 1), &named(place)))
                .chain([node("MatMul", &["x", end], &named(40))])
                .collect()
        };
        assert!(is_product(chain("w")));
        assert!(!is_product(chain("k")), "each is gone into once");
    }

    #[test]
    fn what_a_model_computes_with_is_no_product() {
        for lines in [
            &["p = MatMul x w", "y = Relu p"][..],
            // Added to what came in.
            &["p = MatMul x w", "y = Add p x"],
            // Masked.
            &["p = MatMul x w", "y = Mul p mask"],
            // Attention.
            &["y = MatMul q k"],
            &["p = MatMul x w", "y = LayerNormalization p s b"],
        ] {
            assert!(!is_product(nodes(lines)), "{lines:?}");
        }
    }
}

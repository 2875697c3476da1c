//! What a model's file says of its classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::onnx::{AttributeValue, Graph, Node};

/// Attributes that hold a model's classes, as words and as numbers.
const WORDS: [&str; 2] = ["classlabels_strings", "classes_strings"];
const NUMBERS: [&str; 2] = ["classlabels_int64s", "classlabels_ints"];
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

/// Classes that a model's file names: their order is that of scores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassNames {
    /// The classes, where they are words that operators of the model have; empty where none has any.
    pub words: Vec<String>,
    /// The classes, where they are numbers other than 0, 1, 2 ...; empty where the file has none.
    pub numbers: Vec<i64>,
    /// Outputs whose elements are probabilities each by itself, because a sigmoid makes them.
    pub sigmoids: Vec<String>,
    /// Outputs that a product with a stored matrix makes, as scores of classes are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// Words for the classes that the file's metadata or a configuration beside it has. Labels that are words go by them;
    /// numbers do not, since they rather count classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
}

impl ClassNames {
    pub(super) fn of(graph: &Graph) -> Self {
        let nodes = graph.all_nodes();
        let words = || {
            nodes
                .iter()
                .flat_map(|node| WORDS.map(|name| node.texts(name)))
        };
        let numbers = || {
            nodes
                .iter()
                .flat_map(|node| NUMBERS.map(|name| integers(node, name)))
        };
        let numbers = numbers()
            .find(|classes| !classes.is_empty())
            .unwrap_or_default();
        let is_counted = numbers
            .iter()
            .enumerate()
            .all(|(place, &class)| class == place as i64);
        let outputs = || graph.outputs.iter().map(|output| &output.name);
        let scope = Scope { graph, outer: None };
        ClassNames {
            words: words()
                .find(|classes| !classes.is_empty())
                .unwrap_or_default()
                .to_vec(),
            numbers: if is_counted {
                Vec::new()
            } else {
                numbers.to_vec()
            },
            sigmoids: outputs()
                .filter(|output| is_sigmoid(graph, output))
                .cloned()
                .collect(),
            products: outputs()
                .filter(|output| scope.is_product(output))
                .cloned()
                .collect(),
            told: Vec::new(),
        }
    }

    /// Words for the classes: those of the model's operators, else those that are told of it.
    #[must_use]
    pub fn known(&self) -> &[String] {
        if self.words.is_empty() {
            &self.told
        } else {
            &self.words
        }
    }

    /// Labels as places among the file's words or numbers, where it has all of these labels; else as they are.
    pub(super) fn places_of(&self, labels: impl Iterator<Item = i64> + Clone) -> Vec<i64> {
        let place = |label: i64| match self.words.is_empty() {
            true => self.numbers.iter().position(|&class| class == label),
            false => self
                .words
                .iter()
                .position(|word| *word == label.to_string()),
        };
        let places: Option<Vec<i64>> = labels
            .clone()
            .map(|label| place(label).map(|place| place as i64))
            .collect();
        places.unwrap_or_else(|| labels.collect())
    }
}

fn integers<'n>(node: &'n Node, name: &str) -> &'n [i64] {
    match node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values,
        _ => &[],
    }
}

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

/// A graph, and those around it.
struct Scope<'g> {
    graph: &'g Graph,
    outer: Option<&'g Scope<'g>>,
}

impl<'g> Scope<'g> {
    fn maker(&self, value: &str) -> Option<&'g Node> {
        let own = self
            .graph
            .nodes
            .iter()
            .find(|node| node.outputs.iter().any(|made| made == value));
        own.or_else(|| self.outer?.maker(value))
    }

    fn stores(&self, value: &str) -> bool {
        let own = self
            .graph
            .initializers
            .iter()
            .any(|stored| stored.name == value);
        own || self.outer.is_some_and(|outer| outer.stores(value))
    }

    /// Whether a product with a stored matrix, in some branch at least, makes an output, with only constants after it.
    fn is_product(&self, output: &str) -> bool {
        self.leads_to_product(output, &mut Vec::new())
    }

    /// The same but for `conditions`, which were gone into: a damaged file's may lead to themselves or to each other.
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
        let mut outputs = node
            .graphs()
            .filter_map(|graph| Some((graph, graph.outputs.get(place?)?)));
        outputs.any(|(graph, output)| {
            Scope {
                graph,
                outer: Some(self),
            }
            .leads_to_product(&output.name, conditions)
        })
    }

    /// The input whose rows an operator leaves in order: it moves them, or applies the same constants to all.
    fn before(&self, node: &'g Node) -> Option<&'g str> {
        let first = node.inputs.first()?;
        let operands = |stored: bool| {
            node.inputs
                .iter()
                .filter(move |input| self.is_stored(input) == stored)
        };
        match node.operator.as_str() {
            operator if MOVES.contains(&operator) || KEEPS_ORDER.contains(&operator) => Some(first),
            "Add" | "Mul" | "Div" if operands(true).count() == 1 => {
                operands(false).next().map(String::as_str)
            }
            // Scales of a dynamically quantized product are computed.
            "Mul" => self
                .maker(first)
                .filter(|made| made.operator == "Cast")
                .map(|_| first.as_str()),
            _ => None,
        }
    }

    /// Whether a value does not depend on inputs: it is stored, or moved or turned into numbers from there.
    fn is_stored(&self, value: &str) -> bool {
        let mut value = value;
        for _ in 0..STEPS {
            if self.stores(value) {
                return true;
            }
            let Some(node) = self.maker(value) else {
                return false;
            };
            let is_moved =
                MOVES.contains(&node.operator.as_str()) || node.operator == "DequantizeLinear";
            match node.inputs.first() {
                _ if node.operator == "Constant" => return true,
                Some(input) if is_moved => value = input,
                _ => return false,
            }
        }
        false
    }
}

fn is_sigmoid(graph: &Graph, output: &str) -> bool {
    let scope = Scope { graph, outer: None };
    let mut value = output;
    for _ in 0..STEPS {
        let Some(node) = scope.maker(value) else {
            return false;
        };
        match node.inputs.first() {
            _ if node.operator == "Sigmoid" => return true,
            Some(input) if MOVES.contains(&node.operator.as_str()) => value = input,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::Attribute;
    use crate::onnx::testing::{node, tensor};
    use crate::record::{TensorInfo, ValueType};

    #[test]
    fn labels_are_places_among_the_files_own_classes() {
        let names = ClassNames {
            numbers: vec![10, 20, 30],
            ..ClassNames::default()
        };
        assert_eq!(names.places_of([30, 10].into_iter()), [2, 0]);
        assert_eq!(
            names.places_of([2, 1].into_iter()),
            [2, 1],
            "these count already"
        );
        let names = ClassNames {
            words: vec!["1".into(), "3".into()],
            ..ClassNames::default()
        };
        assert_eq!(names.places_of([3, 1].into_iter()), [1, 0]);
        assert_eq!(ClassNames::default().places_of([7].into_iter()), [7]);
    }

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
        let product = || node("MatMul", &["x", "w"], "p");
        assert!(is_product(vec![
            product(),
            node("Add", &["b", "p"], "q"),
            node("Softmax", &["q"], "y")
        ]));
        assert!(
            is_product(vec![
                node("Transpose", &["w"], "t"),
                node("MatMul", &["x", "t"], "y")
            ]),
            "tied to a table"
        );
        let dynamic =
            ["MatMulInteger", "Cast"].map(|operator| node(operator, &["x", "w"], operator));
        let scaled = [
            node("Mul", &["Cast", "scale"], "m"),
            node("Add", &["m", "b"], "y"),
        ];
        let [whole, cast] = dynamic;
        let cast = Node {
            inputs: vec!["MatMulInteger".into()],
            ..cast
        };
        assert!(
            is_product([vec![whole, cast], scaled.to_vec()].concat()),
            "quantized as it goes"
        );
        let branch = branch(vec![node("MatMul", &["x", "w"], "inner")], "inner");
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
            let conditions = places
                .clone()
                .map(|place| condition(&named(place + 1), &named(place)));
            conditions
                .chain([node("MatMul", &["x", end], &named(40))])
                .collect()
        };
        assert!(is_product(chain("w")));
        assert!(!is_product(chain("k")), "each is gone into once");
    }

    #[test]
    fn what_a_model_computes_with_is_no_product() {
        let product = || node("MatMul", &["x", "w"], "p");
        assert!(!is_product(vec![product(), node("Relu", &["p"], "y")]));
        assert!(
            !is_product(vec![product(), node("Add", &["p", "x"], "y")]),
            "added to what came in"
        );
        assert!(
            !is_product(vec![product(), node("Mul", &["p", "mask"], "y")]),
            "masked"
        );
        assert!(
            !is_product(vec![node("MatMul", &["q", "k"], "y")]),
            "attention"
        );
        assert!(!is_product(vec![
            product(),
            node("LayerNormalization", &["p", "s", "b"], "y")
        ]));
    }
}

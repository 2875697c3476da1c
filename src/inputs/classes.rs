//! What a model's file says of its classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::onnx::{AttributeValue, Graph, Node};

/// Attributes that hold a model's classes as words.
const WORDS: [&str; 2] = ["classlabels_strings", "classes_strings"];
/// Attributes that hold a model's classes as numbers.
const NUMBERS: [&str; 2] = ["classlabels_int64s", "classlabels_ints"];
/// Operators that leave every element as it is.
const MOVES: [&str; 7] = ["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Cast"];

/// What a model's file says of its classes: their order is that of scores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassNames {
    /// The classes, where they are words; empty where the file has none.
    pub words: Vec<String>,
    /// The classes, where they are numbers other than 0, 1, 2 ...; empty where the file has none.
    pub numbers: Vec<i64>,
    /// Outputs whose elements are probabilities each by itself, because a sigmoid makes them.
    pub sigmoids: Vec<String>,
}

impl ClassNames {
    /// What `graph` says.
    pub(super) fn of(graph: &Graph) -> Self {
        let nodes = graph.all_nodes();
        let words = || nodes.iter().flat_map(|node| WORDS.map(|name| node.texts(name)));
        let numbers = || nodes.iter().flat_map(|node| NUMBERS.map(|name| integers(node, name)));
        let numbers = numbers().find(|classes| !classes.is_empty()).unwrap_or_default();
        let is_counted = numbers.iter().enumerate().all(|(place, &class)| class == place as i64);
        let outputs = graph.outputs.iter().map(|output| &output.name);
        ClassNames {
            words: words().find(|classes| !classes.is_empty()).unwrap_or_default().to_vec(),
            numbers: if is_counted { Vec::new() } else { numbers.to_vec() },
            sigmoids: outputs.filter(|output| is_sigmoid(graph, output)).cloned().collect(),
        }
    }

    /// Labels as places among the classes: by the file's words or numbers where it has all of these labels, else as they
    /// are.
    #[must_use]
    pub fn places_of(&self, labels: impl Iterator<Item = i64> + Clone) -> Vec<i64> {
        let place = |label: i64| match self.words.is_empty() {
            true => self.numbers.iter().position(|&class| class == label),
            false => self.words.iter().position(|word| *word == label.to_string()),
        };
        let places: Option<Vec<i64>> = labels.clone().map(|label| place(label).map(|place| place as i64)).collect();
        places.unwrap_or_else(|| labels.collect())
    }
}

fn integers<'n>(node: &'n Node, name: &str) -> &'n [i64] {
    match node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values,
        _ => &[],
    }
}

/// Whether a sigmoid makes the elements of an output.
fn is_sigmoid(graph: &Graph, output: &str) -> bool {
    let mut value = output;
    for _ in 0..graph.nodes.len() {
        let Some(node) = graph.nodes.iter().find(|node| node.outputs.iter().any(|made| made == value)) else {
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

    #[test]
    fn labels_are_places_among_the_files_own_classes() {
        let names = ClassNames { numbers: vec![10, 20, 30], ..ClassNames::default() };
        assert_eq!(names.places_of([30, 10].into_iter()), [2, 0]);
        assert_eq!(names.places_of([2, 1].into_iter()), [2, 1], "these count already");
        let names = ClassNames { words: vec!["1".into(), "3".into()], ..ClassNames::default() };
        assert_eq!(names.places_of([3, 1].into_iter()), [1, 0]);
        assert_eq!(ClassNames::default().places_of([7].into_iter()), [7]);
    }
}

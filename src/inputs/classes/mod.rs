//! Classes that a model's file names, and outputs that are scores of them.

mod product;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::onnx::{AttributeValue, Graph, Node};
use product::{Scope, is_sigmoid};

/// Attributes that hold a model's classes, as words and as numbers.
const WORDS: [&str; 2] = ["classlabels_strings", "classes_strings"];
const NUMBERS: [&str; 2] = ["classlabels_int64s", "classlabels_ints"];
/// Classes that a model's file names: their order is that of scores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassNames {
    /// The classes, where they are words that operators of the model have; empty where none has
    /// any.
    pub words: Vec<String>,
    /// The classes, where they are numbers other than 0, 1, 2 ...; empty where the file has none.
    pub numbers: Vec<i64>,
    /// Outputs whose elements are probabilities each by itself, because a sigmoid makes them.
    pub sigmoids: Vec<String>,
    /// Outputs that a product with a stored matrix makes, as scores of classes are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// Words for the classes that the file's metadata or a configuration beside it has. Labels that
    /// are words go by them; numbers do not, since they rather count classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
}

impl ClassNames {
    pub(super) fn of(graph: &Graph) -> Self {
        let scope = Scope { graph, outer: None };
        ClassNames {
            words: words_of(graph).to_vec(),
            numbers: numbers_of(graph).to_vec(),
            sigmoids: outputs_that(graph, |output| is_sigmoid(graph, output)),
            products: outputs_that(graph, |output| scope.is_product(output)),
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

    /// Labels as places among the file's words or numbers, where it has all of these labels; else
    /// as they are.
    pub(super) fn places_of(&self, labels: impl Iterator<Item = i64> + Clone) -> Vec<i64> {
        let places: Option<Vec<i64>> = labels
            .clone()
            .map(|label| self.place_of(label).map(|place| place as i64))
            .collect();
        places.unwrap_or_else(|| labels.collect())
    }

    fn place_of(&self, label: i64) -> Option<usize> {
        if self.words.is_empty() {
            return self.numbers.iter().position(|&class| class == label);
        }
        let label = label.to_string();
        self.words.iter().position(|word| *word == label)
    }
}

fn words_of(graph: &Graph) -> &[String] {
    let nodes = graph.all_nodes().into_iter();
    nodes
        .flat_map(|node| WORDS.map(|name| node.texts(name)))
        .find(|classes| !classes.is_empty())
        .unwrap_or_default()
}

/// The numbers of the classes, unless they count from 0.
fn numbers_of(graph: &Graph) -> &[i64] {
    let nodes = graph.all_nodes().into_iter();
    let numbers = nodes
        .flat_map(|node| NUMBERS.map(|name| integers(node, name)))
        .find(|classes| !classes.is_empty())
        .unwrap_or_default();
    let mut places = numbers.iter().enumerate();
    if places.all(|(place, &class)| class == place as i64) {
        return &[];
    }
    numbers
}

fn outputs_that(graph: &Graph, is_one: impl Fn(&str) -> bool) -> Vec<String> {
    let names = graph.outputs.iter().map(|output| output.name.exact());
    names
        .filter(|name| is_one(name))
        .map(str::to_owned)
        .collect()
}

fn integers<'n>(node: &'n Node, name: &str) -> &'n [i64] {
    match node.attribute(name) {
        Some(AttributeValue::Integers(values)) => values,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

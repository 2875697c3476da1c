//! Classes that a model's file names, and outputs that are scores of them.

mod product;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::onnx::{AttributeValue, Graph, Node};
use product::Scope;

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
    pub(super) fn of(graph: &Graph, told: Vec<String>) -> Self {
        let scope = Scope { graph, outer: None };
        ClassNames {
            words: words_of(graph).to_vec(),
            numbers: numbers_of(graph).to_vec(),
            sigmoids: scope.outputs_that(Scope::is_sigmoid),
            products: scope.outputs_that(Scope::is_product),
            told,
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
    pub(super) fn places_of(&self, labels: Vec<i64>) -> Vec<i64> {
        labels
            .iter()
            .map(|&label| self.place_of(label))
            .collect::<Option<_>>()
            .unwrap_or(labels)
    }

    fn place_of(&self, label: i64) -> Option<i64> {
        let word = label.to_string();
        let place = match self.words.is_empty() {
            true => self.numbers.iter().position(|&class| class == label),
            false => self.words.iter().position(|class| *class == word),
        };
        place.map(|place| place as i64)
    }
}

fn words_of(graph: &Graph) -> &[String] {
    graph
        .all_nodes()
        .into_iter()
        .flat_map(|node| WORDS.map(|name| node.texts(name)))
        .find(|classes| !classes.is_empty())
        .unwrap_or_default()
}

/// The numbers of the classes, unless they count from 0.
fn numbers_of(graph: &Graph) -> &[i64] {
    let numbers = graph
        .all_nodes()
        .into_iter()
        .flat_map(|node| NUMBERS.map(|name| integers(node, name)))
        .find(|classes| !classes.is_empty())
        .unwrap_or_default();
    let is_counted = numbers.iter().copied().eq(0..numbers.len() as i64);
    if is_counted { &[] } else { numbers }
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
        assert_eq!(names.places_of(vec![30, 10]), [2, 0]);
        assert_eq!(names.places_of(vec![2, 1]), [2, 1], "these count already");
        let names = ClassNames {
            words: vec!["1".into(), "3".into()],
            ..ClassNames::default()
        };
        assert_eq!(names.places_of(vec![3, 1]), [1, 0]);
        assert_eq!(ClassNames::default().places_of(vec![7]), [7]);
    }
}

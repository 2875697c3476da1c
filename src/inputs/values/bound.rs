//! Bounds of inputs that end as indices or divisors, and numbers that operators compare inputs with
//! or want of them.
//!
//! From an input the walk follows every value that is made of it through operators that move, cast,
//! shift or scale elements, into branches and loop bodies, up to operators that index by them, such
//! as `Gather`. The size of the indexed axis, carried back through shifts and scales, bounds the
//! input; of several bounds the tightest holds.

use std::collections::BTreeSet;

use super::operators::{self, Affine, Effect};
use super::{ElementType, Flow, Node};

/// Range of an input outside which an operator fails, and which operator that is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IndexBound {
    pub low: f64,
    pub high: f64,
    /// The operator of the tightest bound, as a fragment of a sentence.
    pub reason: String,
    pub indexes: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Uses {
    pub bound: Option<IndexBound>,
    /// The range of the smallest table that every element indexes; absent if there is none.
    pub table: Option<IndexBound>,
    pub compared: Vec<f64>,
    /// By which operator, as a part of a sentence.
    pub compares: Option<String>,
    /// Numbers that operators usually take at this place, the best first, and why.
    pub takes: Option<(Vec<f64>, String)>,
}

pub(super) fn uses(flow: &Flow<'_>, input: &str, element_type: ElementType) -> Uses {
    let mut found = Uses::default();
    let mut queue = vec![(input, Affine::SAME)];
    let mut seen = BTreeSet::from([input]);
    while let Some((value, affine)) = queue.pop() {
        queue.extend(
            flow.aliases(value)
                .filter(|alias| seen.insert(alias))
                .map(|alias| (alias, affine)),
        );
        for (node, operand) in flow.consumers(value) {
            match operators::effect(flow, node, operand) {
                Effect::Passes(step) => {
                    let mut next = step(affine);
                    next.sure &=
                        operators::keeps_all(&node.operator) && !flow.is_read_within(value);
                    let new = outputs(node).filter(|output| seen.insert(output));
                    queue.extend(new.map(|output| (output, next)));
                }
                effect => {
                    if affine.sure && affine.low == affine.high && !flow.is_read_within(value) {
                        found.note_table(&effect, affine);
                    }
                    found.note(effect, affine, element_type);
                }
            }
        }
    }
    found.bound = found.bound.map(whole);
    found
}

fn outputs(node: &Node) -> impl Iterator<Item = &str> {
    node.outputs
        .iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty())
}

impl Uses {
    fn note(&mut self, effect: Effect<'_>, affine: Affine, element_type: ElementType) {
        match effect {
            Effect::Ends | Effect::Passes(_) => {}
            Effect::Bounds {
                low,
                high,
                reason,
                indexes,
                ..
            } => {
                self.limit(
                    IndexBound {
                        low,
                        high,
                        reason,
                        indexes,
                    },
                    affine,
                );
            }
            Effect::Divides { reason } if element_type.is_integer() => {
                self.limit(
                    IndexBound {
                        low: 1.0,
                        high: f64::INFINITY,
                        reason,
                        indexes: false,
                    },
                    affine,
                );
            }
            Effect::Divides { .. } => {}
            Effect::Compares { values, reason } => {
                self.compare(values.into_iter().map(|value| affine.solve(value, value).0));
                self.compares.get_or_insert(reason);
            }
            Effect::Takes { values, reason } => {
                let solved = values
                    .into_iter()
                    .map(|value| affine.solve(value, value).0)
                    .collect();
                self.takes.get_or_insert((solved, reason));
            }
        }
    }

    fn compare(&mut self, values: impl Iterator<Item = f64>) {
        for value in values {
            if !self.compared.contains(&value) {
                self.compared.push(value);
            }
        }
    }

    fn note_table(&mut self, effect: &Effect<'_>, affine: Affine) {
        let Effect::Bounds {
            low,
            high,
            reason,
            table: true,
            ..
        } = effect
        else {
            return;
        };
        let (low, high) = affine.solve(*low, *high);
        if self.table.as_ref().is_none_or(|found| high < found.high) {
            self.table = Some(IndexBound {
                low,
                high,
                reason: reason.clone(),
                indexes: true,
            });
        }
    }

    fn limit(&mut self, bound: IndexBound, affine: Affine) {
        let (low, high) = affine.solve(bound.low, bound.high);
        self.bound = Some(tighten(
            self.bound.take(),
            IndexBound { low, high, ..bound },
        ));
    }
}

fn tighten(found: Option<IndexBound>, next: IndexBound) -> IndexBound {
    let Some(found) = found else { return next };
    let reason = if next.high < found.high {
        next.reason
    } else {
        found.reason
    };
    IndexBound {
        low: found.low.max(next.low),
        high: found.high.min(next.high),
        reason,
        indexes: found.indexes || next.indexes,
    }
}

/// The bound in whole numbers, from 0 on where 0 is within: indices from the end are valid and not
/// what users send.
fn whole(bound: IndexBound) -> IndexBound {
    let low = bound.low.ceil();
    let low = if bound.high >= 0.0 { low.max(0.0) } else { low };
    let high = if bound.high.is_finite() {
        bound.high.floor()
    } else {
        low.max(1.0)
    };
    IndexBound { low, high, ..bound }
}

#[cfg(test)]
mod tests {
    use super::super::{AttributeValue, Graph, Shapes, TensorInfo, measured};
    use super::*;
    use crate::onnx::testing::{node, tensor, with};
    use crate::record::{Dim, ValueType};

    fn ids(name: &str) -> TensorInfo {
        let dims = Some(vec![
            Dim::Symbolic("batch".to_owned().into()),
            Dim::Symbolic("sequence".to_owned().into()),
        ]);
        TensorInfo {
            name: name.to_owned().into(),
            value_type: ValueType::Tensor {
                element_type: ElementType::Int64,
                dims,
            },
        }
    }

    fn graph(nodes: Vec<Node>) -> Graph {
        let constants = [
            tensor("table", &[11, 8], None),
            tensor("turned", &[8, 11], None),
            tensor("two", &[], Some(&[2.0])),
            tensor("three_to_five", &[3], Some(&[3.0, 4.0, 5.0])),
            tensor("depth", &[1], Some(&[7.0])),
        ];
        Graph {
            nodes,
            inputs: vec![ids("ids")],
            initializers: constants.to_vec(),
            ..Graph::default()
        }
    }

    fn range(graph: &Graph) -> Option<(f64, f64)> {
        uses(&measured(graph, &Shapes::new()), "ids", ElementType::Int64)
            .bound
            .map(|bound| (bound.low, bound.high))
    }

    fn lookup(mut nodes: Vec<Node>) -> Option<(f64, f64)> {
        nodes.push(node("Gather", &["table", "index"], "rows"));
        range(&graph(nodes))
    }

    #[test]
    fn bound_is_carried_back_through_casts_shapes_and_shifts() {
        assert_eq!(
            lookup(vec![
                node("Cast", &["ids"], "a"),
                node("Reshape", &["a", "two"], "index")
            ]),
            Some((0.0, 10.0))
        );
        assert_eq!(
            lookup(vec![node("Add", &["ids", "two"], "index")]),
            Some((0.0, 8.0))
        );
        assert_eq!(
            lookup(vec![node("Add", &["three_to_five", "ids"], "index")]),
            Some((0.0, 5.0))
        );
        assert_eq!(
            lookup(vec![node("Sub", &["ids", "two"], "index")]),
            Some((2.0, 12.0))
        );
        assert_eq!(
            lookup(vec![node("Sub", &["two", "ids"], "index")]),
            Some((0.0, 2.0))
        );
        assert_eq!(
            lookup(vec![node("Mul", &["ids", "two"], "index")]),
            Some((0.0, 5.0))
        );
    }

    #[test]
    fn what_is_compared_or_computed_away_is_no_index_and_a_divisor_not_zero() {
        assert_eq!(lookup(vec![node("Equal", &["ids", "two"], "index")]), None);
        assert_eq!(lookup(vec![node("Shape", &["ids"], "index")]), None);
        assert_eq!(lookup(vec![node("Gather", &["ids", "two"], "other")]), None);
        assert_eq!(
            range(&graph(vec![node("Div", &["two", "ids"], "y")])),
            Some((1.0, 1.0))
        );
    }

    #[test]
    fn tightest_of_several_bounds_holds_and_is_named() {
        let graph = graph(vec![
            node("Gather", &["table", "ids"], "rows"),
            node("OneHot", &["ids", "depth", "two"], "hot"),
        ]);
        let found = uses(&measured(&graph, &Shapes::new()), "ids", ElementType::Int64)
            .bound
            .unwrap();
        assert_eq!(
            (found.high, found.reason.as_str()),
            (6.0, "is one of 7 classes in OneHot `OneHot_hot`")
        );
    }

    #[test]
    fn axis_is_that_of_the_data_as_the_operator_sees_it() {
        let axis_one = |data| {
            with(
                node("Gather", &[data, "ids"], "y"),
                "axis",
                AttributeValue::Integers(vec![1]),
            )
        };
        assert_eq!(range(&graph(vec![axis_one("table")])), Some((0.0, 7.0)));
        let turned = node("Transpose", &["turned"], "t");
        let stored = node("DequantizeLinear", &["t", "two"], "d");
        assert_eq!(
            range(&graph(vec![
                turned,
                stored,
                node("Gather", &["d", "ids"], "y")
            ])),
            Some((0.0, 10.0))
        );
        let embed = node(
            "com.microsoft.EmbedLayerNormalization",
            &["ids", "", "table"],
            "y",
        );
        assert_eq!(range(&graph(vec![embed])), Some((0.0, 10.0)));
    }

    #[test]
    fn walk_enters_branches_and_loop_bodies_and_follows_results_outside() {
        let branch = Graph {
            nodes: vec![node("Gather", &["table", "ids"], "y")],
            ..Graph::default()
        };
        let conditional = with(
            node("If", &["c"], "z"),
            "then_branch",
            AttributeValue::Graphs(vec![branch]),
        );
        assert_eq!(range(&graph(vec![conditional])), Some((0.0, 10.0)));
        let body = Graph {
            nodes: vec![node("Gather", &["table", "state"], "y")],
            inputs: vec![ids("turn"), ids("go_on"), ids("state")],
            ..Graph::default()
        };
        let looped = with(
            node("Loop", &["n", "", "ids"], "z"),
            "body",
            AttributeValue::Graphs(vec![body]),
        );
        assert_eq!(range(&graph(vec![looped])), Some((0.0, 10.0)));
        let branch = Graph {
            nodes: vec![node("Identity", &["ids"], "inner")],
            outputs: vec![ids("inner")],
            ..Graph::default()
        };
        let conditional = with(
            node("If", &["c"], "index"),
            "then_branch",
            AttributeValue::Graphs(vec![branch]),
        );
        assert_eq!(lookup(vec![conditional]), Some((0.0, 10.0)));
    }
}

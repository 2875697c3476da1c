//! Bounds of inputs that end as indices or divisors, and numbers that operators compare inputs with
//! or want of them.
//!
//! From an input the walk follows every value that is made of it through operators that move, cast,
//! shift or scale elements, into branches and loop bodies, up to operators that index by them, such
//! as `Gather`. The size of the indexed axis, carried back through shifts and scales, bounds the
//! input; of several bounds the tightest holds.

use std::collections::BTreeSet;

use super::operators::{self, Affine, Effect, IndexBound};
use super::{ElementType, Flow};

#[derive(Debug, Default)]
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
        let aliases = flow.aliases(value).filter(|alias| seen.insert(alias));
        queue.extend(aliases.map(|alias| (alias, affine)));
        let is_read_within = flow.is_read_within(value);
        for (call, operand) in flow.consumers(value) {
            match call.effect(operand) {
                Some(Effect::Passes(step)) => {
                    let mut next = affine.then(step);
                    next.sure &= operators::keeps_all(&call.node.operator) && !is_read_within;
                    let outputs = call.node.outputs.iter().map(String::as_str);
                    let new = outputs.filter(|name| !name.is_empty() && seen.insert(name));
                    queue.extend(new.map(|output| (output, next)));
                }
                Some(Effect::Divides { .. }) if !element_type.is_integer() => {}
                Some(effect) => {
                    if let Effect::Table(bound) = &effect
                        && affine.sure
                        && affine.low == affine.high
                        && !is_read_within
                    {
                        found.note_table(bound.clone().solved(affine));
                    }
                    found.note(effect, affine);
                }
                None => {}
            }
        }
    }
    found.bound = found.bound.map(whole);
    found
}

impl Uses {
    fn note(&mut self, effect: Effect, affine: Affine) {
        match effect {
            Effect::Passes(_) => {}
            Effect::Bounds(bound) | Effect::Table(bound) => self.limit(bound, affine),
            Effect::Divides { reason } => {
                let bound = IndexBound {
                    low: 1.0,
                    high: f64::INFINITY,
                    reason,
                    indexes: false,
                };
                self.limit(bound, affine);
            }
            Effect::Compares { values, reason } => {
                for value in affine.solve_each(values) {
                    if !self.compared.contains(&value) {
                        self.compared.push(value);
                    }
                }
                self.compares.get_or_insert(reason);
            }
            Effect::Takes { values, reason } => {
                let solved = affine.solve_each(values).collect();
                self.takes.get_or_insert((solved, reason));
            }
        }
    }

    fn note_table(&mut self, next: IndexBound) {
        let known = self.table.as_ref();
        if known.is_none_or(|known| next.high < known.high) {
            self.table = Some(next);
        }
    }

    fn limit(&mut self, bound: IndexBound, affine: Affine) {
        let next = bound.solved(affine);
        self.bound = Some(match self.bound.take() {
            Some(found) => tighten(found, next),
            None => next,
        });
    }
}

impl IndexBound {
    /// The bound of what becomes the value that has this one.
    fn solved(self, affine: Affine) -> IndexBound {
        let [low, high] = affine.solve(self.low, self.high);
        IndexBound { low, high, ..self }
    }
}

fn tighten(found: IndexBound, next: IndexBound) -> IndexBound {
    let (low, high) = (found.low.max(next.low), found.high.min(next.high));
    let indexes = found.indexes || next.indexes;
    let tightest = if next.high < found.high { next } else { found };
    IndexBound {
        low,
        high,
        indexes,
        ..tightest
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
    use super::super::{AttributeValue, Graph, Node, Shapes, TensorInfo, measured};
    use super::*;
    use crate::onnx::testing::{input, node, tensor, with};

    fn ids(name: &str) -> TensorInfo {
        input(name, ElementType::Int64, &[0, 0])
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

    fn range(nodes: Vec<Node>) -> Option<(f64, f64)> {
        let graph = graph(nodes);
        let bound = uses(&measured(&graph, &Shapes::new()), "ids", ElementType::Int64).bound?;
        Some((bound.low, bound.high))
    }

    fn lookup(mut nodes: Vec<Node>) -> Option<(f64, f64)> {
        nodes.push(node("Gather", &["table", "index"], "rows"));
        range(nodes)
    }

    #[test]
    fn bound_is_carried_back_through_casts_shapes_and_shifts() {
        let moved = vec![
            node("Cast", &["ids"], "a"),
            node("Reshape", &["a", "two"], "index"),
        ];
        assert_eq!(lookup(moved), Some((0.0, 10.0)));
        for (operator, operands, bound) in [
            ("Add", ["ids", "two"], Some((0.0, 8.0))),
            ("Add", ["three_to_five", "ids"], Some((0.0, 5.0))),
            ("Sub", ["ids", "two"], Some((2.0, 12.0))),
            ("Sub", ["two", "ids"], Some((0.0, 2.0))),
            ("Mul", ["ids", "two"], Some((0.0, 5.0))),
            // What is compared is no index.
            ("Equal", ["ids", "two"], None),
        ] {
            let shifted = node(operator, &operands, "index");
            assert_eq!(lookup(vec![shifted]), bound, "{operator} {operands:?}");
        }
    }

    #[test]
    fn what_is_computed_away_is_no_index_and_a_divisor_not_zero() {
        assert_eq!(lookup(vec![node("Shape", &["ids"], "index")]), None);
        assert_eq!(lookup(vec![node("Gather", &["ids", "two"], "other")]), None);
        let divided = node("Div", &["two", "ids"], "y");
        assert_eq!(range(vec![divided]), Some((1.0, 1.0)));
    }

    #[test]
    fn tightest_of_several_bounds_holds_and_is_named() {
        let graph = graph(vec![
            node("Gather", &["table", "ids"], "rows"),
            node("OneHot", &["ids", "depth", "two"], "hot"),
        ]);
        let found = uses(&measured(&graph, &Shapes::new()), "ids", ElementType::Int64);
        let bound = found.bound.unwrap();
        assert_eq!(bound.high, 6.0);
        assert_eq!(bound.reason, "is one of 7 classes in OneHot `OneHot_hot`");
    }

    #[test]
    fn axis_is_that_of_the_data_as_the_operator_sees_it() {
        let axis_one = AttributeValue::Integers(vec![1]);
        let columns = with(node("Gather", &["table", "ids"], "y"), "axis", axis_one);
        assert_eq!(range(vec![columns]), Some((0.0, 7.0)));
        let stored = vec![
            node("Transpose", &["turned"], "t"),
            node("DequantizeLinear", &["t", "two"], "d"),
            node("Gather", &["d", "ids"], "y"),
        ];
        assert_eq!(range(stored), Some((0.0, 10.0)));
        let operator = "com.microsoft.EmbedLayerNormalization";
        let embed = node(operator, &["ids", "", "table"], "y");
        assert_eq!(range(vec![embed]), Some((0.0, 10.0)));
    }

    /// A node with a graph within, of one node, which has these inputs and outputs.
    fn around(outer: Node, inner: Node, inputs: &[&str], outputs: &[&str]) -> Node {
        let [inputs, outputs] = [inputs, outputs].map(|names| names.iter().map(|name| ids(name)));
        let graph = Graph {
            nodes: vec![inner],
            inputs: inputs.collect(),
            outputs: outputs.collect(),
            ..Graph::default()
        };
        with(outer, "body", AttributeValue::Graphs(vec![graph]))
    }

    #[test]
    fn walk_enters_branches_and_loop_bodies_and_follows_results_outside() {
        let gather = node("Gather", &["table", "ids"], "y");
        let branch = around(node("If", &["c"], "z"), gather, &[], &[]);
        assert_eq!(range(vec![branch]), Some((0.0, 10.0)));
        let looped = node("Loop", &["n", "", "ids"], "z");
        let gather = node("Gather", &["table", "state"], "y");
        let body = around(looped, gather, &["turn", "go_on", "state"], &[]);
        assert_eq!(range(vec![body]), Some((0.0, 10.0)));
        let identity = node("Identity", &["ids"], "inner");
        let result = around(node("If", &["c"], "index"), identity, &[], &["inner"]);
        assert_eq!(lookup(vec![result]), Some((0.0, 10.0)));
    }
}

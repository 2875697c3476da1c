//! Bounds of inputs that end as indices, sizes or divisors.
//!
//! From an input the walk follows every value that is made of it through operators that move, cast, shift or scale
//! elements, into branches and loop bodies, up to operators that index by them, such as `Gather`. The size of the
//! indexed axis, carried back through shifts and scales, bounds the input; of several bounds the tightest holds.

use std::collections::BTreeSet;

use super::flow::Flow;
use super::operators::{self, Effect};

use crate::plan::ElementType;

/// Range of an input outside which an operator fails, and which operator that is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IndexBound {
    /// Smallest safe value.
    pub low: f64,
    /// Largest safe value.
    pub high: f64,
    /// What the tightest bound comes from.
    pub reason: String,
}

/// A value that is made of an input `x`: it lies in `scale * x + low ..= scale * x + high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    scale: f64,
    low: f64,
    high: f64,
}

impl Affine {
    const SAME: Affine = Affine { scale: 1.0, low: 0.0, high: 0.0 };

    /// The same with `low..=high` added.
    pub fn add(self, low: f64, high: f64) -> Affine {
        Affine { low: self.low + low, high: self.high + high, ..self }
    }

    /// The same multiplied by `factor`.
    pub fn multiply(self, factor: f64) -> Affine {
        let (one, other) = (self.low * factor, self.high * factor);
        Affine { scale: self.scale * factor, low: one.min(other), high: one.max(other) }
    }

    /// The `x` for which the value lies in `low..=high`.
    fn solve(self, low: f64, high: f64) -> (f64, f64) {
        let (one, other) = ((low - self.low) / self.scale, (high - self.high) / self.scale);
        if self.scale > 0.0 { (one, other) } else { (other, one) }
    }
}

/// The bound of the input of that name; absent if nothing indexes by it.
pub(super) fn bound(flow: &Flow<'_>, input: &str, element_type: ElementType) -> Option<IndexBound> {
    let mut found: Option<IndexBound> = None;
    let mut queue = vec![(input, Affine::SAME)];
    let mut seen = BTreeSet::from([input]);
    while let Some((value, affine)) = queue.pop() {
        queue.extend(flow.aliases(value).filter(|alias| seen.insert(alias)).map(|alias| (alias, affine)));
        for (node, operand) in flow.consumers(value) {
            match operators::effect(flow, node, operand) {
                Effect::Ends => {}
                Effect::Passes(step) => {
                    let outputs = node.outputs.iter().map(String::as_str).filter(|name| !name.is_empty());
                    let next = step(affine);
                    queue.extend(outputs.filter(|output| seen.insert(output)).map(|output| (output, next)));
                }
                Effect::Bounds { low, high, reason } => {
                    let (low, high) = affine.solve(low, high);
                    found = Some(tighten(found, IndexBound { low, high, reason }));
                }
                Effect::Divides { reason } if element_type.is_integer() => {
                    let (low, high) = affine.solve(1.0, f64::INFINITY);
                    found = Some(tighten(found, IndexBound { low, high, reason }));
                }
                Effect::Divides { .. } => {}
            }
        }
    }
    found.map(whole)
}

fn tighten(found: Option<IndexBound>, next: IndexBound) -> IndexBound {
    let Some(found) = found else { return next };
    let reason = if next.high < found.high { next.reason } else { found.reason };
    IndexBound { low: found.low.max(next.low), high: found.high.min(next.high), reason }
}

/// The bound in whole numbers, from 0 on where 0 is within: indices from the end are valid and not what users send.
fn whole(bound: IndexBound) -> IndexBound {
    let low = bound.low.ceil();
    let low = if bound.high >= 0.0 { low.max(0.0) } else { low };
    let high = if bound.high.is_finite() { bound.high.floor() } else { low.max(1.0) };
    IndexBound { low, high, reason: bound.reason }
}

#[cfg(test)]
mod tests {
    use super::super::Shapes;
    use super::*;
    use crate::onnx::{Attribute, AttributeValue, Graph, Node, StoredTensor};
    use crate::record::{Dim, TensorInfo, ValueType};

    fn tensor(name: &str, dims: &[u64], values: Option<&[f64]>) -> StoredTensor {
        StoredTensor {
            name: name.to_owned(),
            element_type: ElementType::Float,
            dims: dims.to_vec(),
            values: values.map(<[f64]>::to_vec),
            external: None,
        }
    }

    fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
        let (domain, operator) = operator.rsplit_once('.').unwrap_or(("", operator));
        Node {
            name: format!("{operator}_0"),
            operator: operator.to_owned(),
            domain: domain.to_owned(),
            inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
            outputs: vec![output.to_owned()],
            attributes: Vec::new(),
        }
    }

    fn with(mut node: Node, name: &str, value: AttributeValue) -> Node {
        node.attributes.push(Attribute { name: name.to_owned(), value });
        node
    }

    fn ids(name: &str) -> TensorInfo {
        let dims = Some(vec![Dim::Symbolic("batch".to_owned()), Dim::Symbolic("sequence".to_owned())]);
        TensorInfo { name: name.to_owned(), value_type: ValueType::Tensor { element_type: ElementType::Int64, dims } }
    }

    fn graph(nodes: Vec<Node>) -> Graph {
        let constants = [
            tensor("table", &[11, 8], None),
            tensor("turned", &[8, 11], None),
            tensor("two", &[], Some(&[2.0])),
            tensor("three_to_five", &[3], Some(&[3.0, 4.0, 5.0])),
            tensor("depth", &[1], Some(&[7.0])),
        ];
        Graph { nodes, inputs: vec![ids("ids")], initializers: constants.to_vec(), ..Graph::default() }
    }

    fn range(graph: &Graph) -> Option<(f64, f64)> {
        bound(&Flow::new(graph, &Shapes::new()), "ids", ElementType::Int64).map(|bound| (bound.low, bound.high))
    }

    fn lookup(nodes: Vec<Node>) -> Option<(f64, f64)> {
        let mut nodes = nodes;
        nodes.push(node("Gather", &["table", "index"], "rows"));
        range(&graph(nodes))
    }

    #[test]
    fn bound_is_carried_back_through_casts_shapes_and_shifts() {
        assert_eq!(
            lookup(vec![node("Cast", &["ids"], "a"), node("Reshape", &["a", "two"], "index")]),
            Some((0.0, 10.0))
        );
        assert_eq!(lookup(vec![node("Add", &["ids", "two"], "index")]), Some((0.0, 8.0)));
        assert_eq!(lookup(vec![node("Add", &["three_to_five", "ids"], "index")]), Some((0.0, 5.0)));
        assert_eq!(lookup(vec![node("Sub", &["ids", "two"], "index")]), Some((2.0, 12.0)));
        assert_eq!(lookup(vec![node("Sub", &["two", "ids"], "index")]), Some((0.0, 2.0)));
        assert_eq!(lookup(vec![node("Mul", &["ids", "two"], "index")]), Some((0.0, 5.0)));
    }

    #[test]
    fn what_is_compared_or_computed_away_is_no_index() {
        assert_eq!(lookup(vec![node("Equal", &["ids", "two"], "index")]), None);
        assert_eq!(lookup(vec![node("Shape", &["ids"], "index")]), None);
        assert_eq!(lookup(vec![node("Gather", &["ids", "two"], "other")]), None);
    }

    #[test]
    fn tightest_of_several_bounds_holds_and_is_named() {
        let graph =
            graph(vec![node("Gather", &["table", "ids"], "rows"), node("OneHot", &["ids", "depth", "two"], "hot")]);
        let found = bound(&Flow::new(&graph, &Shapes::new()), "ids", ElementType::Int64).unwrap();
        assert_eq!((found.high, found.reason.as_str()), (6.0, "is one of 7 classes in OneHot `OneHot_0`"));
    }

    #[test]
    fn axis_is_that_of_the_data_as_the_operator_sees_it() {
        let axis_one = |data| with(node("Gather", &[data, "ids"], "y"), "axis", AttributeValue::Integers(vec![1]));
        assert_eq!(range(&graph(vec![axis_one("table")])), Some((0.0, 7.0)));
        let turned = node("Transpose", &["turned"], "t");
        let stored = node("DequantizeLinear", &["t", "two"], "d");
        assert_eq!(range(&graph(vec![turned, stored, node("Gather", &["d", "ids"], "y")])), Some((0.0, 10.0)));
        let embed = node("com.microsoft.EmbedLayerNormalization", &["ids", "", "table"], "y");
        assert_eq!(range(&graph(vec![embed])), Some((0.0, 10.0)));
    }

    #[test]
    fn walk_enters_branches_and_loop_bodies() {
        let branch = Graph { nodes: vec![node("Gather", &["table", "ids"], "y")], ..Graph::default() };
        let conditional = with(node("If", &["c"], "z"), "then_branch", AttributeValue::Graphs(vec![branch]));
        assert_eq!(range(&graph(vec![conditional])), Some((0.0, 10.0)));
        let body = Graph {
            nodes: vec![node("Gather", &["table", "state"], "y")],
            inputs: vec![ids("turn"), ids("go_on"), ids("state")],
            ..Graph::default()
        };
        let looped = with(node("Loop", &["n", "", "ids"], "z"), "body", AttributeValue::Graphs(vec![body]));
        assert_eq!(range(&graph(vec![looped])), Some((0.0, 10.0)));
    }

    #[test]
    fn result_of_a_branch_is_followed_outside() {
        let branch =
            Graph { nodes: vec![node("Identity", &["ids"], "inner")], outputs: vec![ids("inner")], ..Graph::default() };
        let conditional = with(node("If", &["c"], "index"), "then_branch", AttributeValue::Graphs(vec![branch]));
        assert_eq!(lookup(vec![conditional]), Some((0.0, 10.0)));
    }

    #[test]
    fn divisor_is_not_zero() {
        assert_eq!(range(&graph(vec![node("Div", &["two", "ids"], "y")])), Some((1.0, 1.0)));
    }
}

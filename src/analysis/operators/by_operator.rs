//! Nodes of one operator on one execution provider, added up.

use std::collections::BTreeMap;

use serde::Serialize;

use super::OperatorGroup;
use super::breakdown::{calls, share, sum};
use crate::record::{NodeProfile, Profiled};
use crate::text::Plain;
use crate::units::{Bytes, Nanos, Ratio};

/// Time in the nodes of one operator on one execution provider.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorShare {
    /// The operator, without its domain.
    pub operator: Plain,
    /// ONNX Runtime's identifier of the execution provider.
    pub execution_provider: Plain,
    /// Kind of work.
    pub group: OperatorGroup,
    /// Nodes.
    pub nodes_count: u64,
    /// Calls for one inference.
    pub calls: f64,
    /// Time for one inference.
    pub time_ns: Nanos,
    /// Share of the time in nodes.
    pub share: Ratio,
    /// Bytes that one inference reads and writes in these nodes at least, packed weights left out; absent where the
    /// trace does not tell it of one of them.
    pub bytes: Option<Bytes>,
}

/// The operators of a profile, the longest first.
pub(super) fn by_operator(profiled: &Profiled, nodes_ns: Nanos) -> Vec<OperatorShare> {
    let mut operators: BTreeMap<(&Plain, &Plain), Vec<&NodeProfile>> = BTreeMap::new();
    for node in &profiled.nodes {
        operators.entry((&node.operator, &node.execution_provider)).or_default().push(node);
    }
    let of_operator = |((operator, execution_provider), nodes): ((&Plain, &Plain), Vec<&NodeProfile>)| {
        let time_ns = sum(nodes.iter().copied());
        OperatorShare {
            operator: operator.clone(),
            execution_provider: execution_provider.clone(),
            group: OperatorGroup::of(operator.exact()),
            nodes_count: nodes.len() as u64,
            calls: calls(nodes.iter().map(|node| node.calls_count).sum(), profiled),
            time_ns,
            share: share(time_ns, nodes_ns),
            bytes: nodes.iter().map(|node| bytes(node, profiled)).sum::<Option<f64>>().map(|sum| Bytes(sum as u64)),
        }
    };
    let mut shares: Vec<OperatorShare> = operators.into_iter().map(of_operator).collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.time_ns));
    shares
}

/// Bytes that one inference reads and writes in a node.
fn bytes(node: &NodeProfile, profiled: &Profiled) -> Option<f64> {
    Some(node.bytes()?.as_f64() * calls(node.calls_count, profiled))
}

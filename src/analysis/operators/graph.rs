//! The graph in the file against the graph as it ran.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::record::NodeProfile;
use crate::text::Plain;

/// Changes of the graph by optimization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GraphChange {
    /// Nodes in the file, inner graphs included.
    pub in_file_count: u64,
    /// Nodes that ran.
    pub as_run_count: u64,
    /// Operators that are not in the file: fused, converted to another layout, or put in to change precision or place.
    pub appeared: BTreeMap<Plain, u64>,
    /// Operators of the file of which nothing ran: fused into others, computed beforehand, or on a branch not taken.
    pub vanished: BTreeMap<Plain, u64>,
    /// Operators of which a different number ran than is in the file.
    pub changed: BTreeMap<Plain, CountChange>,
}

/// How many nodes of an operator there are before and after optimization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CountChange {
    /// Nodes in the file.
    pub in_file_count: u64,
    /// Nodes that ran.
    pub as_run_count: u64,
}

impl GraphChange {
    /// Operators are told apart without their domains, which traces leave out.
    pub(super) fn of(operators: &BTreeMap<String, u64>, nodes: &[NodeProfile]) -> GraphChange {
        let mut counts: BTreeMap<Plain, CountChange> = BTreeMap::new();
        let none = CountChange { in_file_count: 0, as_run_count: 0 };
        for (operator, count) in operators {
            counts.entry(without_domain(operator).into()).or_insert(none).in_file_count += count;
        }
        for node in nodes {
            counts.entry(without_domain(node.operator.exact()).into()).or_insert(none).as_run_count += 1;
        }
        let mut change = GraphChange {
            in_file_count: counts.values().map(|count| count.in_file_count).sum(),
            as_run_count: nodes.len() as u64,
            appeared: BTreeMap::new(),
            vanished: BTreeMap::new(),
            changed: BTreeMap::new(),
        };
        for (operator, count) in counts {
            match count {
                CountChange { in_file_count: 0, as_run_count } => change.appeared.insert(operator, as_run_count),
                CountChange { in_file_count, as_run_count: 0 } => change.vanished.insert(operator, in_file_count),
                CountChange { in_file_count, as_run_count } if in_file_count == as_run_count => None,
                changed => {
                    change.changed.insert(operator, changed);
                    None
                }
            };
        }
        change
    }
}

fn without_domain(operator: &str) -> &str {
    operator.rsplit('.').next().unwrap_or(operator)
}

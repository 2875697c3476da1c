//! Operators on both sides: which of them changed.

use std::collections::BTreeMap;

use super::explanation::{AddedNodes, OperatorChange};
use super::side::Side;

#[derive(Default)]
struct Times {
    ns: [f64; 2],
    nodes_count: [u64; 2],
    unknown_ns: f64,
}

/// Every operator whose time or number changed, the largest change of time first.
pub(super) fn operators(sides: &[Side<'_>; 2]) -> Vec<OperatorChange> {
    let mut times: BTreeMap<&str, Times> = BTreeMap::new();
    for (number, side) in sides.iter().enumerate() {
        for node in &side.profiled.nodes {
            let times = times.entry(node.operator.exact()).or_default();
            times.ns[number] += side.time_ns(node);
            times.nodes_count[number] += 1;
            times.unknown_ns += side.unknown_ns(node);
        }
    }
    let mut changes: Vec<OperatorChange> =
        times.into_iter().map(|(operator, times)| change(operator, &times)).collect();
    changes.retain(|change| change.change_ns() != 0 || change.before_nodes_count != change.after_nodes_count);
    changes.sort_by_key(|change| std::cmp::Reverse(change.change_ns().abs()));
    changes
}

fn change(operator: &str, times: &Times) -> OperatorChange {
    let [before_ns, after_ns] = times.ns.map(|ns| ns.round() as i64);
    let [before_nodes_count, after_nodes_count] = times.nodes_count;
    OperatorChange {
        operator: operator.into(),
        before_ns,
        after_ns,
        before_nodes_count,
        after_nodes_count,
        is_resolved: (after_ns - before_ns).abs() as f64 > times.unknown_ns,
    }
}

/// Of `changes`, those that have more nodes than before, the most time first.
pub(super) fn added<'a>(changes: impl Iterator<Item = &'a OperatorChange>) -> Vec<AddedNodes> {
    let mut added: Vec<&OperatorChange> =
        changes.filter(|change| change.after_nodes_count > change.before_nodes_count).collect();
    added.sort_by_key(|change| std::cmp::Reverse(change.change_ns()));
    let nodes = |change: &&OperatorChange| AddedNodes {
        operator: change.operator.clone(),
        nodes_count: change.after_nodes_count - change.before_nodes_count,
    };
    added.iter().map(nodes).collect()
}

//! Nodes in an order in which each comes after what it reads.

use std::collections::{BTreeSet, HashMap};

use crate::onnx::{Graph, Node};

/// The file's order where it is one, as the standard demands; converters that add nodes at the end
/// do not keep it, and ONNX Runtime does not mind. Nodes of a circle are left out.
pub(super) fn in_order(nodes: &[Node]) -> Vec<&Node> {
    let makers = makers(nodes);
    let sources: Vec<BTreeSet<usize>> = nodes.iter().map(|node| read_from(node, &makers)).collect();
    let mut last = sources.iter().map(|sources| sources.last()).enumerate();
    if last.all(|(place, last)| last.is_none_or(|&last| last < place)) {
        return nodes.iter().collect();
    }
    sorted(&sources)
        .into_iter()
        .map(|place| &nodes[place])
        .collect()
}

/// The place of the node that makes each value.
fn makers(nodes: &[Node]) -> HashMap<&str, usize> {
    let mut makers = HashMap::new();
    for (place, node) in nodes.iter().enumerate() {
        let names = node.outputs.iter().filter(|name| !name.is_empty());
        makers.extend(names.map(|name| (name.as_str(), place)));
    }
    makers
}

/// Places of the nodes that a node reads from.
fn read_from(node: &Node, makers: &HashMap<&str, usize>) -> BTreeSet<usize> {
    let places = reads(node).into_iter().filter_map(|name| makers.get(name));
    places.copied().collect()
}

fn sorted(sources: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut waiting: Vec<usize> = sources.iter().map(BTreeSet::len).collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); sources.len()];
    for (place, sources) in sources.iter().enumerate() {
        sources
            .iter()
            .for_each(|&source| readers[source].push(place));
    }
    let mut order: Vec<usize> = (0..sources.len())
        .filter(|&place| waiting[place] == 0)
        .collect();
    let mut next = 0;
    while let Some(&place) = order.get(next) {
        next += 1;
        for &reader in &readers[place] {
            waiting[reader] -= 1;
            if waiting[reader] == 0 {
                order.push(reader);
            }
        }
    }
    order
}

/// Values that a node reads, those that graphs within it take from around them included.
fn reads(node: &Node) -> Vec<&str> {
    let within = node
        .graphs()
        .flat_map(Graph::all_nodes)
        .flat_map(|inner| &inner.inputs);
    let handed_on = node
        .graphs()
        .flat_map(|graph| &graph.outputs)
        .map(|info| info.name.exact());
    node.inputs
        .iter()
        .chain(within)
        .map(String::as_str)
        .chain(handed_on)
        .filter(|name| !name.is_empty())
        .collect()
}

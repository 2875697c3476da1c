//! Nodes in an order in which each comes after those that it reads.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};

use super::super::skeleton::SkeletonFault;
use super::flatbuffer::Table;

/// Fields of a node: what it reads, what it makes, and what the graphs within it read.
const INPUTS: usize = 8;
const OUTPUTS: usize = 9;
const IMPLICIT_INPUTS: usize = 12;

/// Otherwise as they stand: optimization puts new nodes at the end. Those that wait for each other
/// are last.
pub(super) fn in_order(nodes: Vec<Table<'_>>) -> Result<Vec<Table<'_>>, SkeletonFault> {
    // Names are many; what they hash to is as good, and small.
    let hash = RandomState::new();
    let mut makers: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let named = node
            .texts(OUTPUTS)?
            .into_iter()
            .filter(|name| !name.is_empty());
        makers.extend(named.map(|name| (hash.hash_one(name), index)));
    }
    let mut waiting: Vec<BTreeSet<usize>> = Vec::new();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        let reads = [node.texts(INPUTS)?, node.texts(IMPLICIT_INPUTS)?].concat();
        let before: BTreeSet<usize> = reads
            .iter()
            .filter_map(|name| makers.get(&hash.hash_one(name)).copied())
            .collect();
        before.iter().for_each(|&maker| readers[maker].push(index));
        waiting.push(before);
    }
    let mut ready: BTreeSet<usize> = (0..nodes.len())
        .filter(|&index| waiting[index].is_empty())
        .collect();
    let mut order = Vec::new();
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &reader in &readers[index] {
            if waiting[reader].remove(&index) && waiting[reader].is_empty() {
                ready.insert(reader);
            }
        }
    }
    let stuck = (0..nodes.len()).filter(|&index| !waiting[index].is_empty());
    Ok(order
        .iter()
        .copied()
        .chain(stuck)
        .map(|index| nodes[index])
        .collect())
}

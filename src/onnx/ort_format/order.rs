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
    let order = sorted(sources(&nodes)?).into_iter();
    Ok(order.map(|index| nodes[index]).collect())
}

/// Places of the nodes that each reads from.
fn sources(nodes: &[Table<'_>]) -> Result<Vec<BTreeSet<usize>>, SkeletonFault> {
    // Names are many; what they hash to is as good, and small.
    let hash = RandomState::new();
    let mut makers: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let names = node.texts(OUTPUTS)?;
        let names = names.iter().filter(|name| !name.is_empty());
        makers.extend(names.map(|name| (hash.hash_one(name), index)));
    }
    let mut sources = Vec::new();
    for node in nodes {
        let names = [node.texts(INPUTS)?, node.texts(IMPLICIT_INPUTS)?].concat();
        let places = names
            .iter()
            .filter_map(|name| makers.get(&hash.hash_one(name)));
        sources.push(places.copied().collect());
    }
    Ok(sources)
}

fn sorted(mut waiting: Vec<BTreeSet<usize>>) -> Vec<usize> {
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); waiting.len()];
    for (index, sources) in waiting.iter().enumerate() {
        sources
            .iter()
            .for_each(|&source| readers[source].push(index));
    }
    let places = 0..waiting.len();
    let free = places.clone().filter(|&index| waiting[index].is_empty());
    let mut ready: BTreeSet<usize> = free.collect();
    let mut order = Vec::new();
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &reader in &readers[index] {
            if waiting[reader].remove(&index) && waiting[reader].is_empty() {
                ready.insert(reader);
            }
        }
    }
    order.extend(places.filter(|&index| !waiting[index].is_empty()));
    order
}

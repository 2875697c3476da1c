//! Operators that limit a session, from its roofline and the times of all its nodes.

use std::collections::BTreeMap;

use super::breakdown::{self, sum};
use super::{Arithmetic, Bound, HotNode, OperatorGroup, Roofline, rooflines};
use crate::analysis::{Bottleneck, BottleneckKind};

use crate::record::{Profiled, RunRecord};
use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// An operator with at least this share of the time in nodes decides how fast the session is.
const DOMINATING_SHARE: f64 = 0.5;
/// Conversions, or nodes too small for their work to matter, are worth a word from this share of
/// the time in nodes on.
const NOTABLE_SHARE: f64 = 0.1;

/// Limits of each session at the smallest batch size that it was profiled at; those of one kind
/// stand together.
pub(in crate::analysis) fn bottlenecks(record: &RunRecord) -> Vec<Bottleneck> {
    let rooflines = rooflines(record);
    let first: Vec<(&Roofline, &Profiled)> = rooflines
        .chunk_by(|one, other| one.session == other.session)
        .filter_map(|all| Some((&all[0], profiled(record, &all[0])?)))
        .collect();
    let mut found = Vec::new();
    for kind in [dominating, conversions, overhead] {
        found.extend(first.iter().filter_map(|(roofline, profiled)| {
            Some(Bottleneck {
                session: roofline.session,
                kind: kind(profiled, roofline)?,
            })
        }));
    }
    found
}

fn profiled<'r>(record: &'r RunRecord, roofline: &Roofline) -> Option<&'r Profiled> {
    let key = (roofline.session, roofline.shape, roofline.batch_size);
    record
        .operators
        .iter()
        .find(|known| (known.session, known.shape, known.batch_size) == key)?
        .profile
        .as_ref()
        .ok()
}

fn share(profiled: &Profiled, wanted: impl Fn(&Plain) -> bool) -> Ratio {
    breakdown::share(
        sum(profiled.nodes.iter().filter(|node| wanted(&node.operator))),
        sum(&profiled.nodes),
    )
}

/// The operator that takes most of the time, with the bound of the longest of its nodes.
fn dominating(profiled: &Profiled, roofline: &Roofline) -> Option<BottleneckKind> {
    let operator = longest_operator(profiled)?;
    let share = share(profiled, |other| other == operator);
    let longest = roofline
        .nodes
        .iter()
        .find(|node| node.operator == *operator)?;
    let work = longest.work.as_ref();
    (share.0 >= DOMINATING_SHARE).then(|| BottleneckKind::DominatingOperator {
        batch_size: roofline.batch_size,
        operator: operator.clone(),
        share,
        bound: longest.bound.clone(),
        attained: attained(longest),
        is_quantized: work.is_ok_and(|work| work.arithmetic == Arithmetic::Integer),
    })
}

/// Besides conversions.
fn longest_operator(profiled: &Profiled) -> Option<&Plain> {
    let mut times: BTreeMap<&Plain, Nanos> = BTreeMap::new();
    for node in &profiled.nodes {
        if !is_conversion(&node.operator) {
            let time = times.entry(&node.operator).or_default();
            *time = *time + node.time_ns;
        }
    }
    let (operator, _) = times.into_iter().max_by_key(|(_, time)| *time)?;
    Some(operator)
}

/// Share of the peak that bounds the node.
fn attained(node: &HotNode) -> Option<Ratio> {
    match node.bound {
        // More than the memory gives comes from a cache, of which no peak is known.
        Ok(Bound::Memory) => node.memory_ratio.filter(|ratio| ratio.0 <= 1.0),
        _ => node.compute_ratio,
    }
}

fn is_conversion(operator: &Plain) -> bool {
    OperatorGroup::of(operator) == OperatorGroup::Conversion
}

fn conversions(profiled: &Profiled, roofline: &Roofline) -> Option<BottleneckKind> {
    let share = share(profiled, is_conversion);
    let mut operators: Vec<Plain> = profiled
        .nodes
        .iter()
        .map(|node| node.operator.clone())
        .filter(is_conversion)
        .collect();
    let nodes_count = operators.len() as u64;
    operators.sort();
    operators.dedup();
    (share.0 >= NOTABLE_SHARE).then_some(BottleneckKind::Conversions {
        batch_size: roofline.batch_size,
        share,
        operators,
        nodes_count,
    })
}

fn overhead(_: &Profiled, roofline: &Roofline) -> Option<BottleneckKind> {
    let share = roofline.share_of(Bound::Overhead);
    (share.0 >= NOTABLE_SHARE).then_some(BottleneckKind::SmallNodes {
        batch_size: roofline.batch_size,
        share,
    })
}

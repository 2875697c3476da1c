//! Operators that limit a session, from its roofline and the times of all its nodes.

use super::{Arithmetic, Bound, OperatorGroup, Roofline, Work, rooflines};
use crate::analysis::{Bottleneck, BottleneckKind};
use std::collections::BTreeMap;

use crate::record::{Profiled, RunRecord};
use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// An operator with at least this share of the time in nodes decides how fast the session is.
const DOMINATING_SHARE: f64 = 0.5;
/// Conversions, or nodes too small for their work to matter, are worth a word from this share of the time in nodes on.
const NOTABLE_SHARE: f64 = 0.1;

/// Limits of each session at the smallest batch size that it was profiled at; those of one kind stand together.
pub(in crate::analysis) fn bottlenecks(record: &RunRecord) -> Vec<Bottleneck> {
    let rooflines = rooflines(record);
    let of_session = rooflines.chunk_by(|one, other| one.session == other.session);
    let first = of_session.filter_map(|all| Some((&all[0], profiled(record, &all[0])?)));
    let first: Vec<(&Roofline, &Profiled)> = first.collect();
    let kinds = [dominating, conversions, overhead];
    let found = kinds.iter().flat_map(|kind| {
        let limited = |&(roofline, profiled): &(&Roofline, &Profiled)| {
            Some(Bottleneck {
                session: roofline.session,
                kind: kind(profiled, roofline)?,
            })
        };
        first.iter().filter_map(limited)
    });
    found.collect()
}

fn profiled<'r>(record: &'r RunRecord, roofline: &Roofline) -> Option<&'r Profiled> {
    let key = (roofline.session, roofline.shape, roofline.batch_size);
    let profile = record
        .operators
        .iter()
        .find(|known| (known.session, known.shape, known.batch_size) == key)?;
    profile.profile.as_ref().ok()
}

fn share(profiled: &Profiled, wanted: impl Fn(&Plain) -> bool) -> f64 {
    let time = |nodes: &mut dyn Iterator<Item = Nanos>| nodes.sum::<Nanos>().as_f64();
    let all = time(&mut profiled.nodes.iter().map(|node| node.time_ns));
    let wanted = time(
        &mut profiled
            .nodes
            .iter()
            .filter(|node| wanted(&node.operator))
            .map(|node| node.time_ns),
    );
    if all > 0.0 { wanted / all } else { 0.0 }
}

/// The operator that takes most of the time, with the bound of the longest of its nodes.
fn dominating(profiled: &Profiled, roofline: &Roofline) -> Option<BottleneckKind> {
    let mut times: BTreeMap<&Plain, Nanos> = BTreeMap::new();
    for node in profiled
        .nodes
        .iter()
        .filter(|node| OperatorGroup::of(&node.operator) != OperatorGroup::Conversion)
    {
        let time = times.entry(&node.operator).or_default();
        *time = *time + node.time_ns;
    }
    let (&operator, _) = times.iter().max_by_key(|(_, time)| **time)?;
    let share = share(profiled, |other| other == operator);
    let longest = roofline
        .nodes
        .iter()
        .find(|node| node.operator == *operator)?;
    let arithmetic = longest
        .work
        .as_ref()
        .ok()
        .map(|work: &Work| work.arithmetic);
    let attained = match longest.bound.as_ref().ok() {
        // More than the memory gives comes from a cache, of which no peak is known.
        Some(Bound::Memory) => longest.memory_ratio.filter(|ratio| ratio.0 <= 1.0),
        _ => longest.compute_ratio,
    };
    (share >= DOMINATING_SHARE).then(|| BottleneckKind::DominatingOperator {
        batch_size: roofline.batch_size,
        operator: operator.clone(),
        share: Ratio(share),
        bound: longest.bound.clone(),
        attained,
        is_quantized: arithmetic == Some(Arithmetic::Integer),
    })
}

fn conversions(profiled: &Profiled, roofline: &Roofline) -> Option<BottleneckKind> {
    let is_conversion = |operator: &Plain| OperatorGroup::of(operator) == OperatorGroup::Conversion;
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
    (share >= NOTABLE_SHARE).then_some(BottleneckKind::Conversions {
        batch_size: roofline.batch_size,
        share: Ratio(share),
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

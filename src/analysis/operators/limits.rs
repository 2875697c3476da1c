//! Operators that limit a session, from its roofline and the times of all its nodes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Arithmetic, Bound, DeviceFindings, DeviceVerdict, HotNode, NodeTimes, OperatorGroup, Roofline,
    Undistorted,
};
use crate::analysis::{BetterKernel, Bottleneck, BottleneckKind};
use crate::record::{Profiled, RunRecord};
use crate::text::Plain;
use crate::units::{Nanos, Ratio};

/// An operator with at least this share of the time in nodes decides how fast the session is.
const DOMINATING_SHARE: f64 = 0.5;
/// Conversions, or nodes too small for their work to matter, are worth a word from this share of
/// the time in nodes on.
const NOTABLE_SHARE: f64 = 0.1;
/// A kernel is better that attains this many times as much of the peak for the same work.
const BETTER: f64 = 2.0;

/// Limits of each session at the smallest batch size that it was profiled at; those of one kind
/// stand together.
pub(in crate::analysis) fn bottlenecks(
    record: &RunRecord,
    rooflines: &[Roofline],
) -> Vec<Bottleneck> {
    let first: Vec<First<'_>> = rooflines
        .chunk_by(|one, other| one.session == other.session)
        .filter_map(|all| {
            Some(First {
                roofline: &all[0],
                profiled: profiled(record, &all[0])?,
                all: rooflines,
            })
        })
        .collect();
    let mut found = Vec::new();
    for kind in [dominating, conversions, overhead] {
        found.extend(first.iter().filter_map(|&at| {
            Some(Bottleneck {
                session: at.roofline.session,
                kind: kind(at)?,
            })
        }));
    }
    found.extend(on_devices(record));
    found
}

/// What the traces of devices show, of each session at the smallest batch size that has one; nothing
/// of hosts that wait in nodes, where it is not known whether they hand work over in time.
pub(in crate::analysis) fn on_devices(record: &RunRecord) -> impl Iterator<Item = Bottleneck> {
    let mut told = BTreeSet::new();
    super::sorted(record)
        .filter_map(|known| Some((known, DeviceFindings::of(known.profile.as_ref().ok()?)?)))
        .filter(move |(known, _)| told.insert(known.session))
        .flat_map(|(known, device)| {
            let verdicts = device.verdicts.clone().into_iter();
            verdicts
                .filter(|verdict| *verdict != DeviceVerdict::HostWaits)
                .map(move |verdict| Bottleneck {
                    session: known.session,
                    kind: BottleneckKind::Device {
                        batch_size: known.batch_size,
                        verdict,
                        device: device.clone(),
                    },
                })
        })
}

/// What a session was first profiled at.
#[derive(Clone, Copy)]
struct First<'r> {
    roofline: &'r Roofline,
    profiled: &'r Profiled,
    /// Of all sessions.
    all: &'r [Roofline],
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

/// Share of the time in nodes without the profiler.
fn share(profiled: &Profiled, wanted: impl Fn(&Plain) -> bool) -> Ratio {
    let times = Undistorted::in_turn(profiled);
    let nodes = profiled.nodes.iter();
    let wanted_ns: f64 = nodes
        .filter(|node| wanted(&node.operator))
        .map(|node| times.time_ns(node))
        .sum();
    Ratio(wanted_ns / times.nodes_ns.max(1.0))
}

/// The operator that takes most of the time, with the bound of the longest of its nodes.
fn dominating(at: First<'_>) -> Option<BottleneckKind> {
    let operator = longest_operator(at.profiled)?;
    let share = share(at.profiled, |other| other == operator);
    let nodes = &at.roofline.nodes;
    let longest = nodes.iter().find(|node| node.operator == *operator)?;
    if share.0 < DOMINATING_SHARE {
        return None;
    }
    Some(
        inefficient(at, longest, share).unwrap_or_else(|| BottleneckKind::DominatingOperator {
            batch_size: at.roofline.batch_size,
            operator: operator.clone(),
            share,
            bound: longest.bound.clone(),
            attained: longest.attained(),
            is_quantized: is_quantized(longest),
        }),
    )
}

fn is_quantized(node: &HotNode) -> bool {
    node.work
        .as_ref()
        .is_ok_and(|work| work.arithmetic == Arithmetic::Integer)
}

/// Where a quantized matrix operator is far from both peaks, and of calls too small for that to
/// tell anything, where another kernel does the same work better.
fn inefficient(at: First<'_>, node: &HotNode, share: Ratio) -> Option<BottleneckKind> {
    if !is_quantized(node) || OperatorGroup::of(&node.operator) != OperatorGroup::Matrix {
        return None;
    }
    let better = better_kernel(at, node);
    let is_inefficient = match node.bound {
        Ok(Bound::FarFromBoth) => true,
        Ok(Bound::Overhead) => better.is_some(),
        Ok(Bound::Compute | Bound::Memory | Bound::Conversion) | Err(_) => false,
    };
    Some(BottleneckKind::InefficientKernel {
        batch_size: at.roofline.batch_size,
        operator: node.operator.clone(),
        share,
        attained: node.compute_ratio.filter(|_| is_inefficient)?,
        better,
    })
}

/// The best of other operators that compute as much with whole numbers at the same place.
fn better_kernel(at: First<'_>, node: &HotNode) -> Option<BetterKernel> {
    let work = node.work.as_ref().ok()?;
    let own = node.compute_ratio?;
    let place = |roofline: &Roofline| (roofline.shape, roofline.batch_size);
    at.all
        .iter()
        .filter(|other| place(other) == place(at.roofline))
        .flat_map(|other| other.nodes.iter().map(|node| (other.session, node)))
        .filter(|(_, other)| other.work.as_ref() == Ok(work) && other.operator != node.operator)
        .filter_map(|(session, other)| {
            Some(BetterKernel {
                session,
                operator: other.operator.clone(),
                attained: other.compute_ratio?,
            })
        })
        .filter(|other| other.attained.0 >= BETTER * own.0)
        .max_by(|one, other| one.attained.0.total_cmp(&other.attained.0))
}

/// Besides conversions.
fn longest_operator(profiled: &Profiled) -> Option<&Plain> {
    let times = NodeTimes::of(profiled);
    let mut sums: BTreeMap<&Plain, Nanos> = BTreeMap::new();
    for node in &profiled.nodes {
        if !is_conversion(&node.operator) {
            let sum = sums.entry(&node.operator).or_default();
            *sum = *sum + times.time_ns(node);
        }
    }
    let (operator, _) = sums.into_iter().max_by_key(|(_, time)| *time)?;
    Some(operator)
}

fn is_conversion(operator: &Plain) -> bool {
    OperatorGroup::of(operator) == OperatorGroup::Conversion
}

fn conversions(at: First<'_>) -> Option<BottleneckKind> {
    let share = share(at.profiled, is_conversion);
    let mut operators: Vec<Plain> = at
        .profiled
        .nodes
        .iter()
        .map(|node| node.operator.clone())
        .filter(is_conversion)
        .collect();
    let nodes_count = operators.len() as u64;
    operators.sort();
    operators.dedup();
    (share.0 >= NOTABLE_SHARE).then_some(BottleneckKind::Conversions {
        batch_size: at.roofline.batch_size,
        share,
        operators,
        nodes_count,
    })
}

fn overhead(at: First<'_>) -> Option<BottleneckKind> {
    let share = at.roofline.share_of(Bound::Overhead);
    (share.0 >= NOTABLE_SHARE).then_some(BottleneckKind::SmallNodes {
        batch_size: at.roofline.batch_size,
        share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Work;
    use crate::record::NodeProfile;
    use crate::units::Bytes;

    /// 9.4 Mop in whole numbers, of which the kernel attains so much of the peak.
    fn convolution(operator: &str, bound: Bound, attained: f64) -> HotNode {
        HotNode {
            name: "".into(),
            operator: operator.into(),
            time_ns: Nanos(1_000_000),
            share: Ratio(0.8),
            work: Ok(Work {
                operations_count: 9_437_184,
                arithmetic: Arithmetic::Integer,
            }),
            bytes: Ok(Bytes(1)),
            intensity: None,
            operations_per_sec: None,
            bytes_per_sec: None,
            compute_ratio: Some(Ratio(attained)),
            memory_ratio: None,
            bound: Ok(bound),
        }
    }

    fn roofline(session: usize, node: HotNode) -> Roofline {
        Roofline {
            session,
            shape: 0,
            batch_size: 1,
            bound_shares: Vec::new(),
            nodes: vec![node],
            nodes_ns: Nanos(1),
            inference_ns: Nanos(1),
        }
    }

    fn dominating_of(all: &[Roofline]) -> BottleneckKind {
        let profiled = Profiled {
            nodes: vec![NodeProfile {
                operator: all[0].nodes[0].operator.clone(),
                time_ns: Nanos(1_000_000),
                ..NodeProfile::default()
            }],
            ..Profiled::default()
        };
        dominating(First {
            roofline: &all[0],
            profiled: &profiled,
            all,
        })
        .unwrap()
    }

    #[test]
    fn quantized_kernel_far_from_both_peaks_is_inefficient_and_its_better_twin_is_named() {
        let dynamic = |bound| roofline(0, convolution("ConvInteger", bound, 0.1));
        let twin = roofline(1, convolution("QLinearConv", Bound::Compute, 0.6));
        let better_of = |all: &[Roofline]| match dominating_of(all) {
            BottleneckKind::InefficientKernel {
                attained, better, ..
            } => Some((attained, better)),
            kind => {
                assert!(matches!(kind, BottleneckKind::DominatingOperator { .. }));
                None
            }
        };
        let named = BetterKernel {
            session: 1,
            operator: "QLinearConv".into(),
            attained: Ratio(0.6),
        };
        let [far, small] = [Bound::FarFromBoth, Bound::Overhead].map(dynamic);
        let found = |better| Some((Ratio(0.1), better));
        assert_eq!(
            better_of(&[far.clone(), twin.clone()]),
            found(Some(named.clone()))
        );
        assert_eq!(better_of(&[far]), found(None));
        assert_eq!(better_of(&[small.clone(), twin]), found(Some(named)));
        assert_eq!(
            better_of(&[small]),
            None,
            "calls that small are slow in any kernel"
        );
    }
}

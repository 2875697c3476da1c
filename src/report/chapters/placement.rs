//! Where the nodes ran, and what the copies between host and device cost.

use crate::analysis::Measured;
use crate::metric::{Metric, Unit};
use crate::plan::{Binding, CellKey, SessionSpec};
use crate::provider::{self, HostWork};
use crate::record::{Placement, PlacementSource, ProviderNodes};
use crate::report::words::number::{self, time};
use crate::report::words::{self, Item, Source, plain};
use crate::text::Plain;

/// Sessions that asked for another execution provider than the CPU's, and those whose copies are
/// known one by one.
pub(super) fn placement(source: Source<'_>) -> Vec<Item> {
    source
        .record
        .placements
        .iter()
        .map(|found| {
            let own = &source.record.plan.sessions[found.session].execution_provider;
            Item::new(
                source.name(found.session),
                sentence(&found.placement, own.exact()),
            )
        })
        .chain(copy_costs(source))
        .collect()
}

/// `openvino: 12 of 14 nodes, 98% of the time; cpu: 2 of 14 nodes (Shape, Gather), 2% of the time`.
fn sentence(placement: &Placement, own: &str) -> String {
    let whole = Whole::of(placement);
    let mut parts: Vec<String> = placement
        .providers
        .iter()
        .map(|provider| provider_words(provider, whole, own))
        .collect();
    for copy in placement.copies.iter().flatten() {
        let nodes = words::number_of(copy.nodes_count, &format!("{} node", copy.operator));
        parts.push(format!(
            "copies between devices: {nodes}, {} an inference{}",
            time(copy.time_ns),
            if whole.is_of_host { " on the host" } else { "" }
        ));
    }
    if placement.source == PlacementSource::Profile {
        parts.push("nodes as they ran, a compiled subgraph counting as one".into());
    }
    parts.join("; ")
}

/// What shares of a placement are shares of.
#[derive(Clone, Copy)]
struct Whole {
    nodes_count: u64,
    /// Whether times are the host's, which hands work over to a device.
    is_of_host: bool,
}

impl Whole {
    fn of(placement: &Placement) -> Self {
        Whole {
            nodes_count: placement.nodes_count(),
            is_of_host: placement.providers.iter().any(hands_over),
        }
    }

    fn time(self) -> &'static str {
        if self.is_of_host {
            "host's time of all nodes"
        } else {
            "time of all nodes"
        }
    }
}

fn hands_over(provider: &ProviderNodes) -> bool {
    provider::known(provider.execution_provider.exact()).host == HostWork::HandsOver
}

/// Operators are named where the nodes are not with the provider that is the session's `own`.
fn provider_words(provider: &ProviderNodes, whole: Whole, own: &str) -> String {
    let share = provider
        .time_ratio
        .map(|ratio| number::about_percent(ratio.0))
        .map(|share| format!(", {share} of the {}", whole.time()));
    let operators = if provider.execution_provider == own {
        String::new()
    } else {
        format!(" ({})", operators(provider))
    };
    format!(
        "{}: {} of {}{operators}{}",
        plain(&provider::short_name(provider.execution_provider.exact())),
        number::count(provider.nodes_count),
        words::counted_noun(whole.nodes_count, "node"),
        share.unwrap_or_default()
    )
}

fn operators(provider: &ProviderNodes) -> String {
    let mut operators: Vec<(&Plain, &u64)> = provider.operators.iter().collect();
    operators.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    words::first_operators(operators)
}

fn copy_costs(source: Source<'_>) -> Vec<Item> {
    source
        .record
        .plan
        .sessions
        .iter()
        .enumerate()
        .filter(|(_, spec)| spec.binding == Binding::Device)
        .filter_map(|(device, spec)| copy_cost(source, bound_to_host(source, spec)?, device))
        .collect()
}

/// The session that differs from `device` in nothing but that its tensors are in host memory.
fn bound_to_host(source: Source<'_>, device: &SessionSpec) -> Option<usize> {
    let host = SessionSpec {
        binding: Binding::Host,
        ..device.clone()
    };
    source
        .record
        .plan
        .sessions
        .iter()
        .position(|other| *other == host)
}

fn copy_cost(source: Source<'_>, host: usize, device: usize) -> Option<Item> {
    let costs = source
        .cells()
        .map(|cell| cell.key)
        .filter(|key| key.session == device)
        .filter_map(|key| copy_cost_of(source, host, key));
    let costs = words::joined(costs, ", ");
    (!costs.is_empty()).then(|| {
        Item::new(
            format!("Copies of {}", source.name(host)),
            format!("{costs}; the difference of the host-bound and the device-bound median"),
        )
    })
}

/// The cost at one place, where the intervals of both medians lie apart; a difference within them
/// may be chance.
fn copy_cost_of(source: Source<'_>, host: usize, key: CellKey) -> Option<String> {
    let host_key = CellKey {
        session: host,
        ..key
    };
    let (with, without) = (median(source, host_key)?, median(source, key)?);
    let are_apart = with
        .interval
        .zip(without.interval)
        .is_some_and(|(with, without)| !with.overlaps(without));
    let cost = if are_apart && with.value > without.value {
        latency(with.value - without.value)
    } else {
        "not shown to be anything".into()
    };
    Some(format!(
        "{cost} of {} {}",
        latency(with.value),
        source.at(key)
    ))
}

fn median(source: Source<'_>, key: CellKey) -> Option<&Measured> {
    source.cell(key)?.figure(Metric::LatencyP50)?.measured()
}

fn latency(ns: f64) -> String {
    number::value(Unit::Ns, ns, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::CopyNodes;
    use crate::units::{Nanos, Ratio};

    fn on(name: &str, operators: &[(&str, u64)], share: Option<f64>) -> ProviderNodes {
        let operators = operators.iter();
        ProviderNodes {
            execution_provider: name.into(),
            nodes_count: operators.clone().map(|(_, count)| count).sum(),
            operators: operators
                .map(|&(name, count)| (name.into(), count))
                .collect(),
            time_ns: share.map(|share| Nanos((share * 1e6) as u64)),
            time_ratio: share.map(Ratio),
        }
    }

    #[test]
    fn providers_are_named_with_their_share_and_what_strayed() {
        let placement = Placement {
            source: PlacementSource::Assignment,
            providers: vec![
                on(
                    "OpenVINOExecutionProvider",
                    &[("Conv", 9), ("Relu", 3)],
                    Some(0.98),
                ),
                on(
                    "CPUExecutionProvider",
                    &[("Gather", 1), ("Shape", 2)],
                    Some(0.02),
                ),
            ],
            copies: Some(vec![CopyNodes {
                operator: "MemcpyToHost".into(),
                nodes_count: 2,
                time_ns: Nanos(12_000),
            }]),
            profiled_inferences_count: Some(5),
        };
        assert_eq!(
            sentence(&placement, "OpenVINOExecutionProvider"),
            "openvino: 12 of 15 nodes, 98% of the time of all nodes; cpu: 3 of 15 nodes (2 Shape, Gather), 2% of the time of all nodes; \
             copies between devices: 2 MemcpyToHost nodes, 12.0 µs an inference"
        );
    }

    #[test]
    fn times_of_nodes_that_hand_work_over_are_the_hosts() {
        let placement = Placement {
            source: PlacementSource::Assignment,
            providers: vec![
                on("CUDAExecutionProvider", &[("Conv", 9)], Some(0.9)),
                on("CPUExecutionProvider", &[("Shape", 1)], Some(0.1)),
            ],
            copies: Some(vec![CopyNodes {
                operator: "MemcpyToHost".into(),
                nodes_count: 1,
                time_ns: Nanos(12_000),
            }]),
            profiled_inferences_count: Some(5),
        };
        assert_eq!(
            sentence(&placement, "CUDAExecutionProvider"),
            "cuda: 9 of 10 nodes, 90% of the host's time of all nodes; cpu: 1 of 10 nodes (Shape), 10% of the host's \
             time of all nodes; copies between devices: 1 MemcpyToHost node, 12.0 µs an inference on the host"
        );
    }

    #[test]
    fn many_operators_are_counted() {
        let operators = [
            "Op0", "Op1", "Op2", "Op3", "Op4", "Op5", "Op6", "Op7", "Op8",
        ]
        .map(|name| (name, 1));
        let whole = Whole {
            nodes_count: 9,
            is_of_host: false,
        };
        let words = provider_words(&on("CPUExecutionProvider", &operators, None), whole, "");
        assert_eq!(
            words,
            "cpu: 9 of 9 nodes (Op0, Op1, Op2, Op3, Op4, Op5, 3 more operators)"
        );
    }
}

//! Where the nodes ran, and what the copies between host and device cost.

use crate::analysis::Measured;
use crate::metric::{Metric, Unit};
use crate::plan::{Binding, CellKey, SessionSpec};
use crate::provider;
use crate::record::{Placement, PlacementSource, ProviderNodes};
use crate::report::words::number::{self, time};
use crate::report::words::{self, Item, Source, plain};
use crate::text::Plain;

/// Sessions that asked for another execution provider than the CPU's, and those whose copies can be
/// told apart.
pub(in crate::report) fn placement(source: Source<'_>) -> Vec<Item> {
    let placed = source.record.placements.iter().map(|found| {
        let own = &source.record.plan.sessions[found.session].execution_provider;
        Item::new(source.name(found.session), sentence(&found.placement, own))
    });
    placed.chain(copy_costs(source)).collect()
}

/// `openvino: 12 of 14 nodes, 98% of the time; cpu: 2 of 14 nodes (Shape, Gather), 2% of the time`.
fn sentence(placement: &Placement, own: &str) -> String {
    let all = placement.nodes_count();
    let mut parts: Vec<String> = placement
        .providers
        .iter()
        .map(|provider| provider_words(provider, all, provider.execution_provider == own))
        .collect();
    for copy in placement.copies.iter().flatten() {
        let (count, operator) = (copy.nodes_count, plain(&copy.operator));
        parts.push(format!(
            "copies between devices: {count} {operator} node{}, {} an inference",
            words::plural(count),
            time(copy.time_ns)
        ));
    }
    if placement.source == PlacementSource::Profile {
        parts.push("nodes as they ran, a compiled subgraph counting as one".into());
    }
    parts.join("; ")
}

fn provider_words(provider: &ProviderNodes, all: u64, is_own: bool) -> String {
    let share = provider
        .time_ratio
        .map(|ratio| format!(", {} of the time in nodes", number::about_percent(ratio.0)));
    let operators = if is_own {
        String::new()
    } else {
        format!(" ({})", operators(provider))
    };
    format!(
        "{}: {} of {} node{}{operators}{}",
        plain(&provider::short_name(provider.execution_provider.exact())),
        number::count(provider.nodes_count),
        number::count(all),
        words::plural(all),
        share.unwrap_or_default()
    )
}

fn operators(provider: &ProviderNodes) -> String {
    let mut operators: Vec<(&Plain, &u64)> = provider.operators.iter().collect();
    operators.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let operators = operators.into_iter();
    words::first_operators(
        operators
            .map(|(operator, &count)| words::several(operator, count))
            .collect(),
    )
}

fn copy_costs(source: Source<'_>) -> Vec<Item> {
    let sessions = source.record.plan.sessions.iter().enumerate();
    sessions
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
    let mut sessions = source.record.plan.sessions.iter();
    sessions.position(|other| *other == host)
}

fn copy_cost(source: Source<'_>, host: usize, device: usize) -> Option<Item> {
    let cells = source
        .findings
        .cells
        .iter()
        .map(|cell| cell.key)
        .filter(|key| key.session == device);
    let costs: Vec<String> = cells
        .filter_map(|key| copy_cost_of(source, host, key))
        .collect();
    (!costs.is_empty()).then(|| {
        let text = format!(
            "{}; the difference of the host-bound and the device-bound median",
            costs.join(", ")
        );
        Item::new(format!("Copies of {}", source.name(host)), text)
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
    let place = format!("of {} {}", latency(with.value), source.at(key));
    Some(if are_apart && with.value > without.value {
        format!("{} {place}", latency(with.value - without.value))
    } else {
        format!("not shown to be anything {place}")
    })
}

fn median(source: Source<'_>, key: CellKey) -> Option<&Measured> {
    source.cell(key)?.figure(Metric::LatencyP50)?.measured()
}

fn latency(ns: f64) -> String {
    number::value(Unit::Ns, ns, None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::record::CopyNodes;
    use crate::units::{Nanos, Ratio};

    fn on(name: &str, operators: &[(&str, u64)], share: Option<f64>) -> ProviderNodes {
        ProviderNodes {
            execution_provider: name.into(),
            nodes_count: operators.iter().map(|(_, count)| count).sum(),
            operators: operators
                .iter()
                .map(|(name, count)| ((*name).into(), *count))
                .collect::<BTreeMap<_, _>>(),
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
            "openvino: 12 of 15 nodes, 98% of the time in nodes; cpu: 3 of 15 nodes (2 Shape, Gather), 2% of the time in \
             nodes; copies between devices: 2 MemcpyToHost nodes, 12.0 µs an inference"
        );
    }

    #[test]
    fn many_operators_are_counted() {
        let operators: Vec<(String, u64)> =
            (0..9).map(|number| (format!("Op{number}"), 1)).collect();
        let operators: Vec<(&str, u64)> = operators
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        let words = provider_words(&on("CPUExecutionProvider", &operators, None), 9, false);
        assert_eq!(
            words,
            "cpu: 9 of 9 nodes (Op0, Op1, Op2, Op3, Op4, Op5, 3 more operators)"
        );
    }
}

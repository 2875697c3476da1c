//! Where nodes ran, by what ONNX Runtime's profiler says of them.

use std::collections::BTreeMap;

use super::assignment::by_provider;
use crate::record::{CopyNodes, NodeProfile, Placement, PlacementSource, Profiled, ProviderNodes};
use crate::units::{Nanos, Ratio};

const COPY: &str = "Memcpy";

pub(super) fn placement_of(profiled: &Profiled) -> Placement {
    Placement {
        source: PlacementSource::Profile,
        providers: providers(&profiled.nodes),
        copies: Some(copies(&profiled.nodes)),
        profiled_inferences_count: Some(profiled.inferences_count),
    }
}

fn providers(nodes: &[NodeProfile]) -> Vec<ProviderNodes> {
    let mut operators: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut times: BTreeMap<&str, Nanos> = BTreeMap::new();
    for node in nodes {
        let time = times.entry(node.execution_provider.exact()).or_default();
        *time = *time + node.time_ns;
        let of_provider = operators
            .entry(node.execution_provider.exact().to_owned())
            .or_default();
        *of_provider
            .entry(node.operator.exact().to_owned())
            .or_default() += 1;
    }
    let all: Nanos = times.values().copied().sum();
    by_provider(operators)
        .into_iter()
        .map(|provider| {
            let own = times.get(provider.execution_provider.exact()).copied();
            timed(provider, own.unwrap_or_default(), all)
        })
        .collect()
}

fn timed(provider: ProviderNodes, own: Nanos, all: Nanos) -> ProviderNodes {
    ProviderNodes {
        time_ns: Some(own),
        time_ratio: (all.0 > 0).then(|| Ratio(own.as_f64() / all.as_f64())),
        ..provider
    }
}

fn copies(nodes: &[NodeProfile]) -> Vec<CopyNodes> {
    let mut found: BTreeMap<&str, CopyNodes> = BTreeMap::new();
    for node in nodes.iter().filter(|node| node.operator.starts_with(COPY)) {
        let copy = found
            .entry(node.operator.exact())
            .or_insert_with(|| CopyNodes {
                operator: node.operator.clone(),
                nodes_count: 0,
                time_ns: Nanos(0),
            });
        copy.nodes_count += 1;
        copy.time_ns = copy.time_ns + node.time_ns;
    }
    found.into_values().collect()
}

/// ONNX Runtime's own account with the times of a profile. Execution providers of the profile alone
/// keep their entries: ONNX Runtime put their nodes in later.
pub(super) fn with_times(nodes: Vec<ProviderNodes>, profile: Placement) -> Placement {
    let mut profiled = profile.providers;
    let mut providers: Vec<ProviderNodes> = nodes
        .into_iter()
        .map(|provider| {
            let place = profiled
                .iter()
                .position(|other| other.execution_provider == provider.execution_provider);
            // Nodes that optimization has done away with took no time.
            let (time_ns, time_ratio) = place
                .map(|place| profiled.swap_remove(place))
                .map_or((Some(Nanos(0)), Some(Ratio(0.0))), |timed| {
                    (timed.time_ns, timed.time_ratio)
                });
            ProviderNodes {
                time_ns,
                time_ratio,
                ..provider
            }
        })
        .collect();
    providers.extend(profiled);
    Placement {
        source: PlacementSource::Assignment,
        providers,
        ..profile
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(operator: &str, execution_provider: &str, time_ns: u64) -> NodeProfile {
        NodeProfile {
            name: operator.to_lowercase().into(),
            operator: operator.into(),
            execution_provider: execution_provider.into(),
            time_ns: Nanos(time_ns),
            ..NodeProfile::default()
        }
    }

    fn profile() -> Placement {
        placement_of(&Profiled {
            inferences_count: 2,
            nodes: vec![
                node("Shape", "CPUExecutionProvider", 10_000),
                node("MemcpyFromHost", "CUDAExecutionProvider", 20_000),
                node("Gemm", "CUDAExecutionProvider", 70_000),
            ],
            ..Profiled::default()
        })
    }

    #[test]
    fn nodes_and_times_are_added_up_by_execution_provider() {
        let found = profile();
        assert_eq!(found.profiled_inferences_count, Some(2));
        let [cuda, cpu] = found.providers.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (cuda.execution_provider.exact(), cuda.nodes_count),
            ("CUDAExecutionProvider", 2)
        );
        assert_eq!(
            (cuda.time_ns, cuda.time_ratio),
            (Some(Nanos(90_000)), Some(Ratio(0.9)))
        );
        assert_eq!((cpu.nodes_count, cpu.time_ns), (1, Some(Nanos(10_000))));
        assert_eq!(cpu.operators, BTreeMap::from([("Shape".into(), 1)]));
        assert_eq!(
            found.copies.unwrap(),
            [CopyNodes {
                operator: "MemcpyFromHost".into(),
                nodes_count: 1,
                time_ns: Nanos(20_000)
            }]
        );
    }

    #[test]
    fn times_go_to_the_nodes_of_the_account() {
        let node = |name: &str, count: u64| ProviderNodes {
            execution_provider: name.to_owned().into(),
            nodes_count: count,
            operators: BTreeMap::from([("Gemm".into(), count)]),
            ..ProviderNodes::default()
        };
        let account = vec![
            node("CUDAExecutionProvider", 12),
            node("TensorrtExecutionProvider", 1),
        ];
        let found = with_times(account, profile());
        let names: Vec<(&str, u64, Option<Nanos>)> = found
            .providers
            .iter()
            .map(|p| (p.execution_provider.exact(), p.nodes_count, p.time_ns))
            .collect();
        assert_eq!(
            names,
            [
                ("CUDAExecutionProvider", 12, Some(Nanos(90_000))),
                ("TensorrtExecutionProvider", 1, Some(Nanos(0))),
                ("CPUExecutionProvider", 1, Some(Nanos(10_000))),
            ]
        );
        assert_eq!(found.source, PlacementSource::Assignment);
    }
}

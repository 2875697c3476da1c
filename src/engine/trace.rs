//! What ONNX Runtime's profiler writes: which node ran where, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::assignment::by_provider;
use crate::record::{CopyNodes, Placement, PlacementSource, ProviderNodes};
use crate::units::{Nanos, Ratio};

/// What the operators begin with that copy tensors between devices.
const COPY: &str = "Memcpy";
/// What the name of an event ends with that is a node's own time.
const KERNEL: &str = "_kernel_time";
/// Name of the event that an inference leaves when it is done.
const INFERENCE: &str = "model_run";

/// An event of the profiler; times are in microseconds.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    name: String,
    #[serde(default)]
    ts: u64,
    #[serde(default)]
    dur: u64,
    #[serde(default)]
    args: Arguments,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Arguments {
    op_name: Option<String>,
    provider: Option<String>,
    node_index: Option<String>,
}

/// What is the same for all runs of one node, and for those of no other: its name, and its index where that is told.
type Node<'e> = (&'e str, Option<&'e str>);

/// A node's run.
struct Run<'e> {
    node: Node<'e>,
    operator: &'e str,
    provider: &'e str,
    micros: u64,
}

/// What a profile says of all inferences but the first, which prepares what the others find ready.
///
/// # Errors
/// The text is no profile, or holds fewer than two inferences.
pub(super) fn read(text: &str) -> Result<Placement, String> {
    let events: Vec<Event> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut ends: Vec<u64> =
        events.iter().filter(|event| event.name == INFERENCE).map(|event| event.ts + event.dur).collect();
    ends.sort_unstable();
    let [first, others @ ..] = ends.as_slice() else { return Err("it holds no inference".into()) };
    let inferences = others.len() as u64;
    if inferences == 0 {
        return Err("it holds only one inference".into());
    }
    let runs: Vec<Run<'_>> = events.iter().filter(|event| event.ts >= *first).filter_map(run).collect();
    Ok(Placement {
        source: PlacementSource::Profile,
        providers: providers(&runs, inferences),
        copies: Some(copies(&runs, inferences)),
        profiled_inferences_count: Some(inferences),
    })
}

fn run(event: &Event) -> Option<Run<'_>> {
    let name = event.name.strip_suffix(KERNEL)?;
    let arguments = &event.args;
    Some(Run {
        node: (name, arguments.node_index.as_deref()),
        operator: arguments.op_name.as_deref()?,
        provider: arguments.provider.as_deref()?,
        micros: event.dur,
    })
}

/// Time for one inference.
fn per_inference(micros: u64, inferences: u64) -> Nanos {
    Nanos(micros * 1000 / inferences)
}

fn providers(runs: &[Run<'_>], inferences: u64) -> Vec<ProviderNodes> {
    let mut operators: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut micros: BTreeMap<&str, u64> = BTreeMap::new();
    let mut known = BTreeSet::new();
    for run in runs {
        *micros.entry(run.provider).or_default() += run.micros;
        if known.insert((run.provider, run.node)) {
            let of_provider = operators.entry(run.provider.to_owned()).or_default();
            *of_provider.entry(run.operator.to_owned()).or_default() += 1;
        }
    }
    let all: u64 = micros.values().sum();
    let timed = |provider: ProviderNodes| {
        let own = micros.get(provider.execution_provider.as_str()).copied().unwrap_or(0);
        ProviderNodes {
            time_ns: Some(per_inference(own, inferences)),
            time_ratio: (all > 0).then(|| Ratio(own as f64 / all as f64)),
            ..provider
        }
    };
    by_provider(operators).into_iter().map(timed).collect()
}

fn copies(runs: &[Run<'_>], inferences: u64) -> Vec<CopyNodes> {
    let mut found: BTreeMap<&str, (BTreeSet<Node<'_>>, u64)> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.operator.starts_with(COPY)) {
        let (nodes, micros) = found.entry(run.operator).or_default();
        nodes.insert(run.node);
        *micros += run.micros;
    }
    let copy = |(operator, (nodes, micros)): (&str, (BTreeSet<Node<'_>>, u64))| CopyNodes {
        operator: operator.to_owned(),
        nodes_count: nodes.len() as u64,
        time_ns: per_inference(micros, inferences),
    };
    found.into_iter().map(copy).collect()
}

/// The nodes of ONNX Runtime's own account with the times of a profile.
///
/// Execution providers that only the profile knows keep their entries: ONNX Runtime put their nodes in later.
pub(super) fn with_times(nodes: Vec<ProviderNodes>, profile: Placement) -> Placement {
    let mut profiled = profile.providers;
    let mut providers: Vec<ProviderNodes> = nodes
        .into_iter()
        .map(|provider| {
            let place = profiled.iter().position(|other| other.execution_provider == provider.execution_provider);
            // Nodes that optimization has done away with took no time.
            let (time_ns, time_ratio) = place
                .map(|place| profiled.swap_remove(place))
                .map_or((Some(Nanos(0)), Some(Ratio(0.0))), |timed| (timed.time_ns, timed.time_ratio));
            ProviderNodes { time_ns, time_ratio, ..provider }
        })
        .collect();
    providers.extend(profiled);
    Placement { source: PlacementSource::Assignment, providers, ..profile }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An inference whose three nodes take 10, 20 and 70 microseconds.
    fn inference(start: u64, slower: u64) -> String {
        let node = |name: &str, operator: &str, provider: &str, dur: u64, index: u64| {
            format!(
                r#"{{"cat":"Node","name":"{name}_kernel_time","ts":{},"dur":{},"args":{{"op_name":"{operator}","provider":"{provider}","node_index":"{index}"}}}}"#,
                start + index,
                dur * slower
            )
        };
        [
            node("a", "Shape", "CPUExecutionProvider", 10, 1),
            node("Memcpy", "MemcpyFromHost", "CUDAExecutionProvider", 20, 2),
            node("b", "Gemm", "CUDAExecutionProvider", 70, 3),
            format!(r#"{{"cat":"Session","name":"model_run","ts":{start},"dur":{},"args":{{}}}}"#, 200 * slower),
        ]
        .join(",")
    }

    fn profile() -> Placement {
        let session = r#"{"cat":"Session","name":"model_loading_uri","ts":1,"dur":5,"args":{}}"#;
        let runs = [inference(100, 10), inference(3000, 1), inference(4000, 1)].join(",");
        read(&format!("[{session},{runs}]")).unwrap()
    }

    #[test]
    fn nodes_and_times_are_those_of_all_inferences_but_the_first() {
        let found = profile();
        assert_eq!(found.profiled_inferences_count, Some(2));
        let [cuda, cpu] = found.providers.as_slice() else { panic!("{found:?}") };
        assert_eq!((cuda.execution_provider.as_str(), cuda.nodes_count), ("CUDAExecutionProvider", 2));
        assert_eq!((cuda.time_ns, cuda.time_ratio), (Some(Nanos(90_000)), Some(Ratio(0.9))));
        assert_eq!((cpu.nodes_count, cpu.time_ns), (1, Some(Nanos(10_000))));
        assert_eq!(cpu.operators, BTreeMap::from([("Shape".to_owned(), 1)]));
        let copies = found.copies.unwrap();
        assert_eq!(copies, [CopyNodes { operator: "MemcpyFromHost".into(), nodes_count: 1, time_ns: Nanos(20_000) }]);
    }

    #[test]
    fn a_text_without_two_inferences_is_refused() {
        assert!(read("[]").is_err() && read("no profile").is_err());
        assert!(read(&format!("[{}]", inference(1, 1))).unwrap_err().contains("only one"));
    }

    #[test]
    fn times_go_to_the_nodes_of_the_account() {
        let node = |name: &str, count: u64| ProviderNodes {
            execution_provider: name.to_owned(),
            nodes_count: count,
            operators: BTreeMap::from([("Gemm".to_owned(), count)]),
            time_ns: None,
            time_ratio: None,
        };
        let account = vec![node("CUDAExecutionProvider", 12), node("TensorrtExecutionProvider", 1)];
        let found = with_times(account, profile());
        let names: Vec<(&str, u64, Option<Nanos>)> =
            found.providers.iter().map(|p| (p.execution_provider.as_str(), p.nodes_count, p.time_ns)).collect();
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

//! Execution providers: how each is set up, what a session on it was given, and whether its nodes really run there.
//!
//! One file each; the table of [`Kind`] is the only place that names them all. Registration that fails is an error:
//! a session never runs on another execution provider in silence. Read [`register`] first.

mod cpu;
mod cuda;
mod generic;
mod openvino;
pub(super) mod plugin;
mod tensorrt;

use std::collections::BTreeMap;
use std::path::Path;

use ort::environment::Environment;
use ort::ep::ExecutionProviderDispatch;
use ort::session::builder::SessionBuilder;

use super::words::words;
use super::{EngineError, log};
use crate::plan::{CPU_PROVIDER, SessionSpec};
use crate::record::ProviderNodes;
use crate::text::Plain;
pub(super) use cpu::with_arena;
use plugin::Plugin;

/// Session configuration by which ONNX Runtime refuses nodes that only its CPU execution provider takes.
const NO_FALLBACK: &str = "session.disable_cpu_ep_fallback";

/// Operators that an error names of those that run elsewhere.
const NAMED_OPERATORS: usize = 8;

/// Options of an execution provider, by its own keys.
pub(super) type Options = BTreeMap<String, String>;

/// Memory that an execution provider computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The host's.
    Host,
    /// That of a CUDA device.
    Cuda,
}

/// How an execution provider captures the kernels of an inference once, and replays them in the next as one.
///
/// A captured graph belongs to one shape of inputs and to fixed addresses on the device, so that inputs and outputs must be
/// bound there, and no two threads may run such a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graphs {
    /// It does not.
    None,
    /// This option of its own turns that on; there may be a graph for each shape.
    PerShape(&'static str),
    /// This option of its own turns that on; there is one graph, whatever the inputs.
    One(&'static str),
}

impl Graphs {
    /// The option that turns graphs on, if it is among `options` and does.
    #[must_use]
    pub fn asked(self, options: &BTreeMap<String, String>) -> Option<&'static str> {
        let (Graphs::PerShape(key) | Graphs::One(key)) = self else { return None };
        let value = options.get(key)?;
        (!OFF.iter().any(|off| off.eq_ignore_ascii_case(value))).then_some(key)
    }
}

/// What turns a switch of an execution provider off.
const OFF: [&str; 2] = ["0", "false"];

/// What is known of an execution provider.
#[derive(Clone, Copy)]
struct Kind {
    identifier: &'static str,
    /// The official build that has it.
    build: Option<&'static str>,
    memory: Memory,
    graphs: Graphs,
    /// The options to register it with, from what was asked for.
    options: fn(&SessionSpec) -> Options,
    /// What registers it with such options.
    dispatch: fn(&Options) -> Vec<ExecutionProviderDispatch>,
}

/// The execution providers that onnxprof knows more of than their names.
const KINDS: [Kind; 4] = [cpu::KIND, cuda::KIND, tensorrt::KIND, openvino::KIND];

fn kind(identifier: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.identifier == identifier)
}

/// Memory that an execution provider computes in: the host's where nothing else is known.
#[must_use]
pub fn memory(identifier: &str) -> Memory {
    kind(identifier).map_or(Memory::Host, |kind| kind.memory)
}

/// How an execution provider captures the kernels of an inference; not, where nothing else is known.
#[must_use]
pub fn graphs(identifier: &str) -> Graphs {
    kind(identifier).map_or(Graphs::None, |kind| kind.graphs)
}

/// The official build that has an execution provider, as `--runtime` names it.
#[must_use]
pub fn build_of(identifier: &str) -> Option<&'static str> {
    kind(identifier).and_then(|kind| kind.build)
}

/// A session's options with its execution provider registered.
pub(super) struct Registered {
    pub builder: SessionBuilder,
    /// Execution providers in order of preference; the first is the one that was asked for, by its own name.
    pub names: Vec<String>,
    /// Options of the first.
    pub options: Options,
}

/// Registers the execution provider that a session asks for.
///
/// # Errors
/// [`EngineError::Provider`] in the execution provider's own words; [`EngineError::NoDevice`] for a device that a
/// plug-in does not have.
pub(super) fn register(
    builder: SessionBuilder,
    environment: &Environment,
    spec: &SessionSpec,
    plugin: Option<&Plugin>,
) -> Result<Registered, EngineError> {
    let name = spec.execution_provider.as_str();
    // What was logged before is not about this.
    drop(log::take_last_error());
    let refused = |error: ort::Error| EngineError::Provider { name: name.to_owned(), message: refusal(&error) };
    let builder = if spec.is_accelerated() && spec.provider.required {
        builder.with_config_entry(NO_FALLBACK, "1").map_err(|error| refused(error.into()))?
    } else {
        builder
    };
    if let Some(plugin) = plugin {
        return plugin.register(builder, environment, spec);
    }
    if let Some(message) = cpu::refusal(spec) {
        return Err(EngineError::Provider { name: name.to_owned(), message });
    }
    let (builder, mut names, options) = match kind(name) {
        Some(kind) => {
            let options = (kind.options)(spec);
            let dispatches = (kind.dispatch)(&options);
            let names = dispatches.iter().map(|dispatch| dispatch.name().to_owned()).collect();
            let builder = builder.with_execution_providers(dispatches).map_err(|error| refused(error.into()))?;
            (builder, names, options)
        }
        None => {
            let options = with_default(&spec.provider.options, "device_id", spec.provider.device);
            (generic::register(builder, name, &options).map_err(refused)?, vec![name.to_owned()], options)
        }
    };
    if !names.iter().any(|name| name == CPU_PROVIDER) {
        names.push(CPU_PROVIDER.to_owned());
    }
    Ok(Registered { builder, names, options })
}

/// An execution provider's own words. Some only log them, and leave the error to say that something failed.
fn refusal(error: &ort::Error) -> String {
    let message = words(error.message());
    match log::take_last_error() {
        Some(logged) if !message.contains(&logged) => format!("{message}: {logged}"),
        _ => message,
    }
}

/// Options with one more, unless it is there already or has no value.
fn with_default(options: &Options, key: &str, value: Option<impl ToString>) -> Options {
    let mut options = options.clone();
    if let Some(value) = value {
        options.entry(key.to_owned()).or_insert_with(|| value.to_string());
    }
    options
}

/// Checks that a session runs where it was asked to: at least one node on its execution provider `name`, and every node
/// there where the session requires it.
///
/// # Errors
/// [`EngineError::FellBack`].
pub(super) fn check(model: &Path, spec: &SessionSpec, name: &str, nodes: &[ProviderNodes]) -> Result<(), EngineError> {
    let (own, others): (Vec<&ProviderNodes>, Vec<&ProviderNodes>) =
        nodes.iter().filter(|nodes| nodes.nodes_count > 0).partition(|nodes| nodes.execution_provider == name);
    let is_fine = others.is_empty() || (!own.is_empty() && !spec.provider.required);
    if is_fine || !spec.is_accelerated() {
        return Ok(());
    }
    let count = |nodes: &[&ProviderNodes]| nodes.iter().map(|nodes| nodes.nodes_count).sum::<u64>();
    let strayed = |nodes: &&ProviderNodes| {
        let mut operators: Vec<&str> = nodes.operators.keys().map(Plain::exact).take(NAMED_OPERATORS).collect();
        if nodes.operators.len() > operators.len() {
            operators.push("...");
        }
        format!("`{}` ({})", nodes.execution_provider.exact(), operators.join(", "))
    };
    Err(EngineError::FellBack {
        model: model.to_owned(),
        name: name.to_owned(),
        fallen_count: count(&others),
        nodes_count: count(&own) + count(&others),
        others: others.iter().map(strayed).collect(),
    })
}

/// What to do about a message of an execution provider.
pub(super) fn hint(message: &str) -> Option<String> {
    tensorrt::hint(message).or_else(|| cuda::hint(message)).or_else(|| openvino::hint(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{FloatRounding, ProviderSpec, RuntimeChoice, SessionOptions, provider_identifier};

    fn spec(provider: ProviderSpec, name: &str) -> SessionSpec {
        SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Library("libonnxruntime.so".into()),
            execution_provider: provider_identifier(name),
            provider,
            binding: Default::default(),
            options: SessionOptions { intra_threads: 3, ..SessionOptions::default() },
        }
    }

    #[test]
    fn accelerators_round_floats_unless_told_not_to() {
        let of = |name: &str, options: &[(&str, &str)]| {
            let options = options.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
            spec(ProviderSpec { options, ..ProviderSpec::default() }, name).float_rounding()
        };
        assert_eq!([of("cpu", &[]), of("cuda", &[("use_tf32", "0")])], [FloatRounding::Full; 2]);
        assert_eq!([of("cuda", &[("use_tf32", "1")]), of("tensorrt", &[])], [FloatRounding::Half; 2]);
    }

    fn on(name: &str, nodes_count: u64, operator: &str) -> ProviderNodes {
        ProviderNodes {
            execution_provider: provider_identifier(name).into(),
            nodes_count,
            operators: BTreeMap::from([(operator.into(), nodes_count)]),
            time_ns: None,
            time_ratio: None,
        }
    }

    fn checked(spec: &SessionSpec, nodes: &[ProviderNodes]) -> Result<(), String> {
        check("m.onnx".as_ref(), spec, &spec.execution_provider, nodes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_session_without_a_node_on_its_provider_has_fallen_back() {
        let cuda = spec(ProviderSpec::default(), "cuda");
        assert_eq!(
            checked(&cuda, &[on("cpu", 12, "Gemm")]),
            Err("all 12 nodes of `m.onnx` fell back from `CUDAExecutionProvider` to `CPUExecutionProvider` (Gemm)"
                .into())
        );
        assert_eq!(checked(&cuda, &[on("cpu", 3, "Shape"), on("cuda", 9, "Gemm")]), Ok(()));
        assert_eq!(checked(&cuda, &[]), Ok(()));
        assert_eq!(checked(&spec(ProviderSpec::default(), "cpu"), &[on("cpu", 1, "Add")]), Ok(()));
    }

    #[test]
    fn a_required_provider_takes_every_node() {
        let required = spec(ProviderSpec { required: true, ..ProviderSpec::default() }, "cuda");
        let message = checked(&required, &[on("cpu", 3, "Shape"), on("cuda", 9, "Gemm")]).unwrap_err();
        assert!(message.starts_with("3 of 12 nodes of `m.onnx` fell back"), "{message}");
        assert_eq!(checked(&required, &[on("cuda", 9, "Gemm")]), Ok(()));
    }

    #[test]
    fn device_and_threads_become_options_unless_they_were_given() {
        let device = ProviderSpec { device: Some(1), ..ProviderSpec::default() };
        let options = |provider: ProviderSpec, name: &str| {
            let spec = spec(provider, name);
            (kind(&spec.execution_provider).unwrap().options)(&spec)
        };
        assert_eq!(options(device.clone(), "cuda"), Options::from([("device_id".into(), "1".into())]));
        assert_eq!(options(device.clone(), "tensorrt")["device_id"], "1");
        let openvino = options(device.clone(), "openvino");
        assert_eq!((openvino["device_type"].as_str(), openvino["num_of_threads"].as_str()), ("GPU.1", "3"));
        let given = ProviderSpec { options: Options::from([("device_id".into(), "0".into())]), ..device };
        assert_eq!(options(given, "cuda")["device_id"], "0");
    }

    #[test]
    fn graphs_are_asked_for_by_an_option_that_is_not_off() {
        let asked = |graphs: Graphs, value: &str| {
            graphs.asked(&Options::from([("enable_cuda_graph".into(), value.into())])).is_some()
        };
        let cuda = Graphs::PerShape("enable_cuda_graph");
        assert!(asked(cuda, "1") && asked(cuda, "true") && !asked(cuda, "0") && !asked(cuda, "False"));
        assert!(!asked(Graphs::One("trt_cuda_graph_enable"), "1") && !asked(Graphs::None, "1"));
    }

    #[test]
    fn providers_are_known_by_build_and_memory() {
        assert_eq!(build_of("TensorrtExecutionProvider"), Some("cuda"));
        assert_eq!(build_of("OpenVINOExecutionProvider"), Some("openvino"));
        assert_eq!(build_of("FooExecutionProvider"), None);
        assert_eq!(memory("CUDAExecutionProvider"), Memory::Cuda);
        assert_eq!(graphs("CUDAExecutionProvider"), Graphs::PerShape("enable_cuda_graph"));
        assert_eq!(graphs("FooExecutionProvider"), Graphs::None);
        assert_eq!(memory("OpenVINOExecutionProvider"), Memory::Host);
    }
}

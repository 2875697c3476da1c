//! Execution providers: how ONNX Runtime is told of each, and whether a session's nodes really run
//! there.
//!
//! Facts about each are in `provider`. Registration that fails is an error: a session never runs on
//! another execution provider in silence. Read [`register`] first.

mod dispatch;
mod generic;
pub(super) mod plugin;

use std::path::Path;

use ort::environment::Environment;
use ort::session::builder::SessionBuilder;

use super::{EngineError, Result, log};
use crate::plan::SessionSpec;
use crate::provider::{CPU_PROVIDER, Options};
use crate::record::ProviderNodes;
use crate::text::Plain;
pub(super) use dispatch::with_arena;
use dispatch::{Registered, refused};
use plugin::Plugin;

/// Session configuration by which ONNX Runtime refuses nodes that only its CPU execution provider
/// takes.
const NO_FALLBACK: &str = "session.disable_cpu_ep_fallback";

/// Operators that an error names of those that run elsewhere.
const NAMED_OPERATORS: usize = 8;

pub(super) fn register(
    builder: SessionBuilder,
    environment: &Environment,
    spec: &SessionSpec,
    plugin: Option<&Plugin>,
) -> Result<Registered> {
    let name = spec.execution_provider.exact();
    // What was logged before is not about this.
    drop(log::take_last_error());
    let builder = without_fallback(builder, spec).map_err(|error| refused(name, &error))?;
    if let Some(plugin) = plugin {
        return plugin.register(builder, environment, spec);
    }
    if let Some(message) = dispatch::refused_option(spec) {
        return Err(EngineError::Provider {
            name: name.to_owned(),
            message,
        });
    }
    let options = spec.provider_options();
    let (builder, mut names) =
        appended(builder, name, &options).map_err(|error| refused(name, &error))?;
    if !names.iter().any(|name| name == CPU_PROVIDER) {
        names.push(CPU_PROVIDER.to_owned());
    }
    Ok(Registered {
        builder,
        names,
        options,
    })
}

/// Has ONNX Runtime refuse nodes on its CPU where the execution provider is required.
fn without_fallback(builder: SessionBuilder, spec: &SessionSpec) -> ort::Result<SessionBuilder> {
    if spec.is_accelerated() && spec.provider.required {
        Ok(builder.with_config_entry(NO_FALLBACK, "1")?)
    } else {
        Ok(builder)
    }
}

/// The builder with an execution provider and those behind it, and their names.
fn appended(
    builder: SessionBuilder,
    name: &str,
    options: &Options,
) -> ort::Result<(SessionBuilder, Vec<String>)> {
    let Some(dispatch) = dispatch::dispatch(name) else {
        return Ok((
            generic::register(builder, name, options)?,
            vec![name.to_owned()],
        ));
    };
    let dispatches = dispatch(options);
    let names = dispatches
        .iter()
        .map(|dispatch| dispatch.name().to_owned())
        .collect();
    Ok((builder.with_execution_providers(dispatches)?, names))
}

/// Checks that one node at least is on the execution provider `name`, and every node where that is
/// required.
pub(super) fn check(
    model: &Path,
    spec: &SessionSpec,
    name: &str,
    nodes: &[ProviderNodes],
) -> Result<()> {
    let (own, others): (Vec<&ProviderNodes>, Vec<&ProviderNodes>) = nodes
        .iter()
        .filter(|nodes| nodes.nodes_count > 0)
        .partition(|nodes| nodes.execution_provider == name);
    let is_fine = others.is_empty() || (!own.is_empty() && !spec.provider.required);
    if is_fine || !spec.is_accelerated() {
        return Ok(());
    }
    Err(EngineError::FellBack {
        model: model.to_owned(),
        name: name.to_owned(),
        fallen_count: count(&others),
        nodes_count: count(&own) + count(&others),
        others: others.iter().map(|nodes| in_words(nodes)).collect(),
    })
}

fn count(nodes: &[&ProviderNodes]) -> u64 {
    nodes.iter().map(|nodes| nodes.nodes_count).sum()
}

/// An execution provider with the first operators that it has.
fn in_words(nodes: &ProviderNodes) -> String {
    let mut operators: Vec<&str> = nodes
        .operators
        .keys()
        .map(Plain::exact)
        .take(NAMED_OPERATORS)
        .collect();
    if nodes.operators.len() > operators.len() {
        operators.push("...");
    }
    format!(
        "`{}` ({})",
        nodes.execution_provider.exact(),
        operators.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::plan::{FloatRounding, ProviderSpec, RuntimeChoice, SessionOptions};
    use crate::provider;

    fn spec(provider: ProviderSpec, name: &str) -> SessionSpec {
        SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Library("libonnxruntime.so".into()),
            execution_provider: provider::identifier(name).into(),
            provider,
            binding: Default::default(),
            options: SessionOptions {
                intra_threads: 3,
                ..SessionOptions::default()
            },
        }
    }

    #[test]
    fn accelerators_round_floats_unless_told_not_to() {
        let of = |name: &str, options: &[(&str, &str)]| {
            let options = options
                .iter()
                .map(|(key, value)| ((*key).into(), (*value).into()))
                .collect();
            spec(
                ProviderSpec {
                    options,
                    ..ProviderSpec::default()
                },
                name,
            )
            .float_rounding()
        };
        assert_eq!(
            [of("cpu", &[]), of("cuda", &[("use_tf32", "0")])],
            [FloatRounding::Full; 2]
        );
        assert_eq!(
            [of("cuda", &[("use_tf32", "1")]), of("tensorrt", &[])],
            [FloatRounding::Half; 2]
        );
    }

    fn on(name: &str, nodes_count: u64, operator: &str) -> ProviderNodes {
        ProviderNodes {
            execution_provider: provider::identifier(name).into(),
            nodes_count,
            operators: BTreeMap::from([(operator.into(), nodes_count)]),
            ..ProviderNodes::default()
        }
    }

    fn checked(spec: &SessionSpec, nodes: &[ProviderNodes]) -> Result<(), String> {
        check(
            "m.onnx".as_ref(),
            spec,
            spec.execution_provider.exact(),
            nodes,
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_session_without_a_node_on_its_provider_has_fallen_back_and_a_required_one_takes_every_node()
     {
        let cuda = spec(ProviderSpec::default(), "cuda");
        assert_eq!(
            checked(&cuda, &[on("cpu", 12, "Gemm")]),
            Err("all 12 nodes of `m.onnx` fell back from `CUDAExecutionProvider` to `CPUExecutionProvider` (Gemm)"
                .into())
        );
        assert_eq!(
            checked(&cuda, &[on("cpu", 3, "Shape"), on("cuda", 9, "Gemm")]),
            Ok(())
        );
        assert_eq!(checked(&cuda, &[]), Ok(()));
        assert_eq!(
            checked(
                &spec(ProviderSpec::default(), "cpu"),
                &[on("cpu", 1, "Add")]
            ),
            Ok(())
        );
        let required = spec(
            ProviderSpec {
                required: true,
                ..ProviderSpec::default()
            },
            "cuda",
        );
        let message =
            checked(&required, &[on("cpu", 3, "Shape"), on("cuda", 9, "Gemm")]).unwrap_err();
        assert!(
            message.starts_with("3 of 12 nodes of `m.onnx` fell back"),
            "{message}"
        );
        assert_eq!(checked(&required, &[on("cuda", 9, "Gemm")]), Ok(()));
    }
}

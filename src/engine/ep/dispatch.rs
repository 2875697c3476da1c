//! The execution providers that `ort` has a type for, each with what registers it. All others are
//! registered by name.

use ort::ep::{
    self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, ExecutionProviderDispatch,
};
use ort::session::builder::SessionBuilder;

use crate::engine::EngineError;
use crate::engine::log;
use crate::engine::message::words;
use crate::plan::SessionSpec;
use crate::provider::cpu::ARENA;
use crate::provider::{self, Options};

pub(in crate::engine) struct Registered {
    pub builder: SessionBuilder,
    /// Execution providers in order of preference; the first is the one that was asked for, by its
    /// own name.
    pub names: Vec<String>,
    /// Options of the first.
    pub options: Options,
}

pub(super) fn refused(name: &str, error: &ort::Error) -> EngineError {
    EngineError::Provider {
        name: name.to_owned(),
        message: refusal(error),
    }
}

/// An execution provider's own words. Some only log them, and leave the error to say that something
/// failed.
fn refusal(error: &ort::Error) -> String {
    let message = words(error.message());
    match log::take_last_error() {
        Some(logged) if !message.contains(&logged) => format!("{message}: {logged}"),
        _ => message,
    }
}

/// Registers an execution provider with these options, and those behind it that take what it
/// leaves.
type Dispatch = fn(&Options) -> Vec<ExecutionProviderDispatch>;

static TYPES: &[(&str, Dispatch)] = &[
    (ep::CPU::NAME, cpu),
    (ep::CUDA::NAME, alone::<ep::CUDA>),
    (ep::OpenVINO::NAME, alone::<ep::OpenVINO>),
    (ep::TensorRT::NAME, tensorrt),
];

/// The way to register an execution provider, where `ort` has a type for it.
pub(super) fn dispatch(identifier: &str) -> Option<Dispatch> {
    TYPES
        .iter()
        .find(|(name, _)| *name == identifier)
        .map(|(_, dispatch)| *dispatch)
}

/// Every session has this execution provider; it is only touched where its option was given.
fn cpu(options: &Options) -> Vec<ExecutionProviderDispatch> {
    options
        .get(&ARENA.into())
        .map(|value| with_own_arena(*value != "0"))
        .into_iter()
        .collect()
}

fn with_own_arena(arena: bool) -> ExecutionProviderDispatch {
    ep::CPU::default()
        .with_arena_allocator(arena)
        .build()
        .error_on_failure()
}

/// Switches the arena of memory on the CPU on or off, whatever else a session computes on.
pub(in crate::engine) fn with_arena(
    builder: SessionBuilder,
    arena: bool,
) -> ort::Result<SessionBuilder> {
    Ok(builder.with_execution_providers([with_own_arena(arena)])?)
}

/// Why a session on the CPU cannot have one of its options, if it cannot.
pub(super) fn refused_option(spec: &SessionSpec) -> Option<String> {
    let other = spec
        .provider
        .options
        .keys()
        .find(|key| *key != ARENA && !spec.is_accelerated())?;
    Some(format!(
        "unknown option `{}`: the only one is `{ARENA}`",
        other.exact()
    ))
}

fn alone<P>(options: &Options) -> Vec<ExecutionProviderDispatch>
where
    P: ArbitrarilyConfigurableExecutionProvider + Default + Into<ExecutionProviderDispatch>,
{
    let provider = options.iter().fold(P::default(), |provider, (key, value)| {
        provider.with_arbitrary_config(key.exact(), value.exact())
    });
    vec![provider.into().error_on_failure()]
}

/// TensorRT has CUDA behind it, as ONNX Runtime's documentation recommends, on the same device.
fn tensorrt(options: &Options) -> Vec<ExecutionProviderDispatch> {
    [
        alone::<ep::TensorRT>(options),
        alone::<ep::CUDA>(&provider::known(ep::TensorRT::NAME).only_device(options)),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_of_an_execution_provider_that_is_known() {
        for (name, dispatch) in TYPES {
            assert_eq!(provider::known(name).identifier, *name);
            assert_eq!(
                dispatch(&Options::from([("use_arena".into(), "1".into())]))[0].name(),
                *name
            );
        }
    }

    #[test]
    fn cuda_behind_tensorrt_is_on_the_same_device() {
        let options = [("device_id", "1"), ("trt_fp16_enable", "1")]
            .map(|(key, value)| (key.into(), value.into()));
        let names: Vec<&str> = tensorrt(&options.into())
            .iter()
            .map(|dispatch| dispatch.name())
            .collect();
        assert_eq!(names, [ep::TensorRT::NAME, ep::CUDA::NAME]);
    }
}

//! The execution providers that `ort` has a type for, each with what registers it. All others are registered by name.

use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, ExecutionProviderDispatch};

use crate::provider::{self, Options};

/// Registers an execution provider with these options, and those behind it that take what it leaves.
type Dispatch = fn(&Options) -> Vec<ExecutionProviderDispatch>;

static TYPES: &[(&str, Dispatch)] = &[
    (ep::CPU::NAME, super::cpu::dispatch),
    (ep::CUDA::NAME, alone::<ep::CUDA>),
    (ep::OpenVINO::NAME, alone::<ep::OpenVINO>),
    (ep::TensorRT::NAME, tensorrt),
];

/// The way to register an execution provider, where `ort` has a type for it.
pub(super) fn dispatch(identifier: &str) -> Option<Dispatch> {
    TYPES.iter().find(|(name, _)| *name == identifier).map(|(_, dispatch)| *dispatch)
}

fn alone<P>(options: &Options) -> Vec<ExecutionProviderDispatch>
where
    P: ArbitrarilyConfigurableExecutionProvider + Default + Into<ExecutionProviderDispatch>,
{
    let provider =
        options.iter().fold(P::default(), |provider, (key, value)| provider.with_arbitrary_config(key, value));
    vec![provider.into().error_on_failure()]
}

/// TensorRT has CUDA behind it, as ONNX Runtime's documentation recommends, on the same device.
fn tensorrt(options: &Options) -> Vec<ExecutionProviderDispatch> {
    let device = provider::known(ep::TensorRT::NAME).only_device(options);
    [alone::<ep::TensorRT>(options), alone::<ep::CUDA>(&device)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_of_an_execution_provider_that_is_known() {
        for (name, dispatch) in TYPES {
            assert_eq!(provider::known(name).identifier, *name);
            let options = Options::from([("use_arena".to_owned(), "1".to_owned())]);
            assert_eq!(dispatch(&options)[0].name(), *name);
        }
    }

    #[test]
    fn cuda_behind_tensorrt_is_on_the_same_device() {
        let options = [("device_id", "1"), ("trt_fp16_enable", "1")].map(|(key, value)| (key.into(), value.into()));
        let names: Vec<&str> = tensorrt(&options.into()).iter().map(|dispatch| dispatch.name()).collect();
        assert_eq!(names, [ep::TensorRT::NAME, ep::CUDA::NAME]);
    }
}

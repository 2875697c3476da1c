//! Execution providers from libraries of their own.

use std::path::Path;

use ort::AsPointer;
use ort::device::Device;
use ort::environment::Environment;
use ort::memory::DeviceType;
use ort::session::builder::SessionBuilder;

use super::dispatch::{Registered, refused};
use crate::engine::message::words;
use crate::engine::{EngineError, Result};
use crate::plan::SessionSpec;
use crate::provider::{CPU_PROVIDER, Options};

/// A library of execution providers, registered with the environment.
pub(in crate::engine) struct Plugin {
    name: String,
    /// Addresses of the devices that were there before, which are not the library's.
    foreign: Vec<usize>,
}

impl Plugin {
    pub(in crate::engine) fn open(
        environment: &Environment,
        name: &str,
        path: &Path,
    ) -> Result<Self> {
        let foreign = environment
            .devices()
            .map(|device| device.ptr().addr())
            .collect();
        environment
            .register_ep_library(name, path)
            .map_err(|error| EngineError::EpLibrary {
                path: path.to_owned(),
                message: words(error.message()),
            })?;
        Ok(Plugin {
            name: name.to_owned(),
            foreign,
        })
    }

    fn device<'e>(&self, environment: &'e Environment, index: u64) -> Result<Device<'e>> {
        let devices: Vec<Device<'e>> = environment
            .devices()
            .filter(|device| !self.foreign.contains(&device.ptr().addr()))
            .collect();
        let present: Vec<String> = devices
            .iter()
            .enumerate()
            .map(|(number, device)| format!("{number} ({})", describe(device)))
            .collect();
        usize::try_from(index)
            .ok()
            .and_then(|index| devices.into_iter().nth(index))
            .ok_or_else(|| EngineError::NoDevice {
                name: self.name.clone(),
                device: index,
                present,
            })
    }

    /// Registers one of the library's devices with a session: the one asked for, or the first.
    pub(super) fn register(
        &self,
        builder: SessionBuilder,
        environment: &Environment,
        spec: &SessionSpec,
    ) -> Result<Registered> {
        let device = self.device(environment, spec.provider.device.unwrap_or(0))?;
        let own_name = device
            .ep()
            .map_err(|error| refused(&self.name, &error))?
            .to_owned();
        let prefixed: Vec<(String, String)> = spec
            .provider
            .options
            .iter()
            .map(|(key, value)| {
                (
                    format!("{own_name}.{}", key.exact()),
                    value.exact().to_owned(),
                )
            })
            .collect();
        let builder = builder
            .with_devices([device], Some(&prefixed))
            .map_err(|error| refused(&self.name, &error.into()))?;
        let options: Options = spec.provider.options.clone();
        Ok(Registered {
            builder,
            names: vec![own_name, CPU_PROVIDER.to_owned()],
            options,
        })
    }
}

/// A device in words: `NVIDIA GPU`.
fn describe(device: &Device<'_>) -> String {
    let hardware = device.hardware_device();
    let kind = match hardware.ty() {
        DeviceType::CPU => "CPU",
        DeviceType::GPU => "GPU",
        DeviceType::NPU => "NPU",
        DeviceType::FPGA => "FPGA",
    };
    hardware
        .vendor()
        .map_or_else(|_| kind.to_owned(), |vendor| format!("{vendor} {kind}"))
}

//! Machines with GPUs that are made up: a copy of the fake library of the driver, with its script
//! beside it.

use std::fs;
use std::path::PathBuf;

use onnxprof::sample::Roots;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::example::example;

/// A driver that tells what a script says.
pub struct FakeDriver(TempDir);

impl FakeDriver {
    pub fn new(script: &Value) -> Self {
        let driver = FakeDriver(tempfile::tempdir().unwrap());
        // Each copy is a library of its own to the loader.
        fs::copy(example("fake_nvml"), driver.library()).unwrap();
        fs::write(driver.library().with_extension("json"), script.to_string()).unwrap();
        driver
    }

    /// The library, to be opened in the driver's place.
    pub fn library(&self) -> PathBuf {
        self.0.path().join("libnvidia-ml.so")
    }

    /// This machine, with the driver.
    pub fn roots(&self) -> Roots {
        Roots {
            nvml: self.library(),
            ..Roots::system()
        }
    }

    /// From now on, GPUs whose script says so are lost.
    pub fn lose(&self) {
        fs::write(self.0.path().join("lost"), "").unwrap();
    }
}

/// A script of a driver with these GPUs.
pub fn driver(devices: &[Value]) -> Value {
    json!({ "driver_version": "570.124.06", "cuda_version": 12080, "devices": devices })
}

/// A large GPU that draws 70 W and says that it is idle whatever it does, and whose energy counter
/// rises by 412 J from one question to the next. What `changes` names is as it says.
pub fn gpu(changes: &Value) -> Value {
    let mut gpu = json!({
        "name": "NVIDIA H200",
        "uuid": "GPU-12345678-90ab-cdef-1234-567890abcdef",
        "memory_total": 150_000_000_000_u64,
        "memory_used": [1_000_000_000_u64],
        "utilization_percent": [87],
        "memory_utilization_percent": [31],
        "power_milliwatts": [70_000],
        "energy": { "start_millijoules": 5_000_000, "step_millijoules": 412_000 },
        "sm_clock_megahertz": [1980],
        "memory_clock_megahertz": [3201],
        "temperature": [41],
        "clock_events": [1],
        "processes": [[{ "memory": 700_000_000 }]],
        "pcie_generation": 5,
        "pcie_width": 16,
        "ecc": true,
        "persistence": true,
    });
    for (name, value) in changes.as_object().unwrap() {
        gpu[name] = value.clone();
    }
    gpu
}

//! NVIDIA GPUs, through the driver's own library (NVML), which is opened at run time: a machine
//! without one builds and runs the same program. Read [`Gpus`] first.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml, cuda_driver_version_major, cuda_driver_version_minor};

use super::Roots;
use crate::hash;
use crate::observed::Observed;
use crate::record::{GpuDriver, GpuInfo, Host};
use crate::text::Plain;
use crate::units::{Bytes, Celsius, Hertz, Joules, Ratio, Watts};

/// Why nothing is known about GPUs.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    /// The driver's library is not there, or cannot be opened.
    #[error("there is no NVIDIA driver: `{0}` cannot be opened")]
    NoLibrary(PathBuf, #[source] NvmlError),
    /// The library is there, the driver does not answer it.
    #[error("the NVIDIA driver does not answer")]
    NoDriver(#[source] NvmlError),
    /// A GPU that was asked for, by a number or a name from `CUDA_VISIBLE_DEVICES`, is not among so
    /// many.
    #[error("there is no GPU {}: {} present", .0, present(*.1))]
    NoGpu(String, u32),
    /// A GPU does not answer any more.
    #[error("GPU {index} was lost: {reason}")]
    Lost {
        /// Number by which the driver knows it.
        index: u32,
        /// The driver's words.
        reason: String,
    },
}

/// `none is`, `GPU 0 is` or `GPUs 0 to 3 are`.
fn present(count: u32) -> String {
    match count {
        0 => "none is".into(),
        1 => "GPU 0 is".into(),
        more => format!("GPUs 0 to {} are", more - 1),
    }
}

impl GpuError {
    /// The error and its cause in one line, for the record.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            // The loader repeats the name of the library.
            GpuError::NoLibrary(..) | GpuError::NoGpu(..) | GpuError::Lost { .. } => {
                self.to_string()
            }
            GpuError::NoDriver(source) => format!("{self}: {}", words(source)),
        }
    }
}

/// The GPUs of the machine, through the driver's library.
#[derive(Debug)]
pub struct Gpus {
    nvml: Nvml,
}

/// A driver's facts about a GPU at one moment. One that it refuses is absent with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuReading {
    /// Share of the driver's last averaging window in which a kernel ran; the window is 1/6 s to 1
    /// s long.
    pub utilization_ratio: Observed<Ratio>,
    /// Share of that window in which the GPU's memory was read or written.
    pub memory_utilization_ratio: Observed<Ratio>,
    /// Memory in use, of all processes.
    pub memory_used_bytes: Observed<Bytes>,
    /// Power draw; most chips since 2020 average it over a second.
    pub power_watts: Observed<Watts>,
    /// Clock of the multiprocessors.
    pub sm_clock_hertz: Observed<Hertz>,
    /// Clock of the memory.
    pub memory_clock_hertz: Observed<Hertz>,
    /// Temperature of the die.
    pub temperature_celsius: Observed<Celsius>,
    /// Reasons for low clocks, by NVML's names without its prefix.
    pub clock_events: Observed<Vec<String>>,
    /// Processes that compute on it.
    pub processes: Observed<Vec<GpuProcess>>,
}

/// A process that computes on a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuProcess {
    /// Process id by the driver, which in a container may be that of the host.
    pub pid: u32,
    /// GPU memory of the process; absent where the driver does not tell.
    pub memory_bytes: Option<Bytes>,
}

impl Gpus {
    /// Opens the driver's library; [`GpuError::NoDriver`] where its kernel part is not loaded or
    /// refuses.
    pub fn open(roots: &Roots) -> Result<Gpus, GpuError> {
        let library = roots.nvml.as_os_str();
        match Nvml::builder().lib_path(library).init() {
            Ok(nvml) => Ok(Gpus { nvml }),
            Err(source @ NvmlError::LibloadingError(_)) => {
                Err(GpuError::NoLibrary(library.into(), source))
            }
            Err(source) => Err(GpuError::NoDriver(source)),
        }
    }

    /// Number of GPUs; 0 where the driver does not tell.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.nvml.device_count().unwrap_or(0)
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> GpuDriver {
        let cuda = self.nvml.sys_cuda_driver_version().map(|all| {
            format!(
                "{}.{}",
                cuda_driver_version_major(all),
                cuda_driver_version_minor(all)
            )
        });
        GpuDriver {
            version: told(self.nvml.sys_driver_version()).map(Plain::from),
            cuda_version: told(cuda).map(Plain::from),
        }
    }

    /// Descriptions of all GPUs.
    #[must_use]
    pub fn all(&self) -> Vec<GpuInfo> {
        (0..self.count())
            .filter_map(|index| Some(info(index, &self.nvml.device_by_index(index).ok()?)))
            .collect()
    }

    /// The driver's number of the GPU that CUDA calls `ordinal`, where `visible` is what
    /// `CUDA_VISIBLE_DEVICES` holds.
    ///
    /// CUDA puts the fastest GPU first, the driver's library the one with the lowest bus address:
    /// where a machine has unlike GPUs, they agree if `CUDA_DEVICE_ORDER` is `PCI_BUS_ID`.
    pub fn resolve(&self, ordinal: u64, visible: Option<&str>) -> Result<u32, GpuError> {
        let count = self.count();
        let number = ordinal.to_string();
        let entry = match visible {
            None => Some(number.as_str()),
            Some(visible) => usize::try_from(ordinal)
                .ok()
                .and_then(|place| visible.split(',').nth(place))
                .map(str::trim)
                .filter(|entry| !entry.is_empty()),
        };
        let found = entry.and_then(|entry| match entry.parse::<u32>() {
            Ok(index) => (index < count).then_some(index),
            Err(_) => (0..count).find(|&index| self.is_named(index, entry)),
        });
        found.ok_or_else(|| GpuError::NoGpu(entry.unwrap_or(&number).to_owned(), count))
    }

    fn is_named(&self, index: u32, begin: &str) -> bool {
        self.nvml
            .device_by_index(index)
            .and_then(|device| device.uuid())
            .is_ok_and(|uuid| uuid.starts_with(begin))
    }

    /// The driver's facts about a GPU now; [`GpuError::Lost`] if it does not answer any more, and
    /// will not.
    pub fn read(&self, index: u32) -> Result<GpuReading, GpuError> {
        let lost = |error: &NvmlError| GpuError::Lost {
            index,
            reason: words(error),
        };
        let device = self
            .nvml
            .device_by_index(index)
            .map_err(|error| lost(&error))?;
        let asked = Asked::default();
        let utilization = asked.of(device.utilization_rates());
        let reading = GpuReading {
            utilization_ratio: utilization.clone().map(|rates| percent(rates.gpu)),
            memory_utilization_ratio: utilization.map(|rates| percent(rates.memory)),
            memory_used_bytes: asked
                .of(device.memory_info())
                .map(|memory| Bytes(memory.used)),
            power_watts: asked.of(device.power_usage()).map(milliwatts),
            sm_clock_hertz: asked.of(device.clock_info(Clock::SM)).map(megahertz),
            memory_clock_hertz: asked.of(device.clock_info(Clock::Memory)).map(megahertz),
            temperature_celsius: asked
                .of(device.temperature(TemperatureSensor::Gpu))
                .map(|degrees| Celsius(f64::from(degrees))),
            clock_events: asked.of(device.current_throttle_reasons()).map(|reasons| {
                let names = reasons.iter_names();
                names.map(|(name, _)| name.to_lowercase()).collect()
            }),
            processes: asked
                .of(device.running_compute_processes())
                .map(|listed| listed.iter().map(process).collect()),
        };
        match asked.lost.into_inner() {
            Some(error) => Err(lost(&error)),
            None => Ok(reading),
        }
    }

    /// The chip's energy counter, since the driver was loaded; chips before 2017 have none.
    pub fn energy(&self, index: u32) -> Observed<Joules> {
        let millijoules = self
            .nvml
            .device_by_index(index)
            .and_then(|device| device.total_energy_consumption());
        told(millijoules).map(|millijoules| Joules(millijoules as f64 / 1000.0))
    }

    /// Memory in use on the whole device, of all processes.
    pub fn memory_used(&self, index: u32) -> Observed<Bytes> {
        told(
            self.nvml
                .device_by_index(index)
                .and_then(|device| device.memory_info()),
        )
        .map(|memory| Bytes(memory.used))
    }
}

pub(super) fn describe(roots: &Roots, host: &mut Host) {
    match Gpus::open(roots) {
        Ok(gpus) => {
            host.gpu_driver = Some(gpus.driver());
            host.gpus = gpus.all();
            host.gpus_absent_reason = host
                .gpus
                .is_empty()
                .then(|| "the driver lists no GPU".into());
        }
        Err(error) => host.gpus_absent_reason = Some(error.reason().into()),
    }
}

fn sha256(text: &str) -> Observed<Plain> {
    hash::copy(&mut text.as_bytes(), &mut io::sink())
        .map(Plain::from)
        .map_err(|error| error.to_string().into())
}

fn info(index: u32, device: &Device<'_>) -> GpuInfo {
    let number = |result: Result<u32, NvmlError>| told(result).map(u64::from);
    GpuInfo {
        index: u64::from(index),
        name: told(device.name()).map(Plain::from),
        uuid_sha256: told(device.uuid()).and_then(|uuid| sha256(&uuid)),
        memory_bytes: told(device.memory_info()).map(|memory| Bytes(memory.total)),
        pcie_generation: number(device.current_pcie_link_gen()),
        pcie_max_generation: number(device.max_pcie_link_gen()),
        pcie_width: number(device.current_pcie_link_width()),
        pcie_max_width: number(device.max_pcie_link_width()),
        ecc: told(device.is_ecc_enabled()).map(|state| state.currently_enabled),
        mig: told(device.mig_mode()).map(|mode| mode.current != 0),
        persistence: told(device.is_in_persistent_mode()),
        power_limit_watts: told(device.enforced_power_limit()).map(milliwatts),
        sm_clock_max_hertz: told(device.max_clock_info(Clock::SM)).map(megahertz),
    }
}

/// Answers of one GPU, and whether one of them was that it is lost.
#[derive(Default)]
struct Asked {
    lost: RefCell<Option<NvmlError>>,
}

impl Asked {
    fn of<T>(&self, answer: Result<T, NvmlError>) -> Observed<T> {
        if matches!(answer, Err(NvmlError::GpuLost | NvmlError::ResetRequired)) {
            let words = answer.as_ref().err().map(words).unwrap_or_default();
            self.lost.replace(answer.err());
            return Err(words.into());
        }
        told(answer)
    }
}

fn told<T>(answer: Result<T, NvmlError>) -> Observed<T> {
    answer.map_err(|error| words(&error).into())
}

fn words(error: &NvmlError) -> String {
    match error {
        NvmlError::NotSupported => "the GPU does not offer it".into(),
        NvmlError::NoPermission => "the driver does not tell it to this user".into(),
        NvmlError::FailedToLoadSymbol(_) | NvmlError::FunctionNotFound => {
            "the driver's library does not have it".into()
        }
        NvmlError::DriverNotLoaded => "its kernel module is not loaded".into(),
        NvmlError::LibRmVersionMismatch => {
            "its library and its kernel module are of different versions; a restart mends that"
                .into()
        }
        NvmlError::GpuLost => "it fell off the bus, or cannot be reached any more".into(),
        NvmlError::ResetRequired => "it must be reset before it can be used again".into(),
        error => format!("the driver says: {error}"),
    }
}

fn process(listed: &nvml_wrapper::struct_wrappers::device::ProcessInfo) -> GpuProcess {
    GpuProcess {
        pid: listed.pid,
        memory_bytes: match listed.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(Bytes(bytes)),
            UsedGpuMemory::Unavailable => None,
        },
    }
}

fn percent(percent: u32) -> Ratio {
    Ratio(f64::from(percent) / 100.0)
}

fn milliwatts(milliwatts: u32) -> Watts {
    Watts(f64::from(milliwatts) / 1000.0)
}

fn megahertz(megahertz: u32) -> Hertz {
    Hertz(u64::from(megahertz) * 1_000_000)
}

//! A stand-in for the library of NVIDIA's driver (NVML), for tests on machines without a GPU.
//!
//! It is loaded by the same code and through the same C interface as the real one. What it tells
//! stands in a JSON file beside it, of its own name with the extension `json`; so each test copies
//! it, and several may be loaded at once. Read `Script` first.

#![expect(
    clippy::print_stderr,
    reason = "a library for tests says what is wrong with a test"
)]

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Deserialize;

/// What the library tells.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Script {
    /// Code that initializing returns; absent: success.
    init: Option<u32>,
    driver_version: String,
    /// As `major * 1000 + minor * 10`.
    cuda_version: i32,
    devices: Vec<Gpu>,
}

/// A GPU. A series is told call by call, and its last value from then on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Gpu {
    name: String,
    uuid: String,
    memory_total: u64,
    memory_used: Vec<u64>,
    utilization_percent: Vec<u32>,
    memory_utilization_percent: Vec<u32>,
    power_milliwatts: Vec<u32>,
    energy: Energy,
    sm_clock_megahertz: Vec<u32>,
    memory_clock_megahertz: Vec<u32>,
    temperature: Vec<u32>,
    clock_events: Vec<u64>,
    processes: Vec<Vec<Process>>,
    pcie_generation: u32,
    pcie_width: u32,
    ecc: bool,
    mig: bool,
    persistence: bool,
    /// Codes that functions return instead of an answer, by their names without `nvmlDevice`.
    refuse: HashMap<String, u32>,
    /// The GPU is lost once a file of this name lies beside the library.
    lost_if: Option<String>,
}

/// An energy counter that rises by the same at every call.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Energy {
    start_millijoules: u64,
    step_millijoules: u64,
    /// Value from which on the counter begins again at zero.
    wraps_at: Option<u64>,
}

/// A process on a GPU.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Process {
    /// Absent: every child of the process that has loaded the library.
    pid: Option<u32>,
    /// Absent: not told.
    memory: Option<u64>,
}

const SUCCESS: u32 = 0;
const UNINITIALIZED: u32 = 1;
const INVALID_ARGUMENT: u32 = 2;
const INSUFFICIENT_SIZE: u32 = 7;
const LOST: u32 = 15;
const CLOCK_SM: u32 = 1;

struct State {
    folder: PathBuf,
    script: Script,
    /// Calls so far, by GPU and function.
    calls: HashMap<(usize, &'static str), usize>,
}

fn state() -> Option<MutexGuard<'static, State>> {
    static STATE: OnceLock<Option<Mutex<State>>> = OnceLock::new();
    let state = STATE.get_or_init(|| {
        let library = own_path()?;
        let text = std::fs::read_to_string(library.with_extension("json")).ok()?;
        let script = serde_json::from_str(&text)
            .inspect_err(|error| eprintln!("fake NVML: {error}"))
            .ok()?;
        let folder = library.parent().unwrap_or(Path::new("")).to_owned();
        Some(Mutex::new(State {
            folder,
            script,
            calls: HashMap::new(),
        }))
    });
    state
        .as_ref()
        .map(|state| state.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The file that this library was loaded from.
fn own_path() -> Option<PathBuf> {
    #[repr(C)]
    struct Found {
        file: *const c_char,
        base: *mut c_void,
        symbol: *const c_char,
        address: *mut c_void,
    }
    unsafe extern "C" {
        fn dladdr(address: *const c_void, found: *mut Found) -> c_int;
    }
    let mut found = Found {
        file: std::ptr::null(),
        base: std::ptr::null_mut(),
        symbol: std::ptr::null(),
        address: std::ptr::null_mut(),
    };
    // SAFETY: the address is of this library's code, and `found` is large enough.
    let is_known = unsafe { dladdr(nvmlShutdown as *const c_void, &raw mut found) } != 0;
    if !is_known || found.file.is_null() {
        return None;
    }
    // SAFETY: the loader gives a string that lives as long as the library.
    let file = unsafe { CStr::from_ptr(found.file) };
    Some(PathBuf::from(file.to_str().ok()?))
}

/// Answers a question to one GPU: `answer` is given the number of the question, from 0.
fn ask(
    device: *mut c_void,
    function: &'static str,
    answer: impl FnOnce(&Gpu, usize) -> Result<(), u32>,
) -> u32 {
    let Some(mut state) = state() else {
        return UNINITIALIZED;
    };
    let Some(index) = (device as usize)
        .checked_sub(1)
        .filter(|&index| index < state.script.devices.len())
    else {
        return INVALID_ARGUMENT;
    };
    let calls = state.calls.entry((index, function)).or_default();
    let call = *calls;
    *calls += 1;
    let gpu = &state.script.devices[index];
    if gpu
        .lost_if
        .as_ref()
        .is_some_and(|name| state.folder.join(name).exists())
    {
        return LOST;
    }
    match gpu.refuse.get(function) {
        Some(&code) => code,
        None => answer(gpu, call).err().unwrap_or(SUCCESS),
    }
}

/// The value of a series at a call.
fn at<T: Clone>(series: &[T], call: usize) -> Result<T, u32> {
    series.get(call).or(series.last()).cloned().ok_or(3)
}

/// Answers with one value.
fn tell<T>(out: *mut T, value: Result<T, u32>) -> Result<(), u32> {
    let value = value?;
    if out.is_null() {
        return Err(INVALID_ARGUMENT);
    }
    // SAFETY: the caller gives room for one value, as NVML's interface asks.
    unsafe { out.write(value) };
    Ok(())
}

/// Answers with a string that ends in a zero.
fn tell_text(out: *mut c_char, length: c_uint, text: &str) -> Result<(), u32> {
    if out.is_null() || text.len() >= length as usize {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller gives room for `length` bytes, which the text and its end do not exceed.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), out, text.len());
        out.add(text.len()).write(0);
    }
    Ok(())
}

fn code(answer: Result<(), u32>) -> u32 {
    answer.err().unwrap_or(SUCCESS)
}

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> u32 {
    state().map_or(UNINITIALIZED, |state| state.script.init.unwrap_or(SUCCESS))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> u32 {
    SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> u32 {
    state().map_or(UNINITIALIZED, |state| {
        code(tell_text(version, length, &state.script.driver_version))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> u32 {
    state().map_or(UNINITIALIZED, |state| {
        code(tell(version, Ok(state.script.cuda_version)))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> u32 {
    state().map_or(UNINITIALIZED, |state| {
        code(tell(count, Ok(state.script.devices.len() as c_uint)))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut *mut c_void) -> u32 {
    let handle = (index as usize + 1) as *mut c_void;
    ask(handle, "GetHandleByIndex_v2", |_, _| {
        tell(device, Ok(handle))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetName(device: *mut c_void, name: *mut c_char, length: c_uint) -> u32 {
    ask(device, "GetName", |gpu, _| {
        tell_text(name, length, &gpu.name)
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUUID(device: *mut c_void, uuid: *mut c_char, length: c_uint) -> u32 {
    ask(device, "GetUUID", |gpu, _| {
        tell_text(uuid, length, &gpu.uuid)
    })
}

#[repr(C)]
struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMemoryInfo_v2(device: *mut c_void, memory: *mut Memory) -> u32 {
    ask(device, "GetMemoryInfo_v2", |gpu, call| {
        let used = at(&gpu.memory_used, call)?;
        let free = gpu.memory_total.saturating_sub(used);
        tell(
            memory,
            Ok(Memory {
                version: 2,
                total: gpu.memory_total,
                reserved: 0,
                free,
                used,
            }),
        )
    })
}

#[repr(C)]
struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetUtilizationRates(device: *mut c_void, rates: *mut Utilization) -> u32 {
    ask(device, "GetUtilizationRates", |gpu, call| {
        let memory = at(&gpu.memory_utilization_percent, call).unwrap_or(0);
        tell(
            rates,
            at(&gpu.utilization_percent, call).map(|gpu| Utilization { gpu, memory }),
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPowerUsage(device: *mut c_void, milliwatts: *mut c_uint) -> u32 {
    ask(device, "GetPowerUsage", |gpu, call| {
        tell(milliwatts, at(&gpu.power_milliwatts, call))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEnforcedPowerLimit(device: *mut c_void, milliwatts: *mut c_uint) -> u32 {
    ask(device, "GetEnforcedPowerLimit", |_, _| {
        tell(milliwatts, Ok(700_000))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTotalEnergyConsumption(
    device: *mut c_void,
    millijoules: *mut c_ulonglong,
) -> u32 {
    ask(device, "GetTotalEnergyConsumption", |gpu, call| {
        let value = gpu.energy.start_millijoules + gpu.energy.step_millijoules * call as u64;
        tell(
            millijoules,
            Ok(gpu.energy.wraps_at.map_or(value, |end| value % end)),
        )
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetClockInfo(
    device: *mut c_void,
    clock: c_uint,
    megahertz: *mut c_uint,
) -> u32 {
    let function = if clock == CLOCK_SM {
        "GetClockInfo SM"
    } else {
        "GetClockInfo memory"
    };
    ask(device, function, |gpu, call| {
        let series = if clock == CLOCK_SM {
            &gpu.sm_clock_megahertz
        } else {
            &gpu.memory_clock_megahertz
        };
        tell(megahertz, at(series, call))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxClockInfo(
    device: *mut c_void,
    _clock: c_uint,
    megahertz: *mut c_uint,
) -> u32 {
    ask(device, "GetMaxClockInfo", |_, _| tell(megahertz, Ok(1980)))
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetTemperature(
    device: *mut c_void,
    _sensor: c_uint,
    degrees: *mut c_uint,
) -> u32 {
    ask(device, "GetTemperature", |gpu, call| {
        tell(degrees, at(&gpu.temperature, call))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrentClocksThrottleReasons(
    device: *mut c_void,
    reasons: *mut c_ulonglong,
) -> u32 {
    ask(device, "GetCurrentClocksThrottleReasons", |gpu, call| {
        tell(reasons, at(&gpu.clock_events, call))
    })
}

#[repr(C)]
struct ProcessInfo {
    pid: c_uint,
    used_gpu_memory: c_ulonglong,
    gpu_instance_id: c_uint,
    compute_instance_id: c_uint,
}

/// The number of the list of processes that was asked for last.
static LIST: AtomicUsize = AtomicUsize::new(0);

/// Asked for the length of a list without room for it, then, unless that is zero, for the list
/// itself.
#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    device: *mut c_void,
    count: *mut c_uint,
    infos: *mut ProcessInfo,
) -> u32 {
    let is_new = infos.is_null();
    let function = if is_new {
        "GetComputeRunningProcesses_v3"
    } else {
        "GetComputeRunningProcesses_v3 list"
    };
    ask(device, function, |gpu, call| {
        if is_new {
            LIST.store(call, Ordering::Relaxed);
        }
        let listed = at(&gpu.processes, LIST.load(Ordering::Relaxed)).unwrap_or_default();
        let processes: Vec<ProcessInfo> = listed.iter().flat_map(process_infos).collect();
        // SAFETY: the caller says how many there is room for.
        let room = unsafe { count.read() } as usize;
        tell(count, Ok(processes.len() as c_uint))?;
        if processes.len() > room || (infos.is_null() && !processes.is_empty()) {
            return Err(INSUFFICIENT_SIZE);
        }
        for (place, process) in processes.into_iter().enumerate() {
            // SAFETY: there is room for all of them, as was just seen.
            unsafe { infos.add(place).write(process) };
        }
        Ok(())
    })
}

fn process_infos(process: &Process) -> Vec<ProcessInfo> {
    let pids = process.pid.map_or_else(children, |pid| vec![pid]);
    let info = |pid| ProcessInfo {
        pid,
        used_gpu_memory: process.memory.unwrap_or(u64::MAX),
        gpu_instance_id: u32::MAX,
        compute_instance_id: u32::MAX,
    };
    pids.into_iter().map(info).collect()
}

/// Children of this process.
fn children() -> Vec<u32> {
    let tasks = Path::new("/proc/self/task")
        .read_dir()
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMigMode(
    device: *mut c_void,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> u32 {
    ask(device, "GetMigMode", |gpu, _| {
        tell(current, Ok(gpu.mig.into())).and_then(|()| tell(pending, Ok(gpu.mig.into())))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetPersistenceMode(device: *mut c_void, mode: *mut c_uint) -> u32 {
    ask(device, "GetPersistenceMode", |gpu, _| {
        tell(mode, Ok(gpu.persistence.into()))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetEccMode(
    device: *mut c_void,
    current: *mut c_uint,
    pending: *mut c_uint,
) -> u32 {
    ask(device, "GetEccMode", |gpu, _| {
        tell(current, Ok(gpu.ecc.into())).and_then(|()| tell(pending, Ok(gpu.ecc.into())))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrPcieLinkGeneration(
    device: *mut c_void,
    generation: *mut c_uint,
) -> u32 {
    ask(device, "GetCurrPcieLinkGeneration", |gpu, _| {
        tell(generation, Ok(gpu.pcie_generation))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxPcieLinkGeneration(
    device: *mut c_void,
    generation: *mut c_uint,
) -> u32 {
    ask(device, "GetMaxPcieLinkGeneration", |_, _| {
        tell(generation, Ok(5))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetCurrPcieLinkWidth(device: *mut c_void, width: *mut c_uint) -> u32 {
    ask(device, "GetCurrPcieLinkWidth", |gpu, _| {
        tell(width, Ok(gpu.pcie_width))
    })
}

#[unsafe(no_mangle)]
extern "C" fn nvmlDeviceGetMaxPcieLinkWidth(device: *mut c_void, width: *mut c_uint) -> u32 {
    ask(device, "GetMaxPcieLinkWidth", |_, _| tell(width, Ok(16)))
}

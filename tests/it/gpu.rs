//! GPUs, through the real wrapper of the driver's library and a library that is made up.

mod runs;

use std::collections::BTreeSet;
use std::time::Duration;

use onnxprof::sample::nvml::{GpuError, Gpus};
use onnxprof::sample::{GPU_PERIOD, GpuMonitor, OwnProcesses, Roots};
use onnxprof::units::{Bytes, Celsius, Hertz, Ratio, Watts};
use serde_json::{Value, json};

use crate::support::gpu::{FakeDriver, driver, gpu};
use crate::support::{Onnxprof, Output};
use crate::workbench::wait_until;

/// NVML's codes.
const NOT_SUPPORTED: u32 = 3;
const NO_PERMISSION: u32 = 4;
const DRIVER_NOT_LOADED: u32 = 9;

fn open(driver: &FakeDriver) -> Gpus {
    Gpus::open(&driver.roots()).unwrap()
}

/// A driver with one GPU, which is the usual one but for `changes`.
fn one_gpu(changes: &Value) -> FakeDriver {
    FakeDriver::new(&driver(&[gpu(changes)]))
}

#[test]
fn gpu_and_driver_are_described_without_naming_the_card() {
    let driver = one_gpu(&json!({}));
    let gpus = open(&driver);
    let described = gpus.driver();
    assert_eq!(
        (described.version, described.cuda_version),
        (Ok("570.124.06".into()), Ok("12.8".into()))
    );
    let [gpu] = &gpus.all()[..] else {
        panic!("{:?}", gpus.all())
    };
    assert_eq!((gpu.index, &gpu.name), (0, &Ok("NVIDIA H200".into())));
    let sum = "54a50433af3c357a259732aefe909b55a6912eef3ae6abe7b3bd8a3d50f2e864";
    assert_eq!(gpu.uuid_sha256, Ok(sum.into()));
    assert_eq!(gpu.memory_bytes, Ok(Bytes(150_000_000_000)));
    assert_eq!(
        (&gpu.pcie_generation, &gpu.pcie_width, &gpu.pcie_max_width),
        (&Ok(5), &Ok(16), &Ok(16))
    );
    assert_eq!(
        (&gpu.ecc, &gpu.mig, &gpu.persistence),
        (&Ok(true), &Ok(false), &Ok(true))
    );
    assert_eq!(gpu.sm_clock_max_hertz, Ok(Hertz(1_980_000_000)));
}

#[test]
fn readings_are_in_base_units() {
    let driver = one_gpu(
        &json!({ "clock_events": [0x4 | 0x40], "processes": [[{ "pid": 7, "memory": null }]] }),
    );
    let reading = open(&driver).read(0).unwrap();
    assert_eq!(reading.utilization_ratio, Ok(Ratio(0.87)));
    assert_eq!(reading.memory_utilization_ratio, Ok(Ratio(0.31)));
    assert_eq!(
        (reading.power_watts, reading.temperature_celsius),
        (Ok(Watts(70.0)), Ok(Celsius(41.0)))
    );
    assert_eq!(
        (reading.sm_clock_hertz, reading.memory_clock_hertz),
        (Ok(Hertz(1_980_000_000)), Ok(Hertz(3_201_000_000)))
    );
    assert_eq!(
        reading.clock_events,
        Ok(["sw_power_cap", "hw_thermal_slowdown"]
            .map(str::to_owned)
            .into())
    );
    let processes = reading.processes.unwrap();
    assert_eq!((processes[0].pid, processes[0].memory_bytes), (7, None));
}

#[test]
fn what_the_driver_refuses_is_absent_with_its_reason() {
    let refuse = json!({
        "GetPowerUsage": NOT_SUPPORTED,
        "GetUtilizationRates": NO_PERMISSION,
        "GetMigMode": NOT_SUPPORTED,
        "GetTotalEnergyConsumption": NOT_SUPPORTED,
        "GetName": 999,
    });
    let driver = one_gpu(&json!({ "refuse": refuse, "temperature": [] }));
    let gpus = open(&driver);
    let reading = gpus.read(0).unwrap();
    let not_offered = || "the GPU does not offer it".into();
    assert_eq!(
        (reading.power_watts, reading.temperature_celsius),
        (Err(not_offered()), Err(not_offered()))
    );
    assert_eq!(
        reading.utilization_ratio,
        Err("the driver does not tell it to this user".into())
    );
    assert_eq!(reading.sm_clock_hertz, Ok(Hertz(1_980_000_000)));
    assert_eq!(gpus.energy(0), Err(not_offered()));
    let described = &gpus.all()[0];
    assert_eq!(described.mig, Err(not_offered()));
    assert_eq!(
        described.name,
        Err("the driver says: an internal driver error occurred".into())
    );
}

#[test]
fn lost_gpu_is_told_from_a_refusal() {
    let driver = one_gpu(&json!({ "lost_if": "lost" }));
    let gpus = open(&driver);
    assert!(gpus.read(0).is_ok());
    driver.lose();
    let error = gpus.read(0).unwrap_err();
    assert!(matches!(error, GpuError::Lost { index: 0, .. }));
    assert_eq!(
        error.reason(),
        "GPU 0 was lost: it fell off the bus, or cannot be reached any more"
    );
}

#[test]
fn missing_and_silent_drivers_are_told_apart() {
    let missing = Gpus::open(&Roots {
        nvml: "/nowhere/libnvidia-ml.so".into(),
        ..Roots::system()
    })
    .unwrap_err();
    assert_eq!(
        missing.reason(),
        "there is no NVIDIA driver: `/nowhere/libnvidia-ml.so` cannot be opened"
    );
    let driver = FakeDriver::new(&json!({ "init": DRIVER_NOT_LOADED }));
    let silent = Gpus::open(&driver.roots()).unwrap_err();
    assert_eq!(
        silent.reason(),
        "the NVIDIA driver does not answer: its kernel module is not loaded"
    );
}

#[test]
fn cuda_s_numbers_lead_to_the_driver_s() {
    let fake = FakeDriver::new(&driver(&[
        gpu(&json!({ "uuid": "GPU-aa" })),
        gpu(&json!({ "uuid": "GPU-bb" })),
    ]));
    let gpus = open(&fake);
    assert_eq!(gpus.resolve(1, None).unwrap(), 1);
    assert_eq!(gpus.resolve(0, Some("1,0")).unwrap(), 1);
    assert_eq!(gpus.resolve(1, Some("1, 0")).unwrap(), 0);
    assert_eq!(gpus.resolve(0, Some("GPU-b")).unwrap(), 1);
    let missing = |ordinal, visible| gpus.resolve(ordinal, visible).unwrap_err().reason();
    assert_eq!(
        missing(2, None),
        "there is no GPU 2: GPUs 0 to 1 are present"
    );
    assert_eq!(
        missing(1, Some("1")),
        "there is no GPU 1: GPUs 0 to 1 are present"
    );
    assert_eq!(
        missing(0, Some("GPU-cc")),
        "there is no GPU GPU-cc: GPUs 0 to 1 are present"
    );
    assert_eq!(
        missing(0, Some("")),
        "there is no GPU 0: GPUs 0 to 1 are present"
    );
}

#[test]
fn monitor_keeps_what_a_stretch_shows_and_ends_with_the_gpu() {
    let values = json!({ "utilization_percent": [3, 50, 90], "processes": [[{ "pid": 5 }]], "lost_if": "lost" });
    let driver = one_gpu(&values);
    // So long a period that only samples that are asked for are taken.
    let own = OwnProcesses::default();
    let monitor = GpuMonitor::begin(
        open(&driver),
        &BTreeSet::from([0]),
        Duration::from_secs(3600),
        own.clone(),
    );
    own.insert(7);
    monitor.open_window();
    monitor.sample();
    let window = monitor.close_window(0);
    assert_eq!(
        (window.power_mean(), window.memory_used_max()),
        (Ok(Watts(70.0)), Ok(Bytes(1_000_000_000)))
    );
    let seen = &monitor.conditions()[0];
    assert_eq!(
        (seen.samples_count, seen.other_pids.as_deref()),
        (3, Ok(&[5][..]))
    );
    assert_eq!(monitor.lost(), None);
    driver.lose();
    monitor.sample();
    assert!(monitor.lost().unwrap().starts_with("GPU 0 was lost"));
    assert_eq!(monitor.conditions()[0].samples_count, 3);
    assert!(monitor.cost().is_some());
}

#[test]
fn monitor_samples_by_itself_until_the_gpu_is_lost() {
    let driver = one_gpu(&json!({ "lost_if": "lost" }));
    let monitor = GpuMonitor::begin(
        open(&driver),
        &BTreeSet::from([0]),
        GPU_PERIOD / 50,
        OwnProcesses::default(),
    );
    wait_until(|| monitor.conditions()[0].samples_count > 3);
    driver.lose();
    wait_until(|| monitor.lost().is_some());
}

fn doctor(script: &Value, words: &[&str]) -> Output {
    let driver = FakeDriver::new(script);
    let doctor = Onnxprof::new()
        .args(["doctor", "--observe", "50ms"])
        .args(words);
    doctor.env("ONNXPROF_NVML", driver.library()).run()
}

#[test]
fn doctor_says_what_gpus_are_and_what_is_in_their_way() {
    let off = json!({
        "persistence": false, "ecc": false, "mig": true, "clock_events": [0x80], "processes": [[{ "pid": 4711 }]]
    });
    let output = doctor(&driver(&[gpu(&json!({})), gpu(&off)]), &[]);
    output.assert_code(0);
    // Long lines are broken at blanks.
    let said = output
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for part in [
        "  GPU 0: NVIDIA H200, 140 GiB, PCIe generation 5 (of 5) x16 (of 16), ECC on, MIG off,",
        "  GPU driver: 570.124.06, up to CUDA 12.8",
        "  Driver for CUDA 13 builds: 570.124.06 is too old (needs 580); to do: update it, or use a build for",
        "  Driver for CUDA 12 builds: 570.124.06 suffices (needs 525)",
        "  GPU 1 persistence mode: off: the driver starts the GPU anew for every launch; to do: `nvidia-smi",
        "  GPU 1 ECC: off",
        "  GPU 1 MIG: on",
        "  GPU 0 clocks: SM 1,980 MHz (highest 1,980 MHz), memory 3,201 MHz",
        "  GPU 1 other processes: process id 4711",
        "SUSPECT: the clocks of GPU 1 were held down in",
    ] {
        assert!(said.contains(part.trim()), "`{part}` is not in {output}");
    }
}

#[test]
fn doctor_has_gpus_for_programs() {
    let examined = doctor(&driver(&[gpu(&json!({}))]), &["--json"]).data();
    assert_eq!(examined["host"]["gpus"][0]["name"]["Ok"], "NVIDIA H200");
    assert!(
        examined["conditions"]["gpus"][0]["samples_count"]
            .as_u64()
            .unwrap()
            > 0
    );
}

#[test]
fn doctor_without_a_gpu_says_so_in_one_line() {
    let output = Onnxprof::new().args(["doctor", "--observe", "50ms"]).run();
    let lines: Vec<&str> = output
        .stdout
        .lines()
        .filter(|line| line.contains("GPU"))
        .collect();
    assert_eq!(
        lines,
        ["  GPU: not measured: there is no NVIDIA driver: `no-driver.so` cannot be opened"],
        "{output}"
    );
}

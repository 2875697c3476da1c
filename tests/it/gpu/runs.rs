//! Scripted runs on GPUs that are made up.

use std::fs;

use onnxprof::analysis::{BottleneckKind, Findings, findings};
use onnxprof::metric::Metric;
use onnxprof::record::{
    CpuEnergy, CpuPower, EnergyMethod, FailureKind, FitnessVerdict, GpuEnergy, GpuMemory,
    GpuMemoryScope, GpuUse, Monitoring, Outcome, RunRecord, json_schema,
};
use onnxprof::sample::GPU_PERIOD;
use onnxprof::units::{Bytes, Joules, Watts};
use serde_json::{Value, json};

use super::{NOT_SUPPORTED, one_gpu};
use crate::support::gpu::FakeDriver;
use crate::support::{Onnxprof, PARTIAL, model, record, shown};
use crate::workbench::{Workbench, cell};

const ONE_NODE: &str = "fixtures/one-node.onnx";

/// A scripted run of the one-node model on a GPU, at batch sizes 1 and 4, each inference of which
/// takes 1 ms.
fn profile(bench: &Workbench, driver: &FakeDriver, words: &[&str]) -> Onnxprof {
    let variants = json!({ "one-node": { "fixed_ns": 1_000_000 } });
    on_gpu(bench, &variants, words).env("ONNXPROF_NVML", driver.library())
}

fn on_gpu(bench: &Workbench, variants: &Value, words: &[&str]) -> Onnxprof {
    let providers = ["CUDAExecutionProvider", "CPUExecutionProvider"];
    let script = json!({ "variants": variants, "execution_providers": providers });
    let usual = ["--batch", "1,4", "--rounds", "2", "--alternations", "1"];
    let provider = if words.contains(&"--ep") {
        &[][..]
    } else {
        &["--ep", "CUDAExecutionProvider"]
    };
    bench
        .scripted_machine(&model(ONE_NODE), &script, usual)
        .args(provider)
        .args(words)
}

/// The record of such a run.
fn run(changes: &Value) -> (RunRecord, Findings) {
    let bench = Workbench::new();
    profile(&bench, &one_gpu(changes), &[]).run().assert_code(0);
    let record = bench.record();
    let found = findings(&record);
    (record, found)
}

fn uses(record: &RunRecord, batch_size: u64) -> Vec<&GpuUse> {
    let cells = record.launches.iter().flat_map(|launch| &launch.cells);
    cells
        .filter(|cell| cell.batch_size == batch_size)
        .map(|cell| cell.gpu.as_ref().unwrap().as_ref().unwrap())
        .collect()
}

/// A figure of the run's only session at a batch size.
fn value(found: &Findings, batch_size: u64, metric: Metric) -> f64 {
    let cell = found
        .cells
        .iter()
        .find(|cell| cell.key.batch_size == batch_size)
        .unwrap();
    cell.value(metric)
        .unwrap_or_else(|| panic!("{:?}", cell.figure(metric)))
}

fn assert_close(value: f64, expected: f64) {
    assert!(
        (value / expected - 1.0).abs() < 0.01,
        "{value} is not about {expected}"
    );
}

#[test]
fn run_on_a_gpu_has_its_utilization_memory_and_energy() {
    let (record, found) = run(&json!({}));
    let used = uses(&record, 4);
    assert_eq!(used.len(), 2);
    assert_eq!(
        used[0].energy,
        Ok(GpuEnergy {
            joules: Joules(412.0),
            method: EnergyMethod::Counter
        })
    );
    // 70 W by the samples, for 1,200 inferences of 1 ms.
    assert_close(
        used[0].energy_by_power_joules.clone().unwrap().unwrap().0,
        84.0,
    );
    assert_eq!(
        used[0].memory,
        Ok(GpuMemory {
            bytes: Bytes(700_000_000),
            scope: GpuMemoryScope::Process
        })
    );
    assert_eq!(value(&found, 1, Metric::GpuUtilization), 0.87);
    assert_eq!(value(&found, 1, Metric::GpuMemoryPeak), 7e8);
    // A stretch is 1.2 s long, or 1,200 inferences.
    assert_close(value(&found, 1, Metric::GpuPower), 412.0 / 1.2);
    assert_close(value(&found, 1, Metric::GpuEnergy), 412.0 / 1200.0);
    assert_close(value(&found, 4, Metric::GpuEnergy), 412.0 / 4800.0);
    assert_close(
        value(&found, 4, Metric::GpuEnergyAboveIdle),
        (412.0 - 70.0 * 1.2) / 4800.0,
    );
    let sampling = record.monitoring.unwrap().gpus.unwrap();
    assert_eq!(
        (sampling.period_ns, sampling.ended_early),
        (GPU_PERIOD.into(), None)
    );
    assert!(sampling.cost_ns.is_some());
    assert_eq!(sampling.idle[0].power_watts, Ok(Watts(70.0)));
    assert_eq!(record.host.gpus.len(), 1);
    assert_eq!(record.conditions.unwrap().gpus[0].other_pids, Ok(vec![]));
}

#[test]
fn record_of_a_run_on_a_gpu_is_what_the_schema_describes() {
    let (record, _) = run(&json!({ "refuse": { "GetPowerUsage": NOT_SUPPORTED } }));
    let validator =
        jsonschema::validator_for(&serde_json::to_value(json_schema()).unwrap()).unwrap();
    let json = serde_json::to_value(record).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn energy_of_the_processor_is_per_prediction_and_above_idle() {
    let mut run = record::digits();
    let cpu = CpuPower {
        domains: vec!["package-0".into()],
        idle_watts: Watts(10.0),
    };
    run.monitoring = Some(Monitoring {
        cpu: Ok(cpu),
        gpus: Err("no session ran on an NVIDIA GPU".into()),
    });
    for block in &mut run.blocks {
        let joules = Watts(30.0).over(block.elapsed_ns);
        block.cpu_energy = Some(CpuEnergy {
            package_joules: joules,
            dram_joules: None,
        });
    }
    let found = findings(&run);
    let cell = found
        .cells
        .iter()
        .find(|cell| cell.key.batch_size == 16)
        .unwrap();
    let value = |metric| cell.value(metric).unwrap();
    assert_close(value(Metric::CpuEnergy) * value(Metric::Throughput), 30.0);
    assert_close(
        value(Metric::CpuEnergyAboveIdle) / value(Metric::CpuEnergy),
        2.0 / 3.0,
    );
    let report = onnxprof::report::Report::new(&run, &found);
    assert_eq!(
        shown::tables(&report, "run")[0].header,
        ["variant", "batch", "CPU energy", "CPU above idle"]
    );
}

/// A driver keeps the clocks up for a while after the last process has left a GPU.
#[test]
fn gpu_that_does_not_come_to_rest_has_no_energy_above_idle() {
    let bench = Workbench::new();
    let driver = one_gpu(&json!({ "clock_events": [0] }));
    profile(&bench, &driver, &["--budget", "10s"])
        .run()
        .assert_code(0);
    let record = bench.record();
    let sampling = record.monitoring.as_ref().unwrap().gpus.as_ref().unwrap();
    assert!(
        sampling.idle[0]
            .power_watts
            .as_ref()
            .unwrap_err()
            .starts_with("the GPU was not at rest within 1.")
    );
    let found = findings(&record);
    let above = found.cells[0].figure(Metric::GpuEnergyAboveIdle).unwrap();
    assert!(
        above
            .absent_reason()
            .unwrap()
            .contains("let it alone for some seconds"),
        "{above:?}"
    );
    assert!(found.cells[0].value(Metric::GpuEnergy).is_some());
}

/// Clocks fall some time after the last process has left, and power, an average, after them.
#[test]
fn idle_power_is_what_a_gpu_takes_once_it_is_at_rest() {
    let clock_events: Vec<u64> = [[0; 6], [1; 6]].concat();
    let (record, found) = run(&json!({
        "clock_events": clock_events,
        "power_milliwatts": [126_000, 126_000, 126_000, 126_000, 126_000, 126_000, 117_000, 92_000, 74_000],
    }));
    let sampling = record.monitoring.unwrap().gpus.unwrap();
    assert_eq!(sampling.idle[0].power_watts, Ok(Watts(74.0)));
    assert_close(
        value(&found, 1, Metric::GpuEnergyAboveIdle),
        (412.0 - 74.0 * 1.2) / 1200.0,
    );
}

/// Where not all launches can be looked at for as long as energy takes, one of each cell is.
#[test]
fn short_budget_has_one_long_stretch_of_a_cell() {
    let bench = Workbench::new();
    profile(&bench, &one_gpu(&json!({})), &["--budget", "8s"])
        .run()
        .assert_code(0);
    let record = bench.record();
    for batch_size in [1, 4] {
        let cells = record.launches.iter().flat_map(|launch| &launch.cells);
        let told = cells
            .filter(|cell| cell.batch_size == batch_size)
            .map(|cell| cell.gpu.clone().unwrap());
        let told: Vec<_> = told
            .map(|used| used.map(|used| used.elapsed_ns.0 >= 1_200_000_000))
            .collect();
        assert_eq!(
            told,
            [Ok(true), Err("other launches of the cell tell it".into())],
            "batch size {batch_size}"
        );
    }
    assert!(value(&findings(&record), 1, Metric::GpuEnergy) > 0.0);
}

#[test]
fn threads_that_wait_for_a_gpu_are_no_bottleneck() {
    let (_, found) = run(&json!({}));
    let mut kinds = found
        .decisions
        .bottlenecks
        .iter()
        .map(|bottleneck| &bottleneck.kind);
    assert!(
        !kinds.any(|kind| matches!(kind, BottleneckKind::IdleThreads { .. })),
        "{:?}",
        found.decisions.bottlenecks
    );
}

#[test]
fn blocks_of_a_stretch_count_in_no_latency() {
    let (record, found) = run(&json!({}));
    let timed: u64 = record
        .blocks
        .iter()
        .map(|block| block.inferences_count)
        .sum();
    let counted = found.cells.iter().map(|cell| {
        cell.figure(Metric::LatencyMin)
            .unwrap()
            .measured()
            .unwrap()
            .n
    });
    assert_eq!(counted.sum::<u64>(), timed);
}

#[test]
fn reports_of_a_run_on_a_gpu_name_it_and_fill_the_template() {
    let bench = Workbench::new();
    let output = profile(&bench, &one_gpu(&json!({})), &[]).run();
    output.assert_code(0);
    bench
        .report()
        .assert_stdout("GPU and energy: what does a prediction cost?");
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    let field = |name: &str| {
        let line = report
            .lines()
            .find(|line| line.contains(&format!("**{name}**")));
        line.unwrap_or_else(|| panic!("no {name} in {report}"))
            .to_owned()
    };
    assert!(field("GPU Utilization").contains("87.0%"), "{report}");
    assert!(report.contains("GPU memory 668 MiB"), "{report}");
    assert!(
        field("Hardware Acceleration").contains("with CUDAExecutionProvider on NVIDIA H200: "),
        "{report}"
    );
    assert!(
        field("GPU 0")
            .contains("NVIDIA H200, 140 GiB, PCIe generation 5 (of 5) x16 (of 16), ECC on"),
        "{report}"
    );
    let csv = fs::read_to_string(bench.path("run/cells.csv")).unwrap();
    assert!(
        csv.contains("gpu_energy_per_prediction_joules,joules,0.34"),
        "{csv}"
    );
}

#[test]
fn requests_in_flight_are_told_apart_in_the_table() {
    let bench = Workbench::new();
    let output = profile(&bench, &one_gpu(&json!({})), &["--concurrency", "1,2"]).run();
    output.assert_code(0);
    bench.report().assert_stdout("with 1 request in flight");
    let record = bench.record();
    let report = onnxprof::report::Report::new(&record, &findings(&record));
    let table = &shown::tables(&report, "run")[0];
    assert_eq!(table.header[..3], ["variant", "batch", "in flight"]);
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| row.cells[1..3].join(" x "))
        .collect();
    assert_eq!(rows, ["1 x 1", "1 x 2", "4 x 1", "4 x 2"]);
}

#[test]
fn where_the_driver_does_not_list_the_worker_the_device_s_level_is_taken() {
    let (record, found) = run(&json!({ "processes": [[]] }));
    let memory = uses(&record, 1)[0].memory.clone().unwrap();
    assert_eq!(
        (memory.scope, memory.bytes),
        (GpuMemoryScope::Device, Bytes(0))
    );
    let estimate = found.cells[0].figure(Metric::GpuMemoryPeak).unwrap();
    assert!(
        estimate
            .measured()
            .unwrap()
            .remark
            .as_ref()
            .unwrap()
            .contains("the whole device"),
        "{estimate:?}"
    );
}

#[test]
fn memory_is_known_where_the_budget_leaves_no_time_to_look_longer() {
    let bench = Workbench::new();
    // Stretches may take a fifth of the budget, and are not shorter than 250 ms.
    profile(&bench, &one_gpu(&json!({})), &["--budget", "1200ms"])
        .run()
        .assert_code(0);
    let record = bench.record();
    let first = &record.launches[0].cells[0];
    assert!(
        first
            .gpu
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap_err()
            .starts_with("the budget "),
        "{first:?}"
    );
    let memory = GpuMemory {
        bytes: Bytes(700_000_000),
        scope: GpuMemoryScope::Process,
    };
    assert_eq!(first.gpu_memory, Some(Ok(memory)));
    let found = findings(&record);
    let peak = found.cells[0]
        .figure(Metric::GpuMemoryPeak)
        .unwrap()
        .measured()
        .unwrap()
        .clone();
    assert_eq!(
        (
            peak.value,
            peak.remark.as_ref().unwrap().contains("left no time")
        ),
        (7e8, true)
    );
    assert!(found.cells[0].value(Metric::GpuPower).is_none());
}

#[test]
fn forecast_counts_the_time_of_stretches() {
    let bench = Workbench::new();
    let variants = json!({ "one-node": { "fixed_ns": 1_000_000 } });
    let script = json!({ "variants": variants, "execution_providers": ["CUDAExecutionProvider"] });
    let words = [
        "--ep",
        "cuda",
        "--batch",
        "1,4",
        "--rounds",
        "10",
        "--alternations",
        "1",
        "--plan",
    ];
    let driver = one_gpu(&json!({}));
    let output = bench
        .scripted_machine(&model(ONE_NODE), &script, words)
        .env("ONNXPROF_NVML", driver.library())
        .run();
    // 10 rounds of two cells, each of which has a stretch of 1.2 s.
    output
        .assert_code(0)
        .assert_stdout("0.4 minutes of it in uninterrupted stretches on the GPU");
    let output = bench
        .scripted_machine(&model(ONE_NODE), &script, words)
        .run();
    assert!(
        !output.assert_code(0).stdout.contains("stretches"),
        "{output}"
    );
}

#[test]
fn gpu_that_runs_out_of_memory_at_one_batch_size_fails_that_and_skips_larger_ones() {
    let bench = Workbench::new();
    let fault = json!({ "at": "run", "kind": "out_of_memory", "from_batch_size": 4 });
    let variants = json!({ "one-node": { "fixed_ns": 1_000_000, "fault": fault } });
    let driver = one_gpu(&json!({}));
    let output = on_gpu(&bench, &variants, &["--batch", "16"])
        .env("ONNXPROF_NVML", driver.library())
        .run();
    output
        .assert_code(PARTIAL)
        .assert_stderr("one-node at batch size 4: inference failed: Failed to allocate memory");
    let record = bench.record();
    let smaller = cell(&record, "one-node", 1);
    assert!(
        smaller.outcome.is_ok() && uses(&record, 1).len() == 2,
        "{output}"
    );
    let Outcome::Failed(failure) = &cell(&record, "one-node", 4).outcome else {
        panic!("{output}")
    };
    assert_eq!(failure.kind, FailureKind::OutOfMemory);
    let skipped = Outcome::Skipped {
        reason: "batch size 4 ran out of memory".into(),
    };
    assert_eq!(cell(&record, "one-node", 16).outcome, skipped);
}

#[test]
fn chip_without_a_counter_has_its_energy_from_power_samples() {
    let (record, found) = run(&json!({ "refuse": { "GetTotalEnergyConsumption": NOT_SUPPORTED } }));
    assert_eq!(
        uses(&record, 1)[0].energy.as_ref().unwrap().method,
        EnergyMethod::PowerSamples
    );
    assert_close(value(&found, 1, Metric::GpuEnergy), 0.07);
}

#[test]
fn counter_that_is_set_back_yields_no_energy() {
    let (record, found) = run(&json!({
        "energy": { "start_millijoules": 0, "step_millijoules": 412_000, "wraps_at": 412_001 }
    }));
    let reason = "the GPU's energy counter began anew: the driver was loaded again";
    assert_eq!(uses(&record, 1)[0].energy, Err(reason.into()));
    let csv =
        onnxprof::export::cells_csv(&record, &found, onnxprof::export::Names::Guarded).unwrap();
    assert!(String::from_utf8(csv).unwrap().contains(&format!(
        "gpu_energy_per_prediction_joules,joules,,,,,ok,{reason}"
    )));
}

#[test]
fn divided_gpu_has_no_utilization_and_says_why() {
    let (record, found) =
        run(&json!({ "mig": true, "refuse": { "GetUtilizationRates": NOT_SUPPORTED } }));
    assert_eq!(record.host.gpus[0].mig, Ok(true));
    let estimate = found.cells[0].figure(Metric::GpuUtilization).unwrap();
    assert_eq!(
        estimate,
        &onnxprof::analysis::Estimate::absent("the GPU does not offer it")
    );
}

#[test]
fn hot_gpu_and_other_processes_make_a_run_suspect() {
    let (record, _) = run(
        &json!({ "clock_events": [0x41], "processes": [[{ "pid": 1, "memory": 9 }, { "memory": 700 }]] }),
    );
    let fitness = record.fitness.unwrap();
    assert!(fitness.verdict >= FitnessVerdict::Suspect);
    let seen: Vec<&str> = fitness
        .reasons
        .iter()
        .map(|reason| reason.seen.exact())
        .collect();
    assert!(
        seen.iter()
            .any(|seen| seen.contains("`hw_thermal_slowdown`")),
        "{seen:?}"
    );
    assert!(
        seen.contains(&"1 other process computed on GPU 0 (process id 1)"),
        "{seen:?}"
    );
}

#[test]
fn run_on_a_gpu_without_a_driver_goes_on_and_says_what_is_missing() {
    let bench = Workbench::new();
    on_gpu(
        &bench,
        &json!({ "one-node": { "fixed_ns": 1_000_000 } }),
        &[],
    )
    .run()
    .assert_code(0);
    let record = bench.record();
    let reason = "there is no NVIDIA driver: `no-driver.so` cannot be opened";
    assert_eq!(record.host.gpus_absent_reason, Some(reason.into()));
    assert_eq!(record.launches[0].cells[0].gpu, Some(Err(reason.into())));
    assert_eq!(record.monitoring.unwrap().gpus.unwrap_err(), reason);
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(
        report.contains("not measured: there is no NVIDIA driver"),
        "{report}"
    );
}

#[test]
fn run_on_the_cpu_leaves_gpus_alone() {
    let bench = Workbench::new();
    profile(
        &bench,
        &one_gpu(&json!({ "clock_events": [0x40] })),
        &["--ep", "cpu"],
    )
    .run()
    .assert_code(0);
    let record = bench.record();
    assert_eq!(record.conditions.as_ref().unwrap().gpus, []);
    assert_eq!(
        record.monitoring.as_ref().unwrap().gpus,
        Err("no session ran on an NVIDIA GPU".into())
    );
    assert_eq!(record.launches[0].cells[0].gpu, None);
    assert_eq!(record.host.gpus.len(), 1);
    let report = fs::read_to_string(bench.path("run/report.md")).unwrap();
    assert!(
        report.contains("**GPU Utilization**: not measured: no session ran on an NVIDIA GPU"),
        "{report}"
    );
}

#[test]
fn gpu_lost_in_the_middle_fails_its_cells_and_keeps_what_was_measured() {
    let bench = Workbench::new();
    let driver = one_gpu(&json!({ "lost_if": "lost" }));
    let fault = json!({ "at": "run", "kind": "hang", "from_batch_size": 4 });
    let variants = json!({ "one-node": { "fixed_ns": 1_000_000, "fault": fault } });
    let running = on_gpu(&bench, &variants, &["--timeout", "3s"])
        .env("ONNXPROF_NVML", driver.library())
        .spawn();
    bench.wait_for_blocks(1);
    driver.lose();
    let output = running.wait();
    output
        .assert_code(PARTIAL)
        .assert_stderr("GPU 0 was lost: it fell off the bus");
    let record = bench.record();
    assert!(cell(&record, "one-node", 1).outcome.is_ok() && !record.blocks.is_empty());
    let Outcome::Failed(failure) = &cell(&record, "one-node", 4).outcome else {
        panic!("{output}")
    };
    assert!(
        failure.message.starts_with("GPU 0 was lost: ") && failure.message.contains("within 3 s"),
        "{failure:?}"
    );
    assert!(
        failure.hint.as_ref().unwrap().contains("`dmesg`"),
        "{failure:?}"
    );
    assert!(
        record
            .monitoring
            .unwrap()
            .gpus
            .unwrap()
            .ended_early
            .unwrap()
            .starts_with("GPU 0 was lost")
    );
}

//! Synthetic run records: realistic, complete, and the same on every machine.

use std::collections::BTreeMap;
use std::path::PathBuf;

use onnxprof::plan::{
    CellKey, ElementType, InputRequest, Judging, LoadMode, PageCache, Pin, Plan, RuntimeChoice,
    Schedule, ScoredSamples, SessionOptions, SessionSpec, SweepEnd, Task, Variant, unswept,
};
use onnxprof::record::{
    AccuracyRecord, Agreement, ArenaStats, AxisReason, BatchAxis, BlockRecord, CellRecord,
    CgroupLimits, Conditions, CpuInfo, DatasetInfo, Dim, Disturbance, EffectiveOptions, EndReason,
    Failure, FailureKind, FedInput, FillKind, Fitness, FitnessReason, FitnessVerdict, Host,
    LabelledScores, LaunchCell, LaunchRecord, ModelSummary, OpsetImport, Outcome, OutputHealth,
    Phase, Precision, PrecisionShare, RunInfo, RunRecord, RuntimeInfo, SCHEMA_VERSION, Scores,
    Statistics, TensorInfo, Throttling, ValueType, VariantRecord, Warmup, WeightBytes,
};
use onnxprof::stats::Latencies;
use onnxprof::text::Plain;
use onnxprof::units::{Bytes, Nanos, Ratio};

/// A variant to make up.
pub struct VariantShape {
    pub name: String,
    pub precision: &'static str,
    /// Latency at batch 1, in nanoseconds.
    pub single_ns: f64,
    /// What each further sample of a batch adds, as a share of the latency at batch 1.
    pub per_sample: f64,
    pub file_bytes: u64,
    /// Samples that are predicted wrongly.
    pub wrong: Vec<usize>,
    /// Samples whose outputs are not numbers.
    pub not_finite: Vec<usize>,
    pub failure: Option<Failure>,
}

/// A run to make up. Session 0 is the baseline's.
pub struct RunShape {
    pub name: String,
    pub variants: Vec<VariantShape>,
    pub batch_sizes: Vec<u64>,
    pub rounds: u64,
    pub alternations: u64,
    /// Timed inferences in each block.
    pub block_inferences: u64,
    /// Labelled samples; none: no data.
    pub samples: usize,
}

const CLASSES: u64 = 10;

/// A linear congruential generator (Knuth's MMIX constants): the same noise everywhere.
struct Noise(u64);

impl Noise {
    /// The next value, uniform in -1..1.
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

impl VariantShape {
    /// A healthy variant of the digits model.
    pub fn new(name: &str, precision: &'static str, single_ns: f64, file_bytes: u64) -> Self {
        VariantShape {
            name: name.into(),
            precision,
            single_ns,
            per_sample: 0.5,
            file_bytes,
            wrong: vec![3, 77, 140, 301, 302, 450, 588],
            not_finite: Vec::new(),
            failure: None,
        }
    }
}

/// A run like that of the digits folder: a good int8 variant, a slow fp16 one, one with NaN
/// outputs, one that cannot be loaded, a skipped batch size and disturbed blocks.
pub fn digits() -> RunRecord {
    let mut dynamic = VariantShape::new("int8-dynamic", "int8 dynamic", 151_000.0, 401_160);
    dynamic.not_finite = vec![9, 10, 11];
    let mut int8 = VariantShape::new("int8-static", "int8 QDQ", 101_000.0, 407_804);
    int8.wrong.extend([12, 90, 200]);
    int8.wrong.retain(|&sample| sample != 588);
    let mut truncated = VariantShape::new("truncated", "fp32", 1.0, 57_394);
    truncated.failure = Some(Failure {
        kind: FailureKind::BadModel,
        message: "failed to read `models/digits/digits-truncated.onnx`: file ends within a weight"
            .into(),
        hint: Some("export the model again".into()),
    });
    let fp32 = VariantShape::new("fp32", "fp32", 213_000.0, 1_574_542);
    let fp16 = VariantShape::new("fp16", "fp16", 287_000.0, 788_470);
    let mut run = build(&RunShape {
        name: "digits".into(),
        variants: vec![fp32, fp16, dynamic, int8, truncated],
        batch_sizes: vec![1, 2, 4, 8, 16, 32, 64],
        rounds: 8,
        alternations: 6,
        block_inferences: 60,
        samples: 597,
    });
    run.plan.judging.max_accuracy_drop_ratio = Ratio(0.02);
    disturb(&mut run);
    judge(&mut run);
    skip(
        &mut run,
        1,
        64,
        "batch size 64 would bring no more throughput than 32",
    );
    run
}

/// A run of many cells, for measuring how long analysis and rendering take.
pub fn large(variants: usize, batch_sizes: u64) -> RunRecord {
    let variant = |index: usize| {
        VariantShape::new(
            &format!("v{index}"),
            "fp32",
            100_000.0 + index as f64 * 700.0,
            1_000_000,
        )
    };
    build(&RunShape {
        name: "large".into(),
        variants: (0..variants).map(variant).collect(),
        batch_sizes: (1..=batch_sizes).collect(),
        rounds: 6,
        alternations: 2,
        block_inferences: 20,
        samples: 0,
    })
}

/// The record of `shape`.
pub fn build(shape: &RunShape) -> RunRecord {
    let mut noise = Noise(42);
    let plan = plan(shape);
    let mut run = RunRecord {
        schema_version: SCHEMA_VERSION,
        run: run_info(shape),
        host: host(),
        runtimes: vec![runtime()],
        variants: shape.variants.iter().map(variant_record).collect(),
        dataset: (shape.samples > 0).then(|| dataset(shape.samples)),
        launches: Vec::new(),
        cells: Vec::new(),
        blocks: Vec::new(),
        accuracy: Vec::new(),
        notes: vec!["symbolic dimension `batch` is the batch size".into()],
        statistics: Some(Statistics::in_use(&[])),
        fitness: None,
        conditions: None,
        placements: Vec::new(),
        monitoring: None,
        operators: Vec::new(),
        peaks: Vec::new(),
        contrasts: Vec::new(),
        idle_gaps: Vec::new(),
        lost_workers: Vec::new(),
        tuning: None,
        load: None,
        plan,
    };
    measure(&mut run, shape, &mut noise);
    if shape.samples > 0 {
        run.accuracy = (0..shape.variants.len())
            .filter_map(|session| accuracy(shape, session))
            .collect();
    }
    run
}

fn plan(shape: &RunShape) -> Plan {
    let session = |variant| SessionSpec {
        variant,
        runtime: RuntimeChoice::Library("/opt/onnxruntime/libonnxruntime.so.1.31.1".into()),
        execution_provider: "CPUExecutionProvider".into(),
        provider: Default::default(),
        binding: Default::default(),
        options: SessionOptions::default(),
    };
    Plan {
        variants: shape
            .variants
            .iter()
            .map(|variant| variant_of(shape, variant))
            .collect(),
        baseline: 0,
        sessions: (0..shape.variants.len()).map(session).collect(),
        batch_sizes: shape.batch_sizes.clone(),
        sweep_end: SweepEnd::Saturation,
        load_modes: vec![LoadMode::Closed { concurrency: 1 }],
        shapes: unswept(),
        idle_gaps_ns: Vec::new(),
        latency_limit_ns: None,
        inputs: InputRequest {
            data: (shape.samples > 0).then(|| "models/digits/digits-test.npz".into()),
            ..InputRequest::default()
        },
        task: Task::Classification,
        scored_samples: ScoredSamples::Fitting,
        judging: Judging::default(),
        schedule: Schedule {
            seed: 7,
            budget_ns: Some(Nanos(90_000_000_000)),
            rounds_count: None,
            alternations_count: Some(shape.alternations),
            block_ns: Nanos(30_000_000),
            target_half_width_ratio: Ratio(0.02),
            timeout_ns: Nanos(60_000_000_000),
            page_cache: PageCache::Warm,
            pin: Pin::Auto,
        },
        named: Default::default(),
        tuning: None,
        load: None,
    }
}

fn variant_of(shape: &RunShape, variant: &VariantShape) -> Variant {
    let path = format!("models/{0}/{0}-{1}.onnx", shape.name, variant.name);
    Variant {
        name: variant.name.clone().into(),
        path: path.into(),
    }
}

fn run_info(shape: &RunShape) -> RunInfo {
    RunInfo {
        name: shape.name.clone().into(),
        tool_version: "0.1.0".into(),
        command: ["onnxprof", "profile", &format!("models/{}", shape.name)]
            .map(String::from)
            .to_vec()
            .into_iter()
            .map(Plain::from)
            .collect(),
        working_dir: PathBuf::from("/home/user/project"),
        started_at: "2026-03-01T12:00:00+01:00".into(),
        elapsed_ns: Some(Nanos(84_300_000_000)),
        ended_by: Some(EndReason::TargetReached),
        sampling_cost_ns: Some(Nanos(41_000)),
        harness_cost_ns: Some(Nanos(52)),
        parent_peak_memory_bytes: Some(Bytes(14_680_064)),
    }
}

fn host() -> Host {
    Host {
        os: Some("Debian GNU/Linux 12 (bookworm)".into()),
        kernel: Some("6.1.0-18-cloud-amd64".into()),
        architecture: "x86_64".into(),
        cpu: CpuInfo {
            model_name: Some("Example CPU @ 2.70GHz".into()),
            logical_count: 2,
            physical_count: Some(1),
            isa_flags: ["avx2", "fma", "f16c"].map(Into::into).to_vec(),
        },
        usable_cpus_count: 2,
        affinity_cpus: vec![0, 1],
        memory_bytes: Some(Bytes(8 << 30)),
        memory_available_bytes: Some(Bytes(6 << 30)),
        cgroup: CgroupLimits {
            cpu_quota_count: Some(2.0),
            ..CgroupLimits::default()
        },
        governor: None,
        turbo: None,
        virtualization: Some("kvm".into()),
        load_average: Some(0.31),
        steal_since_boot_ns: Some(Nanos(1_200_000_000)),
        ..Host::default()
    }
}

fn runtime() -> RuntimeInfo {
    RuntimeInfo {
        path: "/opt/onnxruntime/libonnxruntime.so.1.31.1".into(),
        version: "1.31.1".into(),
        build_info: "ORT Build Info: git-branch=rel-1.31.1".into(),
        execution_providers: vec!["CPUExecutionProvider".into()],
        found_by: "onnxprof's own cache".into(),
    }
}

fn dataset(samples: usize) -> DatasetInfo {
    DatasetInfo {
        source: "models/digits/digits-test.npz".into(),
        samples_count: samples as u64,
        class_labels: Some((0..samples).map(|sample| label(sample) as i64).collect()),
        has_targets: false,
        has_expected_outputs: false,
    }
}

fn label(sample: usize) -> u64 {
    sample as u64 * 7 % CLASSES
}

/// Files of other names are other files.
fn sum_of_file(shape: &VariantShape) -> String {
    let name: u64 = shape.name.bytes().map(u64::from).sum();
    format!("{name:032x}{:032x}", shape.file_bytes)
}

fn variant_record(shape: &VariantShape) -> VariantRecord {
    let broken = shape.failure.is_some();
    VariantRecord {
        sha256: Some(sum_of_file(shape).into()),
        external_sha256: Default::default(),
        model: (!broken).then(|| model(shape)),
        inputs: vec![FedInput {
            name: "image".into(),
            element_type: ElementType::Float,
            dims: vec![None, Some(1), Some(8), Some(8)],
            rows_per_sample: BTreeMap::new(),
            sources: Vec::new(),
            fill: FillKind::Data,
            reason: "array `image` of the data file".into(),
            steers: false,
            no_tensor: None,
        }],
        shape_inputs: Vec::new(),
        probe: None,
        coupling: None,
        outcome: shape.failure.clone().map_or(Outcome::Ok, Outcome::Failed),
    }
}

fn model(shape: &VariantShape) -> ModelSummary {
    let tensor = |name: &str, dims: Vec<Dim>| TensorInfo {
        name: name.into(),
        value_type: ValueType::Tensor {
            element_type: ElementType::Float,
            dims: Some(dims),
        },
    };
    let batch = || Dim::Symbolic("batch".into());
    ModelSummary {
        ir_version: 10,
        opsets: vec![OpsetImport {
            domain: "ai.onnx".into(),
            version: 21,
        }],
        producer: Some("generator 1".into()),
        graph_name: Some("digits".into()),
        inputs: vec![tensor(
            "image",
            vec![batch(), Dim::Fixed(1), Dim::Fixed(8), Dim::Fixed(8)],
        )],
        outputs: vec![tensor("scores", vec![batch(), Dim::Fixed(CLASSES)])],
        batch_axis: BatchAxis {
            axes: BTreeMap::from([("image".into(), 0)]),
            symbol: Some("batch".into()),
            fixed_size: None,
            reason: AxisReason::SymbolName,
            proof: Default::default(),
        },
        operators: BTreeMap::from([("Conv".into(), 4), ("Relu".into(), 4), ("Gemm".into(), 2)]),
        side_by_side_count: Some(1),
        weights: vec![WeightBytes {
            element_type: ElementType::Float,
            elements_count: shape.file_bytes / 4,
            bytes: Bytes(shape.file_bytes),
        }],
        quantization: None,
        precision: Precision {
            label: shape.precision.into(),
            shares: vec![PrecisionShare {
                element_type: ElementType::Float,
                bytes_ratio: Ratio(1.0),
            }],
        },
        model_file_bytes: Bytes(shape.file_bytes),
        external_files: BTreeMap::new(),
        file_size_bytes: Bytes(shape.file_bytes),
    }
}

fn measure(run: &mut RunRecord, shape: &RunShape, noise: &mut Noise) {
    let mut latencies: BTreeMap<(CellKey, u64), Vec<u64>> = BTreeMap::new();
    let sessions = shape.variants.len() as u64;
    for round in 0..shape.rounds {
        for (session, variant) in shape
            .variants
            .iter()
            .enumerate()
            .filter(|(_, variant)| variant.failure.is_none())
        {
            let launch = round * sessions + session as u64;
            run.launches.push(launch_record(
                shape,
                variant,
                (launch, round, session),
                noise,
            ));
        }
        for &batch_size in &shape.batch_sizes {
            for alternation in 0..shape.alternations {
                // What the machine does to all of an alternation's blocks alike; at batch 32 it has
                // a slow state.
                let slow = if batch_size == 32 && alternation.is_multiple_of(3) {
                    1.8
                } else {
                    1.0
                };
                let state = slow * (1.0 + 0.05 * noise.next());
                for (session, variant) in shape.variants.iter().enumerate() {
                    if variant.failure.is_some() {
                        continue;
                    }
                    let key = CellKey {
                        session,
                        shape: 0,
                        batch_size,
                        load_mode: LoadMode::Closed { concurrency: 1 },
                    };
                    let launch = round * sessions + session as u64;
                    let place = (launch, round, alternation);
                    let latencies = latencies.entry((key, launch)).or_default();
                    run.blocks
                        .push(block(shape, key, place, (state, latencies), noise));
                }
            }
        }
    }
    for launch in &mut run.launches {
        let (number, session) = (launch.launch, launch.session);
        for cell in &mut launch.cells {
            let key = CellKey {
                session,
                shape: cell.shape,
                batch_size: cell.batch_size,
                load_mode: cell.load_mode,
            };
            cell.latency_histogram = latencies
                .get(&(key, number))
                .map(|values| histogram([values]));
        }
    }
    let of_cell = |key: CellKey| {
        latencies
            .range((key, 0)..=(key, u64::MAX))
            .map(|(_, values)| values)
            .peekable()
    };
    let text = |key| {
        of_cell(key)
            .peek()
            .is_some()
            .then(|| histogram(of_cell(key)))
    };
    run.cells = run
        .plan
        .cells()
        .map(|key| cell(shape, key, text(key)))
        .collect();
}

/// The encoded histogram of latencies.
fn histogram<'a>(parts: impl IntoIterator<Item = &'a Vec<u64>>) -> String {
    let mut latencies = Latencies::new();
    parts
        .into_iter()
        .flatten()
        .for_each(|&value| latencies.record(Nanos(value)));
    latencies.encode()
}

fn cell(shape: &RunShape, key: CellKey, latency_histogram: Option<String>) -> CellRecord {
    let failure = shape.variants[key.session].failure.clone();
    CellRecord {
        key,
        outcome: failure.map_or(Outcome::Ok, Outcome::Failed),
        latency_histogram,
        warmup_histogram: None,
        settled_after_rounds: None,
    }
}

fn launch_record(
    shape: &RunShape,
    variant: &VariantShape,
    (launch, round, session): (u64, u64, usize),
    noise: &mut Noise,
) -> LaunchRecord {
    let mut around = |value: f64| Nanos((value * (1.0 + 0.08 * noise.next())) as u64);
    let memory = 24 << 20;
    let cell = |&batch_size: &u64| LaunchCell {
        shape: 0,
        batch_size,
        load_mode: LoadMode::Closed { concurrency: 1 },
        first_run_ns: Nanos((variant.single_ns * 3.0 * batch_size as f64) as u64),
        warmup: Warmup {
            steady: batch_size != 64,
            inferences_count: 40,
            elapsed_ns: Nanos(12_000_000),
        },
        peak_memory_bytes: Some(Bytes(
            memory + variant.file_bytes * 4 + batch_size * 40_000 + launch * 4096,
        )),
        arena: Ok(ArenaStats {
            in_use_bytes: Bytes(variant.file_bytes),
            peak_in_use_bytes: Bytes(variant.file_bytes + batch_size * 30_000),
            total_allocated_bytes: Bytes(variant.file_bytes * 2),
            extensions_count: 2,
        }),
        latency_histogram: None,
        gpu: None,
        gpu_memory: None,
        outputs_anew: None,
    };
    LaunchRecord {
        launch,
        round,
        session,
        started_ns: Nanos(launch * 1_000_000_000),
        outcome: Outcome::Ok,
        runtime_start_ns: Some(around(24e6)),
        session_load_ns: Some(around(variant.file_bytes as f64 * 5.0 + 2e6)),
        first_run_ns: Some(around(variant.single_ns * 4.0)),
        before_load_memory_bytes: Some(Bytes(memory)),
        after_load_memory_bytes: Some(Bytes(memory + variant.file_bytes * 3 + launch * 4096)),
        load_peak_memory_bytes: Some(Bytes(memory + variant.file_bytes * 4)),
        load_storage_read_bytes: Some(Bytes(0)),
        effective: Some(EffectiveOptions {
            cpus: vec![1],
            threads_before_load_count: Some(1),
            threads_after_load_count: Some(1),
            has_cpu_per_thread: false,
            session_config: BTreeMap::new(),
            execution_providers: vec!["CPUExecutionProvider".into()],
            provider_options: BTreeMap::new(),
        }),
        cells: shape.batch_sizes.iter().map(cell).collect(),
        is_probed: false,
        log_warnings_count: Some(u64::from(variant.precision == "int8 QDQ")),
        log_errors_count: Some(0),
    }
}

fn block(
    shape: &RunShape,
    key: CellKey,
    (launch, round, alternation): (u64, u64, u64),
    (state, latencies): (f64, &mut Vec<u64>),
    noise: &mut Noise,
) -> BlockRecord {
    let variant = &shape.variants[key.session];
    let launch_bias = 1.0 + 0.01 * ((launch * 7 % 13) as f64 / 6.0 - 1.0);
    let batch = 1.0 + variant.per_sample * (key.batch_size - 1) as f64;
    let expected = variant.single_ns * batch * state * launch_bias;
    let mut values: Vec<u64> = (0..shape.block_inferences)
        .map(|_| {
            let slow = if noise.next() > 0.97 { 1.6 } else { 1.0 };
            (expected * slow * (1.0 + 0.01 * noise.next())) as u64
        })
        .collect();
    latencies.extend(&values);
    values.sort_unstable();
    let total: u64 = values.iter().sum();
    BlockRecord {
        key,
        launch,
        round,
        alternation,
        position: key.session as u64,
        phase: Phase::Timed,
        started_ns: Nanos(launch * 1_000_000_000 + alternation * 30_000_000),
        rebinding_ns: None,
        elapsed_ns: Nanos(total + shape.block_inferences * 60),
        inferences_count: shape.block_inferences,
        median_ns: Nanos(values[values.len() / 2]),
        p10_ns: Nanos(values[values.len() / 10]),
        mean_ns: Nanos(total / shape.block_inferences),
        cpu_time_ns: Nanos((total as f64 * 0.985) as u64),
        involuntary_switches_count: 0,
        major_faults_count: 0,
        minor_faults_count: None,
        steal_ns: Some(Nanos(0)),
        throttled_ns: None,
        migrations_count: None,
        resident_bytes: Some(Bytes(30 << 20)),
        cpu_energy: None,
        disturbances: Vec::new(),
    }
}

/// A run beside which something else used a third of a CPU.
fn judge(run: &mut RunRecord) {
    run.conditions = Some(Conditions {
        observed_ns: Nanos(29_700_000_000),
        online_cpus_count: Some(2),
        worker_cpus: vec![1],
        sibling_cpus: Some(vec![0]),
        siblings_busy_ratio: Some(Ratio(0.034)),
        others_busy_ratio: Some(Ratio(0.17)),
        steal_ratio: Some(Ratio(0.004)),
        throttling: Some(Throttling {
            periods_count: 297,
            throttled_periods_count: 0,
            throttled_ns: Nanos(0),
        }),
        cpu_pressure_ratio: Some(Ratio(0.062)),
        memory_pressure_ratio: Some(Ratio(0.0)),
        swap_used_bytes: Some(Bytes(0)),
        swapped_in_bytes: Some(Bytes(0)),
        swapped_out_bytes: Some(Bytes(0)),
        ..Conditions::default()
    });
    run.fitness = Some(Fitness {
        verdict: FitnessVerdict::Suspect,
        reasons: vec![FitnessReason {
            severity: FitnessVerdict::Suspect,
            seen: "other processes used 17% of all CPUs' time, as much as 0.3 CPUs (bound 10%)"
                .into(),
            remedy: Some(
                "end other work on the machine (`top` shows it), or measure when it is idle".into(),
            ),
        }],
    });
}

/// Labels three blocks of the baseline at batch 1 as disturbed.
fn disturb(run: &mut RunRecord) {
    let first = run
        .blocks
        .iter_mut()
        .filter(|block| block.key.session == 0 && block.key.batch_size == 1);
    for block in first.take(3) {
        block.disturbances = vec![Disturbance::Steal];
        block.steal_ns = Some(Nanos(4_000_000));
    }
}

/// Leaves so many inferences of the first block of a cell, and one launch, which take `share` of
/// the time that they took.
pub fn thin(run: &mut RunRecord, (session, batch_size): (usize, u64), inferences: u64, share: f64) {
    let hit = |key: CellKey| key.session == session && key.batch_size == batch_size;
    let Some(mut left) = run.blocks.iter().find(|block| hit(block.key)).cloned() else {
        return;
    };
    let latency = Nanos((left.median_ns.as_f64() * share) as u64);
    (left.median_ns, left.mean_ns, left.p10_ns) = (latency, latency, latency);
    (left.inferences_count, left.elapsed_ns) = (inferences, Nanos(latency.0 * inferences));
    let text = histogram([&vec![latency.0; inferences as usize]]);
    for cell in run.cells.iter_mut().filter(|cell| hit(cell.key)) {
        cell.latency_histogram = Some(text.clone());
    }
    for launch in run
        .launches
        .iter_mut()
        .filter(|launch| launch.session == session)
    {
        launch
            .cells
            .retain(|cell| cell.batch_size != batch_size || launch.launch == left.launch);
        for cell in launch
            .cells
            .iter_mut()
            .filter(|cell| cell.batch_size == batch_size)
        {
            cell.latency_histogram = Some(text.clone());
        }
    }
    run.blocks.retain(|block| !hit(block.key));
    run.blocks.push(left);
}

pub fn skip(run: &mut RunRecord, session: usize, batch_size: u64, reason: &str) {
    let hit = |key: CellKey| key.session == session && key.batch_size == batch_size;
    run.blocks.retain(|block| !hit(block.key));
    for cell in run.cells.iter_mut().filter(|cell| hit(cell.key)) {
        cell.outcome = Outcome::Skipped {
            reason: reason.into(),
        };
        cell.latency_histogram = None;
    }
    for launch in run
        .launches
        .iter_mut()
        .filter(|launch| launch.session == session)
    {
        launch.cells.retain(|cell| cell.batch_size != batch_size);
    }
}

fn accuracy(shape: &RunShape, session: usize) -> Option<AccuracyRecord> {
    let variant = &shape.variants[session];
    if variant.failure.is_some() {
        return None;
    }
    let predicted = |sample| match sample {
        sample if variant.not_finite.contains(&sample) => None,
        sample if variant.wrong.contains(&sample) => Some((label(sample) + 1) % CLASSES),
        sample => Some(label(sample)),
    };
    let predicted: Vec<Option<u64>> = (0..shape.samples).map(predicted).collect();
    let rank = |(sample, predicted): (usize, &Option<u64>)| {
        predicted.map(|class| u64::from(class != label(sample)))
    };
    let affected = variant.not_finite.len() as u64;
    Some(AccuracyRecord {
        session,
        outcome: Outcome::Ok,
        task: Task::Classification,
        batch_size: 64,
        samples_count: shape.samples as u64,
        outputs: vec![OutputHealth {
            name: "scores".into(),
            elements_count: shape.samples as u64 * CLASSES,
            nan_count: affected * CLASSES,
            infinite_count: 0,
            affected_samples_count: affected,
        }],
        scores: Some(Scores::Classification(LabelledScores {
            output: "scores".into(),
            classes_count: Some(CLASSES),
            label_ranks: predicted.iter().enumerate().map(rank).collect(),
            predicted,
        })),
        labels_as: None,
        agreement: if session == 0 {
            Vec::new()
        } else {
            vec![agreement(shape, variant)]
        },
        not_comparable: Vec::new(),
        reference: (session != 0).then(|| "baseline outputs".into()),
    })
}

fn agreement(shape: &RunShape, variant: &VariantShape) -> Agreement {
    let base = &shape.variants[0];
    let differs = |sample: &usize| {
        base.wrong.contains(sample) != variant.wrong.contains(sample)
            || variant.not_finite.contains(sample)
    };
    let differing = (0..shape.samples).filter(differs).count() as u64;
    Agreement {
        reference_output: None,
        output: "scores".into(),
        samples_count: shape.samples as u64,
        top1_agreeing_count: Some(shape.samples as u64 - differing),
        top1_by_row: Vec::new(),
        cosine_similarity_mean: Some(0.9993),
        cosine_similarity_min: Some(0.981),
        cosine_similarity_p1: None,
        max_absolute_error: Some(0.412),
        relative_error: Some(0.0213),
        kind: None,
        signal_to_noise_db: None,
        not_finite_count: variant.not_finite.len() as u64 * CLASSES,
    }
}

fn small(variants: Vec<VariantShape>) -> RunShape {
    RunShape {
        name: "small".into(),
        variants,
        batch_sizes: vec![1, 4],
        rounds: 7,
        alternations: 4,
        block_inferences: 40,
        samples: 597,
    }
}

fn fp32() -> VariantShape {
    VariantShape::new("fp32", "fp32", 200_000.0, 1_600_000)
}

fn int8() -> VariantShape {
    VariantShape::new("int8", "int8 QDQ", 100_000.0, 400_000)
}

/// One model, nothing to compare it with, and no data.
pub fn single_variant() -> RunRecord {
    build(&RunShape {
        samples: 0,
        ..small(vec![fp32()])
    })
}

/// Too few launches for an interval.
pub fn few_rounds() -> RunRecord {
    let mut run = build(&RunShape {
        rounds: 3,
        ..small(vec![fp32(), int8()])
    });
    run.run.ended_by = Some(EndReason::BudgetSpent);
    run
}

/// Too few inferences for a 99th percentile.
pub fn few_inferences() -> RunRecord {
    build(&RunShape {
        rounds: 6,
        alternations: 2,
        block_inferences: 8,
        ..small(vec![fp32(), int8()])
    })
}

/// Latency rises by a tenth from launch to launch.
pub fn slowing_down() -> RunRecord {
    let mut run = build(&small(vec![fp32(), int8()]));
    for block in &mut run.blocks {
        block.median_ns =
            Nanos((block.median_ns.as_f64() * 1.1_f64.powf(block.round as f64)) as u64);
    }
    run
}

/// A run of which the parent was killed before the second batch size had been measured.
pub fn killed() -> RunRecord {
    let mut run = build(&small(vec![fp32(), int8()]));
    run.run.ended_by = None;
    run.run.elapsed_ns = None;
    run.blocks.retain(|block| block.key.batch_size == 1);
    run.cells.retain(|cell| cell.key.batch_size == 1);
    run.accuracy.clear();
    run
}

/// Every variant is broken.
pub fn nothing_measured() -> RunRecord {
    let failure = |message: &str| Failure {
        kind: FailureKind::BadModel,
        message: message.into(),
        hint: None,
    };
    let broken = |variant: VariantShape| VariantShape {
        failure: Some(failure("not an ONNX model")),
        ..variant
    };
    let mut run = build(&small(vec![broken(fp32()), broken(int8())]));
    run.run.ended_by = Some(EndReason::NothingLeft);
    run
}

/// The baseline is broken, the other variants are not.
pub fn without_baseline() -> RunRecord {
    let failure = Failure {
        kind: FailureKind::TimedOut,
        message: "no answer within 60 s".into(),
        hint: None,
    };
    let baseline = VariantShape {
        failure: Some(failure),
        ..fp32()
    };
    build(&small(vec![
        baseline,
        int8(),
        VariantShape::new("fp16", "fp16", 250_000.0, 800_000),
    ]))
}

/// Data without labels: only agreement is known.
pub fn unlabelled() -> RunRecord {
    let mut int8 = int8();
    int8.wrong.extend([12, 90, 200, 201]);
    let mut run = build(&small(vec![fp32(), int8]));
    if let Some(data) = &mut run.dataset {
        data.class_labels = None;
    }
    run.accuracy
        .iter_mut()
        .for_each(|accuracy| accuracy.scores = None);
    run
}

/// Numbers instead of classes.
pub fn regression() -> RunRecord {
    let mut run = build(&small(vec![fp32(), int8()]));
    run.plan.task = Task::Regression;
    for accuracy in &mut run.accuracy {
        accuracy.task = Task::Regression;
        let error =
            |sample: u64| 0.5 + 0.01 * (sample % 10) as f64 + 0.002 * accuracy.session as f64;
        let errors: Vec<Option<f64>> = (0..accuracy.samples_count)
            .map(|sample| Some(error(sample)))
            .collect();
        let squared = errors
            .iter()
            .map(|error| error.map(|error| error * error))
            .collect();
        accuracy.scores = Some(Scores::Regression {
            absolute_errors: errors,
            squared_errors: squared,
        });
        accuracy
            .agreement
            .iter_mut()
            .for_each(|agreement| agreement.top1_agreeing_count = None);
    }
    run
}

/// A fast variant that errs on thirty samples more.
pub fn worse_accuracy() -> RunRecord {
    let mut int8 = int8();
    int8.wrong.extend(500..530);
    build(&small(vec![fp32(), int8]))
}

/// Names and messages with escape sequences, direction marks and Markdown.
pub fn hostile() -> RunRecord {
    let name = "int8\u{1b}[31m\u{202e}<b>|[x](y)`";
    let message = "cannot\u{1b}[2J open\n# `x`|<script>".into();
    let failure = Failure {
        kind: FailureKind::SessionLoad,
        message,
        hint: Some("do *not*".into()),
    };
    let broken = VariantShape {
        failure: Some(failure),
        ..VariantShape::new("*x*", "fp32", 1.0, 1)
    };
    let mut run = build(&small(vec![
        fp32(),
        VariantShape {
            name: name.into(),
            ..int8()
        },
        broken,
    ]));
    run.notes.push("\u{1b}]0;title\u{7}".into());
    run
}

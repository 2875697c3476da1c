//! A small run, event by event.

use std::path::Path;

use onnxprof::plan::{
    CellKey, InputRequest, Judging, LoadMode, PageCache, Pin, Plan, RuntimeChoice, Schedule,
    ScoredSamples, SessionOptions, SessionSpec, SweepEnd, Task, Variant, unswept,
};
use onnxprof::record::{
    BlockRecord, CellRecord, Conditions, EndReason, Event, Failure, FailureKind, Fitness,
    FitnessVerdict, Host, Outcome, Phase, RunInfo, RunRecord, SCHEMA_VERSION, VariantRecord,
};
use onnxprof::stats::Latencies;
use onnxprof::store::{Journal, RunFolder};
use onnxprof::units::{Nanos, Ratio};

pub fn plan() -> Plan {
    let options = SessionOptions {
        intra_threads: 1,
        inter_threads: 1,
        graph_optimization: Default::default(),
        execution_mode: Default::default(),
        allow_spinning: None,
        memory_pattern: None,
        memory_arena: None,
        session_config: Default::default(),
        custom_ops: Vec::new(),
    };
    Plan {
        variants: vec![Variant {
            name: "fp32".into(),
            path: "models/digits/fp32.onnx".into(),
        }],
        baseline: 0,
        sessions: vec![SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Script("script.json".into()),
            execution_provider: "CPUExecutionProvider".into(),
            provider: Default::default(),
            binding: Default::default(),
            options,
        }],
        batch_sizes: vec![1, 2],
        sweep_end: SweepEnd::Listed,
        load_modes: vec![LoadMode::Closed { concurrency: 1 }],
        shapes: unswept(),
        idle_gaps_ns: Vec::new(),
        latency_limit_ns: None,
        inputs: InputRequest::default(),
        task: Task::Classification,
        scored_samples: ScoredSamples::Fitting,
        judging: Judging::default(),
        schedule: Schedule {
            seed: 1,
            budget_ns: Some(Nanos(1_000_000_000)),
            rounds_count: None,
            alternations_count: None,
            block_ns: Nanos(30_000_000),
            target_half_width_ratio: Ratio(0.02),
            timeout_ns: Nanos(1_000_000_000),
            page_cache: PageCache::Warm,
            pin: Pin::Auto,
        },
        named: Default::default(),
        tuning: None,
        load: None,
    }
}

pub fn info(ended_by: Option<EndReason>) -> RunInfo {
    RunInfo {
        name: "digits".into(),
        tool_version: "0.1.0".into(),
        command: vec!["onnxprof".into(), "profile".into(), "models/digits".into()],
        working_dir: "/home/somebody".into(),
        started_at: "2026-11-23T12:01:02Z".into(),
        elapsed_ns: ended_by.map(|_| Nanos(5)),
        ended_by,
        sampling_cost_ns: None,
        harness_cost_ns: None,
        parent_peak_memory_bytes: None,
    }
}

/// A run that is about to begin.
pub fn record() -> RunRecord {
    let plan = plan();
    let cell = |key| CellRecord {
        key,
        outcome: Outcome::Ok,
        latency_histogram: None,
        warmup_histogram: None,
        settled_after_rounds: None,
    };
    RunRecord {
        schema_version: SCHEMA_VERSION,
        run: info(None),
        host: Host {
            architecture: "x86_64".into(),
            load_average: Some(0.1),
            ..Host::default()
        },
        runtimes: Vec::new(),
        variants: vec![VariantRecord {
            sha256: None,
            external_sha256: Default::default(),
            model: None,
            inputs: Vec::new(),
            shape_inputs: Vec::new(),
            probe: None,
            coupling: None,
            outcome: Outcome::Ok,
        }],
        dataset: None,
        launches: Vec::new(),
        cells: plan.cells().map(cell).collect(),
        blocks: Vec::new(),
        accuracy: Vec::new(),
        notes: Vec::new(),
        statistics: None,
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
    }
}

pub fn key(batch_size: u64) -> CellKey {
    CellKey {
        session: 0,
        shape: 0,
        batch_size,
        load_mode: LoadMode::Closed { concurrency: 1 },
    }
}

pub fn encoded(latencies: &[u64]) -> String {
    let mut histogram = Latencies::new();
    latencies
        .iter()
        .for_each(|&latency| histogram.record(Nanos(latency)));
    histogram.encode()
}

pub fn block(batch_size: u64, phase: Phase, latencies: &[u64]) -> Event {
    let block = BlockRecord {
        key: key(batch_size),
        launch: 0,
        round: 0,
        alternation: 0,
        position: 0,
        phase,
        started_ns: Nanos(1),
        rebinding_ns: None,
        elapsed_ns: Nanos(latencies.iter().sum()),
        inferences_count: latencies.len() as u64,
        median_ns: Nanos(latencies[0]),
        p10_ns: Nanos(latencies[0]),
        mean_ns: Nanos(latencies[0]),
        cpu_time_ns: Nanos(1),
        involuntary_switches_count: 0,
        major_faults_count: 0,
        minor_faults_count: None,
        steal_ns: None,
        throttled_ns: None,
        migrations_count: None,
        resident_bytes: None,
        cpu_energy: None,
        disturbances: Vec::new(),
    };
    Event::Block {
        block: Box::new(block),
        histogram: encoded(latencies),
    }
}

pub fn events() -> Vec<Event> {
    let failure = Failure {
        kind: FailureKind::TimedOut,
        message: "no answer within 1 s".into(),
        hint: None,
    };
    vec![
        block(1, Phase::Warmup, &[900]),
        block(1, Phase::Timed, &[100, 101]),
        block(2, Phase::Timed, &[200]),
        block(1, Phase::Timed, &[102]),
        Event::Cell {
            key: key(2),
            outcome: Outcome::Failed(failure),
        },
        Event::Note("batch 64 was left out".into()),
        Event::Judged {
            conditions: Box::new(Conditions {
                others_busy_ratio: Some(Ratio(0.5)),
                ..Conditions::default()
            }),
            fitness: Fitness {
                verdict: FitnessVerdict::Valid,
                reasons: Vec::new(),
            },
        },
    ]
}

pub fn begin(path: &Path) -> Journal {
    let mut journal = Journal::begin(RunFolder::create(path).unwrap(), record()).unwrap();
    events()
        .into_iter()
        .for_each(|event| journal.append(event).unwrap());
    journal
}

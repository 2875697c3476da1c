//! Possibilities that could bring more and were not in the plan, each with the command that tries
//! it.

use std::collections::BTreeSet;

use super::commands::{as_baseline, as_session, runtime_word};
use crate::analysis::{Answer, Caveat, Facts, NotTried, SessionFindings, Untried, operators};
use crate::plan::{
    Binding, Command, Flag, LoadMode, PageCache, Plan, ProviderSpec, RuntimeChoice, SessionSpec,
    unswept,
};
use crate::provider::{self, CPU_PROVIDER, Graphs, Hardware, openvino};
use crate::record::{
    DatasetInfo, Dim, ModelSummary, RunRecord, TensorInfo, ValueType, VariantRecord,
};
use crate::text::Plain;

const FULL_PRECISION: [&str; 2] = ["fp32", "fp64"];

/// Those that are likely to bring most first. Nothing for a run that measured nothing.
pub(crate) fn not_tried(facts: &Facts<'_>, answer: &Answer) -> Vec<NotTried> {
    if !facts.sessions.iter().any(|session| session.outcome.is_ok()) {
        return Vec::new();
    }
    let record = facts.index.record;
    let mut found = Vec::new();
    found.extend(captured_graphs(record));
    found.extend(labels(facts));
    found.extend(quantization(record));
    found.extend(batches(record, answer));
    found.extend(threads(record));
    found.extend(tuning(record));
    found.extend(providers(record));
    found.extend(builds(record));
    found.extend(device_binding(record));
    found.extend(concurrency(record));
    found.extend(open_dimensions(record));
    found.extend(idle_gaps(record));
    found.extend(another_runtime(record));
    found.extend(cold_start(record));
    found
}

/// For all models as the baseline was measured, but for one flag.
fn profile(record: &RunRecord) -> Command {
    Command::of(&as_baseline(record))
}

fn untried(what: Untried, command: Command) -> NotTried {
    NotTried {
        what,
        command: command.words(),
    }
}

fn labels(facts: &Facts<'_>) -> Option<NotTried> {
    let scored = facts.sessions.iter().any(SessionFindings::is_scored);
    let record = facts.index.record;
    if scored || record.dataset.as_ref().is_some_and(DatasetInfo::has_labels) {
        return None;
    }
    // Data fixes the sizes that a sweep would change.
    let plan = Plan {
        shapes: unswept(),
        ..as_baseline(record)
    };
    let flag = if plan.inputs.data.is_some() {
        Flag::Labels
    } else {
        Flag::Data
    };
    Some(untried(
        Untried::Labels,
        Command::of(&plan).with(flag, "FILE"),
    ))
}

fn models(record: &RunRecord) -> impl Iterator<Item = &ModelSummary> {
    record.variants.iter().flat_map(|variant| &variant.model)
}

/// Where there are weights, all in full precision.
fn quantization(record: &RunRecord) -> Option<NotTried> {
    let all_full =
        models(record).all(|model| FULL_PRECISION.contains(&model.precision.label.exact()));
    (all_full && models(record).any(|model| !model.weights.is_empty())).then(|| {
        untried(
            Untried::Quantization,
            profile(record).with_model("QUANTIZED.onnx"),
        )
    })
}

fn batches(record: &RunRecord, answer: &Answer) -> Option<NotTried> {
    let pick = answer.throughput.pick()?;
    let largest = pick.key.batch_size;
    let (twice, four_times) = (largest.checked_mul(2)?, largest.checked_mul(4)?);
    let sizes = format!("{largest},{twice},{four_times}");
    pick.caveats.contains(&Caveat::StillRising).then(|| {
        untried(
            Untried::LargerBatches(largest),
            profile(record).with(Flag::Batch, sizes),
        )
    })
}

/// Where one number was measured: a single thread, or as many as there are CPUs.
fn threads(record: &RunRecord) -> Option<NotTried> {
    let mut counts = record
        .plan
        .sessions
        .iter()
        .map(|spec| spec.options.intra_threads);
    let only = counts.next()?;
    let other = if only > 1 {
        1
    } else {
        record.host.usable_cpus_count
    };
    (other != only && counts.all(|count| count == only)).then(|| {
        untried(
            Untried::Threads(only),
            profile(record).with(Flag::IntraThreads, other),
        )
    })
}

fn tuning(record: &RunRecord) -> Option<NotTried> {
    record
        .plan
        .sessions
        .windows(2)
        .all(|pair| pair[0].options == pair[1].options)
        .then(|| untried(Untried::Tuning, Command::tune(&as_baseline(record))))
}

/// Those that the libraries offer and no session used.
fn providers(record: &RunRecord) -> Vec<NotTried> {
    let sessions = &record.plan.sessions;
    let offered: BTreeSet<&str> = record
        .runtimes
        .iter()
        .flat_map(|runtime| &runtime.execution_providers)
        .map(Plain::exact)
        .collect();
    // What is set for the baseline's execution provider is not for others.
    let plan = as_session(record, on_cpu(&record.plan).as_ref());
    offered
        .into_iter()
        .filter(|&name| sessions.iter().all(|spec| spec.execution_provider != *name))
        .filter(|name| provider::known(name).hardware != Hardware::Service)
        .map(|provider| with_provider(record, &plan, provider))
        .collect()
}

/// Beside the CPU's, from the first library that offers it.
fn with_provider(record: &RunRecord, plan: &Plan, provider: &str) -> NotTried {
    let mut words = provider::short_name(CPU_PROVIDER);
    if provider != CPU_PROVIDER {
        words = format!("{words},{}", provider::short_name(provider));
    }
    let library = record
        .runtimes
        .iter()
        .find(|runtime| runtime.execution_providers.iter().any(|p| p == provider))
        .map(|runtime| runtime_word(record, &RuntimeChoice::Library(runtime.path.clone())));
    untried(
        Untried::ExecutionProvider(provider.to_owned()),
        Command::of(plan)
            .with(Flag::Runtime, library.unwrap_or_default())
            .with(Flag::Ep, words),
    )
}

/// Architecture that the official build with OpenVINO is for.
const OPENVINO_ARCHITECTURE: &str = "x86_64";

/// OpenVINO, which computes on the CPU with kernels of its own, where no library has it.
fn builds(record: &RunRecord) -> Option<NotTried> {
    let provider = openvino::PROVIDER;
    let mut offered = record
        .runtimes
        .iter()
        .flat_map(|runtime| &runtime.execution_providers);
    let baseline = record.plan.sessions.get(record.plan.baseline_session()?)?;
    let is_on_cpu = baseline.execution_provider == *CPU_PROVIDER
        && !baseline.is_scripted()
        && !baseline.is_remote();
    let is_open = is_on_cpu
        && record.host.architecture == *OPENVINO_ARCHITECTURE
        && offered.all(|offered| *offered != *provider.identifier);
    let own = runtime_word(record, &baseline.runtime);
    let (build, word) = (provider.build?, provider::short_name(provider.identifier));
    is_open.then(|| {
        untried(
            Untried::OfAnotherBuild(provider.identifier.to_owned()),
            profile(record)
                .with(Flag::Runtime, format!("{own},{build}@VERSION"))
                .with(
                    Flag::Ep,
                    format!("{},{word}", provider::short_name(CPU_PROVIDER)),
                ),
        )
    })
}

fn on_cpu(plan: &Plan) -> Option<SessionSpec> {
    let baseline = &plan.sessions[plan.baseline_session()?];
    Some(SessionSpec {
        execution_provider: CPU_PROVIDER.to_owned().into(),
        provider: ProviderSpec::default(),
        binding: Binding::Host,
        ..baseline.clone()
    })
}

fn device_binding(record: &RunRecord) -> Option<NotTried> {
    let sessions = &record.plan.sessions;
    let command = Command::of(&as_session(
        record,
        Some(
            sessions
                .iter()
                .find(|spec| spec.nvidia_device().is_some())?,
        ),
    ))
    .with(Flag::Bind, "host,device");
    sessions
        .iter()
        .all(|spec| spec.binding != Binding::Device)
        .then(|| untried(Untried::DeviceBinding, command))
}

/// Of a session whose device waits for the host, by its trace.
fn captured_graphs(record: &RunRecord) -> Option<NotTried> {
    let waits = |session: usize| {
        let mut limits = operators::on_devices(record);
        limits.any(|limit| limit.session == session && limit.waits_for_host())
    };
    let sessions = record.plan.sessions.iter().enumerate();
    let (session, key) = sessions
        .filter(|(_, spec)| !spec.captures_graphs())
        .filter_map(|(at, spec)| Some((at, graphs_key(spec)?)))
        .find(|(at, _)| waits(*at))?;
    let mut spec = record.plan.sessions[session].clone();
    spec.provider.options.insert(key.into(), "1".into());
    spec.binding = Binding::Device;
    Some(untried(
        Untried::CapturedGraphs,
        Command::of(&as_session(record, Some(&spec))),
    ))
}

/// The option that brings a graph for each shape.
fn graphs_key(spec: &SessionSpec) -> Option<&'static str> {
    match provider::known(spec.execution_provider.exact()).graphs {
        Graphs::PerShape(key) => Some(key),
        Graphs::None | Graphs::One { .. } => None,
    }
}

fn concurrency(record: &RunRecord) -> Option<NotTried> {
    let modes = &record.plan.load_modes;
    let plan = as_baseline(record);
    let may_share = record.host.usable_cpus_count > 1
        && !plan.sessions.iter().any(SessionSpec::captures_graphs);
    (may_share && modes.iter().all(|&mode| mode == LoadMode::SINGLE)).then(|| {
        untried(
            Untried::Concurrency,
            Command::of(&plan).with(Flag::Concurrency, "1,2,4"),
        )
    })
}

/// Other than the batch size, each with the size that was fed, half and twice that.
fn open_dimensions(record: &RunRecord) -> Vec<NotTried> {
    let Some((variant, model)) = record
        .variants
        .get(record.plan.baseline)
        .and_then(|found| Some((found, found.model.as_ref()?)))
    else {
        return Vec::new();
    };
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    model
        .inputs
        .iter()
        .filter_map(|input| symbols(input, variant))
        .flatten()
        .filter(|(name, _)| {
            model.batch_axis.symbol.as_ref().map(Plain::exact) != Some(*name)
                && !is_swept(&record.plan, name)
                && seen.insert(name)
        })
        .map(|(name, fed)| open_dimension(record, name, fed))
        .collect()
}

/// Names of the sizes of an input that the model leaves open, with what was fed.
fn symbols<'a>(input: &'a TensorInfo, variant: &'a VariantRecord) -> Option<Vec<(&'a str, u64)>> {
    let ValueType::Tensor { dims, .. } = &input.value_type else {
        return None;
    };
    let fed = variant.inputs.iter().find(|fed| fed.name == input.name)?;
    let open = dims
        .as_ref()?
        .iter()
        .zip(&fed.dims)
        .filter_map(|(dim, fed)| match dim {
            Dim::Symbolic(name) => Some((name.exact(), (*fed)?)),
            _ => None,
        });
    Some(open.collect())
}

fn is_swept(plan: &Plan, dimension: &str) -> bool {
    plan.shapes
        .iter()
        .any(|shape| shape.dims.contains_key(&dimension.into()))
}

fn open_dimension(record: &RunRecord, name: &str, fed: u64) -> NotTried {
    let sizes = BTreeSet::from([(fed / 2).max(1), fed.max(1), fed.max(1).saturating_mul(2)]);
    let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
    // Data, or a size that is given, would fix what is swept.
    let mut plan = as_baseline(record);
    (plan.inputs.data, plan.inputs.labels) = (None, None);
    plan.inputs.dims.remove(&name.into());
    let sizes = format!("dim={name}:{}", sizes.join(","));
    untried(
        Untried::OpenDimension(name.to_owned()),
        Command::of(&plan).with(Flag::Sweep, sizes),
    )
}

fn idle_gaps(record: &RunRecord) -> Option<NotTried> {
    record.idle_gaps.is_empty().then(|| {
        untried(
            Untried::IdleGaps,
            profile(record).with_switch(Flag::IdleGaps),
        )
    })
}

fn another_runtime(record: &RunRecord) -> Option<NotTried> {
    let [only] = record.runtimes.as_slice() else {
        return None;
    };
    let sessions = &record.plan.sessions;
    let own = runtime_word(record, &sessions.first()?.runtime);
    let both = format!("{own},cpu@VERSION");
    let command = profile(record).with(Flag::Runtime, both);
    let is_scripted = sessions.iter().all(SessionSpec::is_scripted);
    (!is_scripted).then(|| untried(Untried::AnotherRuntime(only.version.clone()), command))
}

fn cold_start(record: &RunRecord) -> Option<NotTried> {
    let is_warm = record.plan.schedule.page_cache == PageCache::Warm;
    is_warm.then(|| untried(Untried::ColdStart, profile(record).with_switch(Flag::Cold)))
}

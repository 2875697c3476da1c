//! What could bring more and was not in the plan, each with the command that tries it.

use std::collections::BTreeSet;

use super::commands::{as_baseline, as_session};
use crate::analysis::{Answer, Caveat, Facts, NotTried, SessionFindings, Untried};
use crate::plan::{
    Binding, Command, Flag, LoadMode, PageCache, Plan, ProviderSpec, SessionSpec, unswept,
};
use crate::provider::{self, CPU_PROVIDER, Hardware};
use crate::record::{
    DatasetInfo, Dim, ModelSummary, RunRecord, TensorInfo, ValueType, VariantRecord,
};
use crate::text::Plain;

const FULL_PRECISION: [&str; 2] = ["fp32", "fp64"];

/// Those that are likely to bring most first. Nothing for a run that measured nothing.
pub(crate) fn not_tried(facts: &Facts<'_>, answer: &Answer) -> Vec<NotTried> {
    if facts
        .sessions
        .iter()
        .all(|session| !session.outcome.is_ok())
    {
        return Vec::new();
    }
    let record = facts.index.record;
    let scripted = record.plan.sessions.iter().all(SessionSpec::is_scripted);
    let mut found = Vec::new();
    found.extend(labels(facts));
    found.extend(quantization(record));
    found.extend(batches(record, answer));
    found.extend(threads(record));
    found.extend(tuning(record));
    found.extend(providers(record));
    found.extend(device_binding(record));
    found.extend(concurrency(record));
    found.extend(open_dimensions(record));
    found.extend(idle_gaps(record));
    found.extend(another_runtime(record).filter(|_| !scripted));
    found.extend(cold_start(record));
    found
}

/// For all models as the baseline was measured, but for one flag.
fn profile(record: &RunRecord, what: Untried, flag: Flag, value: &str) -> NotTried {
    untried(what, Command::of(&as_baseline(record)).with(flag, value))
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
    record
        .variants
        .iter()
        .filter_map(|variant| variant.model.as_ref())
}

/// Where there are weights, all in full precision.
fn quantization(record: &RunRecord) -> Option<NotTried> {
    let all_full = models(record).all(is_full_precision)
        && models(record).any(|model| !model.weights.is_empty());
    all_full.then(|| {
        untried(
            Untried::Quantization,
            Command::of(&as_baseline(record)).with_model("QUANTIZED.onnx"),
        )
    })
}

fn is_full_precision(model: &ModelSummary) -> bool {
    FULL_PRECISION.contains(&model.precision.label.exact())
}

fn batches(record: &RunRecord, answer: &Answer) -> Option<NotTried> {
    let pick = answer
        .throughput
        .pick()
        .filter(|pick| pick.caveats.contains(&Caveat::StillRising))?;
    let largest = pick.key.batch_size;
    let sizes = format!(
        "{largest},{},{}",
        largest.checked_mul(2)?,
        largest.checked_mul(4)?
    );
    Some(profile(
        record,
        Untried::LargerBatches(largest),
        Flag::Batch,
        &sizes,
    ))
}

/// Where one number was measured: a single thread, or as many as there are CPUs.
fn threads(record: &RunRecord) -> Option<NotTried> {
    let counts: BTreeSet<u64> = record
        .plan
        .sessions
        .iter()
        .map(|spec| spec.options.intra_threads)
        .collect();
    let [&only] = counts.iter().collect::<Vec<_>>()[..] else {
        return None;
    };
    let other = if only > 1 {
        1
    } else {
        record.host.usable_cpus_count
    };
    (other != only).then(|| {
        profile(
            record,
            Untried::Threads(only),
            Flag::IntraThreads,
            &other.to_string(),
        )
    })
}

fn tuning(record: &RunRecord) -> Option<NotTried> {
    let plan = &record.plan;
    let options: Vec<_> = plan.sessions.iter().map(|spec| &spec.options).collect();
    let one = options.windows(2).all(|pair| pair[0] == pair[1]);
    one.then(|| untried(Untried::Tuning, Command::tune(&as_baseline(record))))
}

/// Those that the libraries offer and no session used.
fn providers(record: &RunRecord) -> Vec<NotTried> {
    let used: BTreeSet<&str> = record
        .plan
        .sessions
        .iter()
        .map(|spec| spec.execution_provider.as_str())
        .collect();
    let offered: BTreeSet<&str> = record
        .runtimes
        .iter()
        .flat_map(|runtime| &runtime.execution_providers)
        .map(Plain::exact)
        .collect();
    let missing = offered
        .difference(&used)
        .filter(|name| provider::known(name).hardware != Hardware::Service);
    // What is set for the baseline's execution provider is not for others.
    let plan = as_session(record, on_cpu(&record.plan).as_ref());
    missing
        .map(|&provider| with_provider(record, &plan, provider))
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
        .map(|runtime| runtime.path.display().to_string());
    untried(
        Untried::ExecutionProvider(provider.to_owned()),
        Command::of(plan)
            .with(Flag::Runtime, library.unwrap_or_default())
            .with(Flag::Ep, words),
    )
}

fn on_cpu(plan: &Plan) -> Option<SessionSpec> {
    let baseline = &plan.sessions[plan.baseline_session()?];
    Some(SessionSpec {
        execution_provider: CPU_PROVIDER.to_owned(),
        provider: ProviderSpec::default(),
        binding: Binding::Host,
        ..baseline.clone()
    })
}

fn device_binding(record: &RunRecord) -> Option<NotTried> {
    let sessions = &record.plan.sessions;
    let on_gpu = sessions
        .iter()
        .find(|spec| spec.nvidia_device().is_some())?;
    let bound = sessions.iter().any(|spec| spec.binding == Binding::Device);
    (!bound).then(|| {
        let plan = as_session(record, Some(on_gpu));
        untried(
            Untried::DeviceBinding,
            Command::of(&plan).with(Flag::Bind, "host,device"),
        )
    })
}

fn concurrency(record: &RunRecord) -> Option<NotTried> {
    let single = record
        .plan
        .load_modes
        .iter()
        .all(|&mode| mode == LoadMode::SINGLE);
    let plan = as_baseline(record);
    let may_share = record.host.usable_cpus_count > 1
        && !plan.sessions.iter().any(SessionSpec::captures_graphs);
    (single && may_share).then(|| {
        untried(
            Untried::Concurrency,
            Command::of(&plan).with(Flag::Concurrency, "1,2,4"),
        )
    })
}

/// Other than the batch size, each with the size that was fed, half and twice that.
fn open_dimensions(record: &RunRecord) -> Vec<NotTried> {
    let Some(variant) = record.variants.get(record.plan.baseline) else {
        return Vec::new();
    };
    let Some(model) = &variant.model else {
        return Vec::new();
    };
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let inputs = model.inputs.iter();
    inputs
        .flat_map(|input| symbols(input, variant))
        .filter(|(name, _)| model.batch_axis.symbol.as_ref().map(Plain::exact) != Some(*name))
        .filter(|(name, _)| !is_swept(&record.plan, name) && seen.insert(name))
        .map(|(name, fed)| open_dimension(record, name, fed))
        .collect()
}

/// Names of the sizes of an input that the model leaves open, with what was fed.
fn symbols<'a>(input: &'a TensorInfo, variant: &'a VariantRecord) -> Vec<(&'a str, u64)> {
    let ValueType::Tensor {
        dims: Some(dims), ..
    } = &input.value_type
    else {
        return Vec::new();
    };
    let Some(fed) = variant.inputs.iter().find(|fed| fed.name == input.name) else {
        return Vec::new();
    };
    dims.iter()
        .zip(&fed.dims)
        .filter_map(|(dim, fed)| match dim {
            Dim::Symbolic(name) => Some((name.exact(), (*fed)?)),
            _ => None,
        })
        .collect()
}

fn is_swept(plan: &Plan, dimension: &str) -> bool {
    plan.shapes
        .iter()
        .any(|shape| shape.dims.contains_key(dimension))
}

fn open_dimension(record: &RunRecord, name: &str, fed: u64) -> NotTried {
    let sizes = BTreeSet::from([(fed / 2).max(1), fed.max(1), fed.max(1).saturating_mul(2)]);
    let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
    // Data, or a size that is given, would fix what is swept.
    let mut plan = as_baseline(record);
    (plan.inputs.data, plan.inputs.labels) = (None, None);
    plan.inputs.dims.remove(name);
    let sizes = format!("dim={name}:{}", sizes.join(","));
    untried(
        Untried::OpenDimension(name.to_owned()),
        Command::of(&plan).with(Flag::Sweep, sizes),
    )
}

fn idle_gaps(record: &RunRecord) -> Option<NotTried> {
    let none = record.idle_gaps.is_empty();
    none.then(|| {
        untried(
            Untried::IdleGaps,
            Command::of(&as_baseline(record)).with_switch(Flag::IdleGaps),
        )
    })
}

fn another_runtime(record: &RunRecord) -> Option<NotTried> {
    let [only] = record.runtimes.as_slice() else {
        return None;
    };
    let both = format!(
        "{},cpu@VERSION",
        record.plan.sessions.first()?.runtime.word()
    );
    Some(profile(
        record,
        Untried::AnotherRuntime(only.version.clone()),
        Flag::Runtime,
        &both,
    ))
}

fn cold_start(record: &RunRecord) -> Option<NotTried> {
    let warm = record.plan.schedule.page_cache == PageCache::Warm;
    warm.then(|| {
        untried(
            Untried::ColdStart,
            Command::of(&as_baseline(record)).with_switch(Flag::Cold),
        )
    })
}

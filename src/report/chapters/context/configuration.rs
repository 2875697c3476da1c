//! The configuration in force: what was asked for, and what workers read back.

use crate::plan::{Binding, ExecutionMode, GraphOptimization, SessionOptions, SessionSpec};
use crate::record::{EffectiveOptions, RunRecord};
use crate::report::words::{self, Item, Source, plain};
use crate::text::Plain;

pub(in crate::report) fn configuration(source: Source<'_>) -> Vec<Item> {
    let sessions = source.sessions();
    let groups =
        words::grouped(sessions.map(|one| (session_text(source, one.session), plain(&one.label))));
    let is_one = groups.len() == 1;
    groups
        .into_iter()
        .map(|(text, names)| match is_one {
            true => Item::new("all variants", text),
            false => Item::new(words::listed(names), text),
        })
        .collect()
}

fn session_text(source: Source<'_>, session: usize) -> String {
    let spec = &source.record.plan.sessions[session];
    let mut parts = vec![plain(&spec.execution_provider)];
    parts.extend(runtime(source.record, session));
    parts.extend(provider(spec));
    parts.extend(options(spec));
    parts.push(effective(source.record, session).map_or_else(
        || "nothing read back: no launch got that far".into(),
        read_back,
    ));
    parts.join(", ")
}

/// Options that were read back in the first launch of a session that told them.
pub(in crate::report::chapters) fn effective(
    record: &RunRecord,
    session: usize,
) -> Option<&EffectiveOptions> {
    record
        .launches
        .iter()
        .filter(|launch| launch.session == session)
        .find_map(|launch| launch.effective.as_ref())
}

fn read_back(effective: &EffectiveOptions) -> String {
    let cpus = match effective.cpus.as_slice() {
        [] => "CPUs unknown".into(),
        cpus if effective.has_cpu_per_thread && cpus.len() > 1 => {
            format!("CPU {}, each thread on one", words::joined(cpus, ","))
        }
        cpus => format!("CPU {}", words::joined(cpus, ",")),
    };
    let pairs = effective
        .provider_options
        .iter()
        .chain(&effective.session_config)
        .map(|(key, value)| plain(&format!("{key}={value}")));
    let parts = [cpus, pool_threads(effective)].into_iter().chain(pairs);
    format!("seen in its processes: {}", words::joined(parts, ", "))
}

fn pool_threads(effective: &EffectiveOptions) -> String {
    let before = effective.threads_before_load_count;
    match before.zip(effective.threads_after_load_count) {
        Some((before, after)) => format!(
            "{} beside the process's own",
            words::number_of(after.saturating_sub(before), "pool thread")
        ),
        None => "pool threads unknown".into(),
    }
}

fn runtime(record: &RunRecord, session: usize) -> Option<String> {
    let only = match record.runtimes.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let runtime = record.runtime_of(session).or(only)?;
    Some(format!("ONNX Runtime {}", runtime.version))
}

fn provider(spec: &SessionSpec) -> Vec<String> {
    let provider = &spec.provider;
    let device = provider.device.map(|device| format!("device {device}"));
    let library = provider
        .library
        .as_deref()
        .map(|path| format!("from {}", Plain::from(path)));
    let required = provider.required.then_some("required for every node");
    let is_bound = spec.binding == Binding::Device;
    let fixed = [
        required,
        is_bound.then_some("inputs and outputs in the device's memory"),
    ]
    .map(|part| part.map(str::to_owned));
    [device, library]
        .into_iter()
        .chain(fixed)
        .flatten()
        .collect()
}

fn options(spec: &SessionSpec) -> Vec<String> {
    let options = &spec.options;
    let mut parts = vec![words::number_of(options.intra_threads, "intra-op thread")];
    if options.execution_mode == ExecutionMode::Parallel {
        parts.push(format!(
            "{}, parallel execution",
            words::number_of(options.inter_threads, "inter-op thread")
        ));
    }
    parts.push(level(options.graph_optimization).into());
    parts.extend(switches(options));
    let libraries = options
        .custom_ops
        .iter()
        .map(|library| Plain::from(library.as_path()));
    parts.extend(libraries.map(|library| format!("custom operators of {library}")));
    let entries = options.session_config.iter();
    parts.extend(entries.map(|(key, value)| format!("{}={}", plain(key), plain(value))));
    parts
}

fn level(level: GraphOptimization) -> &'static str {
    match level {
        GraphOptimization::Disable => "graph optimization off",
        GraphOptimization::Basic => "graph optimization basic",
        GraphOptimization::Extended => "graph optimization extended",
        GraphOptimization::All => "graph optimization all",
    }
}

/// Options that are on or off, of those that are set.
fn switches(options: &SessionOptions) -> impl Iterator<Item = String> {
    [
        ("spinning", options.allow_spinning),
        ("arena", options.memory_arena),
        ("memory pattern", options.memory_pattern),
    ]
    .into_iter()
    .filter_map(|(what, on)| Some(format!("{what} {}", words::on_or_off(on?))))
}

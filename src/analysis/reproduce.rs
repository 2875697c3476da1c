//! The command that measures some cells of a plan again.

use crate::plan::{
    ExecutionMode, GraphOptimization, InputRequest, PageCache, Pin, Plan, RuntimeChoice, SessionOptions, SessionSpec,
    Task,
};
use crate::record::RunRecord;

/// Source of data that [`DatasetInfo`](crate::record::DatasetInfo) names where there is no file.
const SYNTHESIZED: &str = "synthesized";

/// Words of a command that compares `session` with the plan's baseline at `batch_sizes`, under the same options and with
/// the same data.
pub(super) fn command(record: &RunRecord, session: usize, batch_sizes: &[u64]) -> Vec<String> {
    let plan = &record.plan;
    let mut words = vec!["onnxprof".into(), "profile".into()];
    let baseline = &plan.variants[plan.baseline];
    let variant = plan.variant_of(session);
    words.push(baseline.path.display().to_string());
    if plan.sessions[session].variant != plan.baseline {
        words.push(variant.path.display().to_string());
    }
    let batch_sizes: Vec<String> = batch_sizes.iter().map(u64::to_string).collect();
    option(&mut words, "--batch", batch_sizes.join(","));
    session_words(&mut words, &plan.sessions[session]);
    input_words(&mut words, &plan.inputs, data_file(record));
    schedule_words(&mut words, plan);
    words
}

fn option(words: &mut Vec<String>, name: &str, value: impl ToString) {
    words.extend([name.to_owned(), value.to_string()]);
}

fn session_words(words: &mut Vec<String>, session: &SessionSpec) {
    let (RuntimeChoice::Library(path) | RuntimeChoice::Script(path)) = &session.runtime;
    option(words, "--runtime", path.display());
    let SessionOptions { intra_threads, inter_threads, graph_optimization, execution_mode, .. } = &session.options;
    option(words, "--intra-threads", intra_threads);
    if *execution_mode == ExecutionMode::Parallel {
        option(words, "--execution-mode", "parallel");
        option(words, "--inter-threads", inter_threads);
    }
    match graph_optimization {
        GraphOptimization::All => {}
        GraphOptimization::Disable => option(words, "--graph-optimization", "disable"),
        GraphOptimization::Basic => option(words, "--graph-optimization", "basic"),
        GraphOptimization::Extended => option(words, "--graph-optimization", "extended"),
    }
    if let Some(spinning) = session.options.allow_spinning {
        option(words, "--allow-spinning", spinning);
    }
    for (key, value) in &session.options.session_config {
        option(words, "--session-config", format!("{key}={value}"));
    }
}

/// The data that was asked for, or that was found beside the models.
fn data_file(record: &RunRecord) -> Option<String> {
    let asked = record.plan.inputs.data.as_ref().map(|path| path.display().to_string());
    let found = record.dataset.as_ref().map(|data| data.source.clone());
    asked.or(found.filter(|source| source != SYNTHESIZED))
}

fn input_words(words: &mut Vec<String>, inputs: &InputRequest, data: Option<String>) {
    if let Some(data) = data {
        option(words, "--data", data);
    }
    if let Some(labels) = &inputs.labels {
        option(words, "--labels", labels.display());
    }
    for (name, value) in &inputs.dims {
        option(words, "--dim", format!("{name}={value}"));
    }
    for (name, range) in &inputs.ranges {
        option(words, "--range", format!("{name}={}..{}", range.low, range.high));
    }
}

fn schedule_words(words: &mut Vec<String>, plan: &Plan) {
    let concurrencies: Vec<String> = plan.load_modes.iter().map(|mode| mode.concurrency().to_string()).collect();
    if concurrencies != ["1"] {
        option(words, "--concurrency", concurrencies.join(","));
    }
    if plan.task == Task::Regression {
        option(words, "--task", "regression");
    }
    match &plan.schedule.pin {
        Pin::Auto => {}
        Pin::None => option(words, "--pin", "none"),
        Pin::Cpus(cpus) => option(words, "--pin", cpus.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
    }
    if plan.schedule.page_cache == PageCache::Cold {
        words.push("--cold".into());
    }
    option(words, "--seed", plan.schedule.seed);
}

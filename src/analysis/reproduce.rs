//! The command that measures some cells of a plan again.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{
    Binding, CellKey, ExecutionMode, GraphOptimization, InputRequest, PageCache, Pin, Plan, ScoredSamples,
    SessionOptions, SessionSpec, SweepEnd, Task,
};
use crate::provider;
use crate::record::RunRecord;
use crate::units::Nanos;

/// Source of data that [`DatasetInfo`](crate::record::DatasetInfo) names where there is no file.
const SYNTHESIZED: &str = "synthesized";

/// Words of a command that compares the session of `key` with the plan's baseline at its shape and `batch_sizes`, under the
/// same options and with the same data.
pub(super) fn command(record: &RunRecord, key: CellKey, batch_sizes: &[u64]) -> Vec<String> {
    let plan = &record.plan;
    let mut words = vec!["onnxprof".into(), "profile".into()];
    let baseline = &plan.variants[plan.baseline];
    let variant = plan.variant_of(key.session);
    words.push(baseline.path.display().to_string());
    if plan.sessions[key.session].variant != plan.baseline {
        words.push(variant.path.display().to_string());
    }
    option(&mut words, "--batch", listed_numbers(batch_sizes));
    session_words(&mut words, plan, key.session);
    // Where a dimension is swept, data was found beside the models, and is found again.
    let data = if plan.is_swept() { None } else { data_file(record) };
    input_words(&mut words, &plan.inputs, data);
    for (name, size) in plan.shapes.get(key.shape).iter().flat_map(|shape| &shape.dims) {
        option(&mut words, "--sweep", format!("dim={name}:{size}"));
    }
    schedule_words(&mut words, plan);
    words
}

/// Words of a `profile` that measures all of the plan's models as the baseline was measured, but for `options`: what the
/// run did not try.
pub(super) fn with(record: &RunRecord, options: &[String]) -> Vec<String> {
    let plan = &record.plan;
    let mut words = models(record, "profile");
    let mut settings = Vec::new();
    if plan.sweep_end == SweepEnd::Listed {
        option(&mut settings, "--batch", listed_numbers(&plan.batch_sizes));
    }
    if let Some(baseline) = plan.baseline_session() {
        session_words(&mut settings, plan, baseline);
    }
    sweep_words(&mut settings, plan);
    schedule_words(&mut settings, plan);
    words.extend(without(settings, options));
    words.extend(options.iter().cloned());
    words
}

/// Words of a search over all of the plan's models, with the library and execution provider of the baseline.
pub(super) fn search(record: &RunRecord) -> Vec<String> {
    let plan = &record.plan;
    let mut words = models(record, "tune");
    if let Some(baseline) = plan.baseline_session().map(|baseline| &plan.sessions[baseline]) {
        option(&mut words, "--runtime", baseline.runtime.word());
        provider_words(&mut words, &[baseline]);
        custom_ops_words(&mut words, baseline);
    }
    scoring_words(&mut words, plan);
    words
}

/// A subcommand with all models that could be read, and their inputs.
fn models(record: &RunRecord, subcommand: &str) -> Vec<String> {
    let plan = &record.plan;
    let mut words = vec!["onnxprof".into(), subcommand.into()];
    let usable = plan.variants.iter().zip(&record.variants).filter(|(_, found)| found.outcome.is_ok());
    words.extend(usable.map(|(variant, _)| variant.path.display().to_string()));
    input_words(&mut words, &plan.inputs, if plan.is_swept() { None } else { data_file(record) });
    words
}

/// `words` without those options, and their values, that `options` names.
fn without(words: Vec<String>, options: &[String]) -> Vec<String> {
    let mut is_named = false;
    let is_kept = |word: &String| {
        if word.starts_with("--") {
            is_named = options.contains(word);
        }
        !is_named
    };
    words.into_iter().filter(is_kept).collect()
}

/// Every swept dimension with all of its sizes.
fn sweep_words(words: &mut Vec<String>, plan: &Plan) {
    let mut sizes: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for (name, &size) in plan.shapes.iter().flat_map(|shape| &shape.dims) {
        sizes.entry(name).or_default().insert(size);
    }
    for (name, sizes) in sizes {
        option(words, "--sweep", format!("dim={name}:{}", listed_numbers(&sizes)));
    }
}

fn listed_numbers<'a>(numbers: impl IntoIterator<Item = &'a u64>) -> String {
    numbers.into_iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// A time as the command line reads it: `20s`, `10ms`.
pub(super) fn time_word(time: Nanos) -> String {
    match time.0 {
        0 => "0".into(),
        nanos if nanos % 1_000_000_000 == 0 => format!("{}s", nanos / 1_000_000_000),
        nanos if nanos % 1_000_000 == 0 => format!("{}ms", nanos / 1_000_000),
        nanos => format!("{nanos}ns"),
    }
}

/// The word for `--runtime` that leads to the library of a session.
pub(super) fn library(plan: &Plan, session: usize) -> String {
    plan.sessions[session].runtime.word()
}

fn option(words: &mut Vec<String>, name: &str, value: impl ToString) {
    words.extend([name.to_owned(), value.to_string()]);
}

fn session_words(words: &mut Vec<String>, plan: &Plan, session: usize) {
    let baseline = plan.baseline_session().map(|baseline| &plan.sessions[baseline]);
    let session = &plan.sessions[session];
    let both: Vec<&SessionSpec> = baseline.into_iter().chain([session]).collect();
    option(words, "--runtime", listed(&both, |spec| spec.runtime.word()));
    provider_words(words, &both);
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
    if let Some(arena) = session.options.memory_arena {
        option(words, "--memory-arena", arena);
    }
    if let Some(pattern) = session.options.memory_pattern {
        option(words, "--memory-pattern", pattern);
    }
    for (key, value) in &session.options.session_config {
        option(words, "--session-config", format!("{key}={value}"));
    }
    custom_ops_words(words, session);
}

fn custom_ops_words(words: &mut Vec<String>, session: &SessionSpec) {
    for library in &session.options.custom_ops {
        option(words, "--custom-ops", library.display());
    }
}

/// Values of two sessions for one option, each once.
fn listed(both: &[&SessionSpec], word: impl Fn(&SessionSpec) -> String) -> String {
    let mut words: Vec<String> = both.iter().map(|spec| word(spec)).collect();
    words.dedup();
    words.join(",")
}

/// Execution providers, their options and bindings, where they are not the defaults.
fn provider_words(words: &mut Vec<String>, both: &[&SessionSpec]) {
    let name = |spec: &SessionSpec| provider::short_name(&spec.execution_provider);
    if both.iter().any(|spec| spec.is_accelerated()) {
        option(words, "--ep", listed(both, name));
    }
    let last = both.last();
    let mut given = Vec::new();
    for spec in both {
        let options = spec.provider.options.iter();
        given.extend(options.map(|(key, value)| format!("{}:{key}={value}", name(spec))));
    }
    given.dedup();
    given.into_iter().for_each(|text| option(words, "--ep-option", text));
    let mut libraries: Vec<String> = Vec::new();
    for (spec, library) in both.iter().filter_map(|spec| Some((spec, spec.provider.library.as_ref()?))) {
        libraries.push(format!("{}={}", spec.execution_provider, library.display()));
    }
    libraries.dedup();
    libraries.into_iter().for_each(|text| option(words, "--ep-library", text));
    if let Some(device) = last.and_then(|spec| spec.provider.device) {
        option(words, "--device", device);
    }
    if both.iter().any(|spec| spec.provider.required) {
        words.push("--require-ep".into());
    }
    if both.iter().any(|spec| spec.binding == Binding::Device) {
        option(
            words,
            "--bind",
            listed(both, |spec| if spec.binding == Binding::Host { "host" } else { "device" }.into()),
        );
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
    if let Some(batch_dim) = &inputs.batch_dim {
        option(words, "--batch-dim", batch_dim);
    }
    for (name, range) in &inputs.ranges {
        option(words, "--range", format!("{name}={}..{}", range.low, range.high));
    }
}

fn scoring_words(words: &mut Vec<String>, plan: &Plan) {
    match plan.task {
        Task::Inferred => {}
        Task::Classification => option(words, "--task", "classification"),
        Task::Regression => option(words, "--task", "regression"),
    }
    match plan.scored_samples {
        ScoredSamples::Fitting => {}
        ScoredSamples::All => option(words, "--score-samples", "all"),
        ScoredSamples::First(count) => option(words, "--score-samples", count),
    }
}

fn schedule_words(words: &mut Vec<String>, plan: &Plan) {
    let concurrencies: Vec<String> = plan.load_modes.iter().map(|mode| mode.concurrency().to_string()).collect();
    if concurrencies != ["1"] {
        option(words, "--concurrency", concurrencies.join(","));
    }
    scoring_words(words, plan);
    match &plan.schedule.pin {
        Pin::Auto => {}
        Pin::None => option(words, "--pin", "none"),
        Pin::Cpus(cpus) => option(words, "--pin", cpus.iter().map(u64::to_string).collect::<Vec<_>>().join(",")),
    }
    if plan.schedule.page_cache == PageCache::Cold {
        words.push("--cold".into());
    }
    if let Some(budget) = plan.schedule.budget_ns {
        option(words, "--budget", time_word(budget));
    }
    if let Some(rounds) = plan.schedule.rounds_count {
        option(words, "--rounds", rounds);
    }
    option(words, "--seed", plan.schedule.seed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_command_line_reads_them() {
        let words = [0, 20_000_000_000, 1_500_000_000, 10_000_000, 1_234].map(|nanos| time_word(Nanos(nanos)));
        assert_eq!(words, ["0", "20s", "1500ms", "10ms", "1234ns"]);
    }

    #[test]
    fn an_option_that_is_named_takes_its_value_along() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let settings = words("--batch 1,2 --require-ep --intra-threads 2 --seed 0");
        assert_eq!(without(settings.clone(), &words("--batch 4 X.onnx")), settings[2..]);
        assert_eq!(without(settings, &words("--require-ep --seed 1")), words("--batch 1,2 --intra-threads 2"));
    }
}

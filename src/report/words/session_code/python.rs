//! The session in Python.

use super::deployment::{Deployment, Pairs, c_level, listed, quoted};
use crate::plan::ExecutionMode;
use crate::provider::CPU_PROVIDER;

pub(super) fn python(one: &Deployment<'_>) -> Vec<String> {
    let mut lines = vec!["import onnxruntime as ort".to_owned(), String::new()];
    lines.extend(options(one));
    lines.extend(
        one.custom_ops()
            .map(|library| format!("options.register_custom_ops_library({library})")),
    );
    lines.extend(
        one.entries()
            .into_iter()
            .map(|(key, value)| format!("options.add_session_config_entry({key}, {value})")),
    );
    lines.extend(session(one));
    lines
}

fn options(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let level = c_level(options.graph_optimization);
    let mut lines = vec![
        "options = ort.SessionOptions()".to_owned(),
        format!("options.graph_optimization_level = ort.GraphOptimizationLevel.{level}"),
        format!("options.intra_op_num_threads = {}", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("options.execution_mode = ort.ExecutionMode.ORT_PARALLEL".into());
        lines.push(format!(
            "options.inter_op_num_threads = {}",
            options.inter_threads
        ));
    }
    let pattern = options.memory_pattern.map(truth);
    lines.extend(pattern.map(|pattern| format!("options.enable_mem_pattern = {pattern}")));
    let arena = one.arena().map(truth);
    lines.extend(arena.map(|arena| format!("options.enable_cpu_mem_arena = {arena}")));
    lines
}

fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn session(one: &Deployment<'_>) -> Vec<String> {
    let wanted = one.providers();
    let providers: Vec<String> = wanted
        .iter()
        .map(|(name, options)| provider(name, options))
        .chain([quoted(CPU_PROVIDER)])
        .collect();
    let model = one.model();
    let providers = providers.join(", ");
    let mut lines = vec![
        "session = ort.InferenceSession(".to_owned(),
        format!("    {model}, options, providers=[{providers}]"),
        ")".into(),
    ];
    // It falls back to the CPU with no more than a warning.
    lines.extend(
        wanted
            .first()
            .map(|(name, _)| quoted(name))
            .map(|name| format!("assert session.get_providers()[0] == {name}")),
    );
    lines
}

fn provider(name: &str, options: &Pairs) -> String {
    let options = listed(options, ", ", |(key, value)| format!("{key}: {value}"));
    format!("({}, {{{options}}})", quoted(name))
}

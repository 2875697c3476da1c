//! The session in Python.

use super::deployment::{Deployment, Pairs, c_level, listed, quoted};
use crate::plan::ExecutionMode;
use crate::provider::CPU_PROVIDER;

pub(super) fn python(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let truth = |value: bool| if value { "True" } else { "False" };
    let level = c_level(options.graph_optimization);
    let mut lines = vec![
        "import onnxruntime as ort".to_owned(),
        String::new(),
        "options = ort.SessionOptions()".into(),
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
    lines.extend(
        options
            .memory_pattern
            .map(|pattern| format!("options.enable_mem_pattern = {}", truth(pattern))),
    );
    lines.extend(
        one.arena()
            .map(|arena| format!("options.enable_cpu_mem_arena = {}", truth(arena))),
    );
    lines.extend(
        one.custom_ops()
            .map(|library| format!("options.register_custom_ops_library({library})")),
    );
    let entries = one.entries();
    lines.extend(
        entries
            .iter()
            .map(|(key, value)| format!("options.add_session_config_entry({key}, {value})")),
    );
    let wanted = one.providers();
    let providers = wanted
        .iter()
        .map(|(name, options)| provider(name, options))
        .chain([quoted(CPU_PROVIDER)]);
    let providers: Vec<String> = providers.collect();
    lines.push("session = ort.InferenceSession(".into());
    lines.push(format!(
        "    {}, options, providers=[{}]",
        one.model(),
        providers.join(", ")
    ));
    lines.push(")".into());
    // It falls back to the CPU with no more than a warning.
    let asserted = wanted
        .first()
        .map(|(name, _)| format!("assert session.get_providers()[0] == {}", quoted(name)));
    lines.extend(asserted);
    lines
}

fn provider(name: &str, options: &Pairs) -> String {
    let options = listed(options, ", ", |(key, value)| format!("{key}: {value}"));
    format!("({}, {{{options}}})", quoted(name))
}

//! The session in Python.

use super::deployment::{Deployment, Pairs, c_level, quoted};
use crate::plan::ExecutionMode;
use crate::provider::CPU_PROVIDER;
use crate::report::words::joined;

pub(super) fn python(one: &Deployment<'_>) -> String {
    let mut code = options(one);
    code.extend(
        one.custom_ops()
            .map(|library| format!("options.register_custom_ops_library({library})\n")),
    );
    code.extend(
        one.entries()
            .map(|(key, value)| format!("options.add_session_config_entry({key}, {value})\n")),
    );
    code + &session(one)
}

fn options(one: &Deployment<'_>) -> String {
    let options = &one.spec.options;
    let mut code = format!(
        "import onnxruntime as ort\n\
         \n\
         options = ort.SessionOptions()\n\
         options.graph_optimization_level = ort.GraphOptimizationLevel.{}\n\
         options.intra_op_num_threads = {}\n",
        c_level(options.graph_optimization),
        options.intra_threads
    );
    if options.execution_mode == ExecutionMode::Parallel {
        code += &format!(
            "options.execution_mode = ort.ExecutionMode.ORT_PARALLEL\n\
             options.inter_op_num_threads = {}\n",
            options.inter_threads
        );
    }
    let pattern = options.memory_pattern.map(truth);
    code.extend(pattern.map(|pattern| format!("options.enable_mem_pattern = {pattern}\n")));
    let arena = one.arena().map(truth);
    code.extend(arena.map(|arena| format!("options.enable_cpu_mem_arena = {arena}\n")));
    code
}

fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn session(one: &Deployment<'_>) -> String {
    let wanted = one.providers();
    let providers = wanted.iter().map(|(name, options)| provider(name, options));
    let providers = joined(providers.chain([quoted(CPU_PROVIDER)]), ", ");
    // It falls back to the CPU with no more than a warning.
    let asserted = wanted.first().map(|(name, _)| {
        let name = quoted(name);
        format!("assert session.get_providers()[0] == {name}\n")
    });
    format!(
        "session = ort.InferenceSession(\n    \
             {}, options, providers=[{providers}]\n\
         )\n{}",
        one.model(),
        asserted.unwrap_or_default()
    )
}

fn provider(name: &str, options: &Pairs) -> String {
    let options = options.iter().map(|(key, value)| format!("{key}: {value}"));
    format!("({}, {{{}}})", quoted(name), joined(options, ", "))
}

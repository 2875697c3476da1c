//! The session in C++.

use super::deployment::{Deployment, Pairs, c_level, quoted};
use crate::plan::ExecutionMode;
use crate::provider::{self, InCpp};
use crate::report::words::joined;

pub(super) fn cpp(one: &Deployment<'_>) -> String {
    let mut code = options(one);
    code.extend(
        one.custom_ops()
            .map(|library| format!("options.RegisterCustomOpsLibrary(ORT_TSTR({library}));\n")),
    );
    code.extend(
        one.entries()
            .map(|(key, value)| format!("options.AddConfigEntry({key}, {value});\n")),
    );
    code.extend(
        one.providers()
            .into_iter()
            .map(|(name, options)| registration(&name, &options)),
    );
    let model = one.model();
    code + &format!("Ort::Session session{{env, ORT_TSTR({model}), options}};\n")
}

fn options(one: &Deployment<'_>) -> String {
    let options = &one.spec.options;
    let mut code = format!(
        "#include <onnxruntime_cxx_api.h>\n\
         \n\
         Ort::Env env{{ORT_LOGGING_LEVEL_WARNING, \"app\"}};\n\
         Ort::SessionOptions options;\n\
         options.SetGraphOptimizationLevel(GraphOptimizationLevel::{});\n\
         options.SetIntraOpNumThreads({});\n",
        c_level(options.graph_optimization),
        options.intra_threads
    );
    if options.execution_mode == ExecutionMode::Parallel {
        code += &format!(
            "options.SetExecutionMode(ExecutionMode::ORT_PARALLEL);\n\
             options.SetInterOpNumThreads({});\n",
            options.inter_threads
        );
    }
    let pattern = options.memory_pattern.map(switch);
    code.extend(pattern.map(|verb| format!("options.{verb}MemPattern();\n")));
    let arena = one.arena().map(switch);
    code.extend(arena.map(|verb| format!("options.{verb}CpuMemArena();\n")));
    code
}

fn switch(on: bool) -> &'static str {
    if on { "Enable" } else { "Disable" }
}

fn registration(name: &str, options: &Pairs) -> String {
    let pairs = options
        .iter()
        .map(|(key, value)| format!("{{{key}, {value}}}"));
    let pairs = joined(pairs, ", ");
    match provider::known(name).in_cpp {
        InCpp::Struct(class) => {
            let variable = provider::short_name(name);
            let update = match options.as_slice() {
                [] => String::new(),
                _ => format!("{variable}.Update({{{pairs}}});\n"),
            };
            format!(
                "Ort::{class}ProviderOptions {variable};\n\
                 {update}options.AppendExecutionProvider_{class}_V2(*{variable});\n"
            )
        }
        InCpp::Pairs(class) => {
            format!("options.AppendExecutionProvider_{class}_V2({{{pairs}}});\n")
        }
        InCpp::ByIdentifier => {
            let name = quoted(name);
            format!("options.AppendExecutionProvider({name}, {{{pairs}}});\n")
        }
    }
}

//! The session in C++.

use super::deployment::{Deployment, Pairs, c_level, listed, quoted};
use crate::plan::ExecutionMode;
use crate::provider::{self, InCpp};

pub(super) fn cpp(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let mut lines = vec![
        "#include <onnxruntime_cxx_api.h>".to_owned(),
        String::new(),
        "Ort::Env env{ORT_LOGGING_LEVEL_WARNING, \"app\"};".into(),
        "Ort::SessionOptions options;".into(),
        format!(
            "options.SetGraphOptimizationLevel(GraphOptimizationLevel::{});",
            c_level(options.graph_optimization)
        ),
        format!("options.SetIntraOpNumThreads({});", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("options.SetExecutionMode(ExecutionMode::ORT_PARALLEL);".into());
        lines.push(format!(
            "options.SetInterOpNumThreads({});",
            options.inter_threads
        ));
    }
    let switch = |value: bool| if value { "Enable" } else { "Disable" };
    lines.extend(
        options
            .memory_pattern
            .map(|pattern| format!("options.{}MemPattern();", switch(pattern))),
    );
    lines.extend(
        one.arena()
            .map(|arena| format!("options.{}CpuMemArena();", switch(arena))),
    );
    let register = |library| format!("options.RegisterCustomOpsLibrary(ORT_TSTR({library}));");
    lines.extend(one.custom_ops().map(register));
    lines.extend(
        one.entries()
            .iter()
            .map(|(key, value)| format!("options.AddConfigEntry({key}, {value});")),
    );
    lines.extend(
        one.providers()
            .iter()
            .flat_map(|(name, options)| registration(name, options)),
    );
    lines.push(format!(
        "Ort::Session session{{env, ORT_TSTR({}), options}};",
        one.model()
    ));
    lines
}

fn registration(name: &str, options: &Pairs) -> Vec<String> {
    let pairs = listed(options, ", ", |(key, value)| format!("{{{key}, {value}}}"));
    match provider::known(name).in_cpp {
        InCpp::Struct(class) => {
            let variable = provider::short_name(name);
            let mut lines = vec![format!("Ort::{class}ProviderOptions {variable};")];
            if !options.is_empty() {
                lines.push(format!("{variable}.Update({{{pairs}}});"));
            }
            lines.push(format!(
                "options.AppendExecutionProvider_{class}_V2(*{variable});"
            ));
            lines
        }
        InCpp::Pairs(class) => vec![format!(
            "options.AppendExecutionProvider_{class}_V2({{{pairs}}});"
        )],
        InCpp::ByIdentifier => vec![format!(
            "options.AppendExecutionProvider({}, {{{pairs}}});",
            quoted(name)
        )],
    }
}

//! The session in C++.

use super::deployment::{Deployment, Pairs, c_level, listed, quoted};
use crate::plan::ExecutionMode;
use crate::provider::{self, InCpp};

pub(super) fn cpp(one: &Deployment<'_>) -> Vec<String> {
    let mut lines = vec![
        "#include <onnxruntime_cxx_api.h>".to_owned(),
        String::new(),
        "Ort::Env env{ORT_LOGGING_LEVEL_WARNING, \"app\"};".into(),
        "Ort::SessionOptions options;".into(),
    ];
    lines.extend(options(one));
    lines.extend(
        one.custom_ops()
            .map(|library| format!("options.RegisterCustomOpsLibrary(ORT_TSTR({library}));")),
    );
    lines.extend(
        one.entries()
            .into_iter()
            .map(|(key, value)| format!("options.AddConfigEntry({key}, {value});")),
    );
    lines.extend(
        one.providers()
            .into_iter()
            .flat_map(|(name, options)| registration(&name, &options)),
    );
    let model = one.model();
    lines.push(format!(
        "Ort::Session session{{env, ORT_TSTR({model}), options}};"
    ));
    lines
}

fn options(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let level = c_level(options.graph_optimization);
    let mut lines = vec![
        format!("options.SetGraphOptimizationLevel(GraphOptimizationLevel::{level});"),
        format!("options.SetIntraOpNumThreads({});", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("options.SetExecutionMode(ExecutionMode::ORT_PARALLEL);".into());
        lines.push(format!(
            "options.SetInterOpNumThreads({});",
            options.inter_threads
        ));
    }
    lines.extend(
        options
            .memory_pattern
            .map(switch)
            .map(|verb| format!("options.{verb}MemPattern();")),
    );
    lines.extend(
        one.arena()
            .map(switch)
            .map(|verb| format!("options.{verb}CpuMemArena();")),
    );
    lines
}

fn switch(on: bool) -> &'static str {
    if on { "Enable" } else { "Disable" }
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

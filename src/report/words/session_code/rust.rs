//! The session in Rust, by the crate that onnxprof itself uses.

use super::deployment::{Deployment, Pairs};
use crate::plan::{ExecutionMode, GraphOptimization};
use crate::provider::{self, InRust};
use crate::report::words::{joined, plain};

/// The crate that binds ONNX Runtime, and the version that the code is for.
pub(super) const CRATE: [&str; 2] = ["ort", "2.0.0-rc.15"];

pub(super) fn rust(one: &Deployment<'_>) -> String {
    let providers = one.providers();
    let mut code = builder(one);
    code.extend(
        one.custom_ops()
            .map(|library| format!("    .with_operator_library({library})?\n")),
    );
    code.extend(
        one.entries()
            .map(|(key, value)| format!("    .with_config_entry({key}, {value})?\n")),
    );
    code.extend(
        providers
            .iter()
            .map(|(name, options)| registration(name, options)),
    );
    format!(
        "{}\n\
         {}use {}::session::{{Session, builder::GraphOptimizationLevel}};\n\
         \n\
         {code}    .commit_from_file({})?;\n",
        dependency(&providers),
        imported_providers(&code),
        CRATE[0],
        one.model()
    )
}

fn builder(one: &Deployment<'_>) -> String {
    let options = &one.spec.options;
    let mut code = format!(
        "let environment = {}::init().build()?;\n\
         let session = Session::builder(&environment)?\n    \
             .with_optimization_level(GraphOptimizationLevel::{})?\n    \
             .with_intra_threads({})?\n",
        CRATE[0],
        level(options.graph_optimization),
        options.intra_threads
    );
    if options.execution_mode == ExecutionMode::Parallel {
        code += &format!(
            "    .with_parallel_execution(true)?\n    \
                 .with_inter_threads({})?\n",
            options.inter_threads
        );
    }
    let pattern = options.memory_pattern;
    code.extend(pattern.map(|pattern| format!("    .with_memory_pattern({pattern})?\n")));
    code.extend(one.arena().map(|arena| {
        format!(
            "    .with_execution_providers([CPU::default().with_arena_allocator({arena}).build()])?\n"
        )
    }));
    code
}

fn level(level: GraphOptimization) -> &'static str {
    match level {
        GraphOptimization::Disable => "Disable",
        GraphOptimization::Basic => "Level1",
        GraphOptimization::Extended => "Level2",
        GraphOptimization::All => "All",
    }
}

/// The dependency for Cargo.toml, as a comment.
fn dependency(providers: &[(String, Pairs)]) -> String {
    let features = providers
        .iter()
        .filter_map(|(name, _)| provider::known(name).in_rust?.feature);
    let features = joined(features.map(|feature| format!("\"{feature}\"")), ", ");
    let [name, version] = CRATE;
    if features.is_empty() {
        return format!("// Cargo.toml: {name} = \"={version}\"");
    }
    format!("// Cargo.toml: {name} = {{ version = \"={version}\", features = [{features}] }}")
}

fn registration(identifier: &str, options: &Pairs) -> String {
    let Some(InRust { name, .. }) = provider::known(identifier).in_rust else {
        return format!(
            "    // the crate has no {}: register it by the C API\n",
            plain(identifier)
        );
    };
    let options: String = options
        .iter()
        .map(|(key, value)| format!(".with_arbitrary_config({key}, {value})"))
        .collect();
    format!(
        "    .with_execution_providers([{name}::default(){options}.build().error_on_failure()])?\n"
    )
}

/// The line that imports those that `code` uses; empty where it uses none.
fn imported_providers(code: &str) -> String {
    let known = provider::ALL.iter();
    let mut names: Vec<&str> = known
        .filter_map(|known| Some(known.in_rust?.name))
        .filter(|name| code.contains(&format!("{name}::default")))
        .collect();
    names.sort_unstable();
    if code.contains("with_arbitrary_config") {
        names.insert(0, "ArbitrarilyConfigurableExecutionProvider");
    }
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("use {}::ep::{one};\n", CRATE[0]),
        several => format!("use {}::ep::{{{}}};\n", CRATE[0], several.join(", ")),
    }
}

//! The session in Rust, by the crate that onnxprof itself uses.

use super::deployment::{Deployment, Pairs, listed};
use crate::plan::{ExecutionMode, GraphOptimization};
use crate::provider::{self, InRust};
use crate::report::words::plain;

/// The crate that binds ONNX Runtime, and the version that the code is for.
pub(super) const CRATE: [&str; 2] = ["ort", "2.0.0-rc.15"];

pub(super) fn rust(one: &Deployment<'_>) -> Vec<String> {
    let providers = one.providers();
    let mut lines = vec![dependency(&providers), String::new()];
    lines.extend(builder(one));
    lines.extend(
        one.custom_ops()
            .map(|library| format!("    .with_operator_library({library})?")),
    );
    lines.extend(
        one.entries()
            .into_iter()
            .map(|(key, value)| format!("    .with_config_entry({key}, {value})?")),
    );
    lines.extend(
        providers
            .iter()
            .map(|(name, options)| registration(name, options)),
    );
    lines.push(format!("    .commit_from_file({})?;", one.model()));
    imported(lines)
}

fn builder(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let level = level(options.graph_optimization);
    let mut lines = vec![
        format!("let environment = {}::init().build()?;", CRATE[0]),
        "let session = Session::builder(&environment)?".into(),
        format!("    .with_optimization_level(GraphOptimizationLevel::{level})?"),
        format!("    .with_intra_threads({})?", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("    .with_parallel_execution(true)?".into());
        lines.push(format!(
            "    .with_inter_threads({})?",
            options.inter_threads
        ));
    }
    let pattern = options.memory_pattern;
    lines.extend(pattern.map(|pattern| format!("    .with_memory_pattern({pattern})?")));
    lines.extend(one.arena().map(|arena| {
        format!(
            "    .with_execution_providers([CPU::default().with_arena_allocator({arena}).build()])?"
        )
    }));
    lines
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
    let features: Vec<String> = providers
        .iter()
        .filter_map(|(name, _)| provider::known(name).in_rust?.feature)
        .map(|feature| format!("\"{feature}\""))
        .collect();
    let [name, version] = CRATE;
    if features.is_empty() {
        return format!("// Cargo.toml: {name} = \"={version}\"");
    }
    format!(
        "// Cargo.toml: {name} = {{ version = \"={version}\", features = [{}] }}",
        features.join(", ")
    )
}

fn registration(identifier: &str, options: &Pairs) -> String {
    let Some(InRust { name, .. }) = provider::known(identifier).in_rust else {
        return format!(
            "    // the crate has no {}: register it by the C API",
            plain(identifier)
        );
    };
    let options = listed(options, "", |(key, value)| {
        format!(".with_arbitrary_config({key}, {value})")
    });
    format!(
        "    .with_execution_providers([{name}::default(){options}.build().error_on_failure()])?"
    )
}

/// The lines with the names that they use imported after the first.
fn imported(mut lines: Vec<String>) -> Vec<String> {
    let session = format!(
        "use {}::session::{{Session, builder::GraphOptimizationLevel}};",
        CRATE[0]
    );
    lines.splice(
        1..1,
        imported_providers(&lines.join("\n"))
            .into_iter()
            .chain([session]),
    );
    lines
}

fn imported_providers(text: &str) -> Option<String> {
    let known = provider::ALL.iter();
    let mut names: Vec<&str> = known
        .filter_map(|known| Some(known.in_rust?.name))
        .filter(|name| text.contains(&format!("{name}::default")))
        .collect();
    names.sort_unstable();
    if text.contains("with_arbitrary_config") {
        names.insert(0, "ArbitrarilyConfigurableExecutionProvider");
    }
    match names.as_slice() {
        [] => None,
        [one] => Some(format!("use {}::ep::{one};", CRATE[0])),
        several => Some(format!("use {}::ep::{{{}}};", CRATE[0], several.join(", "))),
    }
}

//! The session in Rust, by the crate that onnxprof itself uses.

use super::deployment::{Deployment, Pairs, listed};
use crate::plan::{ExecutionMode, GraphOptimization};
use crate::provider::{self, InRust};
use crate::report::words::plain;

/// The crate that binds ONNX Runtime, and the version that the code is for.
pub(super) const CRATE: [&str; 2] = ["ort", "2.0.0-rc.15"];

pub(super) fn rust(one: &Deployment<'_>) -> Vec<String> {
    let options = &one.spec.options;
    let level = match options.graph_optimization {
        GraphOptimization::Disable => "Disable",
        GraphOptimization::Basic => "Level1",
        GraphOptimization::Extended => "Level2",
        GraphOptimization::All => "All",
    };
    let providers = one.providers();
    let mut lines = head(&providers);
    lines.extend([
        String::new(),
        format!("let environment = {}::init().build()?;", CRATE[0]),
        "let session = Session::builder(&environment)?".into(),
        format!("    .with_optimization_level(GraphOptimizationLevel::{level})?"),
        format!("    .with_intra_threads({})?", options.intra_threads),
    ]);
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("    .with_parallel_execution(true)?".into());
        lines.push(format!(
            "    .with_inter_threads({})?",
            options.inter_threads
        ));
    }
    lines.extend(
        options
            .memory_pattern
            .map(|pattern| format!("    .with_memory_pattern({pattern})?")),
    );
    lines.extend(one.arena().map(|arena| {
        format!(
            "    .with_execution_providers([CPU::default().with_arena_allocator({arena}).build()])?"
        )
    }));
    lines.extend(
        one.custom_ops()
            .map(|library| format!("    .with_operator_library({library})?")),
    );
    lines.extend(
        one.entries()
            .iter()
            .map(|(key, value)| format!("    .with_config_entry({key}, {value})?")),
    );
    for (name, options) in &providers {
        lines.push(registration(name, options));
    }
    lines.push(format!("    .commit_from_file({})?;", one.model()));
    imported(lines)
}

/// Dependencies for Cargo.toml, as a comment.
fn head(providers: &[(String, Pairs)]) -> Vec<String> {
    let feature = |(name, _): &(String, Pairs)| provider::known(name).in_rust?.feature;
    let features: Vec<String> = providers
        .iter()
        .filter_map(feature)
        .map(|feature| format!("\"{feature}\""))
        .collect();
    let [name, version] = CRATE;
    vec![match features.is_empty() {
        true => format!("// Cargo.toml: {name} = \"={version}\""),
        false => {
            format!(
                "// Cargo.toml: {name} = {{ version = \"={version}\", features = [{}] }}",
                features.join(", ")
            )
        }
    }]
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
    let text = lines.join("\n");
    let names = provider::ALL
        .iter()
        .filter_map(|known| Some(known.in_rust?.name));
    let mut of_providers: Vec<&str> = names
        .filter(|name| text.contains(&format!("{name}::default")))
        .collect();
    of_providers.sort_unstable();
    if text.contains("with_arbitrary_config") {
        of_providers.insert(0, "ArbitrarilyConfigurableExecutionProvider");
    }
    let providers = match of_providers.as_slice() {
        [] => None,
        [one] => Some(format!("use {}::ep::{one};", CRATE[0])),
        several => Some(format!("use {}::ep::{{{}}};", CRATE[0], several.join(", "))),
    };
    let session = format!(
        "use {}::session::{{Session, builder::GraphOptimizationLevel}};",
        CRATE[0]
    );
    lines.splice(1..1, providers.into_iter().chain([session]));
    lines
}

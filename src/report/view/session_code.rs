//! A session's options as code that creates the same session, to paste.

use serde::Serialize;

use super::text::plain;
use crate::plan::{CPU_PROVIDER, ExecutionMode, GraphOptimization, SessionSpec, provider_short_name};

/// Session configuration entries by which threads are told not to spin.
const SPINNING: [&str; 2] = ["session.intra_op.allow_spinning", "session.inter_op.allow_spinning"];

/// The crate that binds ONNX Runtime in Rust.
const CRATE: &str = "ort";

/// Code in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionCode {
    /// The language and its binding of ONNX Runtime.
    pub language: String,
    /// The code, line by line.
    pub lines: Vec<String>,
}

/// The session in Rust, Python and C++; the model is called `model`, inputs hold `batch_size` samples.
#[must_use]
pub fn session_code(spec: &SessionSpec, model: &str, batch_size: u64) -> Vec<SessionCode> {
    let model = quoted(model);
    let samples = if batch_size == 1 { "one sample".into() } else { format!("{batch_size} samples") };
    [
        ("Rust (ort 2.0.0-rc)", rust(spec, &model), "//"),
        ("Python (onnxruntime)", python(spec, &model), "#"),
        ("C++ (Ort::SessionOptions)", cpp(spec, &model), "//"),
    ]
    .into_iter()
    .map(|(language, mut lines, comment)| {
        lines.push(format!("{comment} feed {samples} in each run"));
        SessionCode { language: language.into(), lines }
    })
    .collect()
}

/// A literal that means the same in all three languages.
fn quoted(text: &str) -> String {
    format!("\"{}\"", plain(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Configuration entries, those of spinning among them.
fn entries(spec: &SessionSpec) -> Vec<(String, String)> {
    let spinning = spec
        .options
        .allow_spinning
        .into_iter()
        .flat_map(|spins| SPINNING.map(|key| (quoted(key), quoted(if spins { "1" } else { "0" }))));
    let others = spec.options.session_config.iter().map(|(key, value)| (quoted(key), quoted(value)));
    spinning.chain(others).collect()
}

/// Options of the execution provider, its device among them.
fn provider_options(spec: &SessionSpec) -> Vec<(String, String)> {
    let device = spec.provider.device.filter(|_| !spec.provider.options.contains_key("device_id"));
    let device = device.map(|device| (quoted("device_id"), quoted(&device.to_string())));
    let others = spec.provider.options.iter().map(|(key, value)| (quoted(key), quoted(value)));
    device.into_iter().chain(others).collect()
}

fn listed(pairs: &[(String, String)], pair: impl Fn(&(String, String)) -> String) -> String {
    pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
}

fn rust(spec: &SessionSpec, model: &str) -> Vec<String> {
    let options = &spec.options;
    let level = match options.graph_optimization {
        GraphOptimization::Disable => "Disable",
        GraphOptimization::Basic => "Level1",
        GraphOptimization::Extended => "Level2",
        GraphOptimization::All => "All",
    };
    let mut lines = vec![
        format!("use {CRATE}::session::{{Session, builder::GraphOptimizationLevel}};"),
        String::new(),
        format!("let environment = {CRATE}::init().build()?;"),
        "let session = Session::builder(&environment)?".into(),
        format!("    .with_optimization_level(GraphOptimizationLevel::{level})?"),
        format!("    .with_intra_threads({})?", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("    .with_parallel_execution(true)?".into());
        lines.push(format!("    .with_inter_threads({})?", options.inter_threads));
    }
    lines.extend(options.memory_pattern.map(|pattern| format!("    .with_memory_pattern({pattern})?")));
    lines.extend(options.memory_arena.map(|arena| {
        format!("    .with_execution_providers([ort::ep::CPU::default().with_arena_allocator({arena}).build()])?")
    }));
    lines.extend(entries(spec).into_iter().map(|(key, value)| format!("    .with_config_entry({key}, {value})?")));
    if spec.execution_provider != CPU_PROVIDER {
        lines.push(rust_provider(spec));
    }
    lines.push(format!("    .commit_from_file({model})?;"));
    lines
}

fn rust_provider(spec: &SessionSpec) -> String {
    let name = match provider_short_name(&spec.execution_provider).as_str() {
        "cuda" => "CUDA",
        "tensorrt" => "TensorRT",
        "openvino" => "OpenVINO",
        "dnnl" => "OneDNN",
        "xnnpack" => "XNNPACK",
        _ => return format!("    // register {} here", plain(&spec.execution_provider)),
    };
    let options = provider_options(spec);
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("    // with its options {}", listed(&options, |(key, value)| format!("{key} = {value}")))
    };
    format!("    .with_execution_providers([ort::ep::{name}::default().build().error_on_failure()])?{options}")
}

fn python(spec: &SessionSpec, model: &str) -> Vec<String> {
    let options = &spec.options;
    let truth = |value: bool| if value { "True" } else { "False" };
    let mut lines = vec![
        "import onnxruntime as ort".to_owned(),
        String::new(),
        "options = ort.SessionOptions()".into(),
        format!(
            "options.graph_optimization_level = ort.GraphOptimizationLevel.{}",
            c_level(options.graph_optimization)
        ),
        format!("options.intra_op_num_threads = {}", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("options.execution_mode = ort.ExecutionMode.ORT_PARALLEL".into());
        lines.push(format!("options.inter_op_num_threads = {}", options.inter_threads));
    }
    lines.extend(options.memory_pattern.map(|pattern| format!("options.enable_mem_pattern = {}", truth(pattern))));
    lines.extend(options.memory_arena.map(|arena| format!("options.enable_cpu_mem_arena = {}", truth(arena))));
    let entries = entries(spec).into_iter();
    lines.extend(entries.map(|(key, value)| format!("options.add_session_config_entry({key}, {value})")));
    let providers = if spec.execution_provider == CPU_PROVIDER {
        quoted(CPU_PROVIDER)
    } else {
        let options = listed(&provider_options(spec), |(key, value)| format!("{key}: {value}"));
        format!("({}, {{{options}}}), {}", quoted(&spec.execution_provider), quoted(CPU_PROVIDER))
    };
    lines.push(format!("session = ort.InferenceSession({model}, options, providers=[{providers}])"));
    lines
}

fn cpp(spec: &SessionSpec, model: &str) -> Vec<String> {
    let options = &spec.options;
    let mut lines = vec![
        "#include <onnxruntime_cxx_api.h>".to_owned(),
        String::new(),
        "Ort::Env env{ORT_LOGGING_LEVEL_WARNING, \"app\"};".into(),
        "Ort::SessionOptions options;".into(),
        format!("options.SetGraphOptimizationLevel(GraphOptimizationLevel::{});", c_level(options.graph_optimization)),
        format!("options.SetIntraOpNumThreads({});", options.intra_threads),
    ];
    if options.execution_mode == ExecutionMode::Parallel {
        lines.push("options.SetExecutionMode(ExecutionMode::ORT_PARALLEL);".into());
        lines.push(format!("options.SetInterOpNumThreads({});", options.inter_threads));
    }
    let switch = |value: bool| if value { "Enable" } else { "Disable" };
    lines.extend(options.memory_pattern.map(|pattern| format!("options.{}MemPattern();", switch(pattern))));
    lines.extend(options.memory_arena.map(|arena| format!("options.{}CpuMemArena();", switch(arena))));
    let entries = entries(spec).into_iter();
    lines.extend(entries.map(|(key, value)| format!("options.AddConfigEntry({key}, {value});")));
    if spec.execution_provider != CPU_PROVIDER {
        lines.extend(cpp_provider(spec));
    }
    lines.push(format!("Ort::Session session{{env, ORT_TSTR({model}), options}};"));
    lines
}

fn cpp_provider(spec: &SessionSpec) -> Vec<String> {
    let pairs = listed(&provider_options(spec), |(key, value)| format!("{{{key}, {value}}}"));
    let of_nvidia = |class: &str, append: &str| {
        vec![
            format!("Ort::{class} provider;"),
            format!("provider.Update({{{pairs}}});"),
            format!("options.{append}(*provider);"),
        ]
    };
    match provider_short_name(&spec.execution_provider).as_str() {
        "cuda" => of_nvidia("CUDAProviderOptions", "AppendExecutionProvider_CUDA_V2"),
        "tensorrt" => of_nvidia("TensorRTProviderOptions", "AppendExecutionProvider_TensorRT_V2"),
        "openvino" => vec![format!("options.AppendExecutionProvider_OpenVINO_V2({{{pairs}}});")],
        _ => {
            let name = spec.execution_provider.trim_end_matches("ExecutionProvider");
            vec![format!("options.AppendExecutionProvider({}, {{{pairs}}});", quoted(name))]
        }
    }
}

fn c_level(level: GraphOptimization) -> &'static str {
    match level {
        GraphOptimization::Disable => "ORT_DISABLE_ALL",
        GraphOptimization::Basic => "ORT_ENABLE_BASIC",
        GraphOptimization::Extended => "ORT_ENABLE_EXTENDED",
        GraphOptimization::All => "ORT_ENABLE_ALL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{RuntimeChoice, SessionOptions};

    fn spec() -> SessionSpec {
        SessionSpec {
            variant: 0,
            runtime: RuntimeChoice::Library("lib.so".into()),
            execution_provider: CPU_PROVIDER.into(),
            provider: Default::default(),
            binding: Default::default(),
            options: SessionOptions {
                intra_threads: 4,
                inter_threads: 2,
                execution_mode: ExecutionMode::Parallel,
                allow_spinning: Some(false),
                memory_arena: Some(false),
                memory_pattern: Some(false),
                ..SessionOptions::default()
            },
        }
    }

    #[test]
    fn every_option_is_in_every_language() {
        let code: Vec<String> = session_code(&spec(), "m.onnx", 8).iter().map(|code| code.lines.join("\n")).collect();
        let wanted = [
            ["with_intra_threads(4)", "with_inter_threads(2)", "with_memory_pattern(false)", "arena_allocator(false)"],
            ["intra_op_num_threads = 4", "inter_op_num_threads = 2", "mem_pattern = False", "mem_arena = False"],
            ["IntraOpNumThreads(4)", "InterOpNumThreads(2)", "DisableMemPattern()", "DisableCpuMemArena()"],
        ];
        for (code, wanted) in code.iter().zip(wanted) {
            for text in wanted.into_iter().chain(["session.inter_op.allow_spinning\", \"0\"", "m.onnx", "8 samples"]) {
                assert!(code.contains(text), "{text}\n{code}");
            }
        }
    }

    #[test]
    fn names_of_models_cannot_leave_their_quotes() {
        let code = session_code(&spec(), "a\"b\\c\nd.onnx", 1);
        assert!(code[1].lines.iter().any(|line| line.contains(r#""a\"b\\c d.onnx""#)), "{code:?}");
    }
}

use super::*;
use crate::plan::SessionSpec;
use crate::plan::{ExecutionMode, RuntimeChoice, SessionOptions};
use crate::provider;
use crate::record::EffectiveOptions;

fn spec(provider: &str) -> SessionSpec {
    SessionSpec {
        variant: 0,
        runtime: RuntimeChoice::Library("lib.so".into()),
        execution_provider: provider::identifier(provider).into(),
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

fn code(spec: &SessionSpec, model: &str, effective: Option<&EffectiveOptions>) -> [String; 3] {
    let one = Deployment {
        spec,
        model,
        batch_size: 8,
        runtime_version: Some("1.31.1"),
        effective,
    };
    let code = session_code(&one);
    [0, 1, 2].map(|place| code[place].lines.join("\n"))
}

#[test]
fn libraries_of_custom_operators_are_registered_in_every_language() {
    let mut spec = spec("cpu");
    spec.options.custom_ops = vec!["ops/lib.so".into()];
    let registered = [
        "    .with_operator_library(\"ops/lib.so\")?",
        "options.register_custom_ops_library(\"ops/lib.so\")",
        "options.RegisterCustomOpsLibrary(ORT_TSTR(\"ops/lib.so\"));",
    ];
    for (code, line) in code(&spec, "m.onnx", None).iter().zip(registered) {
        assert!(code.contains(line), "{code}");
    }
}

#[test]
fn every_option_is_in_every_language() {
    let wanted = [
        [
            "with_intra_threads(4)",
            "with_inter_threads(2)",
            "with_memory_pattern(false)",
            "arena_allocator(false)",
        ],
        [
            "intra_op_num_threads = 4",
            "inter_op_num_threads = 2",
            "mem_pattern = False",
            "mem_arena = False",
        ],
        [
            "IntraOpNumThreads(4)",
            "InterOpNumThreads(2)",
            "DisableMemPattern()",
            "DisableCpuMemArena()",
        ],
    ];
    let common = [
        "session.inter_op.allow_spinning\", \"0\"",
        "m.onnx",
        "8 samples",
        "measured with ONNX Runtime 1.31.1",
    ];
    for (code, wanted) in code(&spec("cpu"), "m.onnx", None).iter().zip(wanted) {
        for text in wanted.into_iter().chain(common) {
            assert!(code.contains(text), "{text}\n{code}");
        }
    }
}

#[test]
fn names_of_models_cannot_leave_their_quotes() {
    let [_, python, _] = code(&spec("cpu"), "a\"b\\c\nd.onnx", None);
    assert!(python.contains(r#""a\"b\\c d.onnx""#), "{python}");
}

#[test]
fn code_is_for_the_version_of_the_crate_that_is_used_here() {
    let manifest = include_str!("../../../../Cargo.toml");
    let [name, version] = rust::CRATE;
    assert!(
        manifest.contains(&format!("{name} = {{ version = \"={version}\"")),
        "{version}"
    );
}

#[test]
fn providers_are_registered_as_they_were_measured() {
    let pairs = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    };
    let effective = EffectiveOptions {
        cpus: Vec::new(),
        threads_before_load_count: None,
        threads_after_load_count: None,
        has_cpu_per_thread: false,
        session_config: pairs(&[]),
        execution_providers: ["tensorrt", "cuda", "cpu"]
            .map(|name| provider::identifier(name).into())
            .into(),
        provider_options: pairs(&[("device_id", "1"), ("trt_fp16_enable", "1")]),
    };
    let [rust, python, cpp] = code(&spec("tensorrt"), "m.onnx", Some(&effective));
    let (tensorrt, cuda) = rust.split_once("CUDA::default()").unwrap();
    assert!(
        tensorrt.contains("TensorRT::default().with_arbitrary_config(\"device_id\", \"1\")"),
        "{rust}"
    );
    assert!(
        cuda.starts_with(".with_arbitrary_config(\"device_id\", \"1\").build()"),
        "{rust}"
    );
    for (code, part) in [
        (&rust, "features = [\"tensorrt\", \"cuda\"]"),
        (
            &python,
            "[(\"TensorrtExecutionProvider\", {\"device_id\": \"1\", \"trt_fp16_enable\": \"1\"}), \
              (\"CUDAExecutionProvider\", {\"device_id\": \"1\"}), \"CPUExecutionProvider\"]",
        ),
        (
            &cpp,
            "tensorrt.Update({{\"device_id\", \"1\"}, {\"trt_fp16_enable\", \"1\"}});",
        ),
        (&cpp, "options.AppendExecutionProvider_CUDA_V2(*cuda);"),
    ] {
        assert!(code.contains(part), "{code}");
    }
}

#[test]
fn providers_whose_options_were_not_read_back_get_those_that_they_would_be_registered_with() {
    let mut spec = spec("openvino");
    spec.provider.device = Some(1);
    let [rust, python, cpp] = code(&spec, "m.onnx", None);
    assert!(
        python.contains(r#"{"device_type": "GPU.1", "num_of_threads": "4"}"#),
        "{python}"
    );
    for code in [rust, python, cpp] {
        assert!(
            code.contains("GPU.1") && !code.contains("device_id"),
            "{code}"
        );
    }
}

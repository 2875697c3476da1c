//! Words about execution providers and bindings, and what they spell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::values::{self, ProviderOption};
use crate::cli::CliError;
use crate::plan::{Binding, Flag, ProviderSpec};
use crate::provider::{self, CPU_PROVIDER, Graphs, Memory};

/// What runs the nodes, and where inputs and outputs lie.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Execution providers")]
pub struct ProviderArgs {
    /// Execution providers, each a session of its own: `cpu`, `cuda`, `tensorrt`, `openvino`, ...,
    /// ONNX Runtime's identifiers such as CUDAExecutionProvider, or names given with
    /// `--ep-library`.
    #[arg(long = Flag::Ep.word(), value_name = "NAME,NAME,...", value_delimiter = ',', default_value = "cpu")]
    pub ep: Vec<String>,
    /// Index of the device; for OpenVINO that of a GPU, for a library of `--ep-library` of one of
    /// its devices. [default: the execution provider's own]
    #[arg(long = Flag::Device.word(), value_name = "N", value_parser = values::device)]
    pub device: Option<u64>,
    /// An option of an execution provider, by its own key; EP may be left out where only one is
    /// planned besides the CPU's. May be given several times.
    #[arg(long = Flag::EpOption.word(), value_name = "[EP:]KEY=VALUE", value_parser = values::provider_option)]
    pub ep_option: Vec<ProviderOption>,
    /// A library that brings an execution provider, which `--ep NAME` runs on; may be given several
    /// times.
    #[arg(long = Flag::EpLibrary.word(), value_name = "NAME=PATH", value_parser = values::key_value)]
    pub ep_library: Vec<(String, String)>,
    /// Makes it an error if any node runs on another execution provider.
    #[arg(long = Flag::RequireEp.word())]
    pub require_ep: bool,
    /// Where inputs and outputs lie: in `host` memory, so that copies to the device and back are
    /// part of a latency, or in that of the `device`. Each is a session of its own.
    #[arg(long = Flag::Bind.word(), value_enum, value_name = "PLACE,PLACE", value_delimiter = ',', default_value = "host")]
    pub bind: Vec<BindArg>,
}

/// Where inputs and outputs lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BindArg {
    Host,
    Device,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    pub identifier: String,
    pub spec: ProviderSpec,
    pub bindings: Vec<Binding>,
}

impl Provider {
    fn is_cpu(&self) -> bool {
        self.identifier == CPU_PROVIDER
    }

    fn has_memory(&self) -> bool {
        provider::known(&self.identifier).memory != Memory::Host
    }

    /// Whether it is known to compute in host memory.
    fn is_on_host(&self) -> bool {
        let ProviderSpec {
            library, device, ..
        } = &self.spec;
        let known = provider::known(&self.identifier);
        let is_known = known.build.is_some() && library.is_none() && device.is_none();
        is_known && known.memory == Memory::Host
    }
}

/// The execution providers that the words spell, in their order.
pub fn providers(args: &ProviderArgs) -> Result<Vec<Provider>, CliError> {
    let libraries = libraries(args)?;
    let mut providers = named(&args.ep, &libraries)?;
    refuse_unused(&libraries, &providers)?;
    refuse_without_effect(args, &providers)?;
    for option in &args.ep_option {
        let place = place_of(option, &providers, &libraries)?;
        providers[place]
            .spec
            .options
            .insert(option.key.clone(), option.value.clone());
    }
    for provider in providers.iter_mut().filter(|provider| !provider.is_cpu()) {
        provider.spec.device = args.device;
        provider.spec.required = args.require_ep;
    }
    bind(&mut providers, &args.bind)?;
    Ok(providers)
}

/// A provider for each word, without options and bindings.
fn named(words: &[String], libraries: &Libraries) -> Result<Vec<Provider>, CliError> {
    let mut providers: Vec<Provider> = Vec::new();
    for word in words {
        let identifier = identifier(word, libraries)?;
        if !providers.iter().any(|known| known.identifier == identifier) {
            providers.push(Provider {
                bindings: Vec::new(),
                spec: ProviderSpec {
                    library: libraries.get(&identifier).cloned(),
                    ..ProviderSpec::default()
                },
                identifier,
            });
        }
    }
    Ok(providers)
}

fn refuse_unused(libraries: &Libraries, providers: &[Provider]) -> Result<(), CliError> {
    let unused = libraries
        .keys()
        .find(|name| !providers.iter().any(|known| known.identifier == **name));
    match unused {
        Some(unused) => Err(CliError::usage(
            format!("nothing runs on the library `{unused}`"),
            format!("add `{unused}` to `--ep`"),
        )),
        None => Ok(()),
    }
}

fn refuse_without_effect(args: &ProviderArgs, providers: &[Provider]) -> Result<(), CliError> {
    if providers.iter().any(|provider| !provider.is_cpu()) {
        return Ok(());
    }
    let flag = match (args.device, args.require_ep) {
        (Some(_), _) => "--device",
        (None, true) => "--require-ep",
        (None, false) => return Ok(()),
    };
    Err(CliError::usage(
        format!("`{flag}` has no effect on the CPU execution provider"),
        "name another one with `--ep`",
    ))
}

/// Makes sure that sessions that capture graphs are bound to the device, and that no two requests
/// run on them at once.
pub fn check_graphs(providers: &[Provider], concurrency: &[u64]) -> Result<(), CliError> {
    for provider in providers {
        let graphs = provider::known(&provider.identifier).graphs;
        let Some(key) = graphs.asked(&provider.spec.options) else {
            continue;
        };
        let (message, hint) = if let Graphs::One { instead, .. } = graphs {
            let message = "keeps one graph for one shape, which other batch sizes and inputs would be taken for";
            (
                format!("`{key}` {message}"),
                format!("leave it out, or use `{instead}`"),
            )
        } else if provider.bindings.as_slice() != [Binding::Device] {
            let message = "needs `--bind device`: a captured graph reads and writes fixed addresses on the device";
            (
                format!("`{key}` {message}"),
                "write `--bind device`, or leave the option out".into(),
            )
        } else if concurrency.iter().any(|&count| count > 1) {
            let message = "allows one request in flight: no two threads may run a session that captures graphs";
            (
                format!("`{key}` {message}"),
                "leave out `--concurrency`, or the option".into(),
            )
        } else {
            continue;
        };
        return Err(CliError::usage(message, hint));
    }
    Ok(())
}

/// Libraries of execution providers, by the names that these go by.
pub type Libraries = BTreeMap<String, PathBuf>;

/// The libraries that the words name.
pub fn libraries(args: &ProviderArgs) -> Result<Libraries, CliError> {
    let found = args.ep_library.iter().map(|(name, path)| match std::fs::canonicalize(path) {
        Ok(path) => Ok((name.clone(), path)),
        Err(error) => {
            let hint = "write `--ep-library NAME=PATH` with the path of a library of execution providers";
            let error = CliError::bad_input(error.to_string(), hint);
            Err(error.causing(format!("cannot read `{path}`, named by --ep-library")))
        }
    });
    found.collect()
}

fn identifier(word: &str, libraries: &Libraries) -> Result<String, CliError> {
    if word.is_empty() {
        return Err(CliError::usage(
            "an execution provider has no name",
            "write them as in `--ep cpu,cuda`",
        ));
    }
    Ok(if libraries.contains_key(word) {
        word.to_owned()
    } else {
        provider::identifier(word)
    })
}

fn place_of(
    option: &ProviderOption,
    providers: &[Provider],
    libraries: &Libraries,
) -> Result<usize, CliError> {
    if let Some(word) = &option.provider {
        let identifier = identifier(word, libraries)?;
        return providers
            .iter()
            .position(|provider| provider.identifier == identifier)
            .ok_or_else(|| {
                let names = names(providers);
                let hint = format!("write it for one of {names}, or add `{word}` to `--ep`");
                CliError::usage(
                    format!("`--ep-option` is for `{word}`, which is not planned"),
                    hint,
                )
            });
    }
    let others: Vec<usize> = (0..providers.len())
        .filter(|&place| !providers[place].is_cpu())
        .collect();
    match others.as_slice() {
        [only] => Ok(*only),
        _ => {
            let (key, names) = (&option.key, names(providers));
            let hint = format!("write `--ep-option EP:{key}=...` with one of {names}");
            Err(CliError::usage(
                format!("`--ep-option {key}=...` does not say for which execution provider"),
                hint,
            ))
        }
    }
}

fn names(providers: &[Provider]) -> String {
    let names: Vec<String> = providers
        .iter()
        .map(|provider| provider::short_name(&provider.identifier))
        .collect();
    names.join(", ")
}

/// Gives every provider its bindings: that of the device only where it has memory of its own.
fn bind(providers: &mut [Provider], words: &[BindArg]) -> Result<(), CliError> {
    if words.contains(&BindArg::Device) {
        require_memory(providers)?;
    }
    for provider in providers {
        for word in words {
            let binding = match word {
                BindArg::Device if provider.has_memory() => Binding::Device,
                // Where computing is done in host memory, both come to the same.
                BindArg::Host | BindArg::Device => Binding::Host,
            };
            if !provider.bindings.contains(&binding) {
                provider.bindings.push(binding);
            }
        }
    }
    Ok(())
}

/// Makes sure that a provider's device has memory of its own, and that it is known of all whether
/// theirs has.
fn require_memory(providers: &[Provider]) -> Result<(), CliError> {
    let unknown = providers
        .iter()
        .find(|provider| !provider.has_memory() && !provider.is_on_host());
    if let Some(unknown) = unknown {
        let name = provider::short_name(&unknown.identifier);
        let message = format!(
            "`--bind device` is not to be had for {name}, whose device's memory onnxprof does not know"
        );
        let hint =
            format!("measure {name} in a run of its own without `--bind`: copies are inside then");
        return Err(CliError::usage(message, hint));
    }
    if providers.iter().any(Provider::has_memory) {
        return Ok(());
    }
    let others: Vec<String> = provider::ALL
        .iter()
        .filter(|known| known.memory != Memory::Host)
        .map(|known| format!("`{}`", known.names[0]))
        .collect();
    Err(CliError::usage(
        format!(
            "`--bind device` needs a device with memory of its own, which {} has not",
            names(providers)
        ),
        format!(
            "leave out `--bind`, or name {} with `--ep`",
            others.join(" or ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::exit;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        args: ProviderArgs,
    }

    fn parsed(words: &[&str]) -> Result<Vec<Provider>, CliError> {
        providers(
            &Words::try_parse_from([&["onnxprof"], words].concat())
                .unwrap()
                .args,
        )
    }

    #[track_caller]
    fn refused(words: &[&str], message: &str, hint: &str) {
        let error = parsed(words).unwrap_err();
        assert!(
            error.chain[0].contains(message) && error.hint.as_ref().unwrap().contains(hint),
            "{error:?}"
        );
        assert_eq!(error.code, exit::USAGE);
    }

    fn names(words: &[&str]) -> Vec<String> {
        parsed(words)
            .unwrap()
            .into_iter()
            .map(|provider| provider.identifier)
            .collect()
    }

    #[test]
    fn providers_keep_their_order_and_come_once() {
        assert_eq!(names(&[]), ["CPUExecutionProvider"]);
        assert_eq!(
            names(&["--ep", "cuda,CPU", "--ep", "CUDAExecutionProvider,trt"]),
            [
                "CUDAExecutionProvider",
                "CPUExecutionProvider",
                "TensorrtExecutionProvider"
            ]
        );
    }

    #[test]
    fn an_option_goes_to_the_only_other_provider_or_where_it_says() {
        let found = parsed(&["--ep", "cpu,cuda", "--ep-option", "enable_cuda_graph=1"]).unwrap();
        assert_eq!(found[1].spec.options["enable_cuda_graph"], "1");
        assert!(found[0].spec.options.is_empty());
        let words = [
            "--ep",
            "cpu,cuda,openvino",
            "--ep-option",
            "openvino:device_type=HETERO:GPU,CPU",
        ];
        let found = parsed(&words).unwrap();
        assert_eq!(found[2].spec.options["device_type"], "HETERO:GPU,CPU");
        assert_eq!(
            parsed(&["--ep-option", "cpu:use_arena=0"]).unwrap()[0]
                .spec
                .options["use_arena"],
            "0"
        );
    }

    #[test]
    fn an_option_that_could_be_anybodys_is_refused() {
        refused(
            &["--ep", "cuda,openvino", "--ep-option", "a=b"],
            "does not say",
            "EP:a=...",
        );
        refused(&["--ep-option", "a=b"], "does not say", "cpu");
        refused(
            &["--ep", "cuda", "--ep-option", "openvino:a=b"],
            "for `openvino`, which is not planned",
            "cuda",
        );
    }

    #[test]
    fn device_and_requirement_are_for_other_providers_than_the_cpu() {
        let found = parsed(&["--ep", "cpu,cuda", "--device", "1", "--require-ep"]).unwrap();
        assert_eq!(
            (found[0].spec.device, found[0].spec.required),
            (None, false)
        );
        assert_eq!(
            (found[1].spec.device, found[1].spec.required),
            (Some(1), true)
        );
        refused(&["--device", "1"], "`--device` has no effect", "`--ep`");
        refused(&["--require-ep"], "`--require-ep` has no effect", "`--ep`");
    }

    #[test]
    fn device_memory_is_bound_where_there_is_some() {
        let found = parsed(&["--ep", "cpu,cuda", "--bind", "host,device"]).unwrap();
        assert_eq!(found[0].bindings, [Binding::Host]);
        assert_eq!(found[1].bindings, [Binding::Host, Binding::Device]);
        assert_eq!(
            parsed(&["--ep", "cuda", "--bind", "device"]).unwrap()[0].bindings,
            [Binding::Device]
        );
        refused(
            &["--ep", "cpu,openvino", "--bind", "device"],
            "which cpu, openvino has not",
            "`cuda`",
        );
    }

    #[test]
    fn device_binding_is_refused_where_the_device_s_memory_is_not_known() {
        for eps in ["cuda,webgpu", "cuda,Foo"] {
            refused(
                &["--ep", eps, "--bind", "device"],
                "is not to be had for",
                "without `--bind`",
            );
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        let library = format!("My_EP={}", file.path().display());
        let words = [
            "--ep-library",
            &library,
            "--ep",
            "cuda,My_EP",
            "--bind",
            "host,device",
        ];
        refused(
            &words,
            "is not to be had for My_EP",
            "My_EP in a run of its own",
        );
        refused(
            &["--ep", "cuda,openvino", "--device", "0", "--bind", "device"],
            "for openvino",
            "own",
        );
        let found = parsed(&["--ep", "cuda,openvino", "--bind", "device"]).unwrap();
        assert_eq!(
            (&found[0].bindings[..], &found[1].bindings[..]),
            (&[Binding::Device][..], &[Binding::Host][..])
        );
    }

    #[test]
    fn captured_graphs_need_fixed_addresses_on_the_device_and_one_request_at_a_time() {
        let checked = |words: &[&str], concurrency: &[u64]| {
            let error = check_graphs(
                &parsed(&[&["--ep", "cpu,cuda,tensorrt"], words].concat()).unwrap(),
                concurrency,
            );
            error.map_err(|error| (error.code, error.chain[0].clone(), error.hint.unwrap()))
        };
        let on = ["--ep-option", "cuda:enable_cuda_graph=1"];
        for words in [&on[..], &[&on[..], &["--bind", "host,device"]].concat()] {
            let (code, message, hint) = checked(words, &[1]).unwrap_err();
            assert!(message.contains("needs `--bind device`") && hint.contains("leave the option"));
            assert_eq!(code, exit::USAGE);
        }
        let on_device = [&on[..], &["--bind", "device"]].concat();
        assert_eq!(checked(&on_device, &[1]), Ok(()));
        assert!(
            checked(&on_device, &[1, 4])
                .unwrap_err()
                .1
                .contains("one request in flight")
        );
        let tensorrt = [
            "--ep-option",
            "tensorrt:trt_cuda_graph_enable=1",
            "--bind",
            "device",
        ];
        assert!(
            checked(&tensorrt, &[1])
                .unwrap_err()
                .1
                .contains("keeps one graph for one shape")
        );
        assert_eq!(
            checked(&["--ep-option", "cuda:enable_cuda_graph=0"], &[4]),
            Ok(())
        );
    }

    #[test]
    fn a_library_brings_a_provider_of_its_own_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let library = format!("My_EP={}", file.path().display());
        let found = parsed(&[
            "--ep-library",
            &library,
            "--ep",
            "cpu,My_EP",
            "--ep-option",
            "My_EP:a=b",
        ])
        .unwrap();
        assert_eq!(found[1].identifier, "My_EP");
        assert!(found[1].spec.library.is_some() && found[1].spec.options["a"] == "b");
        refused(
            &["--ep-library", &library],
            "nothing runs on the library `My_EP`",
            "`--ep`",
        );
        let error = parsed(&["--ep-library", "X=/no/such.so", "--ep", "X"]).unwrap_err();
        assert_eq!(
            (error.code, error.chain[0].contains("`/no/such.so`")),
            (exit::BAD_INPUT, true)
        );
    }
}

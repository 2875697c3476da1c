//! Words about execution providers and bindings, and what they spell.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::values::{self, ProviderOption};
use crate::cli::{CliError, Result};
use crate::plan::{Binding, Flag, ProviderSpec};
use crate::provider::{self, CPU_PROVIDER, Graphs, Memory};
use crate::text::{distinct, joined};

/// Execution providers that run the nodes, and the memory that inputs and outputs lie in.
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
    #[arg(long = Flag::Bind.word(), value_name = "PLACE,PLACE", value_delimiter = ',', default_value = "host")]
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
        let known = provider::known(&self.identifier);
        let is_known = known.build.is_some() && self.spec.library.is_none();
        is_known && self.spec.device.is_none() && known.memory == Memory::Host
    }
}

/// The execution providers that the words spell, in their order.
pub fn providers(args: &ProviderArgs) -> Result<Vec<Provider>> {
    let libraries = libraries(args)?;
    let mut providers = named(&args.ep, &libraries)?;
    refuse_unused(&libraries, &providers)?;
    refuse_without_effect(args, &providers)?;
    for option in &args.ep_option {
        let place = place_of(option, &providers, &libraries)?;
        let options = &mut providers[place].spec.options;
        options.insert(option.key.as_str().into(), option.value.as_str().into());
    }
    for provider in providers.iter_mut().filter(|provider| !provider.is_cpu()) {
        provider.spec.device = args.device;
        provider.spec.required = args.require_ep;
    }
    bind(&mut providers, &args.bind)?;
    Ok(providers)
}

/// A provider for each word, without options and bindings.
fn named(words: &[String], libraries: &Libraries) -> Result<Vec<Provider>> {
    Ok(distinct(
        words
            .iter()
            .map(|word| identifier(word, libraries))
            .collect::<Result<Vec<_>>>()?,
    )
    .into_iter()
    .map(|identifier| Provider {
        bindings: Vec::new(),
        spec: ProviderSpec {
            library: libraries.get(&identifier).cloned(),
            ..ProviderSpec::default()
        },
        identifier,
    })
    .collect())
}

fn refuse_unused(libraries: &Libraries, providers: &[Provider]) -> Result<()> {
    libraries
        .keys()
        .find(|name| providers.iter().all(|known| known.identifier != **name))
        .map_or(Ok(()), |unused| {
            Err(CliError::usage(
                format!("nothing runs on the library `{unused}`"),
                format!("add `{unused}` to `--ep`"),
            ))
        })
}

fn refuse_without_effect(args: &ProviderArgs, providers: &[Provider]) -> Result<()> {
    let flag = match (args.device, args.require_ep) {
        _ if !providers.iter().all(Provider::is_cpu) => return Ok(()),
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
pub fn check_graphs(providers: &[Provider], concurrency: &[u64]) -> Result<()> {
    for Provider {
        identifier,
        spec,
        bindings,
    } in providers
    {
        let graphs = provider::known(identifier).graphs;
        let Some(key) = graphs.asked(&spec.options) else {
            continue;
        };
        let (message, hint) = if let Graphs::One { instead, .. } = graphs {
            (
                "keeps one graph for one shape, which other batch sizes and inputs would be taken for",
                format!("leave it out, or use `{instead}`"),
            )
        } else if bindings != &[Binding::Device] {
            (
                "needs `--bind device`: a captured graph reads and writes fixed addresses on the device",
                "write `--bind device`, or leave the option out".into(),
            )
        } else if concurrency.iter().any(|&count| count > 1) {
            (
                "allows one request in flight: no two threads may run a session that captures graphs",
                "leave out `--concurrency`, or the option".into(),
            )
        } else {
            continue;
        };
        return Err(CliError::usage(format!("`{key}` {message}"), hint));
    }
    Ok(())
}

/// Libraries of execution providers, by the names that these go by.
pub type Libraries = BTreeMap<String, PathBuf>;

/// The libraries that the words name.
pub fn libraries(args: &ProviderArgs) -> Result<Libraries> {
    args.ep_library
        .iter()
        .map(|(name, path)| match std::fs::canonicalize(path) {
            Ok(path) => Ok((name.clone(), path)),
            Err(error) => Err(CliError::bad_input(
                error.to_string(),
                "write `--ep-library NAME=PATH` with the path of a library of execution providers",
            )
            .causing(format!("cannot read `{path}`, named by --ep-library"))),
        })
        .collect()
}

fn identifier(word: &str, libraries: &Libraries) -> Result<String> {
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
) -> Result<usize> {
    let ProviderOption { provider, key, .. } = option;
    if let Some(word) = provider {
        let identifier = identifier(word, libraries)?;
        let place = providers
            .iter()
            .position(|provider| provider.identifier == identifier);
        return place.ok_or_else(|| {
            let names = names(providers);
            CliError::usage(
                format!("`--ep-option` is for `{word}`, which is not planned"),
                format!("write it for one of {names}, or add `{word}` to `--ep`"),
            )
        });
    }
    let mut others = (0..providers.len()).filter(|&place| !providers[place].is_cpu());
    match (others.next(), others.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(CliError::usage(
            format!("`--ep-option {key}=...` does not say for which execution provider"),
            format!(
                "write `--ep-option EP:{key}=...` with one of {}",
                names(providers)
            ),
        )),
    }
}

fn names(providers: &[Provider]) -> String {
    joined(
        providers
            .iter()
            .map(|provider| provider::short_name(&provider.identifier)),
    )
}

/// Gives every provider its bindings: that of the device only where it has memory of its own.
fn bind(providers: &mut [Provider], words: &[BindArg]) -> Result<()> {
    if words.contains(&BindArg::Device) {
        require_memory(providers)?;
    }
    for provider in providers {
        let has_memory = provider.has_memory();
        provider.bindings = distinct(words.iter().map(|word| match word {
            BindArg::Device if has_memory => Binding::Device,
            // Where computing is done in host memory, both come to the same.
            BindArg::Host | BindArg::Device => Binding::Host,
        }));
    }
    Ok(())
}

/// Makes sure that a provider's device has memory of its own, and that it is known of all whether
/// theirs has.
fn require_memory(providers: &[Provider]) -> Result<()> {
    if let Some(unknown) = providers
        .iter()
        .filter(|provider| !provider.has_memory())
        .find(|provider| !provider.is_on_host())
    {
        let name = provider::short_name(&unknown.identifier);
        return Err(CliError::usage(
            format!(
                "`--bind device` is not to be had for {name}, whose device's memory onnxprof does not know"
            ),
            format!("measure {name} in a run of its own without `--bind`: copies are inside then"),
        ));
    }
    if providers.iter().any(Provider::has_memory) {
        return Ok(());
    }
    let known = provider::ALL
        .iter()
        .filter(|known| known.memory != Memory::Host);
    let others: Vec<String> = known.map(|known| format!("`{}`", known.names[0])).collect();
    let (names, others) = (names(providers), others.join(" or "));
    Err(CliError::usage(
        format!("`--bind device` needs a device with memory of its own, which {names} has not"),
        format!("leave out `--bind`, or name {others} with `--ep`"),
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

    fn parsed(words: &str) -> Result<Vec<Provider>> {
        providers(
            &Words::try_parse_from(["onnxprof"].into_iter().chain(words.split_whitespace()))
                .unwrap()
                .args,
        )
    }

    #[track_caller]
    fn refused(words: &str, message: &str, hint: &str) {
        let error = parsed(words).unwrap_err();
        assert!(
            error.chain[0].contains(message) && error.hint.as_ref().unwrap().contains(hint),
            "{error:?}"
        );
        assert_eq!(error.code, exit::USAGE);
    }

    fn names(words: &str) -> String {
        joined(
            parsed(words)
                .unwrap()
                .into_iter()
                .map(|provider| provider.identifier),
        )
    }

    #[test]
    fn providers_keep_their_order_and_come_once() {
        assert_eq!(names(""), "CPUExecutionProvider");
        assert_eq!(
            names("--ep cuda,CPU --ep CUDAExecutionProvider,trt"),
            "CUDAExecutionProvider, CPUExecutionProvider, TensorrtExecutionProvider"
        );
    }

    #[test]
    fn an_option_goes_to_the_only_other_provider_or_where_it_says() {
        for (words, place, key, value) in [
            (
                "--ep cpu,cuda --ep-option enable_cuda_graph=1",
                1,
                "enable_cuda_graph",
                "1",
            ),
            (
                "--ep cpu,cuda,openvino --ep-option openvino:device_type=HETERO:GPU,CPU",
                2,
                "device_type",
                "HETERO:GPU,CPU",
            ),
            ("--ep-option cpu:use_arena=0", 0, "use_arena", "0"),
        ] {
            for (other, found) in parsed(words).unwrap().iter().enumerate() {
                let option = found
                    .spec
                    .options
                    .get(&key.into())
                    .map(crate::text::Plain::exact);
                assert_eq!(option, (other == place).then_some(value), "{words}");
            }
        }
    }

    #[test]
    fn an_option_that_could_be_anybodys_is_refused() {
        refused(
            "--ep cuda,openvino --ep-option a=b",
            "does not say",
            "EP:a=...",
        );
        refused("--ep-option a=b", "does not say", "cpu");
        refused(
            "--ep cuda --ep-option openvino:a=b",
            "for `openvino`, which is not planned",
            "cuda",
        );
    }

    #[test]
    fn device_and_requirement_are_for_other_providers_than_the_cpu() {
        let found = parsed("--ep cpu,cuda --device 1 --require-ep").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.spec.device, found.spec.required))
            .collect();
        assert_eq!(found, [(None, false), (Some(1), true)]);
        refused("--device 1", "`--device` has no effect", "`--ep`");
        refused("--require-ep", "`--require-ep` has no effect", "`--ep`");
    }

    fn bindings(words: &str) -> String {
        let providers = parsed(words).unwrap().into_iter();
        let bindings: Vec<_> = providers.map(|provider| provider.bindings).collect();
        format!("{bindings:?}")
    }

    #[test]
    fn device_memory_is_bound_where_there_is_some() {
        for (words, expected) in [
            (
                "--ep cpu,cuda --bind host,device",
                "[[Host], [Host, Device]]",
            ),
            ("--ep cuda --bind device", "[[Device]]"),
            ("--ep cuda,openvino --bind device", "[[Device], [Host]]"),
        ] {
            assert_eq!(bindings(words), expected, "{words}");
        }
        refused(
            "--ep cpu,openvino --bind device",
            "which cpu, openvino has not",
            "`cuda`",
        );
    }

    #[test]
    fn device_binding_is_refused_where_the_device_s_memory_is_not_known() {
        for unknown in ["webgpu", "Foo"] {
            let words = format!("--ep cuda,{unknown} --bind device");
            refused(&words, "is not to be had for", "without `--bind`");
        }
        refused(
            "--ep cuda,openvino --device 0 --bind device",
            "for openvino",
            "own",
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        refused(
            &format!(
                "--ep-library My_EP={} --ep cuda,My_EP --bind host,device",
                file.path().display()
            ),
            "is not to be had for My_EP",
            "My_EP in a run of its own",
        );
    }

    #[test]
    fn captured_graphs_need_fixed_addresses_on_the_device_and_one_request_at_a_time() {
        let checked = |words: &str, concurrency: &[u64]| {
            let providers = parsed(&format!("--ep cpu,cuda,tensorrt --ep-option {words}")).unwrap();
            check_graphs(&providers, concurrency)
                .map_err(|error| (error.code, error.chain[0].clone(), error.hint.unwrap()))
        };
        let on = "cuda:enable_cuda_graph=1";
        for words in [on, "cuda:enable_cuda_graph=1 --bind host,device"] {
            let (code, message, hint) = checked(words, &[1]).unwrap_err();
            assert!(message.contains("needs `--bind device`") && hint.contains("leave the option"));
            assert_eq!(code, exit::USAGE);
        }
        let on_device = format!("{on} --bind device");
        assert_eq!(checked(&on_device, &[1]), Ok(()));
        assert_eq!(checked("cuda:enable_cuda_graph=0", &[4]), Ok(()));
        let tensorrt = "tensorrt:trt_cuda_graph_enable=1 --bind device";
        for (words, concurrency, mistake) in [
            (on_device.as_str(), &[1, 4][..], "one request in flight"),
            (tensorrt, &[1], "keeps one graph for one shape"),
        ] {
            let (_, message, _) = checked(words, concurrency).unwrap_err();
            assert!(message.contains(mistake), "{message}");
        }
    }

    #[test]
    fn a_library_brings_a_provider_of_its_own_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let library = format!("--ep-library My_EP={}", file.path().display());
        let words = format!("{library} --ep cpu,My_EP --ep-option My_EP:a=b");
        let Provider {
            identifier, spec, ..
        } = &parsed(&words).unwrap()[1];
        assert_eq!(identifier, "My_EP");
        assert!(spec.library.is_some() && spec.options[&"a".into()] == "b");
        refused(&library, "nothing runs on the library `My_EP`", "`--ep`");
        let error = parsed("--ep-library X=/no/such.so --ep X").unwrap_err();
        assert_eq!(error.code, exit::BAD_INPUT);
        assert!(error.chain[0].contains("`/no/such.so`"), "{error:?}");
    }
}

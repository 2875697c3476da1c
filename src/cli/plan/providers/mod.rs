//! Words about execution providers and bindings, and what they spell.

mod bindings;
mod graphs;
mod planned;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::bindings::{BindArg, bind};
pub use self::graphs::check_graphs;
pub use self::planned::Provider;
use self::planned::names;
use super::values::{self, ProviderOption};
use crate::cli::{CliError, Result};
use crate::plan::{Flag, ProviderSpec};
use crate::provider;
use crate::text::distinct;

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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::exit;
    use crate::text::joined;

    #[derive(Debug, Parser)]
    struct Words {
        #[command(flatten)]
        args: ProviderArgs,
    }

    pub(super) fn parsed(words: &str) -> Result<Vec<Provider>> {
        providers(
            &Words::try_parse_from(["onnxprof"].into_iter().chain(words.split_whitespace()))
                .unwrap()
                .args,
        )
    }

    #[track_caller]
    pub(super) fn refused(words: &str, message: &str, hint: &str) {
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

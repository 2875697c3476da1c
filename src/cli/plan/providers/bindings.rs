//! Where inputs and outputs lie: words for it, and what they come to for each execution provider.

use super::planned::{Provider, names};
use crate::cli::{CliError, Result};
use crate::plan::Binding;
use crate::provider::{self, Memory};
use crate::text::distinct;

/// Where inputs and outputs lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum BindArg {
    Host,
    Device,
}

/// Gives every provider its bindings: that of the device only where it has memory of its own.
pub(super) fn bind(providers: &mut [Provider], words: &[BindArg]) -> Result<()> {
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
    use super::super::tests::{parsed, refused};

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
}

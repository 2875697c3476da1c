//! What sessions that capture graphs need of the rest of a plan.

use super::planned::Provider;
use crate::cli::{CliError, Result};
use crate::plan::Binding;
use crate::provider::{self, Graphs};

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

#[cfg(test)]
mod tests {
    use super::super::tests::parsed;
    use super::check_graphs;
    use crate::cli::exit;

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
}

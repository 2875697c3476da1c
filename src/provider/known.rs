//! The form in which an execution provider is known.

use std::collections::BTreeMap;

use super::build::Build;
use crate::text::Plain;

/// Options of an execution provider, by its own keys.
pub type Options = BTreeMap<Plain, Plain>;

/// Known facts about an execution provider.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionProvider {
    /// ONNX Runtime's identifier, such as `CPUExecutionProvider`.
    pub identifier: &'static str,
    /// Short names; reports use the first.
    pub names: &'static [&'static str],
    /// The official build that has it; absent where none has.
    pub build: Option<Build>,
    /// The hardware that it computes on.
    pub hardware: Hardware,
    /// The memory that it computes in.
    pub memory: Memory,
    /// What the host does in one of its nodes.
    pub host: HostWork,
    /// How it captures the kernels of an inference.
    pub graphs: Graphs,
    /// Its own keys for what every session is asked for.
    pub options: OptionKeys,
    /// Its place in the Rust binding; absent where that has none.
    pub in_rust: Option<InRust>,
    /// Its call in C++.
    pub in_cpp: InCpp,
    /// Advice on a message of its own; absent where the message is not known.
    pub hint: fn(&str) -> Option<String>,
}

/// Hardware, as far as it is to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// A GPU of NVIDIA's, which NVML samples.
    NvidiaGpu,
    /// A service elsewhere, of which a profile knows nothing.
    Service,
    /// The host's processors, or a device that is not sampled.
    Other,
}

/// Memory that an execution provider computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The host's.
    Host,
    /// That of a CUDA device.
    Cuda,
}

/// What the host does in a node of an execution provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostWork {
    /// It computes, or waits for what does: its time in the node is the node's.
    Computes,
    /// It hands work over to a device and goes on before that has computed: its time in the node says
    /// nothing of how long the device takes.
    HandsOver,
}

/// How an execution provider captures the kernels of an inference once, and replays them in the
/// next as one.
///
/// A captured graph belongs to one shape of inputs and to fixed addresses on the device, so that
/// inputs and outputs must be bound there, and no two threads may run such a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Graphs {
    /// It does not.
    None,
    /// This option of its own turns that on; there may be a graph for each shape.
    PerShape(&'static str),
    /// An option of its own turns that on; there is one graph, whatever the inputs.
    One {
        /// Its key.
        key: &'static str,
        /// Words of the command line that bring a graph for each shape.
        instead: &'static str,
    },
}

impl Graphs {
    /// The option that turns graphs on, if it is among `options` and does.
    #[must_use]
    pub fn asked(self, options: &Options) -> Option<&'static str> {
        let (Graphs::PerShape(key) | Graphs::One { key, .. }) = self else {
            return None;
        };
        let value = options.get(&key.into())?;
        OFF.iter()
            .all(|off| !off.eq_ignore_ascii_case(value.exact()))
            .then_some(key)
    }
}

const OFF: [&str; 2] = ["0", "false"];

/// Keys of an execution provider's own options.
#[derive(Clone, Copy, Debug)]
pub struct OptionKeys {
    /// Of the device; absent where it knows only one.
    pub device: Option<DeviceOption>,
    /// Of the number of its threads; absent where those of the session are its own, or none are.
    pub threads: Option<&'static str>,
    /// Of what `0` forbids: floats rounded to fewer bits than they are stored in; absent where
    /// nothing forbids it.
    pub short_floats: Option<&'static str>,
}

/// An option that chooses a device by its index.
#[derive(Clone, Copy, Debug)]
pub struct DeviceOption {
    /// Its key.
    pub key: &'static str,
    /// Text before the index.
    pub prefix: &'static str,
}

/// A name in the Rust crate that binds ONNX Runtime.
#[derive(Clone, Copy, Debug)]
pub struct InRust {
    /// Its type there.
    pub name: &'static str,
    /// The feature that brings it; absent where it is always there.
    pub feature: Option<&'static str>,
}

/// A call of ONNX Runtime's C++ interface that registers an execution provider.
#[derive(Clone, Copy, Debug)]
pub enum InCpp {
    /// One of its own, which takes a struct of options; both hold this name.
    Struct(&'static str),
    /// One of its own, which takes keys and values, and holds this name.
    Pairs(&'static str),
    /// That for all others, which takes the identifier.
    ByIdentifier,
}

impl ExecutionProvider {
    /// One of which no more is known than what it is called.
    pub(super) const fn named(identifier: &'static str, names: &'static [&'static str]) -> Self {
        ExecutionProvider {
            identifier,
            names,
            build: None,
            hardware: Hardware::Other,
            memory: Memory::Host,
            host: HostWork::Computes,
            graphs: Graphs::None,
            options: OptionKeys {
                device: Some(DeviceOption {
                    key: "device_id",
                    prefix: "",
                }),
                threads: None,
                short_floats: None,
            },
            in_rust: None,
            in_cpp: InCpp::ByIdentifier,
            hint: |_| None,
        }
    }

    /// One whose nodes hand work over to a device, and of which no more is known.
    pub(super) const fn of_device(
        identifier: &'static str,
        names: &'static [&'static str],
    ) -> Self {
        ExecutionProvider {
            host: HostWork::HandsOver,
            ..ExecutionProvider::named(identifier, names)
        }
    }

    /// Index of the device that options ask for; `None` where they ask for none, or name it in
    /// another way.
    #[must_use]
    pub fn device(&self, options: &Options) -> Option<u64> {
        let DeviceOption { key, prefix } = self.options.device?;
        options
            .get(&key.into())?
            .exact()
            .strip_prefix(prefix)?
            .parse()
            .ok()
    }

    /// Of the options, that of the device, for an execution provider behind this one.
    #[must_use]
    pub fn only_device(&self, options: &Options) -> Options {
        let mut options = options.clone();
        let own = self.options.device.map(|device| device.key);
        options.retain(|key, _| own.is_some_and(|own| *key == own));
        options
    }

    /// Options as it is registered with them: those asked for, and a device and a number of threads
    /// of the session's where they say nothing of these.
    #[must_use]
    pub fn with_defaults(&self, asked: &Options, device: Option<u64>, threads: u64) -> Options {
        let mut options = asked.clone();
        if let (Some(DeviceOption { key, prefix }), Some(index)) = (self.options.device, device) {
            options
                .entry(key.into())
                .or_insert(format!("{prefix}{index}").into());
        }
        if let Some(key) = self.options.threads {
            options
                .entry(key.into())
                .or_insert(threads.to_string().into());
        }
        options
    }
}

#[cfg(test)]
mod tests {
    use crate::provider::{Graphs, Options, cpu, cuda, openvino, tensorrt};

    fn options(words: &str) -> Options {
        words
            .split_whitespace()
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    #[test]
    fn device_and_threads_become_options_unless_they_were_given() {
        for (provider, given, device, expected) in [
            (cuda::PROVIDER, "", Some(1), "device_id=1"),
            (tensorrt::PROVIDER, "", Some(1), "device_id=1"),
            (
                openvino::PROVIDER,
                "",
                Some(1),
                "device_type=GPU.1 num_of_threads=3",
            ),
            (cuda::PROVIDER, "device_id=0", Some(1), "device_id=0"),
            (cpu::PROVIDER, "", None, ""),
        ] {
            let found = provider.with_defaults(&options(given), device, 3);
            assert_eq!(found, options(expected), "{provider:?}");
        }
    }

    #[test]
    fn a_device_is_read_where_an_option_has_its_index_and_graphs_where_one_is_not_off() {
        for (provider, given, device) in [
            (cuda::PROVIDER, "device_id=2", Some(2)),
            (openvino::PROVIDER, "device_type=GPU.1", Some(1)),
            (openvino::PROVIDER, "device_type=HETERO:GPU,CPU", None),
        ] {
            assert_eq!(provider.device(&options(given)), device, "{given}");
        }
        let cuda = cuda::PROVIDER.graphs;
        for (graphs, value, is_on) in [
            (cuda, "1", true),
            (cuda, "true", true),
            (cuda, "0", false),
            (cuda, "False", false),
            (tensorrt::PROVIDER.graphs, "1", false),
            (Graphs::None, "1", false),
        ] {
            let asked = graphs.asked(&options(&format!("enable_cuda_graph={value}")));
            assert_eq!(asked.is_some(), is_on, "{graphs:?} {value}");
        }
    }
}

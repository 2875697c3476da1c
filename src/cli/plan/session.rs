//! Options that say how sessions are created, and the sessions of a plan.

use std::path::PathBuf;

use super::providers::Provider;
use super::{schedule, values};
use crate::cli::{CliError, Result};
use crate::plan::{ExecutionMode, Flag, GraphOptimization, Pin, SessionOptions, SessionSpec};
use crate::record::Host;
use crate::runner::FoundRuntime;
use crate::text::distinct;

/// How sessions are created.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Session")]
pub struct SessionArgs {
    /// ONNX Runtime libraries, measured side by side: paths, or versions such as `cpu@1.31.1`,
    /// which are installed if they are not there.
    #[arg(long = Flag::Runtime.word(), value_name = "PATH|BUILD@VERSION,...", value_delimiter = ',')]
    pub runtime: Vec<String>,
    /// Threads that run one operator. [default: the CPUs that this process may use; under load one
    /// fewer, for the thread that sends]
    #[arg(long = Flag::IntraThreads.word(), visible_alias = "threads", value_name = "N", value_parser = values::threads)]
    pub intra_threads: Option<u64>,
    /// Threads that run independent operators, in parallel execution mode.
    #[arg(long = Flag::InterThreads.word(), value_name = "N", value_parser = values::threads, default_value_t = 1)]
    pub inter_threads: u64,
    /// Graph optimization level.
    #[arg(long = Flag::GraphOptimization.word(), default_value = "all")]
    pub graph_optimization: OptimizationArg,
    /// Whether independent operators may run at once.
    #[arg(long = Flag::ExecutionMode.word(), default_value = "sequential")]
    pub execution_mode: ExecutionArg,
    /// Whether idle threads of the session's pool spin. [default: the library's own]
    #[arg(long = Flag::AllowSpinning.word(), value_name = "BOOL")]
    pub allow_spinning: Option<bool>,
    /// Whether memory on the CPU comes from an arena, which keeps what it took. [default: the
    /// library's own]
    #[arg(long = Flag::MemoryArena.word(), value_name = "BOOL")]
    pub memory_arena: Option<bool>,
    /// Whether memory is planned ahead for inputs of one shape. [default: the library's own]
    #[arg(long = Flag::MemoryPattern.word(), value_name = "BOOL")]
    pub memory_pattern: Option<bool>,
    /// A session configuration entry, by ONNX Runtime's key; may be given several times.
    #[arg(long = Flag::SessionConfig.word(), value_name = "KEY=VALUE", value_parser = values::key_value)]
    pub session_config: Vec<(String, String)>,
    /// A library of custom operators that is registered with every session; may be given several
    /// times.
    #[arg(long = Flag::CustomOps.word(), value_name = "LIB")]
    pub custom_ops: Vec<PathBuf>,
}

impl SessionArgs {
    /// Names libraries of ONNX Runtime as a command line does.
    pub fn name_runtimes(&mut self, words: Option<&str>) {
        self.runtime = words
            .into_iter()
            .flat_map(|words| words.split(','))
            .map(str::to_owned)
            .collect();
    }
}

/// ONNX Runtime's graph optimization levels.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum OptimizationArg {
    Disable,
    Basic,
    Extended,
    All,
}

impl From<OptimizationArg> for GraphOptimization {
    fn from(arg: OptimizationArg) -> Self {
        match arg {
            OptimizationArg::Disable => GraphOptimization::Disable,
            OptimizationArg::Basic => GraphOptimization::Basic,
            OptimizationArg::Extended => GraphOptimization::Extended,
            OptimizationArg::All => GraphOptimization::All,
        }
    }
}

/// ONNX Runtime's execution modes.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum ExecutionArg {
    Sequential,
    Parallel,
}

impl From<ExecutionArg> for ExecutionMode {
    fn from(arg: ExecutionArg) -> Self {
        match arg {
            ExecutionArg::Sequential => ExecutionMode::Sequential,
            ExecutionArg::Parallel => ExecutionMode::Parallel,
        }
    }
}

/// The options of every session, on the CPUs that `pin` names.
pub fn options(args: &SessionArgs, pin: &Pin, host: &Host) -> Result<SessionOptions> {
    let cpus = schedule::pinned(pin, host)?;
    Ok(SessionOptions {
        intra_threads: args
            .intra_threads
            .unwrap_or(default_threads(host).min(cpus)),
        inter_threads: args.inter_threads,
        graph_optimization: args.graph_optimization.into(),
        execution_mode: args.execution_mode.into(),
        allow_spinning: args.allow_spinning,
        memory_pattern: args.memory_pattern,
        memory_arena: args.memory_arena,
        session_config: args
            .session_config
            .iter()
            .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
            .collect(),
        custom_ops: custom_ops(&args.custom_ops)?,
    })
}

/// Libraries of custom operators, each once.
pub fn custom_ops(words: &[PathBuf]) -> Result<Vec<PathBuf>> {
    if let Some(path) = words.iter().find(|path| !path.is_file()) {
        let path = path.display();
        return Err(CliError::bad_input(
            format!("there is no file `{path}`, which `--custom-ops` names"),
            "give the path of the shared library that registers the operators",
        ));
    }
    Ok(distinct(words.iter().cloned()))
}

/// A session for every runtime, execution provider, binding and variant, the first of each in the
/// first session.
pub fn sessions(
    runtimes: &[FoundRuntime],
    providers: &[Provider],
    variants: usize,
    options: &SessionOptions,
) -> Vec<SessionSpec> {
    let mut sessions = Vec::new();
    for FoundRuntime { choice, .. } in runtimes {
        for provider in providers {
            for &binding in &provider.bindings {
                sessions.extend((0..variants).map(|variant| SessionSpec {
                    variant,
                    runtime: choice.clone(),
                    execution_provider: provider.identifier.clone().into(),
                    provider: provider.spec.clone(),
                    binding,
                    options: options.clone(),
                }));
            }
        }
    }
    sessions
}

/// ONNX Runtime's own default is one thread for each physical core; control groups and affinity
/// limit it here.
pub fn default_threads(host: &Host) -> u64 {
    host.cpu
        .physical_count
        .unwrap_or(u64::MAX)
        .min(host.usable_cpus_count)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Binding, RuntimeChoice};
    use crate::provider;

    #[test]
    fn sessions_are_the_product_that_begins_with_the_first_of_each() {
        let runtime = |path: &str| FoundRuntime {
            release: None,
            choice: RuntimeChoice::Library(path.into()),
            found_by: "".into(),
        };
        let provider = |name: &str, bindings: &[Binding]| Provider {
            identifier: provider::identifier(name),
            spec: Default::default(),
            bindings: bindings.to_vec(),
        };
        let providers = [
            provider("cpu", &[Binding::Host]),
            provider("cuda", &[Binding::Host, Binding::Device]),
        ];
        let runtimes = ["a.so", "b.so"].map(runtime);
        let found = sessions(&runtimes, &providers, 2, &SessionOptions::default());
        assert_eq!(found.len(), 2 * 3 * 2);
        let words = |place: usize| {
            let one = &found[place];
            let (library, provider) = (one.runtime.word(), one.execution_provider.exact());
            format!("{library} {provider} {:?} {}", one.binding, one.variant)
        };
        assert_eq!(words(0), "a.so CPUExecutionProvider Host 0");
        assert_eq!(words(1), "a.so CPUExecutionProvider Host 1");
        assert_eq!(words(11), "b.so CUDAExecutionProvider Device 1");
    }
}

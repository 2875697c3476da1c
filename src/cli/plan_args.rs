//! From the words of `profile` to a plan.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::ep_args::Provider;
pub(super) use super::family::{Family, family};
use super::profile::Args;
use super::progress::Console;
use super::runtime::opener;
use super::values::SweptDim;
use super::{CliError, bounds, ep_args, exit};
use crate::plan::{
    InputRequest, LoadMode, PageCache, Pin, Plan, RuntimeChoice, Schedule, SessionOptions, SessionSpec, Shape,
    SweepEnd, unswept,
};
use crate::record::Host;
use crate::runner::FoundRuntime;
use crate::runtime::{self, FoundBy};
use crate::units::{Nanos, Ratio};

/// Batch sizes where none are named.
pub(super) const DEFAULT_BATCH_SIZES: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Wall time where neither a budget nor rounds are named.
const DEFAULT_BUDGET: Nanos = Nanos(60_000_000_000);

/// The runtimes of a run.
pub(super) struct Runtimes {
    pub found: Vec<FoundRuntime>,
    /// What installing those took that were missing: it happens once in the life of a machine, and is not of the run.
    pub installing: Duration,
}

/// Finds the runtimes, installing those that are missing, each once.
///
/// # Errors
/// See [`runtime::RuntimeError`].
pub(super) fn runtimes(words: &[String], console: &mut Console) -> Result<Runtimes, CliError> {
    let mut runtimes = Runtimes { found: Vec::new(), installing: Duration::ZERO };
    if words.is_empty() {
        let (only, installing) = found(None, console)?;
        return Ok(Runtimes { found: vec![only], installing });
    }
    for request in words {
        let (found, installing) = found(Some(request), console)?;
        runtimes.installing += installing;
        if runtimes.found.iter().any(|known| known.choice == found.choice) {
            console.say(&format!("`--runtime {request}` names a library that was named before; it is measured once"));
        } else {
            runtimes.found.push(found);
        }
    }
    Ok(runtimes)
}

/// A runtime, and what installing it took, if it was missing.
fn found(request: Option<&str>, console: &mut Console) -> Result<(FoundRuntime, Duration), CliError> {
    if let Some(script) = request.and_then(|request| request.strip_prefix("script:")) {
        let choice = RuntimeChoice::Script(script.into());
        return Ok((FoundRuntime { choice, found_by: "given by --runtime".into() }, Duration::ZERO));
    }
    let began = Instant::now();
    let found = runtime::resolve(request, &opener()?, &mut |sentence| console.say(sentence))
        .map_err(|error| CliError::new(exit::BAD_INPUT, &error).with_hint(error.hint()))?;
    let installing = if found.found_by == FoundBy::Installed { began.elapsed() } else { Duration::ZERO };
    let found_by = found.reason();
    Ok((FoundRuntime { choice: RuntimeChoice::Library(found.path), found_by }, installing))
}

/// The plan that the words spell, on this machine.
///
/// # Errors
/// CPUs that this process may not use, and words about execution providers that do not fit together.
pub(super) fn plan(args: &Args, family: &Family, runtimes: &[FoundRuntime], host: &Host) -> Result<Plan, CliError> {
    let cpus = pinned(&args.schedule.pin, host)?;
    let options = SessionOptions {
        intra_threads: args.session.intra_threads.unwrap_or_else(|| default_threads(host).min(cpus)),
        inter_threads: args.session.inter_threads,
        graph_optimization: args.session.graph_optimization.into(),
        execution_mode: args.session.execution_mode.into(),
        allow_spinning: args.session.allow_spinning,
        memory_pattern: args.session.memory_pattern,
        memory_arena: args.session.memory_arena,
        session_config: args.session.session_config.iter().cloned().collect(),
        custom_ops: custom_ops(&args.session.custom_ops)?,
    };
    let providers = ep_args::providers(&args.providers)?;
    ep_args::check_graphs(&providers, &args.concurrency)?;
    let plan = Plan {
        variants: family.variants.clone(),
        baseline: family.baseline,
        sessions: sessions(runtimes, &providers, family.variants.len(), &options),
        batch_sizes: sorted(args.batch.clone().unwrap_or_else(|| DEFAULT_BATCH_SIZES.to_vec())),
        sweep_end: if args.batch.is_some() { SweepEnd::Listed } else { SweepEnd::Saturation },
        load_modes: sorted(args.concurrency.clone())
            .into_iter()
            .map(|concurrency| LoadMode::Closed { concurrency })
            .collect(),
        shapes: shapes(args)?,
        idle_gaps_ns: idle_gaps(args),
        latency_limit_ns: args.latency_limit.map(Nanos::from),
        inputs: InputRequest {
            data: args.inputs.data.clone().or_else(|| family.data.clone()),
            ..args.inputs.request(args.schedule.seed)
        },
        task: args.scoring.task.into(),
        scored_samples: args.scoring.samples(),
        schedule: schedule(args),
        tuning: None,
    };
    bounds::check_block(&plan.schedule)?;
    bounds::check_cells(&plan)?;
    Ok(plan)
}

/// Libraries of custom operators, each once.
///
/// # Errors
/// One of them is no file.
pub(super) fn custom_ops(words: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut libraries: Vec<PathBuf> = Vec::new();
    for path in words {
        if !path.is_file() {
            let message = format!("there is no file `{}`, which `--custom-ops` names", path.display());
            return Err(CliError::message(exit::BAD_INPUT, message)
                .with_hint("give the path of the shared library that registers the operators".to_owned()));
        }
        if !libraries.contains(path) {
            libraries.push(path.clone());
        }
    }
    Ok(libraries)
}

/// Every combination of the sizes of swept dimensions, the first dimension's changing least.
///
/// # Errors
/// A dimension that is swept twice or has a size already, and data, whose own sizes would be swept.
fn shapes(args: &Args) -> Result<Vec<Shape>, CliError> {
    bounds::check_sweep(&args.sweep)?;
    let mut shapes = unswept();
    let mistake = |message: String, hint: &str| Err(CliError::message(exit::USAGE, message).with_hint(hint.to_owned()));
    for (place, SweptDim { name, sizes }) in args.sweep.iter().enumerate() {
        if args.sweep[..place].iter().any(|earlier| earlier.name == *name) {
            return mistake(format!("dimension `{name}` is swept twice"), "name all of its sizes in one `--sweep`");
        }
        if args.inputs.dims.iter().any(|(fixed, _)| fixed == name) {
            return mistake(
                format!("dimension `{name}` is set by `--dim` and swept by `--sweep`"),
                "leave out one of both",
            );
        }
        let with = |shape: &Shape, size: u64| {
            let mut dims = shape.dims.clone();
            dims.insert(name.clone(), size);
            Shape { dims, name: None }
        };
        shapes = shapes.iter().flat_map(|shape| sizes.iter().map(|&size| with(shape, size))).collect();
    }
    match (&args.inputs.data, args.sweep.first()) {
        (Some(data), Some(SweptDim { name, .. })) => mistake(
            format!("`{}` fixes the size of dimension `{name}`, which is to be swept", data.display()),
            "leave out `--data`: inputs of each size are made up then; or leave out `--sweep`",
        ),
        _ => Ok(shapes),
    }
}

/// The idle gaps asked for, ascending and distinct.
fn idle_gaps(args: &Args) -> Vec<Nanos> {
    let mut gaps: Vec<Nanos> = args.idle_gaps.iter().flatten().copied().map(Nanos::from).collect();
    gaps.sort_unstable();
    gaps.dedup();
    gaps
}

/// A session for every runtime, execution provider, binding and variant, the first of each in the first session.
pub(super) fn sessions(
    runtimes: &[FoundRuntime],
    providers: &[Provider],
    variants: usize,
    options: &SessionOptions,
) -> Vec<SessionSpec> {
    let mut sessions = Vec::new();
    for FoundRuntime { choice, .. } in runtimes {
        for Provider { identifier, spec, bindings } in providers {
            for &binding in bindings {
                sessions.extend((0..variants).map(|variant| SessionSpec {
                    variant,
                    runtime: choice.clone(),
                    execution_provider: identifier.clone(),
                    provider: spec.clone(),
                    binding,
                    options: options.clone(),
                }));
            }
        }
    }
    sessions
}

/// CPUs that a worker may run on, if all of those asked for are there.
pub(super) fn pinned(pin: &Pin, host: &Host) -> Result<u64, CliError> {
    let Pin::Cpus(cpus) = pin else { return Ok(host.usable_cpus_count) };
    match cpus.iter().find(|cpu| !host.affinity_cpus.contains(cpu)) {
        None => Ok(cpus.len() as u64),
        Some(cpu) => {
            let allowed: Vec<String> = host.affinity_cpus.iter().map(u64::to_string).collect();
            Err(CliError::message(exit::USAGE, format!("this process may not run on CPU {cpu}"))
                .with_hint(format!("choose from {} with `--pin`", allowed.join(","))))
        }
    }
}

fn schedule(args: &Args) -> Schedule {
    let schedule = &args.schedule;
    let default_budget = schedule.rounds.is_none().then_some(DEFAULT_BUDGET);
    Schedule {
        seed: schedule.seed,
        budget_ns: schedule.budget.map(Nanos::from).or(default_budget),
        rounds_count: schedule.rounds,
        alternations_count: schedule.alternations,
        block_ns: schedule.block.into(),
        target_half_width_ratio: Ratio(schedule.target),
        timeout_ns: schedule.timeout.into(),
        page_cache: if schedule.cold { PageCache::Cold } else { PageCache::Warm },
        pin: schedule.pin.clone(),
    }
}

pub(super) fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// ONNX Runtime's own default is one thread for each physical core; control groups and affinity limit it here.
pub(super) fn default_threads(host: &Host) -> u64 {
    host.cpu.physical_count.unwrap_or(u64::MAX).min(host.usable_cpus_count).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Binding, provider_identifier};

    #[test]
    fn sessions_are_the_product_that_begins_with_the_first_of_each() {
        let runtime = |path: &str| FoundRuntime { choice: RuntimeChoice::Library(path.into()), found_by: "".into() };
        let provider = |name: &str, bindings: &[Binding]| Provider {
            identifier: provider_identifier(name),
            spec: Default::default(),
            bindings: bindings.to_vec(),
        };
        let providers = [provider("cpu", &[Binding::Host]), provider("cuda", &[Binding::Host, Binding::Device])];
        let found = sessions(&[runtime("a.so"), runtime("b.so")], &providers, 2, &SessionOptions::default());
        assert_eq!(found.len(), 2 * 3 * 2);
        let place = |session: &SessionSpec| {
            (session.runtime.path().clone(), session.execution_provider.clone(), session.binding, session.variant)
        };
        assert_eq!(place(&found[0]), ("a.so".into(), provider_identifier("cpu"), Binding::Host, 0));
        assert_eq!(place(&found[1]), ("a.so".into(), provider_identifier("cpu"), Binding::Host, 1));
        assert_eq!(place(&found[11]), ("b.so".into(), provider_identifier("cuda"), Binding::Device, 1));
    }
}

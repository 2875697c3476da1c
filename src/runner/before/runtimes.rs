//! Before the first measurement: open every runtime of the plan once, and find out what it has.

use std::path::Path;

use crate::plan::{Plan, ProviderSpec, SessionSpec};
use crate::provider::CPU_PROVIDER;
use crate::record::{Failure, FailureKind, RuntimeInfo};
use crate::runner::FoundRuntime;
use crate::runner::launcher::{Launcher, unnamed_log};
use crate::runtime::{Cache, removal_hint};

/// Opens every runtime once, and every library of execution providers: one that cannot be used
/// would fail every session.
pub(super) async fn open_all(
    plan: &Plan,
    found: &[FoundRuntime],
    launcher: &Launcher,
) -> Result<Vec<RuntimeInfo>, Failure> {
    let mut runtimes: Vec<RuntimeInfo> = Vec::new();
    for spec in &plan.sessions {
        if runtime_of(&runtimes, spec).is_none() {
            runtimes.push(open_on_cpu(launcher, spec, found).await?);
        }
    }
    // A library of execution providers has to be tried; an execution provider that no runtime has
    // is asked for once more, for the words of its refusal.
    let mut opened: Vec<&SessionSpec> = Vec::new();
    for spec in &plan.sessions {
        let is_same = |other: &&SessionSpec| is_same_provider(spec, other);
        let mut same = plan.sessions.iter().filter(is_same);
        let is_had = spec.provider.library.is_none() && same.any(|other| offers(&runtimes, other));
        if !is_had && !opened.iter().any(is_same) {
            opened.push(spec);
            open(launcher, spec).await?;
        }
    }
    Ok(runtimes)
}

async fn open_on_cpu(
    launcher: &Launcher,
    spec: &SessionSpec,
    found: &[FoundRuntime],
) -> Result<RuntimeInfo, Failure> {
    let on_cpu = match spec.is_remote() {
        true => spec.clone(),
        false => SessionSpec {
            execution_provider: CPU_PROVIDER.into(),
            provider: ProviderSpec::default(),
            ..spec.clone()
        },
    };
    let mut info = open(launcher, &on_cpu)
        .await
        .map_err(|failure| of_cache(failure, spec.runtime.path()))?;
    if let Some(found) = found.iter().find(|found| found.choice == spec.runtime) {
        info.found_by = found.found_by.as_str().into();
    }
    Ok(info)
}

fn runtime_of<'r>(runtimes: &'r [RuntimeInfo], spec: &SessionSpec) -> Option<&'r RuntimeInfo> {
    runtimes
        .iter()
        .find(|runtime| runtime.path == *spec.runtime.path())
}

/// Whether the execution provider of another session is had from where that of `spec` is.
fn is_same_provider(spec: &SessionSpec, other: &SessionSpec) -> bool {
    spec.execution_provider == other.execution_provider
        && (spec.runtime == other.runtime || spec.provider.library.is_none())
}

fn of_cache(failure: Failure, library: &Path) -> Failure {
    let is_its_own = matches!(failure.kind, FailureKind::Runtime | FailureKind::Crashed);
    match Cache::release_of(library) {
        Some(release) if is_its_own => failure.hinted(removal_hint(release)),
        _ => failure,
    }
}

fn offers(runtimes: &[RuntimeInfo], spec: &SessionSpec) -> bool {
    spec.provider.library.is_some()
        || runtime_of(runtimes, spec).is_some_and(|runtime| {
            runtime
                .execution_providers
                .contains(&spec.execution_provider)
        })
}

/// Sessions go whose runtime lacks their execution provider, where another has it; returns what is
/// to be said.
pub(super) fn leave_out_unoffered(plan: &mut Plan, runtimes: &[RuntimeInfo]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    plan.sessions.retain(|spec| {
        let offered = offers(runtimes, spec);
        if !offered {
            let version = runtime_of(runtimes, spec).map(|runtime| runtime.version.exact());
            let note = format!(
                "`{}` is not measured on ONNX Runtime {} (`{}`), which does not have it",
                spec.execution_provider.exact(),
                version.unwrap_or("of unknown version"),
                spec.runtime.path().display()
            );
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        offered
    });
    notes
}

async fn open(launcher: &Launcher, spec: &SessionSpec) -> Result<RuntimeInfo, Failure> {
    let opened = launcher
        .open(spec, unnamed_log()?, launcher.patience())
        .await?;
    opened.worker.end().await;
    Ok(opened.runtime)
}
